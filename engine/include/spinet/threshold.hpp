// For neurons that stay at the tick of their last event until something happens to them: pending crossings,
// refractory periods, `wake`, `test` and sleeping.  At an event a neuron is brought there, takes it, and
// looks ahead to the end of the frame.  Mostly a bound says that it cannot reach its threshold by then; else
// a crossing is searched for and becomes a test.  A later arrival just looks ahead anew.
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include "spinet/math.hpp"
#include "spinet/neuron.hpp"

namespace spinet {

/// Part of the `State` of a neuron with a threshold.
struct Course {
  Tick last = 0;          ///< what the rest of the state is as of
  Tick free = 0;          ///< end of the refractory period
  Tick crossing = never;  ///< tick of the next spike if nothing else happens in this frame
  Tick sure = 0;          ///< until then it stays below the threshold for certain if nothing arrives
  /// 1: it is at or above the threshold and has fired for that; 2: arrivals of this tick have brought it
  /// there
  std::uint64_t risen : 2 = 0;
  std::uint64_t kind : 62 = 0;  ///< of its constants: neurons with the same have the same constants
};

/// Part of its `Constants`.
struct Timing {
  double ms_per_tick = 0;
  Tick t_ref = 0;
  Timing() = default;
  Timing(const RunInfo& run, double t_ref_ms)
      : ms_per_tick(1 / run.ticks_per_ms), t_ref(math::floor_int(t_ref_ms * run.ticks_per_ms + 0.5)) {}
};

/// `struct MyNeuron : Threshold<MyNeuron>` has the functions of a neuron model but `params`, `variables`,
/// `ports` and `init`.  `MyNeuron::State` is derived from `Course`, `MyNeuron::Constants` from `Timing`; with
/// a `Constants& c` and a `State& s` the model has
///   Constants(p, run)           made of the parameters p
///   take(c, s, port, weight)    an event arrives
///   bool go(c, s, ms)           what time does; false where it cannot be followed.  No spike lies before the
///                               end
///   bool hold(c, s, ms)         the same in a refractory period
///   bool reach(c, s, ms)        the same up to a spike, which lies in the last tick of these
///   double next(c, s, ms)       ms to the next spike; infinity if there is none before `ms`, NaN where it
///                               cannot tell
///   bool crossed(c, s)          at or above the threshold
///   bool quiet(c, s, ms)        below it for `ms` (which may be infinity) for certain, if nothing arrives;
///                               what is true of some time is true of any shorter one
///   reset(c, s)                 what a spike does; with s.risen = 0 it fires again at once if it is
///                               still at the threshold, in the next tick
///   double value(c, s, variable)
///   beyond                      why the run ends where the neuron cannot be followed
template <class M>
struct Threshold {
  /// Puts the constants made of p in place, and `kind`: 62 mixed bits (S. Vigna's splitmix64), which two sets
  /// of constants of a network share with a chance of 1e-18.
  template <class N, class P>
  static void derive(N n, std::uint32_t j, const P& p) {
    using C = typename M::Constants;
    static_assert(sizeof(C) % sizeof(std::uint64_t) == 0 && std::is_trivially_copyable_v<C>);
    const C& c = n.constants(j) = C(p, n.b.run);
    std::uint64_t kind = 0;
    for (std::size_t i = 0; i < sizeof c / sizeof kind; ++i) {
      std::uint64_t word;
      std::memcpy(&word, reinterpret_cast<const char*>(&c) + i * sizeof word, sizeof word);
      kind += word + 0x9e3779b97f4a7c15u;
      kind = (kind ^ (kind >> 30)) * 0xbf58476d1ce4e5b9u;
      kind = (kind ^ (kind >> 27)) * 0x94d049bb133111ebu;
      kind ^= kind >> 31;
    }
    n.state(j).kind = kind >> 2;
  }

  /// Whether it may fire at every tick: to find the next crossing costs the same, however close it is.
  static constexpr bool follows_any_drive = false;
  static constexpr const char* too_often =
      "fires more than once a tick: without a refractory period the drive is beyond what the model can "
      "follow";

  /// One to two milliseconds: as far as a look ahead is likely to stay true.
  template <class P>
  static Tick frame(const P&, const RunInfo& run) {
    return static_cast<Tick>(
        std::bit_ceil(std::max<std::uint64_t>(static_cast<std::uint64_t>(0.5 * run.ticks_per_ms), 1)));
  }
  template <class N, class P>
  static void set(N n, Tick tick, std::uint32_t j, const P& p) {
    advance(n, j, tick);
    derive(n, j, p);
    look(n, n.constants(j), j);
  }
  template <class N>
  static void arrive(N n, Tick tick, std::uint32_t port, std::uint32_t j, double weight) {
    advance(n, j, tick);
    meet(n, n.constants(j), port, j, weight);
  }
  template <class N>
  static void wake(N n, Tick tick, std::span<const std::uint32_t> js) {
    for (const std::uint32_t j : js) {
      advance(n, j, tick);
      look(n, n.constants(j), j);
    }
  }
  /// Fires those whose crossing still stands.
  template <class N>
  static void test(N n, Tick tick, std::span<const std::uint32_t> js) {
    for (const std::uint32_t j : js) {
      auto& s = n.state(j);
      const auto& c = n.constants(j);
      if (s.crossing != tick) continue;
      advance(n, j, tick);
      s.crossing = never;
      s.risen = 1;
      M::reset(c, s);
      n.out().emit(tick, j);
      if (c.t_ref > 0) {
        s.free = tick + c.t_ref;
        n.out().wake_at(s.free, j);
      } else {
        const bool again = s.risen == 0;
        look(n, c, j, tick + 1);
        if (!M::follows_any_drive && s.crossing <= tick + 1 && !again) n.out().fail(tick, j, too_often);
      }
    }
  }
  /// A block sleeps while all its neurons stay silent for ever if nothing arrives.  Neurons of a block that
  /// does not are left where they are for the same reasons, so that sleeping changes no bit.
  template <class N>
  static std::uint32_t renormalise(N n, std::uint64_t) {
    const Tick begin = n.b.frame_begin, end = begin + n.b.frame_length;
    bool sleeps = true;
    std::uint32_t some[4], count = 0;  // that cannot be left where they are
    const auto look_at_some = [&] {
      M::advance_each(n, begin, std::span(some, count));
      for (std::uint32_t i = 0; i < count; ++i) look(n, n.constants(some[i]), some[i]);
      count = 0;
    };
    for (std::uint32_t j = 0; j < n.size(); ++j) {
      auto& s = n.state(j);
      if (s.crossing == begin) n.out().test_at(begin, j);
      else s.crossing = never;
      if (s.free > begin || s.crossing == begin) {  // `wake` or `test` will look
        sleeps = false;
        continue;
      }
      if (s.sure >= end && (s.sure == never || !sleeps)) continue;
      const auto& c = n.constants(j);
      const bool below = !M::crossed(c, s);
      if (sleeps && below && M::quiet(c, s, math::infinity)) s.sure = never;
      sleeps = sleeps && s.sure == never;
      if (s.sure >= end || (below && M::quiet(c, s, static_cast<double>(end - s.last) * c.ms_per_tick)))
        continue;
      some[count++] = j;
      if (count == 4) look_at_some();
    }
    look_at_some();
    return sleeps;
  }
  template <class N>
  static double read(N n, Tick tick, std::uint32_t j, std::uint32_t variable) {
    auto s = n.state(j);
    return bring(n.constants(j), s, tick) ? M::value(n.constants(j), s, variable) : math::nan;
  }

 protected:
  template <class N>
  static void advance_each(N n, Tick tick, std::span<const std::uint32_t> js) {
    for (const std::uint32_t j : js) advance(n, j, tick);
  }
  /// An event arrives at a neuron that is at its tick.
  template <class N, class C>
  static void meet(N n, const C& c, std::uint32_t port, std::uint32_t j, double weight) {
    M::take(c, n.state(j), port, weight);
    look(n, c, j);
  }
  template <class N>
  static void advance(N n, std::uint32_t j, Tick tick) {
    if (!bring(n.constants(j), n.state(j), tick)) n.out().fail(tick, j, M::beyond);
  }
  /// Brings the state to `tick`; no spike lies before it.
  template <class C, class S>
  static bool bring(const C& c, S& s, Tick tick) {
    bool good = true;
    if (s.last < s.free && s.last < tick) {
      const Tick end = std::min(tick, s.free);
      good = M::hold(c, s, static_cast<double>(end - s.last) * c.ms_per_tick);
      s.last = end;
    }
    if (s.last < tick) {
      const double ms = static_cast<double>(tick - s.last) * c.ms_per_tick;
      good = good && (tick < s.crossing ? M::go(c, s, ms) : M::reach(c, s, ms));
      s.last = tick;
    }
    return good;
  }
  /// The end of a frame, and how long frames are.
  struct FrameEnd {
    Tick tick, length;
    /// As far as it is worth to be sure of: two frames more spare two looks at their begins.
    Tick far() const { return tick < never / 2 ? tick + 2 * length : tick; }
  };
  /// Whether it stays below the threshold to the end of the frame; `sure` tells until when.
  template <class C, class S>
  static bool is_sure(const C& c, S& s, FrameEnd end) {
    for (const Tick until : {end.far(), end.tick})
      if (M::quiet(c, s, static_cast<double>(until - s.last) * c.ms_per_tick)) {
        s.sure = until;
        return true;
      }
    return false;
  }
  /// Finds the crossing in what is left of the frame, from the state's tick on, and asks for its test, at
  /// `soonest` at the earliest.
  template <class N, class C>
  static void look(N n, const C& c, std::uint32_t j, Tick soonest = 0) {
    auto& s = n.state(j);
    s.sure = 0;
    if (s.crossing == s.last && s.risen != 2) return;  // its test comes in this tick
    s.crossing = never;
    if (s.risen == 2) s.risen = 0;  // what else arrives in this tick counts, too
    if (s.last < s.free) return;
    const Tick end = n.b.frame_begin + n.b.frame_length;
    if (!M::crossed(c, s)) {
      s.risen = 0;
      if (is_sure(c, s, {end, n.b.frame_length})) return;
    } else if (s.risen == 0) {
      s.crossing = std::max(s.last, soonest);
      if (s.crossing == s.last) s.risen = 2;
      if (s.crossing < end) n.out().test_at(s.crossing, j);
      return;
    }
    const double left = static_cast<double>(end - s.last) * c.ms_per_tick;
    const double at = M::next(c, s, left);
    if (at != at) return n.out().fail(s.last, j, M::beyond);
    if (!(at <= left)) return;
    s.crossing = std::min(s.last + std::max<Tick>(-math::floor_int(-at / c.ms_per_tick), 1), end);
    if (s.crossing < end) n.out().test_at(s.crossing, j);  // else the next frame does
  }
};

}  // namespace spinet
