// A whole run on several ranks, which are threads here: what rank 0 was given to record.
#pragma once
#include <algorithm>
#include <vector>

#include "comm/loopback.hpp"
#include "core/simulation.hpp"
#include "support/memory_checkpoints.hpp"
#include "support/memory_recorder.hpp"

namespace spinet::test {

/// What a run saves, and what it goes on from.
struct Checkpoints {
  Tick every = 0;
  MemoryCheckpoints* save = nullptr;
  const MemoryCheckpoints* from = nullptr;
};

/// `owning`: how many of the ranks own neurons.
inline MemoryRecorder on_ranks(const Network& net, int ranks, const Checkpoints& checkpoints,
                               int* owning = nullptr) {
  MemoryRecorder kept;
  std::vector<std::uint64_t> owned(static_cast<std::size_t>(ranks));
  run_loopback(ranks, [&](Transport& t) {
    Simulation s(net, t);
    owned[static_cast<std::size_t>(t.rank())] = s.owned();
    if (checkpoints.from) s.restore(*checkpoints.from);
    RunHooks hooks;
    hooks.checkpoints.every = checkpoints.every;
    if (t.rank() == 0) hooks.checkpoints.sink = checkpoints.save;
    MemoryRecorder recorder;
    s.run(t.rank() == 0 ? &recorder : nullptr, hooks);
    if (t.rank() == 0) kept = std::move(recorder);
  });
  if (owning)
    *owning = static_cast<int>(std::count_if(owned.begin(), owned.end(), [](auto n) { return n > 0; }));
  return kept;
}
inline MemoryRecorder on_ranks(const Network& net, int ranks, int* owning = nullptr) {
  return on_ranks(net, ranks, Checkpoints{}, owning);
}

}  // namespace spinet::test
