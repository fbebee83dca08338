// Pairs of nearest spikes within a window, as the plugins of this folder share them whose synapses take a
// step at each: a postsynaptic spike pairs with the last presynaptic one before it, a presynaptic spike with
// the last postsynaptic one before it; spikes of the same tick do not pair.  Times are those of arrivals, a
// postsynaptic spike's its emission and two delays (spinet/synapse.hpp).
#pragma once
#include "spinet/synapse.hpp"

namespace spinet::pairs {

/// As networks give them, ms; a model's `Params` derives from it.
struct Windows {
  double window_plus, window_minus;
};
template <class Params>
void add_windows(FieldTable<Params>& t) {
  t.add(&Params::window_plus, "window_plus", "ms", 10, at_least(0), 0,
        "longest time from a presynaptic spike to a postsynaptic one that potentiates")
      .add(&Params::window_minus, "window_minus", "ms", 10, at_least(0), 0,
           "longest time from a postsynaptic spike to a presynaptic one that depresses");
}
/// The same in ticks.
struct Reach {
  double plus, minus;
  Reach() = default;
  Reach(const Windows& w, const RunInfo& run)
      : plus(w.window_plus * run.ticks_per_ms), minus(w.window_minus * run.ticks_per_ms) {}
};
/// A model's `SliceState`.
struct Before {
  Tick last;     ///< arrival of the last presynaptic spike; 0: there was none
  Tick applied;  ///< postsynaptic spikes up to here have been taken in
};

/// Calls `up(tick)` for each postsynaptic spike since `applied` that pairs with the last presynaptic one.
template <class F>
void potentiating(const Slice& s, const PostHistory& h, const Before& pre, const Reach& reach, F&& up) {
  const Tick seen = s.seen();
  const PostSpike* end = h.end;
  while (end[-1].tick > seen) --end;
  const PostSpike* first = end;
  while (first[-1].tick > pre.applied) --first;
  if (pre.last == 0) return;
  for (; first != end; ++first) {
    const Tick at = first->tick + 2 * s.delay;
    if (at > pre.last && static_cast<double>(at - pre.last) <= reach.plus) up(at);
  }
}
/// Does the presynaptic spike at hand pair with a postsynaptic one before it?
inline bool depressing(const Slice& s, const PostHistory& h, const Reach& reach) {
  const Tick seen = s.seen();
  const PostSpike* end = h.end;
  while (end[-1].tick >= seen) --end;
  return end[-1].tick != long_ago && static_cast<double>(seen - end[-1].tick) <= reach.minus;
}

/// A weight that takes one of M's steps up or down at each pair: M has `up(w, Shared)` and `down`.
template <class M>
struct Steps {
  struct Params : Windows {
    double n, w_max;
  };
  struct Shared {
    Reach reach;
    double step, w_max;
  };
  struct State {
    float weight;
  };
  using SliceState = Before;

  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::n, "n", "1", 16, at_least(1), 0, "steps: one is a part 1/n")
        .add(&Params::w_max, "w_max", "1", 100, above(0), port_unit,
             "largest weight; weights stay between 0 and it");
    add_windows(t);
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::weight, "weight", "1", 1, at_least(0), initial | port_unit, "weight, between 0 and w_max");
    return t;
  }
  static double post_tau(const Params&) { return 0; }
  static void prepare(Shared& s, const Params& p, const RunInfo& run) { s = {{p, run}, 1 / p.n, p.w_max}; }
  static void init(State& s, const Shared& p) {
    const auto w_max = static_cast<float>(p.w_max);
    if (s.weight > w_max) s.weight = w_max;
  }

  /// In units of w_max, and rounded after each step.
  static float stepped(float weight, const Shared& p, double (*step)(double, const Shared&)) {
    return static_cast<float>(p.w_max * step(static_cast<double>(weight) / p.w_max, p));
  }
  static float seen_by(Synapses<M> n, std::uint32_t i) {
    float w = n[i].weight;
    potentiating(n.s, n.post(i), n.slice_state(), n.shared().reach,
                 [&](Tick) { w = stepped(w, n.shared(), M::up); });
    return w;
  }
  static void on_pre(Synapses<M> n, double* out) {
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      float w = seen_by(n, i);
      if (depressing(n.s, n.post(i), n.shared().reach)) w = stepped(w, n.shared(), M::down);
      n[i].weight = w;
      out[i] = static_cast<double>(w);
    }
    n.slice_state() = {n.s.tick, n.s.seen()};
  }
  static void catch_up(Synapses<M> n) {
    for (std::uint32_t i = 0; i < n.size(); ++i) n[i].weight = seen_by(n, i);
    n.slice_state().applied = n.s.seen();
  }
  static double read(Synapses<M> n, std::uint32_t i, std::uint32_t) {
    return static_cast<double>(seen_by(n, i));
  }
};

}  // namespace spinet::pairs
