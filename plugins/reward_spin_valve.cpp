// reward_spin_valve: reward times eligibility, written by molecular spin valves.  The update `power` of
// reward_rule is the law that a global field event gives spin valves; here the devices (spin_valve.hpp) do it
// themselves.
//
// A synapse is two pairs of devices.  The weight is what one pair reads in parallel electrodes, w_max (G -
// G2) / G_max.  The other pair holds the change D of a batch, one device positive, one negative changes;
// between batches it lies at G_min. Rewards add D up as in reward_rule; the end of a batch (control event
// `batch_end`, a global field event) does the rest:
//   1. the device of D's sign gets a pulse of V_up, as long as |D| asks for: |D| = `threshold` brings it to
//      G_th;
//   2. the field turns the electrodes antiparallel, and the device boosts its conductance by B = G MG(G):
//      nothing below G_th, about |D|^(7/4) well above it.  B is the difference of a read before and one in
//      the field, each with its own noise; below 0 it counts as 0;
//   3. a pulse of V_up on one device of the weight's pair and of V_down on the other, as long as B asks for:
//      a pair in the middle of its range (u = u2 = 1/2) moves by gain |D|^(7/4) as far as the map is linear
//      and the pulses short;
//   4. the field goes, the pair of the change is set back.
// Energy is that of all pulses and reads, those of step 3 in the antiparallel state; what setting back costs
// is not known. Pulses are open-loop: that devices saturate, differ and scatter (cycle_noise)
// stays in the weight.
#include "spin_valve.hpp"
#include "spinet/reward.hpp"

namespace {
using namespace spinet;

struct RewardSpinValve {
  static constexpr const char* name = "reward_spin_valve";
  static constexpr const char* doc =
      "Reward times eligibility, written at the end of a batch by pulses and field into a pair of spin "
      "valves.";
  static constexpr Stimulus stimuli[] = {spinet::reward, spinet::batch_end};
  enum { a_reward, a_batch_end };
  static constexpr bool draws = true;
  static constexpr const char* reads[] = {"gradient"};
  static constexpr std::uint32_t reads_at_control = 1;
  struct Params : valve::Constants, device::Reality {
    double rate, threshold, gain, V_up, V_down, w_max;
  };
  using Parts = device::RealityParts;
  /// The devices of a synapse: the weight's pair, and those that take positive and negative changes.
  enum { weight_first, weight_second, change_plus, change_minus, device_count };
  struct Shared {
    Params p;
    valve::Device device;
    device::Knobs knobs;
    double change_width;  ///< s of pulse per unit of |D|
    double write_width;   ///< s of pulse per uS of boost
  };
  struct State {
    double weight, change, u, u2;  // the weight first: computed variables share its place until init
  };
  struct SliceState {
    double eligibility;  ///< of the present presentation; the same for all synapses of the slice
  };

  static auto params() {
    FieldTable<Params> t;
    valve::add_constants(t);
    t.add(&Params::rate, "rate", "1", 1, any(), 0, "learning rate")
        .add(&Params::threshold, "threshold", "1", 0.4, above(0), 0,
             "change whose pulse brings a device to G_th")
        .add(&Params::gain, "gain", "1", 1, above(0), 0,
             "written change over the power law, of a pair in the middle of its range")
        .add(&Params::V_up, "V_up", "V", 2.5, above(0), 0, "amplitude of pulses that raise a conductance")
        .add(&Params::V_down, "V_down", "V", -2.35, {-std::numeric_limits<double>::infinity(), 0, high_open},
             0, "amplitude of pulses that lower one")
        .add(&Params::w_max, "w_max", "1", 10, above(0), port_unit,
             "weight of G_max over that of no conductance");
    device::add_reality(t);
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::weight, "weight", "1", 0, any(), port_unit, "weight, without read noise")
        .add(&State::u, "u", "1", 0.5, between(0, 1), initial,
             "of the first device of the weight's pair; 0: least conductance, 1: greatest")
        .add(&State::u2, "u2", "1", 0.5, between(0, 1), initial, "of the second")
        .add(&State::change, "change", "1", 0, any(), 0, "change that has not been written yet");
    device::add_reality_variables(t);
    return t;
  }
  static const char* check(const Params& p) {
    if (const char* problem = valve::problem(p)) return problem;
    if (!(p.G_th > p.G_min)) return "G_th must be above G_min: no change would be too small to be written";
    if (!(p.MG_max > 0)) return "MG_max must be above 0: without magnetoconductance nothing is ever written";
    if (!(p.V_up > p.V_th)) return "V_up must be above V_th: the pulses would change nothing";
    if (!(-p.V_down > p.V_th)) return "V_down must be below -V_th: the pulses would change nothing";
    return device::problem(p);
  }
  static std::uint32_t parts(const Params& p) { return device::parts_of(p); }
  static std::uint32_t devices(const Params&) { return device_count; }
  static void prepare(Shared& s, const Params& p, const RunInfo& run) {
    const valve::Device d(p);
    s = {p, d, device::Knobs(p, run), 0, 0};
    s.change_width = -math::log(1 - d.state_of(p.G_th)) / (d.pulse(p.V_up, 1).k * p.threshold);
    // One unit of |D| is `unit` of conductance where pulses are short; B is unit_boost |D|^(7/4) where G_min
    // and G_th are small.
    const double unit = (p.G_th - p.G_min) / p.threshold;
    const double unit_boost = p.MG_max * unit * math::pow(unit / (p.G_max - p.G_th), p.MG_exponent);
    const double weight_per_second =
        p.w_max / p.G_max * d.slope(0.5) * 0.5 * (d.pulse(p.V_up, 1).k + d.pulse(p.V_down, 1).k);
    s.write_width = p.gain / (unit_boost * weight_per_second);
  }
  static void init(Synapses<RewardSpinValve> n) {
    State& s = n[0];
    s.change = 0;
    s.u = device::begin(n, weight_first, s.u);
    s.u2 = device::begin(n, weight_second, s.u2);
    for (const std::uint32_t d : {change_plus, change_minus}) device::begin(n, d, 0);
    show(n, 0);
  }
  static std::uint32_t changes(const Params&, std::uint32_t variable) {
    return variable == 1 || variable == 2;
  }  // u and u2

  /// Conductances of the weight's pair, or what reads of them find.
  struct Pair {
    double G, G2;
    double weight(const Params& p) const { return p.w_max * (G - G2) / p.G_max; }
  };
  static double parallel(Synapses<RewardSpinValve> n, std::uint32_t i, std::uint32_t d, double u) {
    const valve::Device own = valve::device_of(n, i, d);
    return own.g * own.parallel(u);
  }
  static Pair conductances(Synapses<RewardSpinValve> n, std::uint32_t i) {
    return {parallel(n, i, weight_first, n[i].u), parallel(n, i, weight_second, n[i].u2)};
  }
  static void show(Synapses<RewardSpinValve> n, std::uint32_t i) {
    n[i].weight = conductances(n, i).weight(n.shared().p);
  }

  static void on_pre(Synapses<RewardSpinValve> n, double* out) {
    const Shared& p = n.shared();
    n.slice_state().eligibility = n.s.payload;
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      if (p.knobs.plain) {
        out[i] = n[i].weight;
        continue;
      }
      Pair found = conductances(n, i);
      found.G = device::found(n, i, weight_first, found.G, 0);
      found.G2 = device::found(n, i, weight_second, found.G2, 0);
      out[i] = found.weight(p.p);
    }
  }
  /// The boost [uS] that the field gives the device that has taken the change, now in state `u`, as two reads
  /// find it.
  static double boost(Synapses<RewardSpinValve> n, std::uint32_t i, std::uint32_t d, double u) {
    const valve::Device own = valve::device_of(n, i, d);
    const double MG = own.MG(own.parallel(u)), G = own.g * own.parallel(u);
    const double in_field = device::found(n, i, d, G * (1 + MG), 3), before = device::found(n, i, d, G, 5);
    return n.shared().knobs.noisy ? in_field - before : G * MG;
  }
  /// A pulse of V for t seconds; the state after it.
  static double pulse(Synapses<RewardSpinValve> n, std::uint32_t i, std::uint32_t d, double u,
                      const Control& c) {
    const double V = c.value[0], t = c.value[1];
    const bool antiparallel = c.value[2] != 0;
    const valve::Device own = valve::device_of(n, i, d);
    const auto on_it = own.pulse(V, t, own.k * device::cycle_factor(n, i, d, 1));
    return valve::pulsed(n, i, d, own, {u, on_it, antiparallel});
  }
  static void write(Synapses<RewardSpinValve> n, std::uint32_t i) {
    const Shared& p = n.shared();
    State& s = n[i];
    const bool up = s.change > 0;
    const std::uint32_t d = up ? change_plus : change_minus;
    const double held = pulse(n, i, d, 0, {0, 0, {p.p.V_up, p.change_width * math::abs(s.change), 0}});
    s.change = 0;
    for (std::uint32_t k = 0; k < device_count; ++k) device::pay_field(n, i, k);
    const double width = p.write_width * boost(n, i, d, held);
    if (!(width > 0)) return;
    s.u = pulse(n, i, weight_first, s.u, {0, 0, {up ? p.p.V_up : p.p.V_down, width, 1}});
    s.u2 = pulse(n, i, weight_second, s.u2, {0, 0, {up ? p.p.V_down : p.p.V_up, width, 1}});
    show(n, i);
  }
  static void on_control(Synapses<RewardSpinValve> n, const Control& control) {
    if (control.stimulus == a_reward) {
      const double e = n.slice_state().eligibility,
                   gain = n.shared().p.rate * (control.value[0] - control.value[1]);
      n.slice_state().eligibility = 0;
      if (e == 0) return;
      for (std::uint32_t i = 0; i < n.size(); ++i) n[i].change += gain * n.s.target(i) * e;
    } else if (control.stimulus == a_batch_end) {
      for (std::uint32_t i = 0; i < n.size(); ++i)
        if (n[i].change != 0) write(n, i);
    }
  }
};
}  // namespace

SPINET_MODEL(synapse_table<RewardSpinValve>())
