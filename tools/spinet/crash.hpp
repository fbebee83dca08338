// A plugin that crashes, aborts or ends the program is named before the process is gone.
#pragma once
#include <filesystem>

namespace spinet::tool {

/// From here on a crash whose stack leads through a library of `folder` is reported with the library's name
/// and ends the process with exit code 3; so does a library of it that calls exit().  At most 64 folders;
/// others are not looked at.
void name_plugins_that_crash(const std::filesystem::path& folder);
/// The command has come to its end: exit() is now ours.
void command_has_ended();

}  // namespace spinet::tool
