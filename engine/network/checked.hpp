// The checked network: plain numbers, every reference resolved, every value in range and in the unit of its
// field. This is all the simulation sees of a network; text (names) is kept only for logs and messages.
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "network/layered.hpp"
#include "network/mapping.hpp"
#include "network/scheduled.hpp"
#include "spinet/model.hpp"
#include "spinet/neuron.hpp"
#include "spinet/source.hpp"
#include "spinet/synapse.hpp"
#include "spinet/time.hpp"

namespace spinet {

/// Ticks of a millisecond: a whole number where it is meant to be one (1e-3 / 1e-6 is 1000.0000000000001).
inline double ticks_per_ms(double seconds_per_tick) {
  const double exact = 1e-3 / seconds_per_tick, whole = std::round(exact);
  return std::abs(exact - whole) <= 1e-9 * whole ? whole : exact;
}

/// Where the members of a population are, in um.
struct Positions {
  enum class Kind : std::uint8_t {
    none,
    grid,    ///< centres of equal cells of the box, x changing first
    random,  ///< drawn evenly in the box, keyed by population and member
    listed,
  };
  Kind kind = Kind::none;
  std::uint32_t dimensions = 0;  ///< 2 or 3
  std::array<std::uint32_t, 3> grid{1, 1, 1};
  std::array<double, 3> origin{},
      extent{};                  ///< the box; of a list that is not periodic the smallest that holds all
  bool periodic = false;         ///< the box is repeated
  std::vector<double> listed{};  ///< as many numbers per neuron as dimensions
};

/// Where its name stands in the network's text, from 1; for messages.
struct TextPlace {
  std::uint32_t line = 0, column = 0;
};

struct Population {
  std::string name;
  Gid first = 0;
  std::uint32_t size = 0;
  const Model* model = nullptr;       ///< head of a NeuronTable or SourceTable
  std::vector<Distribution> params;   ///< one per field of model->params
  std::vector<Distribution> initial;  ///< one per variable flagged `initial`, in table order
  Positions positions{};
  std::vector<ListedSpike> listed;  ///< spike_source: sorted by (tick, index)
  std::vector<double> patterns;     ///< environments: rows of inputs, then targets
  std::uint32_t pattern_inputs = 0, pattern_targets = 0;
  std::vector<std::uint32_t> drives;  ///< environments: projections that what they post may be addressed to
  std::optional<layers::Shape> shape{};    ///< of a layer; its size is `size`
  std::optional<layers::Curves> curves{};  ///< of electrical-magnetic neurons
  /// What the biases of a layer are drawn from, one a channel or neuron; `params` list them.
  std::optional<Distribution> bias_from{};
  TextPlace named_at{};
  const NeuronTable* neuron() const {
    return model->kind == Kind::neuron ? reinterpret_cast<const NeuronTable*>(model) : nullptr;
  }
  const SourceTable* source() const {
    return model->kind == Kind::source ? reinterpret_cast<const SourceTable*>(model) : nullptr;
  }
};

class ConnectionRule;  // connect/rule.hpp
class ExtendedTable;   // network/extended.hpp

/// Delays that follow the distance, in ticks before rounding.
struct DistanceDelay {
  double offset, per_um;
};

/// One connection of an explicit list; indices count along the concatenated sources and targets.
struct ListedEdge {
  std::uint32_t source, target;
  double weight;  ///< used where the projection's `listed_weights` is set
  Tick delay;     ///< used where `listed_delays` is set
};

struct Projection {
  std::string name;
  std::vector<GidRange> sources, targets;  ///< concatenated in this order
  const ConnectionRule* rule = nullptr;
  std::vector<double> numbers;  ///< of the rule, in an order of its own
  bool autapses = true, multapses = true;
  const SynapseTable* synapse = nullptr;
  /// What `synapse` lies in, where it is the projection's own.
  std::shared_ptr<const ExtendedTable> extended{};
  std::vector<double> params;  ///< one per field of synapse->model.params; of drawn ones the middle
  /// Parameters that each device draws for itself: index in `params`, and from what.
  std::vector<std::pair<std::uint32_t, Distribution>> drawn_params{};
  /// Laid out as a crossbar, a device at most at each crossing of a row (source) and a column (target); the
  /// scheme of stimuli that name none.
  std::optional<Scheme> crossbar{};
  /// One per variable of the synapse that is flagged `initial`; [0] is the weight.
  std::vector<Distribution> state;
  Distribution delay;  ///< in ticks, before rounding to Network::delay_resolution (never under one step)
  /// Then `delay` is uniform between the least and the longest.
  std::optional<DistanceDelay> delay_by_distance{};
  std::uint32_t port = 0;  ///< of the target model(s); the same index in all targets
  double sign = 1;         ///< -1: weights are magnitudes, and the port makes them negative where they arrive
  std::vector<ListedEdge> edges;  ///< of rules that list them, sorted by (target, position in the file)
  bool listed_weights = false, listed_delays = false;
  /// Weights that synapses share, stored once; only of models whose synapses are plain weights.  Which of
  /// them a synapse takes is what its rule says in place of the word that a weight is drawn from
  /// (DrawnEdge::weight_word).  Empty: each has its own.
  std::vector<double> shared_weights{};
  std::vector<std::uint32_t> weight_index{};  ///< of listed `edges`, where weights are shared
  /// By number in `state`, then by edge: values of variables that come from a file; empty: drawn.  [0] is
  /// never used, its values are those of `edges`.
  std::vector<std::vector<double>> listed_state{};
  /// Does a file give variable `v` of `state`?
  bool lists(std::size_t v) const {
    return v == 0 ? listed_weights : v < listed_state.size() && !listed_state[v].empty();
  }
  /// `edges` hold the weights of connections that the rule draws, sorted by (target, source, number among
  /// equals), from this file; empty: they do not.
  std::string weights_from{};
  layers::Preparation preparation{};
  std::shared_ptr<const DeviceMapping> mapping{};  ///< devices that the weights are meant for; or null
  TextPlace named_at{};
  std::uint64_t source_count() const {
    std::uint64_t n = 0;
    for (auto& r : sources) n += r.count;
    return n;
  }
  std::uint64_t target_count() const {
    std::uint64_t n = 0;
    for (auto& r : targets) n += r.count;
    return n;
  }
};

/// The variables that logged edges hold under their own names, as indices in `variables`: all that networks
/// may initialise, but for a weight that is the first of them.
inline std::vector<std::uint32_t> edge_variables(const SynapseTable& t) {
  std::vector<std::uint32_t> all;
  bool first = true;
  for (std::uint32_t v = 0; v < t.model.variables.count; ++v) {
    const Field& f = t.model.variables.data[v];
    if (!(f.flags & Flag::initial)) continue;
    if (!std::exchange(first, false) || !(f.flags & port_unit)) all.push_back(v);
  }
  return all;
}

/// Who simulates which neurons; has no effect on results.
enum class Sharing : std::uint8_t {
  cost,         ///< stretches of gids so that every rank has the same to do
  round_robin,  ///< stretches of gids in turn
  graph,  ///< stretches of gids that are connected together, as far as explicit lists of connections tell
};

/// The sign of what synapses of this model transmit with these parameters, one per field.
Sign sign_of(const SynapseTable& t, const std::vector<double>& params);

/// Which spikes are logged.
struct SpikeRecording {
  std::uint32_t population;
  std::vector<std::uint32_t> ids;  ///< sorted indices within the population; empty: all
  Tick from = 0, to = never;       ///< [from, to)
};

/// A variable sampled at regular ticks: from, from + every, ... < to (and <= duration).
struct Report {
  std::string name;
  std::uint32_t population;
  std::uint32_t variable;          ///< index in model->variables
  std::vector<std::uint32_t> ids;  ///< sorted indices within the population, never empty
  Tick every = 0, from = 0, to = never;
};

/// A variable of all synapses of a projection, sampled like a report.
struct WeightRecording {
  std::uint32_t projection;
  std::uint32_t variable = 0;  ///< index in the synapse model's variables
  Tick every = 0, from = 0, to = never;
};

/// Values of chosen synapses of a projection at irregular times, /weight_events in the log.
struct WeightEventRecording {
  std::uint32_t projection;
  std::uint32_t variable = 0;              ///< index in the synapse model's variables
  std::vector<SynapseAddress> synapses{};  ///< sorted by (target, source); empty: all
  bool on_change = false;  ///< where the value differs from the last one logged, in [from, to)
  Tick from = 0, to = never;
  std::vector<Tick> at{};               ///< all of them at these ticks, ascending
  const Stimulus* logs = nullptr;       ///< each time that it has come, also several of one tick
  std::uint64_t expected = 0;           ///< how often the schedule has it come, about
  std::vector<std::uint32_t> epochs{};  ///< and at the end of these batches, ascending, ...
  std::uint32_t environment = 0;        ///< ... of this population
};

/// Ends the run when an environment's metric gets there.
struct StopCondition {
  std::uint32_t population = 0, metric = 0;  ///< an environment, and index in its `metrics`
  bool at_least = true;                      ///< else: at most
  double threshold = 0;
  bool operator==(const StopCondition&) const = default;
};

struct Network {
  std::string name;
  std::string source_text;  ///< the YAML as read, for provenance
  std::string source_path;
  std::vector<std::string> overrides;  ///< "parameters.g=4.5" as given on the command line
  double seconds_per_tick = 1e-9;
  Tick duration = 0;  ///< events at ticks [0, duration) happen
  Tick delay_resolution = 100'000;
  std::uint32_t seed = 1;
  std::uint32_t block = 256;  ///< gids per unit of partition
  Sharing partition = Sharing::cost;
  std::vector<Population> populations;
  std::vector<Projection> projections;
  std::vector<ScheduledControl> schedule;
  std::vector<SpikeRecording> spikes;
  std::vector<Report> reports;
  std::vector<WeightRecording> weights;
  std::vector<WeightEventRecording> weight_events;
  std::optional<StopCondition> until;
  std::optional<layers::Training> training{};
  std::optional<DeviceReading> devices{};
  std::vector<std::uint32_t> edge_recordings;  ///< projections whose edges are written to the log
  /// Are the edges of projection `p` handed to the recorder?
  bool records_edges(std::uint32_t p) const {
    return std::count(edge_recordings.begin(), edge_recordings.end(), p) ||
           std::any_of(weights.begin(), weights.end(),
                       [p](const WeightRecording& w) { return w.projection == p; });
  }
  double ticks_per_ms() const { return spinet::ticks_per_ms(seconds_per_tick); }

  /// Seeds of the replicas that run side by side (network/replicas.hpp); empty: this is one network.  The
  /// replicas of a population are neighbours in `populations`, with gids without a gap, and so are those of a
  /// projection.
  std::vector<std::uint32_t> replicas{};
  std::uint32_t replica_count() const {
    return std::max<std::uint32_t>(1, static_cast<std::uint32_t>(replicas.size()));
  }
  /// What random numbers are keyed by: of a network among replicas the same as if it ran alone.
  struct Identity {
    std::uint32_t seed, index;  ///< index: of the population or projection
    Gid first;                  ///< gid of the population's first neuron
  };
  Identity population_identity(std::uint32_t p) const {
    const std::uint32_t n = replica_count(), of = p / n;
    return n == 1 ? Identity{seed, p, populations[p].first}
                  : Identity{replicas[p % n], of, populations[of * n].first / n};
  }
  Identity projection_identity(std::uint32_t p) const {
    const std::uint32_t n = replica_count();
    return n == 1 ? Identity{seed, p, 0} : Identity{replicas[p % n], p / n, 0};
  }
  /// The replicas of a population together; without replicas each population is a family.
  std::uint32_t family_count() const {
    return static_cast<std::uint32_t>(populations.size()) / replica_count();
  }
  GidRange family(std::uint32_t f) const {
    const Population& p = populations[f * replica_count()];
    return {p.first, p.size * replica_count()};
  }

  Gid gid_count() const {
    return populations.empty() ? 0 : populations.back().first + populations.back().size;
  }
};

}  // namespace spinet
