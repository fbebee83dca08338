// Linear integrate-and-fire neurons with any number of currents, each of its own time constant, exponential
// or alpha-shaped:
//
//   C dV/dt = -(C / tau_m) (V - E) + I + sum I_k,   I_k(t) = (i_k + d_k t) exp(-t / tau_k),
//
// where I stays as it is between events. Exact: V after any time is a sum of closed forms, and a crossing is
// the root of one.
#pragma once
#include <algorithm>
#include <cstdint>

#include "spinet/threshold.hpp"

namespace spinet {

/// The `Constants` of such a neuron of K currents are derived from this; mV, ms, pF and pA.
template <int K>
struct Membrane : Timing {
  double C = 0, tau_m = 0, E = 0, v_th = 0, v_reset = 0, I = 0;  ///< I: the constant current
  double tau[K] = {};                                            ///< of the currents
  Membrane(const RunInfo& run, double t_ref) : Timing(run, t_ref) {}
};

namespace linear {

/// What a current does to C V in a time t: `steady` is the part of exp(-t/tau), `rising` that of t
/// exp(-t/tau).
struct Response {
  double steady, rising;
};

/// The integrals of exp(-(t - s)/tau_m) exp(-s/tau) and of s times it over s in (0, t), where left_m and left
/// are exp(-t/tau_m) and exp(-t/tau).  Time constants that are nearly the same take the forms without a
/// cancellation.
inline Response response(double t, double tau_m, double tau, double left_m, double left) {
  const double delta = 1 / tau_m - 1 / tau, x = delta * t;
  if (math::abs(x) >= 1) return {(left - left_m) / delta, (left * (x - 1) + left_m) / (delta * delta)};
  double sum = 0;  // of x^n / (n! (n + 2)), from the last term that counts
  for (int n = 19; n >= 0; --n) sum = sum * x / (n + 1) + 1.0 / (n + 2);
  return {t * left_m * (x == 0 ? 1 : math::expm1(x) / x), t * t * left_m * sum};
}

inline double left_of(double x, double factor) {
  x *= factor;
  return math::abs(x) < 1e-280 ? 0 : x;  // nothing can feel it, and denormal numbers are slow
}

}  // namespace linear

/// `struct MyNeuron : Linear<MyNeuron, K>` with `SPINET_MODEL(neuron_table<MyNeuron>())` is a whole neuron
/// model.  It has `name`, `doc`, `Params`, `ports`, `params()`, `variables()` (the first is V, `initial`),
/// `Constants`, derived from `Membrane<K>` and made of (p, run), and
///   take(c, s, port, weight)    what an arrival does to s.i, s.d and s.I
/// and may have
///   fired(c, s)                 what a spike does to the currents
///   held                        how many currents, the first ones, stand still while the neuron is
///                               refractory
///   value(c, s, variable)       what `variables()` lists, if not V and the sum of the currents
template <class M, int K>
struct Linear : Threshold<M> {
  using Constants = Membrane<K>;
  struct State : Course {
    double V;
    double i[K], d[K];  ///< of I_k: pA and pA/ms
    double I;           ///< what events have added to the constant current, for good [pA]
  };
  static constexpr const char* beyond =
      "V or a current cannot be followed: weights, I_dc or time constants are beyond what can be computed "
      "with";
  static constexpr int held = 0;
  static constexpr int most_steps = 1'000'000;  ///< in search of a crossing; some ten are usual
  static constexpr bool follows_any_drive = true;

  template <class Block, class Params>
  static void init(Block n, std::uint32_t j, const Params& p, const double* initial) {
    State& s = n.state(j);
    s = {};
    M::derive(n, j, p);
    s.V = initial[0];
  }
  static void fired(const Constants&, State&) {}
  static double value(const Constants&, const State& s, std::uint32_t variable) {
    if (variable == 0) return s.V;
    double sum = 0;
    for (const double i : s.i) sum += i;
    return sum;
  }
  static bool crossed(const Constants& c, const State& s) { return s.V >= c.v_th; }
  template <class C>
  static void reset(const C& c, State& s) {
    s.V = c.v_reset;
    M::fired(c, s);
  }

  static bool go(const Constants& c, State& s, double ms) {
    const double left_m = math::exp(-ms / c.tau_m), before = s.V;
    double charge = 0;
    bool silent = true;
    for (int k = 0; k < K; ++k) {
      if (s.i[k] == 0 && s.d[k] == 0) continue;
      silent = false;
      const double left = math::exp(-ms / c.tau[k]);
      const linear::Response r = linear::response(ms, c.tau_m, c.tau[k], left_m, left);
      charge += s.i[k] * r.steady + s.d[k] * r.rising;
      decay(s, k, ms, left);
    }
    s.V = c.E + (before - c.E) * left_m - c.tau_m / c.C * (c.I + s.I) * math::expm1(-ms / c.tau_m) +
          charge / c.C;
    // Of a V that only nears V_inf from below no rounding makes one that is there.
    const double rest = v_inf(c, s);
    if (silent && before < rest && s.V >= rest) s.V = rest - (2.5e-16 * math::abs(rest) + 1e-290);
    return s.V - s.V == 0;
  }
  static bool reach(const Constants& c, State& s, double ms) { return go(c, s, ms); }
  static bool hold(const Constants& c, State& s, double ms) {
    for (int k = M::held; k < K; ++k)
      if (s.i[k] != 0 || s.d[k] != 0) decay(s, k, ms, math::exp(-ms / c.tau[k]));
    return true;
  }
  /// V - V_inf does not grow by itself, and a current raises V by no more than it would without the leak, nor
  /// than it would if it stood at its largest for a membrane time constant.
  static bool quiet(const Constants& c, const State& s, double ms) {
    double most = s.V + std::max(v_inf(c, s) - s.V, 0.0) * std::min(ms / c.tau_m, 1.0);
    for (int k = 0; k < K; ++k) most += rise(c, s, k, ms) / c.C;
    return most < c.v_th;
  }
  /// V cannot reach the threshold before V + V' h + m h^2 / 2 does, where m bounds V'' from above for all
  /// time to come; going there again and again ends at the crossing, quadratically, or beyond `ms`, or where
  /// the rounding of V hides how far there is to go: it might never come closer.  A way as long as a
  /// thousandth of the membrane time constant is no crossing that rounding hides: V nears an asymptote.
  static double next(const Constants& c, const State& s, double ms) {
    State at = s;
    const double hidden = 1e-15 * (math::abs(c.v_th) + math::abs(c.E));
    double t = 0, h;
    for (int steps = 0; steps < most_steps; ++steps, t += h) {
      const double distance = c.v_th - at.V;
      if (!(distance > 0) && t > 0) return t;
      const double slope = slope_of(c, at), m = bend(c, at);
      const double root = slope * slope + 2 * m * distance;
      if (root != root) return math::nan;
      if (root < 0 || (slope <= 0 && m == 0)) return math::infinity;
      h = slope > 0 ? 2 * distance / (slope + math::sqrt(root)) : (math::sqrt(root) - slope) / m;
      if (!(t + h <= ms)) return math::infinity;
      if (h < 1e-12 * t || h < 1e-9 * c.ms_per_tick || (distance < hidden && h < 1e-3 * c.tau_m))
        return t + h;
      if (!go(c, at, h)) return math::nan;
    }
    return math::nan;
  }

 private:
  static double v_inf(const Constants& c, const State& s) { return c.E + c.tau_m / c.C * (c.I + s.I); }
  static void decay(State& s, int k, double ms, double left) {
    s.i[k] = linear::left_of(s.i[k] + s.d[k] * ms, left);
    s.d[k] = linear::left_of(s.d[k], left);
  }
  static double slope_of(const Constants& c, const State& s) {
    double I = c.I + s.I;
    for (const double i : s.i) I += i;
    return (c.E - s.V) / c.tau_m + I / c.C;
  }
  /// At most so much charge [pA ms] does current k add within `ms`.
  static double rise(const Constants& c, const State& s, int k, double ms) {
    const double tau = c.tau[k], time = std::min({ms, c.tau_m, tau});
    return std::max(s.i[k], 0.0) * time + std::max(s.d[k], 0.0) * std::min(ms, tau) * time;
  }
  /// The most that V'' is from now on.  That of V - V_inf is its share of exp(-t/tau_m); that of a current's
  /// response R, where R' = I - R/tau_m, is I' - I/tau_m + R/tau_m^2.
  static double bend(const Constants& c, const State& s) {
    double sum = c.C * std::max(s.V - v_inf(c, s), 0.0) / (c.tau_m * c.tau_m);
    for (int k = 0; k < K; ++k) {
      const double rates = 1 / c.tau[k] + 1 / c.tau_m;
      sum += rise(c, s, k, math::infinity) / (c.tau_m * c.tau_m);
      // I' - I / tau_m = (d - (i + d t) rates) exp(-t/tau)
      sum += std::max(-s.i[k], 0.0) * rates + (s.d[k] > 0 ? s.d[k] : -s.d[k] * rates * c.tau[k]);
    }
    return sum / c.C;
  }
};

}  // namespace spinet
