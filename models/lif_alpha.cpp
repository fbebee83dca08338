// lif_alpha: leaky integrate-and-fire with alpha-shaped synaptic currents, as iaf_psc_alpha of NEST, between
// ticks.
//
//   C dV/dt = -(C / tau_m) (V - E_L) + I_dc + I_exc + I_inh
//   at V >= v_th: V := v_reset, or, with a soft reset, V := V - (v_th - v_reset)
//   an event of weight w at 0 adds w (e t / tau) exp(-t / tau): a current that peaks at w, a time constant
//   later
#include "spinet/linear.hpp"

namespace {

using namespace spinet;

struct Parameters {
  double tau_m, C_m, tau_syn_exc, tau_syn_inh, E_L, v_th, v_reset, t_ref, I_dc, reset;
};

struct LifAlpha : Linear<LifAlpha, 2> {
  static constexpr const char* name = "lif_alpha";
  static constexpr const char* doc =
      "Leaky integrate-and-fire neuron with alpha-shaped synaptic currents. Exact.";
  static constexpr Port ports[] = {{"exc", "pA", "excitatory current; a weight is its peak", 1, 1},
                                   {"inh", "pA", "inhibitory current; a weight is its peak", -1, 1}};
  using Params = Parameters;
  struct Constants : Membrane<2> {
    double soft;  ///< 1 or 0
    Constants(const Params& p, const RunInfo& run) : Membrane<2>(run, p.t_ref), soft(p.reset) {
      C = p.C_m, tau_m = p.tau_m, E = p.E_L, v_th = p.v_th, v_reset = p.v_reset, I = p.I_dc;
      tau[0] = p.tau_syn_exc, tau[1] = p.tau_syn_inh;
    }
  };

  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::tau_m, "tau_m", "ms", 10, above(0), plain, "membrane time constant")
        .add(&Params::C_m, "C_m", "pF", 250, above(0), plain, "membrane capacitance; R = tau_m / C_m")
        .add(&Params::tau_syn_exc, "tau_syn_exc", "ms", 2, above(0), plain,
             "time to the peak of an excitatory current")
        .add(&Params::tau_syn_inh, "tau_syn_inh", "ms", 2, above(0), plain,
             "time to the peak of an inhibitory current")
        .add(&Params::E_L, "E_L", "mV", -70, any(), plain, "resting potential")
        .add(&Params::v_th, "v_th", "mV", -55, any(), plain, "threshold")
        .add(&Params::v_reset, "v_reset", "mV", -70, any(), plain, "potential after a spike; below v_th")
        .add(&Params::t_ref, "t_ref", "ms", 2, at_least(0), in_ticks,
             "refractory period: V is held, currents go on")
        .add(&Params::I_dc, "I_dc", "pA", 0, any(), scheduled, "constant input current")
        .choice(&Params::reset, "reset", "hard soft",
                "what a spike does: hard takes V to v_reset, soft takes v_th - v_reset from V");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.computed("V", "mV", -70, any(), initial | recorded, "membrane potential")
        .computed("I_syn", "pA", 0, any(), recorded, "synaptic current, both ports");
    return t;
  }
  static const char* check(const Params& p) {
    return p.v_reset < p.v_th ? nullptr : "v_reset must be below v_th, or the neuron would fire without end";
  }

  static void reset(const Constants& c, State& s) {
    s.V = c.v_reset + (c.soft == 0 ? 0 : std::max(s.V - c.v_th, 0.0));
    if (crossed(c, s)) s.risen = 0;  // it fires again
  }
  static void take(const Constants& c, State& s, std::uint32_t port, double weight) {
    s.d[port] += weight * 2.718281828459045 / c.tau[port];
  }
};

}  // namespace

SPINET_MODEL(neuron_table<LifAlpha>())
