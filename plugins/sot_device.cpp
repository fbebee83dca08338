// sot_device: the spin-orbit-torque device of models/sot.hpp as a synapse: pulses of current write it, events
// read it.
//
// Weight.  w_max m, the anomalous Hall voltage over that of a full switch; it relaxes between the events.
#include "../models/sot.hpp"
#include "spinet/drawn.hpp"
#include "spinet/math_batch.hpp"
#include "spinet/reality.hpp"
#include "spinet/synapse.hpp"

namespace {
using namespace spinet;

constexpr Field current_values[] = {
    stimulus_value("amplitude", "mA", "current", any(), required),
    stimulus_value("width", "s", "duration of a pulse", above(0), required | lasting),
};
constexpr Stimulus current =
    stimulus("current", "respond to pulses of current",
             "pulses of current through the devices of a projection", current_values, wired);

struct SotDevice {
  static constexpr const char* name = "sot_device";
  static constexpr const char* doc =
      "Spin-orbit-torque device: pulses of current leave a magnetization that is kept in part and relaxes in "
      "part.";
  static constexpr Stimulus stimuli[] = {current, device::read};
  enum { a_current, a_read };
  static constexpr bool draws_extended = true;
  static constexpr Preset presets[] = {preset("sot_afm_fm", sot::source, sot::afm_fm)};
  struct Params : sot::Constants, device::Reality {
    double w_max, resistance;
  };
  using Parts = device::RealityPartsAnd<device::LastRead>;
  struct Shared {
    Params p;
    sot::Device device;
    double ticks_per_ms;
    device::Knobs knobs;
  };
  struct State {
    double r, v, h, reading;
    Tick last;  ///< at which r, v and h are these
  };

  static auto params() {
    FieldTable<Params> t;
    sot::add_constants(t, spread);
    t.add(&Params::w_max, "w_max", "1", 100, any(), port_unit, "weight of a device that is switched wholly")
        .add(&Params::resistance, "resistance", "Ohm", 1000, above(0), spread,
             "of the channel, of what pulses and reads cost (not in the paper)");
    device::add_cycle_noise(t);  // a metal: its I-V is a line
    device::add_changes(t);
    device::add_reads(t);
    device::add_energy(t, {});
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.computed("weight", "1", 0, any(), port_unit, "w_max m, without read noise")
        .add(&State::r, "r", "1", 0, between(-1, 1), initial, "magnetization that is retained")
        .add(&State::v, "v", "1", 0, between(-2, 2), initial, "magnetization that relaxes")
        .add(&State::h, "h", "1", 0, between(0, sot::hottest), initial, "heat")
        .computed("m", "1", 0, between(-1, 1), 0, "magnetization, r + v")
        .add(&State::reading, "reading", "1", 0, any(), 0, "m as last read by the schedule, with read noise");
    device::add_reality_variables(t);
    return t;
  }
  static const char* check(const Params& p) { return device::problem(p); }
  static std::uint32_t parts(const Params& p) {
    return device::parts_of(p) | (device::unsteady(p) ? 32u : 0u);
  }
  /// It may be switched either way.
  static Sign sign(const Params&) { return Sign::either; }
  static void prepare(Shared& s, const Params& p, const RunInfo& run) {
    s = {p, sot::Device(p), run.ticks_per_ms, {p, run}};
  }
  static void init(Synapses<SotDevice> n) {
    State& s = n[0];
    s.reading = 0, s.last = 0;
    const double u = device::begin(n, 0, state_of(s.r + s.v));
    if (const auto* const d = n.part<device::Defect>(0); d && d->stuck != 0) hold(s, u);
  }

  /// The state of a magnetization, from 0 to 1, as stuck and worn devices have it.
  static double state_of(double m) { return (1 + m) / 2; }
  static double magnetization(double u) { return 2 * u - 1; }
  static void hold(State& s, double u) { s.r = magnetization(u), s.v = s.h = 0; }

  static sot::Device device_of(Synapses<SotDevice> n, std::uint32_t i) {
    return n.differ() ? sot::Device(n.params(i)) : n.shared().device;
  }
  static sot::State now(Synapses<SotDevice> n, std::uint32_t i) {
    const State& s = n[i];
    return device_of(n, i).later({s.r, s.v, s.h},
                                 static_cast<double>(n.s.emitted() - s.last) / n.shared().ticks_per_ms);
  }
  static double resistance(Synapses<SotDevice> n, std::uint32_t i) {
    return n.differ() ? n.params(i).resistance : n.shared().p.resistance;
  }
  /// The magnetization as a read finds it, at its price.
  static double read_out(Synapses<SotDevice> n, std::uint32_t i, std::uint32_t use) {
    const double m = now(n, i).m();
    if (n.shared().knobs.plain) return m;
    device::pay_read(n, i, 0, 1e6 / resistance(n, i));  // uS
    return device::noisy(n, i, 0, m, use);
  }
  static constexpr bool wide = true;
  /// Devices that are looked at together.
  struct Group {
    static constexpr std::uint32_t most = 64;
    double r[most], v[most], h[most], ms[most], tau_v[most], tau_h[most], heat_leak[most];
    double cooled[most], decay[most];
  };
  /// What reads see of parameters that devices may have drawn.
  struct Own {
    Drawn<SotDevice> tau_v, tau_h, heat_leak;
    explicit Own(Synapses<SotDevice> n)
        : tau_v(n, &Params::tau_v), tau_h(n, &Params::tau_h), heat_leak(n, &Params::heat_leak) {}
  };
  /// Fills in `count` devices.  Is any of them warm?
  static bool take(Synapses<SotDevice> n, std::uint32_t first, std::uint32_t count, const Own& of, Group& g) {
    const double ticks_per_ms = n.shared().ticks_per_ms;
    const Tick now = n.s.emitted();
    double heat = 0;
    for (std::uint32_t k = 0; k < count; ++k) {
      const State& s = n[first + k];
      const Tick past = now - s.last;
      g.r[k] = s.r, g.v[k] = s.v, g.h[k] = s.h;
      g.ms[k] = static_cast<double>(past > 0 ? past : 0) / ticks_per_ms;
      heat += s.h;
    }
    of.tau_v.of_each(n[first], count, g.tau_v);
    if (!(heat > 0)) return false;
    of.tau_h.of_each(n[first], count, g.tau_h);
    of.heat_leak.of_each(n[first], count, g.heat_leak);
    return true;
  }
  /// As `now`: m alone, of all devices, to the bit.
  static void look_at_all(Synapses<SotDevice> n, double* out) {
    const double w_max = n.shared().p.w_max;
    const Own of(n);
    Group g;
    for (std::uint32_t first = 0; first < n.size(); first += Group::most) {
      const std::uint32_t count = n.size() - first < Group::most ? n.size() - first : Group::most;
      const bool warm = take(n, first, count, of, g);
      for (std::uint32_t k = 0; k < count; ++k) g.decay[k] = -g.ms[k] / g.tau_v[k];
      if (warm) {
        for (std::uint32_t k = 0; k < count; ++k) g.cooled[k] = -g.ms[k] / g.tau_h[k];
        math::expm1_each(g.cooled, count);
        for (std::uint32_t k = 0; k < count; ++k)
          g.decay[k] += g.heat_leak[k] * g.h[k] * (g.tau_h[k] / g.tau_v[k]) * g.cooled[k];
      }
      math::exp_each(g.decay, count);
      double* const to = out + first;
      for (std::uint32_t k = 0; k < count; ++k) to[k] = w_max * (g.r[k] + g.v[k] * g.decay[k]);
    }
  }
  static void on_pre(Synapses<SotDevice> n, double* out) {
    if (n.shared().knobs.plain) return look_at_all(n, out);
    for (std::uint32_t i = 0; i < n.size(); ++i) out[i] = n.shared().p.w_max * read_out(n, i, 0);
  }
  static void pulse(Synapses<SotDevice> n, std::uint32_t i, double mA, double ms) {
    State& s = n[i];
    const sot::State before = now(n, i);
    if (device::counts(n)) device::pay(n, i, 0, mA * mA * resistance(n, i) * ms);
    const sot::State after = device_of(n, i).after(before, mA, ms, device::cycle_factor(n, i, 0, 2));
    s = {after.r, after.v, after.h, s.reading, n.s.emitted()};
    if (!device::holds(n.shared().knobs.p) || (after.m() == before.m() && after.r == before.r)) return;
    const device::Limits limits = device::limits(n, i, 0, state_of(before.m()));
    if (limits.low == limits.high) return hold(s, limits.low);
    s.r = magnetization(limits(state_of(after.r)));
    s.v = magnetization(limits(state_of(after.m()))) - s.r;
  }
  static void on_control(Synapses<SotDevice> n, const Control& c) {
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      if (c.stimulus == a_read) n[i].reading = read_out(n, i, 1);
      else if (c.stimulus == a_current) pulse(n, i, c.value[0], 1e3 * c.value[1]);
    }
  }
  static double read(Synapses<SotDevice> n, std::uint32_t i, std::uint32_t variable) {
    const sot::State s = now(n, i);
    const double all[] = {n.shared().p.w_max * s.m(), s.r, s.v, s.h, s.m(), n[i].reading};
    return all[variable];  // in the order of variables()
  }
};
}  // namespace

SPINET_MODEL(synapse_table<SotDevice>())
