// glif3: generalised leaky integrate-and-fire with after-spike currents, model 3 of C. Teeter et al.,
// "Generalized leaky integrate-and-fire models classify multiple neuron types" (2018), with alpha-shaped
// synaptic currents of four time constants.
//
//   C dV/dt = -G (V - E_L) + I_dc + I_1 + I_2 + I_syn,   dI_j/dt = -k_j I_j
//   at V >= v_th: V := v_reset, I_j := A_j + r_j exp(-k_j t_ref) I_j; V and I_j stand still while it is
//   refractory
#include "spinet/linear.hpp"

namespace {

using namespace spinet;

struct Parameters {
  double C_m, G, E_L, v_th, v_reset, t_ref, k_1, k_2, A_1, A_2, r_1, r_2, tau_syn_1, tau_syn_2, tau_syn_3,
      tau_syn_4, I_dc;
};

struct Glif3 : Linear<Glif3, 6> {
  static constexpr const char* name = "glif3";
  static constexpr const char* doc =
      "Leaky integrate-and-fire neuron with two after-spike currents (GLIF3, Teeter et al. 2018). Exact.";
  static constexpr Port ports[] = {
      {"syn_1", "pA", "alpha-shaped current of tau_syn_1; a weight is its peak", 0, 1},
      {"syn_2", "pA", "the same of tau_syn_2", 0, 1},
      {"syn_3", "pA", "the same of tau_syn_3", 0, 1},
      {"syn_4", "pA", "the same of tau_syn_4", 0, 1}};
  static constexpr int held = 2;
  using Params = Parameters;
  struct Constants : Membrane<6> {
    double A[2], r[2];  // after-spike currents: what a spike adds, what is left of the rest after t_ref
    Constants(const Params& p, const RunInfo& run)
        : Membrane<6>(run, p.t_ref),
          A{p.A_1, p.A_2},
          r{p.r_1 * math::exp(-p.k_1 * p.t_ref), p.r_2 * math::exp(-p.k_2 * p.t_ref)} {
      C = p.C_m, tau_m = p.C_m / p.G, E = p.E_L, v_th = p.v_th, v_reset = p.v_reset, I = p.I_dc;
      const double times[] = {1 / p.k_1, 1 / p.k_2, p.tau_syn_1, p.tau_syn_2, p.tau_syn_3, p.tau_syn_4};
      std::copy_n(times, 6, tau);
    }
  };

  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::C_m, "C_m", "pF", 58.72, above(0), plain, "membrane capacitance")
        .add(&Params::G, "G", "nS", 9.43, above(0), plain,
             "leak conductance; the membrane time constant is C_m / G")
        .add(&Params::E_L, "E_L", "mV", -78.85, any(), plain, "resting potential")
        .add(&Params::v_th, "v_th", "mV", -51.68, any(), plain, "threshold")
        .add(&Params::v_reset, "v_reset", "mV", -78.85, any(), plain, "potential after a spike; below v_th")
        .add(&Params::t_ref, "t_ref", "ms", 3.75, at_least(0), in_ticks, "refractory period: V is held")
        .add(&Params::k_1, "k_1", "1/ms", 0.003, above(0), plain,
             "decay rate of the first after-spike current")
        .add(&Params::k_2, "k_2", "1/ms", 0.1, above(0), plain, "the same of the second")
        .add(&Params::A_1, "A_1", "pA", -9.18, any(), plain,
             "what a spike adds to the first of them: it decays from the end of t_ref on, and what "
             "was there before it over t_ref, too")
        .add(&Params::A_2, "A_2", "pA", -198.94, any(), plain, "the same of the second")
        .add(&Params::r_1, "r_1", "1", 1, between(0, 1), plain, "share of the first that a spike leaves")
        .add(&Params::r_2, "r_2", "1", 1, between(0, 1), plain, "the same of the second")
        .add(&Params::tau_syn_1, "tau_syn_1", "ms", 2, above(0), plain, "time to the peak at port syn_1")
        .add(&Params::tau_syn_2, "tau_syn_2", "ms", 2, above(0), plain, "the same at port syn_2")
        .add(&Params::tau_syn_3, "tau_syn_3", "ms", 2, above(0), plain, "the same at port syn_3")
        .add(&Params::tau_syn_4, "tau_syn_4", "ms", 2, above(0), plain, "the same at port syn_4")
        .add(&Params::I_dc, "I_dc", "pA", 0, any(), scheduled, "constant input current");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.computed("V", "mV", -78.85, any(), initial | recorded, "membrane potential")
        .computed("I_after", "pA", 0, any(), recorded, "after-spike currents, both")
        .computed("I_syn", "pA", 0, any(), recorded, "synaptic currents, all ports");
    return t;
  }
  static const char* check(const Params& p) {
    return p.v_reset < p.v_th ? nullptr : "v_reset must be below v_th, or the neuron would fire without end";
  }

  static void take(const Constants& c, State& s, std::uint32_t port, double weight) {
    s.d[held + port] += weight * 2.718281828459045 / c.tau[held + port];
  }
  static void fired(const Constants& c, State& s) {
    for (int j = 0; j < held; ++j) s.i[j] = c.A[j] + c.r[j] * s.i[j];
  }
  static double value(const Constants&, const State& s, std::uint32_t i) {
    if (i == 0) return s.V;
    return i == 1 ? s.i[0] + s.i[1] : s.i[2] + s.i[3] + s.i[4] + s.i[5];
  }
};

}  // namespace

SPINET_MODEL(neuron_table<Glif3>())
