// What a log says of its run, as JSON: the same for `spinet info --json`, `spinet run --json` and the
// report's page.
#pragma once
#include "log/log_data.hpp"
#include "look/json.hpp"

namespace spinet::look {

/// Writes one object: network, status, figures (engine/log/FORMAT.md), populations.  Times in s.
void run_object(Json& j, const LogSummary& log);

/// One object: accuracy, confusion, and of each layer and each projection whose devices count energy (nJ) the
/// mean of an image.
void images_object(Json& j, const ImageResults& results);

/// The whole answer of `spinet info --json`: the above, reports, weights, edges.
std::string info_json(const LogData& log);

}  // namespace spinet::look
