// Control events at synapses: fields, rewards, pulses, parameters that the schedule sets.
#pragma once
#include <cstdint>
#include <vector>

#include "core/actions.hpp"
#include "core/block/members.hpp"
#include "core/block/slices.hpp"
#include "core/block/watched.hpp"
#include "core/pulse.hpp"

namespace spinet {

class Controls {
 public:
  /// All must outlive it.
  Controls(const Network& network, Members& members, SliceViews& slices, Watched& watched, Heart& heart);
  /// Does any synapse hear what environments post?
  bool any() const { return !controlled_.empty(); }
  /// Hands a control event to all slices of the projections it is addressed to, or to single synapses of one;
  /// to all (of its replica, if it concerns one) if it has no address.
  void hand_over(const Action& a);
  /// Neurons have changed otherwise than by time: what was read of them does not hold any more.
  void forget_reads() { values_at_ = -1; }
  /// A parameter of the synapses of a projection; their model hears of it where the action is `complete`,
  /// together with those before it.  What they have not taken in yet of the time before is theirs with the
  /// old parameters.
  void set(const Action& a);
  /// What a `set` before a checkpoint has left; the states come from there.
  void restore_set(const ScheduledControl& s);

 private:
  struct Controlled {
    std::uint32_t slice, store;
    Gid source;
    const SynapseTable* table;
    std::size_t behind;  ///< the run of slices with this table ends there
  };
  void number_replicas();
  void prepare_reads();
  void read_targets(Tick tick);
  void count(const Action& a);
  void hand_over_some(std::size_t begin, std::size_t end, Tick tick, const Control& control);
  void hand_over_named(const ScheduledControl& s, Tick tick);
  void hand_over_of_slice(std::uint32_t slice, std::uint32_t target, Slice one, const Control& control);
  Store* store_of(const ScheduledControl& s);

  const Network& network_;
  Members& members_;
  SliceViews& slices_;
  BlockSynapses& synapses_;
  Watched& watched_;
  Heart& heart_;
  std::vector<Controlled> controlled_;   ///< slices whose model hears control events, by replica
  std::vector<std::size_t> of_replica_;  ///< where each replica's begin in it, and the end
  std::vector<std::uint32_t> drawing_;   ///< stores whose models draw random numbers and hear control events
  const Slice* shown_[SliceViews::most_at_once] = {};
  std::vector<std::vector<double>> values_;                  ///< by variable of the neurons: what rules read
  std::vector<std::vector<const double*>> values_of_store_;  ///< by store and number in its `reads`; or empty
  Tick values_at_ = -1;                                      ///< for which tick `values_` have been read
};

}  // namespace spinet
