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

  /// How the synapses of a store transmit.
  struct Way {
    const SynapseTable* table;     ///< whose `on_pre` makes the weights, or null
    const std::uint16_t* targets;  ///< of all synapses of the store
    const float* weights;          ///< the same, where they are stored, or null
    double weight;                 ///< of each, where all have the same
    double gain;                   ///< sign times what the schedule has made of the weights
    std::uint32_t port;
    std::int32_t sign;   ///< that weights must have before `gain`, or 0
    bool looks;          ///< the model looks at its targets, which must have received what comes before
    std::uint32_t kind;  ///< stores of one kind may be gathered together, and go to their model in one call
  };
  const Way& way_of(const Hit& hit) const { return ways_[synapses_.slice(hit.slice).store]; }
  const Hit* make(const Hit* first, const Hit* end, Tick tick);
  struct Shown {
    std::uint32_t slices, synapses;
  };
  Shown show(const Hit* first, const Hit* end, Tick tick);
  void refuse(const Hit* first, std::uint32_t slices, const double* weights, Tick tick) const;
  /// What multiplies the weights at an event: its payload, and what the projection makes of it.
  static double scale_of(const Hit& hit, const Way& way) {
    const bool used = way.table && way.table->graded;  // the model has used it
    return used ? way.gain : hit.payload * way.gain;
  }
  /// Is a slice long, or the last hit of those in hand with nothing to gather it with?
  bool goes_by_itself(const SliceEntry& e, std::ptrdiff_t left) const {
    return e.count > short_slice || (left == 1 && gathered_ == 0);
  }
  template <class Put>
  const Hit* gather(const Hit* first, const Hit* end, Tick tick, Put&& put);
  void receive_from(const Hit& hit, Arrivals a);
  void hand_over(Tick tick);
  void receive(const Arrivals& a);

  Parts to_;
  const BlockSynapses& synapses_;
  std::vector<Way> ways_;               ///< by store
  std::vector<double> weights_;         ///< gathered, or made by a model
  std::vector<float> narrow_;           ///< made, where a model makes floats
  std::vector<std::uint16_t> targets_;  ///< gathered
  std::uint32_t gathered_ = 0;          ///< arrivals that wait, all at one port:
  std::uint32_t port_ = 0;
  const Slice* shown_[SliceViews::most_at_once] = {};
};

}  // namespace spinet
