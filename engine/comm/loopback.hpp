// Ranks as threads of one process: what tests use to see several ranks at once, under a debugger if need be.
#pragma once
#include <functional>

#include "comm/transport.hpp"

namespace spinet {

/// Runs `body` on `ranks` threads, each with its own Transport, and waits for all of them.
/// A rank whose body throws makes every other rank's next (or present) collective throw RankFailed with its
/// message; so does a rank whose body returns while others still wait for it.  Nobody is left waiting.
/// Rethrows the exception of the rank that failed first; a RankFailed that came from another rank never hides
/// it.
void run_loopback(int ranks, const std::function<void(Transport&)>& body);

}  // namespace spinet
