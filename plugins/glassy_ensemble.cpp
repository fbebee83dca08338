// glassy_ensemble: the device of glassy.cpp barrier by barrier, the reference of its fast forms.  Up to 128
// barriers at the middles of equal parts of 0 .. E_max, whose occupancies relax exactly.
// One barrier stands for a range of heights: with fewer of them than some E_max / kT, what decays as a
// logarithm becomes a staircase.
#include "glassy.hpp"

namespace {
using namespace spinet;
using namespace spinet::glassy;

struct GlassyEnsemble {
  static constexpr const char* name = "glassy_ensemble";
  static constexpr const char* doc =
      "As glassy, each barrier by itself: a reference for few devices, a kilobyte each.";
  static constexpr Stimulus stimuli[] = {device::pulse, device::field, device::read};
  enum { a_pulse, a_field, a_read };
  static constexpr int most = 128;
  static constexpr bool draws_extended = true;
  static constexpr auto& presets = presets_of_all;
  struct Params : Constants, device::Reality {
    double barriers;
  };
  using Parts = device::RealityPartsAnd<device::LastRead>;
  struct Shared {
    Device device;
    double w_max;
    int barriers;
    device::Knobs knobs;
  };
  struct State {
    Tick last;
    float given;  ///< occupancy at t = 0
    Electrodes electrodes;
    double p[most];
  };

  static auto params() {
    FieldTable<Params> t;
    add_constants(t);
    device::add_reality(t, {.cycle = glassy::cycle_noise_doc});
    t.add(&Params::barriers, "barriers", "1", most, between(1, most), integer,
          "barriers that stand for all (not in the paper)");
    return t;
  }
  enum : std::uint32_t { weight_shown, p_shown, G_shown, state_shown, reading_shown };
  static auto variables() {
    FieldTable<State> t;
    t.computed("weight", "1", 0, any(), port_unit, "weight in the present magnetic state")
        .add(&State::given, "p", "1", 0.5, between(0, 1), initial,
             "mean occupancy; 0: least conductance, 1: greatest.  At t = 0 that of barriers of all heights")
        .computed("G", "uS", 0, at_least(0), 0, "conductance in the present magnetic state")
        .computed("state", "1", 1, between(-1, 1), 0, "1: electrodes parallel, -1: antiparallel")
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
    s.w_max = p.w_max;
    s.barriers = static_cast<int>(p.barriers);
    s.knobs = {p, run};
  }
  static void init(Synapses<GlassyEnsemble> n) {
    State& s = n[0];
    const double p = device::begin(n, 0, static_cast<double>(s.given));
    s.electrodes = {0, 0, 0};
    const auto* const d = n.part<device::Defect>(0);
    s.last = d && d->stuck != 0 ? standing : 0;
    for (int i = 0; i < most; ++i) s.p[i] = i < n.shared().barriers ? p : 0;
    if (auto* const r = n.part<device::LastRead>(0)) r->reading = 0;
  }

  static Device device_of(Synapses<GlassyEnsemble> n, std::uint32_t i) {
    const Shared& p = n.shared();
    return n.differ() ? Device(n.params(i), p.device) : p.device;
  }
  /// A device and how many barriers stand for all of its.
  struct Barriers {
    Device d;
    int n;

    /// A voltage of this tilt [eV] for some seconds.
    void relax(State& s, double tilt, double seconds) const {
      if (!(seconds > 0)) return;
      const double x = tilt / (boltzmann * d.temperature), level = 0.5 * (1 + math::tanh(x));
      const double ln = math::log(d.nu_0) + math::log(seconds) + math::abs(x) +
                        math::log1p(math::exp(-2 * math::abs(x)));  // of 2 nu_0 t cosh x
      for (int i = 0; i < n; ++i)
        s.p[i] = level + (s.p[i] - level) * math::exp(-math::exp(ln - (i + 0.5) / n / d.kT));
    }
    void settle(State& s, Tick now) const {
      if (now <= s.last) return;
      relax(s, 0, static_cast<double>(now - s.last) / d.ticks_per_s);
      s.last = now;
    }
    double mean(const State& s) const {
      double sum = 0;
      for (int i = 0; i < n; ++i) sum += s.p[i];
      return sum / n;
    }
    double conductance(const State& s) const {
      const double G = d.conductance(mean(s));
      return s.electrodes.antiparallel() ? antiparallel(G, d) : G;
    }
  };
  static Barriers barriers_of(Synapses<GlassyEnsemble> n, std::uint32_t i) {
    return {device_of(n, i), n.shared().barriers};
  }
  static double conductance_now(Synapses<GlassyEnsemble> n, std::uint32_t i) {
    const Barriers b = barriers_of(n, i);
    State s = n[i];
    b.settle(s, n.s.tick);
    return b.conductance(s);
  }

  static void on_pre(Synapses<GlassyEnsemble> n, double* out) {
    const Shared& p = n.shared();
    for (std::uint32_t i = 0; i < n.size(); ++i)
      out[i] = p.w_max * (device::found(n, i, 0, conductance_now(n, i), 0) / p.device.scale);
  }
  /// As in glassy_model.hpp.
  static double charge(const State& s, const Barriers& b, double tilt, double seconds) {
    return valve::integral(-24, 0, 12, [&](double x) {
      const double t = seconds * math::exp(x);
      State part = s;
      if (part.last != standing) b.relax(part, tilt, t);
      return t * b.conductance(part);
    });
  }
  static void pulse(Synapses<GlassyEnsemble> n, std::uint32_t i, double V, double seconds) {
    const Barriers b = barriers_of(n, i);
    const double tilt = b.d.tilt(V) * device::cycle_factor(n, i, 0, 2);
    State before = n[i];
    b.settle(before, n.s.tick);
    relax(n, i, b, tilt, seconds);
    if (device::counts(n))  // a device that is held keeps its conductance
      device::pay_pulse(n, i, 0, V, charge(n[i].last == standing ? n[i] : before, b, tilt, seconds));
  }
  static void relax(Synapses<GlassyEnsemble> n, std::uint32_t i, const Barriers& b, double tilt,
                    double seconds) {
    State& s = n[i];
    if (tilt == 0 || s.last == standing) return;
    b.settle(s, n.s.tick);
    const double before = b.mean(s);
    const device::Limits limits =
        device::holds(n.shared().knobs.p) ? device::limits(n, i, 0, before) : device::Limits{0, 1};
    const auto all = [&](auto change) {
      for (int k = 0; k < b.n; ++k) s.p[k] = change(s.p[k]);
    };
    if (limits.low == limits.high) {
      all([&](double) { return limits.low; });
      s.last = standing;
      return;
    }
    b.relax(s, tilt, seconds);
    const double after = b.mean(s), to = limits(after);
    if (to != after) all([&](double p) { return 0.5 + (p - 0.5) * ((to - 0.5) / (after - 0.5)); });
    const Tick ticks = b.d.event(tilt, seconds).ticks;
    s.last = s.last > standing - 1 - ticks ? standing - 1 : s.last + ticks;
  }
  static void on_control(Synapses<GlassyEnsemble> n, const Control& c) {
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      if (c.stimulus == a_field) {
        device::pay_field(n, i, 0);
        n[i].electrodes.turn(c, device_of(n, i));
      } else if (c.stimulus == a_pulse) {
        pulse(n, i, c.value[0], c.value[1]);
      } else if (!n.shared().knobs.plain) {
        const double G = device::found(n, i, 0, conductance_now(n, i), 1);
        if (auto* const r = n.part<device::LastRead>(i)) r->reading = G;
      }
    }
  }
  static void set(Synapses<GlassyEnsemble> n, const Params&, const Shared&) {
    for (std::uint32_t i = 0; i < n.size(); ++i) barriers_of(n, i).settle(n[i], n.s.tick);
  }
  static double read(Synapses<GlassyEnsemble> n, std::uint32_t i, std::uint32_t variable) {
    const Shared& p = n.shared();
    if (variable == state_shown) return n[i].electrodes.antiparallel() ? -1 : 1;
    if (variable == reading_shown)
      if (const auto* const r = n.part<device::LastRead>(i)) return r->reading;
    const double G = conductance_now(n, i);
    if (variable != p_shown) return variable == weight_shown ? p.w_max * (G / p.device.scale) : G;
    const Barriers b = barriers_of(n, i);
    State s = n[i];
    b.settle(s, n.s.tick);
    return b.mean(s);
  }
};
}  // namespace

SPINET_MODEL(synapse_table<GlassyEnsemble>())
