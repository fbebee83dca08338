// What all neurons of `lif_exp` have in common, whatever their currents: parameters, and the constants of a
// frame that neurons of one kernel group share.
//
// For lif_exp.cpp alone, whose names are its own: hence a namespace without a name, here and in the headers
// beside it.
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>

#include "lif_following.hpp"
#include "spinet/frame.hpp"
#include "spinet/neuron.hpp"

namespace spinet::lif {
namespace {

/// From this membrane time constant [ms] on the neuron hardly leaks: V_inf may lie so far off that V - V_inf
/// would keep too few digits of V, and each neuron is brought up to date by itself, in forms that go over
/// into those without a leak.
constexpr double slow = 1e4;

/// What is left of a decaying number.  Denormal arithmetic is slow, and numbers that small mean nothing, but
/// for the sign of V - V_inf: from below, V_inf is never reached.
constexpr double least_left = 1e-290;
inline double left_of(double x) { return x >= least_left || x <= -least_left ? x : x < 0 ? -least_left : 0; }

/// Time constants [ms] beyond it act alike in any run, and their products with others are numbers.
constexpr double most_tau = 1e300;
inline double held(double tau) { return std::min(tau, most_tau); }

/// Charges [pA ms] and potentials [mV] may lie this far off: they are numbers still times exp(8), the
/// greatest factor of a frame.
constexpr double most = 1e304;
inline bool far_off(double x) { return !(std::abs(x) <= most); }
constexpr const char* too_far =
    "E_L + tau_m / C_m * I_dc, E_L, v_th, v_reset and V must lie within 1e+304 mV, "
    "and times C_m within 1e+304 pA ms";

inline double flushed(double x) { return x < least_left && x > -least_left ? 0.0 : x; }

/// The part of `LifExp` that does not depend on the number of its currents.
struct LifExpShape {
  static constexpr const char* name = "lif_exp";
  static constexpr const char* doc =
      "Leaky integrate-and-fire neuron with exponential synaptic currents of two time constants. Exact.";
  static constexpr bool wide = true;
  struct Params {
    double tau_m = 10, C_m = 250, tau_syn_exc = 2, tau_syn_inh = 2, E_L = -70, v_th = -55, v_reset = -70,
           t_ref = 2, I_dc = 0, reset = 0;
  };
  struct Constants {
    double th;                                      ///< C (v_th - V_inf) [pA ms]
    double capacitance, q_inf, e_l, v_th, v_reset;  // pF, pA ms (C (V_inf - E_L)), mV, mV, mV
    double left;  ///< where the reset is soft: V - v_th at the last spike [mV]; else -1
    Tick t_ref;
    Tick pending = never;  ///< the earliest test asked for; others are out of date
  };
  /// One port's way into Q.
  struct Kernel {
    double rate;   ///< 1 / tau [1/ms]
    double gain;   ///< tau tau_m / (tau - tau_m) [ms]; unused where `near`
    double delta;  ///< 1/tau_m - 1/tau [1/ms]
    double peak;   ///< of the response of Q to a unit current [ms]
    double reach;  ///< 1 / (1/tau_m + 1/tau) [ms], see Bound
    double decay;  ///< exp(-frame / tau)
    /// `near` only: what a unit of b adds to a over a frame; else 0, a and b decay each by itself.
    double carry;
    /// Tau within 2 % of tau_m: Q = (a + b (exp(delta t) - 1)/delta) exp(-t/tau_m), without cancellation.
    bool near;
  };
  enum { up_m, up_e, down_m, down_e };
  enum { up_i, down_i };
  struct Shared {
    FrameTable<4> table;      ///< exp(+t/tau) and exp(-t/tau) of membrane and exc, in the order of the enum
    FrameTable<2> table_inh;  ///< of inh
    Kernel port[2];
    double tau_m, rate_m, decay_m, frame_ms, ms_per_tick;
    double inverse_keep;  ///< 1 / (1 - tau / tau_m); used where N is 1
  };
  static constexpr Port ports[] = {{"exc", "pA", "excitatory current", 1, 1},
                                   {"inh", "pA", "inhibitory current", -1, 1}};

  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::tau_m, "tau_m", "ms", 10, above(0), shared, "membrane time constant")
        .add(&Params::C_m, "C_m", "pF", 250, above(0), plain, "membrane capacitance; R = tau_m / C_m")
        .add(&Params::tau_syn_exc, "tau_syn_exc", "ms", 2, above(0), shared,
             "time constant of excitatory currents")
        .add(&Params::tau_syn_inh, "tau_syn_inh", "ms", 2, above(0), shared,
             "time constant of inhibitory currents")
        .add(&Params::E_L, "E_L", "mV", -70, any(), plain, "resting potential")
        .add(&Params::v_th, "v_th", "mV", -55, any(), plain, "threshold")
        .add(&Params::v_reset, "v_reset", "mV", -70, any(), plain, "potential after a spike; below v_th")
        .add(&Params::t_ref, "t_ref", "ms", 2, at_least(0), in_ticks,
             "absolute refractory period; currents go on in it")
        .add(&Params::I_dc, "I_dc", "pA", 0, any(), scheduled, "constant input current")
        .choice(&Params::reset, "reset", lif::resets, lif::reset_doc);
    return t;
  }
  static double tau_of_port(const Params& p, int k) { return k == 0 ? p.tau_syn_exc : p.tau_syn_inh; }
  static const char* check(const Params& p) {
    if (!(p.v_reset < p.v_th)) return "v_reset must be below v_th, or the neuron would fire without end";
    return beyond(p, p.v_reset) ? too_far : nullptr;
  }
  /// Are there charges or potentials of a neuron that begins at V beyond what can be computed with?
  static bool beyond(const Params& p, double V) {
    for (const double x : {p.v_th, p.v_reset, V, p.E_L})
      if (far_off(x) || far_off(p.C_m * (x - p.E_L))) return true;
    const double charge = held(p.tau_m) * p.I_dc;
    return far_off(charge) || far_off(charge / p.C_m) || far_off(p.C_m * p.E_L);
  }

  /// About 8 of the shortest time constant; shorter where the neuron fires without input, so that the bound
  /// over a frame stays sharp.
  static Tick frame(const Params& p, const RunInfo& r) {
    const double limit = 8 * std::min({p.tau_m, p.tau_syn_exc, p.tau_syn_inh});
    const bool tonic = p.E_L + p.tau_m / p.C_m * p.I_dc >= p.v_th;
    return frame_ticks(tonic ? std::min(limit, p.tau_m / 16) : limit, r.ticks_per_ms);
  }
  /// Of the response of Q to exp(-t/tau): Q' = 0 at t = log(tau/tau_m)/delta, where Q = tau_m exp(-t/tau).
  /// Rounded up, for it serves bounds.
  static double peak(double tau_m, double tau) {
    const double delta = 1 / tau_m - 1 / tau, ratio = delta * tau + 1;
    const double at =
        delta == 0 ? tau
                   : (ratio > 0.5 && ratio < 2 ? math::log1p(delta * tau) : math::log(tau / tau_m)) / delta;
    return tau_m * math::exp(-at / tau) * (1 + 1e-9);
  }
  static void prepare(Shared& s, const Params& p, const RunInfo& r, Tick length) {
    s.tau_m = p.tau_m;  // of neurons that are not slow
    s.rate_m = 1 / p.tau_m;
    s.ms_per_tick = 1 / r.ticks_per_ms;
    s.frame_ms = static_cast<double>(length) / r.ticks_per_ms;
    s.decay_m = math::exp(-s.frame_ms / s.tau_m);
    const double tau[2] = {held(p.tau_syn_exc), held(p.tau_syn_inh)};
    for (int k = 0; k < 2; ++k) {
      Kernel& port = s.port[k];
      port.rate = 1 / tau[k];
      port.delta = 1 / s.tau_m - 1 / tau[k];
      port.reach = 1 / (1 / s.tau_m + 1 / tau[k]);
      port.near = std::abs(tau[k] - s.tau_m) <= 0.02 * s.tau_m;
      port.gain = port.near ? 0 : tau[k] * s.tau_m / (tau[k] - s.tau_m);
      port.decay = math::exp(-s.frame_ms / tau[k]);
      port.carry = !port.near        ? 0
                   : port.delta == 0 ? s.frame_ms
                                     : math::expm1(port.delta * s.frame_ms) / port.delta;
      port.peak = peak(s.tau_m, tau[k]);
    }
    s.inverse_keep = 1 / (1 - p.tau_syn_exc / p.tau_m);
    const double m = 1 / (p.tau_m * r.ticks_per_ms), e = 1 / (tau[0] * r.ticks_per_ms),
                 i = 1 / (tau[1] * r.ticks_per_ms);
    s.table.prepare({m, e, -m, -e}, length);
    s.table_inh.prepare({i, -i}, length);
  }
  static constexpr const char* not_a_number = "V or a current is not a number";
  static constexpr double minus_infinity = -std::numeric_limits<double>::infinity();

  /// The root h of slope h + curvature h^2/2 = gap.
  static double parabola(double slope, double curvature, double gap) {
    if (std::abs(slope) > 0x1p400 || curvature > 0x1p400 || gap > 0x1p400)
      for (double* x : {&slope, &curvature, &gap}) *x *= 0x1p-600;  // their squares must not overflow
    const double root = std::sqrt(slope * slope + 2 * curvature * gap);
    return slope > 0 ? 2 * gap / (slope + root) : (root - slope) / curvature;
  }
};

}  // namespace
}  // namespace spinet::lif
