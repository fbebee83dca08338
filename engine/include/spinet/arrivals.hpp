// What comes to neurons: ports, batches of arrivals, trains, and input without order.  Part of
// spinet/neuron.hpp.
#pragma once
#include <cstdint>

#include "spinet/time.hpp"

namespace spinet {

/// A named input of a neuron model; `unit` is that of the weights that target it.
struct Port {
  const char* name;
  const char* unit;
  const char* doc;
  /// +1 / -1: all that arrives here has this sign or is 0 (times the payload), and weights of that sign
  /// choose this port if none is named.  0: arrivals have either sign; chosen by name only, or as the only
  /// port.
  std::int32_t sign;
  std::uint32_t graded;  ///< 1 if payloads other than 1 make sense here
  std::uint32_t evaluates =
      0;  ///< 1: at the end of a tick, `evaluate` is called for all neurons that something arrived at here
};

/// Arrivals of one tick and port, of (part of) a slice or of several: any targets, in the order in which they
/// count. `targets` index the block.
struct Arrivals {
  Tick tick;
  std::uint32_t count;
  std::uint32_t port;
  const std::uint16_t* targets;
  const float* weights;     ///< one per target, or null
  const double* weights64;  ///< one per target, or null
  double weight;            ///< of all, where both are null
  double scale;             ///< the event's payload, 1 for a spike; multiplies every weight

  /// Calls f(target, weight * scale) for each arrival in order.
  template <class F>
  void each(F&& f) const {
    if (weights)
      for (std::uint32_t i = 0; i < count; ++i) f(targets[i], static_cast<double>(weights[i]) * scale);
    else if (weights64)
      for (std::uint32_t i = 0; i < count; ++i) f(targets[i], weights64[i] * scale);
    else
      for (std::uint32_t i = 0; i < count; ++i) f(targets[i], weight * scale);
  }
};

/// Arrivals at many ticks, one target each, sorted by tick: the superposed input of a source population.
/// A key holds the tick's offset from `base` in its upper and the target in its lower 16 bits.
/// `base` may lie before the block's frame, by less than its length; the arrivals do not.  Offsets are below
/// that length. The arrivals are those before the first key >= `limit`; there always is one (all ones ends
/// the list).
struct Train {
  Tick base;
  const std::uint32_t* keys;
  std::uint32_t limit;
  std::uint32_t port;
  double weight;            ///< of all, where `weight_of` is null
  const double* weight_of;  ///< indexed by target, or null
  double at(std::uint16_t target) const { return weight_of ? weight_of[target] : weight; }
};

/// Superposed input without order.  A model with `begin_slab`, `take_slab`, `take_out` and `look` takes such
/// input a slab of time at a time: where no crossing can come of a neuron's events before the slab's end, it
/// does not matter which was first. In a slab each of its neurons is
///   exact    its state holds what has arrived.  All goes on as without slabs; what is left comes by
///            `receive_train`.
///   virtual  its state also holds all that it will get from sources before `slab_end`, and with what has
///            arrived elsewhere so far it is certain to stay below its threshold until then.  Where that is
///            no longer certain after an arrival that raises it, the model asks for a test at this tick, and
///            for nothing else.
/// Before `wake`, `set`, `on_control`, `test` and `read` the engine makes a neuron exact (for `read` a copy
/// of it): it has the later events taken out.  It stays so until the slab's end.  What is virtual, and when
/// it no longer is, may depend on the neuron and on what it gets alone, not on others of its block.  Weights
/// are >= 0.
struct SlabEvents {
  /// Members from `member` on have targets from `target` on.
  struct Stretch {
    std::uint32_t member, target, count;
  };
  /// Offset from `slab_begin` in the upper 16 bits, below them the member of the unit, < 256.
  const std::uint32_t* keys;
  std::uint32_t count;
  std::uint32_t stretch_count;
  /// Who of the members have a target here; the events of others are to be left out.
  const Stretch* stretches;
  double weight;            ///< of all, where `weight_of` is null
  const double* weight_of;  ///< indexed by target, or null
};
/// A bit for each member of a unit.
struct MemberBits {
  std::uint64_t word[4];
  void set(std::uint32_t member) noexcept { word[member / 64] |= std::uint64_t{1} << member % 64; }
};

}  // namespace spinet
