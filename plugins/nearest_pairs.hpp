// Pairs of nearest spikes within a window, as the plugins of this folder share them whose synapses take a
// step at each: a postsynaptic spike pairs with the last presynaptic one before it, a presynaptic spike with
// the last postsynaptic one before it; spikes of the same tick do not pair.  Times are those of arrivals, a
// postsynaptic spike's its emission and two delays (spinet/synapse.hpp).
#pragma once
#include "spinet/reality.hpp"
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

/// A weight that takes one of M's steps up or down at each pair: M has `up(w, step)` and `down`, of weights
/// over w_max.  What spinet/reality.hpp says of states and reads holds of weights.
template <class M>
struct Steps {
  struct Params : Windows, device::Reality {
    double n, w_max;
  };
  static constexpr bool draws_extended = true;
  using Parts = device::RealityPartsAnd<device::LastRead>;
  struct Shared {
    Reach reach;
    double step, w_max;
    device::Knobs knobs;
  };
  struct State {
    float weight;
  };
  using SliceState = Before;

  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::n, "n", "1", 16, at_least(1), spread, "steps: one is a part 1/n")
        .add(&Params::w_max, "w_max", "1", 100, above(0), port_unit,
             "largest weight; weights stay between 0 and it");
    add_windows(t);
    device::add_changes(t);
    device::add_reads(t);
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::weight, "weight", "1", 1, at_least(0), initial | port_unit, "weight, between 0 and w_max");
    device::add_change_variables(t);
    return t;
  }
  static const char* check(const Params& p) { return device::problem(p); }
  static std::uint32_t parts(const Params& p) {
    return device::parts_of(p) | (device::unsteady(p) ? 32u : 0u);
  }
  static double post_tau(const Params&) { return 0; }
  static void prepare(Shared& s, const Params& p, const RunInfo& run) {
    s = {{p, run}, 1 / p.n, p.w_max, {p, run}};
  }
  static void init(Synapses<M> n) {
    float& w = n[0].weight;
    const double w_max = n.shared().w_max;
    if (w > static_cast<float>(w_max)) w = static_cast<float>(w_max);
    const double u = static_cast<double>(w) / w_max, begins = device::begin(n, 0, u);
    if (begins != u) w = static_cast<float>(begins * w_max);
  }

  /// In units of w_max, and rounded after each step.
  static void take(Synapses<M> n, std::uint32_t i, double (*step)(double, double)) {
    const Shared& p = n.shared();
    float& weight = n[i].weight;
    const double w = static_cast<double>(weight) / p.w_max;
    const double to = step(w, n.differ() ? 1 / n.params(i).n : p.step);
    weight = static_cast<float>(p.w_max * (device::holds(p.knobs.p) ? device::changed(n, i, 0, w, to) : to));
  }
  static void take_post(Synapses<M> n, std::uint32_t i) {
    potentiating(n.s, n.post(i), n.slice_state(), n.shared().reach, [&](Tick) { take(n, i, M::up); });
  }
  static void on_pre(Synapses<M> n, double* out) {
    const Shared& p = n.shared();
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      take_post(n, i);
      if (depressing(n.s, n.post(i), p.reach)) take(n, i, M::down);
      const auto w = static_cast<double>(n[i].weight);
      out[i] = p.knobs.noisy ? device::noisy(n, i, 0, w, 0) : w;
    }
    n.slice_state() = {n.s.tick, n.s.seen()};
  }
  static void catch_up(Synapses<M> n) {
    for (std::uint32_t i = 0; i < n.size(); ++i) take_post(n, i);
    n.slice_state().applied = n.s.seen();
  }
  static double read(Synapses<M> n, std::uint32_t i, std::uint32_t) {
    const Copy<M> copy(n, i);
    take_post(*copy, 0);
    return static_cast<double>((*copy)[0].weight);
  }
};

}  // namespace spinet::pairs
