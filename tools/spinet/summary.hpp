// What a person wants to know when a run has ended.
#pragma once
#include <filesystem>
#include <string>

#include "core/simulation.hpp"
#include "network/checked.hpp"

namespace spinet::tool {

/// Figures of all ranks together.
struct Totals {
  Statistics statistics;  ///< sums; times are the slowest rank's
  int ranks = 1;
  std::uint64_t peak_bytes = 0;
  double load_seconds = 0, close_seconds = 0;
};

std::string summary(const Network& network, const Totals& totals, const std::filesystem::path& log);

}  // namespace spinet::tool
