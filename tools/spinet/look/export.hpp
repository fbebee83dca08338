// A log in other formats.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "log/log_data.hpp"

namespace spinet::look {

/// Tables in `folder`, one file each; returns their names.  Throws UserError if one exists and `replace` is
/// false.
std::vector<std::filesystem::path> export_csv(const LogData& data, const std::filesystem::path& folder,
                                              bool replace);

/// One NWB file.
void export_nwb(const LogData& data, const std::filesystem::path& file);

}  // namespace spinet::look
