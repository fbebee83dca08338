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

struct SpinValve {
  static constexpr const char* name = "spin_valve";
  static constexpr const char* doc =
      "Molecular spin valve: voltage pulses change its conductance, a magnetic field raises it where it is "
      "high.";
  static constexpr Stimulus stimuli[] = {device::pulse, device::field, device::read};
  enum { a_pulse, a_field, a_read };
  static constexpr bool draws = true;
  static constexpr Preset presets[] = {preset("lsmo_alq3_co", valve::source, valve::lsmo_alq3_co)};
  struct Params : valve::Constants, device::Reality {
    double field_soft, field_hard, w_max, G_ref, pair, update, update_exponent, update_th;
  };
  using Parts = device::RealityParts;
  struct Shared {
    Params p;
    valve::Device device;
    device::Knobs knobs;
  };
  /// Directions of the electrodes, +1 or -1.
  struct Electrodes {
    float soft, hard;
    bool antiparallel() const { return soft != hard; }
  };
  struct State {
    double weight, u, u2, reading;  // the weight first: computed variables, which have no place of their own,
                                    // share it until init
    Electrodes of[2];               ///< by device
    double& state(std::uint32_t device) { return device == 0 ? u : u2; }
  };

  static auto params() {
    constexpr auto flag = between(0, 1);
    FieldTable<Params> t;
    valve::add_constants(t);
    t.add(&Params::field_soft, "field_soft", "Oe", 90, above(0), spread,
          "field that turns the soft electrode (not in the paper)")
        .add(&Params::field_hard, "field_hard", "Oe", 250, above(0), spread,
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
             "conductance up to which it leaves no change");
    device::add_reality(t);
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::weight, "weight", "1", 0, any(), port_unit,
          "weight in the present magnetic state, without read noise")
        .add(&State::u, "u", "1", 0, between(0, 1), initial, "0: least conductance, 1: greatest")
        .computed("G", "uS", 0, at_least(0), 0, "conductance in the present magnetic state")
        .computed("state", "1", 1, between(-1, 1), 0, "1: electrodes parallel, -1: antiparallel")
        .add(&State::u2, "u2", "1", 0, between(0, 1), initial, "u of the second device of a pair")
        .computed("G2", "uS", 0, at_least(0), 0, "conductance of the second device")
        .add(&State::reading, "reading", "uS", 0, any(), 0,
             "conductance (of a pair: G - G2) as last read by the schedule, with read noise");
    device::add_reality_variables(t);
    return t;
  }
  static const char* check(const Params& p) {
    if (const char* problem = valve::problem(p)) return problem;
    if (p.G_ref > p.G_max) return "G_ref must not exceed G_max: it would lie outside the device's range";
    if (p.field_hard < p.field_soft) return "field_hard must not be below field_soft";
    return device::problem(p);
  }
  static std::uint32_t parts(const Params& p) { return device::parts_of(p); }
  static std::uint32_t devices(const Params& p) { return p.pair != 0 ? 2 : 1; }
  /// Only a single device over no reference has weights of one sign.
  static Sign sign(const Params& p) {
    return p.pair != 0 || p.G_ref > 0 ? Sign::either : p.w_max < 0 ? Sign::negative : Sign::positive;
  }
  static void prepare(Shared& s, const Params& p, const RunInfo& run) {
    s = {p, valve::Device(p), device::Knobs(p, run)};
  }
  static void init(Synapses<SpinValve> n) {
    State& s = n[0];
    s.of[0] = s.of[1] = {-1, -1};
    s.reading = 0;
    for (std::uint32_t d = 0; d < devices(n.shared().p); ++d) s.state(d) = device::begin(n, d, s.state(d));
    show(n, 0);
  }
  static std::uint32_t changes(const Params& p, std::uint32_t variable) {
    return variable == 1 || (variable == 4 && p.pair != 0);  // u and u2
  }

  static double conductance(Synapses<SpinValve> n, std::uint32_t i, std::uint32_t d) {
    if (!n.differ()) return conductance(n.shared().device, n[i].state(d), n[i].of[d]);
    return conductance(valve::device_of(n, i, d), n[i].state(d), n[i].of[d]);
  }
  static double conductance(const valve::Device& own, double u, const Electrodes& of) {
    return own.g * (of.antiparallel() ? own.antiparallel(u) : own.parallel(u));
  }

  /// What a field event leaves in a device.
  static void write(Synapses<SpinValve> n, std::uint32_t i, std::uint32_t d) {
    const Params& p = n.shared().p;
    const valve::Device own = valve::device_of(n, i, d);
    double& u = n[i].state(d);
    const double G = own.parallel(u);
    if (!(G > p.update_th)) return;
    const double to = G + p.update * own.G_max * math::pow(G / own.G_max, p.update_exponent);
    u = device::changed(n, i, d, u, to >= own.G_max ? 1 : own.state_of(to));
  }

  /// Conductances of the two devices, the second that of G_ref where there is one only.
  struct Pair {
    double G, G2;
    double weight(const Params& p) const { return p.w_max * (G - G2) / p.G_max; }
  };
  static Pair conductances(Synapses<SpinValve> n, std::uint32_t i) {
    const Params& p = n.shared().p;
    return {conductance(n, i, 0), p.pair != 0 ? conductance(n, i, 1) : p.G_ref};
  }
  static void show(Synapses<SpinValve> n, std::uint32_t i) {
    n[i].weight = conductances(n, i).weight(n.shared().p);
  }
  /// The same as a read of synapse `i` finds them; it costs what it costs.
  static Pair read_out(Synapses<SpinValve> n, std::uint32_t i, std::uint32_t use) {
    Pair found = conductances(n, i);
    found.G = device::found(n, i, 0, found.G, use);
    if (n.shared().p.pair != 0) found.G2 = device::found(n, i, 1, found.G2, use);
    return found;
  }

  static void on_pre(Synapses<SpinValve> n, double* out) {
    const Shared& p = n.shared();
    for (std::uint32_t i = 0; i < n.size(); ++i)
      out[i] = p.knobs.plain ? n[i].weight : read_out(n, i, 0).weight(p.p);
  }
  static void pulse(Synapses<SpinValve> n, std::uint32_t i, double V, double t) {
    State& s = n[i];
    for (std::uint32_t d = 0; d < devices(n.shared().p); ++d, V = -V) {
      const valve::Device own = valve::device_of(n, i, d);
      const auto on_it = own.pulse(V, t, own.k * device::cycle_factor(n, i, d, 1));
      double& u = s.state(d);
      u = valve::pulsed(n, i, d, own, {u, on_it, s.of[d].antiparallel()});
    }
  }
  /// Turns a device's electrodes; true if it became antiparallel, be it on the way.
  static bool turn(Electrodes& e, const Control& c, const Params& p) {
    constexpr double per_tesla =
        1e4;  // Oe; a quotient, as the loader makes of "90 Oe", so that the two are equal
    const double B = c.value[0], size = math::abs(B);
    const float along = B < 0 ? -1 : 1;
    const bool before = e.antiparallel();
    const int state = static_cast<int>(c.value[1]);
    if (state != device::unchanged) e.soft = state == device::antiparallel ? -e.hard : e.hard;
    else if (size >= p.field_soft / per_tesla) e.soft = along;
    const bool became = e.antiparallel() && !before;
    if (state == device::unchanged && size >= p.field_hard / per_tesla) e.hard = along;
    return became;
  }
  static void field(Synapses<SpinValve> n, std::uint32_t i, const Control& c) {
    const Params& p = n.shared().p;
    for (std::uint32_t d = 0; d < devices(p); ++d) {
      device::pay_field(n, i, d);
      const bool became = n.differ() ? turn(n[i].of[d], c, n.params(i, d)) : turn(n[i].of[d], c, p);
      if (became && p.update > 0) write(n, i, d);
    }
  }
  /// A pulse on devices that do not differ, which costs nothing and always does the same.
  struct Common {
    bool alike = false;
    valve::Device::Pulse on[2]{};  ///< each device of a synapse
    double part[2]{};
    bool acts() const { return on[0].acts() || on[1].acts(); }
  };
  static Common common(Synapses<SpinValve> n, const Control& c) {
    const Shared& p = n.shared();
    if (c.stimulus != a_pulse || n.differ() || device::counts(n) || device::is_on(p.p.cycle_noise)) return {};
    Common all{true};
    for (std::uint32_t d = 0; d < devices(p.p); ++d) {
      all.on[d] = p.device.pulse(d == 0 ? c.value[0] : -c.value[0], c.value[1], p.device.k);
      if (all.on[d].acts()) all.part[d] = valve::Device::part(all.on[d]);
    }
    return all;
  }
  static void pulse(Synapses<SpinValve> n, std::uint32_t i, const Common& all) {
    for (std::uint32_t d = 0; d < devices(n.shared().p); ++d) {
      if (!all.on[d].acts()) continue;
      double& u = n[i].state(d);
      u = device::changed(n, i, d, u, valve::Device::moved(u, all.on[d].V, all.part[d]));
    }
  }
  static void on_control(Synapses<SpinValve> n, const Control& c, const Common& all) {
    if (all.alike && !all.acts()) return;  // half-selected devices of a crossbar, most often
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      if (c.stimulus == a_pulse) {
        const State& s = n[i];
        const double u = s.u, u2 = s.u2;
        if (all.alike) pulse(n, i, all);
        else pulse(n, i, c.value[0], c.value[1]);
        if (s.u == u && s.u2 == u2) continue;
      } else if (c.stimulus == a_field) {
        field(n, i, c);
      } else if (c.stimulus == a_read) {
        const Pair found = read_out(n, i, 2);
        n[i].reading = n.shared().p.pair != 0 ? found.G - found.G2 : found.G;
        continue;
      } else {
        continue;
      }
      show(n, i);
    }
  }
  static double read(Synapses<SpinValve> n, std::uint32_t i, std::uint32_t variable) {
    const State& s = n[i];
    const bool pair = n.shared().p.pair != 0;
    switch (variable) {  // as in variables()
      case 0:
        return s.weight;
      case 1:
        return s.u;
      case 2:
        return conductance(n, i, 0);
      case 3:
        return s.of[0].antiparallel() ? -1 : 1;
      case 4:
        return s.u2;
      case 5:
        return pair ? conductance(n, i, 1) : n.shared().p.g * n.shared().device.parallel(s.u2);
      default:
        return s.reading;
    }
  }
};
}  // namespace

SPINET_MODEL(synapse_table<SpinValve>())
