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
#include "pvdf.hpp"
#include "pvdf_kernel.hpp"
#include "spinet/device.hpp"
#include "spinet/synapse.hpp"

namespace {
using namespace spinet;

struct Pvdf {
  static constexpr const char* name = "pvdf";
  static constexpr const char* doc =
      "Organic spintronic memristor LSMO/PVDF/Co: written by pulses or overlapping spikes, TMR that changes "
      "its "
      "sign.";
  static constexpr Stimulus stimuli[] = {device::pulse, device::field, device::read};
  enum { a_pulse, a_field, a_read };
  static constexpr bool draws = true;
  struct Params : pvdf::Constants, device::Reading, pvdf::Waveforms {
    double w_max, G_ref, cycle_noise, field_energy;
  };
  struct Shared {
    double w_max, G_ref, cycle_noise, field_energy, ticks_per_ms;
    bool stdp;
    pvdf::Device device;
    device::Reader reader;
    double spike_price[2];  ///< of a waveform, over the conductance [nJ/uS]: presynaptic, postsynaptic
    pvdf::Kernel kernel;
  };
  struct State {
    double weight, s, energy, reading;  // the weight first: computed variables share its place until init
    Tick applied;                       ///< the last postsynaptic spike that has been taken in
    float g;                            ///< spread
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
        .add(&Params::G_ref, "G_ref", "uS", 0, at_least(0), 0, "conductance whose weight is 0")
        .add(&Params::cycle_noise, "cycle_noise", "1", 0, at_least(0), 0,
             "sd of ln of the rate k from pulse to pulse; not with stdp (not in the paper)")
        .add(
            &Params::field_energy, "field_energy", "nJ", 0.1, at_least(0), 0,
            "of a field event, if energy is counted: 0.1 nJ by a current line, 0.01 nJ by spin-orbit torque");
    device::add_reading(t, "1: add up the energy of pulses, fields, reads and spikes (waveforms each alone)");
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
        .add(&State::energy, "energy", "nJ", 0, at_least(0), 0, "of all events so far, if counted")
        .add(&State::g, "g", "1", 1, above(0), initial, "factor of the conductance: spread between devices")
        .add(&State::reading, "reading", "uS", 0, any(), 0,
             "conductance as last read by the schedule, with read noise");
    return t;
  }
  static const char* check(const Params& p) {
    if (const char* wrong = pvdf::problem(p)) return wrong;
    if (const char* wrong = pvdf::problem(p, p)) return wrong;
    if (p.G_ref > p.G_max) return "G_ref must not exceed G_max: it would lie outside the device's range";
    if (p.stdp != 0 && p.cycle_noise > 0)
      return "cycle_noise is that of pulses: with stdp, where spikes write, it must be 0";
    return nullptr;
  }
  static Sign sign(const Params& p) {
    return p.G_ref > 0 ? Sign::either : p.w_max < 0 ? Sign::negative : Sign::positive;
  }
  static double post_tau(const Params&) { return 0; }  // the times of spikes are enough
  static void prepare(Shared& s, const Params& p, const RunInfo& run) {
    s.w_max = p.w_max, s.G_ref = p.G_ref, s.cycle_noise = p.cycle_noise, s.field_energy = p.field_energy;
    s.ticks_per_ms = run.ticks_per_ms;
    s.stdp = p.stdp != 0;
    s.device = pvdf::Device(p);
    s.reader = device::Reader(p);
    const double slope = (p.spike_length - p.spike_width) / 3;  // of the square of a line that ends at 0
    s.spike_price[0] = p.pre_pulse * p.pre_pulse * p.spike_width + p.pre_slope * p.pre_slope * slope;
    s.spike_price[1] = p.post_pulse * p.post_pulse * p.spike_width + p.post_slope * p.post_slope * slope;
    if (s.stdp) s.kernel.make(s.device, p);
  }
  static void init(State& s, const Shared& p) {
    s.energy = s.reading = 0;
    s.applied = long_ago;
    s.turned = {0, 0};
    show(s, p);
  }
  static std::uint32_t changes(const Params&, std::uint32_t variable) {
    return variable == 1;
  }  // s; g is spread

  static double conductance(const State& s, const Shared& p) {
    return static_cast<double>(s.g) * p.device.conductance(s.s, s.turned.antiparallel());
  }
  static void show(State& s, const Shared& p) { s.weight = weight(conductance(s, p), p); }
  static double weight(double G, const Shared& p) { return p.w_max * (G - p.G_ref) / p.device.c.G_max; }

  /// A pair whose later spike comes `lag` after the earlier.
  static void pair(State& s, const Shared& p, Tick lag, bool post_first) {
    const double x = s.s + p.kernel.change(s.s, static_cast<double>(lag) / p.ticks_per_ms, post_first);
    s.s = x < 0 ? 0 : x > 1 ? 1 : x;
  }
  static void charge_spike(State& s, const Shared& p, int side) {
    if (p.reader.counts) s.energy += p.spike_price[side] * conductance(s, p);
  }
  /// The postsynaptic spikes since `applied` that the device has met; how many of the history that are in
  /// all.
  static std::uint32_t take_post(State& s, Synapses<Pvdf> n, std::uint32_t i) {
    const Shared& p = n.shared();
    const SliceState& pre = n.slice_state();
    const PostHistory& h = n.post(i);
    const Tick seen = n.s.seen();
    const std::uint32_t count = h.upto(seen);
    std::uint32_t k = count;
    while (k && h[k - 1].tick > s.applied) --k;
    for (; k < count; ++k) {
      charge_spike(s, p, 1);
      if (pre.spikes != 0) pair(s, p, h[k].tick + n.s.delay - pre.last, false);
    }
    if (count && h[count - 1].tick > s.applied) s.applied = h[count - 1].tick;
    return count;
  }
  /// A presynaptic spike.
  static void take_pre(Synapses<Pvdf> n, std::uint32_t i) {
    const PostHistory& h = n.post(i);
    std::uint32_t k = take_post(n[i], n, i);
    charge_spike(n[i], n.shared(), 0);
    if (k && h[k - 1].tick == n.s.seen()) --k;  // at the same tick as this one
    if (k) pair(n[i], n.shared(), n.s.seen() - h[k - 1].tick, true);
    show(n[i], n.shared());
  }

  /// The conductance as a read of synapse `i` finds it, at its price.
  static double read_out(Synapses<Pvdf> n, std::uint32_t i, std::uint32_t use) {
    const Shared& p = n.shared();
    const Words w = p.reader.noisy() ? n.s.draw(i, use) : Words{};
    return p.reader(conductance(n[i], p), p.reader.noisy() ? device::normal(w[0], w[1]) : 0, n[i].energy);
  }
  static void on_pre(Synapses<Pvdf> n, double* out) {
    const Shared& p = n.shared();
    const bool plain = !p.reader.noisy() && (p.stdp || !p.reader.counts);
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      if (p.stdp) take_pre(n, i);
      out[i] = plain ? n[i].weight : weight(p.stdp ? noisy(n, i) : read_out(n, i, 0), p);
    }
    n.slice_state() = {n.s.emitted(), 1};
  }
  /// What a spike that writes finds: it has paid for its waveform.
  static double noisy(Synapses<Pvdf> n, std::uint32_t i) {
    const Words w = n.s.draw(i, 0);
    double paid = 0;
    return n.shared().reader(conductance(n[i], n.shared()), device::normal(w[0], w[1]), paid);
  }
  static void catch_up(Synapses<Pvdf> n) {
    if (!n.shared().stdp) return;
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      take_post(n[i], n, i);
      show(n[i], n.shared());
    }
  }

  static void pulse(Synapses<Pvdf> n, std::uint32_t i, double V, double seconds) {
    const Shared& p = n.shared();
    State& s = n[i];
    pvdf::Pull pull = p.device.pull(V);
    if (p.cycle_noise > 0) {
      const Words w = n.s.draw(i, 1);
      pull.rate *= device::factor(p.cycle_noise, device::normal(w[0], w[1]));
    }
    if (p.reader.counts)
      p.reader.pulse(V,
                     static_cast<double>(s.g) * p.device.charge(s.s, s.turned.antiparallel(), pull, seconds),
                     s.energy);
    s.s = pull.after(s.s, seconds);
  }
  static void turn(State& s, const Control& c, const Shared& p) {
    constexpr double oersted = 1e4;  // of a tesla
    const int state = static_cast<int>(c.value[1]);
    if (state != device::unchanged) s.turned.set(state == device::parallel);
    else s.turned.follow(c.value[0] * oersted, p.device.c);
    if (p.reader.counts) s.energy += p.field_energy;
  }
  static void on_control(Synapses<Pvdf> n, const Control& c) {
    const Shared& p = n.shared();
    catch_up(n);
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      if (c.stimulus == a_pulse) pulse(n, i, c.value[0], c.value[1]);
      else if (c.stimulus == a_field) turn(n[i], c, p);
      else if (c.stimulus == a_read) n[i].reading = read_out(n, i, 2);
      if (c.stimulus != a_read) show(n[i], p);
    }
  }
  static double read(Synapses<Pvdf> n, std::uint32_t i, std::uint32_t variable) {
    const Shared& p = n.shared();
    State s = n[i];
    if (p.stdp) {
      take_post(s, n, i);
      show(s, p);
    }
    const double G = conductance(s, p);
    const double all[] = {s.weight,
                          s.s,
                          G,
                          1e3 / G,
                          p.device.TMR(s.s),
                          s.turned.antiparallel(),
                          s.energy,
                          static_cast<double>(s.g),
                          s.reading};
    return all[variable];  // in the order of variables()
  }
};
}  // namespace

SPINET_MODEL(synapse_table<Pvdf>())
