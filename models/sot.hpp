// The spin-orbit-torque device that leaks: a neuron (models/sot_lstm.cpp) and a synapse
// (plugins/sot_device.cpp) are made of it.  Source: R. I. Salinas Padilla, C.-H. Lai, "Self-regulated
// spintronic long short-term memory for spiking neural networks".  The paper shows curves without constants:
// a state that is smooth and multilevel in the current, probed 500 ms after the pulse; a decay over a few
// seconds, which current and width tune; trains that stay (LTP), isolated pulses that fade (LTD), weak or
// brief ones that leave nothing (STP, STD).  Equations and constants are a model, not in the paper, and each
// constant is a parameter.
//
// State.  Magnetization m = r + v: r stays, v relaxes; heat h.
//
// Between pulses  dh/dt = -h / tau_h,  dv/dt = -v (1 + heat_leak h) / tau_v:  the thermal spin current
// outlives the pulse and speeds the decay.  In closed form; m goes to r without turning.
//
// A pulse of current I and width w acts as a whole at its begin.  q is the part of the magnetization that it
// switches, S what the heat of earlier pulses makes of it, c what a full switch writes by itself:
//     I_c = I_0 (w_0 / w)^width_exponent
//     q = (sig((|I| - I_c) / I_width) - sig(-I_c / I_width)) / (1 - sig(-I_c / I_width)),  sig(x) = 1 / (1 +
//     e^-x) m' = m + q (sgn I - m),   S = h / (h + heat_half),   c = q^saturation r' = r + (m' - r) (c + (1 -
//     c) S q^2) - loss q (1 - q) (1 - S) r,   v' = m' - r' h' = h + heat_gain (w / w_0) (I / I_0)^2
//
// Gates.  As in a long short-term memory r is the cell state.  Amplitude and heat open the write gate: what
// they let through becomes part of r.  Polarity and width open the forget gate: pulses of the other sign, and
// single pulses of half a switch, lower r.  `write: 0`, `forget: 0` and `heat: 0` keep a gate shut.
#pragma once
#include "spinet/field.hpp"
#include "spinet/math.hpp"
#include "spinet/preset.hpp"

namespace spinet::sot {

/// Constants of a device, as networks give them: mA, ms.  The first fields of `Params`.
struct Constants {
  double I_0, I_width, w_0, width_exponent, tau_v, tau_h, heat_leak, heat_half, heat_gain, saturation, loss;
  double write, forget, heat;
};

/// The paper gives "a few seconds" and the curves without numbers; what makes them is ours.
inline constexpr const char* source =
    "R. I. Salinas Padilla, C.-H. Lai, \"Self-regulated spintronic long short-term memory for spiking neural "
    "networks\" (its figures have no numbers; constants: ours)";
inline constexpr Setting afm_fm[] = {
    {"I_0", 10}, {"I_width", 1}, {"w_0", 10}, {"tau_v", 2000}, {"tau_h", 1000}};

/// `each`: flags of all that are numbers.
template <class Params>
void add_constants(FieldTable<Params>& t, std::uint32_t each = 0) {
  constexpr Range times = between(1e-6, 1e15);  // so that their ratio is a number
  t.add(&Params::I_0, "I_0", "mA", 10, above(0), each,
        "current that switches half of the device in w_0 (not in the paper)")
      .add(&Params::I_width, "I_width", "mA", 1, above(0), each,
           "of the logistic function of the current (not in the paper)")
      .add(&Params::w_0, "w_0", "ms", 10, above(0), each,
           "width of a pulse to which I_0 belongs (not in the paper)")
      .add(&Params::width_exponent, "width_exponent", "1", 0.2, between(0, 10), each,
           "the current that switches half goes as w^-width_exponent (not in the paper)")
      .add(&Params::tau_v, "tau_v", "ms", 2000, times, each,
           "time constant of what relaxes; the paper says: a few seconds")
      .add(&Params::tau_h, "tau_h", "ms", 1000, times, each, "time constant of heat (not in the paper)")
      .add(&Params::heat_leak, "heat_leak", "1", 0.1, between(0, 1e6), each,
           "heat 1 makes the decay faster by this part (not in the paper)")
      .add(&Params::heat_half, "heat_half", "1", 0.5, above(0), each,
           "heat that opens the write gate half (not in the paper)")
      .add(&Params::heat_gain, "heat_gain", "1", 0.3, between(0, 1e6), each,
           "heat of a pulse of I_0 and w_0 (not in the paper)")
      .add(&Params::saturation, "saturation", "1", 8, at_least(0), each,
           "power of the part switched that is written without heat (not in the paper)")
      .add(&Params::loss, "loss", "1", 0.3, between(0, 4), each,
           "an isolated pulse lowers r by the part loss q (1 - q) (not in the paper)")
      .add(&Params::write, "write", "1", 1, between(0, 1), integer, "0: nothing is written into r")
      .add(&Params::forget, "forget", "1", 1, between(0, 1), integer,
           "0: nothing lowers r: no loss, and negative currents do nothing")
      .add(&Params::heat, "heat", "1", 1, between(0, 1), integer, "0: pulses leave no heat");
}

/// The most heat that is counted: numbers would overflow.
inline constexpr double hottest = 1e100;

struct State {
  double r, v, h;
  double m() const { return r + v; }
};

class Device {
 public:
  Device() = default;
  explicit Device(const Constants& c) : c_(c) {}

  /// `ms` later, without a pulse between.
  State later(const State& s, double ms) const {
    if (!(ms > 0)) return s;
    return {s.r, s.v * math::exp(log_decay(s.h, ms)), s.h * math::exp(-ms / c_.tau_h)};
  }
  /// ln(v / v before) `ms` later, from heat `h`.
  double log_decay(double h, double ms) const {
    return -ms / c_.tau_v + c_.heat_leak * h * (c_.tau_h / c_.tau_v) * math::expm1(-ms / c_.tau_h);
  }
  /// The part of the magnetization that a current switches in a time.
  double switched(double current, double ms) const {
    const double I_c = c_.I_0 * math::pow(c_.w_0 / ms, c_.width_exponent);
    // The same as above without differences of nearly equal numbers.
    const double size = math::abs(current);
    return -math::expm1(-size / c_.I_width) / (1 + math::exp((I_c - size) / c_.I_width));
  }
  /// Just behind a pulse that switches `factor` times as much as usual.  `s` is the state at its begin.
  State after(const State& s, double current, double ms, double factor = 1) const {
    if (current == 0 || (current < 0 && c_.forget == 0)) return s;
    const double most = factor * switched(current, ms), q = most < 1 ? most : 1;
    const double m = s.m() + q * ((current > 0 ? 1 : -1) - s.m());
    const double S = s.h / (s.h + c_.heat_half), c = math::pow(q, c_.saturation);
    State n = s;
    if (c_.write != 0) n.r += (m - s.r) * (c + (1 - c) * S * q * q);
    if (c_.forget != 0) n.r -= c_.loss * q * (1 - q) * (1 - S) * s.r;
    n.v = m - n.r;
    if (c_.heat != 0 && c_.heat_gain > 0) {
      const double over = current / c_.I_0, h = s.h + c_.heat_gain * (ms / c_.w_0) * over * over;
      n.h = h < hottest ? h : hottest;
    }
    return n;
  }
  const Constants& constants() const { return c_; }

 private:
  Constants c_;
};

}  // namespace spinet::sot
