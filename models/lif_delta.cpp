// lif_delta: leaky integrate-and-fire with delta synapses, exact in exponential frames.
//
// Between events V - V_inf decays with tau_m.  The state is a = (V - V_inf) exp(t/tau_m), t from the frame's begin:
// constant without arrivals, and an arrival of weight w adds w exp(t/tau_m), one number for a whole slice.
// V can only cross upwards at an arrival, unless V_inf lies at or above the threshold: then the crossing is in closed form.
#include <algorithm>
#include <cmath>
#include <limits>

#include "spinet/frame.hpp"
#include "spinet/neuron.hpp"

namespace {
using namespace spinet;

struct LifDeltaPerNeuron;

struct LifDelta {
  static constexpr const char* name = "lif_delta";
  static constexpr const char* doc =
      "Leaky integrate-and-fire neuron with delta synapses: a spike of weight w moves V by w at once. Exact.";
  static constexpr bool wide = true;
  struct Params {
    double tau_m = 10, C_m = 250, E_L = -70, v_th = -55, v_reset = -70, t_ref = 2, I_dc = 0;
  };
  struct State {
    double a;  ///< (V - V_inf) exp(t / tau_m) [mV]; -infinity while refractory
  };
  struct Constants {
    double guard;  ///< v_th - V_inf [mV], or -infinity where that is not positive: every arrival is looked at
    double v_inf, v_th, v_reset, resistance, e_l;  // mV, mV, mV, GOhm, mV
    Tick t_ref;
    Tick pending;  ///< the test that counts; others are out of date
  };
  struct Common {
    double guard;  ///< the least of the block: one number to compare with; a neuron's own only matters above it
    bool known;
  };
  struct Shared {
    FrameTable<1> up;  ///< exp(t / tau_m)
    double decay;      ///< exp(-frame / tau_m)
    double tau;        ///< ticks
  };
  static constexpr Port ports[] = {{"in", "mV", "jump of the membrane potential", 0, 1}};

  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::tau_m, "tau_m", "ms", 10, above(0), shared, "membrane time constant")
        .add(&Params::C_m, "C_m", "pF", 250, above(0), plain, "membrane capacitance; R = tau_m / C_m")
        .add(&Params::E_L, "E_L", "mV", -70, any(), plain, "resting potential")
        .add(&Params::v_th, "v_th", "mV", -55, any(), plain, "threshold")
        .add(&Params::v_reset, "v_reset", "mV", -70, any(), plain, "potential after a spike; below v_th")
        .add(&Params::t_ref, "t_ref", "ms", 2, at_least(0), plain, "absolute refractory period; arrivals in it are lost")
        .add(&Params::I_dc, "I_dc", "pA", 0, any(), scheduled, "constant input current");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.computed("V", "mV", -70, any(), initial | recorded, "membrane potential");
    return t;
  }
  using PerNeuron = LifDeltaPerNeuron;
  static const char* check(const Params& p) {
    return p.v_reset < p.v_th ? nullptr : "v_reset must be below v_th, or the neuron would fire without end";
  }

  static Tick frame(const Params& p, const RunInfo& r) { return frame_ticks(8 * p.tau_m, r.ticks_per_ms); }
  static void prepare(Shared& s, const Params& p, const RunInfo& r, Tick length) {
    s.tau = p.tau_m * r.ticks_per_ms;
    s.up.prepare({1 / s.tau}, length);
    s.decay = math::exp(-static_cast<double>(length) / s.tau);
  }

  using Block = Neurons<LifDelta>;
  static constexpr double minus_infinity = -std::numeric_limits<double>::infinity();

  static double up(Block n, Tick tick) { return n.shared().up.at(tick - n.b.frame_begin).f[0]; }
  static double threshold(const Constants& c) { return c.v_th - c.v_inf; }
  static void derive(Block n, Constants& c, const Params& p) {
    c.resistance = p.tau_m / p.C_m;
    c.e_l = p.E_L;
    c.v_inf = p.E_L + c.resistance * p.I_dc;
    c.v_th = p.v_th;
    c.v_reset = p.v_reset;
    c.guard = threshold(c) > 0 ? threshold(c) : minus_infinity;
    Common& block = n.common();
    block.guard = block.known ? std::min(block.guard, c.guard) : c.guard;
    block.known = true;
  }

  static void init(Block n, std::uint32_t j, const Params& p, const double* initial) {
    Constants& c = n.constants(j);
    derive(n, c, p);
    c.t_ref = static_cast<Tick>(std::llround(p.t_ref * n.b.run.ticks_per_ms));
    c.pending = never;
    n.state(j).a = initial[0] - c.v_inf;
  }

  static void set(Block n, Tick tick, std::uint32_t j, const Params& p) {
    State& s = n.state(j);
    Constants& c = n.constants(j);
    const double before = c.v_inf;
    derive(n, c, p);
    s.a += (before - c.v_inf) * up(n, tick);  // V itself is continuous
    look(n, j, tick);
  }

  /// Asks for a test at the first tick >= `tick` where V may have reached the threshold without further arrivals.
  static void look(Block n, std::uint32_t j, Tick tick) {
    const State& s = n.state(j);
    const double th = threshold(n.constants(j)), u = s.a / up(n, tick);
    if (u >= th) return ask(n, j, tick);
    if (!(th < 0) || s.a == minus_infinity) return;  // V_inf below the threshold, or reached only after infinite time
    const double wait = n.shared().tau * math::log(u / th);
    // One tick early: the test that finds V still below looks again, so rounding here moves no spike.
    if (wait < 0x1p62) ask(n, j, tick + std::max<Tick>(1, static_cast<Tick>(wait) - 1));
  }
  /// Unless a test no later is asked for already: that one looks again.
  template <class N>
  static void ask(N n, std::uint32_t j, Tick tick) {
    Tick& pending = n.constants(j).pending;
    if (pending <= tick) return;
    pending = tick;
    n.out().test_at(tick, j);
  }

  static void receive(Block n, const Arrivals in) {
    const double e = up(n, in.tick);
    const Arrivals scaled{in.tick, in.count, in.port, in.targets, in.weights, in.weights64, in.weight, in.scale * e};
    State* const state = static_cast<State*>(n.b.state);
    if (!in.weights && !in.weights64 && in.weight * in.scale <= 0) {  // lowers V: it cannot cross now
      const double w = in.weight * in.scale * e;
      for (std::uint32_t i = 0; i < in.count; ++i) state[in.targets[i]].a += w;
      return;
    }
    const double least = n.common().guard * e;
    scaled.each([&](std::uint16_t j, double w) __attribute__((always_inline)) {
      const double a = state[j].a += w;
      if (a >= least && a >= n.constants(j).guard * e) [[unlikely]] look(n, j, in.tick);
    });
  }

  static std::uint32_t receive_train(Block n, const Train in) {
    const auto& table = n.shared().up;
    const double base = table.at(in.base - n.b.frame_begin).f[0];
    State* const state = static_cast<State*>(n.b.state);
    const std::uint32_t* key = in.keys;
    const double least = n.common().guard;
    const auto run = [&](auto weight_of) __attribute__((always_inline)) {
      for (; *key < in.limit; ++key) {
        const std::uint32_t offset = *key >> 16;
        const std::uint16_t j = static_cast<std::uint16_t>(*key);
        const double e = base * table.low16(offset).f[0];
        const double a = state[j].a += weight_of(j) * e;
        if (a >= least * e && a >= n.constants(j).guard * e) [[unlikely]] {
          look(n, j, in.base + offset);
          if (n.out().size) return ++key, void();
        }
      }
    };
    if (in.weight_of) run([w = in.weight_of](std::uint16_t j) { return w[j]; });
    else run([w = in.weight](std::uint16_t) { return w; });
    return static_cast<std::uint32_t>(key - in.keys);
  }

  static bool out_of_date(Block n, Tick tick, std::uint32_t j) { return n.constants(j).pending != tick; }
  static void test(Block n, Tick tick, std::span<const std::uint32_t> js) {
    for (const auto j : js) {
      State& s = n.state(j);
      Constants& c = n.constants(j);
      if (c.pending != tick) continue;
      c.pending = never;
      if (s.a == minus_infinity) continue;
      const double e = up(n, tick);
      if (!(s.a >= threshold(c) * e)) {
        if (threshold(c) < 0) look(n, j, tick);
        continue;
      }
      n.out().emit(tick, j);
      if (c.t_ref > 0) {
        s.a = minus_infinity;
        n.out().wake_at(tick + c.t_ref, j);
      } else {
        s.a = (c.v_reset - c.v_inf) * e;
        if (threshold(c) < 0) look(n, j, tick);
      }
    }
  }

  static void wake(Block n, Tick tick, std::span<const std::uint32_t> js) {
    for (const auto j : js) {
      n.state(j).a = (n.constants(j).v_reset - n.constants(j).v_inf) * up(n, tick);
      look(n, j, tick);
    }
  }

  static std::uint32_t renormalise(Block n, std::uint64_t frames) {
    const double decay = n.shared().decay;
    for (std::uint32_t j = 0; j < n.size(); ++j) {
      double& a = n.state(j).a;
      for (std::uint64_t k = 0; k < frames && a != 0 && a != minus_infinity; ++k) {
        a *= decay;
        if (a < 1e-290 && a > -1e-290) a = 0;  // denormal arithmetic is slow, and means nothing here
      }
    }
    if (frames == 0)  // the begin of the run: initial values at or above the threshold, drive above it
      for (std::uint32_t j = 0; j < n.size(); ++j) look(n, j, n.b.frame_begin);
    return 1;  // crossings to come without arrivals have been asked for, whichever frame they lie in
  }

  static double read(Block n, Tick tick, std::uint32_t j, std::uint32_t) {
    const double a = n.state(j).a;
    return a == minus_infinity ? n.constants(j).v_reset : n.constants(j).v_inf + a / up(n, tick);
  }
};

/// The same neuron with a time constant of its own: brought up to date at each of its events, with an exp.
struct LifDeltaPerNeuron {
  using Shape = LifDelta;
  using Params = Shape::Params;
  static constexpr const char* name = Shape::name;
  static constexpr const char* doc = Shape::doc;
  static constexpr const Port (&ports)[1] = Shape::ports;
  static auto params() { return Shape::params(); }
  static auto variables() {
    FieldTable<State> t;
    t.computed("V", "mV", -70, any(), initial | recorded, "membrane potential");
    return t;
  }
  static const char* check(const Params& p) { return Shape::check(p); }
  struct State {
    double u;  ///< V - V_inf [mV] at `at`; -infinity while refractory
    Tick at;
  };
  struct Constants {
    double v_inf, v_th, v_reset, tau;  // mV, mV, mV, ticks
    Tick t_ref, pending;  // as in LifDelta
  };
  using Block = Neurons<LifDeltaPerNeuron>;
  static double at(Block n, std::uint32_t j, Tick tick) {
    const State& s = n.state(j);
    return tick == s.at ? s.u : s.u * math::exp(-static_cast<double>(tick - s.at) / n.constants(j).tau);
  }
  static void init(Block n, std::uint32_t j, const Params& p, const double* initial) {
    Constants& c = n.constants(j);
    c = {p.E_L + p.tau_m / p.C_m * p.I_dc, p.v_th, p.v_reset, p.tau_m * n.b.run.ticks_per_ms,
         static_cast<Tick>(std::llround(p.t_ref * n.b.run.ticks_per_ms)), never};
    n.state(j) = {initial[0] - c.v_inf, 0};
    look(n, j);
  }
  static void set(Block n, Tick tick, std::uint32_t j, const Params& p) {
    Constants& c = n.constants(j);
    const double u = at(n, j, tick), before = c.v_inf;
    c.v_inf = p.E_L + p.tau_m / p.C_m * p.I_dc;
    n.state(j) = {u + (before - c.v_inf), tick};
    look(n, j);
  }
  static void look(Block n, std::uint32_t j) {
    const State& s = n.state(j);
    const double th = n.constants(j).v_th - n.constants(j).v_inf;
    if (s.u >= th) return LifDelta::ask(n, j, s.at);
    if (!(th < 0) || s.u == LifDelta::minus_infinity) return;
    const double wait = n.constants(j).tau * math::log(s.u / th);  // one tick early, as in LifDelta::look
    if (wait < 0x1p62) LifDelta::ask(n, j, s.at + std::max<Tick>(1, static_cast<Tick>(wait) - 1));
  }
  static void arrive(Block n, Tick tick, std::uint32_t, std::uint32_t j, double w) {
    n.state(j) = {at(n, j, tick) + w, tick};
    look(n, j);
  }
  static void test(Block n, Tick tick, std::span<const std::uint32_t> js) {
    for (const auto j : js) {
      if (n.constants(j).pending != tick) continue;
      n.constants(j).pending = never;
      State& s = n.state(j) = {at(n, j, tick), tick};
      const Constants& c = n.constants(j);
      if (s.u == LifDelta::minus_infinity) continue;
      if (s.u >= c.v_th - c.v_inf) {
        n.out().emit(tick, j);
        s.u = c.t_ref > 0 ? LifDelta::minus_infinity : c.v_reset - c.v_inf;
        if (c.t_ref > 0) n.out().wake_at(tick + c.t_ref, j);
      }
      look(n, j);
    }
  }
  static void wake(Block n, Tick tick, std::span<const std::uint32_t> js) {
    for (const auto j : js) {
      n.state(j) = {n.constants(j).v_reset - n.constants(j).v_inf, tick};
      look(n, j);
    }
  }
  static double read(Block n, Tick tick, std::uint32_t j, std::uint32_t) {
    const double u = at(n, j, tick);
    return u == LifDelta::minus_infinity ? n.constants(j).v_reset : n.constants(j).v_inf + u;
  }
};
}  // namespace

SPINET_MODEL(spinet::neuron_table<LifDelta>())
