// hodgkin_huxley: R. D. Traub and R. Miles, "Neuronal networks of the hippocampus" (1991), with exponential
// synaptic conductances, as in benchmark 3 of R. Brette et al., "Simulation of networks of spiking neurons: a
// review of tools and strategies" (2007).  V goes on through a spike: there is no reset.
#include "spinet/ode.hpp"

namespace {

using namespace spinet;

struct Parameters {
  double C_m, g_L, E_L, g_Na, E_Na, g_K, E_K, V_T, v_th, E_exc, E_inh, tau_syn_exc, tau_syn_inh, I_dc,
      tolerance;
};

struct HodgkinHuxley : Ode<HodgkinHuxley, 4, 2> {
  static constexpr const char* name = "hodgkin_huxley";
  static constexpr const char* doc =
      "Hodgkin-Huxley neuron of Traub and Miles (1991), exponential conductances (Brette et al. 2007).";
  static constexpr const char* beyond =
      "V changes too fast, or too far, to be integrated: conductances or I_dc are beyond what it can follow";
  static constexpr Port ports[] = {
      {"exc", "nS", "excitatory conductance; weights count by their magnitude", 1, 1},
      {"inh", "nS", "inhibitory conductance; weights count by their magnitude, negative choose it", -1, 1}};
  using Params = Parameters;
  struct Constants : Timing {
    Params p;
    Constants(const Params& q, const RunInfo& run) : Timing(run, 0), p(q) {}
  };

  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::C_m, "C_m", "pF", 200, above(0), plain, "membrane capacitance")
        .add(&Params::g_L, "g_L", "nS", 10, at_least(0), plain, "leak conductance")
        .add(&Params::E_L, "E_L", "mV", -60, any(), plain, "leak reversal potential")
        .add(&Params::g_Na, "g_Na", "nS", 20'000, at_least(0), plain, "largest sodium conductance")
        .add(&Params::E_Na, "E_Na", "mV", 50, any(), plain, "sodium reversal potential")
        .add(&Params::g_K, "g_K", "nS", 6'000, at_least(0), plain, "largest potassium conductance")
        .add(&Params::E_K, "E_K", "mV", -90, any(), plain, "potassium reversal potential")
        .add(&Params::V_T, "V_T", "mV", -63, any(), plain, "what the rates of the channels count V from")
        .add(&Params::v_th, "v_th", "mV", -20, any(), plain, "V fires where it comes to it from below")
        .add(&Params::E_exc, "E_exc", "mV", 0, any(), plain, "excitatory reversal potential")
        .add(&Params::E_inh, "E_inh", "mV", -80, any(), plain, "inhibitory reversal potential")
        .add(&Params::tau_syn_exc, "tau_syn_exc", "ms", 5, at_least(1e-3), plain, "of g_exc")
        .add(&Params::tau_syn_inh, "tau_syn_inh", "ms", 10, at_least(1e-3), plain, "of g_inh")
        .add(&Params::I_dc, "I_dc", "pA", 0, any(), scheduled, "constant input current")
        .add(&Params::tolerance, "tolerance", "mV", 1e-9, between(1e-12, 1), plain, ode::tolerance_doc);
    return t;
  }
  static constexpr bool inputs_given = true, alone = true;
  static auto variables() {
    FieldTable<State> t;
    t.computed("V", "mV", -60, any(), initial | recorded, "membrane potential")
        .computed("m", "1", 0.063, between(0, 1), initial | recorded, "activation of sodium channels")
        .computed("h", "1", 0.981, between(0, 1), initial | recorded, "their inactivation: 1 is none")
        .computed("n", "1", 0.098, between(0, 1), initial | recorded, "activation of potassium channels")
        .computed("g_exc", "nS", 0, at_least(0), initial | recorded, "excitatory conductance")
        .computed("g_inh", "nS", 0, at_least(0), initial | recorded, "inhibitory conductance");
    return t;
  }

  static double tau(const Constants& c, int port) { return port == 0 ? c.p.tau_syn_exc : c.p.tau_syn_inh; }
  static double threshold(const Constants& c) { return c.p.v_th; }
  /// V follows channels over some 100 mV.
  static double size(const Constants&, int i) { return i == 0 ? 1 : 100; }
  /// V goes on, above v_th whatever rounding says.
  static void reset(const Constants& c, State& s) {
    s.y[0] = std::max(s.y[0], c.p.v_th + 1e-12 * (1 + math::abs(c.p.v_th)));
  }
  static bool reach(const Constants& c, State& s, double ms) { return go(c, s, ms); }
  static double arriving(double g) { return math::abs(g); }
  template <class T>
  static void slope(const Constants& c, const T (&y)[4], const T (&g)[2], T (&dy)[4]) {
    const auto& [V, m, h, n] = y;
    const T v = V - c.p.V_T, hn = n * n;
    const T Na = m * m * m * h * c.p.g_Na, K = hn * hn * c.p.g_K;
    const double rest = c.p.g_L * c.p.E_L + c.p.I_dc;
    const T in = Na * c.p.E_Na + K * c.p.E_K + g[0] * c.p.E_exc + g[1] * c.p.E_inh + rest;
    dy[0] = (in - (Na + K + g[0] + g[1] + c.p.g_L) * V) / c.p.C_m;
    const auto gate = [](T& dx, const T& x, const T& on, const T& off) { dx = on - (on + off) * x; };
    gate(dy[1], m, over_expm1((13.0 - v) / 4.0) * 1.28, over_expm1((v - 40.0) / 5.0) * 1.4);
    gate(dy[2], h, exp((17.0 - v) / 18.0) * 0.128, 4.0 / (exp((40.0 - v) / 5.0) + 1.0));
    gate(dy[3], n, over_expm1((15.0 - v) / 5.0) * 0.16, exp((10.0 - v) / 40.0) * 0.5);
  }
};

}  // namespace

SPINET_MODEL(neuron_table<HodgkinHuxley>())
