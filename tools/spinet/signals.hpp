// Ctrl-C and friends end a run in good order, or at least within a second.
#pragma once
#include <atomic>

#include "core/pulse.hpp"

namespace spinet::tool {

/// Set by the first SIGINT, SIGTERM or SIGUSR1 after `stop_on_signals`; a second one of the same kind ends
/// the process at once.  (SIGUSR1 is what `spinet run -n` sends through mpirun, which would kill the ranks
/// for the others.)
extern const std::atomic<bool>& stop_wanted;
/// What the run is at.  From the first signal on it is looked at: where a function of a model does not return
/// for most of a second, the process says which and ends with exit code 3; the log keeps what it has
/// committed.
extern Pulse& pulse;
void stop_on_signals();
/// "SIGINT", or "" if none has come.
const char* stop_signal();

}  // namespace spinet::tool
