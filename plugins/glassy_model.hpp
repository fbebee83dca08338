// The synapse models of packed glassy devices: `glassy` with 8 fronts, `glassy_6` with 6 in 40 bytes,
// `glassy_stdp` as that and programmed by its own spikes.  A state has one size for each model, so a network
// that wants 10^8 devices names the small one.  What spinet/reality.hpp adds lies in parts.
#pragma once
#include "glassy_wide.hpp"
#include "spinet/drawn.hpp"

namespace spinet::glassy {

/// `M`: the model itself, which derives from this.
template <class M, int K>
struct Model {
  static constexpr Stimulus stimuli[] = {device::pulse, device::field, device::read};
  enum { a_pulse, a_field, a_read };
  static constexpr bool draws_extended = true;
  static constexpr auto& presets = presets_of_all;
  struct Params : Constants, device::Reality {};
  using Parts = device::RealityPartsAnd<device::LastRead>;
  struct Shared {
    Device device;
    double weight;  ///< of the parallel G_max
    device::Knobs knobs;
    Tables tables;
  };
  using State = Stack<K>;
  struct SliceState {
    Temperatures seen;
  };

  static auto params() {
    FieldTable<typename M::Params> t;
    add_constants(t);
    device::add_reality(t, {.cycle = cycle_noise_doc});
    return t;
  }
  enum : std::uint32_t { weight_shown, p_shown, G_shown, state_shown, fronts_shown, reading_shown };
  static auto variables() {
    FieldTable<State> t;
    t.computed("weight", "1", 0, any(), port_unit, "weight in the present magnetic state, without read noise")
        .add(&State::g1, "p", "1", 0.5, between(0, 1), initial,
             "mean occupancy; 0: least conductance, 1: greatest.  At t = 0 that of barriers of all heights")
        .computed("G", "uS", 0, at_least(0), 0, "conductance in the present magnetic state")
        .computed("state", "1", 1, between(-1, 1), 0, "1: electrodes parallel, -1: antiparallel")
        .computed("fronts", "1", 0, between(0, K), 0, "fronts that are kept")
        .computed("reading", "uS", 0, any(), 0,
                  "conductance: where reads have noise as last read by the schedule, else at present");
    device::add_reality_variables(t);
    return t;
  }
  static const char* check(const Params& p) {
    if (const char* wrong = problem(static_cast<const Constants&>(p))) return wrong;
    return device::problem(p);
  }
  static std::uint32_t parts(const Params& p) {
    return device::parts_of(p) | (device::unsteady(p) ? 32u : 0u);
  }
  static Sign sign(const Params& p) { return p.w_max < 0 ? Sign::negative : Sign::positive; }
  static std::uint32_t changes(const Params&, std::uint32_t variable) { return variable == p_shown; }
  static void prepare(Shared& s, const Params& p, const RunInfo& run) {
    s.device = Device(p, 1e3 * run.ticks_per_ms);
    s.weight = p.w_max;
    s.knobs = {p, run};
    s.tables.make();
  }
  static void init(Synapses<M> n) {
    State& s = n[0];
    const double p = device::begin(n, 0, static_cast<double>(s.g1));
    s.begin();
    if (const auto* const d = n.template part<device::Defect>(0); d && d->stuck != 0) s.hold(p);
    if (auto* const r = n.template part<device::LastRead>(0)) r->reading = 0;
  }

  /// f(law) with the law of synapse i, one of those that differ; `own` are parameters of another of them.
  template <class All, class F>
  [[gnu::noinline]] static void own_law(Synapses<M> n, std::uint32_t i, All& own, F&& f) {
    n.s.extras->put_drawn(&n[i], 0, &own);
    const Device device(own, n.shared().device);
    f(Law{device, n.shared().tables, n.slice_state().seen});
  }
  /// f(law) with the law of synapse i.
  template <class F>
  static auto with_law(Synapses<M> n, std::uint32_t i, F&& f) {
    const Shared& p = n.shared();
    const Temperatures seen = n.slice_state().seen;
    if (!n.differ()) return f(Law{p.device, p.tables, seen});
    const Device own(n.params(i), p.device);
    return f(Law{own, p.tables, seen});
  }
  /// Conductance over `scale` in the present magnetic state, of the parallel one.
  static double present(double g, const State& s, const Device& d) {
    return s.electrodes.antiparallel() ? g * (1 + d.MG(g * d.scale)) : g;
  }
  static double shown(Synapses<M> n, std::uint32_t i) {
    return with_law(n, i, [&](const Law& law) { return present(n[i].shown(n.s.tick, law), n[i], law.d); });
  }

  /// What a read finds; it costs what it costs.
  [[gnu::noinline]] static double read_out(Synapses<M> n, std::uint32_t i, std::uint32_t use, double g) {
    const double scale = n.shared().device.scale;
    return device::found(n, i, 0, g * scale, use) / scale;
  }
  /// Devices as `Shown` asks for them.
  struct Own {
    Synapses<M> n;
    const Law& all;
    typename M::Params& params;  ///< of any of them
    Drawn<M> span, G_min;
    std::uint32_t first;  ///< of those that are looked at

    template <class F>
    void law(std::uint32_t k, F&& f) const {
      if (n.differ()) own_law(n, first + k, params, f);
      else f(all);
    }
    /// As in `Device`.
    OwnRange range(std::uint32_t k) const {
      const State& s = n[first + k];
      const double of_it = span.of(s);
      return {of_it, all.d.excess_of(of_it, G_min.of(s))};
    }
  };
  static Differ differ(Synapses<M> n) {
    if (!n.differ()) return Differ::nowhere;
    const bool fronts = Drawn<M>(n, &Constants::E_max).differs() || Drawn<M>(n, &Constants::nu_0).differs();
    return fronts ? Differ::in_fronts : Differ::in_range;
  }
  /// What an event meets, of all synapses.
  static void met(Synapses<M> n, double* out) {
    const Shared& p = n.shared();
    const Law all{p.device, p.tables, n.slice_state().seen};
    typename M::Params own;
    if (n.differ()) own = *static_cast<const typename M::Params*>(n.s.params);
    Shown<K> shown(all, n.s.tick);
    shown.differ = differ(n);
    const std::size_t stride = n.s.extras ? n.s.extras->stride : sizeof(State);
    Own devices{n, all, own, {n, &Constants::span}, {n, &Constants::G_min}, 0};
    for (std::uint32_t i = 0; i < n.size(); devices.first = i += chunk)
      shown({static_cast<std::byte*>(n.s.state) + i * stride, stride},
            n.size() - i < chunk ? n.size() - i : chunk, p.knobs.plain ? p.weight : 1, out + i, devices);
    for (std::uint32_t i = 0; i < n.size() && !p.knobs.plain; ++i)
      out[i] = p.weight * read_out(n, i, 0, out[i]);
  }
  static constexpr bool wide = true;
  static void on_pre(Synapses<M> n, double* out) { met(n, out); }

  /// The integral of the conductance over a pulse that begins at `begin` [uS s], in the present magnetic
  /// state: over ln t, in which it is smooth.
  [[gnu::noinline]] static double charge(const State& s, const Law& law, Tick begin, double seconds,
                                         double tilt) {
    constexpr double folds = 24;  // e-folds of time; what the first e^-24 of the pulse costs is lost
    const auto over_time = [&](auto mean_at) {
      return law.d.scale * valve::integral(-folds, 0, 12, [&](double x) {
               const double t = seconds * math::exp(x);
               return t * present(s.relative(mean_at(x, t), law.d), s, law.d);
             });
    };
    const Event whole = law.d.event(tilt, seconds);
    if (!whole.acts || s.held())  // it relaxes meanwhile
      return over_time([&](double, double t) { return s.occupancy(begin + law.d.event(0, t).ticks, law); });
    // Parts of a pulse differ in the logarithm of their time alone; what is left of the past is the same.
    const auto past = s.profile(law);
    const Event rest = s.rest_until(begin, law);
    const double whole_time = law.d.kT_fronts * law.d.ln_time(tilt, seconds);
    return over_time([&](double x, double) {
      Event part = whole;
      part.front = law.d.at_most_reach(whole_time + law.d.kT_fronts * x);
      return past.mean_in(rest, part, law);
    });
  }
  /// A voltage that does `e`, from `begin` on.
  [[gnu::noinline]] static void apply(Synapses<M> n, std::uint32_t i, const Event& e, Tick begin,
                                      const Law& law) {
    State& s = n[i];
    if (!e.acts || s.held()) return;
    if (!device::holds(n.shared().knobs.p)) return s.pulse(e, begin, law);
    const double before = s.occupancy(begin, law);
    const device::Limits limits = device::limits(n, i, 0, before);
    if (limits.low == limits.high) return s.hold(limits.low);
    s.pulse(e, begin, law);
    const double after = s.mean_after(-math::infinity, law);
    if (limits(after) != after) s.narrow(after, limits(after), law);
  }
  /// A voltage from `begin` on that tilts by `tilt`.
  struct Voltage {
    double V, seconds, tilt;
    Tick begin;
  };
  /// What `act` does, for it; and pays for it: a device that is held by then keeps its conductance.
  template <class Act>
  static void paid(Synapses<M> n, std::uint32_t i, const Law& law, const Voltage& v, Act&& act) {
    if (!device::counts(n)) return act();
    const State before = n[i];
    act();
    device::pay_pulse(n, i, 0, v.V, charge(n[i].held() ? n[i] : before, law, v.begin, v.seconds, v.tilt));
  }
  [[gnu::noinline]] static void pulse(Synapses<M> n, std::uint32_t i, double V, double seconds) {
    with_law(n, i, [&](const Law& law) {
      const double tilt = law.d.tilt(V) * device::cycle_factor(n, i, 0, 2);
      paid(n, i, law, {V, seconds, tilt, n.s.tick},
           [&] { apply(n, i, law.d.event(tilt, seconds), n.s.tick, law); });
    });
  }
  static void turn(Synapses<M> n, std::uint32_t i, const Control& c) {
    device::pay_field(n, i, 0);
    with_law(n, i, [&](const Law& law) { n[i].electrodes.turn(c, law.d); });
  }
  /// A read of the schedule, of a device that shows `g`.
  [[gnu::noinline]] static void take_reading(Synapses<M> n, std::uint32_t i, double g) {
    const double G = read_out(n, i, 1, g) * n.shared().device.scale;
    if (auto* const r = n.template part<device::LastRead>(i)) r->reading = G;
  }
  static void on_control(Synapses<M> n, const Control& c) {
    const Shared& p = n.shared();
    if (c.stimulus == a_pulse && !n.differ() && !device::counts(n) && !device::is_on(p.knobs.p.cycle_noise)) {
      const Event event = p.device.event(p.device.tilt(c.value[0]), c.value[1]);
      for (std::uint32_t i = 0; event.acts && i < n.size(); ++i)
        apply(n, i, event, n.s.tick, {p.device, p.tables, n.slice_state().seen});
      return;
    }
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      if (c.stimulus == a_pulse) pulse(n, i, c.value[0], c.value[1]);
      else if (c.stimulus == a_field) turn(n, i, c);
      else if (c.stimulus == a_read && !p.knobs.plain) take_reading(n, i, shown(n, i));
    }
  }
  static void set(Synapses<M> n, const Params&, const Shared& next) {
    const double from = n.shared().device.temperature, to = next.device.temperature;
    if (to == from) return;
    Temperatures& seen = n.slice_state().seen;
    const Temperatures all = seen.with(from).with(to);
    for (std::uint32_t i = 0; i < n.size(); ++i)
      with_law(n, i, [&](const Law& law) { n[i].change_temperature(n.s.tick, law, all); });
    seen = all;
  }
  static double read(Synapses<M> n, std::uint32_t i, std::uint32_t variable) {
    const State& s = n[i];
    const Shared& p = n.shared();
    switch (variable) {
      case p_shown:
        return with_law(n, i, [&](const Law& law) { return s.occupancy(n.s.tick, law); });
      case state_shown:
        return s.electrodes.antiparallel() ? -1 : 1;
      case fronts_shown:
        return s.count();
      case reading_shown:
        if (const auto* const r = n.template part<device::LastRead>(i)) return r->reading;
        [[fallthrough]];
      default:
        return variable == weight_shown ? p.weight * shown(n, i) : shown(n, i) * p.device.scale;
    }
  }
};

}  // namespace spinet::glassy
