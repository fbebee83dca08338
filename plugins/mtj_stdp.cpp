// mtj_stdp: a binary tunnel junction that its target's spikes program, by the simplified stochastic
// spike-timing-dependent plasticity that D. Querlioz et al. proposed for such devices: at a postsynaptic
// spike the junction gets a pulse up if its source's last event was within `window`, else one down, and each
// switches it with a probability.  An event writes nothing.
//
// Times are those of arrivals, a postsynaptic spike's its emission and two delays (spinet/synapse.hpp); an
// event at that very tick comes after it.  Pulses go to the junctions in the order of the spikes, whenever
// these are taken in: chance is the junction's own (mtj.hpp), so that when they are looked at changes
// nothing.
#include "mtj_model.hpp"

namespace {
using namespace spinet;
using Base = mtj::Model<struct MtjStdp>;

struct MtjStdp : Base {
  static constexpr const char* name = "mtj_stdp";
  static constexpr const char* doc =
      "Stochastic magnetic tunnel junction that learns: postsynaptic spikes switch it with a probability.";
  // No pulses of the schedule: they may reach single synapses, and what a slice has taken in is known of all.
  static constexpr Stimulus stimuli[] = {device::read};
  struct Params : Base::Params {
    double window, amplitude_plus, amplitude_minus, width_plus, width_minus, p_plus, p_minus;
  };
  struct Shared : Base::Shared {
    double window;  ///< ticks
    mtj::Pulse up, down;
  };
  struct SliceState {
    Tick last;     ///< arrival of the last event; 0: there was none
    Tick applied;  ///< postsynaptic spikes up to here have been taken in
  };

  static auto params() {
    FieldTable<Params> t;
    add_params(t, device::Usual{}.cycle);
    constexpr Range chance{0, 1, high_open};
    t.add(&Params::window, "window", "ms", 100, at_least(0), 0,
          "longest time from the source's last event to a postsynaptic spike that potentiates (our choice)")
        .add(&Params::amplitude_plus, "amplitude_plus", "V", 0.15, any(), spread,
             "of the pulse that potentiates (our choice)")
        .add(&Params::amplitude_minus, "amplitude_minus", "V", -0.15, any(), spread,
             "of the pulse that depresses (our choice)")
        .add(&Params::width_plus, "width_plus", "ns", 10.7, above(0), spread,
             "of the pulse that potentiates: of probability 0.1 (our choice)")
        .add(&Params::width_minus, "width_minus", "ns", 9.3, above(0), spread,
             "of the pulse that depresses: of probability 0.05 (our choice)")
        .derives(&Params::p_plus, "p_plus", "1", chance, spread,
                 "probability that it potentiates; auto: of the pulse")
        .derives(&Params::p_minus, "p_minus", "1", chance, spread,
                 "probability that it depresses; auto: of the pulse");
    return t;
  }
  static const char* check(const Params& p) {
    if (device::is_on(p.cycle_noise))
      return "cycle_noise is that of pulses of the schedule: here spikes write, and it must be 0";
    return Base::check(p);
  }
  static std::uint32_t count(const Params&) { return 1; }
  static double post_tau(const Params&) { return 0; }  // the times of spikes are enough
  static void prepare(Shared& s, const Params& p, const RunInfo& run) {
    Base::prepare(s, p, run);
    s.window = p.window * run.ticks_per_ms;
    s.up = pulse(s, p, true), s.down = pulse(s, p, false);
  }
  static mtj::Pulse pulse(const Shared& s, const Params& p, bool up) {
    mtj::Pulse all = up ? pulse_of(s, p, p.amplitude_plus, 1e-9 * p.width_plus)
                        : pulse_of(s, p, p.amplitude_minus, 1e-9 * p.width_minus);
    const double chance = up ? p.p_plus : p.p_minus;
    if (!is_auto(chance)) all.hazard = -math::log1p(-chance);
    return all;
  }

  /// The postsynaptic spikes since `applied` that the junction has met.
  static void take_post(Synapses<MtjStdp> n, std::uint32_t i) {
    const SliceState& pre = n.slice_state();
    const Shared& p = n.shared();
    const PostHistory& h = n.post(i);
    const std::uint32_t count = h.upto(n.s.seen());
    std::uint32_t k = count;
    while (k && h[k - 1].tick > pre.applied) --k;
    if (k == count) return;
    for (; k < count; ++k) {
      const Tick at = h[k].tick + 2 * n.s.delay;
      const bool up = pre.last != 0 && static_cast<double>(at - pre.last) <= p.window;
      const Params own = n.params(i);
      mtj::Pulse one = n.differ() ? pulse(p, own, up) : up ? p.up : p.down;
      one.at = at;
      apply(n, i, 0, own, one);
    }
    show(n, i);
  }
  static void on_pre(Synapses<MtjStdp> n, double* out) {
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      take_post(n, i);
      out[i] = met(n, i);
    }
    n.slice_state() = {n.s.tick, n.s.seen()};
  }
  static void catch_up(Synapses<MtjStdp> n) {
    for (std::uint32_t i = 0; i < n.size(); ++i) take_post(n, i);
    n.slice_state().applied = n.s.seen();
  }
  static void on_control(Synapses<MtjStdp> n, const Control&) {
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      const Copy<MtjStdp> copy(n, i);
      take_post(*copy, 0);
      n[i].reading = device::found(n, i, 0, conductance(*copy, 0), 0);
    }
  }
  static double read(Synapses<MtjStdp> n, std::uint32_t i, std::uint32_t variable) {
    const Copy<MtjStdp> copy(n, i);
    take_post(*copy, 0);
    return Base::read(*copy, 0, variable);
  }
};
}  // namespace

SPINET_MODEL(synapse_table<MtjStdp>())
