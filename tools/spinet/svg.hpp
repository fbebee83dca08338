// A small writer of SVG charts: panels of lines over one another with one x axis.
#pragma once
#include <string>
#include <vector>

namespace spinet::tool {

struct Panel {
  std::string label;            ///< of the y axis, with its unit
  std::vector<double> y;        ///< one per x
  bool logarithmic = false;     ///< all of y is then above 0
  bool sticks = false;          ///< lines from 0 instead of a staircase
  std::string colour = "#1f5fa8";
};
/// `x` ascends.
std::string svg_chart(const std::string& title, const std::string& x_label, const std::vector<double>& x, const std::vector<Panel>& panels);

}  // namespace spinet::tool
