// A whole run on several ranks, which are threads here: what rank 0 was given to record.
#pragma once
#include <algorithm>
#include <vector>

#include "comm/loopback.hpp"
#include "core/simulation.hpp"
#include "support/memory_recorder.hpp"

namespace spinet::test {

/// `owning`: how many of the ranks own neurons.
inline MemoryRecorder on_ranks(const Network& net, int ranks, int* owning = nullptr) {
  MemoryRecorder kept;
  std::vector<std::uint64_t> owned(static_cast<std::size_t>(ranks));
  run_loopback(ranks, [&](Transport& t) {
    Simulation s(net, t);
    owned[static_cast<std::size_t>(t.rank())] = s.owned();
    MemoryRecorder recorder;
    s.run(t.rank() == 0 ? &recorder : nullptr);
    if (t.rank() == 0) kept = std::move(recorder);
  });
  if (owning)
    *owning = static_cast<int>(std::count_if(owned.begin(), owned.end(), [](auto n) { return n > 0; }));
  return kept;
}

}  // namespace spinet::test
