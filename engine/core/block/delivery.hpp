// Delivery: what arrives at slices becomes weights, and these reach the neurons.
//
// For each hit: the synapses transmit (all the same weight; a weight each, as it is stored; or what their
// model makes of the event), times the payload and what the projection makes of it (its sign, and
// `transmission`).  The neurons receive it as Arrivals: those of a long slice, or of one that comes alone,
// straight from where they lie; those of short ones gathered, as many as have one port.  The order is that of
// the hits either way, and so are the sums.
//
// The payload and the projection's factor make one number, in `scale_of` and nowhere else.  It goes along as
// `Arrivals::scale` where weights stay where they are, and multiplies them where they are gathered.
#pragma once
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "core/block/arrivals.hpp"
#include "core/block/requests.hpp"
#include "core/block/slices.hpp"
#include "core/block/watched.hpp"
#include "core/pulse.hpp"

namespace spinet {

class Delivery {
 public:
  /// What it delivers to and asks; all must outlive it.
  struct Parts {
    const NeuronTable& table;
    NeuronBlock& block;
    SliceViews& slices;
    Requests& requests;
    Watched& watched;
    const Faults& faults;
    Heart& heart;
  };
  explicit Delivery(const Parts& parts);
  /// Arrivals of tick `tick`.  Some may wait until `finish`.
  void deliver(std::span<const Hit> hits, Tick tick);
  /// The neurons receive what has been gathered; after the last hit of a tick.
  void finish(Tick tick) {
    if (gathered_ != 0) hand_over(tick);
  }
  /// From here on the weights of store `k` are multiplied by `factor`; with 0 nothing arrives.
  void set_gain(std::uint32_t k, double factor) { ways_[k].gain = factor; }
  std::uint64_t arrivals = 0;  ///< so far

 private:
  static constexpr std::uint32_t short_slice = 32;  ///< synapses of slices that are gathered, at most
  static constexpr std::uint32_t at_once = SliceViews::most_at_once;  ///< synapses that are gathered, at most
  static constexpr std::uint32_t few_targets = 4;  ///< fewer are told one by one, not as a range

  /// How the synapses of a store transmit.
  struct Way {
    const SynapseTable* table;     ///< whose `on_pre` makes the weights, or null
    const std::uint16_t* targets;  ///< of all synapses of the store
    const float* weights;          ///< the same, where they are stored, or null
    const std::uint32_t* which;    ///< where weights are shared: of `weights`, for each synapse; or null
    double weight;                 ///< of each, where all have the same
    double gain;                   ///< sign times what the schedule has made of the weights; 0: none arrive
    std::uint32_t port;
    std::int32_t sign;   ///< that weights must have before `gain`, or 0
    bool looks;          ///< the model looks at its targets, which must have received what comes before
    bool evaluates;      ///< what arrives has its target evaluated
    std::uint32_t kind;  ///< stores of one kind may be gathered together, and go to their model in one call
  };
  void find_neighbours();
  const Way& way_of(const Hit& hit) const { return ways_[synapses_.slice(hit.slice).store]; }
  const Hit* make(const Hit* first, const Hit* end, Tick tick);
  struct Shown {
    std::uint32_t slices, synapses;
    bool scaled;  ///< what multiplies their weights is not 1 everywhere
  };
  Shown show(const Hit* first, const Hit* end, Tick tick);
  void show(std::uint32_t k, const Hit& hit, const SynapseTable& table, Tick tick) {
    Slice& s = to_.slices.at(hit.slice, tick, hit.payload);
    if (table.draws) to_.slices.key_arrival(hit.slice, s);
    shown_[k] = &s;
  }
  void ask(const Hit* first, const Shown& n, double* made, Tick tick);
  void refuse(const Hit* first, std::uint32_t slices, const double* weights, Tick tick) const;
  /// What multiplies the weights at an event: its payload, and what the projection makes of it.
  static double scale_of(const Hit& hit, const Way& way) { return hit.payload * way.gain; }
  /// May what arrives at a slice be gathered?
  bool may_gather(const SliceEntry& e, const Way& way) const {
    return e.count <= short_slice && way.gain != 0;
  }
  /// May it not, or is it the last hit of those in hand with nothing to gather it with?
  bool goes_by_itself(const SliceEntry& e, const Way& way, std::ptrdiff_t left) const {
    return !may_gather(e, way) || (left == 1 && gathered_ == 0);
  }
  /// Has the targets of a slice evaluated, which lie in `targets_` from place `at` on.  Few of them, or such
  /// as are no neighbours, wait for `evaluate_up_to`, which takes them together with those of other slices.
  void evaluate(std::uint32_t slice, std::uint32_t count, std::uint32_t at) {
    if (count < few_targets || !neighbours_[slice]) return;
    evaluate_up_to(at);
    evaluated_ = at + count;
    to_.requests.evaluations.add_range(targets_[at], count);
  }
  void evaluate_up_to(std::uint32_t end) {
    const std::uint32_t begin = std::exchange(evaluated_, end);
    to_.requests.evaluations.add(std::span<const std::uint16_t>(targets_.data() + begin, end - begin));
  }
  void deliver_shared(const Hit& hit, Tick tick);
  template <class Weight>
  const Hit* gather(const Hit* first, const Hit* end, Tick tick, Weight&& weight);
  void receive_from(const Hit& hit, Arrivals a);
  void hand_over(Tick tick);
  void receive(const Arrivals& a);

  Parts to_;
  const BlockSynapses& synapses_;
  std::vector<Way> ways_;  ///< by store
  /// By slice: each target is the neuron after the one before; empty where no port evaluates.
  std::vector<std::uint8_t> neighbours_;
  std::vector<double> weights_;         ///< gathered, or made by a model
  std::vector<std::uint16_t> targets_;  ///< gathered
  std::uint32_t gathered_ = 0;          ///< arrivals that wait, all at one port:
  std::uint32_t port_ = 0;
  std::uint32_t evaluated_ = 0;  ///< of these, whose targets are to be evaluated already
  const Slice* shown_[SliceViews::most_at_once] = {};
};

}  // namespace spinet
