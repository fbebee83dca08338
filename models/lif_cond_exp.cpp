// lif_cond_exp: leaky integrate-and-fire with exponential synaptic conductances, as in benchmark 1 of R. Brette et al.,
// "Simulation of networks of spiking neurons: a review of tools and strategies" (2007).
//
//   C dV/dt = g_L (E_L - V) + g_exc (E_exc - V) + g_inh (E_inh - V) + I_dc,   tau dg/dt = -g
//   at V >= v_th: V := v_reset
//
// A neuron stays at the tick of its last event until something happens to it.  Then it is brought there by adaptive
// steps, takes the event, and looks ahead to the end of the frame.  Mostly a bound says that it cannot reach v_th by
// then; else it is integrated on a copy, and a crossing becomes a test.  A later arrival just looks ahead anew.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>

#include "spinet/math.hpp"
#include "spinet/neuron.hpp"

namespace {

using namespace spinet;

struct Params {
  double C_m, g_L, E_L, E_exc, E_inh, v_th, v_reset, t_ref, tau_syn_exc, tau_syn_inh, I_dc, tolerance;
};

/// Coefficients of V(t) about a moment, in mV/ms^n.
constexpr int order = 12;
struct Series {
  double c[order + 1];
  double at(double t) const {
    double v = c[order];
    for (int n = order - 1; n >= 0; --n) v = v * t + c[n];
    return v;
  }
};

struct State {
  double V;                 ///< mV, at tick `last`
  double g[2];              ///< nS, conductances by port, at tick `last`
  Tick last;
  Tick free;                ///< end of the refractory period: before it V is v_reset
  Tick crossing;            ///< tick at which V reaches v_th if nothing else happens in this frame, or `never`
  double reach;             ///< ms after `last` for which `series` holds, 0: none
  Series series;            ///< as the last look ahead has found it
};

struct Constants {
  Params p;
  double ms_per_tick;
  Tick t_ref;
};

/// Integrates V between events by Taylor series, whose coefficients follow from each other since dV/dt is linear in V and
/// conductances are exponentials; steps as in A. Jorba and M. Zou, "A software package for the numerical integration of
/// ODEs by means of high-order Taylor methods" (2005): the last two terms stay under the tolerance.
class Integrator {
 public:
  Integrator(const Constants& c, const State& s) : c_(c), p_(c.p), V_(s.V), g_{s.g[0], s.g[1]} {}

  /// Goes on for `duration` ms, or until V reaches v_th: returns whether it does, and `elapsed` tells when.  The first step's
  /// series is left in `s`.  `failed` where no step is short enough, or too many would be needed.
  bool run(double duration, State& s) {
    elapsed_ = 0;
    for (std::uint64_t steps = 0, most_steps = most_in(duration);; ++steps) {
      const double left = duration - elapsed_;
      expand();
      const double h = step(left);
      if (failed_ || steps == most_steps) return fail();
      if (elapsed_ == 0) s.series = series_, s.reach = h;
      const double at = crossing(h);
      if (failed_) return false;
      if (at >= 0) {
        elapsed_ += at;
        return true;
      }
      if (h == left) return false;
      go(h);
      elapsed_ += h;
    }
  }

  /// V after `duration` ms, in which it is known not to reach v_th; not a number where it has failed.
  double after(double duration) {
    double left = duration;
    for (std::uint64_t steps = 0, most_steps = most_in(duration);; ++steps) {
      expand();
      const double h = step(left);
      if (failed_ || steps == most_steps) return fail(), math::nan;
      if (h == left) return series_.at(h);
      go(h);
      left -= h;
    }
  }

  double elapsed() const { return elapsed_; }
  bool failed() const { return failed_; }

 private:
  static constexpr double least_step = 1e-15;  ///< ms
  static std::uint64_t most_in(double duration) { return 200'000 + static_cast<std::uint64_t>(20'000 * std::min(duration, 1e12)); }
  bool fail() {
    failed_ = true;
    return false;
  }
  void go(double h) {
    V_ = series_.at(h);
    g_[0] *= math::exp(-h / p_.tau_syn_exc);
    g_[1] *= math::exp(-h / p_.tau_syn_inh);
  }

  void expand() {
    constexpr double inverse[order + 1] = {0,      1.,     1. / 2, 1. / 3,  1. / 4,  1. / 5, 1. / 6,
                                           1. / 7, 1. / 8, 1. / 9, 1. / 10, 1. / 11, 1. / 12};
    // Over C_m: the total conductance, and the slope without V: conductances times reversal potentials.
    double total[order], slope[order];
    double e = g_[0] / p_.C_m, i = g_[1] / p_.C_m;
    const double e_step = -1 / p_.tau_syn_exc, i_step = -1 / p_.tau_syn_inh;
    for (int n = 0; n < order; ++n) {
      total[n] = e + i;
      slope[n] = e * p_.E_exc + i * p_.E_inh;
      e *= e_step * inverse[n + 1];
      i *= i_step * inverse[n + 1];
    }
    total[0] += p_.g_L / p_.C_m;
    slope[0] += (p_.g_L * p_.E_L + p_.I_dc) / p_.C_m;
    double* const c = series_.c;
    c[0] = V_;
    // Each coefficient adds its part to all later slopes: those do not wait for each other.
#pragma GCC unroll 12
    for (int n = 0; n < order; ++n) {
#pragma GCC unroll 12
      for (int m = n; m < order; ++m) slope[m] -= total[m - n] * c[n];
      c[n + 1] = slope[n] * inverse[n + 1];
    }
  }

  /// The longest step up to `left` in which neither of the last two terms exceeds the tolerance.  Fails if that is nothing.
  double step(double left) {
    double h = left;
    for (const int n : {order - 1, order}) {
      const double c = math::abs(series_.c[n]);
      double power = h;
      for (int k = 1; k < n; ++k) power *= h;
      if (!(c * power > p_.tolerance)) continue;
      h = std::min(h, math::pow(p_.tolerance / c, 1. / n));
    }
    if (!(h >= std::min(left, least_step) && series_.at(h) - series_.at(h) == 0)) fail();
    return h;
  }

  /// When in (0, h] V first reaches v_th, or -1.  With |V''| <= m in the step, V cannot get there before
  /// V + V' s + m s^2 / 2 does: going there again and again ends at the crossing, quadratically, or beyond the step.
  double crossing(double h) {
    const double* const c = series_.c;
    double most = 0, m = 0;
    for (int n = order; n >= 1; --n) most = (most + std::max(c[n], 0.0)) * h;
    if (c[0] + most < p_.v_th) return -1;
    for (int n = order; n >= 2; --n) m = m * h + n * (n - 1) * math::abs(c[n]);
    double t = 0;
    for (std::uint32_t tries = 0; tries < 10'000; ++tries) {
      double v = c[order], slope = 0;
      for (int n = order - 1; n >= 0; --n) slope = slope * t + v, v = v * t + c[n];
      const double d = p_.v_th - v;
      if (!(d > 0)) return t;
      const double root = math::sqrt(slope * slope + 2 * m * d);
      const double s = slope > 0 ? 2 * d / (slope + root) : (root - slope) / m;
      if (!(t + s <= h)) return -1;
      t += s;
      if (s < 1e-4 * c_.ms_per_tick) return t;
    }
    fail();
    return -1;
  }

  const Constants& c_;
  const Params& p_;
  double V_, elapsed_ = 0;
  double g_[2];
  Series series_;
  bool failed_ = false;
};

struct LifCondExp {
  static constexpr const char* name = "lif_cond_exp";
  static constexpr const char* doc = "Leaky integrate-and-fire neuron with exponential synaptic conductances (Brette et al. 2007, benchmark 1).";
  using Params = ::Params;
  using State = ::State;
  using Constants = ::Constants;
  using Block = Neurons<LifCondExp>;
  static constexpr Port ports[] = {
      {"exc", "nS", "excitatory conductance; weights count by their magnitude", 1, 1},
      {"inh", "nS", "inhibitory conductance; weights count by their magnitude, negative ones choose it", -1, 1}};

  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::C_m, "C_m", "pF", 200, above(0), plain, "membrane capacitance")
        .add(&Params::g_L, "g_L", "nS", 10, above(0), plain, "leak conductance")
        .add(&Params::E_L, "E_L", "mV", -60, any(), plain, "leak reversal potential")
        .add(&Params::E_exc, "E_exc", "mV", 0, any(), plain, "excitatory reversal potential")
        .add(&Params::E_inh, "E_inh", "mV", -80, any(), plain, "inhibitory reversal potential")
        .add(&Params::v_th, "v_th", "mV", -50, any(), plain, "threshold")
        .add(&Params::v_reset, "v_reset", "mV", -60, any(), plain, "potential after a spike; below v_th")
        .add(&Params::t_ref, "t_ref", "ms", 5, at_least(0), in_ticks, "refractory period: V is held, conductances go on")
        .add(&Params::tau_syn_exc, "tau_syn_exc", "ms", 5, above(0), plain, "time constant of the excitatory conductance")
        .add(&Params::tau_syn_inh, "tau_syn_inh", "ms", 10, above(0), plain, "time constant of the inhibitory conductance")
        .add(&Params::I_dc, "I_dc", "pA", 0, any(), scheduled, "constant input current")
        .add(&Params::tolerance, "tolerance", "mV", 1e-9, between(1e-12, 1), plain,
             "largest estimated error of V in one step of the integrator");
    return t;
  }
  static constexpr const char* beyond =
      "V changes too fast to be integrated to the tolerance: conductances or I_dc are beyond what the model can follow";
  static constexpr const char* too_often = "fires more than once a tick: without a refractory period the drive is beyond what the model can follow";
  enum Variable : std::uint32_t { potential, excitatory, inhibitory };
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

  /// One to two milliseconds: as far as a look ahead is likely to stay true.
  static Tick frame(const Params&, const RunInfo& r) {
    return static_cast<Tick>(std::bit_ceil(std::max<std::uint64_t>(static_cast<std::uint64_t>(r.ticks_per_ms), 1)));
  }

  static void derive(Constants& c, const Params& p, const RunInfo& r) {
    c.p = p;
    c.ms_per_tick = 1 / r.ticks_per_ms;
    c.t_ref = math::floor_int(p.t_ref * r.ticks_per_ms + 0.5);
  }
  static void init(Block n, std::uint32_t j, const Params& p, const double* initial) {
    derive(n.constants(j), p, n.b.run);
    n.state(j) = {initial[0], {initial[1], initial[2]}, 0, 0, never, 0, {}};
  }
  static void set(Block n, Tick tick, std::uint32_t j, const Params& p) {
    advance(n, j, tick);
    derive(n.constants(j), p, n.b.run);
    n.state(j).reach = 0;
    look(n, j);
  }

  static void arrive(Block n, Tick tick, std::uint32_t port, std::uint32_t j, double weight) {
    State& s = n.state(j);
    advance(n, j, tick);
    s.g[port] += math::abs(weight);
    s.reach = 0;
    look(n, j);
  }

  static void wake(Block n, Tick tick, std::span<const std::uint32_t> js) {
    for (const std::uint32_t j : js) {
      advance(n, j, tick);
      look(n, j);
    }
  }

  /// Fires those whose crossing still stands.
  static void test(Block n, Tick tick, std::span<const std::uint32_t> js) {
    for (const std::uint32_t j : js) {
      State& s = n.state(j);
      const Constants& c = n.constants(j);
      if (s.crossing != tick) continue;
      advance(n, j, tick);
      s.V = c.p.v_reset;
      s.crossing = never;
      s.reach = 0;
      n.out().emit(tick, j);
      if (c.t_ref > 0) {
        s.free = tick + c.t_ref;
        n.out().wake_at(s.free, j);
      } else {
        look(n, j);
        if (s.crossing == tick + 1) n.out().fail(tick, j, too_often);
      }
    }
  }

  static std::uint32_t renormalise(Block n, std::uint64_t) {
    const Tick begin = n.b.frame_begin, end = begin + n.b.frame_length;
    for (std::uint32_t j = 0; j < n.size(); ++j) {
      State& s = n.state(j);
      s.crossing = never;
      if (s.free > begin) continue;  // `wake` will look
      const Constants& c = n.constants(j);
      if (excludes(c, s, static_cast<double>(end - s.last) * c.ms_per_tick)) continue;
      advance(n, j, begin);
      look(n, j);
    }
    return 0;
  }

  static double read(Block n, Tick tick, std::uint32_t j, std::uint32_t variable) {
    State s = n.state(j);
    advance(n.constants(j), s, tick);
    return variable == potential ? s.V : s.g[variable - excitatory];
  }

 private:
  static void advance(Block n, std::uint32_t j, Tick tick) {
    State& s = n.state(j);
    advance(n.constants(j), s, tick);
    const double all = s.V + s.g[0] + s.g[1];
    if (!(all - all == 0)) n.out().fail(tick, j, beyond);
  }
  /// Brings the state to `tick`; no spike lies before it.  V is not a number where it could not be integrated.
  static void advance(const Constants& c, State& s, Tick tick) {
    while (s.last < tick) {
      const Tick to = s.last < s.free ? std::min(tick, s.free) : tick;
      const double t = static_cast<double>(to - s.last) * c.ms_per_tick;
      if (s.last >= s.free) {  // else refractory: V is held
        if (to >= s.crossing) {
          s.V = c.p.v_th;
        } else {
          s.V = t <= s.reach ? s.series.at(t) : Integrator(c, s).after(t);
        }
      }
      if (s.g[0] != 0) s.g[0] *= math::exp(-t / c.p.tau_syn_exc);
      if (s.g[1] != 0) s.g[1] *= math::exp(-t / c.p.tau_syn_inh);
      s.last = to;
      s.reach = 0;
    }
  }

  /// Whether V stays below v_th for `ms` from the state's tick without arrivals.  Each current falls as V rises: from the
  /// last time at which V was where it is now on, none is larger than it would be at this V.
  static bool excludes(const Constants& c, const State& s, double ms) {
    const Params& p = c.p;
    if (!(s.V < p.v_th)) return false;
    const double charge = std::max(p.g_L * (p.E_L - s.V) + p.I_dc, 0.0) * ms +
                          std::max(p.E_exc - s.V, 0.0) * s.g[0] * std::min(ms, p.tau_syn_exc) +
                          std::max(p.E_inh - s.V, 0.0) * s.g[1] * std::min(ms, p.tau_syn_inh);
    return s.V + charge / p.C_m < p.v_th;
  }

  /// Finds the crossing in what is left of the frame, from the state's tick on, and asks for its test.
  static void look(Block n, std::uint32_t j) {
    State& s = n.state(j);
    const Constants& c = n.constants(j);
    s.crossing = never;
    if (s.last < s.free || s.V != s.V) return;
    if (s.V >= c.p.v_th) {
      s.crossing = s.last;
    } else {
      const Tick end = n.b.frame_begin + n.b.frame_length;
      const double left = static_cast<double>(end - s.last) * c.ms_per_tick;
      if (excludes(c, s, left)) return;
      Integrator i(c, s);
      const bool crosses = i.run(left, s);
      if (i.failed()) return n.out().fail(s.last, j, beyond);
      if (!crosses) return;
      const Tick tick = s.last + std::max<Tick>(-math::floor_int(-i.elapsed() / c.ms_per_tick), 1);
      if (tick >= end) return;  // the next frame finds it
      s.crossing = tick;
    }
    n.out().test_at(s.crossing, j);
  }
};

}  // namespace

SPINET_MODEL(spinet::neuron_table<LifCondExp>())
