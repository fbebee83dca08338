// What the synapse models of tunnel junctions share: their states, what events and logs find, and pulses on
// one junction.  `M` is the model, which derives from `Model<M>` and has `count(params)`, the junctions of a
// synapse.
#pragma once
#include "mtj.hpp"

namespace spinet::mtj {

/// A voltage, and what it takes of the hazard of a junction that it would switch.
struct Pulse {
  double V, seconds, hazard;
  double factor;  ///< of the hazard
  Tick at;
};

template <class M>
struct Model {
  static constexpr bool draws = true;
  struct Params : Constants, device::Reality {
    double w_max, G_ref;
  };
  using Parts = device::RealityPartsAnd<Junction>;
  struct Shared {
    device::Knobs knobs;
    double ticks_per_ms, per_uS;
    Law law;
  };
  struct State {
    double weight, u, bits, reading;  // the weight first: computed variables share its place until init
    Tick next;                        ///< before it no junction flips by itself
    RandomKey key;
  };
  static constexpr std::uint32_t most = 24;  ///< junctions: `bits` in a float

  template <class Own>
  static void add_params(FieldTable<Own>& t, const char* cycle) {
    add_constants(t);
    t.add(&Own::w_max, "w_max", "1", 100, any(), port_unit,
          "weight of all junctions parallel over that of no conductance")
        .add(&Own::G_ref, "G_ref", "uS", 0, at_least(0), 0, "conductance whose weight is 0");
    device::add_reality(t, {.read_voltage = 0.02, .cycle = cycle});
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::weight, "weight", "1", 0, any(), port_unit, "without read noise")
        .add(&State::u, "u", "1", 0, between(0, 1), initial,
             "share of the junctions that are parallel; at t = 0 to the nearest number")
        .add(&State::bits, "bits", "1", -1, Range{-1, (1 << most) - 1.0}, initial,
             "which of them are: the sum of 2^k over their numbers k from 0; given below 0: the first u of "
             "them")
        .computed("G", "uS", 0, at_least(0), 0, "conductance of all")
        .computed("flips", "1", 0, at_least(0), 0, "of all junctions so far, by pulses and by themselves")
        .add(&State::reading, "reading", "uS", 0, any(), 0, "conductance as last read by the schedule");
    device::add_reality_variables(t);
    return t;
  }
  static const char* check(const Params& p) {
    if (const char* wrong = mtj::problem(p)) return wrong;
    return device::problem(p);
  }
  static std::uint32_t parts(const Params& p) { return device::parts_of(p) | 32u; }
  static Sign sign(const Params& p) {
    return p.G_ref > 0 ? Sign::either : p.w_max < 0 ? Sign::negative : Sign::positive;
  }
  static std::uint32_t changes(const Params&, std::uint32_t variable) { return variable == 1; }  // u
  template <class Own>
  static void prepare(Shared& s, const Own& p, const RunInfo& run) {
    s.knobs = {p, run}, s.ticks_per_ms = run.ticks_per_ms;
    s.per_uS = p.w_max / (M::count(p) * p.conductance(1));
    s.law.make(p.Delta);
  }
  static void init(Synapses<M> n) {
    State& s = n[0];
    const std::uint32_t count = M::count(all(n));
    const Words w = n.s.draw(0, 0x20);
    const auto bits = static_cast<std::uint32_t>(s.bits < 0 ? 0 : s.bits);
    const double first = s.u * count + 0.5;
    s.key = {w[0], w[1]}, s.reading = 0;
    for (std::uint32_t d = 0; d < count; ++d) {
      const bool parallel = s.bits < 0 ? d + 1 <= first : bits >> d & 1;
      Junction& j = junction(n, 0, d) = {0, n.s.tick, device::begin(n, d, parallel), 0, d};
      draw_next(j, s.key);
      if (const auto* const f = n.template part<device::Defect>(0, d); f && f->stuck != 0)
        j.left = math::infinity;
    }
    show(n, 0);
  }

  /// Parameters of the projection.
  static const auto& all(Synapses<M> n) { return *static_cast<const typename M::Params*>(n.s.params); }
  static Junction& junction(Synapses<M> n, std::uint32_t i, std::uint32_t d) {
    return *n.template part<Junction>(i, d);
  }
  template <class Own>
  static double idle(Synapses<M> n, const Own& own) {
    return own.idle() / n.shared().ticks_per_ms;
  }
  /// f(number, parameters) for each junction of synapse `i`.
  template <class F>
  static void each(Synapses<M> n, std::uint32_t i, F&& f) {
    for (std::uint32_t d = 0; d < M::count(all(n)); ++d) {
      if (n.differ()) f(d, n.params(i, d));
      else f(d, all(n));
    }
  }
  /// The same with the junction as it is at present.
  template <class F>
  static void each_now(Synapses<M> n, std::uint32_t i, F&& f) {
    each(n, i, [&](std::uint32_t d, const auto& own) {
      f(d, own, later(junction(n, i, d), n.s.tick, idle(n, own), n[i].key));
    });
  }
  static double conductance(Synapses<M> n, std::uint32_t i) {
    double G = 0;
    each_now(n, i, [&](std::uint32_t, const auto& own, const Junction& j) { G += own.conductance(j.level); });
    return G;
  }
  static double weight(Synapses<M> n, double G) { return n.shared().per_uS * (G - all(n).G_ref); }
  /// Keeps what events find.
  static void show(Synapses<M> n, std::uint32_t i) {
    State& s = n[i];
    double G = 0;
    s.next = INT64_MAX;
    each(n, i, [&](std::uint32_t d, const auto& own) {
      const Junction& j = junction(n, i, d);
      const Tick until = holds_until(j, idle(n, own));
      if (until < s.next) s.next = until;
      G += own.conductance(j.level);
    });
    s.weight = weight(n, G);
  }
  /// The conductance as a read finds it, at its price.
  static double read_out(Synapses<M> n, std::uint32_t i) {
    double G = 0;
    each_now(n, i, [&](std::uint32_t d, const auto& own, const Junction& j) {
      G += device::found(n, i, d, own.conductance(j.level), 0);
    });
    return G;
  }
  /// What an event finds.
  static double met(Synapses<M> n, std::uint32_t i) {
    if (n.s.tick >= n[i].next) {  // brings it to the present
      each_now(n, i, [&](std::uint32_t d, const auto&, const Junction& j) { junction(n, i, d) = j; });
      show(n, i);
    }
    return n.shared().knobs.plain ? n[i].weight : weight(n, read_out(n, i));
  }

  template <class Own>
  static Pulse pulse_of(const Shared& s, const Own& own, double V, double seconds) {
    return {V, seconds, s.law.hazard(own.Delta, math::abs(V) / own.V_c, 1e9 * seconds / own.tau_D), 1, 0};
  }
  /// When the hazard of a pulse has come to `left` [s].
  template <class Own>
  static double time_of(Synapses<M> n, const Own& own, const Pulse& p, double left) {
    double low = 0, high = p.seconds;
    for (int k = 0; k < 30; ++k) {
      const double middle = (low + high) / 2;
      (p.factor * pulse_of(n.shared(), own, p.V, middle).hazard < left ? low : high) = middle;
    }
    return high;
  }
  /// A pulse on junction `d`.
  template <class Own>
  static void apply(Synapses<M> n, std::uint32_t i, std::uint32_t d, const Own& own, const Pulse& p) {
    Junction& j = junction(n, i, d) = later(junction(n, i, d), p.at, idle(n, own), n[i].key);
    const double level = j.level;
    double before = p.seconds;  // before it flips
    if (p.V != 0 && (p.V > 0) != j.parallel()) {
      if (p.factor * p.hazard < j.left) {
        j.left -= p.factor * p.hazard;
      } else {
        if (device::counts(n)) before = time_of(n, own, p, j.left);
        j.level = device::changed(n, i, d, level, p.V > 0);
        if (j.level == level) j.left = math::infinity;
        else ++j.flips, draw_next(j, n[i].key);
      }
    }
    if (device::counts(n))
      device::pay_pulse(n, i, d, p.V,
                        own.conductance(level) * before + own.conductance(j.level) * (p.seconds - before));
  }
  static double read(Synapses<M> n, std::uint32_t i, std::uint32_t variable) {
    double up = 0, bits = 0, flips = 0;
    each_now(n, i, [&](std::uint32_t d, const auto&, const Junction& j) {
      if (j.parallel()) up += 1, bits += static_cast<double>(1u << d);
      flips += j.flips;
    });
    const double G = conductance(n, i),
                 values[] = {weight(n, G), up / M::count(all(n)), bits, G, flips, n[i].reading};
    return values[variable];  // in the order of variables()
  }
};

}  // namespace spinet::mtj
