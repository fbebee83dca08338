// glassy_stdp: the device of glassy.cpp (six fronts) as a synapse that its own spikes program: of two nearest
// spikes within a window, the later one starts a pulse, up where the presynaptic spike came first, down where
// the postsynaptic one did.  The relaxation of the device goes on all the time.  The scheme is a model, not
// in the paper.  An event is transmitted before it programs.  Spikes are taken in late, so that what they do
// cannot differ by chance from pulse to pulse.
#include "glassy_model.hpp"
#include "nearest_pairs.hpp"

namespace {
using namespace spinet;
using Base = glassy::Model<struct GlassyStdp, 6>;

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
  struct Pulses {
    glassy::Event up, down;
    Pulses() = default;
    Pulses(const Params& p, const glassy::Device& d)
        : up(d.event(d.tilt(p.amplitude_plus), 1e-3 * p.width_plus)),
          down(d.event(d.tilt(p.amplitude_minus), 1e-3 * p.width_minus)) {}
  };
  struct Shared : Base::Shared {
    pairs::Reach reach;
    Pulses pulses;
  };
  struct SliceState : pairs::Before, Base::SliceState {};

  static auto params() {
    FieldTable<Params> t;
    glassy::add_constants(t);
    device::add_reality(t, {.cycle = glassy::cycle_noise_doc});
    pairs::add_windows(t);
    t.add(&Params::amplitude_plus, "amplitude_plus", "V", 2, any(), spread,
          "of the pulse of a pair, pre before post (not in the paper)")
        .add(&Params::amplitude_minus, "amplitude_minus", "V", -2, any(), spread,
             "of the pulse of a pair, post before pre (not in the paper)")
        .add(&Params::width_plus, "width_plus", "ms", 1, above(0), spread,
             "of the pulse of a pair, pre before post (not in the paper)")
        .add(&Params::width_minus, "width_minus", "ms", 1, above(0), spread,
             "of the pulse of a pair, post before pre (not in the paper)");
    return t;
  }
  static const char* check(const Params& p) {
    if (device::is_on(p.cycle_noise))
      return "cycle_noise is that of pulses of the schedule: here spikes write, and it must be 0";
    return Base::check(p);
  }
  static double post_tau(const Params&) { return 0; }
  static void prepare(Shared& s, const Params& p, const RunInfo& run) {
    Base::prepare(s, p, run);
    s.reach = {p, run};
    s.pulses = {p, s.device};
  }

  static Voltage voltage(const Params& p, int sign, Tick at, const glassy::Law& law) {
    const double V = sign > 0 ? p.amplitude_plus : p.amplitude_minus;
    return {V, 1e-3 * (sign > 0 ? p.width_plus : p.width_minus), law.d.tilt(V), at};
  }
  /// A pulse of a pair, up or down, which begins at `at`.
  template <int sign>
  [[gnu::noinline]] static void programmed(Synapses<GlassyStdp> n, std::uint32_t i, Tick at) {
    with_law(n, i, [&](const glassy::Law& law) {
      const Pulses pulses = n.differ() ? Pulses(n.params(i), law.d) : n.shared().pulses;
      const auto act = [&] { apply(n, i, sign > 0 ? pulses.up : pulses.down, at, law); };
      if (!device::counts(n)) return act();
      paid(n, i, law, voltage(n.params(i), sign, at, law), act);
    });
  }
  static void take_post(Synapses<GlassyStdp> n, std::uint32_t i) {
    pairs::potentiating(n.s, n.post(i), n.slice_state(), n.shared().reach,
                        [&](Tick at) { programmed<1>(n, i, at); });
  }
  static void on_pre(Synapses<GlassyStdp> n, double* out) {
    const Shared& p = n.shared();
    constexpr std::uint32_t ahead = 12;  // the spikes of neighbouring targets lie far from each other
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      if (i + 2 * ahead < n.size()) __builtin_prefetch(&n.post(i + 2 * ahead));
      if (i + ahead < n.size()) {
        __builtin_prefetch(n.post(i + ahead).end - 1);
        __builtin_prefetch(&n[i + ahead], 1);
      }
      take_post(n, i);
    }
    met(n, out);
    for (std::uint32_t i = 0; i < n.size(); ++i)
      if (pairs::depressing(n.s, n.post(i), p.reach)) programmed<-1>(n, i, n.s.tick);
    static_cast<pairs::Before&>(n.slice_state()) = {n.s.tick, n.s.seen()};
  }
  static void catch_up(Synapses<GlassyStdp> n) {
    for (std::uint32_t i = 0; i < n.size(); ++i) take_post(n, i);
    n.slice_state().applied = n.s.seen();
  }
  static void on_control(Synapses<GlassyStdp> n, const Control& c) {
    if (c.stimulus == a_field) catch_up(n);  // it reaches whole slices
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      if (c.stimulus == a_field) {
        turn(n, i, c);
      } else if (c.stimulus == a_read && !n.shared().knobs.plain) {
        const Copy<GlassyStdp> copy(n, i);
        take_post(*copy, 0);
        take_reading(n, i, shown(*copy, 0));
      }
    }
  }
  static double read(Synapses<GlassyStdp> n, std::uint32_t i, std::uint32_t variable) {
    const Copy<GlassyStdp> copy(n, i);
    take_post(*copy, 0);
    return Base::read(*copy, 0, variable);
  }
};
}  // namespace

SPINET_MODEL(synapse_table<GlassyStdp>())
