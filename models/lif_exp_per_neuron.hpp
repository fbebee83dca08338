// `lif_exp` with time constants of its own for each neuron: brought up to date at each of its events, with an
// exp per time constant.  Crossings are found as in lif_exp_tests.hpp, without frames.
#pragma once
#include "lif_exp_frame.hpp"

namespace spinet::lif {
namespace {

struct LifExpPerNeuron {
  using Shape = LifExpShape;
  using Params = Shape::Params;
  static constexpr const char* name = Shape::name;
  static constexpr const char* doc = Shape::doc;
  static constexpr const Port (&ports)[2] = Shape::ports;
  static auto params() { return Shape::params(); }
  static auto variables() {
    FieldTable<State> t;
    t.computed("V", "mV", -70, any(), initial | recorded, "membrane potential")
        .computed("I_syn", "pA", 0, any(), recorded, "synaptic current, both ports");
    return t;
  }
  static const char* check(const Params& p) { return Shape::check(p); }

  /// The charge is relative to V_inf, or where the neuron is slow to E_L, or where that lies so far off that
  /// V would have no digits to v_reset: then the constant current, and the leak to E_L, count as `drive`.
  struct State {
    double q;     ///< C (V - V_inf), or C (V - E_L) [pA ms] at `at`
    double i[2];  ///< currents [pA]
    Tick at;
    Tick pending;          ///< the test that counts
    std::int64_t resting;  ///< 1 in the refractory period: q stays, currents go on
  };
  struct Constants {
    double th, capacitance, q_inf, drive, e_l, v_reset, rate_m, left;
    double rate[2], gain[2], delta[2], peak[2];
    Tick t_ref;
  };
  using Block = Neurons<LifExpPerNeuron>;

  static State at(Block n, std::uint32_t j, Tick tick) {
    State s = n.state(j);
    const Constants& c = n.constants(j);
    const double t = static_cast<double>(tick - s.at) / n.b.run.ticks_per_ms;
    if (t == 0) return s;
    const double em = math::exp(-t * c.rate_m);
    double q = s.q * em;
    for (int p = 0; p < 2; ++p) {
      const double e = math::exp(-t * c.rate[p]);
      q += s.i[p] * response(c, p, t, e, em);
      s.i[p] = flushed(s.i[p] * e);
    }
    if (c.drive != 0) q += c.drive * (t * c.rate_m < 0x1p-54 ? t : -math::expm1(-t * c.rate_m) / c.rate_m);
    if (!s.resting) s.q = left_of(q);
    s.at = tick;
    return s;
  }
  /// Of Q to a unit current, after t: the decay of both is `e` and `em`.
  static double response(const Constants& c, int p, double t, double e, double em) {
    const double x = c.delta[p] * t;
    if (c.delta[p] == 0) return t * em;
    // Both may be near 1, where the neuron is slow, or exp(x) beyond all numbers after a long silence.
    if (c.rate_m * slow < 1 || (c.gain[p] == 0 && x > 500))
      return -math::expm1(-std::abs(x)) / std::abs(c.delta[p]) * (x < 0 ? em : e);
    return c.gain[p] == 0 ? math::expm1(x) / c.delta[p] * em : c.gain[p] * (e - em);
  }
  static void derive(Constants& c, const Params& p) {
    const bool is_slow = p.tau_m > slow;
    c.capacitance = p.C_m;
    c.q_inf = is_slow ? 0 : p.tau_m * p.I_dc;
    c.drive = is_slow ? p.I_dc : 0;
    c.e_l = p.E_L;
    c.v_reset = p.v_reset;
    if (std::abs(p.E_L + c.q_inf / p.C_m - p.v_th) > 0x1p40 * (p.v_th - p.v_reset)) {
      c.q_inf = 0;
      c.e_l = p.v_reset;
      c.drive = p.I_dc + p.C_m * (p.E_L - p.v_reset) / held(p.tau_m);
    }
    c.th = p.C_m * (p.v_th - c.e_l) - c.q_inf;
  }
  static void init(Block n, std::uint32_t j, const Params& p, const double* initial) {
    Constants& c = n.constants(j);
    derive(c, p);
    const double tau_m = held(p.tau_m);
    c.rate_m = 1 / tau_m;
    const double tau[2] = {held(p.tau_syn_exc), held(p.tau_syn_inh)};
    for (int k = 0; k < 2; ++k) {
      c.rate[k] = 1 / tau[k];
      c.delta[k] = c.rate_m - c.rate[k];
      c.gain[k] = std::abs(tau[k] - tau_m) <= 0.02 * tau_m ? 0 : tau[k] * tau_m / (tau[k] - tau_m);
      c.peak[k] = Shape::peak(tau_m, tau[k]);
    }
    c.t_ref = static_cast<Tick>(std::llround(p.t_ref * n.b.run.ticks_per_ms));
    c.left = lif::is_soft(p) ? 0 : -1;
    if (Shape::beyond(p, initial[0])) n.out().fail(0, j, too_far);
    n.state(j) = {p.C_m * (initial[0] - c.e_l) - c.q_inf, {0, 0}, 0, never, 0};
    look(n, j);
  }
  static void set(Block n, Tick tick, std::uint32_t j, const Params& p) {
    Constants& c = n.constants(j);
    State& s = n.state(j) = at(n, j, tick);
    const double before = c.q_inf + c.capacitance * c.e_l;
    derive(c, p);
    if (Shape::beyond(p, p.v_reset)) n.out().fail(tick, j, too_far);
    s.q += before - (c.q_inf + c.capacitance * c.e_l);
    look(n, j);
  }
  /// A time [ms] that the first crossing from a state below the threshold cannot precede: as long as Q stays
  /// below it, Q'' <= curvature.
  static double soonest(const Constants& c, const State& s) {
    const double slope = s.i[0] + s.i[1] + c.drive - s.q * c.rate_m, gap = c.th - s.q;
    double curvature = std::max(c.th, 0.0) * c.rate_m * c.rate_m + std::max(-c.drive, 0.0) * c.rate_m;
    for (int p = 0; p < 2; ++p) curvature += std::max(-s.i[p], 0.0) * (c.rate_m + c.rate[p]);
    return Shape::parabola(slope, curvature, gap);
  }
  /// As LifExp::look and ask, for a state that is up to date.  No test is asked for before `earliest`.
  static void look(Block n, std::uint32_t j, Tick earliest = 0) {
    State& s = n.state(j);
    const Constants& c = n.constants(j);
    if (const double all = s.q + s.i[0] + s.i[1]; !(all - all == 0))
      return n.out().fail(s.at, j, Shape::not_a_number);
    if (s.resting) return;
    const double reached = std::max({s.q, c.drive / c.rate_m, 0.0});
    if (reached + std::max(s.i[0], 0.0) * c.peak[0] + std::max(s.i[1], 0.0) * c.peak[1] < c.th) return;
    Tick tick = std::max(s.at, earliest);
    if (s.q < c.th) {
      const double h = soonest(c, s) * n.b.run.ticks_per_ms * (1 - 1e-9);
      if (!(h < 0x1p60)) return;
      tick = s.at + std::max<Tick>(1, static_cast<Tick>(h));
    }
    if (s.pending <= tick) return;
    s.pending = tick;
    n.out().test_at(tick, j);
  }
  static void arrive(Block n, Tick tick, std::uint32_t port, std::uint32_t j, double w) {
    State& s = n.state(j) = at(n, j, tick);
    s.i[port] += w;
    if (!(w <= 0)) look(n, j);
  }
  static double reset_charge(const Constants& c) {
    return c.capacitance * (lif::after_spike(c) - c.e_l) - c.q_inf;
  }
  static bool out_of_date(Block n, Tick tick, std::uint32_t j) { return n.state(j).pending != tick; }
  static void test(Block n, Tick tick, std::span<const std::uint32_t> js) {
    for (const auto j : js) {
      State& s = n.state(j);
      if (s.pending != tick) continue;
      Constants& c = n.constants(j);
      s = at(n, j, tick);
      s.pending = never;
      const bool fires = s.q >= c.th;
      if (fires) {
        n.out().emit(tick, j);
        lif::keep(c, (s.q - c.th) / c.capacitance);
        s.q = reset_charge(c);
        if (c.t_ref > 0) {
          s.resting = 1;
          n.out().wake_at(tick + c.t_ref, j);
          continue;
        }
      }
      look(n, j, tick + fires);
    }
  }
  static void wake(Block n, Tick tick, std::span<const std::uint32_t> js) {
    for (const auto j : js) {
      State& s = n.state(j) = at(n, j, tick);
      s.resting = 0;
      s.q = reset_charge(n.constants(j));
      look(n, j);
    }
  }
  static double read(Block n, Tick tick, std::uint32_t j, std::uint32_t variable) {
    const State s = at(n, j, tick);
    const Constants& c = n.constants(j);
    if (variable == 1) return s.i[0] + s.i[1];
    return s.resting ? lif::after_spike(c) : c.e_l + (s.q + c.q_inf) / c.capacitance;
  }
};

}  // namespace
}  // namespace spinet::lif
