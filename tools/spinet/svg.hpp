// A small writer of SVG charts: panels of lines over one another with one x axis, and plots with a key.
#pragma once
#include <string>
#include <utility>
#include <vector>

namespace spinet::tool {

/// The axis that the panels of a chart share; its values may go to and fro, as in a loop.
struct ChartAxis {
  std::string label;  ///< with its unit
  std::vector<double> values;
  bool logarithmic = false;  ///< points that are not above 0 are left out
};
struct Panel {
  std::string label;         ///< of the y axis, with its unit
  std::vector<double> y;     ///< one per value of the common axis
  bool logarithmic = false;  ///< points that are not above 0 are left out
  bool sticks = false;       ///< lines from 0 instead of one through all points
  std::string colour = "#1f5fa8";
  std::vector<double> lower{}, upper{};  ///< of a band around y, or none
};
std::string svg_chart(const std::string& title, const ChartAxis& x, const std::vector<Panel>& panels);

struct Axis {
  double from = 0, to = 1;  ///< of a logarithmic axis: log10 of the ends
  std::string label;        ///< with its unit
  double scale = 1;         ///< numbers are shown times this
  bool logarithmic = false, numbers = true;
  double least = 0;  ///< between two numbers that are shown; 1: whole ones
};
/// What a colour means; where the colour codes a number, `from` and `to` are those of the faintest and the
/// fullest.
struct KeyEntry {
  std::string text, colour, from{}, to{};
  std::string dashes{};  ///< of the line that it stands for
};
/// Numbers as opacities: a few levels, from faint to full.
struct Shades {
  static constexpr int levels = 8;
  static double opacity(int level) { return 0.12 + 0.88 * level / (levels - 1); }
  /// The level of `part`, 0 to 1.
  static int level(double part) {
    return part >= 1 ? levels - 1 : part > 0 ? static_cast<int>(part * levels) : 0;
  }
};
struct Stroke {
  std::string colour;
  double width = 1.4, opacity = 1;
  std::string dashes{}, name{};  ///< name: of what it shows, for who reads the file
};

/// About how wide a text is that stands beside an axis.
double width_of(const std::string& text);
/// A text in lines that are about so wide.
std::vector<std::string> wrapped(const std::string& text, double width);

/// One chart with axes, marks and a key, on white.
class Plot {
 public:
  static constexpr double width = 640;  ///< of the area inside the axes
  struct Area {
    double left = 80, height = 280;  ///< room to the left of the axes; height inside them
  };
  Plot(std::string title, Axis x, Axis y, const std::vector<KeyEntry>& key, Area area);
  Plot(std::string title, Axis x, Axis y, const std::vector<KeyEntry>& key)
      : Plot(std::move(title), std::move(x), std::move(y), key, Area()) {}
  double x(double value) const { return left_ + (value - x_.from) / (x_.to - x_.from) * width; }
  double y(double value) const { return top_ + height_ - (value - y_.from) / (y_.to - y_.from) * height_; }
  double height() const { return height_; }
  double left() const { return left_; }
  double top() const { return top_; }
  /// A path in the units of x() and y(), cut off at the axes.
  void path(const std::string& d, const Stroke& stroke, const std::string& fill = "none");
  /// Bins as steps from edges[i] to edges[i + 1].
  void steps(const std::vector<double>& edges, const std::vector<double>& values, const Stroke& stroke);
  /// Text that ends left of the axes, as high as `at`, in units of y().
  void beside(double at, const std::string& text, const std::string& colour);
  std::string svg() const;

 private:
  std::string title_;
  Axis x_, y_;
  double left_, height_, top_, bottom_;
  std::string marks_, around_;
};

}  // namespace spinet::tool
