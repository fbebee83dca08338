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

/// One edge of the recorded connectivity; `weight`: what it weighs at t = 0.
struct Edge {
  Gid source, target;
  double weight;
  Tick delay;
};

/// A synapse of a weight event recording; `id`: its place in the canonical order of its projection's edges,
/// from 0.
struct WatchedEdge {
  std::uint64_t id;
  Gid source, target;
  bool operator==(const WatchedEdge&) const = default;
};
/// What a synapse has become at `tick`.
struct WeightEvent {
  Tick tick;
  std::uint64_t edge;  ///< WatchedEdge::id
  double value;
  bool operator==(const WeightEvent&) const = default;
};

class Recorder {
 public:
  virtual ~Recorder() = default;
  /// Spikes of recorded neurons, of all ranks, sorted by (tick, gid); calls are in time order too.
  virtual void spikes(std::span<const Spike> sorted) = 0;
  /// Whole frames of report `r` (index in Network::reports), row-major [frame][id], in time order.
  virtual void frames(std::uint32_t r, std::span<const float> values) = 0;
  /// Whole frames of weight recording `w` (index in Network::weights), row-major [frame][edge], edges in
  /// canonical order.
  virtual void weights(std::uint32_t, std::span<const float>) {}
  /// A reward of the environment `population` that acts at `tick`, with its metrics (NeuronTable::metrics),
  /// in time order.
  virtual void metrics(std::uint32_t, Tick, std::span<const double>) {}
  /// Edges of projection `p`, whose edges or weights are recorded, in canonical order (by target, then draw);
  /// called before the run, in pieces.
  virtual void edges(std::uint32_t p, std::span<const Edge> some) = 0;
  /// The same with the values of `edge_variables` at t = 0, row-major [edge][variable]; this is what the
  /// simulation calls.
  virtual void edges_with_values(std::uint32_t p, std::span<const Edge> some, std::span<const double>) {
    edges(p, some);
  }
  /// The synapses of weight event recording `r` (index in Network::weight_events), by id; once, before the
  /// run.
  virtual void watched(std::uint32_t, std::span<const WatchedEdge>) {}
  /// Events of recording `r`, sorted by (tick, edge); calls are in time order too.
  virtual void weight_events(std::uint32_t, std::span<const WeightEvent>) {}
  /// Everything before `reached` has been handed over.
  virtual void commit(Tick reached) = 0;
  /// The same, and it must survive a kill from now on: a checkpoint is about to rely on it.
  virtual void secure(Tick reached) { commit(reached); }
};

}  // namespace spinet
