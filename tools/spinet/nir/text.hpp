// A draft as the text of a network.
#pragma once
#include <string>

#include "nir/draft.hpp"

namespace spinet::nir {

/// What a network is written for.
struct Purpose {
  std::string name;                 ///< of the network
  std::string file, version;        ///< the graph's, for comments
  std::string beside;               ///< the file of connections, relative to the network's
  std::string spikes{}, current{};  ///< files of input, if given, relative as well
};

/// How the graph was read, a line each.
std::vector<std::string> reading_lines(const Draft& d, const Reading& reading);
std::string network_text(const Draft& d, const Reading& reading, const Purpose& purpose);
/// The same, but the populations alone.
std::string populations_text(const Draft& d, const Reading& reading);
/// "0.1 ms" of ns.
std::string time_text(std::int64_t ns);

}  // namespace spinet::nir
