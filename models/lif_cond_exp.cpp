// lif_cond_exp: leaky integrate-and-fire with exponential synaptic conductances, as in benchmark 1 of R.
// Brette et al., "Simulation of networks of spiking neurons: a review of tools and strategies" (2007).
//
//   C dV/dt = g_L (E_L - V) + g_exc (E_exc - V) + g_inh (E_inh - V) + I_dc,   tau dg/dt = -g
//   at V >= v_th: V := v_reset
#include "spinet/conductance.hpp"

namespace {

using namespace spinet;

struct Parameters {
  double C_m, g_L, E_L, E_exc, E_inh, v_th, v_reset, t_ref, tau_syn_exc, tau_syn_inh, I_dc, tolerance;
};

struct LifCondExp : Conductances<LifCondExp, 2> {
  static constexpr const char* name = "lif_cond_exp";
  static constexpr const char* doc =
      "Leaky integrate-and-fire neuron with exponential synaptic conductances (Brette et al. 2007, benchmark "
      "1).";
  static constexpr const char* beyond =
      "V changes too fast to be integrated to the tolerance: conductances or I_dc are beyond what the model "
      "can follow";
  static constexpr Port ports[] = {
      {"exc", "nS", "excitatory conductance; weights count by their magnitude", 1, 1},
      {"inh", "nS", "inhibitory conductance; weights count by their magnitude, negative ones choose it", -1,
       1}};
  using Params = Parameters;
  struct Constants : Conducting<2> {
    Constants(const Params& q, const RunInfo& run) : Conducting<2>(run, q.t_ref, q.tolerance) {
      f = (q.g_L * q.E_L + q.I_dc) / q.C_m;
      r = q.g_L / q.C_m;
      fs[0] = q.E_exc / q.C_m, fs[1] = q.E_inh / q.C_m;
      rs[0] = rs[1] = 1 / q.C_m;
      v_th = q.v_th, v_reset = q.v_reset;
      set_tau(0, q.tau_syn_exc);
      set_tau(1, q.tau_syn_inh);
    }
  };

  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::C_m, "C_m", "pF", 200, at_least(1e-3), plain, "membrane capacitance")
        .add(&Params::g_L, "g_L", "nS", 10, above(0), plain, "leak conductance")
        .add(&Params::E_L, "E_L", "mV", -60, any(), plain, "leak reversal potential")
        .add(&Params::E_exc, "E_exc", "mV", 0, any(), plain, "excitatory reversal potential")
        .add(&Params::E_inh, "E_inh", "mV", -80, any(), plain, "inhibitory reversal potential")
        .add(&Params::v_th, "v_th", "mV", -50, any(), plain, "threshold")
        .add(&Params::v_reset, "v_reset", "mV", -60, any(), plain, "potential after a spike; below v_th")
        .add(&Params::t_ref, "t_ref", "ms", 5, at_least(0), in_ticks,
             "refractory period: V is held, conductances go on")
        .add(&Params::tau_syn_exc, "tau_syn_exc", "ms", 5, at_least(1e-9), plain,
             "time constant of the excitatory conductance")
        .add(&Params::tau_syn_inh, "tau_syn_inh", "ms", 10, at_least(1e-9), plain,
             "time constant of the inhibitory conductance")
        .add(&Params::I_dc, "I_dc", "pA", 0, any(), scheduled, "constant input current")
        .add(&Params::tolerance, "tolerance", "mV", 1e-9, between(1e-12, 1), plain,
             conductances_tolerance_doc);
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.computed("V", "mV", -60, any(), initial | recorded, "membrane potential")
        .computed("g_exc", "nS", 0, at_least(0), initial | recorded, "excitatory conductance")
        .computed("g_inh", "nS", 0, at_least(0), initial | recorded, "inhibitory conductance");
    return t;
  }
  static const char* check(const Params& p) {
    return p.v_reset < p.v_th ? nullptr : "v_reset must be below v_th, or the neuron would fire without end";
  }
};

}  // namespace

SPINET_MODEL(neuron_table<LifCondExp>())
