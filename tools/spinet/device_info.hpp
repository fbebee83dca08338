// What `spinet info` says of models that `spinet program` and `spinet learn` have written.
#pragma once
#include <string>

namespace spinet::tool {

/// Lines on devices and what came of them, and the next command to type; "" where the file has neither.
std::string device_text(const std::string& file);
/// The same, and what the model is of, as a JSON object.
std::string device_json(const std::string& file);

}  // namespace spinet::tool
