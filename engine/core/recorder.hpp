// Where a run's data go: the seam between the simulation and the log.  Called on rank 0 only.
#pragma once
#include <cstdint>
#include <span>

#include "spinet/time.hpp"

namespace spinet {

struct Spike {
  Tick tick;
  Gid gid;
  bool operator==(const Spike&) const = default;
};

/// One edge of the recorded connectivity.
struct Edge {
  Gid source, target;
  double weight;
  Tick delay;
};

class Recorder {
 public:
  virtual ~Recorder() = default;
  /// Spikes of recorded neurons, of all ranks, sorted by (tick, gid); calls are in time order too.
  virtual void spikes(std::span<const Spike> sorted) = 0;
  /// Whole frames of report `r` (index in Network::reports), row-major [frame][id], in time order.
  virtual void frames(std::uint32_t r, std::span<const float> values) = 0;
  /// Whole frames of weight recording `w` (index in Network::weights), row-major [frame][edge], edges in canonical order.
  virtual void weights(std::uint32_t, std::span<const float>) {}
  /// A reward of the environment `population` that acts at `tick`, with its metrics (NeuronTable::metrics), in time order.
  virtual void metrics(std::uint32_t, Tick, std::span<const double>) {}
  /// Edges of projection `p`, whose edges or weights are recorded, in canonical order (by target, then draw); called before
  /// the run, in pieces.
  virtual void edges(std::uint32_t p, std::span<const Edge> some) = 0;
  /// Everything before `reached` has been handed over.
  virtual void commit(Tick reached) = 0;
  /// The same, and it must survive a kill from now on: a checkpoint is about to rely on it.
  virtual void secure(Tick reached) { commit(reached); }
};

}  // namespace spinet
