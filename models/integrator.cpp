// integrator: a leaky or perfect integrator of currents, with or without a threshold.
//
//   tau_m dV/dt = leak (E_L - V) + R I,   tau_syn dI/dt = -I + gain (S + I_dc)
//   at V >= v_th: V := v_reset, or, with a soft reset, V := V - (v_th - v_reset)
//
// where I = gain (S + I_dc) if tau_syn is 0.  S is what arrives: a `charge` is an impulse of that area, a
// `step` a change of S that stays until another one takes it back.  A spike that lasts is a step up and a
// step down.
#include "spinet/linear.hpp"

namespace {

using namespace spinet;

struct Parameters {
  double tau_m, R, tau_syn, gain, E_L, v_th, v_reset, I_dc, reset, leak, spiking;
};

struct Integrator : Linear<Integrator, 1> {
  static constexpr const char* name = "integrator";
  static constexpr const char* doc =
      "Leaky or perfect integrator of impulses and steps of current, low-passed or not, with or without a "
      "threshold. Exact.";
  enum : std::uint32_t { charge, step };
  static constexpr Port ports[] = {
      {"charge", "pC", "impulse of current of this area; V moves by gain R / tau_m of it where tau_syn is 0",
       0, 1},
      {"step", "pA", "change of the current, which stays", 0, 1}};
  using Params = Parameters;
  /// Currents are kept times R, in mV, so that R may be 0 or negative: in place of C there is tau_m.
  struct Constants : Membrane<1> {
    double soft;        ///< 1 or 0
    double factor;      ///< gain R [mV/pA]
    double jump;        ///< of V, or of R I, by a charge of 1 pC
    double low_passed;  ///< 1 or 0
    Constants(const Params& p, const RunInfo& run)
        : Membrane<1>(run, 0), soft(p.reset), factor(p.gain * p.R), jump(0), low_passed(p.tau_syn > 0) {
      C = p.tau_m, tau_m = p.leak == 0 ? p.tau_m : no_leak, E = p.E_L, v_reset = p.v_reset;
      v_th = p.spiking == 0 ? p.v_th : math::infinity;
      I = factor * p.I_dc;
      tau[0] = low_passed != 0 ? p.tau_syn : 1;
      jump = factor * (ms_of_pC / (low_passed != 0 ? p.tau_syn : p.tau_m));
    }
  };
  static constexpr double no_leak = 1e150;  ///< a membrane time constant [ms] at which nothing leaks
  static constexpr double ms_of_pC = 1000;  ///< 1 pC = 1000 pA ms

  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::tau_m, "tau_m", "ms", 10, between(1e-3, 1e100), plain, "membrane time constant")
        .add(&Params::R, "R", "GOhm", 1, any(), plain,
             "membrane resistance; without a leak 1 / R = C_m / tau_m")
        .add(&Params::tau_syn, "tau_syn", "ms", 0, at_least(0), plain,
             "time constant of the low pass before the membrane; 0: none")
        .add(&Params::gain, "gain", "1", 1, any(), plain, "factor of all input, I_dc too")
        .add(&Params::E_L, "E_L", "mV", 0, any(), plain, "resting potential; without a leak of no meaning")
        .add(&Params::v_th, "v_th", "mV", 1, any(), plain, "threshold")
        .add(&Params::v_reset, "v_reset", "mV", 0, any(), plain, "potential after a spike; below v_th")
        .add(&Params::I_dc, "I_dc", "pA", 0, any(), scheduled, "constant input, low-passed as all other")
        .choice(&Params::reset, "reset", "hard soft",
                "what a spike does: hard takes V to v_reset, soft takes v_th - v_reset from V")
        .choice(&Params::leak, "leak", "on off", "whether V decays towards E_L")
        .choice(&Params::spiking, "spiking", "yes no", "whether there is a threshold");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.computed("V", "mV", 0, any(), initial | recorded, "membrane potential")
        .computed("drive", "mV", 0, any(), recorded, "R I; I begins at 0 where it is low-passed");
    return t;
  }
  static const char* check(const Params& p) {
    return p.v_reset < p.v_th || p.spiking != 0
               ? nullptr
               : "v_reset must be below v_th, or the neuron would fire without end";
  }

  template <class Block>
  static void init(Block n, std::uint32_t j, const Params& p, const double* initial) {
    Linear::init(n, j, p, initial);
    if (n.constants(j).low_passed != 0) n.state(j).i[0] = -n.constants(j).I;
  }
  template <class Block>
  static void set(Block n, Tick tick, std::uint32_t j, const Params& p) {
    advance(n, j, tick);
    const double before = n.constants(j).I;
    derive(n, j, p);
    const auto& c = n.constants(j);
    if (c.low_passed != 0) n.state(j).i[0] += before - c.I;  // I itself is continuous
    look(n, c, j);
  }
  static void reset(const Constants& c, State& s) {
    // An arrival of the tick may have lowered V.
    s.V = c.soft == 0 ? c.v_reset : s.V - (c.v_th - c.v_reset);
    s.risen = 0;  // where it is driven so, it fires in every tick
  }
  static void take(const Constants& c, State& s, std::uint32_t port, double weight) {
    if (port == step) {
      s.I += weight * c.factor;
      if (c.low_passed != 0) s.i[0] -= weight * c.factor;
    } else {
      (c.low_passed != 0 ? s.i[0] : s.V) += weight * c.jump;
    }
  }
  static bool quiet(const Constants& c, const State& s, double ms) {
    return c.v_th == math::infinity || Linear::quiet(c, s, ms);
  }
  static double value(const Constants& c, const State& s, std::uint32_t variable) {
    return variable == 0 ? s.V : c.I + s.I + s.i[0];
  }
};

}  // namespace

SPINET_MODEL(neuron_table<Integrator>())
