// glassy_stdp: the device of glassy.cpp (six fronts) as a synapse that its own spikes program: of two nearest
// spikes within a window, the later one starts a pulse, up where the presynaptic spike came first, down where
// the postsynaptic one did.  The relaxation of the device goes on all the time.  The scheme is a model, not
// in the paper.  An event is transmitted before it programs.
#include "glassy_model.hpp"
#include "nearest_pairs.hpp"

namespace {
using namespace spinet;
using Base = glassy::Model<struct GlassyStdp, 6, false>;

struct GlassyStdp : Base {
  static constexpr const char* name = "glassy_stdp";
  static constexpr const char* doc =
      "Glassy molecular spin valve that learns: pairs of nearest spikes give it voltage pulses.";
  // No pulses of the schedule: they may reach single synapses, and what a slice has taken in is known of all.
  static constexpr Stimulus stimuli[] = {device::field, device::read};
  enum { a_field, a_read };
  struct Params : Base::Params, pairs::Windows {
    double amplitude_plus, amplitude_minus, width_plus, width_minus;
  };
  struct Shared : Base::Shared {
    pairs::Reach reach;
    glassy::Event up, down;
  };
  using SliceState = pairs::Before;

  static auto params() {
    FieldTable<Params> t;
    glassy::add_constants(t);
    pairs::add_windows(t);
    t.add(&Params::amplitude_plus, "amplitude_plus", "V", 2, any(), 0,
          "of the pulse of a pair, pre before post (not in the paper)")
        .add(&Params::amplitude_minus, "amplitude_minus", "V", -2, any(), 0,
             "of the pulse of a pair, post before pre (not in the paper)")
        .add(&Params::width_plus, "width_plus", "ms", 1, above(0), 0,
             "of the pulse of a pair, pre before post (not in the paper)")
        .add(&Params::width_minus, "width_minus", "ms", 1, above(0), 0,
             "of the pulse of a pair, post before pre (not in the paper)");
    return t;
  }
  static double post_tau(const Params&) { return 0; }
  static void prepare(Shared& s, const Params& p, const RunInfo& run) {
    Base::prepare(s, p, run);
    s.reach = {p, run};
    s.up = s.device.pulse(p.amplitude_plus, 1e-3 * p.width_plus);
    s.down = s.device.pulse(p.amplitude_minus, 1e-3 * p.width_minus);
  }

  static void take_post(State& s, Synapses<GlassyStdp> n, std::uint32_t i) {
    const Shared& p = n.shared();
    pairs::potentiating(n.s, n.post(i), n.slice_state(), p.reach,
                        [&](Tick at) { s.pulse(p.up, at, p.device); });
  }
  static void on_pre(Synapses<GlassyStdp> n, double* out) {
    const Shared& p = n.shared();
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      State& s = n[i];
      take_post(s, n, i);
      out[i] = p.weight * present(s.shown_and_kept(n.s.tick, p.device), s, p);
      if (pairs::depressing(n.s, n.post(i), p.reach)) s.pulse(p.down, n.s.tick, p.device);
    }
    n.slice_state() = {n.s.tick, n.s.seen()};
  }
  static void catch_up(Synapses<GlassyStdp> n) {
    for (std::uint32_t i = 0; i < n.size(); ++i) take_post(n[i], n, i);
    n.slice_state().applied = n.s.seen();
  }
  static void on_control(Synapses<GlassyStdp> n, const Control& c) {
    if (c.stimulus != a_field) return;
    for (std::uint32_t i = 0; i < n.size(); ++i) n[i].electrodes.turn(c, n.shared().device);
  }
  static double read(Synapses<GlassyStdp> n, std::uint32_t i, std::uint32_t variable) {
    State s = n[i];
    take_post(s, n, i);
    return value(s, n.shared(), n.s.tick, variable);
  }
};
}  // namespace

SPINET_MODEL(synapse_table<GlassyStdp>())
