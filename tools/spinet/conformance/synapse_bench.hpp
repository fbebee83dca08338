// A small engine of one projection: events, postsynaptic spikes and control events at one slice, cut in
// different ways.
#pragma once
#include <memory>
#include <vector>

#include "network/extended.hpp"
#include "parameters.hpp"
#include "spinet/synapse.hpp"

namespace spinet {

inline constexpr std::uint32_t synapse_count = 37, event_count = 120;

/// One event at the slice, with the control events just before it.
struct SynapseEvent {
  struct Sent {
    Control control;
    std::uint32_t to;  ///< a synapse, or `everyone`
  };
  static constexpr std::uint32_t everyone = 0xFFFFFFFFu;
  Tick tick;
  double payload;
  std::vector<Sent> controls;
  std::vector<std::pair<std::uint32_t, double>> set;  ///< parameters that change: number, new value
};
/// Intervals from one tick to half a second, so that fast and slow processes are met; control events of every
/// kind, to all synapses and to single ones.
std::vector<SynapseEvent> synapse_history(const SynapseTable& table, std::uint32_t seed);

/// What a run of the bench draws with: others give other random numbers, and nothing else.
struct Identity {
  RandomKey key{42, 9};
  Gid first_target = 1000, source = 17;
};

class Targets;

/// The synapses [from, from + count) as one slice, with memory of their own.
class SliceBench {
 public:
  SliceBench(const SynapseTable& table, const ParameterSet& set, std::uint32_t seed, std::uint32_t from,
             std::uint32_t count, const Identity& who = {});
  SliceBench(const SliceBench&) = default;
  /// What a restart finds: the saved states, `Shared` prepared anew, by the model as another process loads
  /// it.
  SliceBench(const SliceBench& saved, const SynapseTable& table);

  Slice at(Tick tick, double payload = 1);
  /// Control events and one event; appends its weights to `weights`.
  void deliver(const SynapseEvent& e, std::vector<double>& weights);
  /// The same for several slices, in one call.
  static void deliver_together(std::vector<SliceBench>& parts, const SynapseEvent& e,
                               std::vector<double>& weights);
  void control(const SynapseEvent::Sent& sent, Tick tick);
  /// Parameters that the schedule changes before the event.
  void change(const SynapseEvent& e);
  double read(std::uint32_t i, Tick tick, std::uint32_t variable);
  void catch_up(Tick tick);
  /// Drops what of its targets' past it has seen.  Copies of this bench share that past.
  void sweep(Tick tick);
  /// The parameters at present, one per field.
  const std::vector<double>& parameters() const { return params_.values; }
  /// The weight that the network has given synapse `i`, if nothing has changed it yet.
  double given(std::uint32_t i) const;
  /// What has changed the floating-point mode, or "".
  const std::string& mode_trouble() const { return mode_trouble_; }
  bool same_states(const SliceBench& o) const {
    return state_.same_bytes(o.state_) && slice_state_.same_bytes(o.slice_state_);
  }
  bool same_shared(const SliceBench& o) const { return shared_.same_bytes(o.shared_); }
  std::uint32_t from() const { return from_; }
  std::uint32_t count() const { return count_; }
  /// Whether its synapses draw random numbers: of some models only those with extras do.
  bool draws() const { return t_->draws != 0; }
  /// Whether a write has left what is ours.
  bool intact() const { return intact_ && state_.intact() && slice_state_.intact() && shared_.intact(); }
  /// Shows what a model reads of its targets as arrays, as the engine does in small blocks.
  void show_values() { shows_values_ = true; }

 private:
  void prepare();
  void put_variables(std::uint32_t seed);
  void draw_parameters(std::byte* state, Dice& dice) const;
  static void take(const SynapseTable& table, Fenced& out, std::uint32_t count, std::vector<double>& weights);
  std::shared_ptr<const ExtendedTable> extended_;  ///< where the parameters ask for more than the `State`
  const SynapseTable* t_;
  ParameterSet params_;  ///< at present
  Fenced param_bytes_;   ///< the same as the model's `Params`
  std::uint32_t from_, count_;
  Identity who_;
  Fenced shared_, state_, slice_state_;
  std::vector<std::uint16_t> targets_;
  std::vector<std::uint8_t> copies_;
  std::shared_ptr<Targets> neurons_;
  bool intact_ = true, shows_values_ = false;
  std::string mode_trouble_;
};

}  // namespace spinet
