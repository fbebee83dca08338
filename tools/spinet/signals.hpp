// Ctrl-C and friends end a run in good order.
#pragma once
#include <atomic>

namespace spinet::tool {

/// Set by the first SIGINT, SIGTERM or SIGUSR1 after `stop_on_signals`; a second one of the same kind ends the process
/// at once.  (SIGUSR1 is what `spinet run -n` sends through mpirun, which would kill the ranks for the others.)
extern const std::atomic<bool>& stop_wanted;
void stop_on_signals();
/// "SIGINT", or "" if none has come.
const char* stop_signal();

}  // namespace spinet::tool
