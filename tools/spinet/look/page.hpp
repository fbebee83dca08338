// The report as one HTML file.
#pragma once
#include <string>

#include "look/analysis.hpp"

namespace spinet::look {

/// Begins every report, so that a report is replaced without asking and any other file is not.
inline constexpr const char* page_mark = "<!DOCTYPE html>\n<!-- made by spinet report -->\n";

std::string page_of(const Analysis& analysis);
/// The page of other data, which name what they are (page/).
std::string page_around(const std::string& data, const std::string& title);

/// The figures' data, as page/ reads them.
std::string json_of(const Analysis& analysis);

}  // namespace spinet::look
