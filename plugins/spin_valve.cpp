// spin_valve: a molecular spin valve, LSMO/Alq3/AlOx/Co, or a pair of them, as a synapse.
//
// The device, its measurements and its source are in spin_valve.hpp.
//
// Magnetism.  Two electrodes, each along or against the axis of the field.  A field of at least field_soft turns the soft
// one (LSMO), of at least field_hard the hard one (Co), too; both begin as after a large negative field.  The antiparallel
// device conducts more.
// With `update`, a field event that leaves the device antiparallel also writes it:
//     G += update G_max (G / G_max)^(7/4) where G > update_th, at most to G_max,
// the power law of the boost G MG(G) as a change that stays.
//
// Weight.  w_max (G - G_ref) / G_max.  With `pair: 1` it is w_max (G - G2) / G_max, of two devices that are pulsed with
// opposite voltages and see the same field: a positive pulse raises the weight by both.
#include "spin_valve.hpp"

namespace {
using namespace spinet;

using valve::factor;
using valve::normal;

struct SpinValve {
  static constexpr const char* name = "spin_valve";
  static constexpr const char* doc = "Molecular spin valve: voltage pulses change its conductance, a magnetic field raises it where it is high.";
  static constexpr std::uint32_t controls = answers(Control::Kind::pulse) | answers(Control::Kind::field) | answers(Control::Kind::read);
  static constexpr bool draws = true;
  struct Params : valve::Constants {
    double field_soft, field_hard, w_max, G_ref, pair, update, update_exponent, update_th, cycle_noise, read_noise, energy, read_voltage, read_width;
  };
  struct Shared {
    Params p;
    valve::Device device;
    double soft, hard;  ///< T
  };
  struct State {
    double weight, u, u2, energy, reading;  // the weight first: computed variables, which have no place of their own, share it until init
    float g, g2, k, k2;      ///< spread
    float soft, hard;        ///< directions of the electrodes, +1 or -1
  };

  static auto params() {
    constexpr auto flag = between(0, 1);
    FieldTable<Params> t;
    valve::add_constants(t);
    t.add(&Params::field_soft, "field_soft", "Oe", 90, above(0), 0, "field that turns the soft electrode (not in the paper)")
        .add(&Params::field_hard, "field_hard", "Oe", 250, above(0), 0, "field that turns the hard electrode, too (not in the paper)")
        .add(&Params::w_max, "w_max", "1", 100, any(), port_unit, "weight of G_max, parallel, over that of no conductance")
        .add(&Params::G_ref, "G_ref", "uS", 0, at_least(0), 0, "conductance whose weight is 0")
        .add(&Params::pair, "pair", "1", 0, flag, integer, "1: weight of G - G2, two devices pulsed with opposite voltages")
        .add(&Params::update, "update", "1", 0, at_least(0), 0, "change that a field event leaves, over G_max, of a device at G_max (not in the paper)")
        .add(&Params::update_exponent, "update_exponent", "1", 1.75, above(0), 0, "its power of G / G_max")
        .add(&Params::update_th, "update_th", "uS", 1.13, at_least(0), 0, "conductance up to which a field event leaves no change")
        .add(&Params::cycle_noise, "cycle_noise", "1", 0, at_least(0), 0, "sd of ln of the rate k from pulse to pulse (not in the paper)")
        .add(&Params::read_noise, "read_noise", "1", 0, at_least(0), 0, "relative sd of the conductance from event to event (not in the paper)")
        .add(&Params::energy, "energy", "1", 0, flag, integer, "1: add up the energy of pulses and scheduled reads, V^2 G dt")
        .add(&Params::read_voltage, "read_voltage", "V", 0.1, at_least(0), 0, "of a scheduled read")
        .add(&Params::read_width, "read_width", "ms", 1, at_least(0), 0, "of a scheduled read (not in the paper)");
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
        .add(&State::k2, "k2", "1", 1, above(0), initial, "as k, of the second device")
        .add(&State::reading, "reading", "uS", 0, any(), 0, "conductance (of a pair: G - G2) as last read by the schedule, with read noise");
    return t;
  }
  static const char* check(const Params& p) {
    if (const char* problem = valve::problem(p)) return problem;
    if (p.G_ref > p.G_max) return "G_ref must not exceed G_max: it would lie outside the device's range";
    if (p.field_hard < p.field_soft) return "field_hard must not be below field_soft";
    return nullptr;
  }
  /// Only a single device over no reference has weights of one sign.
  static Sign sign(const Params& p) {
    return p.pair != 0 || p.G_ref > 0 ? Sign::either : p.w_max < 0 ? Sign::negative : Sign::positive;
  }
  static void prepare(Shared& s, const Params& p, const RunInfo&) {
    constexpr double per_tesla = 1e4;  // Oe; a quotient, as the loader makes of "90 Oe", so that the two are equal
    s = {p, valve::Device(p), p.field_soft / per_tesla, p.field_hard / per_tesla};
  }
  static void init(State& s, const Shared& p) {
    s.soft = s.hard = -1;
    s.energy = s.reading = 0;
    s.weight = weight_of(s, p, 0, 0);
  }

  static double conductance(double u, float g, bool antiparallel, const Shared& s) {
    const double G = s.device.parallel(u);
    return static_cast<double>(g) * (antiparallel ? G * (1 + s.device.boost(G)) : G);
  }
  static bool antiparallel(const State& s) { return s.soft != s.hard; }

  /// What a field event leaves in a device.
  static void write(double& u, const Shared& s) {
    const double G = s.device.parallel(u);
    if (!(G > s.p.update_th)) return;
    const double to = G + s.p.update * s.p.G_max * math::pow(G / s.p.G_max, s.p.update_exponent);
    u = to >= s.p.G_max ? 1 : s.device.state_of(to);
  }

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
          k *= factor(sigma, normal(w[0], w[1]));
          k2 *= factor(sigma, normal(w[2], w[3]));
        }
        double charge = static_cast<double>(s.g) * p.device.pulse(s.u, V, t, k, p.p.energy != 0);
        if (p.p.pair != 0) charge += static_cast<double>(s.g2) * p.device.pulse(s.u2, -V, t, k2, p.p.energy != 0);
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
      } else if (c.kind == Control::Kind::read) {
        const bool ap = antiparallel(s);
        double G = conductance(s.u, s.g, ap, p), G2 = p.p.pair != 0 ? conductance(s.u2, s.g2, ap, p) : 0;
        if (p.p.energy != 0) s.energy += p.p.read_voltage * p.p.read_voltage * (G + G2) * p.p.read_width;  // uJ/s for ms: nJ
        if (p.p.read_noise > 0) {
          const Words w = n.s.draw(i, 2);
          G *= 1 + p.p.read_noise * normal(w[0], w[1]);
          G2 *= 1 + p.p.read_noise * normal(w[2], w[3]);
        }
        s.reading = G - G2;
        continue;
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
                          wide(s.k), wide(s.g2), wide(s.k2), s.reading};
    return all[variable];  // in the order of variables()
  }
};
}  // namespace

SPINET_MODEL(synapse_table<SpinValve>())
