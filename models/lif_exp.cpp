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
#include <type_traits>

#include "spinet/frame.hpp"
#include "spinet/neuron.hpp"

#pragma GCC diagnostic ignored "-Wpsabi"  // rows are passed between inlined functions only

namespace {
using namespace spinet;

typedef double Pair __attribute__((vector_size(16), may_alias));
typedef double Row __attribute__((vector_size(32), may_alias));
typedef long long Lanes __attribute__((vector_size(32)));
template <int N> struct VectorOf { typedef Row type; };
template <> struct VectorOf<1> { typedef Pair type; };

struct LifExpPerNeuron;

/// `N` currents per neuron: 2, or 1 where both ports have the same time constant and their currents add up to one.
template <int N>
struct LifExp {
  static constexpr const char* name = "lif_exp";
  static constexpr const char* doc =
      "Leaky integrate-and-fire neuron with exponential synaptic currents of two time constants. Exact.";
  static constexpr bool wide = true;
  struct Params {
    double tau_m = 10, C_m = 250, tau_syn_exc = 2, tau_syn_inh = 2, E_L = -70, v_th = -55, v_reset = -70, t_ref = 2, I_dc = 0;
  };
  struct One {
    double a;     ///< membrane part [pA ms]; -infinity while refractory
    double b[1];  ///< current [pA]
  };
  struct Two {
    double a;
    double b[2];  ///< currents of the ports [pA]
    double th;    ///< as in Constants; here to be read with the rest
  };
  struct alignas(N == 1 ? 16 : 32) State : std::conditional_t<N == 1, One, Two> {};
  struct Common {
    double least;  ///< the lowest threshold of the block: one number to compare with, where N is 1
    bool known;
  };
  struct Constants {
    double th;  ///< C (v_th - V_inf) [pA ms]
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
    double reach;  ///< 1 / (1/tau_m + 1/tau) [ms], see Bound
    double decay;  ///< exp(-frame / tau)
    double carry;  ///< `near` only: what a unit of b adds to a over a frame; else 0, a and b decay each by itself
    bool near;     ///< tau within 2 % of tau_m: Q = (a + b (exp(delta t) - 1)/delta) exp(-t/tau_m), without cancellation
  };
  enum { up_m, up_e, down_m, down_e };
  enum { up_i, down_i };
  struct Shared {
    FrameTable<4> table;      ///< exp(+t/tau) and exp(-t/tau) of membrane and exc, in the order of the enum
    FrameTable<2> table_inh;  ///< of inh
    Kernel port[2];
    double tau_m, rate_m, decay_m, frame_ms, ms_per_tick;
    double inverse_keep;  ///< 1 / (1 - tau / tau_m); used where N is 1
  };
  struct Factors {
    FrameTable<4>::Entry of;
    FrameTable<2>::Entry inh;
  };
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
  /// Equal time constants of the ports, below that of the membrane: the simpler kernel.
  static const NeuronTable* choose(const Params& p) {
    return p.tau_syn_exc == p.tau_syn_inh && p.tau_syn_exc < 0.98 * p.tau_m ? &neuron_table<LifExp<1>>() : &neuron_table<LifExp<2>>();
  }
  using PerNeuron = LifExpPerNeuron;
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
      port.reach = 1 / (1 / s.tau_m + 1 / tau[k]);
      port.near = std::abs(tau[k] - s.tau_m) <= 0.02 * s.tau_m;
      port.gain = port.near ? 0 : tau[k] * s.tau_m / (tau[k] - s.tau_m);
      port.decay = math::exp(-s.frame_ms / tau[k]);
      port.carry = !port.near ? 0 : port.delta == 0 ? s.frame_ms : math::expm1(port.delta * s.frame_ms) / port.delta;
      // Q' = 0 at the peak of the response to exp(-t/tau): Q = tau_m exp(-t/tau) with t = log(tau/tau_m)/delta.
      const double at = port.delta == 0 ? tau[k] : math::log1p(port.delta * tau[k]) / port.delta;
      port.peak = s.tau_m * math::exp(-at / tau[k]) * (1 + 1e-9);  // rounded up: it serves a bound
    }
    s.inverse_keep = 1 / (1 - p.tau_syn_exc / p.tau_m);
    const double m = 1 / (p.tau_m * r.ticks_per_ms), e = 1 / (tau[0] * r.ticks_per_ms), i = 1 / (tau[1] * r.ticks_per_ms);
    s.table.prepare({m, e, -m, -e}, length);
    s.table_inh.prepare({i, -i}, length);
  }

  using Block = Neurons<LifExp>;
  static double b1(const State& s) {
    if constexpr (N == 2) return s.b[1];
    else return 0;
  }
  static constexpr double minus_infinity = -std::numeric_limits<double>::infinity();

  /// What turns (a, b) into charge and currents at one tick of the frame.
  struct Moment {
    double up_m;        ///< exp(+t/tau_m)
    double q_a;         ///< Q = q_a a + q_b[0] b[0] + q_b[1] b[1]
    double q_b[2];
    double i_b[2];      ///< I_p = i_b[p] b[p]
    double up_a[2];     ///< an arrival of w takes w up_a[p] from a
    double up_b[2];     ///< and adds w up_b[p] to b[p]
  };
  static Factors factors(const Shared& s, Tick offset) {
    if constexpr (N == 1) return {s.table.at(offset), {}};
    else return {s.table.at(offset), s.table_inh.at(offset)};
  }
  static Moment moment(const Shared& s, const Factors& f, Tick offset) {
    Moment m;
    m.q_a = f.of.f[down_m];
    m.up_m = f.of.f[up_m];
    if constexpr (N == 1) m.i_b[1] = m.q_b[1] = 0;
    for (int p = 0; p < N; ++p) {
      m.i_b[p] = p ? f.inh.f[down_i] : f.of.f[down_e];
      m.up_b[p] = p ? f.inh.f[up_i] : f.of.f[up_e];
      const Kernel& k = s.port[p];
      if (!k.near) {
        m.q_b[p] = k.gain * m.i_b[p];
        m.up_a[p] = k.gain * m.up_m;
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
    return moment(n.shared(), factors(n.shared(), offset), offset);
  }
  static double charge(const State& s, const Moment& m) { return s.a * m.q_a + (s.b[0] * m.q_b[0] + b1(s) * m.q_b[1]); }

  /// Upper bound of Q from a tick to the frame's end.  Let S = Q' with inhibition left out, and I the positive currents:
  /// while Q rises from Q0 >= 0, I = S + Q/tau_m >= S, so S' = -S/tau_m - I/tau <= -kappa S with kappa = 1/tau_m + 1/tau.  Hence
  ///   Q <= max(Q0, Q0 + S0/kappa) = max(Q0, c Q0 + I0/kappa),  c = 1 - 1/(kappa tau_m),
  /// and from Q0 < 0 no more than I0/kappa is reached.  `reach` = 1/kappa, or the time left if that is less.  With two
  /// positive currents the second adds its peak response.  What holds at a tick holds for every later one of the frame.
  struct Bound {
    double reach, keep, second;
    Bound(Block n, Tick offset) {
      const Shared& s = n.shared();
      const double ahead = static_cast<double>(n.b.frame_length - offset) * s.ms_per_tick;
      reach = std::min(s.port[0].reach, ahead) * (1 + 1e-9);
      keep = (1 - reach * s.rate_m) * (1 + 1e-9);
      second = std::min(s.port[1].peak, ahead * (1 + 1e-9));
    }
  };

  static void derive(Block n, std::uint32_t j, const Params& p) {
    Constants& c = n.constants(j);
    c.capacitance = p.C_m;
    c.q_inf = p.tau_m * p.I_dc;
    c.e_l = p.E_L;
    c.v_th = p.v_th;
    c.v_reset = p.v_reset;
    c.th = p.C_m * (p.v_th - p.E_L) - c.q_inf;
    if constexpr (N == 2) n.state(j).th = c.th;
    Common& block = n.common();
    block.least = block.known ? std::min(block.least, c.th) : c.th;
    block.known = true;
  }
  static void init(Block n, std::uint32_t j, const Params& p, const double* initial) {
    Constants& c = n.constants(j);
    State& s = n.state(j);
    derive(n, j, p);
    c.t_ref = static_cast<Tick>(std::llround(p.t_ref * n.b.run.ticks_per_ms));
    c.pending = never;
    s.a = p.C_m * (initial[0] - p.E_L) - c.q_inf;
    for (double& b : s.b) b = 0;
  }
  static void set(Block n, Tick tick, std::uint32_t j, const Params& p) {
    Constants& c = n.constants(j);
    State& s = n.state(j);
    const double before = c.q_inf + c.capacitance * c.e_l;
    derive(n, j, p);
    s.a += (before - (c.q_inf + c.capacitance * c.e_l)) * moment(n, tick).up_m;
    look(n, j, tick);
  }

  /// Asks for a test where the neuron may cross before the frame's end; called when its state has changed at `tick`.
  /// Returns the tick of the test asked for, or `never`.
  static Tick look(Block n, std::uint32_t j, Tick tick, const Moment& m) {
    const State& s = n.state(j);
    if (s.a == minus_infinity) return never;
    return ask(n, j, tick, charge(s, m), s.b[0] * m.i_b[0], b1(s) * m.i_b[1]);
  }
  /// The rare case of the kernels, kept out of their loops.
  [[gnu::noinline, gnu::cold]] static Tick look(Block n, std::uint32_t j, Tick tick) { return look(n, j, tick, moment(n, tick)); }

  /// A time [ms] that the first crossing cannot precede, or infinity where there is none without arrivals; Q < th.
  /// The later of two.  (1) Until the crossing Q <= th, so Q'' = Q/tau_m^2 - sum (1/tau_m + 1/tau_p) I_p has an upper bound c:
  /// the root h of Q + Q' h + c h^2/2 = th.  (2) With S, kappa as for `Bound` and D = Q/(tau_m tau kappa), S' <= -kappa (S + D) while Q
  /// rises, so Q(h) <= Q + (S + D) (1 - exp(-kappa h))/kappa - D h <= Q + (S + D) h/(1 + kappa h/2) - D h: a quadratic equation
  /// again, without a root where the peak stays below the threshold.
  static double soonest(const Shared& sh, double q, double i0, double i1, double th) {
    constexpr double none = std::numeric_limits<double>::infinity();
    const double rm = sh.rate_m, gap = th - q;
    const double rate = i1 > 0 ? (i0 > 0 ? std::min(sh.port[0].rate, sh.port[1].rate) : sh.port[1].rate) : sh.port[0].rate;
    const double rise = std::max(i0, 0.0) + std::max(i1, 0.0) - q * rm;
    if (rise <= 0) return none;
    const double kappa = rm + rate, b = rise - 0.5 * kappa * gap, dk = q * rm * rate;
    const double square = b * b, under = square - 2 * dk * gap;
    if (dk >= 0 && (b <= 0 || under < -1e-9 * square)) return none;
    const double second = 2 * gap / (b + std::sqrt(std::max(under, 0.0)));
    if (!(std::min(i0, i1) < 0)) return second * (1 - 1e-9);  // never before the first
    const double slope = i0 + i1 - q * rm;
    const double curvature = std::max(th, 0.0) * rm * rm + std::max(-i0, 0.0) * (rm + sh.port[0].rate) + std::max(-i1, 0.0) * (rm + sh.port[1].rate);
    const double root = std::sqrt(slope * slope + 2 * curvature * gap);
    const double first = slope > 0 ? 2 * gap / (slope + root) : (root - slope) / curvature;
    return std::max(first, second) * (1 - 1e-9);
  }
  /// Asks for a test at a tick that the first crossing cannot precede, unless one no later is pending already.  The test
  /// that finds Q still below asks again from there: as in Newton's method the waits shrink quadratically, down to a tick,
  /// but arrivals on the way cost no root finding of their own.
  static Tick ask(Block n, std::uint32_t j, Tick tick, double q, double i0, double i1) {
    const double th = n.constants(j).th;
    Tick at = tick;
    if (q < th) {
      const double h = soonest(n.shared(), q, i0, i1, th) * n.b.run.ticks_per_ms;
      const Tick left = n.b.frame_begin + n.b.frame_length - tick;
      if (!(h < static_cast<double>(left))) return never;  // the next frame begins with a look at everyone
      at += std::max<Tick>(1, static_cast<Tick>(h));
      if (at >= tick + left) return never;
    }
    Tick& pending = n.constants(j).pending;
    if (pending <= at) return never;
    pending = at;
    n.out().test_at(at, j);
    return at;
  }

  // A state is read, changed, tested and written as one vector of two or four numbers.  GCC's vectors are lowered to
  // whatever the target has; the lanes do the same IEEE operations on all of them.
  using Vector = typename VectorOf<N>::type;
  static Vector& vector(State& s) { return reinterpret_cast<Vector&>(s); }

  /// The bound for a row r = (a, b0, b1, th) after an arrival that raises Q.  No crossing is possible if both
  ///   c Q + R max(I0, 0) + P max(I1, 0) < th   and, for Q < 0,   R max(I0, 0) + P max(I1, 0) < th.
  /// `coef` = c (q_a, q_b0, q_b1, -1/c), `peak` = (0, R i_b0, P i_b1, 0).  No lane multiplies -infinity by 0.
  static bool excluded(Row r, Row coef, Row peak) {
    const Row positive = (r > 0.0 ? r : Row{}) * peak;
    const Row x = r * coef + positive;
    const Row y = positive - reinterpret_cast<Row>(reinterpret_cast<Lanes>(r) & Lanes{0, 0, 0, -1});
    const Row pairs = __builtin_shufflevector(x, y, 0, 4, 2, 6) + __builtin_shufflevector(x, y, 1, 5, 3, 7);
    const Pair sums = __builtin_shufflevector(pairs, pairs, 0, 1) + __builtin_shufflevector(pairs, pairs, 2, 3);
    return __builtin_ia32_movmskpd(sums) == 3;  // both negative; -infinity, of refractory neurons, is
  }
  /// One current with tau < tau_m: the bound with the larger reach tau in place of 1/kappa, where c q_b + tau i_b vanishes,
  ///   c q_a a < th   and   tau i_b b < th,
  /// so (a, b) is compared with numbers of the block that grow as what an arrival adds does.  A crossing that lies at or
  /// before this arrival has its test pending already.  With a threshold below rest nothing is excluded.
  static Pair ceiling(Block n) {
    const Shared& sh = n.shared();
    const double least = n.common().least * (1 - 1e-9);
    return Pair{least * sh.inverse_keep, least > 0 ? least * sh.port[0].rate : minus_infinity};
  }
  static bool excluded(Pair r, Pair ceiling) { return __builtin_ia32_movmskpd(reinterpret_cast<Pair>(r < ceiling)) == 3; }

  static void receive(Block n, const Arrivals in) {  // by value: nothing stored through a vector can change it
    const Tick offset = in.tick - n.b.frame_begin;
    const Shared& sh = n.shared();
    const Moment m = moment(sh, factors(sh, offset), offset);
    const int p = N == 1 ? 0 : static_cast<int>(in.port);
    State* const state = static_cast<State*>(n.b.state);
    Vector unit{-m.up_a[p], p == 0 ? m.up_b[0] : 0};
    if constexpr (N == 2) unit[2] = p == 1 ? m.up_b[1] : 0;
    if (!in.weights && !in.weights64 && in.weight * in.scale <= 0) {  // lowers Q: a crossing can only move back
      const Vector change = unit * (in.weight * in.scale);
      for (std::uint32_t i = 0; i < in.count; ++i) vector(state[in.targets[i]]) += change;
      return;
    }
    const Bound bound(n, offset);
    const double reach = bound.reach * m.i_b[0];
    const Pair limit = ceiling(n) * Pair{m.up_m, m.up_b[0]};
    in.each([&](std::uint16_t j, double w) __attribute__((always_inline)) {
      Vector& s = vector(state[j]);
      const Vector r = s + unit * w;
      s = r;
      bool fine;
      if constexpr (N == 1) fine = excluded(r, limit);
      else fine = excluded(r, Row{bound.keep * m.q_a, bound.keep * m.q_b[0], bound.keep * m.q_b[1], -1}, Row{0, reach, bound.second * m.i_b[1], 0});
      if (!fine) [[unlikely]] {
        if (w > 0) look(n, j, in.tick);
      }
    });
  }

  /// After a look from within a train: may it go on?  Up to the tick asked for it may, while there is room for more requests.
  static bool goes_on(Block n, Tick asked, Tick base, std::uint32_t& limit) {
    if (asked - base < 65536) limit = std::min(limit, static_cast<std::uint32_t>(asked - base) << 16);
    return n.out().size < 8;
  }
  /// Arrivals at different ticks: as above, with the factors of each tick.
  template <class WeightOf>
  static std::uint32_t train(Block n, const Train in, WeightOf weight_of) {
    const Shared& sh = n.shared();
    const Tick base_offset = in.base - n.b.frame_begin;
    const Factors base = factors(sh, base_offset);
    const Bound bound(n, base_offset);
    const int p = static_cast<int>(in.port);
    std::uint32_t limit = in.limit, i = 0;
    for (; in.keys[i] < limit; ++i) {
      const std::uint32_t offset = in.keys[i] >> 16;
      const auto j = static_cast<std::uint16_t>(in.keys[i]);
      const double w = weight_of(j);
      State& s = n.state(j);
      const Moment m = moment(sh, {base.of * sh.table.low16(offset), base.inh * sh.table_inh.low16(offset)}, base_offset + offset);
      s.a -= w * m.up_a[p];
      s.b[p] += w * m.up_b[p];
      const double q = charge(s, m), th = n.constants(j).th;
      const double climb = std::max(s.b[0] * m.i_b[0], 0.0) * bound.reach + std::max(s.b[1] * m.i_b[1], 0.0) * bound.second;
      if (!(std::max(q * bound.keep, 0.0) + climb < th)) [[unlikely]] {
        if (w > 0 && !goes_on(n, look(n, j, in.base + offset), in.base, limit)) return i + 1;
      }
    }
    return i;
  }
  /// The same for one current, on pairs.
  template <class WeightOf>
  static std::uint32_t train_of_one(Block n, const Train in, WeightOf weight_of, double weight) {
    const Shared& sh = n.shared();
    const auto at_base = sh.table.at(in.base - n.b.frame_begin);
    // At the train's base; every tick has its factors from there.
    const Pair up_base = {at_base.f[up_m], at_base.f[up_e]};
    const Pair raise = Pair{-weight * sh.port[0].gain, weight} * up_base, height = ceiling(n) * up_base;
    State* const state = static_cast<State*>(n.b.state);
    const std::uint32_t* key = in.keys;
    std::uint32_t limit = in.limit;
    for (; *key < limit; ++key) {
      const std::uint32_t offset = *key >> 16;
      const auto j = static_cast<std::uint16_t>(*key);
      const Pair* const high = reinterpret_cast<const Pair*>(&sh.table.level[1][offset >> 8]);
      const Pair* const low = reinterpret_cast<const Pair*>(&sh.table.level[0][offset & 255]);
      Vector& s = vector(state[j]);
      const double w = weight_of(j);
      const Pair up = high[0] * low[0];
      const Pair r = s + raise * up * w;
      s = r;
      if (!excluded(r, height * up)) [[unlikely]] {
        if (w * weight > 0 && !goes_on(n, look(n, j, in.base + offset), in.base, limit)) return static_cast<std::uint32_t>(key + 1 - in.keys);
      }
    }
    return static_cast<std::uint32_t>(key - in.keys);
  }
  static std::uint32_t receive_train(Block n, const Train& in) {
    if constexpr (N == 1)
      return in.weight_of ? train_of_one(n, in, [w = in.weight_of](std::uint16_t j) { return w[j]; }, 1.0)
                          : train_of_one(n, in, [](std::uint16_t) { return 1.0; }, in.weight);
    else
      return in.weight_of ? train(n, in, [w = in.weight_of](std::uint16_t j) { return w[j]; })
                          : train(n, in, [w = in.weight](std::uint16_t) { return w; });
  }

  static void reset(Block n, std::uint32_t j, Tick tick) {
    State& s = n.state(j);
    const Constants& c = n.constants(j);
    const Moment m = moment(n, tick);
    const double q = c.capacitance * (c.v_reset - c.e_l) - c.q_inf;
    s.a = (q - (s.b[0] * m.q_b[0] + b1(s) * m.q_b[1])) * m.up_m;
    look(n, j, tick, m);
  }
  static void test(Block n, Tick tick, std::span<const std::uint32_t> js) {
    for (const auto j : js) {
      State& s = n.state(j);
      Constants& c = n.constants(j);
      if (c.pending != tick) continue;  // out of date
      c.pending = never;
      const Moment m = moment(n, tick);
      if (charge(s, m) < c.th) {  // not yet, or moved or cancelled by arrivals since
        look(n, j, tick, m);
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
    std::uint32_t quiet = 1;
    for (std::uint32_t j = 0; j < n.size(); ++j) {
      State& s = n.state(j);
      for (std::uint64_t k = 0; k < frames && !(settled(s.a) && s.b[0] == 0 && b1(s) == 0); ++k) {
        s.a = flushed((s.a + (s.b[0] * sh.port[0].carry + b1(s) * sh.port[1].carry)) * sh.decay_m);
        for (int p = 0; p < N; ++p) s.b[p] = flushed(s.b[p] * sh.port[p].decay);
      }
      if (s.a == minus_infinity) continue;
      look(n, j, n.b.frame_begin, m);
      const double q = charge(s, m);
      const double most = std::max(q, 0.0) + std::max(s.b[0], 0.0) * sh.port[0].peak + std::max(b1(s), 0.0) * sh.port[1].peak;
      if (!(most < n.constants(j).th)) quiet = 0;
    }
    return quiet;
  }

  static double read(Block n, Tick tick, std::uint32_t j, std::uint32_t variable) {
    const State& s = n.state(j);
    const Constants& c = n.constants(j);
    const Moment m = moment(n, tick);
    if (variable == 1) return s.b[0] * m.i_b[0] + b1(s) * m.i_b[1];
    return s.a == minus_infinity ? c.v_reset : c.e_l + (charge(s, m) + c.q_inf) / c.capacitance;
  }
};

/// The same neuron with time constants of its own: brought up to date at each of its events, with an exp per time
/// constant.  Crossings are found as above, without frames.
struct LifExpPerNeuron {
  using Shape = LifExp<2>;
  using Params = Shape::Params;
  static constexpr const char* name = Shape::name;
  static constexpr const char* doc = Shape::doc;
  static constexpr const Port (&ports)[2] = Shape::ports;
  static auto params() { return Shape::params(); }
  static auto variables() {
    FieldTable<State> t;
    t.computed("V", "mV", -70, any(), initial | recorded, "membrane potential")
        .computed("I_syn", "pA", 0, any(), recorded, "synaptic current, both ports");
    return t;
  }
  static const char* check(const Params& p) { return Shape::check(p); }

  struct State {
    double q;     ///< C (V - V_inf) [pA ms] at `at`
    double i[2];  ///< currents [pA]
    Tick at;
    Tick pending;        ///< the test that counts
    std::int64_t resting;  ///< 1 in the refractory period: q stays, currents go on
  };
  struct Constants {
    double th, capacitance, q_inf, e_l, v_reset, rate_m;
    double rate[2], gain[2], delta[2], peak[2];
    Tick t_ref;
  };
  using Block = Neurons<LifExpPerNeuron>;

  static State at(Block n, std::uint32_t j, Tick tick) {
    State s = n.state(j);
    const Constants& c = n.constants(j);
    const double t = static_cast<double>(tick - s.at) / n.b.run.ticks_per_ms;
    if (t == 0) return s;
    const double em = math::exp(-t * c.rate_m);
    double q = s.q * em;
    for (int p = 0; p < 2; ++p) {
      const double e = math::exp(-t * c.rate[p]);
      const bool near = c.gain[p] == 0;
      q += s.i[p] * (near ? (c.delta[p] == 0 ? t : math::expm1(c.delta[p] * t) / c.delta[p]) * em : c.gain[p] * (e - em));
      s.i[p] *= e;
    }
    if (!s.resting) s.q = q;
    s.at = tick;
    return s;
  }
  static void derive(Constants& c, const Params& p) {
    c.capacitance = p.C_m;
    c.q_inf = p.tau_m * p.I_dc;
    c.e_l = p.E_L;
    c.v_reset = p.v_reset;
    c.th = p.C_m * (p.v_th - p.E_L) - c.q_inf;
  }
  static void init(Block n, std::uint32_t j, const Params& p, const double* initial) {
    Constants& c = n.constants(j);
    derive(c, p);
    c.rate_m = 1 / p.tau_m;
    const double tau[2] = {p.tau_syn_exc, p.tau_syn_inh};
    for (int k = 0; k < 2; ++k) {
      c.rate[k] = 1 / tau[k];
      c.delta[k] = c.rate_m - c.rate[k];
      c.gain[k] = std::abs(tau[k] - p.tau_m) <= 0.02 * p.tau_m ? 0 : tau[k] * p.tau_m / (tau[k] - p.tau_m);
      const double when = c.delta[k] == 0 ? tau[k] : math::log1p(c.delta[k] * tau[k]) / c.delta[k];
      c.peak[k] = p.tau_m * math::exp(-when / tau[k]) * (1 + 1e-9);
    }
    c.t_ref = static_cast<Tick>(std::llround(p.t_ref * n.b.run.ticks_per_ms));
    n.state(j) = {p.C_m * (initial[0] - p.E_L) - c.q_inf, {0, 0}, 0, never, 0};
    look(n, j);
  }
  static void set(Block n, Tick tick, std::uint32_t j, const Params& p) {
    Constants& c = n.constants(j);
    State& s = n.state(j) = at(n, j, tick);
    const double before = c.q_inf + c.capacitance * c.e_l;
    derive(c, p);
    s.q += before - (c.q_inf + c.capacitance * c.e_l);
    look(n, j);
  }
  /// As LifExp::look and ask, for a state that is up to date.
  static void look(Block n, std::uint32_t j) {
    State& s = n.state(j);
    const Constants& c = n.constants(j);
    if (s.resting) return;
    if (std::max(s.q, 0.0) + std::max(s.i[0], 0.0) * c.peak[0] + std::max(s.i[1], 0.0) * c.peak[1] < c.th) return;
    Tick tick = s.at;
    if (s.q < c.th) {
      const double slope = s.i[0] + s.i[1] - s.q * c.rate_m, gap = c.th - s.q;
      double curvature = std::max(c.th, 0.0) * c.rate_m * c.rate_m;
      for (int p = 0; p < 2; ++p) curvature += std::max(-s.i[p], 0.0) * (c.rate_m + c.rate[p]);
      const double root = std::sqrt(slope * slope + 2 * curvature * gap);
      const double h = (slope > 0 ? 2 * gap / (slope + root) : (root - slope) / curvature) * n.b.run.ticks_per_ms * (1 - 1e-9);
      if (!(h < 0x1p60)) return;
      tick += std::max<Tick>(1, static_cast<Tick>(h));
    }
    if (s.pending <= tick) return;
    s.pending = tick;
    n.out().test_at(tick, j);
  }
  static void arrive(Block n, Tick tick, std::uint32_t port, std::uint32_t j, double w) {
    State& s = n.state(j) = at(n, j, tick);
    s.i[port] += w;
    if (w > 0) look(n, j);
  }
  static void test(Block n, Tick tick, std::span<const std::uint32_t> js) {
    for (const auto j : js) {
      State& s = n.state(j);
      if (s.pending != tick) continue;
      const Constants& c = n.constants(j);
      s = at(n, j, tick);
      s.pending = never;
      if (s.q >= c.th) {
        n.out().emit(tick, j);
        s.q = c.capacitance * (c.v_reset - c.e_l) - c.q_inf;
        if (c.t_ref > 0) {
          s.resting = 1;
          n.out().wake_at(tick + c.t_ref, j);
          continue;
        }
      }
      look(n, j);
    }
  }
  static void wake(Block n, Tick tick, std::span<const std::uint32_t> js) {
    for (const auto j : js) {
      State& s = n.state(j) = at(n, j, tick);
      s.resting = 0;
      s.q = n.constants(j).capacitance * (n.constants(j).v_reset - n.constants(j).e_l) - n.constants(j).q_inf;
      look(n, j);
    }
  }
  static double read(Block n, Tick tick, std::uint32_t j, std::uint32_t variable) {
    const State s = at(n, j, tick);
    const Constants& c = n.constants(j);
    return variable == 1 ? s.i[0] + s.i[1] : s.resting ? c.v_reset : c.e_l + (s.q + c.q_inf) / c.capacitance;
  }
};
}  // namespace

SPINET_MODEL(spinet::neuron_table<LifExp<2>>())
