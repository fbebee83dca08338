// Taylor series of solutions of differential equations, coefficient by coefficient: what a model writes as a
// formula of numbers is evaluated on `Jet`s, whose operators each add the coefficient n of their result to
// those before (automatic differentiation; A. Griewank and A. Walther, "Evaluating derivatives", 2008,
// chapter 13).  No division by a jet that begins with 0, no logarithm of one that does not begin above it.
#pragma once
#include <bit>
#include <type_traits>

#include "spinet/math.hpp"

namespace spinet {

/// The numbers of four neurons, which operators work on together with the bits that they give of each.
typedef double Lanes __attribute__((vector_size(32)));
using LaneMask = decltype(Lanes{} < Lanes{});  // all ones where a comparison of Lanes holds

namespace ode {
inline constexpr int most_order = 16;
template <class V>
using Series = V[most_order + 1];  ///< coefficients, of 1, t, t^2, ...

/// Where the results of operations keep their coefficients from order to order: the same operations must be
/// made in the same order each time.
template <class V>
struct Arena {
  Series<V>* next;
  const Series<V>* end;
  /// What finds no room shares the last place, and `next` tells.
  template <int n>
  V* take() {
    if constexpr (n == 0)
      if (next == end) return *next;
    return *next++;
  }
};

inline bool any(bool mask) { return mask; }
[[gnu::always_inline]] inline bool any(LaneMask m) { return (m[0] | m[1] | m[2] | m[3]) != 0; }
/// e^x without a table, so that four take little longer than one.  Relative error under 4e-16; below -700 and
/// above 709 that of these.
template <class V>
[[gnu::always_inline]] inline V exp(V x) {
  x = x < -700 ? V{} - 700 : x;
  x = x > 709 ? V{} + 709 : x;
  constexpr double round = 0x1.8p52;
  const V shifted = x * 1.4426950408889634 + round, turns = shifted - round;
  const V r = (x - turns * 0x1.62e42fefap-1) - turns * 0x1.cf79abc9e3b3ap-40;
  const V r2 = r * r, r4 = r2 * r2, r8 = r4 * r4;
  const V low = (1 + r) + r2 * (1.0 / 2 + r * (1.0 / 6)) +
                r4 * ((1.0 / 24 + r * (1.0 / 120)) + r2 * (1.0 / 720 + r * (1.0 / 5040)));
  const V high = (1.0 / 40320 + r * (1.0 / 362880)) + r2 * (1.0 / 3628800 + r * (1.0 / 39916800)) +
                 r4 * (1.0 / 479001600);
  using Bits = std::conditional_t<std::is_same_v<V, Lanes>, LaneMask, long long>;
  const Bits scale = (std::bit_cast<Bits>(shifted) + 1023)
                     << 52;  // the low bits of `shifted` are the integer
  return (low + r8 * high) * std::bit_cast<V>(scale);
}
/// What is left of an input after a time; one that nothing can feel is dropped, for denormal numbers are
/// slow.
template <class V>
[[gnu::always_inline]] inline V left_of(V x, V factor) {
  x *= factor;
  return (x < 1e-280) & (x > -1e-280) ? V{} : x;
}
template <class V>
[[gnu::always_inline]] inline V positive(V x) {
  return x > 0 ? x : V{};
}
template <class V>
[[gnu::always_inline]] inline V negative(V x) {
  return x < 0 ? x : V{};
}
template <class V>
[[gnu::always_inline]] inline V max(V a, V b) {
  return a < b ? b : a;
}
template <class V>
[[gnu::always_inline]] inline V min(V a, V b) {
  return b < a ? b : a;
}
inline double sqrt(double x) { return math::sqrt(x); }
[[gnu::always_inline]] inline Lanes sqrt(Lanes x) {
  return Lanes{math::sqrt(x[0]), math::sqrt(x[1]), math::sqrt(x[2]), math::sqrt(x[3])};
}
inline double log(double x) { return math::log(x); }
[[gnu::always_inline]] inline Lanes log(Lanes x) {
  return Lanes{math::log(x[0]), math::log(x[1]), math::log(x[2]), math::log(x[3])};
}
}  // namespace ode

/// A function of time of which the coefficients up to order n are known, or are just being found; V: double
/// or Lanes.
template <int n, class V>
struct Jet {
  V* c;
  ode::Arena<V>* arena;
  [[gnu::always_inline]] Jet result(V last) const {
    Jet r{arena->template take<n>(), arena};
    r.c[n] = last;
    return r;
  }
};

template <int n, class V>
inline Jet<n, V> operator+(Jet<n, V> a, Jet<n, V> b) {
  return a.result(a.c[n] + b.c[n]);
}
template <int n, class V>
inline Jet<n, V> operator-(Jet<n, V> a, Jet<n, V> b) {
  return a.result(a.c[n] - b.c[n]);
}
template <int n, class V>
inline Jet<n, V> operator-(Jet<n, V> a) {
  return a.result(-a.c[n]);
}
template <int n, class V>
inline Jet<n, V> operator*(Jet<n, V> a, double x) {
  return a.result(a.c[n] * x);
}
template <int n, class V>
inline Jet<n, V> operator*(double x, Jet<n, V> a) {
  return a.result(a.c[n] * x);
}
template <int n, class V>
inline Jet<n, V> operator/(Jet<n, V> a, double x) {
  return a.result(a.c[n] / x);
}
template <int n, class V>
inline Jet<n, V> operator+(Jet<n, V> a, double x) {
  return a.result(n == 0 ? a.c[0] + x : a.c[n]);
}
template <int n, class V>
inline Jet<n, V> operator+(double x, Jet<n, V> a) {
  return a + x;
}
template <int n, class V>
inline Jet<n, V> operator-(Jet<n, V> a, double x) {
  return a.result(n == 0 ? a.c[0] - x : a.c[n]);
}
template <int n, class V>
inline Jet<n, V> operator-(double x, Jet<n, V> a) {
  return a.result(n == 0 ? x - a.c[0] : -a.c[n]);
}

// Products with the newest coefficients come last: the others need not wait for them.
template <int n, class V>
inline Jet<n, V> operator*(Jet<n, V> a, Jet<n, V> b) {
  V sum{};
#pragma GCC unroll 16
  for (int i = 1; i < n; ++i) sum += a.c[i] * b.c[n - i];
  sum += a.c[0] * b.c[n];
  if (n > 0) sum += a.c[n] * b.c[0];
  return a.result(sum);
}
template <int n, class V>
inline Jet<n, V> operator/(Jet<n, V> a, Jet<n, V> b) {
  Jet<n, V> r = a.result(V{});
  V sum = a.c[n];
#pragma GCC unroll 16
  for (int i = 1; i <= n; ++i) sum -= b.c[i] * r.c[n - i];
  r.c[n] = sum / b.c[0];
  return r;
}
template <int n, class V>
inline Jet<n, V> operator/(double a, Jet<n, V> b) {
  Jet<n, V> r = b.result(V{});
  V sum = V{} + (n == 0 ? a : 0.0);
#pragma GCC unroll 16
  for (int i = 1; i <= n; ++i) sum -= b.c[i] * r.c[n - i];
  r.c[n] = sum / b.c[0];
  return r;
}
template <int n, class V>
inline Jet<n, V> exp(Jet<n, V> x) {
  Jet<n, V> r = x.result(V{});
  if constexpr (n == 0) {
    r.c[0] = ode::exp(x.c[0]);
  } else {
    V sum{};
#pragma GCC unroll 16
    for (int i = 1; i < n; ++i) sum += (i * (1.0 / n)) * (x.c[i] * r.c[n - i]);
    r.c[n] = sum + x.c[n] * r.c[0];
  }
  return r;
}
template <int n, class V>
inline Jet<n, V> log(Jet<n, V> x) {
  Jet<n, V> r = x.result(V{});
  if constexpr (n == 0) {
    r.c[0] = ode::log(x.c[0]);
  } else {
    V sum{};
#pragma GCC unroll 16
    for (int i = 1; i < n; ++i) sum += (i * (1.0 / n)) * (r.c[i] * x.c[n - i]);
    r.c[n] = (x.c[n] - sum) / x.c[0];
  }
  return r;
}
/// x / (e^x - 1), 1 where x is 0: of rates of ion channels.
template <int n, class V>
inline Jet<n, V> over_expm1(Jet<n, V> x) {
  // About 0 its own series: Bernoulli numbers over factorials.
  const auto near = [x] {
    constexpr double of[] = {1.0 / 12,          -1.0 / 720,
                             1.0 / 30240,       -1.0 / 1209600,
                             1.0 / 47900160,    -691.0 / 1307674368000,
                             1.0 / 74724249600, -3617.0 / 10670622842880000};
    const Jet<n, V> square = x * x;
    Jet<n, V> sum = square * of[7];
    for (int k = 6; k >= 0; --k) sum = square * (sum + of[k]);
    return sum - x * 0.5 + 1.0;
  };
  const auto far = [x] { return x / (exp(x) - 1.0); };
  if constexpr (std::is_same_v<V, double>) return math::abs(x.c[0]) < 0.5 ? near() : far();
  else {
    Jet<n, V> r = x.result(V{});
    const Jet<n, V> a = near(), b = far();
    r.c[n] = (x.c[0] < 0.5) & (x.c[0] > -0.5) ? a.c[n] : b.c[n];
    return r;
  }
}

}  // namespace spinet
