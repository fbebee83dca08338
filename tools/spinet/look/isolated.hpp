// Reading a file that may be damaged, in a process of its own.
#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace spinet::look {

/// Runs `work` in a forked child and returns its exit code.  HDF5 1.10 crashes on some damaged files (about 1
/// in 4,000 random mutants); with the work in a child, that too is a message and exit code 2, as is reading
/// that never ends. LogError and UserError become messages with exit code 2, other exceptions with 3.  Of a
/// child that was killed, the locks of `outputs` and half-written files beside them are removed.
int isolated(const std::string& file, const std::vector<std::filesystem::path>& outputs,
             const std::function<int()>& work);

}  // namespace spinet::look
