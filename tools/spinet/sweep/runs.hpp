// The runs of a sweep: networks of combinations, run side by side for their metrics.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "inputs.hpp"
#include "network/catalogue.hpp"
#include "sweep/meters.hpp"
#include "sweep/results.hpp"

namespace spinet::tool {

/// The network of a combination, without what only a log needs.
struct Prepared {
  Network net;
  Columns columns;
};

/// Of `file` with the values of a combination.
Prepared prepare(const std::string& file, const LoadOptions& base, const Catalogue& catalogue,
                 const Plan& plan, std::uint64_t combination);

/// Runs with the seeds of these trials, side by side; one by one if it must be: a run that fails becomes a
/// row that says why.  Empty when they have been stopped by a signal.
std::vector<Row> run_some(Prepared& p, std::span<const std::uint64_t> runs,
                          const std::vector<std::uint32_t>& seeds, const std::function<void()>& now_and_then);

/// How many runs of a network go side by side.
std::uint64_t pays_off(const Network& net);

}  // namespace spinet::tool
