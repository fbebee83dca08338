// Running on several ranks, whoever started them.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "comm/transport.hpp"

namespace spinet::tool {

/// Calls `work` on every rank: alone, under the launcher that started us, or, with `ranks` above 1, started
/// now under mpirun as this very command without -n; then `check` comes first, in this process, so that what
/// is wrong with the input is said at once.  The result is the exit code.
int on_ranks(int ranks, const std::function<void()>& check, const std::function<int(Transport&)>& work);

/// Throws UserError if a launcher has started several of us: this command works alone.
void refuse_ranks(const char* command);

/// The command line as it was given, program name first.
std::vector<std::string> own_command_line();

}  // namespace spinet::tool
