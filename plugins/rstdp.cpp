// rstdp: spike-timing-dependent plasticity gated by reward through an eligibility trace.
//
// E. M. Izhikevich, "Solving the distal reward problem through linkage of STDP and dopamine signaling", 2007,
// eqs. 2.1-2.3:
//     c' = -c / tau_c + pairs,   d' = -d / tau_d + rewards,   w' = w_max c (d + baseline)
// tau_d = 0 makes a reward act at once, w += w_max c reward: R. V. Florian, "Reinforcement learning through
// modulation of spike-timing-dependent synaptic plasticity", 2007 (MSTDPET).  A control event `reward`
// carries the reward.
//
// Each synapse is brought forward from event to event (postsynaptic spikes, presynaptic spikes, rewards), in
// closed form between them, so that nothing depends on when it is looked at.  Times are those at the synapse:
// emission for presynaptic spikes, emission + delay for postsynaptic ones, tick - delay for rewards.
#include <algorithm>
#include <cmath>

#include "spinet/math.hpp"
#include "spinet/reward.hpp"
#include "spinet/synapse.hpp"

namespace {
using namespace spinet;

struct RStdp {
  static constexpr const char* name = "rstdp";
  static constexpr const char* doc =
      "Reward-modulated STDP: pairs of spikes set an eligibility, reward turns it into weight.";
  static constexpr Stimulus stimuli[] = {spinet::reward};
  struct Params {
    double tau_plus, tau_minus, A_plus, A_minus, tau_c, tau_d, baseline, w_max;
  };
  struct Shared {
    double plus, minus, c, d, both;                   ///< rates per tick; d < 0: rewards act at once
    double A_plus, A_minus, baseline, w_max, second;  ///< `second`: ticks
  };
  struct State {
    float weight, c;  ///< c: eligibility at `at`
    Tick at;          ///< the synapse's last event
  };
  struct SliceState {
    Tick last, applied;  ///< as in stdp
    double trace;
    Tick rewarded;  ///< the last reward
    double d;       ///< reward level just after it
  };

  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::tau_plus, "tau_plus", "ms", 20, above(0), 0,
          "time constant of potentiation, pre before post")
        .add(&Params::tau_minus, "tau_minus", "ms", 20, above(0), 0,
             "time constant of depression, post before pre")
        .add(&Params::A_plus, "A_plus", "1", 0.1, at_least(0), scheduled,
             "eligibility from pre before post: per second and unit of reward, in units of w_max")
        .add(&Params::A_minus, "A_minus", "1", 0.15, at_least(0), scheduled,
             "eligibility lost by post before pre, in the same unit")
        .add(&Params::tau_c, "tau_c", "ms", 1000, above(0), 0, "time constant of the eligibility trace")
        .add(&Params::tau_d, "tau_d", "ms", 200, at_least(0), 0,
             "time constant of the reward level; 0: rewards act at once")
        .add(&Params::baseline, "baseline", "1", 0, any(), scheduled, "reward level without rewards")
        .add(&Params::w_max, "w_max", "1", 100, above(0), port_unit | scheduled,
             "largest weight; weights stay between 0 and it");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::weight, "weight", "1", 1, at_least(0), initial | port_unit, "weight, between 0 and w_max")
        .add(&State::c, "c", "1", 0, any(), initial, "eligibility");
    return t;
  }
  static double post_tau(const Params& p) { return p.tau_minus; }
  static void prepare(Shared& s, const Params& p, const RunInfo& run) {
    const auto rate = [&](double tau) { return 1 / (tau * run.ticks_per_ms); };
    s = {rate(p.tau_plus), rate(p.tau_minus), rate(p.tau_c), p.tau_d > 0 ? rate(p.tau_d) : -1, 0, p.A_plus,
         p.A_minus,        p.baseline,        p.w_max,       1000 * run.ticks_per_ms};
    s.both = s.c + (s.d > 0 ? s.d : 0);
  }

  static void init(State& s, const Shared& p) { s.weight = std::min(s.weight, static_cast<float>(p.w_max)); }

  static double decay(double rate, Tick ticks) { return math::exp(-rate * static_cast<double>(ticks)); }
  static void add(State& s, const Shared& p, double change) {
    const double w = static_cast<double>(s.weight) + p.w_max * change;
    s.weight = static_cast<float>(w < 0 ? 0 : w > p.w_max ? p.w_max : w);
  }
  /// To the time `to`, with nothing in between: w takes the integral of c (d + baseline).  Where that changes
  /// its sign on the way, w may reach a bound and leave it, so it is taken in two parts.
  static void advance(State& s, const SliceState& pre, const Shared& p, Tick to) {
    const auto span = static_cast<double>(to - s.at);
    if (s.c != 0 && span > 0) {
      const auto c = static_cast<double>(s.c);
      const double d = pre.d != 0 && p.d > 0 ? pre.d * decay(p.d, s.at - pre.rewarded) : 0;
      const auto gain = [&](double h) {
        return p.baseline * -math::expm1(-p.c * h) / p.c +
               (d != 0 ? d * -math::expm1(-p.both * h) / p.both : 0);
      };
      double before = 0;
      if (d * p.baseline < 0 && std::abs(d) > std::abs(p.baseline))
        if (const double turn = math::log(-d / p.baseline) / p.d; turn < span)
          add(s, p, c * (before = gain(turn)) / p.second);
      if (const double rest = gain(span) - before; rest != 0) add(s, p, c * rest / p.second);
      s.c = static_cast<float>(c * decay(p.c, to - s.at));
    }
    s.at = to;
  }
  /// The postsynaptic spikes (applied, seen].
  static std::uint32_t take_post(State& s, const PostHistory& h, const SliceState& pre, const Shared& p,
                                 const Slice& slice) {
    const std::uint32_t n = h.upto(slice.seen());
    std::uint32_t k = n;
    while (k && h[k - 1].tick > pre.applied) --k;
    for (; k < n; ++k) {
      advance(s, pre, p, h[k].tick + slice.delay);
      if (pre.trace != 0)
        s.c += static_cast<float>(p.A_plus * pre.trace * decay(p.plus, h[k].tick + slice.delay - pre.last));
    }
    return n;
  }

  static void on_pre(Synapses<RStdp> n, double* out) {
    SliceState& pre = n.slice_state();
    const Shared& p = n.shared();
    const Tick t = n.s.emitted(), seen = n.s.seen();
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      const PostHistory& h = n.post(i);
      std::uint32_t k = take_post(n[i], h, pre, p, n.s);
      advance(n[i], pre, p, t);
      if (k && h[k - 1].tick == seen) --k;  // at the same tick as this presynaptic spike
      if (k) n[i].c -= static_cast<float>(p.A_minus * h[k - 1].trace * decay(p.minus, seen - h[k - 1].tick));
      out[i] = static_cast<double>(n[i].weight);
    }
    pre.trace = pre.trace == 0 ? 1 : 1 + pre.trace * decay(p.plus, t - pre.last);
    pre.last = t;
    pre.applied = seen;
  }
  static void catch_up(Synapses<RStdp> n) {
    for (std::uint32_t i = 0; i < n.size(); ++i) take_post(n[i], n.post(i), n.slice_state(), n.shared(), n.s);
    n.slice_state().applied = n.s.seen();
  }
  static void on_control(Synapses<RStdp> n, const Control& control) {
    SliceState& pre = n.slice_state();
    const Shared& p = n.shared();
    const Tick now = n.s.emitted();
    catch_up(n);
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      if (now > n[i].at) advance(n[i], pre, p, now);
      if (p.d < 0) add(n[i], p, static_cast<double>(n[i].c) * control.value[0]);
    }
    if (p.d > 0) pre.d = (pre.d != 0 ? pre.d * decay(p.d, now - pre.rewarded) : 0) + control.value[0];
    pre.rewarded = now;
  }
  /// What the reward level has done with the eligibility so far is done with the old parameters.
  static void set(Synapses<RStdp> n, const Params&, const Shared& next) {
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      if (n.s.emitted() > n[i].at) advance(n[i], n.slice_state(), n.shared(), n.s.emitted());
      init(n[i], next);
    }
  }
  static double read(Synapses<RStdp> n, std::uint32_t i, std::uint32_t variable) {
    State s = n[i];
    take_post(s, n.post(i), n.slice_state(), n.shared(), n.s);
    if (n.s.emitted() > s.at) advance(s, n.slice_state(), n.shared(), n.s.emitted());
    return static_cast<double>(variable == 0 ? s.weight : s.c);
  }
};
}  // namespace

SPINET_MODEL(synapse_table<RStdp>())
