// `lif_exp` in exponential frames: its state, what an event and a tick make of it, and what else there is to
// a neuron of it.  lif_exp_tests.hpp says when it crosses its threshold, lif_exp_drive.hpp takes arrivals,
// lif_exp_slabs.hpp input without order.
#pragma once
#include <cstdint>
#include <span>
#include <type_traits>

#include "lif_exp_frame.hpp"
#include "spinet/simd.hpp"

#pragma GCC diagnostic ignored "-Wpsabi"  // rows are passed between inlined functions only

namespace spinet::lif {
namespace {

using Pair = Two;
typedef double Row __attribute__((vector_size(32), may_alias));
typedef long long Lanes __attribute__((vector_size(32)));
template <int N>
struct VectorOf {
  typedef Row type;
};
template <>
struct VectorOf<1> {
  typedef Pair type;
};

struct LifExpPerNeuron;
struct LifExpFollowing;

/// `N` currents per neuron: 2, or 1 where both ports have the same time constant and their currents add up to
/// one.
template <int N>
struct LifExp : LifExpShape {
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
    double end_a, end_b, share;  ///< see `begin_slab`
    bool any_due;                ///< a neuron is at its threshold at the slab's begin: each is looked at
    /// The lowest of each 256 neurons: populations of one block may differ in their thresholds.
    struct Part {
      double least;
      bool known;
    } parts[256];
    double least_of(std::uint32_t first, std::uint32_t count) const {
      double x = parts[first / 256].least;
      for (std::uint32_t k = first / 256 + 1; k <= (first + count - 1) / 256; ++k)
        x = std::min(x, parts[k].least);
      return x;
    }
  };
  struct Factors {
    FrameTable<4>::Entry of;
    FrameTable<2>::Entry inh;
  };
  static auto variables() {
    FieldTable<State> t;
    t.computed("V", "mV", -70, any(), initial | recorded, "membrane potential")
        .computed("I_syn", "pA", 0, any(), recorded, "synaptic current, both ports");
    return t;
  }
  /// Equal time constants of the ports, below that of the membrane: the simpler kernel.
  static const NeuronTable* choose(const Params& p);
  using PerNeuron = LifExpPerNeuron;
  using Following = LifExpFollowing;

  using Block = Neurons<LifExp>;
  static double b1(const State& s) {
    if constexpr (N == 2) return s.b[1];
    else return 0;
  }

  /// What turns (a, b) into charge and currents at one tick of the frame.
  struct Moment {
    double up_m;  ///< exp(+t/tau_m)
    double q_a;   ///< Q = q_a a + q_b[0] b[0] + q_b[1] b[1]
    double q_b[2];
    double i_b[2];   ///< I_p = i_b[p] b[p]
    double up_a[2];  ///< an arrival of w takes w up_a[p] from a
    double up_b[2];  ///< and adds w up_b[p] to b[p]
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
  static double charge(const State& s, const Moment& m) {
    return s.a * m.q_a + (s.b[0] * m.q_b[0] + b1(s) * m.q_b[1]);
  }
  /// What Q must reach.  Where its terms are so large that their rounding hides more of V than the 1e-12 of
  /// the threshold which may count as either, V counts as there once it is so beyond rounding: with such
  /// currents, by the next tick.
  static double goal(const State& s, const Constants& c, const Moment& m) {
    const double terms = std::abs(s.a * m.q_a) + std::abs(s.b[0] * m.q_b[0]) + std::abs(b1(s) * m.q_b[1]);
    const double blur = (terms + std::abs(c.th)) * 0x1p-48;
    const double licence = 1e-12 * c.capacitance * std::max(std::abs(c.v_th), c.v_th - c.v_reset);
    return blur > licence ? c.th + blur : c.th;
  }

  /// Upper bound of Q from a tick to the frame's end.  Let S = Q' with inhibition left out, and I the
  /// positive currents: while Q rises from Q0 >= 0, I = S + Q/tau_m >= S, so S' = -S/tau_m - I/tau <= -kappa
  /// S with kappa = 1/tau_m + 1/tau.  Hence
  ///   Q <= max(Q0, Q0 + S0/kappa) = max(Q0, c Q0 + I0/kappa),  c = 1 - 1/(kappa tau_m),
  /// and from Q0 < 0 no more than I0/kappa is reached.  `reach` = 1/kappa, or the time left if that is less.
  /// With two positive currents the second adds its peak response.  What holds at a tick holds for every
  /// later one of the frame.
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

  // --- parameters and states ---

  static void derive(Block n, std::uint32_t j, const Params& p) {
    Constants& c = n.constants(j);
    c.capacitance = p.C_m;
    c.q_inf = held(p.tau_m) * p.I_dc;
    c.e_l = p.E_L;
    c.v_th = p.v_th;
    c.v_reset = p.v_reset;
    c.th = p.C_m * (p.v_th - p.E_L) - c.q_inf;
    if constexpr (N == 2) n.state(j).th = c.th;
    Common& block = n.common();
    block.least = block.known ? std::min(block.least, c.th) : c.th;
    block.known = true;
    auto& part = block.parts[j / 256];
    part.least = part.known ? std::min(part.least, c.th) : c.th;
    part.known = true;
  }
  static void init(Block n, std::uint32_t j, const Params& p, const double* initial) {
    Constants& c = n.constants(j);
    State& s = n.state(j);
    derive(n, j, p);
    c.t_ref = static_cast<Tick>(std::llround(p.t_ref * n.b.run.ticks_per_ms));
    c.pending = never;
    c.left = lif::is_soft(p) ? 0 : -1;
    if (beyond(p, initial[0])) n.out().fail(0, j, too_far);
    for (double& b : s.b) b = 0;
    s.a = p.C_m * (initial[0] - p.E_L) - c.q_inf;
    if (initial[0] >= c.v_th) raise(n, j, n.b.frame_begin);
  }
  static void set(Block n, Tick tick, std::uint32_t j, const Params& p) {
    Constants& c = n.constants(j);
    State& s = n.state(j);
    const double before = c.q_inf + c.capacitance * c.e_l;
    const Moment m = moment(n, tick);
    const bool there = charge(s, m) >= goal(s, c, m);
    derive(n, j, p);
    if (beyond(p, p.v_reset)) n.out().fail(tick, j, too_far);
    s.a += (before - (c.q_inf + c.capacitance * c.e_l)) * m.up_m;
    if (there) raise(n, j, tick);
    look(n, j, tick);
  }

  static bool settled(double a) { return a == 0 || a == -least_left || a == minus_infinity; }

  /// Over one frame.  Where nothing is left of Q it keeps its sign: see `left_of`.
  static void decay(State& s, const Shared& sh) {
    const double a = (s.a + (s.b[0] * sh.port[0].carry + b1(s) * sh.port[1].carry)) * sh.decay_m;
    double q = a;
    s.a = flushed(a);
    for (int p = 0; p < N; ++p) {
      const double b = s.b[p] * sh.port[p].decay;
      q += b * (sh.port[p].near ? sh.port[p].carry : sh.port[p].gain);
      s.b[p] = flushed(b);
    }
    if (s.a == 0 && s.b[0] == 0 && b1(s) == 0 && q < 0) [[unlikely]]
      s.a = -least_left;
  }

  static std::uint32_t renormalise(Block n, std::uint64_t frames) {
    const Shared& sh = n.shared();
    const Moment m = moment(n, n.b.frame_begin);
    if constexpr (N == 1)
      if (n.b.exact && n.b.slab_end > n.b.frame_begin) find_ends(n);
    std::uint32_t quiet = 1;
    for (std::uint32_t j = 0; j < n.size(); ++j) {
      State& s = n.state(j);
      for (std::uint64_t k = 0; k < frames && !(settled(s.a) && s.b[0] == 0 && b1(s) == 0); ++k) decay(s, sh);
      if (s.a == minus_infinity) continue;
      if (!n.b.is_virtual(j)) look(n, j, n.b.frame_begin, m);
      const double q = charge(s, m);
      if (!(q - q == 0)) n.out().fail(n.b.frame_begin, j, not_a_number);
      const double most =
          std::max(q, 0.0) + std::max(s.b[0], 0.0) * sh.port[0].peak + std::max(b1(s), 0.0) * sh.port[1].peak;
      if (!(most < n.constants(j).th)) quiet = 0;
    }
    return quiet;
  }

  static double read(Block n, Tick tick, std::uint32_t j, std::uint32_t variable) {
    const State& s = n.state(j);
    const Constants& c = n.constants(j);
    const Moment m = moment(n, tick);
    if (variable == 1) return s.b[0] * m.i_b[0] + b1(s) * m.i_b[1];
    return s.a == minus_infinity ? lif::after_spike(c) : c.e_l + (charge(s, m) + c.q_inf) / c.capacitance;
  }

  // --- tests: lif_exp_tests.hpp ---

  static void raise(Block n, std::uint32_t j, Tick tick);
  struct Charge {
    double q, i0, i1, goal;
  };
  static Tick look(Block n, std::uint32_t j, Tick tick, const Moment& m, Tick earliest);
  static Tick look(Block n, std::uint32_t j, Tick tick, const Moment& m) { return look(n, j, tick, m, tick); }
  /// The rare case of the kernels, kept out of their loops.
  [[gnu::noinline, gnu::cold]] static Tick look(Block n, std::uint32_t j, Tick tick);
  static double soonest(const Shared& sh, double q, double i0, double i1, double th);
  static Tick ask(Block n, std::uint32_t j, Tick tick, Charge now, Tick earliest);
  static void reset(Block n, std::uint32_t j, Tick tick, Tick earliest);
  static bool out_of_date(Block n, Tick tick, std::uint32_t j) { return n.constants(j).pending != tick; }
  static void test(Block n, Tick tick, std::span<const std::uint32_t> js);
  static void wake(Block n, Tick tick, std::span<const std::uint32_t> js);

  // --- arrivals: lif_exp_drive.hpp ---

  // A state is read, changed, tested and written as one vector of two or four numbers.  GCC's vectors are
  // lowered to whatever the target has; the lanes do the same IEEE operations on all of them.
  using Vector = typename VectorOf<N>::type;
  static Vector& vector(State& s) { return reinterpret_cast<Vector&>(s); }
  static bool excluded(Row r, Row coef, Row peak);
  static double ceiling(const Shared& sh, double th);
  static void receive(Block n, const Arrivals in);  // by value: nothing stored through a vector can change it
  static bool goes_on(Block n, Tick asked, Tick base, std::uint32_t& limit);
  template <class WeightOf>
  static std::uint32_t train(Block n, const Train in, WeightOf weight_of);
  template <class RaiseOf>
  static std::uint32_t train_of_one(Block n, const Train in, Pair up_base, RaiseOf raise_of);
  static Pair one(const Shared& sh, double weight, Pair up_base);
  static std::uint32_t receive_train(Block n, const Train& in);

  // --- input without order: lif_exp_slabs.hpp ---

  static void find_ends(Block n);
  static double goal_at_end(const Common& c, double th);
  static Tick look_at_virtual(Block n, std::uint32_t j, Tick tick);
  static std::uint32_t begin_slab(Block n, std::span<std::uint32_t> js);
  static bool at_threshold(Block n, std::uint32_t j);
  static bool asks_again(const Constants& c) { return c.left >= 0 && c.pending != never; }
  static Pair up_in_slab(const Shared& sh, std::uint32_t key);
  static Pair unit_in_slab(Block n);
  static void take_slab(Block n, const SlabEvents in, MemberBits& might_cross) requires(N == 1);
  template <class Change, class ChangeTwo>
  static void add(Block n, const SlabEvents::Stretch stretch, Change change, ChangeTwo change_two,
                  MemberBits& might_cross);
  static void take_out(Block n, std::uint32_t j, std::span<const std::uint32_t> keys, double weight);
};

}  // namespace
}  // namespace spinet::lif
