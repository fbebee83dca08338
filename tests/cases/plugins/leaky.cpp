// A device that forgets, for `spinet device`: pulses add to x, which decays with a time constant that goes as
// 1 / temperature, a parameter that changes.  The closed forms are in device.py.
#include "spinet/device.hpp"
#include "spinet/math.hpp"
#include "spinet/synapse.hpp"

namespace {
using namespace spinet;

struct Leaky {
  static constexpr const char* name = "leaky";
  static constexpr const char* doc = "A device that forgets.";
  static constexpr Stimulus stimuli[] = {device::pulse};
  struct Params {
    double tau, temperature;
  };
  struct Shared {
    double per_tick;
  };
  struct State {
    double x;
    Tick last;
  };
  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::tau, "tau", "s", 100, above(0), 0, "time constant at 100 K")
        .add(&Params::temperature, "temperature", "K", 100, above(0), scheduled, "of the device");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::x, "x", "1", 0, any(), initial | port_unit, "what pulses leave");
    return t;
  }
  static void prepare(Shared& s, const Params& p, const RunInfo& run) {
    s = {p.temperature / (100 * p.tau * 1e3 * run.ticks_per_ms)};
  }
  static double now(const State& s, const Shared& p, Tick tick) {
    return s.x * math::exp(-p.per_tick * static_cast<double>(tick - s.last));
  }
  static void bring(State& s, const Shared& p, Tick tick) { s.x = now(s, p, tick), s.last = tick; }
  static void on_pre(Synapses<Leaky> n, double* out) {
    for (std::uint32_t i = 0; i < n.size(); ++i) out[i] = now(n[i], n.shared(), n.s.tick);
  }
  static void on_control(Synapses<Leaky> n, const Control& c) {
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      bring(n[i], n.shared(), n.s.tick);
      n[i].x += c.value[0] * c.value[1];
    }
  }
  static void set(Synapses<Leaky> n, const Params&, const Shared&) {
    for (std::uint32_t i = 0; i < n.size(); ++i) bring(n[i], n.shared(), n.s.tick);
  }
  static double read(Synapses<Leaky> n, std::uint32_t i, std::uint32_t) {
    return now(n[i], n.shared(), n.s.tick);
  }
};
}  // namespace

SPINET_MODEL(synapse_table<Leaky>())
