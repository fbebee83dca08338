// izhikevich: the simple model of E. M. Izhikevich, "Simple model of spiking neurons" (2003), with its units,
// and with exponential synaptic currents.
//
//   dv/dt = 0.04 v^2 + 5 v + 140 - u + I,   du/dt = a (b v - u)
//   at v >= v_peak: v := c, u := u + d
#include "spinet/ode.hpp"

namespace {

using namespace spinet;

struct Parameters {
  double a, b, c, d, v_peak, tau_syn_exc, tau_syn_inh, I_dc, tolerance;
};

struct Izhikevich : Ode<Izhikevich, 2, 2> {
  static constexpr const char* name = "izhikevich";
  static constexpr const char* doc =
      "Simple model of spiking neurons (Izhikevich 2003) with exponential synaptic currents, in mV/ms.";
  static constexpr const char* beyond =
      "v or u changes too fast, or too far, to be integrated to the tolerance: weights or I_dc are beyond "
      "what the model can follow";
  static constexpr Port ports[] = {{"exc", "mV/ms", "excitatory current", 1, 1},
                                   {"inh", "mV/ms", "inhibitory current", -1, 1}};
  using Params = Parameters;
  struct Constants : Timing {
    Params p;
    Constants(const Params& q, const RunInfo& run) : Timing(run, 0), p(q) {}
  };

  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::a, "a", "1/ms", 0.02, at_least(0), plain, "rate of the recovery variable u")
        .add(&Params::b, "b", "1/ms", 0.2, any(), plain, "u that v leads to, over v")
        .add(&Params::c, "c", "mV", -65, any(), plain, "v after a spike; below v_peak")
        .add(&Params::d, "d", "mV/ms", 8, any(), plain, "jump of u at a spike")
        .add(&Params::v_peak, "v_peak", "mV", 30, any(), plain, "v at which a spike is emitted")
        .add(&Params::tau_syn_exc, "tau_syn_exc", "ms", 2, at_least(1e-3), plain, "of excitatory currents")
        .add(&Params::tau_syn_inh, "tau_syn_inh", "ms", 2, at_least(1e-3), plain, "of inhibitory currents")
        .add(&Params::I_dc, "I_dc", "mV/ms", 0, any(), scheduled, "constant input current")
        .add(&Params::tolerance, "tolerance", "mV", 1e-9, between(1e-12, 1), plain, ode::tolerance_doc);
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.computed("v", "mV", -70, any(), initial | recorded, "membrane potential")
        .computed("u", "mV/ms", -14, any(), initial | recorded, "recovery variable")
        .computed("I_syn", "mV/ms", 0, any(), recorded, "synaptic current, both ports");
    return t;
  }
  static const char* check(const Params& p) {
    return p.c < p.v_peak ? nullptr : "c must be below v_peak, or the neuron would fire without end";
  }

  static double tau(const Constants& c, int port) { return port == 0 ? c.p.tau_syn_exc : c.p.tau_syn_inh; }
  static double threshold(const Constants& c) { return c.p.v_peak; }
  static void reset(const Constants& c, State& s) {
    s.y[0] = c.p.c;
    s.y[1] += c.p.d;
  }
  static double value(const Constants&, const State& s, std::uint32_t i) {
    return i < 2 ? s.y[i] : s.x[0] + s.x[1];
  }
  template <class T>
  static void slope(const Constants& c, const T (&y)[2], const T (&I)[2], T (&dy)[2]) {
    dy[0] = y[0] * (y[0] * 0.04 + 5.0) - y[1] + I[0] + I[1] + (140.0 + c.p.I_dc);
    dy[1] = (y[0] * c.p.b - y[1]) * c.p.a;
  }
  /// v does not pass `top`, the lowest point of the parabola, where its slope there is negative for all time;
  /// below that no slope is above the one where v is now, for the parabola falls.
  template <class T>
  static auto below(const Constants& c, const T (&y)[2], const T (&I)[2], T ms) {
    constexpr double top = -62.5;  // 0.04 v^2 + 5 v + 140 is -16.25 there
    const T v = y[0], in = c.p.I_dc + ode::positive(I[0]) + ode::positive(I[1]);
    // u falls to b v at most; v falls by u and negative currents: no further than where the parabola alone is
    // as large.
    const T out = std::min(c.p.I_dc, 0.0) + ode::negative(I[0]) + ode::negative(I[1]);
    const T most = 16.25 - out + ode::max(y[1], T{} + c.p.b * top);
    const T low = -62.5 - ode::sqrt(ode::positive(most) * 25);
    const T u = ode::min(y[1], c.p.b * ode::min(v, low));
    const T end = v + ode::positive(v * (0.04 * v + 5) + 140 - u + in) * ms;
    const double limit = std::min(top, c.p.v_peak), for_ever = top < c.p.v_peak ? -16.25 : math::infinity;
    return (v < (c.p.b < 0 ? -math::infinity : limit)) & ((in + for_ever < u) | (end < limit));
  }
};

}  // namespace

SPINET_MODEL(neuron_table<Izhikevich>())
