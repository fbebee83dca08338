// spinet sweep --report: the table of statistics, Welch's test, and two SVG figures.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "sweep/results.hpp"

namespace spinet::tool {

struct ReportOptions {
  std::string file, figure;                 ///< `figure` empty: beside `file`
  std::string metric;                       ///< empty: epoch, or the first there is
  std::vector<std::string> group, against;  ///< PATH=VALUE, all of which hold
};
/// Throws UserError.
int report_on(const ReportOptions& o);

/// A metric of a row by the name of its column; NaN where there is none.
double metric_of(const Row& row, const std::string& name);

/// The metric of each combination against the first axis: means with a band of one standard deviation.
std::string figure_of_means(const Sweep& sweep, const std::string& metric);
/// Learning curves of some combinations: thin ones of all trials, thick means.  Empty where there are none.
std::string figure_of_curves(const Sweep& sweep, const std::vector<std::uint64_t>& combinations);

}  // namespace spinet::tool
