// Pictures made of text and coloured rectangles.
#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

#include "network/printable.hpp"

namespace spinet::look {

/// A drawing without axes, on white.
class Sheet {
 public:
  Sheet(const std::string& title, double width) : width_(width) {
    text(10, 22, title, "font-size=\"15\" font-weight=\"600\"");
  }
  void text(double x, double y, const std::string& text, const char* more = "font-size=\"11\"") {
    std::string safe;
    for (const char c : printable(text)) safe += c == '<' ? "&lt;" : c == '&' ? "&amp;" : std::string(1, c);
    marks_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" {}>{}</text>\n", x, y, more, safe);
    height_ = std::max(height_, y + 12);
  }
  /// Fills a rectangle; `edge` keeps neighbours from showing a seam.
  void rect(double x, double y, double w, double h, const std::string& fill) {
    marks_ +=
        fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\"/>\n", x,
                    y, w, h, fill);
    height_ = std::max(height_, y + h + 12);
  }
  std::string svg() const {
    return fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 "
        "{0:.0f} "
        "{1:.0f}\" font-family=\"sans-serif\" fill=\"#16202a\" shape-rendering=\"crispEdges\">\n<rect "
        "width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{2}</svg>\n",
        width_, height_, marks_);
  }

 private:
  double width_, height_ = 40;
  std::string marks_;
};

/// White with `part` of a colour "#rrggbb" in it.
inline std::string mixed(const char* colour, double part) {
  unsigned rgb = 0;
  std::sscanf(colour, "#%x", &rgb);
  const auto mix = [&](unsigned c) { return static_cast<int>(std::lround(255 + (double(c) - 255) * part)); };
  return fmt::format("#{:02x}{:02x}{:02x}", mix(rgb >> 16 & 255), mix(rgb >> 8 & 255), mix(rgb & 255));
}

}  // namespace spinet::look
