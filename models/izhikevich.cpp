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
        .add(&Params::tau_syn_exc, "tau_syn_exc", "ms", 2, above(0), plain, "of excitatory currents")
        .add(&Params::tau_syn_inh, "tau_syn_inh", "ms", 2, above(0), plain, "of inhibitory currents")
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
  static bool quiet(const Constants& c, const State& s, double ms) {
    constexpr double top = -62.5;  // 0.04 v^2 + 5 v + 140 is -16.25 there
    const double v = s.y[0];
    if (!(v < std::min(top, c.p.v_peak)) || c.p.b < 0) return false;
    // u falls to b v at most; v falls by u and negative currents: no further than where the parabola alone is
    // as large.
    double in = c.p.I_dc, out = 0;
    for (const double x : s.x) (x > 0 ? in : out) += x;
    const double u_most = std::max(s.y[1], c.p.b * top);
    const double low =
        -62.5 - math::sqrt(std::max((16.25 - std::min(c.p.I_dc, 0.0) - out + u_most) / 0.04, 0.0));
    const double u_least = std::min(s.y[1], c.p.b * std::min(v, low));
    if (top < c.p.v_peak && in - 16.25 < u_least) return true;
    return v + std::max(v * (0.04 * v + 5) + 140 - u_least + in, 0.0) * ms < std::min(top, c.p.v_peak);
  }
};

}  // namespace

SPINET_MODEL(neuron_table<Izhikevich>())
