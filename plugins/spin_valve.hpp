// One molecular spin valve, as the plugins of this folder that are made of such devices share it.  Source of
// what is marked [m], measured: A. Riminucci, R. Legenstein, "Fast learning synapses with molecular spin
// valves via selective magnetic potentiation" (2019); the rest is a model, not in the paper, and each of its
// constants is a parameter.
//
// State.  u in [0, 1] is how far the device has been switched.  The conductance in the parallel magnetic
// state is
//     G = G_min (G_max / G_min)^u   (map `log`)   or   G = G_min + (G_max - G_min) u   (linear: 1)
// with G_min, G_max [m].
//
// Pulses.  |V| <= V_th does nothing [m]; beyond it du/dt = k (1 - u) for V > 0 and -k u for V < 0, in closed
// form over the pulse, with k = k0 (exp((|V| - V_th) / V_0) - 1).  k0, unless it is given, is such that with
// the projection's constants, drawn ones at their middle, 50 pulses of +2.5 V, 5 ms multiply G_min by 47 and
// 50 of -2.35 V, 5 ms divide G_max by 31 [m].  A pulse acts as a whole at its begin.
//
// Magnetism.  The antiparallel device conducts more, G (1 + MG), MG = MG_max ((G - G_th) / (G_max -
// G_th))^(3/4) above G_th, 0 below [m].  G MG is the boost.  A pulse costs what flows in the magnetic state
// that the device is in.
#pragma once
#include "spinet/math.hpp"
#include "spinet/reality.hpp"
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

/// Constants of a device, as networks give them: uS, V, 1/s; `g` and `k` are factors of its conductance and
/// rates.  The first fields of a model's `Params`.
struct Constants {
  double G_min, G_max, G_th, linear, V_th, V_0, k_up, k_down, MG_max, MG_exponent, g, k;
};

/// What was measured at 100 K: the device of the source above.
inline constexpr const char* source =
    "A. Riminucci, R. Legenstein, \"Fast learning synapses with molecular spin valves via selective magnetic "
    "potentiation\" (2019)";
inline constexpr Setting lsmo_alq3_co[] = {{"G_min", 0.64},      {"G_max", 89},    {"G_th", 1.13},
                                           {"V_th", 1.2},        {"MG_max", 0.25}, {"MG_exponent", 0.75},
                                           {"read_voltage", 0.1}};

/// Adds the fields of `Constants` to the table of a `Params` that derives from it.
template <class Params>
void add_constants(FieldTable<Params>& t) {
  t.add(&Params::G_min, "G_min", "uS", 0.64, above(0), spread, "least conductance")
      .add(&Params::G_max, "G_max", "uS", 89, above(0), spread, "greatest conductance, parallel")
      .add(&Params::G_th, "G_th", "uS", 1.13, at_least(0), spread,
           "conductance above which there is magnetoconductance")
      .add(&Params::linear, "linear", "1", 0, between(0, 1), integer,
           "0: ln G is linear in u, 1: G is (not in the paper)")
      .add(&Params::V_th, "V_th", "V", 1.2, at_least(0), spread,
           "voltages up to it change nothing, either sign")
      .add(&Params::V_0, "V_0", "V", 0.25, above(0), spread,
           "voltage that multiplies the rate by e (not in the paper)")
      .derives(&Params::k_up, "k_up", "1/s", at_least(0), spread,
               "k0 of positive pulses; auto: 50 of +2.5 V, 5 ms multiply G_min by 47, of a device in the "
               "middle (not in the paper)")
      .derives(&Params::k_down, "k_down", "1/s", at_least(0), spread,
               "k0 of negative pulses; auto: 50 of -2.35 V, 5 ms divide G_max by 31, of such a device (not "
               "in the paper)")
      .add(&Params::MG_max, "MG_max", "1", 0.25, at_least(0), spread,
           "magnetoconductance at G_max: (G_AP - G_P) / G_P")
      .add(&Params::MG_exponent, "MG_exponent", "1", 0.75, above(0), spread,
           "of G - G_th in the magnetoconductance")
      .add(&Params::g, "g", "1", 1, above(0), spread, "factor of the conductance")
      .add(&Params::k, "k", "1", 1, above(0), spread, "factor of the rates");
}
/// The measurements that rates are fitted to: so much 50 pulses of 5 ms change G by, from the end of its
/// range.
constexpr double fitted_up = 47, fitted_down = 31, fitted_V_up = 2.5, fitted_V_down = 2.35,
                 fitted_time = 50 * 5e-3;

/// What is wrong with constants that are each in their range, or null.
inline const char* problem(const Constants& p) {
  if (!(p.G_min < p.G_max)) return "G_min must be below G_max";
  if (p.G_th >= p.G_max) return "G_th must be below G_max: no device would show magnetoconductance";
  if (is_auto(p.k_up)) {
    if (!(p.G_max > fitted_up * p.G_min))
      return "k_up must be given where G_max is not above 47 G_min, the change that it is fitted to";
    if (!(p.V_th < fitted_V_up))
      return "k_up must be given where V_th is not below 2.5 V, the pulse that it is fitted to";
  }
  // Beyond it exp((V - V_th) / V_0) of the pulses that rates are fitted to is no number.
  constexpr double steepest = 700;
  if (is_auto(p.k_up) && (fitted_V_up - p.V_th) / p.V_0 > steepest)
    return "k_up must be given where V_0 is below (2.5 V - V_th) / 700: exp((V - V_th) / V_0) would be no "
           "number";
  if (is_auto(p.k_down) && (fitted_V_down - p.V_th) / p.V_0 > steepest)
    return "k_down must be given where V_0 is below (2.35 V - V_th) / 700: exp((V - V_th) / V_0) would be no "
           "number";
  if (is_auto(p.k_down)) {
    if (!(p.G_max > fitted_down * p.G_min))
      return "k_down must be given where G_max is not above 31 G_min, the change that it is fitted to";
    if (!(p.V_th < fitted_V_down))
      return "k_down must be given where V_th is not below 2.35 V, the pulse that it is fitted to";
  }
  return nullptr;
}

/// The integral of f from a to b by eight points of Gauss and Legendre in each of `panels`.
template <class F>
double integral(double a, double b, int panels, F&& f) {
  constexpr double at[] = {0.18343464249564980494, 0.52553240991632898582, 0.79666647741362673959,
                           0.96028985649753623168};
  constexpr double weight[] = {0.36268378337836198297, 0.31370664587788728734, 0.22238103445337447054,
                               0.10122853629037625915};
  const double half = (b - a) / (2 * panels);
  double sum = 0;
  for (int n = 0; n < panels; ++n) {
    const double middle = a + half * (2 * n + 1);
    for (int i = 0; i < 4; ++i) sum += weight[i] * (f(middle - half * at[i]) + f(middle + half * at[i]));
  }
  return half * sum;
}

struct Device : Constants {
  double span;  ///< ln(G_max / G_min), or G_max - G_min
  /// A voltage for a time [s] and the rate that it gives a device [1/s].
  struct Pulse {
    double V, t, k;
    bool acts() const { return k > 0 && t > 0; }
  };

  Device() = default;
  explicit Device(const Constants& c)
      : Constants(c), span(c.linear != 0 ? c.G_max - c.G_min : math::log(c.G_max / c.G_min)) {
    if (is_auto(k_up))
      k_up = fitted(linear != 0 ? (fitted_up - 1) * G_min / span : math::log(fitted_up) / span, fitted_V_up);
    if (is_auto(k_down))
      k_down = fitted(linear != 0 ? (1 - 1 / fitted_down) * G_max / span : math::log(fitted_down) / span,
                      fitted_V_down);
  }
  /// k0 of pulses of V that move u by `share` of its range, from one end.
  double fitted(double share, double V) const {
    return -math::log1p(-share) / fitted_time / math::expm1((V - V_th) / V_0);
  }
  /// Conductance in the parallel state [uS].
  double parallel(double u) const {
    if (linear != 0) return G_min + span * u;
    return u >= 1 ? G_max : G_min * math::exp(span * u);
  }
  /// And in the antiparallel one.
  double antiparallel(double u) const {
    const double G = parallel(u);
    return G * (1 + MG(G));
  }
  /// u of the conductance G, in [0, 1] where G is in [G_min, G_max].
  double state_of(double G) const { return linear != 0 ? (G - G_min) / span : math::log(G / G_min) / span; }
  /// d ln G / du, or dG / du in the linear map, as a change of G [uS].
  double slope(double u) const { return linear != 0 ? span : span * parallel(u); }
  /// Magnetoconductance of a device of parallel conductance G.
  double MG(double G) const {
    const double x = (G - G_th) / (G_max - G_th);
    return x > 0 ? MG_max * math::pow(x, MG_exponent) : 0;
  }
  /// A pulse of V for t seconds on a device whose rates are multiplied by `factor`.
  Pulse pulse(double V, double t, double factor = 1) const {
    const double over = math::abs(V) - V_th;
    const double k = V > 0 ? k_up : k_down;  // 0 stays 0, however steep the rest
    return {V, t, over > 0 && k > 0 ? factor * k * math::expm1(over / V_0) : 0};
  }
  /// What it makes of u.
  double after(double u, const Pulse& p) const { return p.acts() ? moved(u, p.V, part(p)) : u; }
  /// The part of the way to the end that a pulse takes a device, and what that makes of u.
  static double part(const Pulse& p) { return -math::expm1(-p.k * p.t); }
  static double moved(double u, double V, double part) { return V > 0 ? u + (1 - u) * part : u - u * part; }
  /// The integral of the conductance over a pulse that begins at u [uS s].
  double antiparallel_charge(double u, const Pulse& p) const {
    return p.acts() ? charge(u, p) + boost_charge(u, p) : antiparallel(u) * p.t;
  }
  double charge(double u, const Pulse& p) const {
    if (!p.acts()) return parallel(u) * p.t;
    // The closed forms are differences, of nearly equal numbers where the pulse is short.
    const bool brief = p.k * p.t < 0.1;
    if (!brief) return parallel_charge(u, p);
    return integral(0, p.t, 1, [&](double t) { return parallel(after(u, {p.V, t, p.k})); });
  }

 private:
  double parallel_charge(double before, const Pulse& p) const {
    const double u = after(before, p);
    if (linear != 0) return (p.V > 0 ? G_max : G_min) * p.t + span * (before - u) / p.k;
    if (p.V > 0) return G_max * (p.t - (ein(span * (1 - before)) - ein(span * (1 - u))) / p.k);
    return G_min * (p.t + (ein(-span * u) - ein(-span * before)) / p.k);
  }
  /// Of the boost G MG(G).  x = k t; near the x at which G passes G_th, in or out of the pulse, the boost
  /// goes as a power of the distance y, which is smooth in y^(1/4).
  double boost_charge(double before, const Pulse& p) const {
    const bool up = p.V > 0;
    const auto boost = [&](double u) { return parallel(u) * MG(parallel(u)); };
    if (before >= 1 && up) return boost(1) * p.t;
    const double whole = p.k * p.t, u_th = state_of(G_th);
    // Then e^-40 of the way to the end is left, also of the boost where that goes to 0 only with u.
    const double settled =
        40 / (!up && u_th <= 0 && MG_exponent < 1 ? (MG_exponent > 0.05 ? MG_exponent : 0.05) : 1);
    const double end = whole < settled ? whole : settled;
    const auto at = [&](double x) {
      return boost(up ? 1 - (1 - before) * math::exp(-x) : before * math::exp(-x));
    };
    const double rest = whole > settled ? at(settled) * (p.t - settled / p.k) : 0;
    if (!up && before <= u_th) return 0;
    const double passes = up         ? math::log((1 - before) / (1 - u_th))
                          : u_th > 0 ? math::log(before / u_th)
                                     : 2 * settled;
    const double a = up && passes > 0 ? passes : 0, b = !up && passes < end ? passes : end;
    if (!(a < b)) return rest;
    const double sign = up ? 1 : -1, near = up ? a - passes : passes - b, far = up ? b - passes : passes - a;
    const auto by_root = [&](double z) { return 4 * z * z * z * at(passes + sign * z * z * z * z); };
    const auto by_distance = [&](double y) { return at(passes + sign * y); };
    double sum = 0;
    if (near < 1) sum += integral(fourth_root(near), fourth_root(far < 1 ? far : 1), 4, by_root);
    if (far > 1)
      sum += integral(near > 1 ? near : 1, far, 1 + static_cast<int>(2 * (far - (near > 1 ? near : 1))),
                      by_distance);
    return sum / p.k + rest;
  }
  static double fourth_root(double x) { return math::sqrt(math::sqrt(x)); }
};

/// Device number `device` of synapse `i`.  Rates that are worked out are those of the projection's constants:
/// a device that differs from these answers the same voltages differently.
template <class M>
Device device_of(Synapses<M> n, std::uint32_t i, std::uint32_t device) {
  const Device& middle = n.shared().device;
  if (!n.differ()) return middle;
  Constants own = n.params(i, device);
  if (is_auto(own.k_up)) own.k_up = middle.k_up;
  if (is_auto(own.k_down)) own.k_down = middle.k_down;
  return Device(own);
}

/// A pulse on a device.
struct Pulsed {
  double u;
  Device::Pulse pulse;
  bool antiparallel;
};
/// What it makes of the state, which may be held; and pays for it: a held device keeps its conductance.
template <class M>
double pulsed(Synapses<M> n, std::uint32_t i, std::uint32_t device, const Device& own, const Pulsed& on) {
  const double to = own.after(on.u, on.pulse), left = device::changed(n, i, device, on.u, to);
  if (!device::counts(n)) return left;
  const auto charge = [&] {
    if (left != to) return (on.antiparallel ? own.antiparallel(left) : own.parallel(left)) * on.pulse.t;
    return on.antiparallel ? own.antiparallel_charge(on.u, on.pulse) : own.charge(on.u, on.pulse);
  };
  device::pay_pulse(n, i, device, on.pulse.V, own.g * charge());
  return left;
}

}  // namespace spinet::valve
