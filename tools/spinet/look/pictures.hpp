// The report's figures as SVG files, drawn without a browser.
#pragma once
#include <string>
#include <vector>

#include "look/analysis.hpp"

namespace spinet::look {

struct Picture {
  std::string name;  ///< of the file: letters of the log that a file name should not have are replaced
  std::string svg;
};

/// Begins every picture, so that a picture is replaced without asking and any other file is not.
inline constexpr const char* picture_mark = "<!-- made by spinet report -->\n";

/// All figures of an analysis that has series, in the order of the page.
std::vector<Picture> pictures_of(const Analysis& analysis);

}  // namespace spinet::look
