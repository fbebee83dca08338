// Files that the commands write beside a log.
#pragma once
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>

namespace spinet::look {

/// Throws UserError unless the log is a file that exists.
void check_log(const std::string& log);

/// Lets `write` fill a new file and gives it its name when it is whole.  Throws runtime_error with file and
/// reason.
void replace_file(const std::filesystem::path& path, const std::function<void(std::FILE*)>& write);

}  // namespace spinet::look
