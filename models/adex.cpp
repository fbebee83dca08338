// adex: adaptive exponential integrate-and-fire (R. Brette and W. Gerstner, "Adaptive exponential integrate-and-fire
// model as an effective description of neuronal activity", 2005) with exponential synaptic currents.
//
//   C dV/dt = -g_L (V - E_L) + g_L D_T exp((V - v_th) / D_T) - w + I,   tau_w dw/dt = a (V - E_L) - w
//   at V >= v_peak: V := v_reset, w := w + b
//
// A neuron stays at the tick of its last event until something happens to it.  Then it is brought there by adaptive
// steps, takes the event, and looks ahead to the end of the frame.  Mostly a bound says that it cannot reach v_peak by
// then; else it is integrated on a copy, and a crossing becomes a test.  A later arrival just looks ahead anew.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>

#include "spinet/math.hpp"
#include "spinet/neuron.hpp"

namespace {

using namespace spinet;

struct Params {
  double C_m, g_L, E_L, v_th, Delta_T, a, b, tau_w, v_peak, v_reset, t_ref, tau_syn_exc, tau_syn_inh, I_dc, tolerance;
};

struct State {
  double V, w;              ///< mV, pA, at tick `last`
  double I[2];              ///< pA, synaptic currents by port, at tick `last`
  Tick last;
  Tick free;                ///< end of the refractory period: before it V is v_reset
  Tick crossing;            ///< tick at which V reaches v_peak if nothing else happens in this frame, or `never`
  double w_crossing;        ///< w at that tick
  double step;              ///< ms, length of the integrator's next step
};

struct Constants {
  Params p;
  double u_peak;            ///< exp(-(v_peak - v_th) / Delta_T)
  double ms_per_tick;
  Tick t_ref;
};

/// The pair that is integrated.  Up to v_th y is V.  Above, V runs away to infinity within microseconds, while
/// u = exp(-(V - v_th) / Delta_T) falls to 0 almost in a straight line: there y is u.
struct Point {
  double y, w;
};

/// Integrates one neuron between events by the pair of 5th and 4th order of J. R. Dormand and P. J. Prince, "A family
/// of embedded Runge-Kutta formulae" (1980); synaptic currents are exact at every stage.
class Integrator {
 public:
  Integrator(const Constants& c, const State& s) : c_(c), p_(c.p), w_(s.w), step_(s.step), I_{s.I[0], s.I[1]} {
    set_form(s.V);
  }

  /// Goes on for `duration` ms, or until V reaches v_peak: returns whether it does, and `elapsed` tells when.  `failed` where no
  /// step is short enough, or too many would be needed.
  bool run(double duration) {
    double h = step_ > 0 ? step_ : first_step;
    slope_ = slope({y_, w_}, I_[0] + I_[1] + p_.I_dc);
    const auto most_trials = 50'000 + static_cast<std::uint64_t>(2'000 * std::min(duration, 1e6));
    std::uint64_t trials = 0;
    for (elapsed_ = 0; elapsed_ < duration;) {
      const bool last = h >= duration - elapsed_;
      const double taken = last ? duration - elapsed_ : h;
      const Trial next = trial(taken);
      if (++trials >= most_trials) return fail();
      if (next.error != next.error || (next.error > 1 && taken > least_step)) {
        if (taken < no_step) return fail();
        h = taken * (next.error > 1 ? factor(next.error) : 0.2);
        continue;
      }
      const Crossing cross = crossing(next, taken);
      if (cross.kind == Crossing::unclear) {
        h = taken / 2;
        continue;
      }
      if (cross.kind == Crossing::found) {
        w_ = trial(cross.at).end.w;
        y_ = distance_zero();
        elapsed_ += cross.at;
        return true;
      }
      y_ = next.end.y;
      w_ = next.end.w;
      slope_ = next.slope;
      for (int port = 0; port < 2; ++port) I_[port] *= next.decay[port];
      elapsed_ = last ? duration : elapsed_ + taken;
      if (!last || next.error > 0.5) h = taken * factor(next.error);  // an easy last step says nothing of the next
      step_ = h = std::max(h, least_step);
      if ((V() > p_.v_th) != upswing_) {
        set_form(V());
        slope_ = slope({y_, w_}, I_[0] + I_[1] + p_.I_dc);
      }
    }
    return false;
  }

  double elapsed() const { return elapsed_; }
  bool failed() const { return failed_; }
  double V() const { return failed_ ? math::nan : upswing_ ? p_.v_th - p_.Delta_T * math::log(y_) : y_; }
  double w() const { return w_; }
  double step() const { return step_; }

 private:
  static constexpr double first_step = 0.05, least_step = 1e-9, no_step = 1e-18;  // ms
  /// Largest |V - v_th| / Delta_T that a step may leave its form's side by.
  static constexpr double far = 3;

  struct Crossing {
    enum Kind { none, found, unclear } kind;
    double at;  ///< ms from the step's begin
  };
  struct Trial {
    Point end, slope;  ///< at the end of the step
    double error;      ///< in units of the tolerance; NaN if a stage went too far
    double decay[2];   ///< of the currents over the step
  };

  bool fail() {
    failed_ = true;
    return false;
  }
  void set_form(double V) {
    upswing_ = V > p_.v_th;
    y_ = upswing_ ? math::exp((p_.v_th - V) / p_.Delta_T) : V;
  }
  /// What the next step's length is that of a step with this error times.
  static double factor(double error) {
    return error > 0 ? std::clamp(0.9 * math::pow(error, -0.2), 0.2, 5.0) : 5.0;
  }

  Point slope(Point at, double current) const {
    if (!upswing_) {
      const double x = (at.y - p_.v_th) / p_.Delta_T;
      if (x > far) return {math::nan, math::nan};
      const double pull = p_.E_L - at.y;
      return {(p_.g_L * (pull + p_.Delta_T * math::exp(x)) - at.w + current) / p_.C_m,
              (-p_.a * pull - at.w) / p_.tau_w};
    }
    if (at.y > 20) return {math::nan, math::nan};  // exp(far)
    // Past v_peak, where only a step that will be shortened goes, V stays there.
    const double V = p_.v_th - p_.Delta_T * math::log(std::max({at.y, c_.u_peak, 1e-300}));
    const double pull = p_.E_L - V;
    return {-(p_.g_L + at.y / p_.Delta_T * (p_.g_L * pull - at.w + current)) / p_.C_m,
            (-p_.a * pull - at.w) / p_.tau_w};
  }

  Trial trial(double h) const {
    constexpr double coefficient[7][6] = {
        {},
        {1. / 5},
        {3. / 40, 9. / 40},
        {44. / 45, -56. / 15, 32. / 9},
        {19372. / 6561, -25360. / 2187, 64448. / 6561, -212. / 729},
        {9017. / 3168, -355. / 33, 46732. / 5247, 49. / 176, -5103. / 18656},
        {35. / 384, 0, 500. / 1113, 125. / 192, -2187. / 6784, 11. / 84}};
    // Fifth order less fourth.
    constexpr double difference[7] = {71. / 57600,      0,           -71. / 16695, 71. / 1920,
                                      -17253. / 339200, 22. / 525, -1. / 40};
    // Total current at the nodes, 0, 18/90, 27/90, 72/90, 80/90, 1, 1 of the step.
    double current[7] = {0, p_.I_dc, p_.I_dc, p_.I_dc, p_.I_dc, p_.I_dc, 0};
    Trial next;
    for (int port = 0; port < 2; ++port) {
      next.decay[port] = 1;
      if (I_[port] == 0) continue;
      const double tau = port == 0 ? p_.tau_syn_exc : p_.tau_syn_inh;
      const double e8 = math::exp(-h * (8. / 90) / tau), e9 = math::exp(-h * (9. / 90) / tau);
      const double e18 = e9 * e9, e36 = e18 * e18, e72 = e36 * e36;
      const double at_node[6] = {1, e18, e18 * e9, e72, e72 * e8, e72 * e18};
      for (int i = 1; i < 6; ++i) current[i] += I_[port] * at_node[i];
      next.decay[port] = at_node[5];
    }
    current[6] = current[5];
    Point k[7] = {slope_}, at{};
#pragma GCC unroll 6
    for (int i = 1; i < 7; ++i) {
      at = {0, 0};
#pragma GCC unroll 6
      for (int j = 0; j < i; ++j) {
        at.y += coefficient[i][j] * k[j].y;
        at.w += coefficient[i][j] * k[j].w;
      }
      at = {y_ + h * at.y, w_ + h * at.w};
      k[i] = slope(at, current[i]);
    }
    Point error{};
    for (int i = 0; i < 7; ++i) {
      error.y += difference[i] * k[i].y;
      error.w += difference[i] * k[i].w;
    }
    // An error of u moves the spike by C_m / g_L times as much.
    const double in_mV = h * std::max(math::abs(error.y) * (upswing_ ? p_.Delta_T : 1), math::abs(error.w) / p_.g_L);
    next.end = at;
    next.slope = k[6];
    next.error = in_mV / p_.tolerance;
    return next;
  }

  /// y at v_peak, and how far y is from it: positive below v_peak.
  double distance_zero() const { return upswing_ ? c_.u_peak : p_.v_peak; }
  double distance(double y) const { return upswing_ ? y - c_.u_peak : p_.v_peak - y; }

  /// Whether and when V reaches v_peak in this step; `unclear` if only a shorter one can tell.
  Crossing crossing(const Trial& next, double taken) const {
    const double d0 = distance(y_), d1 = distance(next.end.y), sign = upswing_ ? 1 : -1;
    if (!(d1 > 0)) {
      // Safeguarded Newton on the length of the step, each time with a step of its own.
      double low = 0, high = taken, h = d0 / (d0 - d1) * taken;
      for (int i = 0; i < 60 && high - low > 1e-4 * c_.ms_per_tick; ++i) {
        const Trial t = trial(h);
        const double d = distance(t.end.y), newton = h - d / (sign * t.slope.y);
        (d > 0 ? low : high) = h;
        if (math::abs(newton - h) < 1e-5 * c_.ms_per_tick) return {Crossing::found, newton};
        h = newton > low && newton < high ? newton : 0.5 * (low + high);
      }
      return {Crossing::found, high};
    }
    const double s0 = sign * slope_.y * taken, s1 = sign * next.slope.y * taken;
    if (!(s0 < 0 && s1 > 0)) return {Crossing::none, 0};
    // V has a maximum inside: that of the cubic through both ends tells whether v_peak is out of reach.
    const double b = -2 * s0 - s1 - 3 * (d0 - d1), a = s0 + s1 + 2 * (d0 - d1);  // d0 + s0 x + b x^2 + a x^3
    const double root = b * b - 3 * a * s0;
    const double x = root > 0 ? -s0 / (b + math::sqrt(root)) : 0.5;
    const double least = d0 + x * (s0 + x * (b + x * a));
    if (least > 1e-3 * (d0 + d1)) return {Crossing::none, 0};
    if (taken > c_.ms_per_tick) return {Crossing::unclear, 0};
    return {least <= 0 ? Crossing::found : Crossing::none, x * taken};
  }

  const Constants& c_;
  const Params& p_;
  double y_ = 0, w_;
  double step_, elapsed_ = 0;
  double I_[2];
  Point slope_{};
  bool upswing_ = false, failed_ = false;
};

struct AdEx {
  static constexpr const char* name = "adex";
  static constexpr const char* doc =
      "Adaptive exponential integrate-and-fire neuron (Brette and Gerstner 2005) with exponential synaptic currents.";
  using Params = ::Params;
  using State = ::State;
  using Constants = ::Constants;
  using Block = Neurons<AdEx>;
  static constexpr Port ports[] = {{"exc", "pA", "excitatory current", 1, 1},
                                   {"inh", "pA", "inhibitory current", -1, 1}};

  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::C_m, "C_m", "pF", 281, above(0), plain, "membrane capacitance")
        .add(&Params::g_L, "g_L", "nS", 30, above(0), plain, "leak conductance")
        .add(&Params::E_L, "E_L", "mV", -70.6, any(), plain, "leak reversal potential")
        .add(&Params::v_th, "v_th", "mV", -50.4, any(), plain, "where the exponential current sets in (V_T)")
        .add(&Params::Delta_T, "Delta_T", "mV", 2, above(0), plain, "slope factor of the exponential current")
        .add(&Params::a, "a", "nS", 4, any(), plain, "adaptation by the potential")
        .add(&Params::b, "b", "pA", 80.5, any(), plain, "adaptation by a spike: jump of w")
        .add(&Params::tau_w, "tau_w", "ms", 144, above(0), plain, "time constant of the adaptation current w")
        .add(&Params::v_peak, "v_peak", "mV", 0, any(), plain, "potential at which a spike is emitted")
        .add(&Params::v_reset, "v_reset", "mV", -60, any(), plain, "potential after a spike; below v_peak")
        .add(&Params::t_ref, "t_ref", "ms", 0, at_least(0), in_ticks, "refractory period: V is held, currents and w go on")
        .add(&Params::tau_syn_exc, "tau_syn_exc", "ms", 2, above(0), plain, "time constant of excitatory currents")
        .add(&Params::tau_syn_inh, "tau_syn_inh", "ms", 2, above(0), plain, "time constant of inhibitory currents")
        .add(&Params::I_dc, "I_dc", "pA", 0, any(), scheduled, "constant input current")
        .add(&Params::tolerance, "tolerance", "mV", 1e-9, between(1e-12, 1), plain,
             "largest estimated error of V, and of w / g_L, in one step of the integrator");
    return t;
  }
  static constexpr const char* beyond =
      "V or w changes too fast, or too far, to be integrated to the tolerance: weights, I_dc or a conductance are beyond what "
      "the model can follow";
  static constexpr const char* too_often = "fires more than once a tick: without a refractory period the drive is beyond what the model can follow";
  enum Variable : std::uint32_t { potential, adaptation, synaptic };
  static auto variables() {
    FieldTable<State> t;
    t.computed("V", "mV", -70.6, any(), initial | recorded, "membrane potential")
        .computed("w", "pA", 0, any(), initial | recorded, "adaptation current")
        .computed("I_syn", "pA", 0, any(), recorded, "synaptic current, both ports");
    return t;
  }
  static const char* check(const Params& p) {
    if (!(p.v_reset < p.v_peak)) return "v_reset must be below v_peak, or the neuron would fire without end";
    if (!((p.v_peak - p.v_th) / p.Delta_T < 600)) return "v_peak is more than 600 Delta_T above v_th: lower v_peak";
    return nullptr;
  }

  /// One to two milliseconds: as far as a look ahead is likely to stay true.
  static Tick frame(const Params&, const RunInfo& r) {
    return static_cast<Tick>(std::bit_ceil(std::max<std::uint64_t>(static_cast<std::uint64_t>(r.ticks_per_ms), 1)));
  }

  static void derive(Constants& c, const Params& p, const RunInfo& r) {
    c.p = p;
    c.u_peak = math::exp((p.v_th - p.v_peak) / p.Delta_T);
    c.ms_per_tick = 1 / r.ticks_per_ms;
    c.t_ref = math::floor_int(p.t_ref * r.ticks_per_ms + 0.5);
  }
  static void init(Block n, std::uint32_t j, const Params& p, const double* initial) {
    derive(n.constants(j), p, n.b.run);
    n.state(j) = {initial[0], initial[1], {0, 0}, 0, 0, never, 0, 0};
  }
  static void set(Block n, Tick tick, std::uint32_t j, const Params& p) {
    advance(n, j, tick);
    derive(n.constants(j), p, n.b.run);
    look(n, j);
  }

  static void arrive(Block n, Tick tick, std::uint32_t port, std::uint32_t j, double weight) {
    State& s = n.state(j);
    advance(n, j, tick);
    s.I[port] += weight;
    look(n, j);
  }

  static void wake(Block n, Tick tick, std::span<const std::uint32_t> js) {
    for (const std::uint32_t j : js) {
      advance(n, j, tick);
      look(n, j);
    }
  }

  /// Fires those whose crossing still stands.
  static void test(Block n, Tick tick, std::span<const std::uint32_t> js) {
    for (const std::uint32_t j : js) {
      State& s = n.state(j);
      const Constants& c = n.constants(j);
      if (s.crossing != tick) continue;
      advance(n, j, tick);
      s.V = c.p.v_reset;
      s.w += c.p.b;
      s.crossing = never;
      s.step = 0;
      n.out().emit(tick, j);
      if (c.t_ref > 0) {
        s.free = tick + c.t_ref;
        n.out().wake_at(s.free, j);
      } else {
        look(n, j);
        if (s.crossing == tick + 1) n.out().fail(tick, j, too_often);
      }
    }
  }

  static std::uint32_t renormalise(Block n, std::uint64_t) {
    const Tick begin = n.b.frame_begin, end = begin + n.b.frame_length;
    for (std::uint32_t j = 0; j < n.size(); ++j) {
      State& s = n.state(j);
      s.crossing = never;
      if (s.free > begin) continue;  // `wake` will look
      const Constants& c = n.constants(j);
      if (excludes(c, s, static_cast<double>(end - s.last) * c.ms_per_tick)) continue;
      advance(n, j, begin);
      look(n, j);
    }
    return 0;
  }

  static double read(Block n, Tick tick, std::uint32_t j, std::uint32_t variable) {
    State s = n.state(j);
    advance(n.constants(j), s, tick);
    return variable == potential ? s.V : variable == adaptation ? s.w : s.I[0] + s.I[1];
  }

 private:
  static void advance(Block n, std::uint32_t j, Tick tick) {
    State& s = n.state(j);
    advance(n.constants(j), s, tick);
    const double all = s.V + s.w + s.I[0] + s.I[1];
    if (!(all - all == 0)) n.out().fail(tick, j, beyond);
  }
  /// Brings the state to `tick`; no spike lies before it.  V is not a number where it could not be integrated.
  static void advance(const Constants& c, State& s, Tick tick) {
    if (s.last >= tick) return;
    State to = s;
    if (s.last < s.free) {  // refractory: V is held, w relaxes to where it holds w
      to.last = std::min(tick, s.free);
      const double rest = c.p.a * (s.V - c.p.E_L), t = static_cast<double>(to.last - s.last) * c.ms_per_tick;
      to.w = rest + (s.w - rest) * math::exp(-t / c.p.tau_w);
    } else {
      to.last = tick;
      if (tick >= s.crossing) {
        to.V = c.p.v_peak;
        to.w = s.w_crossing;
      } else {
        Integrator i(c, s);
        const double t = static_cast<double>(tick - s.last) * c.ms_per_tick;
        // A crossing within this last tick is one that the look ahead put at `tick` or just after.
        to.V = i.run(t) ? c.p.v_peak : i.V();
        to.w = i.w();
        to.step = i.step();
      }
    }
    const double t = static_cast<double>(to.last - s.last) * c.ms_per_tick;
    const double tau[2] = {c.p.tau_syn_exc, c.p.tau_syn_inh};
    for (int port = 0; port < 2; ++port)
      if (s.I[port] != 0) to.I[port] = s.I[port] * math::exp(-t / tau[port]);
    s = to;
    advance(c, s, tick);
  }

  /// Whether V stays below v_th and v_peak for `ms` from the state's tick, whatever its course, without arrivals.
  /// While V is in [V, top] its slope is at most that at an end of this interval, for the right side is convex in V.
  static bool excludes(const Constants& c, const State& s, double ms) {
    const Params& p = c.p;
    const double top = std::min(p.v_th, p.v_peak);
    if (!(s.V < top) || p.a < 0) return false;
    const double w_most = std::max(s.w, p.a * (top - p.E_L));
    const double I_least = p.I_dc + std::min(s.I[0], 0.0) + std::min(s.I[1], 0.0);
    const double V_least = std::min(s.V, p.E_L + (I_least - w_most) / p.g_L);
    const double w_least = s.w + std::min(p.a * (V_least - p.E_L) - s.w, 0.0) * std::min(ms / p.tau_w, 1.0);
    const double exp_most = p.Delta_T / (1 - (s.V - p.v_th) / p.Delta_T);  // exp(x) <= 1 / (1 - x) for x < 1
    const double pull = p.g_L * (p.E_L + std::max(exp_most - s.V, p.Delta_T - top));
    const double charge = std::max(pull - w_least + p.I_dc, 0.0) * ms +
                          std::max(s.I[0], 0.0) * std::min(ms, p.tau_syn_exc) +
                          std::max(s.I[1], 0.0) * std::min(ms, p.tau_syn_inh);
    return s.V + charge / p.C_m < top;
  }

  /// Finds the crossing in what is left of the frame, from the state's tick on, and asks for its test.
  static void look(Block n, std::uint32_t j) {
    State& s = n.state(j);
    const Constants& c = n.constants(j);
    s.crossing = never;
    if (s.last < s.free || s.V != s.V) return;
    if (s.V >= c.p.v_peak) {
      s.crossing = s.last;
      s.w_crossing = s.w;
    } else {
      const Tick end = n.b.frame_begin + n.b.frame_length;
      const double left = static_cast<double>(end - s.last) * c.ms_per_tick;
      if (excludes(c, s, left)) return;
      Integrator i(c, s);
      const bool crosses = i.run(left);
      if (i.failed()) return n.out().fail(s.last, j, beyond);
      if (!crosses) return;
      const Tick tick = s.last + std::max<Tick>(-math::floor_int(-i.elapsed() / c.ms_per_tick), 1);
      if (tick >= end) return;  // the next frame finds it
      s.crossing = tick;
      s.w_crossing = i.w();
    }
    n.out().test_at(s.crossing, j);
  }
};

}  // namespace

SPINET_MODEL(spinet::neuron_table<AdEx>())
