// A sweep as it is asked for: options, and every combination read and checked before anything runs.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "inputs.hpp"
#include "manifest.hpp"
#include "network/catalogue.hpp"
#include "sweep/report.hpp"
#include "sweep/results.hpp"

namespace spinet::tool {

struct SweepOptions {
  NetworkOptions network;
  std::vector<std::string> vary;
  std::uint64_t trials = 1;
  std::string output;
  int ranks = 0;               ///< 0: not given
  std::uint64_t together = 0;  ///< runs of a combination that go side by side; 0: as many as pay off
  bool quiet = false, force = false;
  ReportOptions report;
};

/// The sweep as asked for, with every combination read and checked.
struct AskedFor {
  Sweep sweep;
  std::vector<std::uint64_t> together;  ///< by combination: runs that go side by side
  Manifest contents;                    ///< of the data files of all combinations
};
/// Throws UserError.
AskedFor asked_for(const SweepOptions& o, const Catalogue& catalogue, int ranks_here);

}  // namespace spinet::tool
