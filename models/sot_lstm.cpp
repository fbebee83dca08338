// sot_lstm: the spin-orbit-torque device of sot.hpp as a neuron with long and short-term memory.
//
// Every arrival is a pulse of current, its weight the amplitude: positive ones last `write_width`, negative
// ones `forget_width`.  Currents that arrive in one tick flow together: they are added up, and are one pulse
// at the end of the tick.
//
// The neuron fires where m = r + v reaches `threshold`: by a pulse that raises m, also from above, or on its
// own way, if r lies beyond the threshold and v comes back from below; a spike then sets v to `v_reset`. What
// is retained, r, survives.  Between pulses m goes to r without turning, so there is one such way at most,
// and its tick is found exactly.
#include "sot.hpp"
#include "spinet/neuron.hpp"

namespace {
using namespace spinet;

struct SotLstm {
  static constexpr const char* name = "sot_lstm";
  static constexpr const char* doc =
      "Spin-orbit-torque neuron with long and short-term memory: pulses of current write, leak, and are kept "
      "or "
      "forgotten.";
  static constexpr Port ports[] = {{"in", "mA", "current of a pulse, of either sign", 0, 1, 1}};
  static constexpr Preset presets[] = {preset("sot_afm_fm", sot::source, sot::afm_fm)};
  struct Params : sot::Constants {
    double threshold, v_reset, write_width, forget_width;
  };
  struct Constants {
    sot::Device device;
    double threshold, v_reset, write_width, forget_width, ticks_per_ms;
  };
  struct State {
    sot::State at;  ///< at `last`
    Tick last;
    Tick crossing;  ///< where m will reach the threshold by itself, or `nowhere`
    double input;   ///< currents of this tick
    double below;   ///< 1: m was below the threshold at `last`
  };
  static constexpr Tick nowhere = -1;

  static auto params() {
    FieldTable<Params> t;
    sot::add_constants(t);
    t.add(&Params::threshold, "threshold", "1", 0.5, Range{0, 1, low_open}, 0,
          "m at which a spike is emitted (not in the paper)")
        .add(&Params::v_reset, "v_reset", "1", 0, between(-2, 0), 0, "v after a spike (not in the paper)")
        .add(&Params::write_width, "write_width", "ms", 10, above(0), 0,
             "width of positive pulses (not in the paper)")
        .add(&Params::forget_width, "forget_width", "ms", 10, above(0), 0,
             "width of negative pulses (not in the paper)");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.computed("m", "1", 0, between(-1, 1), recorded, "magnetization, r + v")
        .computed("r", "1", 0, between(-1, 1), initial | recorded, "what is retained: the cell state")
        .computed("v", "1", 0, between(-2, 2), initial | recorded, "what relaxes")
        .computed("h", "1", 0, between(0, sot::hottest), initial | recorded, "heat");
    return t;
  }

  using N = Neurons<SotLstm>;
  static void init(N n, std::uint32_t j, const Params& p, const double* initial) {
    n.constants(j) = {sot::Device(p), p.threshold,    p.v_reset,
                      p.write_width,  p.forget_width, n.b.run.ticks_per_ms};
    State& s = n.state(j);
    s = {{initial[0], initial[1], initial[2]}, 0, nowhere, 0, 1};
    if (s.at.m() >= p.threshold) s.crossing = 0, n.out().evaluate_at(0, j);
    else foresee(n, j);
  }
  static sot::State at(const State& s, const Constants& c, Tick tick) {
    return c.device.later(s.at, static_cast<double>(tick - s.last) / c.ticks_per_ms);
  }

  static void arrive(N n, Tick, std::uint32_t, std::uint32_t j, double w) { n.state(j).input += w; }
  static void evaluate(N n, Tick tick, std::span<const std::uint32_t> js) {
    for (const std::uint32_t j : js) {
      const double input = n.state(j).input;
      if (input != 0 || tick == n.state(j).crossing) look(n, j, tick, input);
    }
  }
  /// A pulse, or a crossing, or both.
  static void look(N n, std::uint32_t j, Tick tick, double input) {
    State& s = n.state(j);
    const Constants& c = n.constants(j);
    if (input != input) return n.out().fail(tick, j, "the currents of a tick add up to no number");
    const sot::State before = at(s, c, tick);
    s.at = c.device.after(before, input, input > 0 ? c.write_width : c.forget_width);
    const bool came = s.below != 0 && before.m() >= c.threshold, raised = s.at.m() > before.m();
    if (s.at.m() >= c.threshold && (came || raised)) {
      n.out().emit(tick, j);
      s.at.v = c.v_reset;
    }
    s.last = tick;
    s.input = 0;
    s.below = s.at.m() < c.threshold;
    s.crossing = nowhere;
    foresee(n, j);
  }
  /// Finds the first tick at which m reaches the threshold without another pulse, and asks for it.
  static void foresee(N n, std::uint32_t j) {
    State& s = n.state(j);
    const Constants& c = n.constants(j);
    const double over = s.at.r - c.threshold;  // v has to come up to -over
    if (!(over > 0 && s.at.v < 0 && s.below != 0)) return;
    // Newton's method from the left on ln(v / v before), which falls and is convex: it never goes too far.
    const double wanted = math::log(over / -s.at.v);
    const auto& p = c.device.constants();
    double ms = 0;
    for (int i = 0; i < 64; ++i) {
      const double rest = c.device.log_decay(s.at.h, ms) - wanted;
      const double rate = (1 + p.heat_leak * s.at.h * math::exp(-ms / p.tau_h)) / p.tau_v;
      const double step = rest / rate;
      ms += step;
      if (!(step > 1e-15 * ms)) break;
    }
    constexpr double far = 0x1p60;  // ticks
    const double ticks = ms * c.ticks_per_ms;
    if (!(ticks < far)) return;
    const auto reached = [&](Tick t) { return at(s, c, t).m() >= c.threshold; };
    Tick t = s.last + 1 + (ticks > 2 ? static_cast<Tick>(ticks) - 2 : 0);
    for (int i = 0; i < 64 && t > s.last + 1 && reached(t); ++i) --t;
    for (int i = 0; i < 64 && !reached(t); ++i) ++t;
    s.crossing = t;
    n.out().evaluate_at(t, j);
  }

  static double read(N n, Tick tick, std::uint32_t j, std::uint32_t variable) {
    const sot::State s = at(n.state(j), n.constants(j), tick);
    return variable == 0 ? s.m() : variable == 1 ? s.r : variable == 2 ? s.v : s.h;
  }
};
}  // namespace

SPINET_MODEL(spinet::neuron_table<SotLstm>())
