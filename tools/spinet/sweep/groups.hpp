// The runs of a sweep by combination of what was varied: the figures of each, and which combinations are
// meant.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "sweep/results.hpp"

namespace spinet::tool {

/// A metric of a row by the name of its column; NaN where there is none.
double metric_of(const Row& row, const std::string& name);

/// "rate" of "parameters.rate"; of several paths the last part, if they share it.
std::string short_name(const SweepAxis& axis);

/// One combination.
struct Group {
  std::vector<double> converged, all;  ///< the metric of runs that converged, of all that did not fail
  std::uint64_t failed = 0;
};
std::vector<Group> by_combination(const Sweep& sweep, const std::string& metric);

struct Condition {
  std::size_t axis, value;
};
/// PATH=VALUE each, as `option` gives them.  Throws UserError.
std::vector<Condition> conditions(const Plan& plan, const std::string& option,
                                  const std::vector<std::string>& given);
/// Do all of them hold for these values, one per axis?
bool holds(const std::vector<Condition>& all, const std::vector<std::size_t>& values);

}  // namespace spinet::tool
