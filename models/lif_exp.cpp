// lif_exp: leaky integrate-and-fire with exponential synaptic currents, exact in exponential frames.
//
// In charge units Q = C (V - V_inf) [pA ms], with one current I_p = b_p exp(-t/tau_p) per port:
//     Q' = -Q / tau_m + sum I_p     =>     Q(t) = a exp(-t/tau_m) + sum_p b_p phi_p(t)
// a and b_p do not change without arrivals; an arrival of w at t adds w exp(t/tau_p) to b_p and what keeps Q continuous
// to a: factors common to a whole slice.  After an arrival that raises Q a bound tells whether a crossing before the
// frame's end is possible at all; rarely (0.2 % of arrivals) it is, and the crossing is found and tested when its tick comes.
#include <algorithm>
#include <cmath>
#include <limits>

#include "spinet/frame.hpp"
#include "spinet/neuron.hpp"

namespace {
using namespace spinet;

struct LifExp {
  static constexpr const char* name = "lif_exp";
  static constexpr const char* doc =
      "Leaky integrate-and-fire neuron with exponential synaptic currents of two time constants. Exact.";
  struct Params {
    double tau_m = 10, C_m = 250, tau_syn_exc = 2, tau_syn_inh = 2, E_L = -70, v_th = -55, v_reset = -70, t_ref = 2, I_dc = 0;
  };
  struct State {
    double a;     ///< membrane part [pA ms]; -infinity while refractory
    double b[2];  ///< currents of the ports [pA]; where their time constants are equal all is in b[0]
    double th;    ///< C (v_th - V_inf) [pA ms]
  };
  struct Constants {
    double capacitance, q_inf, e_l, v_th, v_reset;  // pF, pA ms (C (V_inf - E_L)), mV, mV, mV
    Tick t_ref;
    Tick pending = never;  ///< the earliest test asked for; others are out of date
  };
  /// One port's way into Q.
  struct Kernel {
    double rate;   ///< 1 / tau [1/ms]
    double gain;   ///< tau tau_m / (tau - tau_m) [ms]; unused where `near`
    double delta;  ///< 1/tau_m - 1/tau [1/ms]
    double peak;   ///< of the response of Q to a unit current [ms]
    double decay;  ///< exp(-frame / tau)
    double carry;  ///< `near` only: what a unit of b adds to a over a frame; else 0, a and b decay each by itself
    bool near;     ///< tau within 2 % of tau_m: Q = (a + b (exp(delta t) - 1)/delta) exp(-t/tau_m), without cancellation
  };
  enum { up_m, up_e, down_m, down_e, up_i, down_i };  // what one time constant needs comes first
  struct Shared {
    FrameTable<8> table;  ///< exp(+t/tau) and exp(-t/tau), in the order of the enum
    Kernel port[2];
    double tau_m, rate_m, decay_m, frame_ms, ms_per_tick;
    bool one;             ///< both ports have the same time constant and share b[0]
  };
  using Factors = FrameTable<8>::Entry;
  static constexpr Port ports[] = {{"exc", "pA", "excitatory current", 1, 1}, {"inh", "pA", "inhibitory current", -1, 1}};

  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::tau_m, "tau_m", "ms", 10, above(0), shared, "membrane time constant")
        .add(&Params::C_m, "C_m", "pF", 250, above(0), plain, "membrane capacitance; R = tau_m / C_m")
        .add(&Params::tau_syn_exc, "tau_syn_exc", "ms", 2, above(0), shared, "time constant of excitatory currents")
        .add(&Params::tau_syn_inh, "tau_syn_inh", "ms", 2, above(0), shared, "time constant of inhibitory currents")
        .add(&Params::E_L, "E_L", "mV", -70, any(), plain, "resting potential")
        .add(&Params::v_th, "v_th", "mV", -55, any(), plain, "threshold")
        .add(&Params::v_reset, "v_reset", "mV", -70, any(), plain, "potential after a spike; below v_th")
        .add(&Params::t_ref, "t_ref", "ms", 2, at_least(0), plain, "absolute refractory period; currents go on in it")
        .add(&Params::I_dc, "I_dc", "pA", 0, any(), scheduled, "constant input current");
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

  /// About 8 of the shortest time constant; shorter where the neuron fires without input, so that the bound over a frame stays sharp.
  static Tick frame(const Params& p, const RunInfo& r) {
    const double limit = 8 * std::min({p.tau_m, p.tau_syn_exc, p.tau_syn_inh});
    const bool tonic = p.E_L + p.tau_m / p.C_m * p.I_dc >= p.v_th;
    return frame_ticks(tonic ? std::min(limit, p.tau_m / 16) : limit, r.ticks_per_ms);
  }
  static void prepare(Shared& s, const Params& p, const RunInfo& r, Tick length) {
    s.tau_m = p.tau_m;
    s.rate_m = 1 / p.tau_m;
    s.ms_per_tick = 1 / r.ticks_per_ms;
    s.frame_ms = static_cast<double>(length) / r.ticks_per_ms;
    s.decay_m = math::exp(-s.frame_ms / s.tau_m);
    const double tau[2] = {p.tau_syn_exc, p.tau_syn_inh};
    for (int k = 0; k < 2; ++k) {
      Kernel& port = s.port[k];
      port.rate = 1 / tau[k];
      port.delta = 1 / s.tau_m - 1 / tau[k];
      port.near = std::abs(tau[k] - s.tau_m) <= 0.02 * s.tau_m;
      port.gain = port.near ? 0 : tau[k] * s.tau_m / (tau[k] - s.tau_m);
      port.decay = math::exp(-s.frame_ms / tau[k]);
      port.carry = !port.near ? 0 : port.delta == 0 ? s.frame_ms : math::expm1(port.delta * s.frame_ms) / port.delta;
      // Q' = 0 at the peak of the response to exp(-t/tau): Q = tau_m exp(-t/tau) with t = log(tau/tau_m)/delta.
      const double at = port.delta == 0 ? tau[k] : math::log1p(port.delta * tau[k]) / port.delta;
      port.peak = s.tau_m * math::exp(-at / tau[k]) * (1 + 1e-9);  // rounded up: it serves a bound
    }
    s.one = p.tau_syn_exc == p.tau_syn_inh;
    const double m = 1 / (p.tau_m * r.ticks_per_ms), e = 1 / (tau[0] * r.ticks_per_ms), i = 1 / (tau[1] * r.ticks_per_ms);
    s.table.prepare({m, e, -m, -e, i, -i, 0, 0}, length);
  }

  using Block = Neurons<LifExp>;
  static constexpr double minus_infinity = -std::numeric_limits<double>::infinity();

  /// What turns (a, b) into charge and currents at one tick of the frame.
  struct Moment {
    double q_a;         ///< Q = q_a a + q_b[0] b[0] + q_b[1] b[1]
    double q_b[2];
    double i_b[2];      ///< I_p = i_b[p] b[p]
    double up_a[2];     ///< an arrival of w takes w up_a[p] from a
    double up_b[2];     ///< and adds w up_b[p] to b[p]
  };
  static Moment moment(const Shared& s, const Factors& f, Tick offset) {
    Moment m;
    m.q_a = f.f[down_m];
    for (int p = 0; p < 2; ++p) {
      m.i_b[p] = f.f[p ? down_i : down_e];
      m.up_b[p] = f.f[p ? up_i : up_e];
      const Kernel& k = s.port[p];
      if (!k.near) {
        m.q_b[p] = k.gain * m.i_b[p];
        m.up_a[p] = k.gain * f.f[up_m];
      } else {
        const double t = static_cast<double>(offset) * s.ms_per_tick;
        const double phi = k.delta == 0 ? t : math::expm1(k.delta * t) / k.delta;
        m.q_b[p] = phi * m.q_a;
        m.up_a[p] = phi * m.up_b[p];
      }
    }
    return m;
  }
  static Moment moment(Block n, Tick tick) {
    const Tick offset = tick - n.b.frame_begin;
    return moment(n.shared(), n.shared().table.at(offset), offset);
  }
  static double charge(const State& s, const Moment& m) { return s.a * m.q_a + (s.b[0] * m.q_b[0] + s.b[1] * m.q_b[1]); }

  /// Upper bound of Q from a tick to the frame's end: Q itself decays towards 0, and a positive current adds at most
  /// its peak response, or current times time.  It holds for every later tick of the frame as well.
  struct Bound {
    double left, peak[2];
    Bound(Block n, Tick offset, double up_at_offset) {
      const Shared& s = n.shared();
      const double ahead = static_cast<double>(n.b.frame_length - offset) * s.ms_per_tick * (1 + 1e-9);
      left = s.decay_m * up_at_offset * (1 - 1e-9);
      for (int p = 0; p < 2; ++p) peak[p] = std::min(s.port[p].peak, ahead);
    }
    template <bool One>
    bool excludes(double q, double i0, double i1, double th) const {
      double most = std::max(q, q * left) + std::max(i0, 0.0) * peak[0];
      if constexpr (!One) most += std::max(i1, 0.0) * peak[1];
      return most < th;
    }
  };

  static void derive(Constants& c, State& s, const Params& p) {
    c.capacitance = p.C_m;
    c.q_inf = p.tau_m * p.I_dc;
    c.e_l = p.E_L;
    c.v_th = p.v_th;
    c.v_reset = p.v_reset;
    s.th = p.C_m * (p.v_th - p.E_L) - c.q_inf;
  }
  static void init(Block n, std::uint32_t j, const Params& p, const double* initial) {
    Constants& c = n.constants(j);
    State& s = n.state(j);
    derive(c, s, p);
    c.t_ref = static_cast<Tick>(std::llround(p.t_ref * n.b.run.ticks_per_ms));
    c.pending = never;
    s.a = p.C_m * (initial[0] - p.E_L) - c.q_inf;
    s.b[0] = s.b[1] = 0;
  }
  static void set(Block n, Tick tick, std::uint32_t j, const Params& p) {
    Constants& c = n.constants(j);
    State& s = n.state(j);
    const double before = c.q_inf + c.capacitance * c.e_l;
    derive(c, s, p);
    s.a += (before - (c.q_inf + c.capacitance * c.e_l)) * n.shared().table.at(tick - n.b.frame_begin).f[up_m];
    look(n, j, tick);
  }

  /// Asks for a test where the neuron may cross before the frame's end; called when its state has changed at `tick`.
  static void look(Block n, std::uint32_t j, Tick tick, const Moment& m, const Bound& bound) {
    const State& s = n.state(j);
    if (s.a == minus_infinity) return;
    const double q = charge(s, m), i0 = s.b[0] * m.i_b[0], i1 = s.b[1] * m.i_b[1];
    if (!bound.excludes<false>(q, i0, i1, s.th)) ask(n, j, tick, q, i0, i1);
  }
  static void look(Block n, std::uint32_t j, Tick tick) {
    look(n, j, tick, moment(n, tick), bound_at(n, tick));
  }
  static Bound bound_at(Block n, Tick tick) {
    const Tick offset = tick - n.b.frame_begin;
    return Bound(n, offset, n.shared().table.at(offset).f[up_m]);
  }
  /// Asks for a test at a tick that the first crossing cannot precede, unless one no later is pending already.
  /// Until the crossing Q <= th, so Q'' = Q/tau_m^2 - sum (1/tau_m + 1/tau_p) I_p has a known upper bound c, and the root h
  /// of Q + Q' h + c h^2/2 = th never passes it.  The test that finds Q still below asks again from there: as in Newton's
  /// method the waits shrink quadratically, down to a tick, but arrivals on the way cost no root finding of their own.
  static void ask(Block n, std::uint32_t j, Tick tick, double q, double i0, double i1) {
    const State& s = n.state(j);
    const Shared& sh = n.shared();
    Tick at = tick;
    if (q < s.th) {
      const double rm = sh.rate_m, slope = i0 + i1 - q * rm, gap = s.th - q;
      const double curvature = std::max(s.th, 0.0) * rm * rm + std::max(-i0, 0.0) * (rm + sh.port[0].rate) +
                               std::max(-i1, 0.0) * (rm + sh.port[1].rate);
      const double root = std::sqrt(slope * slope + 2 * curvature * gap);
      const double h = (slope > 0 ? 2 * gap / (slope + root) : (root - slope) / curvature) * n.b.run.ticks_per_ms * (1 - 1e-9);
      const Tick left = n.b.frame_begin + n.b.frame_length - tick;
      if (!(h < static_cast<double>(left))) return;  // the next frame begins with a look at everyone
      at += std::max<Tick>(1, static_cast<Tick>(h));
      if (at >= tick + left) return;
    }
    Tick& pending = n.constants(j).pending;
    if (pending <= at) return;
    pending = at;
    n.out().test_at(at, j);
  }

  template <bool One>
  static void receive(Block n, const Arrivals& in) {
    const Tick offset = in.tick - n.b.frame_begin;
    const Shared& sh = n.shared();
    const Factors f = sh.table.at(offset);
    const Moment m = moment(sh, f, offset);
    const int p = One ? 0 : static_cast<int>(in.port);
    const double up_a = m.up_a[p], up_b = m.up_b[p];
    State* const state = static_cast<State*>(n.b.state);
    if (!in.weights && !in.weights64 && in.weight * in.scale <= 0) {  // lowers Q: a crossing can only move back
      const double wa = in.weight * in.scale * up_a, wb = in.weight * in.scale * up_b;
      for (std::uint32_t i = 0; i < in.count; ++i) {
        State& s = state[in.targets[i]];
        s.a -= wa;
        s.b[p] += wb;
      }
      return;
    }
    if (in.port == 1) {  // weights of an inhibitory port: mostly negative, so look at the sign first
      in.each([&](std::uint16_t j, double w) {
        State& s = state[j];
        s.a -= w * up_a;
        s.b[p] += w * up_b;
        if (w > 0) [[unlikely]] look(n, j, in.tick);
      });
      return;
    }
    const Bound bound(n, offset, f.f[up_m]);
    in.each([&](std::uint16_t j, double w) {
      State& s = state[j];
      s.a -= w * up_a;
      s.b[p] += w * up_b;
      const double i0 = s.b[0] * m.i_b[0];
      double q = s.a * m.q_a + s.b[0] * m.q_b[0], i1 = 0;
      if constexpr (!One) {
        q += s.b[1] * m.q_b[1];
        i1 = s.b[1] * m.i_b[1];
      }
      if (!bound.excludes<One>(q, i0, i1, s.th)) [[unlikely]] look(n, j, in.tick, m, bound);
    });
  }
  static void receive(Block n, const Arrivals& in) { n.shared().one ? receive<true>(n, in) : receive<false>(n, in); }

  /// Arrivals at different ticks: as above, with the factors of each tick from the tables.
  template <bool One, bool Near, class WeightOf>
  static std::uint32_t train(Block n, const Train& in, WeightOf weight_of) {
    const Shared& sh = n.shared();
    const Tick base_offset = in.base - n.b.frame_begin;
    const Factors base = sh.table.at(base_offset);
    const Bound bound(n, base_offset, base.f[up_m]);
    const int p = One ? 0 : static_cast<int>(in.port);
    const double gain0 = sh.port[0].gain, gain1 = sh.port[1].gain, gain = sh.port[p].gain;
    State* const state = static_cast<State*>(n.b.state);
    std::uint32_t i = 0;
    for (; in.keys[i] < in.limit; ++i) {
      const std::uint32_t offset = in.keys[i] >> 16;
      const auto j = static_cast<std::uint16_t>(in.keys[i]);
      const double w = weight_of(j);
      State& s = state[j];
      const Factors f = base * sh.table.low16(offset);
      double q, i0, i1 = 0;
      if constexpr (Near) {
        const Moment m = moment(sh, f, base_offset + offset);
        s.a -= w * m.up_a[p];
        s.b[p] += w * m.up_b[p];
        q = charge(s, m);
        i0 = s.b[0] * m.i_b[0];
        i1 = s.b[1] * m.i_b[1];
      } else {
        s.a -= w * (gain * f.f[up_m]);
        s.b[p] += w * f.f[One || p == 0 ? up_e : up_i];
        i0 = s.b[0] * f.f[down_e];
        q = s.a * f.f[down_m] + gain0 * i0;
        if constexpr (!One) {
          i1 = s.b[1] * f.f[down_i];
          q += gain1 * i1;
        }
      }
      if (w > 0 && !bound.excludes<One && !Near>(q, i0, i1, s.th)) [[unlikely]] {
        ask(n, j, in.base + offset, q, i0, i1);
        if (n.out().size) return i + 1;
      }
    }
    return i;
  }
  static std::uint32_t receive_train(Block n, const Train& in) {
    const Shared& sh = n.shared();
    const auto go = [&](auto weight_of) {
      if (sh.port[0].near || sh.port[1].near)
        return sh.one ? train<true, true>(n, in, weight_of) : train<false, true>(n, in, weight_of);
      return sh.one ? train<true, false>(n, in, weight_of) : train<false, false>(n, in, weight_of);
    };
    return in.weight_of ? go([w = in.weight_of](std::uint16_t j) { return w[j]; })
                        : go([w = in.weight](std::uint16_t) { return w; });
  }

  static void reset(Block n, std::uint32_t j, Tick tick) {
    State& s = n.state(j);
    const Constants& c = n.constants(j);
    const Moment m = moment(n, tick);
    const double q = c.capacitance * (c.v_reset - c.e_l) - c.q_inf;
    s.a = (q - (s.b[0] * m.q_b[0] + s.b[1] * m.q_b[1])) * n.shared().table.at(tick - n.b.frame_begin).f[up_m];
    look(n, j, tick);
  }
  static void test(Block n, Tick tick, std::span<const std::uint32_t> js) {
    for (const auto j : js) {
      State& s = n.state(j);
      Constants& c = n.constants(j);
      if (c.pending != tick) continue;  // out of date
      c.pending = never;
      const Moment m = moment(n, tick);
      if (charge(s, m) < s.th) {  // not yet, or moved or cancelled by arrivals since
        look(n, j, tick, m, bound_at(n, tick));
        continue;
      }
      n.out().emit(tick, j);
      if (c.t_ref > 0) {
        s.a = minus_infinity;
        n.out().wake_at(tick + c.t_ref, j);
      } else {
        reset(n, j, tick);
      }
    }
  }
  static void wake(Block n, Tick tick, std::span<const std::uint32_t> js) {
    for (const auto j : js) reset(n, j, tick);
  }

  static bool settled(double a) { return a == 0 || a == minus_infinity; }
  /// Denormal arithmetic is slow, and numbers that small mean nothing here.
  static double flushed(double x) { return x < 1e-290 && x > -1e-290 ? 0.0 : x; }

  static std::uint32_t renormalise(Block n, std::uint64_t frames) {
    const Shared& sh = n.shared();
    const Moment m = moment(n, n.b.frame_begin);
    const Bound bound = bound_at(n, n.b.frame_begin);
    std::uint32_t quiet = 1;
    for (std::uint32_t j = 0; j < n.size(); ++j) {
      State& s = n.state(j);
      for (std::uint64_t k = 0; k < frames && !(settled(s.a) && s.b[0] == 0 && s.b[1] == 0); ++k) {
        s.a = flushed((s.a + (s.b[0] * sh.port[0].carry + s.b[1] * sh.port[1].carry)) * sh.decay_m);
        for (int p = 0; p < 2; ++p) s.b[p] = flushed(s.b[p] * sh.port[p].decay);
      }
      if (s.a == minus_infinity) continue;
      look(n, j, n.b.frame_begin, m, bound);
      const double q = charge(s, m);
      const double most = std::max(q, 0.0) + std::max(s.b[0], 0.0) * sh.port[0].peak + std::max(s.b[1], 0.0) * sh.port[1].peak;
      if (!(most < s.th)) quiet = 0;
    }
    return quiet;
  }

  static double read(Block n, Tick tick, std::uint32_t j, std::uint32_t variable) {
    const State& s = n.state(j);
    const Constants& c = n.constants(j);
    const Moment m = moment(n, tick);
    if (variable == 1) return s.b[0] * m.i_b[0] + s.b[1] * m.i_b[1];
    return s.a == minus_infinity ? c.v_reset : c.e_l + (charge(s, m) + c.q_inf) / c.capacitance;
  }
};
}  // namespace

SPINET_MODEL(spinet::neuron_table<LifExp>())
