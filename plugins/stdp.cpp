// stdp: pair-based spike-timing-dependent plasticity.
//
// With the delay in the dendrite, a presynaptic spike meets the synapse at its emission t and a postsynaptic
// one delay after its own.  Every postsynaptic spike potentiates by the presynaptic trace, every presynaptic
// spike depresses by the postsynaptic trace; a pair at the same tick counts for neither.  w is in units of
// w_max:
//     potentiation  w += lambda (1 - w)^mu_plus x_pre        depression  w -= alpha lambda w^mu_minus x_post
// mu = 0 is additive (S. Song, K. D. Miller, L. F. Abbott, "Competitive Hebbian learning through
// spike-timing-dependent synaptic plasticity", 2000), 1 multiplicative, between them R. Guetig et al.,
// "Learning input correlations through nonlinear temporally asymmetric Hebbian plasticity", 2003.  Last tick
// and presynaptic trace belong to the slice.
#include <algorithm>
#include <cstring>
#include <type_traits>

#include "spinet/math.hpp"
#include "spinet/synapse.hpp"

#pragma GCC diagnostic ignored "-Wpsabi"  // rows are passed between inlined functions only

namespace {
using namespace spinet;

typedef double Pair __attribute__((vector_size(16), may_alias));
typedef double Row __attribute__((vector_size(32)));
typedef long long Ticks __attribute__((vector_size(32)));
typedef float Floats __attribute__((vector_size(16)));

struct Stdp {
  static constexpr const char* name = "stdp";
  static constexpr const char* doc =
      "Spike-timing-dependent plasticity of pairs, additive to multiplicative, all-to-all or nearest "
      "neighbour.";
  struct Params {
    double tau_plus, tau_minus, lambda, alpha, mu_plus, mu_minus, w_max, nearest;
  };
  struct Shared {
    double plus_rate, minus_rate;  ///< 1 / tau
    double lambda, alpha_lambda, mu_plus, mu_minus, w_max;
    bool nearest;
  };
  enum class Mu { zero, one, any };
  struct State {
    float weight;
  };
  struct SliceState {
    Tick last;     ///< emission of the last presynaptic spike
    Tick applied;  ///< postsynaptic spikes up to here have been taken in
    double trace;  ///< of presynaptic spikes, at `last`; 0 before the first
  };

  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::tau_plus, "tau_plus", "ms", 20, above(0), 0,
          "time constant of potentiation, pre before post")
        .add(&Params::tau_minus, "tau_minus", "ms", 20, above(0), 0,
             "time constant of depression, post before pre")
        .add(&Params::lambda, "lambda", "1", 0.01, at_least(0), scheduled,
             "step of potentiation, in units of w_max")
        .add(&Params::alpha, "alpha", "1", 1, at_least(0), scheduled,
             "step of depression over that of potentiation")
        .add(&Params::mu_plus, "mu_plus", "1", 1, between(0, 10), scheduled,
             "exponent of potentiation: 0 additive, 1 multiplicative")
        .add(&Params::mu_minus, "mu_minus", "1", 1, between(0, 10), scheduled,
             "exponent of depression: 0 additive, 1 multiplicative")
        .add(&Params::w_max, "w_max", "1", 100, above(0), port_unit | scheduled,
             "largest weight; weights stay between 0 and it")
        .add(&Params::nearest, "nearest", "1", 0, between(0, 1), integer,
             "1: each spike pairs with its nearest partner only, 0: with all");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::weight, "weight", "1", 1, at_least(0), initial | port_unit, "weight, between 0 and w_max");
    return t;
  }
  static double post_tau(const Params& p) { return p.tau_minus; }
  static double pre_tau(const Params& p) { return p.tau_plus; }
  static void prepare(Shared& s, const Params& p, const RunInfo& run) {
    s = {1 / (p.tau_plus * run.ticks_per_ms),
         1 / (p.tau_minus * run.ticks_per_ms),
         p.lambda,
         p.alpha * p.lambda,
         p.mu_plus,
         p.mu_minus,
         p.w_max,
         p.nearest != 0};
  }

  static void init(State& s, const Shared& p) { s.weight = std::min(s.weight, static_cast<float>(p.w_max)); }

  /// What is common to the synapses of a slice.  Traces are products: what the slice contributes times what
  /// the engine keeps with each postsynaptic spike, both relative to the slice's base; no exp per synapse.
  struct Pass {
    double lead;  ///< lambda x_pre at a postsynaptic spike = lead * lowered
    double fall;  ///< alpha lambda x_post at the presynaptic spike = fall * raised
    double w_max, mu_plus, mu_minus;
    Tick seen, applied;
    bool nearest;
    // Where a delay is longer than 300 time constants the factors may leave the range of a double:
    bool far;
    double trace, last, alpha_lambda, plus_rate,
        minus_rate;  ///< last: presynaptic spike, as the target sees it

    explicit Pass(Synapses<Stdp> n) {
      const Shared& p = n.shared();
      const SliceState& pre = n.slice_state();
      seen = n.s.seen();
      applied = pre.applied;
      w_max = p.w_max, mu_plus = p.mu_plus, mu_minus = p.mu_minus, nearest = p.nearest;
      trace = p.lambda * pre.trace, last = static_cast<double>(pre.last - n.s.delay);
      alpha_lambda = p.alpha_lambda, plus_rate = p.plus_rate, minus_rate = p.minus_rate;
      far = 2 * static_cast<double>(n.s.delay) * std::max(plus_rate, minus_rate) > 300;
      lead = trace == 0 || far ? 0 : trace * math::exp((last - static_cast<double>(n.s.base)) * plus_rate);
      fall = far ? 0 : alpha_lambda * math::exp(static_cast<double>(n.s.base - seen) * minus_rate);
    }
    double pre(const PostSpike& s) const {
      return far && trace != 0 ? trace * math::exp((last - static_cast<double>(s.tick)) * plus_rate)
                               : lead * s.lowered;
    }
    double post(const PostSpike& s) const {
      if (s.tick == long_ago) return 0;
      const double sum = nearest ? s.trace : 1;
      return far ? alpha_lambda * s.trace / sum * math::exp(static_cast<double>(s.tick - seen) * minus_rate)
                 : fall * s.raised / sum;
    }
  };
  // One step for a number or a row of them.  The weight is rounded to float after every step, so that it does
  // not matter which steps are made together; x = 0 changes nothing.
  template <Mu kind, class T>
  static T potentiated(T w, T x, const Pass& p) {
    T up;
    if constexpr (kind == Mu::zero) up = w + p.w_max * x;
    else if constexpr (kind == Mu::one) up = w + (p.w_max - w) * x;
    else up = x == 0 ? w : w + p.w_max * power(1 - w / p.w_max, p.mu_plus) * x;
    return rounded(up < p.w_max ? up : p.w_max + T{});
  }
  template <Mu kind, class T>
  static T depressed(T w, T x, const Pass& p) {
    T down;
    if constexpr (kind == Mu::zero) down = w - p.w_max * x;
    else if constexpr (kind == Mu::one) down = w - w * x;
    else down = x == 0 ? w : w - p.w_max * power(w / p.w_max, p.mu_minus) * x;
    return rounded(down > 1e-30 ? down : T{});  // always a normal float
  }
  static double power(double x, double mu) { return x <= 0 ? 0.0 : math::exp(mu * math::log(x)); }
  /// To the 24 bits of a float (Veltkamp's splitting), without conversions, which compilers do badly for
  /// rows.
  template <class T>
  static T rounded(T w) {
    const T t = w * 0x20000001p0;
    return t - (t - w);
  }

  /// Behind the last postsynaptic spike that the synapse has met.
  static const PostSpike* met(const PostHistory& h, Tick seen) {
    const PostSpike* e = h.end;
    while (e[-1].tick > seen) --e;
    return e;
  }
  /// The weight after the postsynaptic spikes since `applied`.
  template <Mu kind>
  static double after_post(double w, const PostSpike* e, const Pass& p) {
    const PostSpike* s = e;
    while (s[-1].tick > p.applied) --s;
    for (; s != e; ++s) w = potentiated<kind>(w, p.pre(*s), p);
    return w;
  }
  template <Mu plus, Mu minus>
  static float one(float weight, const PostHistory& h, const Pass& p) {
    const PostSpike* e = met(h, p.seen);
    const double w = after_post<plus>(static_cast<double>(weight), e, p);
    if (e[-1].tick == p.seen) --e;  // at the same tick as this presynaptic spike
    return static_cast<float>(depressed<minus>(w, p.post(e[-1]), p));
  }

  /// The m-th postsynaptic spike before e of each of four synapses, as rows.
  struct Four {
    Ticks tick;
    Row lowered;
    static Four back(const PostSpike* const (&e)[4], std::ptrdiff_t m) {
      const auto pair = [&](int l) { return *reinterpret_cast<const Pair*>(&e[l][-m]); };
      const Pair a = pair(0), b = pair(1), c = pair(2), d = pair(3);
      const Row tick = __builtin_shufflevector(__builtin_shufflevector(a, b, 0, 2),
                                               __builtin_shufflevector(c, d, 0, 2), 0, 1, 2, 3);
      return {reinterpret_cast<Ticks>(tick),
              __builtin_shufflevector(__builtin_shufflevector(a, b, 1, 3),
                                      __builtin_shufflevector(c, d, 1, 3), 0, 1, 2, 3)};
    }
  };
  static bool any(Ticks mask) { return (mask[0] | mask[1] | mask[2] | mask[3]) != 0; }

  /// Four synapses at once, without branches in the usual case: each looks at its last three postsynaptic
  /// spikes, whether they are new or not.  The same operations as in `one`, so the same bits.
  template <Mu plus, Mu minus>
  static void four(float* weight, const std::uint16_t* targets, const PostHistory* history, const Pass& p,
                   double* out) {
    const PostSpike* e[4];
    for (int l = 0; l < 4; ++l) {
      e[l] = history[targets[l]].end;
      e[l] -= e[l][-1].tick > p.seen;
    }
    const Four first = Four::back(e, 1);
    std::ptrdiff_t m = 3;
    while (m < PostHistory::spare && any(Four::back(e, m + 1).tick > p.applied)) ++m;
    if (m == PostHistory::spare || any(first.tick >= p.seen)) {
      for (int l = 0; l < 4; ++l) {
        weight[l] = one<plus, minus>(weight[l], history[targets[l]], p);
        out[l] = static_cast<double>(weight[l]);
      }
      return;
    }
    Floats narrow;
    std::memcpy(&narrow, weight, sizeof narrow);
    Row w = __builtin_convertvector(narrow, Row);
    const auto step = [&](const Four& s) {
      const Ticks x = reinterpret_cast<Ticks>(s.lowered * p.lead) & (s.tick > p.applied);
      w = potentiated<plus>(w, reinterpret_cast<Row>(x), p);
    };
    for (; m > 3; --m) step(Four::back(e, m));
    step(Four::back(e, 3));
    step(Four::back(e, 2));
    step(first);
    const Row raised = {e[0][-1].raised, e[1][-1].raised, e[2][-1].raised, e[3][-1].raised};
    w = depressed<minus>(w, raised * p.fall, p);
    narrow = __builtin_convertvector(w, Floats);
    std::memcpy(weight, &narrow, sizeof narrow);
    std::memcpy(out, &w, sizeof w);  // the same numbers: they are rounded already
  }

  /// Calls f with the kinds of the exponents as types: the loops are compiled for each.
  template <class F>
  static auto with_kinds(const Shared& p, F f) {
    const auto kind = [](double mu, auto g) {
      if (mu == 0) return g(std::integral_constant<Mu, Mu::zero>{});
      if (mu == 1) return g(std::integral_constant<Mu, Mu::one>{});
      return g(std::integral_constant<Mu, Mu::any>{});
    };
    return kind(p.mu_plus,
                [&](auto plus) { return kind(p.mu_minus, [&](auto minus) { return f(plus, minus); }); });
  }

  static constexpr bool wide = true;
  static void on_pre(Synapses<Stdp> n, double* out) {
    const Pass pass(n);
    auto* const weight = static_cast<float*>(n.s.state);
    const PostHistory* const history = n.s.history;
    const std::uint16_t* const targets = n.s.targets;
    const std::uint32_t count = n.size();
    with_kinds(n.shared(), [&](auto plus, auto minus) {
      std::uint32_t i = 0;
      if constexpr (plus.value != Mu::any && minus.value != Mu::any)
        if (!pass.nearest && !pass.far)
          for (; i + 4 <= count; i += 4)
            four<plus.value, minus.value>(weight + i, targets + i, history, pass, out + i);
      for (; i < count; ++i) {
        weight[i] = one<plus.value, minus.value>(weight[i], history[targets[i]], pass);
        out[i] = static_cast<double>(weight[i]);
      }
    });
    SliceState& pre = n.slice_state();
    const Tick t = n.s.emitted();
    pre = {t, n.s.seen(),
           pass.nearest || pre.trace == 0
               ? 1
               : 1 + pre.trace * math::exp(static_cast<double>(pre.last - t) * pass.plus_rate)};
  }
  static float seen_by(Synapses<Stdp> n, std::uint32_t i, const Pass& pass) {
    return with_kinds(n.shared(), [&](auto plus, auto) {
      return static_cast<float>(
          after_post<plus.value>(static_cast<double>(n[i].weight), met(n.post(i), pass.seen), pass));
    });
  }
  static void catch_up(Synapses<Stdp> n) {
    const Pass pass(n);
    for (std::uint32_t i = 0; i < n.size(); ++i) n[i].weight = seen_by(n, i, pass);
    n.slice_state().applied = n.s.seen();
  }
  static void set(Synapses<Stdp> n, const Params&, const Shared& next) {
    for (std::uint32_t i = 0; i < n.size(); ++i) init(n[i], next);
  }
  static double read(Synapses<Stdp> n, std::uint32_t i, std::uint32_t) {
    return static_cast<double>(seen_by(n, i, Pass(n)));
  }
};
}  // namespace

SPINET_MODEL(synapse_table<Stdp>())
