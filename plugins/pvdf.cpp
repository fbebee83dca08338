// pvdf: an LSMO/PVDF/Co organic spintronic memristor as a synapse: its resistance is written by voltage
// pulses or by spikes that overlap, and depends on a magnetic field by an amount whose sign the writing
// decides.
//
// The device and its source are in pvdf.hpp, the waveforms of spikes in pvdf_kernel.hpp.
//
// Spikes.  With `stdp`, every spike puts its waveform on the device.  Of the pairs count those of nearest
// spikes: a spike pairs with the last one of the other side before it (A. Morrison, M. Diesmann, W. Gerstner,
// "Phenomenological models of synaptic plasticity based on spike timing", 2008, the symmetric scheme), as if
// a neuron's new spike ended the waveform of the one before.  A pair acts as a whole when its later spike
// comes; spikes at one tick cancel.  The delay is in the dendrite: a presynaptic spike meets the device when
// it is emitted, a postsynaptic one a delay later.
//
// Weight.  w_max (G - G_ref) / G_max.
//
// Energy.  With `stdp` events pay for the waveforms and not for reads: for each alone at its spike, at the
// conductance then; and at the later of a pair for what the two together differ from that, by their
// difference and by what it does to the device.
#include "pvdf.hpp"
#include "pvdf_kernel.hpp"
#include "spinet/reality.hpp"
#include "spinet/synapse.hpp"

namespace {
using namespace spinet;

struct Pvdf {
  static constexpr const char* name = "pvdf";
  static constexpr const char* doc =
      "Organic spintronic memristor LSMO/PVDF/Co: written by pulses or overlapping spikes, TMR that changes "
      "its sign.";
  static constexpr Stimulus stimuli[] = {device::pulse, device::field, device::read};
  enum { a_pulse, a_field, a_read };
  static constexpr bool draws = true;
  static constexpr Preset presets[] = {preset("lsmo_pvdf_co", pvdf::source, pvdf::lsmo_pvdf_co)};
  struct Params : pvdf::Constants, device::Reality, pvdf::Waveforms {
    double w_max, G_ref;
  };
  using Parts = device::RealityParts;
  struct Shared {
    Params p;
    device::Knobs knobs;
    double ticks_per_ms;
    bool stdp;
    pvdf::Device device;
    pvdf::Kernel kernel;
  };
  struct State {
    double weight, s, reading;  // the weight first: computed variables share its place until init
    Tick applied;               ///< the last postsynaptic spike that has been taken in
    pvdf::Electrodes turned;
  };
  struct SliceState {
    Tick last;      ///< emission of the last presynaptic spike
    double spikes;  ///< 0: there was none yet
  };

  static auto params() {
    FieldTable<Params> t;
    pvdf::add_constants(t);
    t.add(&Params::w_max, "w_max", "1", 100, any(), port_unit,
          "weight of G_max, parallel, over that of no conductance")
        .add(&Params::G_ref, "G_ref", "uS", 0, at_least(0), 0, "conductance whose weight is 0");
    // A field event by a current line; by spin-orbit torque it is 0.01 nJ.
    device::add_reality(t, {.read_voltage = 0.01, .field_energy = 0.1});
    pvdf::add_waveforms(t);
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::weight, "weight", "1", 0, any(), port_unit,
          "weight in the present magnetic state, without read noise")
        .add(&State::s, "s", "1", 0, between(0, 1), initial,
             "fluorine in CoO; 0: greatest resistance, 1: least")
        .computed("G", "uS", 0, at_least(0), 0, "conductance in the present magnetic state")
        .computed("R", "kOhm", 0, at_least(0), 0, "resistance in the present magnetic state")
        .computed("TMR", "1", 0, any(), 0, "(R_AP - R_P) / R_AP, whatever the present magnetic state")
        .computed("antiparallel", "1", 0, between(0, 1), 0, "part of the junction that is antiparallel")
        .add(&State::reading, "reading", "uS", 0, any(), 0,
             "conductance as last read by the schedule, with read noise");
    device::add_reality_variables(t);
    return t;
  }
  static const char* check(const Params& p) {
    if (const char* wrong = pvdf::problem(p)) return wrong;
    if (const char* wrong = pvdf::problem(p, p)) return wrong;
    if (p.G_ref > p.G_max) return "G_ref must not exceed G_max: it would lie outside the device's range";
    if (p.stdp != 0 && device::is_on(p.cycle_noise))
      return "cycle_noise is that of pulses: with stdp, where spikes write, it must be 0";
    return device::problem(p);
  }
  static std::uint32_t parts(const Params& p) { return device::parts_of(p); }
  static Sign sign(const Params& p) {
    return p.G_ref > 0 ? Sign::either : p.w_max < 0 ? Sign::negative : Sign::positive;
  }
  static double post_tau(const Params&) { return 0; }  // the times of spikes are enough
  static void prepare(Shared& s, const Params& p, const RunInfo& run) {
    s.p = p;
    s.knobs = {p, run};
    s.ticks_per_ms = run.ticks_per_ms;
    s.stdp = p.stdp != 0;
    s.device = pvdf::Device(p);
    if (s.stdp) s.kernel.make(s.device, p);
  }
  static void init(Synapses<Pvdf> n) {
    State& s = n[0];
    s.reading = 0;
    s.applied = long_ago;
    s.turned = {0, 0};
    s.s = device::begin(n, 0, s.s);
    show(n, 0);
  }
  static std::uint32_t changes(const Params&, std::uint32_t variable) { return variable == 1; }  // s

  static pvdf::Device device_of(Synapses<Pvdf> n, std::uint32_t i) {
    return n.differ() ? pvdf::Device(n.params(i)) : n.shared().device;
  }
  static double conductance(Synapses<Pvdf> n, std::uint32_t i) {
    const pvdf::Device own = device_of(n, i);
    return own.c.g * own.conductance(n[i].s, n[i].turned.antiparallel());
  }
  static void show(Synapses<Pvdf> n, std::uint32_t i) {
    n[i].weight = weight(conductance(n, i), n.shared().p);
  }
  static double weight(double G, const Params& p) { return p.w_max * (G - p.G_ref) / p.G_max; }

  /// A pair whose later spike comes `lag` after the earlier.
  static void pair(Synapses<Pvdf> n, std::uint32_t i, Tick lag, pvdf::First first) {
    const Shared& p = n.shared();
    double& s = n[i].s;
    const double ms = static_cast<double>(lag) / p.ticks_per_ms;
    const double x = s + (n.differ() ? pvdf::Kernel::change(device_of(n, i), p.p, s, ms, first)
                                     : p.kernel.change(s, ms, first));
    const double before = s, after = device::changed(n, i, 0, s, x < 0 ? 0 : x > 1 ? 1 : x);
    pay_pair(n, i, first == pvdf::First::post ? -ms : ms, after == before);
    s = after;
  }
  /// At the later of two spikes, post - pre = `dt` ms, before they have changed the device.
  static void pay_pair(Synapses<Pvdf> n, std::uint32_t i, double dt, bool held) {
    const Params& w = n.shared().p;
    if (!device::counts(n) || math::abs(dt) >= w.spike_length) return;
    const pvdf::Device own = device_of(n, i);
    const double iv = iv_scale(n, i), m = n[i].turned.antiparallel(),
                 alone = price_of_pre(w, iv) + price_of_post(w, iv);
    device::pay(n, i, 0,
                own.c.g * (pvdf::Kernel::energy(own, w, {m, iv, held}, n[i].s, dt) -
                           alone * own.conductance(n[i].s, m)));
  }
  static double price_of_pre(const Params& w, double iv) {
    return pvdf::Kernel::energy_alone(w, w.pre_pulse, w.pre_slope, iv);
  }
  static double price_of_post(const Params& w, double iv) {
    return pvdf::Kernel::energy_alone(w, w.post_pulse, w.post_slope, iv);
  }
  static double iv_scale(Synapses<Pvdf> n, std::uint32_t i) {
    return n.differ() ? n.params(i).iv_scale : n.shared().p.iv_scale;
  }
  /// The postsynaptic spikes since `applied` that the device has met; how many of the history that are in
  /// all.
  static std::uint32_t take_post(Synapses<Pvdf> n, std::uint32_t i) {
    State& s = n[i];
    const Params& p = n.shared().p;
    const SliceState& pre = n.slice_state();
    const PostHistory& h = n.post(i);
    const Tick seen = n.s.seen();
    const std::uint32_t count = h.upto(seen);
    std::uint32_t k = count;
    while (k && h[k - 1].tick > s.applied) --k;
    for (; k < count; ++k) {
      if (device::counts(n)) device::pay(n, i, 0, price_of_post(p, iv_scale(n, i)) * conductance(n, i));
      if (pre.spikes != 0) pair(n, i, h[k].tick + n.s.delay - pre.last, pvdf::First::pre);
    }
    if (count && h[count - 1].tick > s.applied) s.applied = h[count - 1].tick;
    return count;
  }
  /// A presynaptic spike.
  static void take_pre(Synapses<Pvdf> n, std::uint32_t i) {
    const PostHistory& h = n.post(i);
    const Params& p = n.shared().p;
    const double before = n[i].s;
    std::uint32_t k = take_post(n, i);
    if (device::counts(n)) device::pay(n, i, 0, price_of_pre(p, iv_scale(n, i)) * conductance(n, i));
    if (k && h[k - 1].tick == n.s.seen()) --k, pay_pair(n, i, 0, true);  // at the same tick as this one
    if (k) pair(n, i, n.s.seen() - h[k - 1].tick, pvdf::First::post);
    if (n[i].s != before) show(n, i);
  }

  /// What an event finds.
  static double met(Synapses<Pvdf> n, std::uint32_t i) {
    const Shared& p = n.shared();
    if (p.knobs.plain || (p.stdp && !p.knobs.noisy)) return n[i].weight;
    const double G = conductance(n, i);
    return weight(p.stdp ? device::noisy(n, i, 0, G, 0) : device::found(n, i, 0, G, 0), p.p);
  }
  static void on_pre(Synapses<Pvdf> n, double* out) {
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      if (n.shared().stdp) take_pre(n, i);
      out[i] = met(n, i);
    }
    n.slice_state() = {n.s.emitted(), 1};
  }
  static void catch_up(Synapses<Pvdf> n) {
    if (!n.shared().stdp) return;
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      take_post(n, i);
      show(n, i);
    }
  }

  static void pulse(Synapses<Pvdf> n, std::uint32_t i, double V, double seconds) {
    const pvdf::Device own = device_of(n, i);
    State& s = n[i];
    pvdf::Pull pull = own.pull(V);
    pull.rate *= device::cycle_factor(n, i, 0, 1);
    const double to = pull.after(s.s, seconds), left = device::changed(n, i, 0, s.s, to),
                 m = s.turned.antiparallel();
    if (device::counts(n))
      device::pay_pulse(
          n, i, 0, V,
          own.c.g * (left == to ? own.charge(s.s, m, pull, seconds) : own.conductance(left, m) * seconds));
    s.s = left;
  }
  static void turn(Synapses<Pvdf> n, std::uint32_t i, const Control& c) {
    constexpr double oersted = 1e4;  // of a tesla
    const int state = static_cast<int>(c.value[1]);
    if (state == device::parallel) n[i].turned.set_parallel();
    else if (state == device::antiparallel) n[i].turned.set_antiparallel();
    else n[i].turned.follow(c.value[0] * oersted, device_of(n, i).c);
    device::pay_field(n, i, 0);
  }
  static void on_control(Synapses<Pvdf> n, const Control& c) {
    catch_up(n);
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      if (c.stimulus == a_pulse) pulse(n, i, c.value[0], c.value[1]);
      else if (c.stimulus == a_field) turn(n, i, c);
      else if (c.stimulus == a_read) n[i].reading = device::found(n, i, 0, conductance(n, i), 2);
      if (c.stimulus != a_read) show(n, i);
    }
  }
  static double read(Synapses<Pvdf> n, std::uint32_t i, std::uint32_t variable) {
    const Copy<Pvdf> copy(n, i);
    catch_up(*copy);
    const State& s = (*copy)[0];
    const double G = conductance(*copy, 0);
    const double all[] = {s.weight, s.s, G, 1e3 / G, device_of(*copy, 0).TMR(s.s), s.turned.antiparallel(),
                          s.reading};
    return all[variable];  // in the order of variables()
  }
};
}  // namespace

SPINET_MODEL(synapse_table<Pvdf>())
