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
    double per_C, per_D, per_g, per_tau_w, per_tau[2], u_peak, I;  ///< I: at V = 0, of leak and I_dc
    Constants(const Params& q, const RunInfo& run) : Timing(run, q.t_ref), p(q) {
      per_C = 1 / q.C_m, per_D = 1 / q.Delta_T, per_g = 1 / q.g_L, per_tau_w = 1 / q.tau_w;
      per_tau[0] = 1 / q.tau_syn_exc, per_tau[1] = 1 / q.tau_syn_inh;
      u_peak = math::exp((q.v_th - q.v_peak) / q.Delta_T), I = q.g_L * q.E_L + q.I_dc;
    }
  };

  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::C_m, "C_m", "pF", 281, at_least(1e-3), plain, "membrane capacitance")
        .add(&Params::g_L, "g_L", "nS", 30, at_least(1e-6), plain, "leak conductance")
        .add(&Params::E_L, "E_L", "mV", -70.6, any(), plain, "leak reversal potential")
        .add(&Params::v_th, "v_th", "mV", -50.4, any(), plain, "where the exponential current sets in (V_T)")
        .add(&Params::Delta_T, "Delta_T", "mV", 2, above(0), plain, "slope factor of the exponential current")
        .add(&Params::a, "a", "nS", 4, any(), plain, "adaptation by the potential")
        .add(&Params::b, "b", "pA", 80.5, any(), plain, "adaptation by a spike: jump of w")
        .add(&Params::tau_w, "tau_w", "ms", 144, at_least(1e-2), plain, "time constant of w")
        .add(&Params::v_peak, "v_peak", "mV", 0, any(), plain, "potential at which a spike is emitted")
        .add(&Params::v_reset, "v_reset", "mV", -60, any(), plain, "potential after a spike; below v_peak")
        .add(&Params::t_ref, "t_ref", "ms", 0, at_least(0), in_ticks, "refractory period: V is held")
        .add(&Params::tau_syn_exc, "tau_syn_exc", "ms", 2, at_least(1e-3), plain, "of excitatory currents")
        .add(&Params::tau_syn_inh, "tau_syn_inh", "ms", 2, at_least(1e-3), plain, "of inhibitory currents")
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
    if (p.C_m < 1e-2 * p.g_L) return "C_m / g_L is below 1e-2 ms: V would be too fast to be followed";
    if (!((p.v_peak - p.v_th) / p.Delta_T < 600))
      return "v_peak is more than 600 Delta_T above v_th: lower v_peak";
    return nullptr;
  }

  static double tau(const Constants& c, int port) { return port == 0 ? c.p.tau_syn_exc : c.p.tau_syn_inh; }
  static double threshold(const Constants& c) { return c.p.v_peak; }
  static double size(const Constants& c, int i) { return i == 0 ? 1 : 1 / c.p.g_L; }
  static void reset(const Constants& c, State& s) { s.y[0] = c.p.v_reset, s.y[1] += c.p.b; }
  static double value(const Constants&, const State& s, std::uint32_t i) {
    return i < 2 ? s.y[i] : s.x[0] + s.x[1];
  }

  template <class T>
  static void slope(const Constants& c, const T (&y)[2], const T (&I)[2], T (&dy)[2]) {
    const T drive = I[0] + I[1] + c.I - y[0] * c.p.g_L - y[1];
    dy[0] = (exp((y[0] - c.p.v_th) * c.per_D) * (c.p.g_L * c.p.Delta_T) + drive) * c.per_C;
    dy[1] = ((y[0] - c.p.E_L) * c.p.a - y[1]) * c.per_tau_w;
  }
  /// Far above v_th V runs away to infinity within microseconds, while u = exp(-(V - v_th) / Delta_T) falls
  /// to 0 almost in a straight line: there y[0] is -u.
  struct Steep {
    static bool holds(const Constants& c, double V) { return V > c.p.v_th + 2 * c.p.Delta_T; }
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

  /// V cannot pass `base`, below which the exponential is no runaway, where the slope there is negative for
  /// ever; and in [V, top] no slope is above that at one of the ends, for the right side is convex in V.
  template <class T>
  static auto below(const Constants& c, const T (&y)[2], const T (&x)[2], T ms) {
    const Params& p = c.p;
    const double last = p.a < 0 ? -math::infinity : p.v_peak;  // with a < 0 w falls as V rises
    const double base = std::min(p.v_th, last), top = std::min(p.v_th + 2 * p.Delta_T, last);
    T most{}, least{}, soon{};  // of the inputs: at any time, at any time, until `ms`
    for (int k = 0; k < 2; ++k) {
      const T in = ode::positive(x[k]), out = ode::negative(x[k]);
      most += in, least += out, soon += in + out * ode::positive(1 - ms * c.per_tau[k]);
    }
    const T V = y[0], w_most = ode::max(y[1], T{} + p.a * (top - p.E_L));
    const T w_end = p.a * (ode::min(V, (c.I + least - w_most) * c.per_g) - p.E_L);
    const T rest = c.I - y[1] - ode::negative(w_end - y[1]) * ode::min(ms * c.per_tau_w, T{} + 1);
    const T X = (V - p.v_th) * c.per_D, exp_here = X < 0.8 ? 1 / (1 - X) : T{} + 7.4;  // e^X, or more
    const T there = T{} + p.g_L * (p.Delta_T * 7.4 - top), here = p.g_L * (p.Delta_T * exp_here - V);
    const T end = V + ode::positive(rest + soon + ode::max(there, here)) * ms * c.per_C;
    return ((V < base) & (rest + most < p.g_L * (base - p.Delta_T))) | ((V < top) & (end < top));
  }
};

}  // namespace

SPINET_MODEL(neuron_table<AdEx>())
