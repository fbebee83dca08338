// What came of the images that a network was shown, for a person.
#pragma once
#include <string>

#include "log/image_results.hpp"

namespace spinet::tool {

/// What each layer sent, confusion matrix, accuracy, energy, time; `run_seconds` of the run, 0: not known.
std::string image_text(const ImageResults& r, double run_seconds);

}  // namespace spinet::tool
