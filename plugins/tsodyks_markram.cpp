// tsodyks_markram: short-term facilitation and depression.
//
// M. Tsodyks, K. Pawelzik, H. Markram, "Neural networks with dynamic synapses", Neural Computation 10 (1998):
// a spike raises the release probability u, and uses the part u of the resources x,
//     at a spike       u <- u + U (1 - u), w u x is transmitted, x <- x (1 - u)
//     between spikes   u decays with tau_fac, x recovers with tau_rec
// u and x depend on the presynaptic spikes alone, so they belong to the slice: 6 bytes per synapse, like a
// static one.
#include "spinet/math.hpp"
#include "spinet/synapse.hpp"

namespace {
using namespace spinet;

struct TsodyksMarkram {
  static constexpr const char* name = "tsodyks_markram";
  static constexpr const char* doc =
      "Short-term plasticity: every spike raises the release probability and uses up resources.";
  struct Params {
    double U, tau_rec, tau_fac;
  };
  struct Shared {
    double U, recovery, decay;  ///< rates per tick; decay is negative where there is no facilitation
  };
  struct State {
    float weight;
  };
  struct SliceState {
    Tick last;
    double u;     ///< just after the last spike
    double used;  ///< 1 - x, just after the last spike
  };

  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::U, "U", "1", 0.5, between(0, 1), scheduled,
          "rise of the release probability by a spike, from 0")
        .add(&Params::tau_rec, "tau_rec", "ms", 800, above(0), scheduled,
             "time constant of the recovery of resources")
        .add(&Params::tau_fac, "tau_fac", "ms", 0, at_least(0), scheduled,
             "time constant of facilitation; 0: none");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::weight, "weight", "1", 1, any(), initial | port_unit,
          "weight if all resources were released");
    return t;
  }
  static void prepare(Shared& s, const Params& p, const RunInfo& run) {
    s = {p.U, 1 / (p.tau_rec * run.ticks_per_ms), p.tau_fac > 0 ? 1 / (p.tau_fac * run.ticks_per_ms) : -1};
  }

  struct Release {
    double u, x;
  };
  /// What a spike at `tick` would release.
  static Release release(const SliceState& s, const Shared& p, Tick tick) {
    const auto wait = static_cast<double>(tick - s.last);
    const double before = p.decay < 0 ? 0 : s.u * math::exp(-wait * p.decay);
    return {before + p.U * (1 - before), 1 - s.used * math::exp(-wait * p.recovery)};
  }
  static void on_pre(Synapses<TsodyksMarkram> n, double* out) {
    SliceState& s = n.slice_state();
    const auto [u, x] = release(s, n.shared(), n.s.tick);
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      const auto released = static_cast<float>(static_cast<double>(n[i].weight) * (u * x));
      out[i] = static_cast<double>(released);
    }
    s = {n.s.tick, u, 1 - x * (1 - u)};
  }
  /// u and 1 - x at this tick, with the old time constants.
  static void set(Synapses<TsodyksMarkram> n, const Params&, const Shared&) {
    SliceState& s = n.slice_state();
    const auto wait = static_cast<double>(n.s.tick - s.last);
    const Shared& p = n.shared();
    s = {n.s.tick, p.decay < 0 ? 0 : s.u * math::exp(-wait * p.decay),
         s.used * math::exp(-wait * p.recovery)};
  }
  /// What a spike arriving now would transmit.
  static double read(Synapses<TsodyksMarkram> n, std::uint32_t i, std::uint32_t) {
    const auto [u, x] = release(n.slice_state(), n.shared(), n.s.tick);
    return static_cast<double>(n[i].weight) * (u * x);
  }
};
}  // namespace

SPINET_MODEL(synapse_table<TsodyksMarkram>())
