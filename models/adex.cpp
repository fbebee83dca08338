// adex: R. Brette and W. Gerstner, "Adaptive exponential integrate-and-fire model as an effective description
// of neuronal activity" (2005), with exponential synaptic currents.
//
//   C dV/dt = -g_L (V - E_L) + g_L D_T exp((V - v_th) / D_T) - w + I,   tau_w dw/dt = a (V - E_L) - w
//   at V >= v_peak: V := v_reset, w := w + b
#include "spinet/ode.hpp"

namespace {

using namespace spinet;

struct Parameters {
  double C_m, g_L, E_L, v_th, Delta_T, a, b, tau_w, v_peak, v_reset, t_ref, tau_syn_exc, tau_syn_inh, I_dc,
      tolerance;
};

struct AdEx : Ode<AdEx, 2, 2> {
  static constexpr const char* name = "adex";
  static constexpr const char* doc =
      "Adaptive exponential integrate-and-fire neuron (Brette and Gerstner 2005), exponential currents.";
  static constexpr const char* beyond =
      "V or w changes too fast, or too far, to be integrated: weights, I_dc or a conductance are beyond what "
      "the model can follow";
  static constexpr Port ports[] = {{"exc", "pA", "excitatory current", 1, 1},
                                   {"inh", "pA", "inhibitory current", -1, 1}};
  using Params = Parameters;
  struct Constants : Timing {
    Params p;
    double per_C, per_D, per_tau_w, I, u_peak;  ///< I: the current at V = 0, without inputs and exponential
    Constants(const Params& q, const RunInfo& run) : Timing(run, q.t_ref), p(q) {
      per_C = 1 / q.C_m, per_D = 1 / q.Delta_T, per_tau_w = 1 / q.tau_w;
      I = q.g_L * q.E_L + q.I_dc;
      u_peak = math::exp((q.v_th - q.v_peak) / q.Delta_T);
    }
  };

  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::C_m, "C_m", "pF", 281, above(0), plain, "membrane capacitance")
        .add(&Params::g_L, "g_L", "nS", 30, above(0), plain, "leak conductance")
        .add(&Params::E_L, "E_L", "mV", -70.6, any(), plain, "leak reversal potential")
        .add(&Params::v_th, "v_th", "mV", -50.4, any(), plain, "where the exponential current sets in (V_T)")
        .add(&Params::Delta_T, "Delta_T", "mV", 2, above(0), plain, "slope factor of the exponential current")
        .add(&Params::a, "a", "nS", 4, any(), plain, "adaptation by the potential")
        .add(&Params::b, "b", "pA", 80.5, any(), plain, "adaptation by a spike: jump of w")
        .add(&Params::tau_w, "tau_w", "ms", 144, above(0), plain, "time constant of the adaptation current w")
        .add(&Params::v_peak, "v_peak", "mV", 0, any(), plain, "potential at which a spike is emitted")
        .add(&Params::v_reset, "v_reset", "mV", -60, any(), plain, "potential after a spike; below v_peak")
        .add(&Params::t_ref, "t_ref", "ms", 0, at_least(0), in_ticks, "refractory period: V is held")
        .add(&Params::tau_syn_exc, "tau_syn_exc", "ms", 2, above(0), plain, "of excitatory currents")
        .add(&Params::tau_syn_inh, "tau_syn_inh", "ms", 2, above(0), plain, "of inhibitory currents")
        .add(&Params::I_dc, "I_dc", "pA", 0, any(), scheduled, "constant input current")
        .add(&Params::tolerance, "tolerance", "mV", 1e-9, between(1e-12, 1), plain, ode::tolerance_doc);
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.computed("V", "mV", -70.6, any(), initial | recorded, "membrane potential")
        .computed("w", "pA", 0, any(), initial | recorded, "adaptation current")
        .computed("I_syn", "pA", 0, any(), recorded, "synaptic current, both ports");
    return t;
  }
  static const char* check(const Params& p) {
    if (!(p.v_reset < p.v_peak)) return "v_reset must be below v_peak, or the neuron would fire without end";
    if (!((p.v_peak - p.v_th) / p.Delta_T < 600))
      return "v_peak is more than 600 Delta_T above v_th: lower v_peak";
    return nullptr;
  }

  static double tau(const Constants& c, int port) { return port == 0 ? c.p.tau_syn_exc : c.p.tau_syn_inh; }
  static double threshold(const Constants& c) { return c.p.v_peak; }
  static double size(const Constants& c, int i) { return i == 0 ? 1 : 1 / c.p.g_L; }
  static void reset(const Constants& c, State& s) {
    s.y[0] = c.p.v_reset;
    s.y[1] += c.p.b;
  }
  static double value(const Constants&, const State& s, std::uint32_t i) {
    return i < 2 ? s.y[i] : s.x[0] + s.x[1];
  }

  template <class T>
  static void slope(const Constants& c, const T (&y)[2], const T (&I)[2], T (&dy)[2]) {
    const T drive = I[0] + I[1] + c.I - y[0] * c.p.g_L - y[1];
    dy[0] = (exp((y[0] - c.p.v_th) * c.per_D) * (c.p.g_L * c.p.Delta_T) + drive) * c.per_C;
    dy[1] = ((y[0] - c.p.E_L) * c.p.a - y[1]) * c.per_tau_w;
  }
  /// Above v_th V runs away to infinity within microseconds, while u = exp(-(V - v_th) / Delta_T) falls to 0
  /// almost in a straight line: there y[0] is -u.
  struct Steep {
    static bool holds(const Constants& c, double V) { return V > c.p.v_th; }
    static double from(const Constants& c, double V) { return -math::exp((c.p.v_th - V) * c.per_D); }
    static double back(const Constants& c, double y) {
      return c.p.v_th - c.p.Delta_T * math::log(std::max(-y, 1e-300));
    }
    static double threshold(const Constants& c) { return -c.u_peak; }
    static double size(const Constants& c, int i) { return i == 0 ? c.p.Delta_T : 1 / c.p.g_L; }
    template <class T>
    static void slope(const Constants& c, const T (&y)[2], const T (&I)[2], T (&dy)[2]) {
      const T V = c.p.v_th - log(-y[0]) * c.p.Delta_T;
      const T drive = I[0] + I[1] + c.I - V * c.p.g_L - y[1];
      dy[0] = (c.p.g_L - y[0] * drive * c.per_D) * c.per_C;
      dy[1] = ((V - c.p.E_L) * c.p.a - y[1]) * c.per_tau_w;
    }
  };

  /// V cannot pass `top`, below which the exponential is no runaway, where the slope there is negative for
  /// ever; and in [V, top] no slope is above that at one of the ends, for the right side is convex in V.
  static bool quiet(const Constants& c, const State& s, double ms) {
    const Params& p = c.p;
    const double V = s.y[0], w = s.y[1], top = std::min(p.v_th, p.v_peak);
    if (!(V < top) || p.a < 0) return false;
    double most = 0, least = 0, soon = 0;  // of the inputs: at any time, at any time, until `ms`
    for (int k = 0; k < 2; ++k) {
      most += std::max(s.x[k], 0.0);
      least += std::min(s.x[k], 0.0);
      soon += s.x[k] > 0 ? s.x[k] : s.x[k] * std::max(1 - ms / tau(c, k), 0.0);
    }
    const double w_most = std::max(w, p.a * (top - p.E_L));
    const double V_least = std::min(V, (c.I + least - w_most) / p.g_L);
    const double w_least = w + std::min(p.a * (V_least - p.E_L) - w, 0.0) * std::min(ms * c.per_tau_w, 1.0);
    const double exp_here = p.Delta_T / (1 - (V - p.v_th) * c.per_D);  // exp(x) <= 1 / (1 - x) for x < 1
    const double there = c.I - w_least + p.g_L * (p.Delta_T - top),
                 here = c.I - w_least + p.g_L * (exp_here - V);
    return there + most < 0 || V + std::max(std::max(there, here) + soon, 0.0) * ms * c.per_C < top;
  }
};

}  // namespace

SPINET_MODEL(neuron_table<AdEx>())
