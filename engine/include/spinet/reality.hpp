// What real devices do beside what their model says, alike for all of them and each off by default: noise of
// reads (white, 1/f, telegraph) and from pulse to pulse, devices that are stuck, endurance, energy.  A knob
// that is off costs nothing; what it has to remember lies in a part (spinet::Parts) of the synapses whose
// parameters ask for it.  That devices differ is none of these: any parameter flagged `spread` may be drawn.
//
// A model's `Params` derives from `Reality`, its `Shared` has a member `knobs`, its `Parts` are
// `RealityParts`; plugins/README.md, "A device", shows the rest.  Conductances in uS, voltages in V, energies
// in nJ.
#pragma once
#include "spinet/device.hpp"
#include "spinet/synapse.hpp"

namespace spinet::device {

/// The processes that 1/f noise is a sum of.
inline constexpr std::uint32_t flicker_processes = 8;
/// Where two neighbours' time constants may differ by at most this factor, the sum's spectrum is off 1/f by
/// less than 2 / cosh(pi^2 / ln 10), 5.5 %, between them (of a factor 4: 0.33 %).
inline constexpr double most_flicker_ratio = 10;

/// Parameters, as networks give them.
struct Reality {
  double cycle_noise, read_noise, flicker_noise, flicker_low, flicker_high;
  double telegraph_noise, telegraph_filled, telegraph_empty;
  double stuck, stuck_at, endurance, worn, wear_exponent;
  double energy, read_voltage, read_width, field_energy, iv_scale;
};
/// Presets of a device whose paper has others.
struct Usual {
  double read_voltage = 0.1;  ///< V
  double field_energy = 0;    ///< nJ
  const char* cycle = "sd of ln of what a pulse does, from pulse to pulse (not in the paper)";
};
/// Numbers of `worn`.
inline constexpr double worn_frozen = 0, worn_low = 1, worn_high = 2;  // 3: window

/// Adds what pulses of the schedule meet to the table of a `Params` that derives from `Reality`.
template <class Params>
void add_cycle_noise(FieldTable<Params>& t, const char* doc = Usual{}.cycle) {
  t.add(&Params::cycle_noise, "cycle_noise", "1", 0, at_least(0), spread, doc);
}
/// Adds what changes meet.
template <class Params>
void add_changes(FieldTable<Params>& t) {
  t.add(&Params::stuck, "stuck", "1", 0, between(0, 1), 0,
        "share of devices that no pulse, field or spike changes (not in the paper)")
      .derives(&Params::stuck_at, "stuck_at", "1", between(0, 1), spread,
               "state of these, from 0 (least conductance) to 1; auto: where they begin")
      .add(&Params::endurance, "endurance", "1", 0, at_least(0), spread,
           "changes of state after which a device is worn; 0: it never is (not in the paper)")
      .choice(&Params::worn, "worn", "frozen low high window",
              "what worn devices do: stay as they are, fall to state 0, or 1, or lose range")
      .add(&Params::wear_exponent, "wear_exponent", "1", 1, above(0), 0,
           "with worn: window, the range left is (endurance / changes)^this, about the middle");
}
/// Adds what reads meet.
template <class Params>
void add_reads(FieldTable<Params>& t) {
  t.add(&Params::read_noise, "read_noise", "1", 0, at_least(0), spread,
        "relative sd of the conductance from read to read, lognormal of mean 1 (not in the paper)")
      .add(&Params::flicker_noise, "flicker_noise", "1", 0, at_least(0), spread,
           "relative sd of the conductance by 1/f noise, lognormal of mean 1 (not in the paper)")
      .add(&Params::flicker_low, "flicker_low", "Hz", 0.01, above(0), 0, "lowest frequency of 1/f noise")
      .add(&Params::flicker_high, "flicker_high", "Hz", 1000, above(0), 0, "highest frequency of 1/f noise")
      .add(&Params::telegraph_noise, "telegraph_noise", "1", 0, between(0, 1), spread,
           "part of the conductance that is missing while a trap is filled (not in the paper)")
      .add(&Params::telegraph_filled, "telegraph_filled", "ms", 100, above(0), spread,
           "mean time that the trap stays filled")
      .add(&Params::telegraph_empty, "telegraph_empty", "ms", 100, above(0), spread,
           "mean time that the trap stays empty");
}
/// Adds what is paid for.
template <class Params>
void add_energy(FieldTable<Params>& t, const Usual& usual) {
  t.add(&Params::energy, "energy", "1", 0, between(0, 1), integer,
        "1: add up the energy of pulses, reads and field events")
      .add(&Params::read_voltage, "read_voltage", "V", usual.read_voltage, at_least(0), 0,
           "of a read, by an event or by the schedule")
      .add(&Params::read_width, "read_width", "ms", 1, at_least(0), 0,
           "of a read, by an event or by the schedule (not in the paper)")
      .add(&Params::field_energy, "field_energy", "nJ", usual.field_energy, at_least(0), 0,
           "what a field event costs a device");
}
/// Adds all of them.  A model that adds some only finds the others at 0.
template <class Params>
void add_reality(FieldTable<Params>& t, const Usual& usual = {}) {
  add_cycle_noise(t, usual.cycle);
  add_changes(t);
  add_reads(t);
  add_energy(t, usual);
  t.add(&Params::iv_scale, "iv_scale", "V", 0, at_least(0), spread,
        "V_0 of I = G V_0 sinh(V / V_0), of what pulses and reads cost; 0: I = G V (not in the paper)");
}
/// What is wrong with them together, or null.
inline const char* problem(const Reality& p) {
  const double ratio = p.flicker_high / p.flicker_low;
  if (!(ratio > 1)) return "flicker_high must be above flicker_low";
  if (ratio > 1e7) return "flicker_high must not be above 1e7 flicker_low: there are eight processes only";
  return nullptr;
}

// --- what devices remember, where it is asked for ---

struct Spent {
  double energy;  ///< nJ
};
struct Flicker {
  Tick last;                   ///< when the processes were brought up to date
  float x[flicker_processes];  ///< standard normal each
};
struct Telegraph {
  Tick last;
  double filled;  ///< 1: the trap is
};
struct Defect {
  double stuck;  ///< 1: from the begin
};
struct Wear {
  double changes;  ///< of state, so far
};
/// For models whose `State` has no place for it, and which draw only where they have parts.
struct LastRead {
  double reading;  ///< by the schedule
};
/// `More`: a model's own, the first of them number 6.
template <class... More>
using RealityPartsAnd = Parts<Spent, Flicker, Telegraph, Defect, Wear, More...>;
using RealityParts = RealityPartsAnd<>;
/// Do changes or reads draw?
inline bool unsteady(const Reality& p) {
  return is_on(p.cycle_noise) || is_on(p.read_noise) || is_on(p.flicker_noise) || is_on(p.telegraph_noise);
}
/// May a change be held, by a device that is stuck or worn?
inline bool holds(const Reality& p) { return is_on(p.stuck) || is_on(p.endurance); }
/// Which of these the parameters ask for: a model's `parts`.
inline std::uint32_t parts_of(const Reality& p) {
  return (is_on(p.energy) ? 1u : 0u) | (is_on(p.flicker_noise) ? 2u : 0u) |
         (is_on(p.telegraph_noise) ? 4u : 0u) | (is_on(p.stuck) ? 8u : 0u) | (is_on(p.endurance) ? 16u : 0u);
}
/// Adds what is logged of changes to the model's variables.
template <class State>
void add_change_variables(FieldTable<State>& t) {
  t.in_part(4, &Defect::stuck, "stuck", "1", "1: nothing changes the device; of a pair, how many of the two")
      .in_part(5, &Wear::changes, "changes", "1", "of state so far, if devices wear");
}
/// Adds what is logged of all.
template <class State>
void add_reality_variables(FieldTable<State>& t) {
  t.in_part(1, &Spent::energy, "energy", "nJ", "of all pulses, reads and field events so far, if counted");
  add_change_variables(t);
}

/// The current at `V` of a device whose I-V goes as sinh(V / scale), over G V; 1 for a scale of 0.
inline double iv_factor(double V, double scale) {
  if (!(scale > 0)) return 1;
  constexpr double most = 600;  // e to the power of more is no number
  const double x = math::abs(V) / scale, y = x < most ? x : most;
  return y < 1e-4 ? 1 + y * y / 6 : (math::expm1(y) - math::expm1(-y)) / (2 * y);
}

/// What a model's `Shared` has of them, as `knobs`.
struct Knobs {
  Reality p;
  double sigma, sigma_flicker;      ///< of the logarithm of what noise makes of a conductance
  double price;                     ///< of a read, over the conductance [nJ/uS]
  double rates[flicker_processes];  ///< of 1/f noise [1/tick]
  double ticks_per_ms;
  bool noisy;  ///< do reads find something else than the conductance?
  bool plain;  ///< they do not, and cost nothing

  Knobs() = default;
  Knobs(const Reality& r, const RunInfo& run)
      : p(r),
        sigma(log_sd(r.read_noise)),
        sigma_flicker(log_sd(r.flicker_noise)),
        price(price_of(r)),
        ticks_per_ms(run.ticks_per_ms),
        noisy(is_on(r.read_noise) || is_on(r.flicker_noise) || is_on(r.telegraph_noise)),
        plain(!noisy && !is_on(r.energy)) {
    constexpr double turn = 6.283185307179586477;
    const double step = math::log(r.flicker_high / r.flicker_low) / (flicker_processes - 1);
    for (std::uint32_t k = 0; k < flicker_processes; ++k)
      rates[k] = turn * r.flicker_low * math::exp(step * k) / (1e3 * run.ticks_per_ms);
  }
  static double price_of(const Reality& r) {
    return r.read_voltage * r.read_voltage * r.read_width * iv_factor(r.read_voltage, r.iv_scale);
  }
};

namespace detail {
/// Numbers of draws that are no model's (`use`).
enum Use : std::uint32_t { of_flicker = 0x1000, of_telegraph = 0x2000, of_stuck = 0x3000 };

template <class M>
Reality own(Synapses<M> n, std::uint32_t i, std::uint32_t device) {
  return n.differ() ? Reality(n.params(i, device)) : n.shared().knobs.p;
}
/// Number `k` of the two normal numbers of a draw.
template <class M>
double normal_of(Synapses<M> n, std::uint32_t i, std::uint32_t use, std::uint32_t k) {
  const Words w = n.s.draw(i, use);
  return normal(w[2 * k], w[2 * k + 1]);
}
/// Brings 1/f noise to the present: Ornstein-Uhlenbeck processes, exactly, however long ago.  Returns their
/// sum, a standard normal number.
template <class M>
double flicker(Synapses<M> n, std::uint32_t i, std::uint32_t device, Flicker& f) {
  const Knobs& knobs = n.shared().knobs;
  const double past = static_cast<double>(n.s.tick - f.last);
  double sum = 0;
  Words w{};
  for (std::uint32_t k = 0; k < flicker_processes; ++k) {
    if (past > 0) {
      if (k % 4 == 0) w = n.s.draw(i, of_flicker + 2 * device + k / 4);
      const double x = static_cast<double>(f.x[k]), left = -knobs.rates[k] * past;
      f.x[k] = static_cast<float>(x * math::exp(left) + math::sqrt(-math::expm1(2 * left)) *
                                                            math::normal_quantile(uniform01(w[k % 4])));
    }
    sum += static_cast<double>(f.x[k]);
  }
  f.last = n.s.tick;
  return sum * 0.35355339059327376220;  // 1 / sqrt(8)
}
/// Brings a trap to the present, exactly, however long ago: is it filled?
template <class M>
bool telegraph(Synapses<M> n, std::uint32_t i, std::uint32_t device, const Reality& p, Telegraph& t) {
  const double past = static_cast<double>(n.s.tick - t.last) / n.shared().knobs.ticks_per_ms;
  if (past > 0) {
    const double filled = p.telegraph_filled / (p.telegraph_filled + p.telegraph_empty);
    const double left = math::exp(-past * (1 / p.telegraph_filled + 1 / p.telegraph_empty));
    const Words w = n.s.draw(i, of_telegraph + device);
    t.filled = uniform01(w[0], w[1]) < filled + (t.filled - filled) * left ? 1 : 0;
    t.last = n.s.tick;
  }
  return t.filled != 0;
}
}  // namespace detail

// --- what models call; `use` tells the draws of one event apart and is below 0x1000 ---

/// Adds `nJ` to what device `device` of synapse `i` has spent, if that is counted.
template <class M>
void pay(Synapses<M> n, std::uint32_t i, std::uint32_t device, double nJ) {
  if (Spent* const s = n.template part<Spent>(i, device)) s->energy += nJ;
}
/// Is energy counted?
template <class M>
bool counts(Synapses<M> n) {
  return is_on(n.shared().knobs.p.energy);
}
/// Adds what a pulse of `V` costs over which the conductance has the integral `charge` [uS s].
template <class M>
void pay_pulse(Synapses<M> n, std::uint32_t i, std::uint32_t device, double V, double charge) {
  pay(n, i, device, 1e3 * V * V * charge * iv_factor(V, detail::own(n, i, device).iv_scale));  // uJ to nJ
}
/// Adds what a read costs that finds the conductance `G`, in the mean of the noise.
template <class M>
void pay_read(Synapses<M> n, std::uint32_t i, std::uint32_t device, double G) {
  if (!counts(n)) return;
  pay(n, i, device, G * (n.differ() ? Knobs::price_of(detail::own(n, i, device)) : n.shared().knobs.price));
}
/// What a field event costs it.
template <class M>
void pay_field(Synapses<M> n, std::uint32_t i, std::uint32_t device) {
  pay(n, i, device, n.shared().knobs.p.field_energy);
}

/// What a read of device `device` of synapse `i` finds that has `x`, a conductance or another quantity: of
/// its sign, and x in the mean but for telegraph noise.
template <class M>
double noisy(Synapses<M> n, std::uint32_t i, std::uint32_t device, double x, std::uint32_t use) {
  const Knobs& knobs = n.shared().knobs;
  if (is_on(knobs.p.read_noise)) {
    const double sigma = n.differ() ? log_sd(detail::own(n, i, device).read_noise) : knobs.sigma;
    x *= factor(sigma, detail::normal_of(n, i, use + device / 2, device % 2));
  }
  if (Flicker* const f = n.template part<Flicker>(i, device)) {
    const double sigma = n.differ() ? log_sd(detail::own(n, i, device).flicker_noise) : knobs.sigma_flicker;
    x *= factor(sigma, detail::flicker(n, i, device, *f));
  }
  if (Telegraph* const t = n.template part<Telegraph>(i, device)) {
    const Reality p = detail::own(n, i, device);
    if (detail::telegraph(n, i, device, p, *t)) x *= 1 - p.telegraph_noise;
  }
  return x;
}
/// The same of a conductance, which is read at the voltage of reads; it costs what flows.
template <class M>
double found(Synapses<M> n, std::uint32_t i, std::uint32_t device, double G, std::uint32_t use) {
  if (n.shared().knobs.plain) return G;
  pay_read(n, i, device, G);
  return noisy(n, i, device, G, use);
}
/// The factor, of mean 1, by which what a pulse does differs from pulse to pulse.
template <class M>
double cycle_factor(Synapses<M> n, std::uint32_t i, std::uint32_t device, std::uint32_t use) {
  if (!is_on(n.shared().knobs.p.cycle_noise)) return 1;
  return factor(detail::own(n, i, device).cycle_noise, detail::normal_of(n, i, use + device / 2, device % 2));
}

/// States from 0 to 1 that a device can be brought to.
struct Limits {
  double low, high;
  double operator()(double u) const { return u < low ? low : u > high ? high : u; }
};
/// Where a change can bring a device that is in state `u`; counts it as one that wears.
template <class M>
Limits limits(Synapses<M> n, std::uint32_t i, std::uint32_t device, double u) {
  if (const Defect* const d = n.template part<Defect>(i, device); d && d->stuck != 0) return {u, u};
  Wear* const w = n.template part<Wear>(i, device);
  if (!w) return {0, 1};
  const Reality p = detail::own(n, i, device);
  const bool was_worn = is_on(p.endurance) && w->changes > p.endurance,
             stays =
                 p.worn == worn_frozen || (p.worn == worn_low && u <= 0) || (p.worn == worn_high && u >= 1);
  if (was_worn && stays) return {u, u};  // changes no more, and that is no change
  if (++w->changes <= p.endurance || !is_on(p.endurance)) return {0, 1};
  if (p.worn == worn_low) return {0, 0};
  if (p.worn == worn_high) return {1, 1};
  if (p.worn == worn_frozen) return {u, u};
  const double half = 0.5 * math::pow(p.endurance / w->changes, p.wear_exponent);
  return {0.5 - half, 0.5 + half};
}
/// The state that is left of a change from `before` to `after`.
template <class M>
double changed(Synapses<M> n, std::uint32_t i, std::uint32_t device, double before, double after) {
  return after == before ? before : limits(n, i, device, before)(after);
}

/// The state in which device `device` of the synapse begins for which a network says `u`: a model's `init`
/// calls it for each.
template <class M>
double begin(Synapses<M> n, std::uint32_t device, double u) {
  if (Spent* const s = n.template part<Spent>(0, device)) s->energy = 0;
  if (Wear* const w = n.template part<Wear>(0, device)) w->changes = 0;
  if (Flicker* const f = n.template part<Flicker>(0, device)) {
    Words w{};
    for (std::uint32_t k = 0; k < flicker_processes; ++k) {
      if (k % 4 == 0) w = n.s.draw(0, detail::of_flicker + 2 * device + k / 4);
      f->x[k] = static_cast<float>(math::normal_quantile(uniform01(w[k % 4])));
    }
    f->last = n.s.tick;
  }
  if (Telegraph* const t = n.template part<Telegraph>(0, device)) {
    const Reality p = detail::own(n, 0, device);
    const Words w = n.s.draw(0, detail::of_telegraph + device);
    t->filled = uniform01(w[0], w[1]) * (p.telegraph_filled + p.telegraph_empty) < p.telegraph_filled ? 1 : 0;
    t->last = n.s.tick;
  }
  Defect* const d = n.template part<Defect>(0, device);
  if (!d) return u;
  const Words w = n.s.draw(0, detail::of_stuck + device);
  d->stuck = uniform01(w[0], w[1]) < n.shared().knobs.p.stuck ? 1 : 0;
  const double at = detail::own(n, 0, device).stuck_at;
  return d->stuck != 0 && !is_auto(at) ? at : u;
}

}  // namespace spinet::device
