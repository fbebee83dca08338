// spin_valve: a molecular spin valve, LSMO/Alq3/AlOx/Co, or a pair of them, as a synapse.
//
// The device, its measurements and its source are in spin_valve.hpp.
//
// Magnetism.  Two electrodes, each along or against the axis of the field.  A field of at least field_soft
// turns the soft one (LSMO), of at least field_hard the hard one (Co), too; both begin as after a large
// negative field.  The antiparallel device conducts more. With `update`, a device that a field makes
// antiparallel is also written, once each time that it becomes so:
//     G += update G_max (G / G_max)^(7/4) where G > update_th, at most to G_max,
// the power law of the boost G MG(G) as a change that stays.  A field acts as one that grows to its value, so
// that one that turns both electrodes passes through the antiparallel state: a ramp writes the same in few
// steps and in many.
//
// Weight.  w_max (G - G_ref) / G_max.  With `pair: 1` it is w_max (G - G2) / G_max, of two devices that are
// pulsed with opposite voltages and see the same field: a positive pulse raises the weight by both.
#include "spin_valve.hpp"

namespace {
using namespace spinet;

using device::factor;
using device::normal;

struct SpinValve {
  static constexpr const char* name = "spin_valve";
  static constexpr const char* doc =
      "Molecular spin valve: voltage pulses change its conductance, a magnetic field raises it where it is "
      "high.";
  static constexpr Stimulus stimuli[] = {device::pulse, device::field, device::read};
  enum { a_pulse, a_field, a_read };
  static constexpr bool draws = true;
  struct Params : valve::Constants, device::Reading {
    double field_soft, field_hard, w_max, G_ref, pair, update, update_exponent, update_th, cycle_noise;
  };
  struct Shared {
    Params p;
    valve::Device device;
    device::Reader reader;
    double soft, hard;  ///< T
  };
  struct State {
    double weight, u, u2, energy, reading;  // the weight first: computed variables, which have no place of
                                            // their own, share it until init
    float g, g2, k, k2;                     ///< spread
    float soft, hard;                       ///< directions of the electrodes, +1 or -1
  };

  static auto params() {
    constexpr auto flag = between(0, 1);
    FieldTable<Params> t;
    valve::add_constants(t);
    t.add(&Params::field_soft, "field_soft", "Oe", 90, above(0), 0,
          "field that turns the soft electrode (not in the paper)")
        .add(&Params::field_hard, "field_hard", "Oe", 250, above(0), 0,
             "field that turns the hard electrode, too (not in the paper)")
        .add(&Params::w_max, "w_max", "1", 100, any(), port_unit,
             "weight of G_max, parallel, over that of no conductance")
        .add(&Params::G_ref, "G_ref", "uS", 0, at_least(0), 0, "conductance whose weight is 0")
        .add(&Params::pair, "pair", "1", 0, flag, integer,
             "1: weight of G - G2, two devices pulsed with opposite voltages")
        .add(&Params::update, "update", "1", 0, at_least(0), 0,
             "change, over G_max, of a device at G_max that becomes antiparallel (not in the paper)")
        .add(&Params::update_exponent, "update_exponent", "1", 1.75, above(0), 0, "its power of G / G_max")
        .add(&Params::update_th, "update_th", "uS", 1.13, at_least(0), 0,
             "conductance up to which it leaves no change")
        .add(&Params::cycle_noise, "cycle_noise", "1", 0, at_least(0), 0,
             "sd of ln of the rate k from pulse to pulse (not in the paper)");
    device::add_reading(t,
                        "1: add up the energy of pulses and reads, V^2 G dt in the present magnetic state");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::weight, "weight", "1", 0, any(), port_unit,
          "weight in the present magnetic state, without read noise")
        .add(&State::u, "u", "1", 0, between(0, 1), initial, "0: least conductance, 1: greatest")
        .computed("G", "uS", 0, at_least(0), 0, "conductance in the present magnetic state")
        .computed("state", "1", 1, between(-1, 1), 0, "1: electrodes parallel, -1: antiparallel")
        .add(&State::energy, "energy", "nJ", 0, at_least(0), 0, "of all pulses and reads so far, if counted")
        .add(&State::u2, "u2", "1", 0, between(0, 1), initial, "u of the second device of a pair")
        .computed("G2", "uS", 0, at_least(0), 0, "conductance of the second device")
        .add(&State::g, "g", "1", 1, above(0), initial, "factor of the conductance: spread between devices")
        .add(&State::k, "k", "1", 1, above(0), initial, "factor of the rates: spread between devices")
        .add(&State::g2, "g2", "1", 1, above(0), initial, "as g, of the second device")
        .add(&State::k2, "k2", "1", 1, above(0), initial, "as k, of the second device")
        .add(&State::reading, "reading", "uS", 0, any(), 0,
             "conductance (of a pair: G - G2) as last read by the schedule, with read noise");
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
    constexpr double per_tesla =
        1e4;  // Oe; a quotient, as the loader makes of "90 Oe", so that the two are equal
    s = {p, valve::Device(p), device::Reader(p), p.field_soft / per_tesla, p.field_hard / per_tesla};
  }
  static void init(State& s, const Shared& p) {
    s.soft = s.hard = -1;
    s.energy = s.reading = 0;
    show(s, p);
  }
  static std::uint32_t changes(const Params& p, std::uint32_t variable) {
    return variable == 1 || (variable == 5 && p.pair != 0);  // u and u2; the rest is spread
  }

  static double conductance(double u, float g, bool antiparallel, const Shared& s) {
    return static_cast<double>(g) * s.device.conductance(u, antiparallel);
  }
  static bool antiparallel(const State& s) { return s.soft != s.hard; }

  /// What a field event leaves in a device.
  static void write(double& u, const Shared& s) {
    const double G = s.device.parallel(u);
    if (!(G > s.p.update_th)) return;
    const double to = G + s.p.update * s.p.G_max * math::pow(G / s.p.G_max, s.p.update_exponent);
    u = to >= s.p.G_max ? 1 : s.device.state_of(to);
  }

  /// Conductances of the two devices, the second that of G_ref where there is one only.
  struct Pair {
    double G, G2;
    double weight(const Params& p) const { return p.w_max * (G - G2) / p.G_max; }
  };
  static Pair conductances(const State& s, const Shared& p) {
    const bool ap = antiparallel(s);
    return {conductance(s.u, s.g, ap, p), p.p.pair != 0 ? conductance(s.u2, s.g2, ap, p) : p.p.G_ref};
  }
  static void show(State& s, const Shared& p) { s.weight = conductances(s, p).weight(p.p); }
  /// The same as a read of synapse `i` finds them; it costs what it costs.
  static Pair read_out(Synapses<SpinValve> n, std::uint32_t i, std::uint32_t use) {
    const Shared& p = n.shared();
    Pair found = conductances(n[i], p);
    const Words w = p.reader.noisy() ? n.s.draw(i, use) : Words{};
    const auto z = [&](std::uint32_t k) { return p.reader.noisy() ? normal(w[k], w[k + 1]) : 0; };
    found.G = p.reader(found.G, z(0), n[i].energy);
    if (p.p.pair != 0) found.G2 = p.reader(found.G2, z(2), n[i].energy);
    return found;
  }

  static void on_pre(Synapses<SpinValve> n, double* out) {
    const Shared& p = n.shared();
    const bool plain = !p.reader.noisy() && !p.reader.counts;
    for (std::uint32_t i = 0; i < n.size(); ++i) out[i] = plain ? n[i].weight : read_out(n, i, 0).weight(p.p);
  }
  static void pulse(Synapses<SpinValve> n, std::uint32_t i, double V, double t) {
    const Shared& p = n.shared();
    State& s = n[i];
    double k = static_cast<double>(s.k), k2 = static_cast<double>(s.k2);
    if (const double sigma = p.p.cycle_noise; sigma > 0) {  // of mean 1
      const Words w = n.s.draw(i, 1);
      k *= factor(sigma, normal(w[0], w[1]));
      k2 *= factor(sigma, normal(w[2], w[3]));
    }
    const auto apply = [&](double& u, float g, const valve::Device::Pulse& on_it) {
      if (p.reader.counts)
        p.reader.pulse(V, static_cast<double>(g) * p.device.charge(u, on_it, antiparallel(s)), s.energy);
      u = p.device.after(u, on_it);
    };
    apply(s.u, s.g, p.device.pulse(V, t, k));
    if (p.p.pair != 0) apply(s.u2, s.g2, p.device.pulse(-V, t, k2));
  }
  /// Turns the electrodes; true if the device became antiparallel, be it on the way.
  static bool turn(State& s, const Control& c, const Shared& p) {
    const double B = c.value[0], size = math::abs(B);
    const float along = B < 0 ? -1 : 1;
    const bool before = antiparallel(s);
    const double state = c.value[1];
    if (state != device::unchanged) s.soft = state == device::antiparallel ? -s.hard : s.hard;
    else if (size >= p.soft) s.soft = along;
    const bool became = antiparallel(s) && !before;
    if (state == device::unchanged && size >= p.hard) s.hard = along;
    return became;
  }
  static void on_control(Synapses<SpinValve> n, const Control& c) {
    const Shared& p = n.shared();
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      State& s = n[i];
      if (c.stimulus == a_pulse) {
        const double u = s.u, u2 = s.u2;
        pulse(n, i, c.value[0], c.value[1]);
        if (s.u == u && s.u2 == u2) continue;  // half-selected devices of a crossbar, most often
      } else if (c.stimulus == a_field) {
        if (turn(s, c, p) && p.p.update > 0) {
          write(s.u, p);
          if (p.p.pair != 0) write(s.u2, p);
        }
      } else if (c.stimulus == a_read) {
        const Pair found = read_out(n, i, 2);
        s.reading = p.p.pair != 0 ? found.G - found.G2 : found.G;
        continue;
      } else {
        continue;
      }
      show(s, p);
    }
  }
  static double read(Synapses<SpinValve> n, std::uint32_t i, std::uint32_t variable) {
    const State& s = n[i];
    const auto wide = [](float x) { return static_cast<double>(x); };
    const double all[] = {s.weight,
                          s.u,
                          conductance(s.u, s.g, antiparallel(s), n.shared()),
                          antiparallel(s) ? -1.0 : 1.0,
                          s.energy,
                          s.u2,
                          conductance(s.u2, s.g2, antiparallel(s), n.shared()),
                          wide(s.g),
                          wide(s.k),
                          wide(s.g2),
                          wide(s.k2),
                          s.reading};
    return all[variable];  // in the order of variables()
  }
};
}  // namespace

SPINET_MODEL(synapse_table<SpinValve>())
