// The file beside an imported network: its connections as SONATA edges, and the graph that they are of.
#pragma once
#include <filesystem>
#include <optional>

#include "nir/draft.hpp"

namespace spinet::nir {

void write_beside(const std::filesystem::path& file, const GraphFile& graph, const Reading& reading,
                  const Draft& draft);

struct Beside {
  GraphFile graph;
  Reading reading;
};

/// Nothing where the file holds no graph.  Throws LogError.
std::optional<Beside> read_beside(const std::filesystem::path& file);

}  // namespace spinet::nir
