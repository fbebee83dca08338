// One molecular spin valve, as the plugins of this folder that are made of such devices share it.  Source of what is marked
// [m], measured: A. Riminucci, R. Legenstein, "Fast learning synapses with molecular spin valves via selective magnetic
// potentiation" (2019); the rest is a model, not in the paper, and each of its constants is a parameter.
//
// State.  u in [0, 1] is how far the device has been switched.  The conductance in the parallel magnetic state is
//     G = G_min (G_max / G_min)^u   (map `log`)   or   G = G_min + (G_max - G_min) u   (linear: 1)
// with G_min, G_max [m].
//
// Pulses.  |V| <= V_th does nothing [m]; beyond it du/dt = k (1 - u) for V > 0 and -k u for V < 0, in closed form over the
// pulse, with k = k0 (exp((|V| - V_th) / V_0) - 1).  k0 is such that 50 pulses of +2.5 V, 5 ms multiply G_min by 47 and 50
// of -2.35 V, 5 ms divide G_max by 31 [m].  A pulse acts as a whole at its begin.
//
// Magnetism.  The antiparallel device conducts more, G (1 + MG), MG = MG_max ((G - G_th) / (G_max - G_th))^(3/4) above G_th,
// 0 below [m].
#pragma once
#include "spinet/math.hpp"
#include "spinet/synapse.hpp"

namespace spinet::valve {

/// Ein(x) = integral of (1 - exp(-t)) / t from 0 to x.
inline double ein(double x) {
  if (x > 10) {  // gamma + ln x + E1(x), E1 by its continued fraction
    double tail = 0;
    for (int n = 40; n > 0; --n) tail = n * n / (x + 2 * n + 1 - tail);
    return 0.57721566490153286061 + math::log(x) + math::exp(-x) / (x + 1 - tail);
  }
  double term = x, sum = x;
  for (int n = 2; n < 2000 && math::abs(term) > 1e-17 * math::abs(sum); ++n) {
    term *= -x / n;
    sum += term / n;
  }
  return sum;
}

/// Constants of a device, as networks give them: uS, V, 1/s.  The first fields of a model's `Params`.
struct Constants {
  double G_min, G_max, G_th, linear, V_th, V_0, k_up, k_down, MG_max, MG_exponent;
};

/// Adds the fields of `Constants` to the table of a `Params` that derives from it.
template <class Params>
void add_constants(FieldTable<Params>& t) {
  t.add(&Params::G_min, "G_min", "uS", 0.64, above(0), 0, "least conductance")
      .add(&Params::G_max, "G_max", "uS", 89, above(0), 0, "greatest conductance, parallel")
      .add(&Params::G_th, "G_th", "uS", 1.13, at_least(0), 0, "conductance above which there is magnetoconductance")
      .add(&Params::linear, "linear", "1", 0, between(0, 1), integer, "0: ln G is linear in u, 1: G is (not in the paper)")
      .add(&Params::V_th, "V_th", "V", 1.2, at_least(0), 0, "voltages up to it change nothing, either sign")
      .add(&Params::V_0, "V_0", "V", 0.25, above(0), 0, "voltage that multiplies the rate by e (not in the paper)")
      .add(&Params::k_up, "k_up", "1/s", 0, at_least(0), 0, "k0 of positive pulses; 0: 0.033615, linear 0.0089917 (not in the paper)")
      .add(&Params::k_down, "k_down", "1/s", 0, at_least(0), 0, "k0 of negative pulses; 0: 0.048343, linear 0.14942 (not in the paper)")
      .add(&Params::MG_max, "MG_max", "1", 0.25, at_least(0), 0, "magnetoconductance at G_max: (G_AP - G_P) / G_P")
      .add(&Params::MG_exponent, "MG_exponent", "1", 0.75, above(0), 0, "of G - G_th in the magnetoconductance");
}
/// What is wrong with constants that are each in their range, or null.
inline const char* problem(const Constants& p) {
  if (!(p.G_min < p.G_max)) return "G_min must be below G_max";
  if (p.G_th >= p.G_max) return "G_th must be below G_max: no device would show magnetoconductance";
  return nullptr;
}

struct Device : Constants {
  double span;  ///< ln(G_max / G_min), or G_max - G_min

  Device() = default;
  explicit Device(const Constants& c) : Constants(c), span(c.linear != 0 ? c.G_max - c.G_min : math::log(c.G_max / c.G_min)) {
    // 47-fold and 1/31 of G after 50 pulses, with the other constants at their presets.
    if (k_up == 0) k_up = linear != 0 ? 0.00899170682612663 : 0.03361502037278161;
    if (k_down == 0) k_down = linear != 0 ? 0.1494241554400564 : 0.04834264485317148;
  }
  /// Conductance in the parallel state [uS].
  double parallel(double u) const {
    if (linear != 0) return G_min + span * u;
    return u >= 1 ? G_max : G_min * math::exp(span * u);
  }
  /// u of the conductance G in [G_min, G_max].
  double state_of(double G) const { return linear != 0 ? (G - G_min) / span : math::log(G / G_min) / span; }
  /// d ln G / du, or dG / du in the linear map, as a change of G [uS].
  double slope(double u) const { return linear != 0 ? span : span * parallel(u); }
  /// Magnetoconductance of a device of parallel conductance G.
  double boost(double G) const {
    const double x = (G - G_th) / (G_max - G_th);
    return x > 0 ? MG_max * math::pow(x, MG_exponent) : 0;
  }
  /// Rate of a pulse of V [1/s].
  double rate(double V) const {
    const double over = math::abs(V) - V_th;
    return over > 0 ? (V > 0 ? k_up : k_down) * math::expm1(over / V_0) : 0;
  }
  /// A pulse of V for t seconds, the rate multiplied by `factor`; the result is the integral of G over it [uS s] if
  /// `energy` is asked for.
  double pulse(double& u, double V, double t, double factor, bool energy) const {
    const double over = math::abs(V) - V_th;
    const double k = over > 0 ? factor * (V > 0 ? k_up : k_down) * math::expm1(over / V_0) : 0;
    const double before = u;
    if (!(k > 0) || !(t > 0)) return parallel(u) * t;
    const double part = -math::expm1(-k * t);
    u = V > 0 ? u + (1 - u) * part : u - u * part;
    if (!energy) return 0;
    if (k * t < 1e-6) return parallel(before) * t;  // below, differences of nearly equal numbers
    if (linear != 0) return (V > 0 ? G_max : G_min) * t + span * (before - u) / k;
    if (V > 0) return G_max * (t - (ein(span * (1 - before)) - ein(span * (1 - u))) / k);
    return G_min * (t + (ein(-span * u) - ein(-span * before)) / k);
  }
};

inline double normal(std::uint32_t a, std::uint32_t b) { return math::normal_quantile(uniform01(a, b)); }
/// A factor of mean 1 whose logarithm has the standard deviation `sigma`, from a standard normal number.
inline double factor(double sigma, double z) { return math::exp(sigma * (z - sigma / 2)); }

}  // namespace spinet::valve
