// The synapse models of packed glassy devices: `glassy` with 8 fronts, what it is read with and its energy,
// `glassy_6` with 6 fronts and nothing else in 40 bytes, `glassy_stdp` as that and programmed by its own
// spikes.  A state has one size for each model, so a network that wants 10^8 devices names the small one.
#pragma once
#include <type_traits>

#include "glassy.hpp"

namespace spinet::glassy {

/// What `glassy` alone carries.
struct Meter {
  double energy, reading;
};
struct NoMeter {};
struct NoReading {};

/// `M`: the model itself, which derives from this.
template <class M, int K, bool metered>
struct Model {
  static constexpr Stimulus stimuli[] = {device::pulse, device::field, device::read};
  enum { a_pulse, a_field, a_read };
  struct Params : Constants, std::conditional_t<metered, device::Reading, NoReading> {};
  struct Shared {
    Device device;
    double weight;  ///< of the parallel G_max
    std::conditional_t<metered, device::Reader, NoReading> reader;
  };
  struct State : Stack<K>, std::conditional_t<metered, Meter, NoMeter> {};

  static auto params() {
    FieldTable<typename M::Params> t;
    add_constants(t);
    if constexpr (metered)
      device::add_reading(t,
                          "1: add up the energy of pulses and reads, V^2 G dt in the present magnetic state");
    return t;
  }
  enum : std::uint32_t {
    weight_shown,
    p_shown,
    G_shown,
    state_shown,
    fronts_shown,
    reading_shown,
    energy_shown
  };
  static auto variables() {
    FieldTable<State> t;
    t.computed("weight", "1", 0, any(), port_unit, "weight in the present magnetic state, without read noise")
        .add(&State::g1, "p", "1", 0.5, between(0, 1), initial,
             "mean occupancy; 0: least conductance, 1: greatest.  At t = 0 that of barriers of all heights")
        .computed("G", "uS", 0, at_least(0), 0, "conductance in the present magnetic state")
        .computed("state", "1", 1, between(-1, 1), 0, "1: electrodes parallel, -1: antiparallel")
        .computed("fronts", "1", 0, between(0, K), 0, "fronts that are kept");
    constexpr auto reading = "conductance as last read by the schedule, with read noise";
    if constexpr (metered)
      t.add(&State::reading, "reading", "uS", 0, any(), 0, reading)
          .add(&State::energy, "energy", "nJ", 0, at_least(0), 0,
               "of all pulses and reads so far, if counted");
    else t.computed("reading", "uS", 0, any(), 0, "conductance");
    return t;
  }
  static const char* check(const Params& p) { return problem(p); }
  static Sign sign(const Params& p) { return p.w_max < 0 ? Sign::negative : Sign::positive; }
  static std::uint32_t changes(const Params&, std::uint32_t variable) { return variable == p_shown; }
  static void prepare(Shared& s, const Params& p, const RunInfo& run) {
    s.device = Device(p, run);
    s.weight = p.w_max;
    if constexpr (metered) s.reader = device::Reader(p);
  }
  static void init(State& s, const Shared&) {
    s.begin();
    if constexpr (metered) s.energy = s.reading = 0;
  }

  /// Conductance over G_max in the present magnetic state, of the parallel one.
  static double present(double g, const State& s, const Shared& p) {
    return s.electrodes.antiparallel() ? g * (1 + p.device.MG(g * p.device.G_max)) : g;
  }

  static void on_pre(Synapses<M> n, double* out) {
    const Shared& p = n.shared();
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      State& s = n[i];
      double g = present(s.shown_and_kept(n.s.tick, p.device), s, p);
      if constexpr (metered)
        if (p.reader.noisy() || p.reader.counts) g = read_out(n, i, 0, g);
      out[i] = p.weight * g;
    }
  }
  /// What a read of conductance g, over G_max, finds; it costs what it costs.
  static double read_out(Synapses<M> n, std::uint32_t i, std::uint32_t use, double g) {
    const Shared& p = n.shared();
    const Words w = p.reader.noisy() ? n.s.draw(i, use) : Words{};
    return p.reader(g * p.device.G_max, p.reader.noisy() ? device::normal(w[0], w[1]) : 0, n[i].energy) /
           p.device.G_max;
  }

  /// The integral of the conductance over a pulse that begins at `begin` [uS s], in the present magnetic
  /// state: over ln t, in which it is smooth.
  static double charge(const State& s, const Shared& p, Tick begin, double V, double seconds) {
    constexpr double folds = 24;  // e-folds of time; what the first e^-24 of the pulse costs is lost
    const auto at = [&](double x) {
      const double t = seconds * math::exp(x);
      State part = s;
      part.pulse(p.device.pulse(V, t), begin, p.device);
      return t * present(part.relative(part.mean_after(-math::infinity, p.device), p.device), part, p);
    };
    return p.device.G_max * valve::integral(-folds, 0, 12, at);
  }
  static void on_control(Synapses<M> n, const Control& c) {
    const Shared& p = n.shared();
    const Event event = c.stimulus == a_pulse ? p.device.pulse(c.value[0], c.value[1]) : Event{};
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      State& s = n[i];
      if (c.stimulus == a_pulse) {
        if constexpr (metered)
          if (p.reader.counts)
            p.reader.pulse(c.value[0], charge(s, p, n.s.tick, c.value[0], c.value[1]), s.energy);
        s.pulse(event, n.s.tick, p.device);
      } else if (c.stimulus == a_field) {
        s.electrodes.turn(c, p.device);
      } else if (c.stimulus == a_read) {
        if constexpr (metered)
          s.reading = read_out(n, i, 1, present(s.shown(n.s.tick, p.device), s, p)) * p.device.G_max;
      }
    }
  }
  /// Another temperature: fronts stay where they are, and what has been at the old one is made up for.
  static void set(Synapses<M> n, const Params&, const Shared&) {
    for (std::uint32_t i = 0; i < n.size(); ++i) n[i].settle(n.s.tick, n.shared().device);
  }
  static double value(const State& s, const Shared& p, Tick now, std::uint32_t variable) {
    switch (variable) {
      case p_shown:
        return s.occupancy(now, p.device);
      case state_shown:
        return s.electrodes.antiparallel() ? -1 : 1;
      case fronts_shown:
        return s.count;
      default: {
        const double g = present(s.shown(now, p.device), s, p);
        return variable == weight_shown ? p.weight * g : g * p.device.G_max;
      }
    }
  }
  static double read(Synapses<M> n, std::uint32_t i, std::uint32_t variable) {
    if constexpr (metered) {
      if (variable == energy_shown) return n[i].energy;
      if (variable == reading_shown) return n[i].reading;
    }
    return value(n[i], n.shared(), n.s.tick, variable);
  }
};

}  // namespace spinet::glassy
