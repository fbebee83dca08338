// spin_valve: a molecular spin valve, LSMO/Alq3/AlOx/Co, or a pair of them, as a synapse.
//
// Measurements: A. Riminucci, R. Legenstein, "Fast learning synapses with molecular spin valves via selective magnetic
// potentiation" (2019), is the source of all that is marked [m]; the rest is a model, not in the paper, and each of its
// constants is a parameter.
//
// State.  u in [0, 1] is how far the device has been switched.  The conductance in the parallel magnetic state is
//     G = G_min (G_max / G_min)^u   (map `log`)   or   G = G_min + (G_max - G_min) u   (linear: 1)
// with G_min, G_max [m].
//
// Pulses.  |V| <= V_th does nothing [m]; beyond it du/dt = k (1 - u) for V > 0 and -k u for V < 0, in closed form over the
// pulse, with k = k0 (exp((|V| - V_th) / V_0) - 1).  k0 is such that 50 pulses of +2.5 V, 5 ms multiply G_min by 47 and 50
// of -2.35 V, 5 ms divide G_max by 31 [m].  A pulse acts as a whole at its begin.
//
// Magnetism.  Two electrodes, each along or against the axis of the field.  A field of at least field_soft turns the soft
// one (LSMO), of at least field_hard the hard one (Co), too; both begin as after a large negative field.  The antiparallel
// device conducts more, G (1 + MG), MG = MG_max ((G - G_th) / (G_max - G_th))^(3/4) above G_th, 0 below [m].
// With `update`, a field event that leaves the device antiparallel also writes it:
//     G += update G_max (G / G_max)^(7/4) where G > update_th, at most to G_max,
// the power law of the boost G MG(G) as a change that stays.
//
// Weight.  w_max (G - G_ref) / G_max.  With `pair: 1` it is w_max (G - G2) / G_max, of two devices that are pulsed with
// opposite voltages and see the same field: a positive pulse raises the weight by both.
#include "spinet/math.hpp"
#include "spinet/synapse.hpp"

namespace {
using namespace spinet;

/// Ein(x) = integral of (1 - exp(-t)) / t from 0 to x.
double ein(double x) {
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

struct SpinValve {
  static constexpr const char* name = "spin_valve";
  static constexpr const char* doc = "Molecular spin valve: voltage pulses change its conductance, a magnetic field raises it where it is high.";
  static constexpr std::uint32_t controls = answers(Control::Kind::pulse) | answers(Control::Kind::field);
  static constexpr bool draws = true;
  struct Params {
    double G_min, G_max, G_th, linear, V_th, V_0, k_up, k_down, MG_max, MG_exponent, field_soft, field_hard, w_max, G_ref, pair, update,
        update_exponent, update_th, cycle_noise, read_noise, energy;
  };
  struct Shared {
    Params p;
    double span;  ///< ln(G_max / G_min), or G_max - G_min
    double k_up, k_down;
    double soft, hard;  ///< T
  };
  struct State {
    double weight, u, u2, energy;  // the weight first: computed variables, which have no place of their own, share it until init
    float g, g2, k, k2;      ///< spread
    float soft, hard;        ///< directions of the electrodes, +1 or -1
  };

  static auto params() {
    constexpr auto flag = between(0, 1);
    FieldTable<Params> t;
    t.add(&Params::G_min, "G_min", "uS", 0.64, above(0), 0, "least conductance")
        .add(&Params::G_max, "G_max", "uS", 89, above(0), 0, "greatest conductance, parallel")
        .add(&Params::G_th, "G_th", "uS", 1.13, at_least(0), 0, "conductance above which there is magnetoconductance")
        .add(&Params::linear, "linear", "1", 0, flag, integer, "0: ln G is linear in u, 1: G is (not in the paper)")
        .add(&Params::V_th, "V_th", "V", 1.2, at_least(0), 0, "voltages up to it change nothing, either sign")
        .add(&Params::V_0, "V_0", "V", 0.25, above(0), 0, "voltage that multiplies the rate by e (not in the paper)")
        .add(&Params::k_up, "k_up", "1/s", 0, at_least(0), 0, "k0 of positive pulses; 0: 0.033615, linear 0.0089917 (not in the paper)")
        .add(&Params::k_down, "k_down", "1/s", 0, at_least(0), 0, "k0 of negative pulses; 0: 0.048343, linear 0.14942 (not in the paper)")
        .add(&Params::MG_max, "MG_max", "1", 0.25, at_least(0), 0, "magnetoconductance at G_max: (G_AP - G_P) / G_P")
        .add(&Params::MG_exponent, "MG_exponent", "1", 0.75, above(0), 0, "of G - G_th in the magnetoconductance")
        .add(&Params::field_soft, "field_soft", "Oe", 90, above(0), 0, "field that turns the soft electrode (not in the paper)")
        .add(&Params::field_hard, "field_hard", "Oe", 250, above(0), 0, "field that turns the hard electrode, too (not in the paper)")
        .add(&Params::w_max, "w_max", "1", 100, any(), port_unit, "weight of G_max, parallel, over that of no conductance")
        .add(&Params::G_ref, "G_ref", "uS", 0, at_least(0), 0, "conductance whose weight is 0")
        .add(&Params::pair, "pair", "1", 0, flag, integer, "1: weight of G - G2, two devices pulsed with opposite voltages")
        .add(&Params::update, "update", "1", 0, at_least(0), 0, "change that a field event leaves, over G_max, of a device at G_max (not in the paper)")
        .add(&Params::update_exponent, "update_exponent", "1", 1.75, above(0), 0, "its power of G / G_max")
        .add(&Params::update_th, "update_th", "uS", 1.13, at_least(0), 0, "conductance up to which a field event leaves no change")
        .add(&Params::cycle_noise, "cycle_noise", "1", 0, at_least(0), 0, "sd of ln of the rate k from pulse to pulse (not in the paper)")
        .add(&Params::read_noise, "read_noise", "1", 0, at_least(0), 0, "relative sd of the conductance from event to event (not in the paper)")
        .add(&Params::energy, "energy", "1", 0, flag, integer, "1: add up the energy of pulses, V^2 G dt");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::weight, "weight", "1", 0, any(), port_unit, "weight in the present magnetic state, without read noise")
        .add(&State::u, "u", "1", 0, between(0, 1), initial, "0: least conductance, 1: greatest")
        .computed("G", "uS", 0, at_least(0), 0, "conductance in the present magnetic state")
        .computed("state", "1", 1, between(-1, 1), 0, "1: electrodes parallel, -1: antiparallel")
        .add(&State::energy, "energy", "nJ", 0, at_least(0), 0, "of all pulses so far, if counted")
        .add(&State::u2, "u2", "1", 0, between(0, 1), initial, "u of the second device of a pair")
        .computed("G2", "uS", 0, at_least(0), 0, "conductance of the second device")
        .add(&State::g, "g", "1", 1, above(0), initial, "factor of the conductance: spread between devices")
        .add(&State::k, "k", "1", 1, above(0), initial, "factor of the rates: spread between devices")
        .add(&State::g2, "g2", "1", 1, above(0), initial, "as g, of the second device")
        .add(&State::k2, "k2", "1", 1, above(0), initial, "as k, of the second device");
    return t;
  }
  static const char* check(const Params& p) {
    if (!(p.G_min < p.G_max)) return "G_min must be below G_max";
    if (p.G_th >= p.G_max) return "G_th must be below G_max: no device would show magnetoconductance";
    if (p.G_ref > p.G_max) return "G_ref must not exceed G_max: it would lie outside the device's range";
    if (p.field_hard < p.field_soft) return "field_hard must not be below field_soft";
    return nullptr;
  }
  static void prepare(Shared& s, const Params& p, const RunInfo&) {
    constexpr double per_tesla = 1e4;  // Oe; a quotient, as the loader makes of "90 Oe", so that the two are equal
    const bool linear = p.linear != 0;
    s = {p, linear ? p.G_max - p.G_min : math::log(p.G_max / p.G_min), p.k_up, p.k_down, p.field_soft / per_tesla, p.field_hard / per_tesla};
    // 47-fold and 1/31 of G after 50 pulses, with the other constants at their presets.
    if (s.k_up == 0) s.k_up = linear ? 0.00899170682612663 : 0.03361502037278161;
    if (s.k_down == 0) s.k_down = linear ? 0.1494241554400564 : 0.04834264485317148;
  }
  static void init(State& s, const Shared& p) {
    s.soft = s.hard = -1;
    s.energy = 0;
    s.weight = weight_of(s, p, 0, 0);
  }

  // --- one device ---

  /// In the parallel state, without spread.
  static double parallel(double u, const Shared& s) {
    if (s.p.linear != 0) return s.p.G_min + s.span * u;
    return u >= 1 ? s.p.G_max : s.p.G_min * math::exp(s.span * u);
  }
  static double boost(double G, const Shared& s) {
    const double x = (G - s.p.G_th) / (s.p.G_max - s.p.G_th);
    return x > 0 ? s.p.MG_max * math::pow(x, s.p.MG_exponent) : 0;
  }
  static double conductance(double u, float g, bool antiparallel, const Shared& s) {
    const double G = parallel(u, s);
    return static_cast<double>(g) * (antiparallel ? G * (1 + boost(G, s)) : G);
  }
  static bool antiparallel(const State& s) { return s.soft != s.hard; }

  /// A pulse of V for t seconds; the result is the integral of G over it [uS s].
  static double pulse(double& u, double V, double t, double factor, const Shared& s) {
    const double over = math::abs(V) - s.p.V_th;
    const double k = over > 0 ? factor * (V > 0 ? s.k_up : s.k_down) * math::expm1(over / s.p.V_0) : 0;
    const double before = u;
    if (!(k > 0) || !(t > 0)) return parallel(u, s) * t;
    const double part = -math::expm1(-k * t);
    u = V > 0 ? u + (1 - u) * part : u - u * part;
    if (s.p.energy == 0) return 0;
    if (k * t < 1e-6) return parallel(before, s) * t;  // below, differences of nearly equal numbers
    if (s.p.linear != 0) return (V > 0 ? s.p.G_max : s.p.G_min) * t + s.span * (before - u) / k;
    if (V > 0) return s.p.G_max * (t - (ein(s.span * (1 - before)) - ein(s.span * (1 - u))) / k);
    return s.p.G_min * (t + (ein(-s.span * u) - ein(-s.span * before)) / k);
  }
  static double normal(std::uint32_t a, std::uint32_t b) { return math::normal_quantile(uniform01(a, b)); }

  /// What a field event leaves in a device.
  static void write(double& u, const Shared& s) {
    const double G = parallel(u, s);
    if (!(G > s.p.update_th)) return;
    const double to = G + s.p.update * s.p.G_max * math::pow(G / s.p.G_max, s.p.update_exponent);
    if (to >= s.p.G_max) u = 1;
    else u = s.p.linear != 0 ? (to - s.p.G_min) / s.span : math::log(to / s.p.G_min) / s.span;
  }

  // --- the synapse ---

  /// `noise`, `noise2`: relative errors of the reads.
  static double weight_of(const State& s, const Shared& p, double noise, double noise2) {
    const bool ap = antiparallel(s);
    const double G = conductance(s.u, s.g, ap, p) * (1 + noise);
    const double other = p.p.pair != 0 ? conductance(s.u2, s.g2, ap, p) * (1 + noise2) : p.p.G_ref;
    return p.p.w_max * (G - other) / p.p.G_max;
  }

  using Weight = double;
  static void on_pre(Synapses<SpinValve> n, double* out) {
    const Shared& p = n.shared();
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      out[i] = n[i].weight;
      if (p.p.read_noise == 0) continue;
      const Words w = n.s.draw(i, 0);
      out[i] = weight_of(n[i], p, p.p.read_noise * normal(w[0], w[1]), p.p.read_noise * normal(w[2], w[3]));
    }
  }
  static void on_control(Synapses<SpinValve> n, const Control& c) {
    const Shared& p = n.shared();
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      State& s = n[i];
      if (c.kind == Control::Kind::pulse) {
        const double V = c.value[0], t = c.value[1], sigma = p.p.cycle_noise;
        double k = static_cast<double>(s.k), k2 = static_cast<double>(s.k2);
        if (sigma > 0) {  // of mean 1
          const Words w = n.s.draw(i, 1);
          k *= math::exp(sigma * (normal(w[0], w[1]) - sigma / 2));
          k2 *= math::exp(sigma * (normal(w[2], w[3]) - sigma / 2));
        }
        double charge = static_cast<double>(s.g) * pulse(s.u, V, t, k, p);
        if (p.p.pair != 0) charge += static_cast<double>(s.g2) * pulse(s.u2, -V, t, k2, p);
        if (p.p.energy != 0) s.energy += 1e3 * V * V * charge;  // uJ to nJ
      } else if (c.kind == Control::Kind::field) {
        const double B = c.value[0], size = math::abs(B);
        const float along = B < 0 ? -1 : 1;
        if (c.value[1] != 0) {
          s.soft = c.value[1] < 0 ? -s.hard : s.hard;
        } else {
          if (size >= p.soft) s.soft = along;
          if (size >= p.hard) s.hard = along;
        }
        if (p.p.update > 0 && antiparallel(s)) {
          write(s.u, p);
          if (p.p.pair != 0) write(s.u2, p);
        }
      } else {
        continue;
      }
      s.weight = weight_of(s, p, 0, 0);
    }
  }
  static double read(Synapses<SpinValve> n, std::uint32_t i, std::uint32_t variable) {
    const State& s = n[i];
    const auto wide = [](float x) { return static_cast<double>(x); };
    const double all[] = {s.weight, s.u,       conductance(s.u, s.g, antiparallel(s), n.shared()),   antiparallel(s) ? -1.0 : 1.0,
                          s.energy, s.u2,      conductance(s.u2, s.g2, antiparallel(s), n.shared()), wide(s.g),
                          wide(s.k), wide(s.g2), wide(s.k2)};
    return all[variable];  // in the order of variables()
  }
};
}  // namespace

SPINET_MODEL(synapse_table<SpinValve>())
