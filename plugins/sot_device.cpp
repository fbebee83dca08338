// sot_device: the spin-orbit-torque device of models/sot.hpp as a synapse: pulses of current write it, events
// read it.
//
// Weight.  w_max m, the anomalous Hall voltage over that of a full switch; it relaxes between the events.
#include "../models/sot.hpp"
#include "spinet/device.hpp"
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
  struct Params : sot::Constants {
    double w_max;
  };
  struct Shared {
    sot::Device device;
    double w_max, ticks_per_ms;
  };
  struct State {
    double r, v, h, reading;
    Tick last;  ///< at which r, v and h are these
  };

  static auto params() {
    FieldTable<Params> t;
    sot::add_constants(t);
    t.add(&Params::w_max, "w_max", "1", 100, any(), port_unit, "weight of a device that is switched wholly");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.computed("weight", "1", 0, any(), port_unit, "w_max m")
        .add(&State::r, "r", "1", 0, between(-1, 1), initial, "magnetization that is retained")
        .add(&State::v, "v", "1", 0, between(-2, 2), initial, "magnetization that relaxes")
        .add(&State::h, "h", "1", 0, between(0, sot::hottest), initial, "heat")
        .computed("m", "1", 0, between(-1, 1), 0, "magnetization, r + v")
        .add(&State::reading, "reading", "1", 0, any(), 0, "m as last read by the schedule");
    return t;
  }
  /// It may be switched either way.
  static Sign sign(const Params&) { return Sign::either; }
  static void prepare(Shared& s, const Params& p, const RunInfo& run) {
    s = {sot::Device(p), p.w_max, run.ticks_per_ms};
  }
  static void init(State& s, const Shared&) { s.reading = 0, s.last = 0; }

  static sot::State now(const State& s, const Shared& p, Tick tick) {
    return p.device.later({s.r, s.v, s.h}, static_cast<double>(tick - s.last) / p.ticks_per_ms);
  }
  static void on_pre(Synapses<SotDevice> n, double* out) {
    for (std::uint32_t i = 0; i < n.size(); ++i)
      out[i] = n.shared().w_max * now(n[i], n.shared(), n.s.emitted()).m();
  }
  static void on_control(Synapses<SotDevice> n, const Control& c) {
    const Shared& p = n.shared();
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      State& s = n[i];
      sot::State at = now(s, p, n.s.emitted());
      if (c.stimulus == a_read) {
        s.reading = at.m();
        continue;
      }
      at = p.device.after(at, c.value[0], 1e3 * c.value[1]);
      s.r = at.r, s.v = at.v, s.h = at.h, s.last = n.s.emitted();
    }
  }
  static double read(Synapses<SotDevice> n, std::uint32_t i, std::uint32_t variable) {
    const sot::State s = now(n[i], n.shared(), n.s.emitted());
    const double all[] = {n.shared().w_max * s.m(), s.r, s.v, s.h, s.m(), n[i].reading};
    return all[variable];  // in the order of variables()
  }
};
}  // namespace

SPINET_MODEL(synapse_table<SotDevice>())
