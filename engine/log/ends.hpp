// Which neurons a projection may connect, as the frames of its weights in a log have it.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace spinet {

struct LoggedEnds {
  /// Neurons one after the other of one population.
  struct Part {
    std::uint32_t population;  ///< row of /spinet/populations
    std::uint64_t first, count;
  };
  std::vector<Part> sources, targets;  ///< in the order of the network; empty: an older version wrote the log
};

/// Of /weights/PLACE.  Throws LogError: not there, damaged.
LoggedEnds read_ends(const std::filesystem::path& log, const std::string& place);

}  // namespace spinet
