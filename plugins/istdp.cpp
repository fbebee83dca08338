// istdp: inhibitory spike-timing-dependent plasticity that holds the postsynaptic neuron at a target rate.
//
// T. P. Vogels, H. Sprekeler, F. Zenke, C. Clopath, W. Gerstner, "Inhibitory plasticity balances excitation
// and inhibition in sensory pathways and memory networks", Science 334 (2011): near-coincident spikes in
// either order raise the weight, every presynaptic spike lowers it,
//     presynaptic spike    w += eta (x_post - alpha), alpha = 2 rho0 tau
//     postsynaptic spike   w += eta x_pre
// with traces x that rise by 1 at a spike and decay with tau.  Uncorrelated spikes leave w as it is where the
// postsynaptic rate is rho0.  With the delay in the dendrite a presynaptic spike meets the synapse at its
// emission, a postsynaptic one delay after its own; a pair at the same tick counts once.  Last tick and
// presynaptic trace belong to the slice.
#include <algorithm>

#include "spinet/math.hpp"
#include "spinet/synapse.hpp"

namespace {
using namespace spinet;

struct Istdp {
  static constexpr const char* name = "istdp";
  static constexpr const char* doc =
      "Inhibitory plasticity: coincidences raise the weight, presynaptic spikes lower it, towards a target "
      "rate (Vogels et al. 2011).";
  struct Params {
    double tau, eta, rho0, w_max;
  };
  struct Shared {
    double rate, eta, alpha, w_max;  ///< rate: 1 / tau, per tick
  };
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
    t.add(&Params::tau, "tau", "ms", 20, above(0), 0, "time constant of both traces")
        .add(&Params::eta, "eta", "1", 0.01, at_least(0), port_unit | scheduled,
             "step of the weight by a coincidence")
        .add(&Params::rho0, "rho0", "Hz", 5, at_least(0), scheduled, "target rate of the postsynaptic neuron")
        .add(&Params::w_max, "w_max", "1", 1000, above(0), port_unit | scheduled,
             "largest weight; weights stay between 0 and it");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::weight, "weight", "1", 1, at_least(0), initial | port_unit, "weight, between 0 and w_max");
    return t;
  }
  static double post_tau(const Params& p) { return p.tau; }
  static double pre_tau(const Params& p) { return p.tau; }
  static void prepare(Shared& s, const Params& p, const RunInfo& run) {
    s = {1 / (p.tau * run.ticks_per_ms), p.eta, 2 * p.rho0 * 1e-3 * p.tau, p.w_max};
  }
  static void init(State& s, const Shared& p) { s.weight = std::min(s.weight, static_cast<float>(p.w_max)); }

  /// What is common to the synapses of a slice.  Traces are products of what the slice and what the
  /// postsynaptic spike contributes, both relative to the slice's base: no exp per synapse.
  struct Pass {
    const Shared& p;
    Tick seen, applied;
    double trace, last;  ///< of presynaptic spikes; last: as the target sees it
    bool far;  ///< a delay of more than 300 time constants: the factors may leave the range of a double
    double lead, fall;

    explicit Pass(Synapses<Istdp> n) : p(n.shared()), seen(n.s.seen()), applied(n.slice_state().applied) {
      trace = n.slice_state().trace;
      last = static_cast<double>(n.slice_state().last - n.s.delay);
      far = 2 * static_cast<double>(n.s.delay) * p.rate > 300;
      lead = trace == 0 || far ? 0 : trace * math::exp((last - static_cast<double>(n.s.base)) * p.rate);
      fall = far ? 0 : math::exp(static_cast<double>(n.s.base - seen) * p.rate);
    }
    double pre(const PostSpike& s) const {
      return far && trace != 0 ? trace * math::exp((last - static_cast<double>(s.tick)) * p.rate)
                               : lead * s.lowered;
    }
    double post(const PostSpike& s) const {
      return far && s.trace != 0 ? s.trace * math::exp(static_cast<double>(s.tick - seen) * p.rate)
                                 : fall * s.raised;
    }
    /// One step; rounded, so that it does not matter which are made together.
    float step(float w, double x) const {
      const double to = static_cast<double>(w) + p.eta * x;
      return static_cast<float>(to > 0 ? std::min(to, p.w_max) : 0);
    }
    /// Behind the last postsynaptic spike that the synapse has met.
    const PostSpike* met(const PostHistory& h) const {
      const PostSpike* e = h.end;
      while (e[-1].tick > seen) --e;
      return e;
    }
    /// The weight after the postsynaptic spikes before `e` that are new.
    float after_post(float w, const PostSpike* e) const {
      const PostSpike* s = e;
      while (s[-1].tick > applied) --s;
      for (; s != e; ++s) w = step(w, pre(*s));
      return w;
    }
  };

  static void on_pre(Synapses<Istdp> n, double* out) {
    const Pass pass(n);
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      const PostSpike* const e = pass.met(n.post(i));
      n[i].weight = pass.step(pass.after_post(n[i].weight, e), pass.post(e[-1]) - pass.p.alpha);
      out[i] = static_cast<double>(n[i].weight);
    }
    SliceState& pre = n.slice_state();
    const Tick t = n.s.emitted();
    pre = {t, n.s.seen(),
           pre.trace == 0 ? 1 : 1 + pre.trace * math::exp(static_cast<double>(pre.last - t) * pass.p.rate)};
  }
  static void catch_up(Synapses<Istdp> n) {
    const Pass pass(n);
    for (std::uint32_t i = 0; i < n.size(); ++i)
      n[i].weight = pass.after_post(n[i].weight, pass.met(n.post(i)));
    n.slice_state().applied = n.s.seen();
  }
  static void set(Synapses<Istdp> n, const Params&, const Shared& next) {
    for (std::uint32_t i = 0; i < n.size(); ++i) init(n[i], next);
  }
  static double read(Synapses<Istdp> n, std::uint32_t i, std::uint32_t) {
    const Pass pass(n);
    return static_cast<double>(pass.after_post(n[i].weight, pass.met(n.post(i))));
  }
};
}  // namespace

SPINET_MODEL(synapse_table<Istdp>())
