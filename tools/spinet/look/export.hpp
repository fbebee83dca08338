// A log in other formats.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "log/log_data.hpp"
#include "log/output_lock.hpp"

namespace spinet::look {

/// Tables in `folder`, one file each; returns their names.  Throws UserError if one exists that is not to be
/// replaced.
std::vector<std::filesystem::path> export_csv(const LogData& data, const std::filesystem::path& folder,
                                              Replace replace);

/// One NWB file.
void export_nwb(const LogData& data, const std::filesystem::path& file);

}  // namespace spinet::look
