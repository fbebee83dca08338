// What happens to a synapse model in its battery: which synapses there are, and events, control events and
// settings at their slice.
#pragma once
#include <utility>
#include <vector>

#include "bench/synapse_bench.hpp"
#include "parameters.hpp"

namespace spinet {

inline constexpr std::uint32_t synapse_count = 37, event_count = 120;

/// One event at the slice, with the control events just before it.
struct SynapseEvent {
  struct Sent {
    Control control;
    std::uint32_t to;  ///< a synapse, or `SynapseBench::everyone`
  };
  Tick tick;
  double payload;
  std::vector<Sent> controls;
  std::vector<std::pair<std::uint32_t, double>> set;  ///< parameters that change: number, new value

  /// Its settings and control events.
  void prepare(SynapseBench& bench) const;
  /// All of it; appends the weights that the event transmits.
  void happen(SynapseBench& bench, std::vector<double>& weights) const {
    prepare(bench);
    bench.deliver(tick, payload, weights);
  }
};
/// Intervals from one tick to half a second, so that fast and slow processes are met; control events of every
/// kind, to all synapses and to single ones.
std::vector<SynapseEvent> synapse_history(const SynapseTable& table, std::uint32_t seed);

/// Whose random numbers a run of the bench draws; nothing else depends on it.
struct Identity {
  std::uint32_t seed = 42;
  Gid first_target = 1000, source = 17;
};

/// The synapses of a set of parameters: their initial values, and what has been fired by targets that spike
/// at times of their own.  All of the run is there at once, so that a model that looks past `seen()` gives
/// itself away.
SynapseBench synapses_of(const SynapseTable& table, const ParameterSet& set, std::uint32_t seed,
                         const Identity& who = {},
                         std::pair<std::uint32_t, std::uint32_t> which = {0, synapse_count});

}  // namespace spinet
