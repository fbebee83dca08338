// glassy_ensemble: the device of glassy.cpp barrier by barrier, the reference of its fast forms.  Up to 128
// barriers at the middles of equal parts of 0 .. E_max, whose occupancies relax exactly; no energy, no noise.
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
  struct Params : Constants {
    double barriers;
  };
  struct Shared {
    Device device;
    double w_max;
    int barriers;
    double height[most];  ///< over kT
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
        .computed("reading", "uS", 0, any(), 0, "conductance");
    return t;
  }
  static const char* check(const Params& p) { return problem(p); }
  static Sign sign(const Params& p) { return p.w_max < 0 ? Sign::negative : Sign::positive; }
  static std::uint32_t changes(const Params&, std::uint32_t variable) { return variable == p_shown; }
  static void prepare(Shared& s, const Params& p, const RunInfo& run) {
    s.device = Device(p, run);
    s.w_max = p.w_max;
    s.barriers = static_cast<int>(p.barriers);
    for (int i = 0; i < s.barriers; ++i) s.height[i] = (i + 0.5) / s.barriers / s.device.kT;
  }
  static void init(State& s, const Shared& p) {
    s.last = 0;
    s.electrodes = {0, 0};
    for (int i = 0; i < most; ++i) s.p[i] = i < p.barriers ? static_cast<double>(s.given) : 0;
  }

  /// A voltage of this tilt [eV] for some seconds.
  static void relax(State& s, const Shared& p, double tilt, double seconds) {
    if (!(seconds > 0)) return;
    const Device& d = p.device;
    const double x = tilt / (boltzmann * d.temperature), level = 0.5 * (1 + math::tanh(x));
    const double ln = math::log(d.nu_0) + math::log(seconds) + math::abs(x) +
                      math::log1p(math::exp(-2 * math::abs(x)));  // of 2 nu_0 t cosh x
    for (int i = 0; i < p.barriers; ++i)
      s.p[i] = level + (s.p[i] - level) * math::exp(-math::exp(ln - p.height[i]));
  }
  static void settle(State& s, const Shared& p, Tick now) {
    if (now <= s.last) return;
    relax(s, p, 0, static_cast<double>(now - s.last) / p.device.ticks_per_s);
    s.last = now;
  }
  static double mean(const State& s, const Shared& p) {
    double sum = 0;
    for (int i = 0; i < p.barriers; ++i) sum += s.p[i];
    return sum / p.barriers;
  }
  static double conductance(const State& s, const Shared& p) {
    return magnetic(p.device.conductance(mean(s, p)), s.electrodes.antiparallel(), p.device);
  }

  static void on_pre(Synapses<GlassyEnsemble> n, double* out) {
    for (std::uint32_t i = 0; i < n.size(); ++i) out[i] = read(n, i, weight_shown);
  }
  static void on_control(Synapses<GlassyEnsemble> n, const Control& c) {
    const Shared& p = n.shared();
    const double tilt = c.stimulus == a_pulse ? p.device.tilt(c.value[0]) : 0;
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      State& s = n[i];
      if (c.stimulus == a_field) s.electrodes.turn(c, p.device);
      if (tilt == 0) continue;
      settle(s, p, n.s.tick);
      relax(s, p, tilt, c.value[1]);
      const Tick ticks = p.device.pulse(c.value[0], c.value[1]).ticks;
      constexpr Tick latest = Tick{1} << 62;
      s.last = s.last > latest - ticks ? latest : s.last + ticks;
    }
  }
  static void set(Synapses<GlassyEnsemble> n, const Params&, const Shared&) {
    for (std::uint32_t i = 0; i < n.size(); ++i) settle(n[i], n.shared(), n.s.tick);
  }
  static double read(Synapses<GlassyEnsemble> n, std::uint32_t i, std::uint32_t variable) {
    const Shared& p = n.shared();
    if (variable == state_shown) return n[i].electrodes.antiparallel() ? -1 : 1;
    State s = n[i];
    settle(s, p, n.s.tick);
    if (variable == p_shown) return mean(s, p);
    const double G = conductance(s, p);
    return variable == weight_shown ? p.w_max * (G / p.device.G_max) : G;
  }
};
}  // namespace

SPINET_MODEL(synapse_table<GlassyEnsemble>())
