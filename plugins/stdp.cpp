// stdp: pair-based spike-timing-dependent plasticity.
//
// With the delay in the dendrite, a presynaptic spike meets the synapse at its emission t and a postsynaptic one delay
// after its own.  Every postsynaptic spike potentiates by the presynaptic trace, every presynaptic spike depresses by the
// postsynaptic trace; a pair at the same tick counts for neither.  w is in units of w_max:
//     potentiation  w += lambda (1 - w)^mu_plus x_pre        depression  w -= alpha lambda w^mu_minus x_post
// mu = 0 is additive (S. Song, K. D. Miller, L. F. Abbott, "Competitive Hebbian learning through spike-timing-dependent
// synaptic plasticity", 2000), 1 multiplicative, between them R. Guetig et al., "Learning input correlations through
// nonlinear temporally asymmetric Hebbian plasticity", 2003.  Last tick and presynaptic trace belong to the slice.
#include <algorithm>
#include <type_traits>

#include "spinet/frame.hpp"
#include "spinet/math.hpp"
#include "spinet/synapse.hpp"

namespace {
using namespace spinet;

struct Stdp {
  static constexpr const char* name = "stdp";
  static constexpr const char* doc = "Spike-timing-dependent plasticity of pairs, additive to multiplicative, all-to-all or nearest neighbour.";
  struct Params {
    double tau_plus, tau_minus, lambda, alpha, mu_plus, mu_minus, w_max, nearest;
  };
  struct Shared {
    FrameTable<1> plus, minus;  ///< exp(-ticks / tau), up to 2^32 ticks
    double plus_rate, minus_rate;  ///< 1 / tau
    double lambda, alpha_lambda, mu_plus, mu_minus, w_max, to_unit;  ///< to_unit = 1 / w_max
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
    t.add(&Params::tau_plus, "tau_plus", "ms", 20, above(0), 0, "time constant of potentiation, pre before post")
        .add(&Params::tau_minus, "tau_minus", "ms", 20, above(0), 0, "time constant of depression, post before pre")
        .add(&Params::lambda, "lambda", "1", 0.01, at_least(0), 0, "step of potentiation, in units of w_max")
        .add(&Params::alpha, "alpha", "1", 1, at_least(0), 0, "step of depression over that of potentiation")
        .add(&Params::mu_plus, "mu_plus", "1", 1, between(0, 10), 0, "exponent of potentiation: 0 additive, 1 multiplicative")
        .add(&Params::mu_minus, "mu_minus", "1", 1, between(0, 10), 0, "exponent of depression: 0 additive, 1 multiplicative")
        .add(&Params::w_max, "w_max", "1", 100, above(0), port_unit, "largest weight; weights stay between 0 and it")
        .add(&Params::nearest, "nearest", "1", 0, between(0, 1), integer, "1: each spike pairs with its nearest partner only, 0: with all");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::weight, "weight", "1", 1, at_least(0), initial | port_unit, "weight, between 0 and w_max; a larger one begins at w_max");
    return t;
  }
  static double post_tau(const Params& p) { return p.nearest != 0 ? 0 : p.tau_minus; }
  static void prepare(Shared& s, const Params& p, const RunInfo& run) {
    constexpr Tick reach = Tick{1} << 32;
    s.plus_rate = 1 / (p.tau_plus * run.ticks_per_ms);
    s.minus_rate = 1 / (p.tau_minus * run.ticks_per_ms);
    s.plus.prepare({-s.plus_rate}, reach);
    s.minus.prepare({-s.minus_rate}, reach);
    s.lambda = p.lambda;
    s.alpha_lambda = p.alpha * p.lambda;
    s.mu_plus = p.mu_plus;
    s.mu_minus = p.mu_minus;
    s.w_max = p.w_max;
    s.to_unit = 1 / p.w_max;
    s.nearest = p.nearest != 0;
  }

  static void init(State& s, const Shared& p) { s.weight = std::min(s.weight, static_cast<float>(p.w_max)); }

  [[gnu::noinline, gnu::cold]] static double long_decay(double rate, Tick ticks) { return math::exp(-rate * static_cast<double>(ticks)); }
  static double decay(const FrameTable<1>& table, double rate, Tick ticks) {
    return ticks >> 32 ? long_decay(rate, ticks) : table.at(ticks).f[0];
  }
  template <Mu kind>
  static double power(double x, double mu) {
    if constexpr (kind == Mu::zero) return 1;
    else if constexpr (kind == Mu::one) return x;
    else return x <= 0 ? 0.0 : math::exp(mu * math::log(x));
  }
  // The weight is rounded to float after every step, so that it does not matter which steps are made together.
  template <Mu kind>
  static float potentiate(float weight, double trace, const Shared& p) {
    const double w = static_cast<double>(weight) * p.to_unit, up = w + p.lambda * power<kind>(1 - w, p.mu_plus) * trace;
    return static_cast<float>((up < 1 ? up : 1.0) * p.w_max);
  }
  template <Mu kind>
  static float depress(float weight, double trace, const Shared& p) {
    const double w = static_cast<double>(weight) * p.to_unit, down = w - p.alpha_lambda * power<kind>(w, p.mu_minus) * trace;
    return static_cast<float>((down > 0 ? down : 0.0) * p.w_max);
  }

  /// The weight after the postsynaptic spikes (applied, seen]; `n`: their number up to `seen`.
  template <Mu kind>
  static float after_post(float w, const PostHistory& h, std::uint32_t n, const SliceState& pre, Tick delay, const Shared& p) {
    if (pre.trace == 0) return w;
    std::uint32_t k = n;
    while (k && h.spikes[k - 1].tick > pre.applied) --k;
    for (; k < n; ++k) w = potentiate<kind>(w, pre.trace * decay(p.plus, p.plus_rate, h.spikes[k].tick + delay - pre.last), p);
    return w;
  }
  /// Calls f with the kinds of the exponents as types: the loops are compiled for each.
  template <class F>
  static auto with_kinds(const Shared& p, F f) {
    const auto kind = [](double mu, auto g) {
      if (mu == 0) return g(std::integral_constant<Mu, Mu::zero>{});
      if (mu == 1) return g(std::integral_constant<Mu, Mu::one>{});
      return g(std::integral_constant<Mu, Mu::any>{});
    };
    return kind(p.mu_plus, [&](auto plus) { return kind(p.mu_minus, [&](auto minus) { return f(plus, minus); }); });
  }

  using Weight = float;
  static void on_pre(Synapses<Stdp> n, float* out) {
    with_kinds(n.shared(), [&](auto plus, auto minus) { deliver<plus.value, minus.value>(n, out); });
  }
  template <Mu plus, Mu minus>
  [[gnu::flatten]] static void deliver(Synapses<Stdp> n, float* out) {
    const Shared& p = n.shared();
    const SliceState pre = n.slice_state();
    const Slice s = n.s;  // copies: nothing that is stored below can change them
    const Tick t = s.emitted(), seen = s.seen();
    auto* const state = static_cast<State*>(s.state);
    for (std::uint32_t i = 0; i < s.count; ++i) {
      const PostHistory h = s.history[s.targets[i]];
      std::uint32_t k = h.upto(seen);
      float w = after_post<plus>(state[i].weight, h, k, pre, s.delay, p);
      if (k && h.spikes[k - 1].tick == seen) --k;  // at the same tick as this presynaptic spike
      if (k) w = depress<minus>(w, h.spikes[k - 1].trace * decay(p.minus, p.minus_rate, seen - h.spikes[k - 1].tick), p);
      out[i] = state[i].weight = w;
    }
    n.slice_state() = {t, seen, p.nearest || pre.trace == 0 ? 1 : 1 + pre.trace * decay(p.plus, p.plus_rate, t - pre.last)};
  }
  static void catch_up(Synapses<Stdp> n) {
    with_kinds(n.shared(), [&](auto plus, auto) {
      for (std::uint32_t i = 0; i < n.size(); ++i)
        n[i].weight = after_post<plus.value>(n[i].weight, n.post(i), n.post(i).upto(n.s.seen()), n.slice_state(), n.s.delay, n.shared());
    });
    n.slice_state().applied = n.s.seen();
  }
  static double read(Synapses<Stdp> n, std::uint32_t i, std::uint32_t) {
    const PostHistory& h = n.post(i);
    return with_kinds(n.shared(), [&](auto plus, auto) {
      return static_cast<double>(after_post<plus.value>(n[i].weight, h, h.upto(n.s.seen()), n.slice_state(), n.s.delay, n.shared()));
    });
  }
};
}  // namespace

SPINET_MODEL(synapse_table<Stdp>())
