// Leaky integrate-and-fire neurons whose constant current follows a waveform: the kernel behind `lif_exp` and
// `lif_delta` where a schedule drives `I_dc`.  Each neuron is brought up to date at each of its events, in
// closed form.  With x = V - E_L, R = tau / C and a current v + s t + sum A sin(phi(t)) from outside, x is
// the sum of
//     what is left of the past      decays with tau
//     the response to v + s t       R v (1 - e) + R s (t - tau (1 - e)), e = exp(-t / tau)
//     that to a sine                R A / (1 + (w tau)^2) (sin phi - w tau cos phi), and what keeps x
//                                   continuous
//     those to synaptic currents    i (exp(-t / tau_s) - e) / (1 / tau - 1 / tau_s) / C
// A crossing is met by steps that cannot pass it: until then x'' has an upper bound c, so that x + x' h + c
// h^2 / 2 must reach the threshold first.  They shrink quadratically, as in Newton's method.
#pragma once
#include <algorithm>
#include <cmath>

#include "spinet/math.hpp"
#include "spinet/neuron.hpp"

namespace spinet::lif {

// What a spike does to V, of `lif_exp` and `lif_delta`.  The `left` of a neuron's constants is by how much V
// lay above the threshold at its last spike [mV], which a soft reset leaves; -1 where the reset is hard.
inline constexpr const char* resets = "hard soft";
inline constexpr const char* reset_doc =
    "what a spike does: hard takes V to v_reset, soft takes v_th - v_reset from V, so that what lay above "
    "the threshold is left";
template <class Params>
bool is_soft(const Params& p) {
  return p.reset != 0;
}
template <class Constants>
double after_spike(const Constants& c) {
  return c.v_reset + std::max(c.left, 0.0);
}
/// At a spike that finds V `above` [mV] the threshold.
template <class Constants>
void keep(Constants& c, double above) {
  if (c.left >= 0) c.left = std::max(above, 0.0);
}

/// `Self`: the model that is derived from it; `Shape`: the one that it is another kernel of, with `Params`,
/// `params()`, `ports`, `check` and `tau_of_port(params, p)`, which is 0 where what arrives changes V at
/// once.
template <class Self, class Shape, int Ports>
struct FollowingNeuron {
  using Params = typename Shape::Params;
  static constexpr const char* name = Shape::name;
  static constexpr const char* doc = Shape::doc;
  static constexpr const char* followed = "I_dc";
  static constexpr const Port (&ports)[Ports] = Shape::ports;
  static constexpr double longest = 1e300;  ///< ms; time constants beyond act alike
  struct State {
    double x;        ///< V - E_L [mV] at `at`
    double i[2];     ///< currents of the ports [pA]
    double outside;  ///< the current that follows the waveform there [pA]
    double waves;    ///< response to its sines, without what is left of the past [mV]
    Tick at;
    Tick pending;          ///< the test that counts
    std::int64_t resting;  ///< 1 in the refractory period: x stays, currents go on
  };
  struct Constants {
    double tau, rate, R, capacitance, th, v_reset, e_l;  ///< ms, 1/ms, GOhm, pF, mV over E_L, the same, mV
    double left;                                         ///< see `resets`
    double tau_s[2];                                     ///< ms; 0: jumps
    Tick t_ref;
    Followed current;
    struct Wave {
      double gain, wt;  ///< response gain (sin - wt cos)
    } wave[Followed::most_sines];
    double swing;  ///< amplitude of all responses together [mV]
    double bend;   ///< bound of their second derivative [mV/ms^2]
  };
  using Block = Neurons<Self>;

  static auto params() { return Shape::params(); }
  static auto variables() {
    FieldTable<State> t;
    t.computed("V", "mV", -70, any(), initial | recorded, "membrane potential");
    if constexpr (Ports == 2) t.computed("I_syn", "pA", 0, any(), recorded, "synaptic current, both ports");
    return t;
  }
  static const char* check(const Params& p) { return Shape::check(p); }

  // --- closed form ---

  static double line(const Constants& c, Tick tick) {
    return c.current.value + c.current.slope * static_cast<double>(tick - c.current.from);
  }
  /// What the current is at the state's tick, and its sines do by themselves.
  static void drive(const Constants& c, State& s) {
    s.outside = line(c, s.at);
    s.waves = 0;
    for (std::uint32_t k = 0; k < c.current.sine_count; ++k) {
      const auto [sin, cos] = math::sin_cos(c.current.sines[k].at(s.at));
      s.outside += c.current.sines[k].amplitude * sin;
      s.waves += c.wave[k].gain * (sin - c.wave[k].wt * cos);
    }
  }
  /// Puts a course of the current in place, from the state's tick on.
  static void take(Block n, std::uint32_t j, const Followed& f) {
    Constants& c = n.constants(j);
    c.current = f;
    c.swing = c.bend = 0;
    for (std::uint32_t k = 0; k < f.sine_count; ++k) {
      const double w = 0x1.921fb54442d18p2 * f.sines[k].per_tick * n.b.run.ticks_per_ms, wt = w * c.tau;
      // R / (1 + (w tau)^2), and no overflow where tau is long.
      const double gain = wt < 1 ? c.R / (1 + wt * wt) : 1 / (c.capacitance * w) / (1 / wt + wt);
      const double size = gain * (wt < 1 ? math::sqrt(1 + wt * wt) : wt * math::sqrt(1 + 1 / (wt * wt)));
      c.wave[k] = {f.sines[k].amplitude * gain, wt};
      c.swing += math::abs(f.sines[k].amplitude) * size;
      c.bend += math::abs(f.sines[k].amplitude) * size * w * w;
    }
    drive(c, n.state(j));
  }
  /// Response to exp(-h / tau_s), for each pA and over C [ms].
  static double response(const Constants& c, double tau_s, double h, double e, double e_s) {
    const double delta = c.rate - 1 / tau_s, x = delta * h;
    if (math::abs(x) < 1e-9) return h * (e + e_s) / 2;
    return x > 0 ? -e_s * math::expm1(-x) / delta : e * math::expm1(x) / delta;
  }
  /// tau (1 - exp(-h / tau)) and h minus that.
  static double risen(const Constants& c, double h) {
    return h * c.rate < 0x1p-54 ? h : -c.tau * math::expm1(-h * c.rate);
  }
  static double bent(const Constants& c, double h) {
    const double t = h * c.rate;
    return t < 1e-3 ? h * t * (1.0 / 2 - t * (1.0 / 6 - t * (1.0 / 24 - t / 120))) : h - risen(c, h);
  }

  static State at(Block n, std::uint32_t j, Tick tick) {
    State s = n.state(j);
    if (tick == s.at) return s;
    const Constants& c = n.constants(j);
    const double h = static_cast<double>(tick - s.at) / n.b.run.ticks_per_ms, e = math::exp(-h * c.rate);
    double x = (s.x - s.waves) * e + line(c, s.at) * risen(c, h) / c.capacitance;
    if (c.current.slope != 0) x += c.current.slope * n.b.run.ticks_per_ms * c.R * bent(c, h);
    for (int p = 0; p < Ports; ++p) {
      if (c.tau_s[p] == 0 || s.i[p] == 0) continue;
      const double e_s = math::exp(-h / c.tau_s[p]);
      x += s.i[p] * response(c, c.tau_s[p], h, e, e_s) / c.capacitance;
      s.i[p] *= e_s;
      if (math::abs(s.i[p]) < 1e-290) s.i[p] = 0;
    }
    s.at = tick;
    drive(c, s);
    if (!s.resting) s.x = x + s.waves;
    return s;
  }

  /// ms that a neuron below its threshold stays there for sure; infinity if nothing that is there now can
  /// raise it so far.
  static double below_for(Block n, const Constants& c, const State& s) {
    const double ramp = c.current.slope * n.b.run.ticks_per_ms, level = c.R * (line(c, s.at) - ramp * c.tau);
    const double rest = s.x - level - s.waves;
    double slope = s.outside / c.capacitance - s.x * c.rate, raised = 0;
    double curve = std::max(rest, 0.0) * c.rate * c.rate + c.bend;
    for (int p = 0; p < Ports; ++p) {
      if (c.tau_s[p] == 0) continue;
      const double i = s.i[p] / c.capacitance, shorter = std::min(c.tau, c.tau_s[p]);
      slope += i;
      raised += std::max(i, 0.0) * shorter;
      curve += i > 0 ? i * shorter * c.rate * c.rate : -i * (c.rate + 1 / c.tau_s[p]);
    }
    const double far = level + c.swing + std::max(rest, 0.0) + raised;
    if (ramp <= 0 && far < c.th - 1e-9 * (math::abs(c.th) + math::abs(level) + c.swing + raised))
      return math::infinity;
    const double gap = c.th - s.x;
    curve *= 1 + 1e-9;
    if (curve <= 0) return slope > 0 ? gap / slope : math::infinity;
    const double root = math::sqrt(slope * slope + 2 * curve * gap);
    return slope >= 0 ? 2 * gap / (slope + root) : (root - slope) / curve;
  }

  // --- events ---

  static void derive(Block n, Constants& c, const Params& p) {
    c.tau = std::min(p.tau_m, longest);
    c.rate = 1 / c.tau;
    c.R = c.tau / p.C_m;
    c.capacitance = p.C_m;
    c.e_l = p.E_L;
    c.th = p.v_th - p.E_L;
    c.v_reset = p.v_reset - p.E_L;
    for (int k = 0; k < Ports; ++k) c.tau_s[k] = std::min(Shape::tau_of_port(p, k), longest);
    c.t_ref = static_cast<Tick>(std::llround(p.t_ref * n.b.run.ticks_per_ms));
  }
  static void init(Block n, std::uint32_t j, const Params& p, const double* initial) {
    Constants& c = n.constants(j);
    derive(n, c, p);
    c.left = is_soft(p) ? 0 : -1;
    n.state(j) = {initial[0] - p.E_L, {0, 0}, 0, 0, 0, never, 0};
    take(n, j, {0, p.I_dc, 0, 0, {}});
    look(n, j, 0, 0);
  }
  static void set(Block n, Tick tick, std::uint32_t j, const Params& p) {
    State& s = n.state(j) = at(n, j, tick);
    Constants& c = n.constants(j);
    const double V = s.x + c.e_l;
    derive(n, c, p);
    s.x = V - c.e_l;
    take(n, j, {tick, p.I_dc, 0, 0, {}});
    look(n, j, tick, tick);
  }
  static void follow(Block n, Tick tick, std::uint32_t j, const Followed& f) {
    n.state(j) = at(n, j, tick);
    take(n, j, f);
    look(n, j, tick, tick);
  }
  static void arrive(Block n, Tick tick, std::uint32_t port, std::uint32_t j, double w) {
    State& s = n.state(j) = at(n, j, tick);
    if (n.constants(j).tau_s[port] != 0) s.i[port] += w;
    else if (!s.resting) s.x += w;
    if (!(w <= 0)) look(n, j, tick, tick);
  }

  /// Asks for a test at the first tick >= `soonest` at which V may have reached the threshold without further
  /// arrivals; the search begins at tick `from`, before which it has not.
  static void look(Block n, std::uint32_t j, Tick from, Tick soonest) {
    const Constants& c = n.constants(j);
    State s = at(n, j, from);
    if (!(s.x - s.x == 0) || !(s.i[0] - s.i[0] == 0) || !(s.i[1] - s.i[1] == 0))
      return n.out().fail(from, j, "V or a current is not a number");
    if (s.resting) return;
    if (s.x >= c.th) return ask(n, j, soonest);
    for (int steps = 0; steps < 64; ++steps) {
      const double ticks = below_for(n, c, s) * n.b.run.ticks_per_ms;
      if (!(ticks < 0x1p61)) return;
      s = at(n, j, s.at + std::max<Tick>(1, static_cast<Tick>(ticks * (1 - 1e-9)) - 1));
      if (s.x >= c.th) break;
    }
    ask(n, j, std::max(s.at, soonest));  // which looks on if it is not there yet
  }
  /// Unless a test no later is asked for already: that one looks again.
  static void ask(Block n, std::uint32_t j, Tick tick) {
    Tick& pending = n.state(j).pending;
    if (pending <= tick) return;
    pending = tick;
    n.out().test_at(tick, j);
  }
  static bool out_of_date(Block n, Tick tick, std::uint32_t j) { return n.state(j).pending != tick; }
  static void test(Block n, Tick tick, std::span<const std::uint32_t> js) {
    for (const auto j : js) {
      if (n.state(j).pending != tick) continue;
      n.state(j).pending = never;
      const State now = at(n, j, tick);
      if (now.resting) continue;
      Constants& c = n.constants(j);
      if (!(now.x >= c.th)) {
        look(n, j, tick, tick);
        continue;
      }
      State& s = n.state(j) = now;
      n.out().emit(tick, j);
      keep(c, s.x - c.th);
      s.x = after_spike(c);
      if (c.t_ref > 0) {
        s.resting = 1;
        n.out().wake_at(tick + c.t_ref, j);
      } else {
        look(n, j, tick, tick + 1);
      }
    }
  }
  static void wake(Block n, Tick tick, std::span<const std::uint32_t> js) {
    for (const auto j : js) {
      State& s = n.state(j) = at(n, j, tick);
      s.resting = 0;
      s.x = after_spike(n.constants(j));
      look(n, j, tick, tick);
    }
  }
  static double read(Block n, Tick tick, std::uint32_t j, std::uint32_t variable) {
    const State s = at(n, j, tick);
    return variable == 0 ? s.x + n.constants(j).e_l : s.i[0] + s.i[1];
  }
};

}  // namespace spinet::lif
