// spinet sweep --report: the table of statistics, Welch's test, and two figures.
#pragma once
#include <string>
#include <vector>

namespace spinet::tool {

struct ReportOptions {
  std::string file, figure;                 ///< `figure` empty: beside `file`
  std::string metric;                       ///< empty: epoch, or the first there is
  std::vector<std::string> group, against;  ///< PATH=VALUE, all of which hold
};
/// Throws UserError.
int report_on(const ReportOptions& o);

}  // namespace spinet::tool
