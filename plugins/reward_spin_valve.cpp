// reward_spin_valve: reward times eligibility, written by molecular spin valves.  The update `power` of
// reward_rule is the law that a global field event gives spin valves; here the devices (spin_valve.hpp) do it
// themselves.
//
// A synapse is two pairs of devices.  The weight is what one pair reads in parallel electrodes, w_max (G -
// G2) / G_max.  The other pair holds the change D of a batch, one device positive, one negative changes;
// between batches it lies at G_min. Rewards add D up as in reward_rule; the end of a batch (control event
// `batch_end`, a global field event) does the rest:
//   1. the device of D's sign gets a pulse of V_up, as long as |D| asks for: |D| = `threshold` brings it to
//   G_th;
//   2. the field turns the electrodes antiparallel, and the device boosts its conductance by B = G MG(G):
//   nothing below G_th,
//      about |D|^(7/4) well above it.  B is the difference of a read before and one in the field, each with
//      its own noise; below 0 it counts as 0;
//   3. a pulse of V_up on one device of the weight's pair and of V_down on the other, as long as B asks for:
//   a pair in the
//      middle of its range (u = u2 = 1/2) moves by gain |D|^(7/4) as far as the map is linear and the pulses
//      short;
//   4. the field goes, the pair of the change is set back.
// Energy is that of all pulses and reads, those of step 3 in the antiparallel state; what setting back costs
// is not known. Pulses are open-loop: that devices saturate, differ (g, k, k_plus, k_minus) and scatter
// (cycle_noise) stays in the weight.
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
  struct Params : valve::Constants, device::Reading {
    double rate, threshold, gain, V_up, V_down, w_max, cycle_noise;
  };
  struct Shared {
    Params p;
    valve::Device device;
    device::Reader reader;
    double change_width;  ///< s of pulse per unit of |D|
    double write_width;   ///< s of pulse per uS of boost
  };
  struct State {
    double weight, change, u, u2, energy;  // the weight first: computed variables share its place until init
    float g, g2, k, k2, k_plus, k_minus;   ///< spread
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
             "weight of G_max over that of no conductance")
        .add(&Params::cycle_noise, "cycle_noise", "1", 0, at_least(0), 0,
             "sd of ln of the rate k from pulse to pulse (not in the paper)");
    device::add_reading(t, "1: add up the energy of pulses and reads, V^2 G dt");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::weight, "weight", "1", 0, any(), port_unit, "weight, without read noise")
        .add(&State::u, "u", "1", 0.5, between(0, 1), initial,
             "of the first device of the weight's pair; 0: least conductance, 1: greatest")
        .add(&State::u2, "u2", "1", 0.5, between(0, 1), initial, "of the second")
        .add(&State::change, "change", "1", 0, any(), 0, "change that has not been written yet")
        .add(&State::energy, "energy", "nJ", 0, at_least(0), 0, "of all pulses and reads so far, if counted")
        .add(&State::g, "g", "1", 1, above(0), initial,
             "factor of the first device's conductance: spread between devices")
        .add(&State::g2, "g2", "1", 1, above(0), initial, "of the second's")
        .add(&State::k, "k", "1", 1, above(0), initial,
             "factor of the first device's rates: spread between devices")
        .add(&State::k2, "k2", "1", 1, above(0), initial, "of the second's")
        .add(&State::k_plus, "k_plus", "1", 1, above(0), initial, "of the device that takes positive changes")
        .add(&State::k_minus, "k_minus", "1", 1, above(0), initial,
             "of the device that takes negative changes");
    return t;
  }
  static const char* check(const Params& p) {
    if (const char* problem = valve::problem(p)) return problem;
    if (!(p.G_th > p.G_min)) return "G_th must be above G_min: no change would be too small to be written";
    if (!(p.MG_max > 0)) return "MG_max must be above 0: without magnetoconductance nothing is ever written";
    if (!(p.V_up > p.V_th)) return "V_up must be above V_th: the pulses would change nothing";
    if (!(-p.V_down > p.V_th)) return "V_down must be below -V_th: the pulses would change nothing";
    return nullptr;
  }
  static void prepare(Shared& s, const Params& p, const RunInfo&) {
    const valve::Device d(p);
    s = {p, d, device::Reader(p), 0, 0};
    s.change_width = -math::log(1 - d.state_of(p.G_th)) / (d.pulse(p.V_up, 1).k * p.threshold);
    // One unit of |D| is `unit` of conductance where pulses are short; B is unit_boost |D|^(7/4) where G_min
    // and G_th are small.
    const double unit = (p.G_th - p.G_min) / p.threshold;
    const double unit_boost = p.MG_max * unit * math::pow(unit / (p.G_max - p.G_th), p.MG_exponent);
    const double weight_per_second =
        p.w_max / p.G_max * d.slope(0.5) * 0.5 * (d.pulse(p.V_up, 1).k + d.pulse(p.V_down, 1).k);
    s.write_width = p.gain / (unit_boost * weight_per_second);
  }
  static void init(State& s, const Shared& p) {
    s.change = s.energy = 0;
    show(s, p);
  }
  static std::uint32_t changes(const Params&, std::uint32_t variable) {
    return variable == 1 || variable == 2;
  }  // u and u2

  static double weight(double G, double G2, const Params& p) { return p.w_max * (G - G2) / p.G_max; }
  static double first(const State& s, const Shared& p) {
    return static_cast<double>(s.g) * p.device.parallel(s.u);
  }
  static double second(const State& s, const Shared& p) {
    return static_cast<double>(s.g2) * p.device.parallel(s.u2);
  }
  static void show(State& s, const Shared& p) { s.weight = weight(first(s, p), second(s, p), p.p); }

  /// Two reads of synapse `i`, of devices with these conductances.
  struct Reads {
    double G, G2;
  };
  static Reads read_out(Synapses<RewardSpinValve> n, std::uint32_t i, std::uint32_t use, Reads of) {
    const device::Reader& reader = n.shared().reader;
    const Words w = reader.noisy() ? n.s.draw(i, use) : Words{};
    const auto z = [&](std::uint32_t k) { return reader.noisy() ? device::normal(w[k], w[k + 1]) : 0; };
    of.G = reader(of.G, z(0), n[i].energy);
    of.G2 = reader(of.G2, z(2), n[i].energy);
    return of;
  }

  static void on_pre(Synapses<RewardSpinValve> n, double* out) {
    const Shared& p = n.shared();
    const bool plain = !p.reader.noisy() && !p.reader.counts;
    n.slice_state().eligibility = n.s.payload;
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      double w = n[i].weight;
      if (!plain) {
        const Reads found = read_out(n, i, 0, {first(n[i], p), second(n[i], p)});
        w = weight(found.G, found.G2, p.p);
      }
      out[i] = w;
    }
  }
  /// The boost [uS] that the field gives the device of parallel conductance `G`, as it is read.
  static double boost(Synapses<RewardSpinValve> n, std::uint32_t i, double G) {
    const Shared& p = n.shared();
    const double MG = p.device.MG(G);
    const Reads found = read_out(n, i, 3, {G * (1 + MG), G});
    return p.reader.noisy() ? found.G - found.G2 : G * MG;
  }
  static void write(Synapses<RewardSpinValve> n, std::uint32_t i) {
    const Shared& p = n.shared();
    const valve::Device& d = p.device;
    State& s = n[i];
    const bool up = s.change > 0;
    double of_change = static_cast<double>(up ? s.k_plus : s.k_minus), k = static_cast<double>(s.k),
           k2 = static_cast<double>(s.k2);
    if (const double sigma = p.p.cycle_noise; sigma > 0) {
      const Words a = n.s.draw(i, 1), b = n.s.draw(i, 2);
      of_change *= device::factor(sigma, device::normal(a[0], a[1]));
      k *= device::factor(sigma, device::normal(b[0], b[1]));
      k2 *= device::factor(sigma, device::normal(b[2], b[3]));
    }
    const auto apply = [&](double& u, double g, const valve::Device::Pulse& pulse, bool antiparallel) {
      if (p.reader.counts) p.reader.pulse(pulse.V, g * d.charge(u, pulse, antiparallel), s.energy);
      u = d.after(u, pulse);
    };
    double held = 0;
    apply(held, 1, d.pulse(p.p.V_up, p.change_width * math::abs(s.change), of_change), false);
    s.change = 0;
    const double width = p.write_width * boost(n, i, d.parallel(held));
    if (!(width > 0)) return;
    apply(s.u, static_cast<double>(s.g), d.pulse(up ? p.p.V_up : p.p.V_down, width, k), true);
    apply(s.u2, static_cast<double>(s.g2), d.pulse(up ? p.p.V_down : p.p.V_up, width, k2), true);
    show(s, p);
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
