// Solutions of the differential equation of a model (spinet/ode.hpp), of one neuron or of four: a Taylor
// series of the order that the interval needs (spinet/jet.hpp), in steps where the highest order does not
// reach so far; crossings are roots of its polynomials.  Order and step as in A. Jorba and M. Zou, "A
// software package for the numerical integration of ODEs by means of high-order Taylor methods" (2005): the
// last two terms stay under the tolerance.
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>

#include "spinet/jet.hpp"

namespace spinet {
namespace ode {

inline double value(const double* c, int order, double t) {
  double sum = c[order];
  for (int n = order - 1; n >= 0; --n) sum = sum * t + c[n];
  return sum;
}

/// c[0] + c[1] t + ... + c[order] t^order, in [from, h].
struct Polynomial {
  const double* c;
  int order;
  double from, h;
};
/// When `sign` times the polynomial first comes to `level` from below: infinity if it does not, NaN if that
/// takes too long.  With |p''| <= m in (0, h), p cannot get there before p + p' s + m s^2 / 2 does: going
/// there again and again ends at the crossing, quadratically, or beyond h.
inline double first_at(const Polynomial& p, double sign, double level, double precision) {
  const auto [c, order, from, h] = p;
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
    for (int k = 0; k < P; ++k) sum += s.x[k] = left_of(s.x[k], exp(ms * e_.rate[k]));
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
    for (int k = 0; k < P; ++k) e_.x[k][0] = left_of(e_.x[k][0], exp(h * e_.rate[k]));
  }
  /// When in (0, h] y[0] comes to the threshold from below.
  double crossing(double h) const {
    double level = M::threshold(e_.c), from = 0;
    if constexpr (has_steep)
      if (steep_) level = M::Steep::threshold(e_.c);
    const double* const V = e_.y[0];
    const double precision = 1e-4 * e_.c.ms_per_tick;
    if (V[0] >= level) from = first_at({V, order_, 0, h}, -1, -level, precision) + precision;
    return from <= h ? first_at({V, order_, from, h}, 1, level, precision) : math::infinity;
  }

  Expansion<M, double> e_;
  bool steep_ = false, held_ = false, failed_ = false;
  int order_ = 0;
};

/// The same for four neurons at once, each for a time of its own and with the bits that `Solver::go` would
/// give, as far as one step of at most the highest order does it.
template <class M>
struct LaneSolver {
  static constexpr int N = M::N, P = M::P;

  /// Which of those, with the same constants and in the ordinary form, have been brought `ms` on.
  [[gnu::always_inline]] static LaneMask go(const typename M::Constants& c, Lanes (&y)[N], Lanes (&x)[P],
                                            const Lanes& ms) {
    LaneSolver t(c, y, x, ms);
    t.template grow<0>();
    for (int i = 0; i < N; ++i) y[i] = t.e_.y[i][t.order_];
    for (int n = t.order_ - 1; n >= 0; --n)
      for (int i = 0; i < N; ++i) y[i] = y[i] * ms + t.e_.y[i][n];
    Lanes sum{};
    for (int i = 0; i < N; ++i) sum += y[i];
    for (int k = 0; k < P; ++k) sum += x[k] = left_of(x[k], exp(ms * t.e_.rate[k]));
    return t.done_ & (sum * 0 == 0);  // finite
  }

 private:
  LaneSolver(const typename M::Constants& c, const Lanes (&y)[N], const Lanes (&x)[P], const Lanes& ms)
      : e_(c), ms_(ms) {
    for (int i = 0; i < N; ++i) e_.y[i][0] = y[i];
    for (int k = 0; k < P; ++k) e_.x[k][0] = x[k];
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
