// Neurons whose model is a differential equation: the author writes its right side, threshold and reset, and
// if wanted a bound that spares looking ahead and lets blocks sleep.  Between events the solution is a Taylor
// series of the order that the interval needs (spinet/jet.hpp), in steps where the highest order does not
// reach so far; crossings are roots of its polynomials.  Order and step as in A. Jorba and M. Zou, "A
// software package for the numerical integration of ODEs by means of high-order Taylor methods" (2005): the
// last two terms stay under the tolerance.
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>

#include "spinet/jet.hpp"
#include "spinet/threshold.hpp"

namespace spinet {

namespace ode {
template <class M>
struct Solver;
template <class M>
struct Together;
/// Of the parameter that every such model has.
inline constexpr const char* tolerance_doc =
    "largest estimated error of V in one step: spikes are right to about 1 ns at 1e-9, to 1 us at 1e-6 in "
    "0.75 of the time";
}  // namespace ode

/// `struct MyNeuron : Ode<MyNeuron, N, P>` with `SPINET_MODEL(neuron_table<MyNeuron>())` is a whole neuron
/// model: N variables y, of which y[0] fires, and inputs x of P ports, each of which an arrival raises by its
/// weight and which decays with a time constant of its own.  The model has `name`, `doc`, `Params`, `ports`,
/// `params()`, `variables()` (the first N of those flagged `initial` are y, the others x), `beyond` (why a
/// run ends where the solution cannot be followed), and
///   Constants(p, run)           from parameters p: a struct derived from `Timing`, with the parameters as
///   `p`, among
///                               them `tolerance`
///   tau(c, port)                time constant in ms of the port's input
///   slope(c, y, x, dy)          dy[i] := dy[i]/dt per ms; a template on the type of y, x and dy, whose `+ -
///   * / exp log`
///                               it uses
///   threshold(c)                the neuron fires where y[0] comes to it from below
///   reset(c, s)                 what a spike does to s.y
/// and may have
///   quiet(c, s, ms)             see `Threshold`
///   take(c, s, port, weight)    what an arrival does, if not s.x[port] += weight
///   value(c, s, variable)       what `variables()` lists, if not y and then x
///   size(c, i)                  how many units of the tolerance an error 1 of y[i] is worth; 1 unless said
///   alone                       says that the model is long: four neurons at a time would double the code
///   Steep                       another form for where y[0] runs away to infinity: slope, threshold and size
///   as above for a
///                               y[0] = from(c, V), of which V = back(c, y[0]), wherever holds(c, V)
template <class M, int variables_, int inputs_>
struct Ode : Threshold<M> {
  static constexpr int N = variables_, P = inputs_;
  struct State : Course {
    double y[N];
    double x[P];
  };

  template <class Block, class Params>
  static void init(Block n, std::uint32_t j, const Params& p, const double* initial) {
    State& s = n.state(j);
    s = {};
    M::derive(n, j, p);
    for (int i = 0; i < N; ++i) s.y[i] = initial[i];
    if constexpr (requires { M::inputs_given; })
      for (int i = 0; i < P; ++i) s.x[i] = initial[N + i];
  }
  template <class C>
  static void take(const C&, State& s, std::uint32_t port, double weight) {
    s.x[port] += weight;
  }
  template <class C>
  static double value(const C&, const State& s, std::uint32_t variable) {
    return variable < N ? s.y[variable] : s.x[variable - N];
  }
  template <class C>
  static double size(const C&, int) {
    return 1;
  }
  template <class C>
  static bool quiet(const C&, const State&, double) {
    return false;
  }
  template <class C>
  static bool crossed(const C& c, const State& s) {
    return s.y[0] >= M::threshold(c);
  }

  /// Neurons that events meet together are brought to their ticks four at a time.
  static constexpr bool wide = true;
  template <class Block>
  static void receive(Block n, const Arrivals& a) {
    State to[4];
    for (std::uint32_t i = 0; i < a.count; i += 4) {
      const std::uint32_t count = std::min(a.count - i, 4u);
      std::uint32_t js[4];
      for (std::uint32_t l = 0; l < 4; ++l) js[l] = a.targets[i + std::min(l, count - 1)];
      const unsigned which = bring(n, js, {a.tick, a.tick, a.tick, a.tick}, to);
      for (std::uint32_t l = 0; l < count; ++l) {
        const double weight = a.weights     ? static_cast<double>(a.weights[i + l])
                              : a.weights64 ? a.weights64[i + l]
                                            : a.weight;
        meet_brought(n, a.tick, {which >> l & 1, js[0], js[l]}, to[l], a.port, weight * a.scale);
      }
    }
  }
  template <class Block>
  static std::uint32_t receive_train(Block n, const Train& a) {
    State to[4];
    std::uint32_t js[4], taken = 0;
    Tick ticks[4];
    while (a.keys[taken] < a.limit) {
      std::uint32_t count = 0;
      for (; count < 4 && a.keys[taken + count] < a.limit; ++count) {
        const std::uint32_t key = a.keys[taken + count];
        js[count] = key & 0xffff;
        ticks[count] = a.base + (key >> 16);
        if (std::find(js, js + count, js[count]) != js + count) break;
      }
      for (std::uint32_t l = count; l < 4; ++l) js[l] = js[0], ticks[l] = ticks[0];
      const unsigned which = bring(n, js, ticks, to);
      for (std::uint32_t l = 0; l < count; ++l) {
        meet_brought(n, ticks[l], {which >> l & 1, js[0], js[l]}, to[l], a.port,
                     a.at(static_cast<std::uint16_t>(js[l])));
        ++taken;
        if (n.b.out->size != 0) return taken;
      }
    }
    return taken;
  }
  template <class Block>
  static void advance_each(Block n, Tick tick, std::span<const std::uint32_t> some) {
    if (some.empty()) return;
    std::uint32_t js[4];
    State to[4];
    for (std::size_t l = 0; l < 4; ++l) js[l] = some[std::min(l, some.size() - 1)];
    const unsigned which = bring(n, js, {tick, tick, tick, tick}, to);
    for (std::size_t l = 0; l < some.size(); ++l) {
      if ((which >> l & 1) != 0) n.state(js[l]) = to[l];
      else M::advance(n, js[l], tick);
    }
  }

  template <class C>
  [[gnu::noinline]] static bool go(const C& c, State& s, double ms) {
    ode::Solver<M> solver(c, s);
    solver.go(ms);
    return solver.leave(s, ms);
  }
  template <class C>
  [[gnu::noinline]] static bool hold(const C& c, State& s, double ms) {
    const double V = s.y[0];
    ode::Solver<M> solver(c, s);
    if constexpr (N > 1) solver.hold().go(ms);
    const bool good = solver.leave(s, ms);
    s.y[0] = V;
    return good;
  }
  /// y[0] is the threshold then, the rest as of the moment at which it came there.
  template <class C>
  [[gnu::noinline]] static bool reach(const C& c, State& s, double ms) {
    ode::Solver<M> solver(c, s);
    solver.next(ms);
    const bool good = solver.leave(s, ms);
    s.y[0] = M::threshold(c);
    return good;
  }
  template <class C>
  [[gnu::noinline]] static double next(const C& c, const State& s, double ms) {
    return ode::Solver<M>(c, s).next(ms);
  }
  /// `go` for four neurons with the same constants; tells which have been brought on, the others are as
  /// before.
  template <class C>
  static unsigned go_each(const C& c, State* const (&s)[4], const double (&ms)[4]) {
    return ode::Together<M>::go(c, s, ms);
  }

 private:
  /// A neuron of those that were brought to their ticks together.
  struct Brought {
    unsigned done;        ///< 0: it could not be
    std::uint32_t first;  ///< the first of them, with the same constants
    std::uint32_t neuron;
  };
  template <class Block>
  static void meet_brought(Block n, Tick tick, Brought who, const State& there, std::uint32_t port,
                           double weight) {
    State& s = n.state(who.neuron);
    if (who.done == 0) return Threshold<M>::arrive(n, tick, port, who.neuron, weight);
    if (s.last < tick) s = there;  // else it stood twice among them
    M::meet(n, n.constants(who.first), port, who.neuron, weight);
  }
  /// Copies the states of four neurons and brings the copies to their ticks; tells with which it could.
  template <class Block>
  static unsigned bring(Block n, const std::uint32_t (&js)[4], const Tick (&ticks)[4], State (&to)[4]) {
    const auto& c = n.constants(js[0]);
    const std::uint64_t kind = n.state(js[0]).kind;
    State* states[4];
    double ms[4];
    unsigned count = 0, which = 0;
    for (unsigned l = 0; l < 4; ++l) {
      State& s = to[l] = n.state(js[l]);
      states[l] = &s;
      const bool can = s.last < ticks[l] && s.last >= s.free && ticks[l] < s.crossing && s.kind == kind &&
                       plain_form(c, s);
      ms[l] = can ? static_cast<double>(ticks[l] - s.last) * c.ms_per_tick : 0;
      which |= static_cast<unsigned>(can) << l;
      count += can;
      s.last = ticks[l];
    }
    if constexpr (requires { M::alone; }) return 0;
    else return count < 2 ? 0 : which & M::go_each(c, states, ms);
  }
  template <class C>
  static bool plain_form(const C& c, const State& s) {
    if constexpr (requires { typename M::Steep; }) return !M::Steep::holds(c, s.y[0]);
    else return true;
  }
};

namespace ode {

inline double value(const double* c, int order, double t) {
  double sum = c[order];
  for (int n = order - 1; n >= 0; --n) sum = sum * t + c[n];
  return sum;
}

/// When in [from, h] `sign` times the polynomial first comes to `level` from below: infinity if it does not,
/// NaN if that takes too long.  With |p''| <= m in (0, h), p cannot get there before p + p' s + m s^2 / 2
/// does: going there again and again ends at the crossing, quadratically, or beyond h.
inline double first_at(const double* c, int order, double sign, double level, double from, double h,
                       double precision) {
  double most = 0, m = 0;
  for (int n = order; n >= 1; --n) most = (most + std::max(sign * c[n], 0.0)) * h;
  if (sign * c[0] + most < level) return math::infinity;
  for (int n = order; n >= 2; --n) m = m * h + n * (n - 1) * math::abs(c[n]);
  double t = from;
  for (int tries = 0; tries < 10'000; ++tries) {
    double v = c[order], slope = 0;
    for (int n = order - 1; n >= 0; --n) slope = slope * t + v, v = v * t + c[n];
    const double distance = level - sign * v;
    if (!(distance > 0)) return t;
    slope *= sign;
    const double root = math::sqrt(slope * slope + 2 * m * distance);
    const double s = slope > 0 ? 2 * distance / (slope + root) : (root - slope) / m;
    if (!(t + s <= h)) return math::infinity;
    t += s;
    if (s < precision) return t;
  }
  return math::nan;
}

/// What is left of an input; one that nothing can feel is dropped, for denormal numbers are slow.
inline double left_of(double x, double factor) {
  x *= factor;
  return math::abs(x) < 1e-280 ? 0 : x;
}

/// Taylor series of the solution from a state without arrivals, of one neuron (V: double) or of four (Lanes).
template <class M, class V>
struct Expansion {
  static constexpr int N = M::N, P = M::P, least_order = 4, operations = 160;
  const typename M::Constants& c;
  Series<V> y[N], x[P];  ///< 0: as of the state
  double rate[P];
  Series<V> work[operations + 1];

  explicit Expansion(const typename M::Constants& constants) : c(constants) {
    for (int k = 0; k < P; ++k) rate[k] = -1 / M::tau(c, k);
  }
  /// Finds coefficient n + 1 and returns its size in units of the tolerance's.
  template <class Form, int n>
  [[gnu::always_inline]] V next_order() {
    constexpr double part = 1.0 / (n + 1);
    Jet<n, V> of_y[N], of_x[P], slope[N];
    Arena<V> arena{work, work + operations};
    for (int i = 0; i < N; ++i) of_y[i] = {y[i], &arena};
    for (int k = 0; k < P; ++k) of_x[k] = {x[k], &arena};
    Form::slope(c, of_y, of_x, slope);
    if constexpr (n == 0)
      if (arena.next == arena.end) return V{} + math::nan;
    V sum{};
    for (int i = 0; i < N; ++i) {
      y[i][n + 1] = slope[i].c[n] * part;
      const V worth = y[i][n + 1] * Form::size(c, i);
      sum += worth < 0 ? -worth : worth;
    }
    for (int k = 0; k < P; ++k) x[k][n + 1] = x[k][n] * (rate[k] * part);
    return sum;
  }
};

/// Follows one neuron from its state without arrivals.
template <class M>
struct Solver {
  static constexpr int N = M::N, P = M::P;
  static constexpr bool has_steep = requires { typename M::Steep; };
  using Constants = typename M::Constants;
  using State = typename M::State;

  Solver(const Constants& c, const State& s) : e_(c) {
    for (int i = 0; i < N; ++i) e_.y[i][0] = s.y[i];
    for (int k = 0; k < P; ++k) e_.x[k][0] = s.x[k];
    choose_form(s.y[0]);
  }
  Solver& hold() {
    held_ = true;
    return *this;
  }

  void go(double ms) {
    for (std::uint64_t left_steps = most_steps(ms); ms > 0; --left_steps) {
      const double h = left_steps == 0 ? 0 : expand(ms);
      if (h == 0) return fail();
      double before[N];
      for (int i = 0; i < N; ++i) before[i] = e_.y[i][0];
      step(h);
      ms -= h;
      if (ms <= 0 || rests(before)) return;
      decay(h);
    }
  }
  /// ms until y[0] comes to the threshold from below, which is where it is left; infinity if it does not in
  /// `ms`, NaN where it cannot be followed.
  double next(double ms) {
    double elapsed = 0;
    for (std::uint64_t left_steps = most_steps(ms);; --left_steps) {
      const double h = left_steps == 0 ? 0 : expand(ms - elapsed);
      if (h == 0) return fail(), math::nan;
      const double at = crossing(h);
      if (at != at) return fail(), math::nan;
      step(std::min(at, h));
      if (at <= h) return elapsed + at;
      if (h == ms - elapsed) return math::infinity;
      decay(h);
      elapsed += h;
    }
  }
  /// Writes where it has come to, with inputs as of `ms` after the begin; returns false if that is no number.
  bool leave(State& s, double ms) {
    double sum = failed_ ? math::nan : 0;
    for (int i = 0; i < N; ++i) sum += s.y[i] = e_.y[i][0];
    if constexpr (has_steep)
      if (steep_) sum += s.y[0] = M::Steep::back(e_.c, e_.y[0][0]);
    for (int k = 0; k < P; ++k) sum += s.x[k] = left_of(s.x[k], math::exp(ms * e_.rate[k]));
    return sum - sum == 0;
  }

 private:
  static constexpr double least_step = 1e-15;  ///< ms
  static std::uint64_t most_steps(double ms) {
    return 200'000 + static_cast<std::uint64_t>(20'000 * std::min(ms, 1e12));
  }
  void fail() { failed_ = true; }

  void choose_form(double potential) {
    if constexpr (has_steep) {
      steep_ = M::Steep::holds(e_.c, potential);
      e_.y[0][0] = steep_ ? M::Steep::from(e_.c, potential) : potential;
    }
  }
  /// Finds the series for a step of `left` ms, and the length of the step that it allows; 0 if there is none.
  double expand(double left) {
    if constexpr (has_steep)
      if (steep_) return grow<typename M::Steep, 0>(left, 1, math::infinity);
    return grow<M, 0>(left, 1, math::infinity);
  }
  /// `power` is left^n, `last` the size of the term before.
  template <class Form, int n>
  double grow(double left, double power, double last) {
    double size = e_.template next_order<Form, n>();
    if (held_) {
      e_.y[0][n + 1] = 0;
      size = 0;
      for (int i = 1; i < N; ++i) size += math::abs(e_.y[i][n + 1]) * Form::size(e_.c, i);
    }
    power *= left;
    const double term = size * power, tolerance = e_.c.p.tolerance;
    order_ = n + 1;
    if constexpr (n + 1 >= Expansion<M, double>::least_order)
      if (term <= tolerance && last <= tolerance) return left;
    if constexpr (n + 1 < most_order) return grow<Form, n + 1>(left, power, term);
    // The longest step in which neither of the last two terms exceeds the tolerance.
    const double by_last = term > tolerance ? math::pow(tolerance / term, 1.0 / most_order) : 1;
    const double by_other = last > tolerance ? math::pow(tolerance / last, 1.0 / (most_order - 1)) : 1;
    const double h = left * std::min(by_last, by_other);
    return h >= least_step ? h : 0;
  }
  void step(double h) {
    for (int i = 0; i < N; ++i) e_.y[i][0] = value(e_.y[i], order_, h);
    if constexpr (has_steep) choose_form(steep_ ? M::Steep::back(e_.c, e_.y[0][0]) : e_.y[0][0]);
  }
  /// Whether nothing has changed but the last places, and nothing will.
  bool rests(const double (&before)[N]) const {
    for (int i = 0; i < N; ++i)
      if (!(math::abs(before[i] - e_.y[i][0]) * M::size(e_.c, i) <= 3e-15 * math::abs(before[0])))
        return false;
    for (int k = 0; k < P; ++k)
      if (e_.x[k][0] != 0) return false;
    return true;
  }
  void decay(double h) {
    for (int k = 0; k < P; ++k) e_.x[k][0] = left_of(e_.x[k][0], math::exp(h * e_.rate[k]));
  }
  /// When in (0, h] y[0] comes to the threshold from below.
  double crossing(double h) const {
    double level = M::threshold(e_.c), from = 0;
    if constexpr (has_steep)
      if (steep_) level = M::Steep::threshold(e_.c);
    const double* const V = e_.y[0];
    const double precision = 1e-4 * e_.c.ms_per_tick;
    if (V[0] >= level) from = first_at(V, order_, -1, -level, 0, h, precision) + precision;
    return from <= h ? first_at(V, order_, 1, level, from, h, precision) : math::infinity;
  }

  Expansion<M, double> e_;
  bool steep_ = false, held_ = false, failed_ = false;
  int order_ = 0;
};

/// The same for four neurons at once, each for a time of its own and with the bits that `Solver::go` would
/// give, as far as one step of at most the highest order does it.
template <class M>
struct Together {
  static constexpr int N = M::N, P = M::P;
  using State = typename M::State;

  /// Which of the states, with the same constants and in the ordinary form, have been brought `ms` on.
  static unsigned go(const typename M::Constants& c, State* const (&s)[4], const double (&ms)[4]) {
    Together t(c, s, ms);
    t.template grow<0>();
    Lanes left[P], end[N];
    for (int k = 0; k < P; ++k) left[k] = exp(t.ms_ * t.e_.rate[k]);
    for (int i = 0; i < N; ++i) {
      end[i] = t.e_.y[i][t.order_];
      for (int n = t.order_ - 1; n >= 0; --n) end[i] = end[i] * t.ms_ + t.e_.y[i][n];
    }
    unsigned which = 0;
    for (int l = 0; l < 4; ++l) {
      State to = *s[l];
      double sum = 0;
      for (int i = 0; i < N; ++i) sum += to.y[i] = end[i][l];
      for (int k = 0; k < P; ++k) sum += to.x[k] = left_of(to.x[k], left[k][l]);
      if (t.done_[l] == 0 || sum - sum != 0) continue;
      *s[l] = to;
      which |= 1u << l;
    }
    return which;
  }

 private:
  Together(const typename M::Constants& c, State* const (&s)[4], const double (&ms)[4])
      : e_(c), ms_{ms[0], ms[1], ms[2], ms[3]} {
    for (int i = 0; i < N; ++i) e_.y[i][0] = Lanes{s[0]->y[i], s[1]->y[i], s[2]->y[i], s[3]->y[i]};
    for (int k = 0; k < P; ++k) e_.x[k][0] = Lanes{s[0]->x[k], s[1]->x[k], s[2]->x[k], s[3]->x[k]};
  }
  /// Finds the coefficients until all have the order that they need.  Those beyond it are 0.
  template <int n>
  void grow() {
    const Lanes size = e_.template next_order<M, n>();
    for (int i = 0; i < N; ++i)
      e_.y[i][n + 1] = std::bit_cast<Lanes>(std::bit_cast<LaneMask>(e_.y[i][n + 1]) & ~done_);
    power_ *= ms_;
    const Lanes last = term_, tolerance = Lanes{} + e_.c.p.tolerance;
    term_ = size * power_;
    order_ = n + 1;
    if constexpr (n + 1 >= Expansion<M, Lanes>::least_order) {
      done_ |= (term_ <= tolerance) & (last <= tolerance);
      if ((done_[0] & done_[1] & done_[2] & done_[3]) != 0) return;
    }
    if constexpr (n + 1 < most_order) grow<n + 1>();
  }

  Expansion<M, Lanes> e_;
  Lanes ms_, power_ = Lanes{} + 1, term_{};  ///< power of ms_, and size of the last term
  LaneMask done_{};                          ///< those whose series are long enough
  int order_ = 0;
};

}  // namespace ode
}  // namespace spinet
