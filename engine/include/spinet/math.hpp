// Elementary functions that give the same bits on every x86-64 CPU: plain IEEE double + - * / and sqrt, round to
// nearest, no libm (glibc picks its code by CPU), no fused multiply-add.  Methods: table-driven after P. T. P. Tang,
// "Table-driven implementation of the exponential function" (1989) and "... of the logarithm function" (1990), with
// the logarithm carried in two doubles (T. J. Dekker, "A floating-point technique for extending the available
// precision", 1971).  Errors below are in units of the last place of the result, found by tests/unit/math.cpp.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <emmintrin.h>
#include <limits>

#include "spinet/math_tables.hpp"

#ifdef __FAST_MATH__
#error "spinet/math.hpp needs IEEE arithmetic: compile without -ffast-math"
#endif

namespace spinet::math {

inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// Correctly rounded; one instruction at any optimisation level.
inline double sqrt(double x) noexcept { return _mm_cvtsd_f64(_mm_sqrt_sd(_mm_setzero_pd(), _mm_set_sd(x))); }

inline double abs(double x) noexcept {
  return std::bit_cast<double>(std::bit_cast<std::uint64_t>(x) & 0x7fffffffffffffffu);
}

/// Largest integer not above x; |x| < 2^63.
inline std::int64_t floor_int(double x) noexcept {
  const auto n = static_cast<std::int64_t>(x);
  return n - (static_cast<double>(n) > x);
}

namespace detail {

/// x = high + low, |low| far below |high|.
struct Pair {
  double high, low;
};

/// a + b without loss (D. E. Knuth, The Art of Computer Programming 2, 4.2.2).
inline Pair two_sum(double a, double b) noexcept {
  const double s = a + b, part = s - a;
  return {s, (a - (s - part)) + (b - part)};
}

/// e^(x + low) = scale * (1 + rest), scale = 2^k * 2^(j/64) as bits.  |x| < 1100.
struct ExpParts {
  std::uint64_t scale;
  std::int64_t k;
  double rest;
};
inline ExpParts exp_parts(double x, double low) noexcept {
  // Adding 1.5 * 2^52 rounds to an integer and leaves it in the low bits.
  constexpr double round = 0x1.8p52;
  const double shifted = x * exp_per_step + round;
  const std::int64_t n = std::bit_cast<std::int64_t>(shifted) - std::bit_cast<std::int64_t>(round);
  const double steps = shifted - round;
  const double r = ((x - steps * exp_step_high) - steps * exp_step_low) + low;
  const double r2 = r * r;
  const std::int64_t j = n & ((1 << exp_bits) - 1), k = (n - j) >> exp_bits;
  const double rest = exp_table[2 * j + 1] + r +
                      r2 * ((exp_poly[0] + r * exp_poly[1]) + r2 * (exp_poly[2] + r * exp_poly[3]));
  return {std::bit_cast<std::uint64_t>(exp_table[2 * j]) + (static_cast<std::uint64_t>(k) << 52), k, rest};
}

/// scale * (1 + rest) where scale or the result leaves the normal range.  Rounded once.
inline double exp_edge(ExpParts p) noexcept {
  if (p.k > 0) {
    const double scale = std::bit_cast<double>(p.scale - (std::uint64_t{2} << 52));
    return 4.0 * (scale + scale * p.rest);
  }
  const double scale = std::bit_cast<double>(p.scale + (std::uint64_t{1022} << 52));
  double y = scale + scale * p.rest;
  if (y < 1.0) {  // subnormal result: round it at the grain it will have, by adding 1
    const double lost = scale - y + scale * p.rest;
    const double one = 1.0 + y;
    y = (one + ((1.0 - one) + y + lost)) - 1.0;
  }
  return 0x1p-1022 * y;
}

/// ln(x + tail) in two doubles, for normal x > 0 and |tail| under half its last place; relative error under 2^-67.
/// `exponent` is added to that of x (for subnormal arguments that were scaled up).
inline Pair log_pair(double x, double tail, std::int64_t exponent) noexcept {
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const std::uint64_t from_offset = bits - log_offset;
  const auto i = static_cast<std::size_t>(from_offset >> (52 - log_bits)) & ((1u << log_bits) - 1);
  const std::int64_t e = static_cast<std::int64_t>(from_offset) >> 52;
  const std::uint64_t reduced = bits - (static_cast<std::uint64_t>(e) << 52);
  const double inverse = log_table[3 * i], log_c = log_table[3 * i + 1], log_c_low = log_table[3 * i + 2];

  // r = m / c - 1 = r_high + r_low without rounding: 1/c has at most 9 bits, m is cut into 21 and 32.
  const double m = std::bit_cast<double>(reduced);
  const double m_high = std::bit_cast<double>((reduced + 0x80000000u) & 0xffffffff00000000u);
  const double r_high = m_high * inverse - 1.0;
  double r_low = (m - m_high) * inverse, r_lost = 0.0;
  if (tail != 0.0) {
    // 2^-e as a product of two, because e may be 1024.
    const std::int64_t half = e / 2;
    const double a = std::bit_cast<double>(static_cast<std::uint64_t>(1023 - half) << 52);
    const double b = std::bit_cast<double>(static_cast<std::uint64_t>(1023 - (e - half)) << 52);
    const Pair sum = two_sum(r_low, tail * a * b * inverse);
    r_low = sum.high;
    r_lost = sum.low;
  }
  const Pair whole = two_sum(r_high, r_low);
  const double r = whole.high;

  // k ln 2 + ln c + r - r^2/2 + r^3 Q(r); all but the last in two doubles.
  const double k = static_cast<double>(e + exponent);
  const double base = k * ln2_high + log_c;
  const double first = base + r;
  const double first_low = (base - first) + r;
  const double half_square = -0.5 * r_high * r_high;  // exact: r_high has at most 23 bits
  const double second = first + half_square;
  const double second_low = (first - second) + half_square;
  const double half_rest = -0.5 * r_low * (r + r_high);
  const double r2 = r * r;
  const double cubic =
      r2 * r * (log_poly[0] + r * log_poly[1] +
                r2 * (log_poly[2] + r * log_poly[3] + r2 * (log_poly[4] + r * log_poly[5] + r2 * log_poly[6])));
  const double low = (k * ln2_low + log_c_low) + (whole.low + r_lost) + first_low + second_low + half_rest + cubic;
  const double high = second + low;
  return {high, (second - high) + low};
}

}  // namespace detail

/// e^x.  Error < 0.55.
inline double exp(double x) noexcept {
  if (abs(x) < 700.0) [[likely]] {  // so that scale * rest is normal too
    const auto p = detail::exp_parts(x, 0.0);
    const double scale = std::bit_cast<double>(p.scale);
    return scale + scale * p.rest;
  }
  if (x != x) return x;
  if (x > 709.79) return infinity;
  if (x < -745.14) return 0.0;
  return detail::exp_edge(detail::exp_parts(x, 0.0));
}

/// e^x - 1.  Error < 0.8.
inline double expm1(double x) noexcept {
  if (abs(x) < 0x1p-54) return x;
  if (abs(x) <= 0.25) {
    const auto& c = detail::expm1_poly;
    const double x2 = x * x, x4 = x2 * x2;
    const double q = ((c[0] + x * c[1]) + x2 * (c[2] + x * c[3])) +
                     x4 * (((c[4] + x * c[5]) + x2 * (c[6] + x * c[7])) + x4 * (c[8] + x * c[9]));
    return x + (0.5 * x2 + x2 * x * q);
  }
  if (x != x) return x;
  if (x > 700.0) return exp(x);
  if (x < -40.0) return -1.0;
  const auto p = detail::exp_parts(x, 0.0);
  const double scale = std::bit_cast<double>(p.scale);
  const auto less_one = detail::two_sum(scale, -1.0);
  return less_one.high + (less_one.low + scale * p.rest);
}

/// Natural logarithm.  Error < 0.52.  -infinity at 0, NaN below.
inline double log(double x) noexcept {
  std::int64_t exponent = 0;
  if (!(x >= 0x1p-1022 && x < infinity)) [[unlikely]] {
    if (x == 0.0) return -infinity;
    if (!(x > 0.0)) return nan;
    if (x == infinity) return x;
    x *= 0x1p52;
    exponent = -52;
  }
  return detail::log_pair(x, 0.0, exponent).high;
}

/// ln(1 + x).  Error < 0.52.  -infinity at -1, NaN below.
inline double log1p(double x) noexcept {
  if (abs(x) < 0x1p-54) return x;
  if (!(x > -1.0)) return x == -1.0 ? -infinity : nan;
  if (x == infinity) return x;
  const auto sum = detail::two_sum(1.0, x);
  return detail::log_pair(sum.high, sum.low, 0).high;
}

/// x^y with the special values of IEEE 754-2019 (those of C's pow).  Error < 0.56.
inline double pow(double x, double y) noexcept {
  using detail::Pair;
  if (y == 0.0 || x == 1.0) return 1.0;
  if (x != x || y != y) return nan;
  double sign = 1.0;
  const bool negative = (std::bit_cast<std::uint64_t>(x) >> 63) != 0;
  if (negative) {
    // Doubles from 2^53 on are even; below 2^63 the conversion is exact for whole numbers.
    const double size = abs(y);
    const bool whole = size >= 0x1p53 || static_cast<double>(static_cast<std::int64_t>(size)) == size;
    const bool odd = size < 0x1p53 && whole && (static_cast<std::int64_t>(size) & 1) != 0;
    x = -x;
    if (!whole && x != 0.0 && x != infinity) return nan;
    if (odd) sign = -1.0;
  }
  if (x == 0.0 || x == infinity) return sign * ((x == 0.0) == (y > 0.0) ? 0.0 : infinity);
  if (x == 1.0) return sign;
  if (abs(y) == infinity) return (x > 1.0) == (y > 0.0) ? infinity : 0.0;

  std::int64_t exponent = 0;
  if (x < 0x1p-1022) {
    x *= 0x1p52;
    exponent = -52;
  }
  const Pair l = detail::log_pair(x, 0.0, exponent);
  // |ln x| >= 2^-53: past these sizes of y the result is certain, and the products below stay finite.
  if (abs(y) > 0x1p64) return (l.high > 0.0) == (y > 0.0) ? sign * infinity : sign * 0.0;
  if (abs(y) < 0x1p-65) return sign;
  constexpr std::uint64_t cut = ~std::uint64_t{0} << 27;
  const double y_high = std::bit_cast<double>(std::bit_cast<std::uint64_t>(y) & cut), y_low = y - y_high;
  const double l_high = std::bit_cast<double>(std::bit_cast<std::uint64_t>(l.high) & cut);
  const double l_low = (l.high - l_high) + l.low;
  const double product = y_high * l_high, low = y_low * l_high + y * l_low;
  if (product > 709.9) return sign * infinity;
  if (product < -745.3) return sign * 0.0;
  const auto p = detail::exp_parts(product, low);
  if (abs(product) < 700.0) [[likely]] {
    const double scale = std::bit_cast<double>(p.scale);
    return sign * (scale + scale * p.rest);
  }
  return sign * detail::exp_edge(p);
}

/// Hyperbolic tangent.  Error < 2.5.
inline double tanh(double x) noexcept {
  const double size = abs(x);
  if (size > 22.0) return x > 0.0 ? 1.0 : -1.0;
  const double e = expm1(2.0 * size);
  const double y = size < 0x1p-28 ? size : e / (e + 2.0);  // NaN goes through
  return std::bit_cast<double>(std::bit_cast<std::uint64_t>(y) | (std::bit_cast<std::uint64_t>(x) & (1ull << 63)));
}

/// x with P(normal <= x) = p; -infinity at 0, infinity at 1, NaN outside.  Relative error about 1e-15.
/// M. J. Wichura, "Algorithm AS 241: the percentage points of the normal distribution" (1988), PPND16.
inline double normal_quantile(double p) noexcept {
  if (!(p >= 0.0 && p <= 1.0)) return nan;
  if (p == 0.0) return -infinity;
  if (p == 1.0) return infinity;
  const double q = p - 0.5;
  if (abs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q *
           (((((((2.5090809287301226727e+3 * r + 3.3430575583588128105e+4) * r + 6.7265770927008700853e+4) * r +
                4.5921953931549871457e+4) * r + 1.3731693765509461125e+4) * r + 1.9715909503065514427e+3) * r +
             1.3314166789178437745e+2) * r + 3.3871328727963666080e+0) /
           (((((((5.2264952788528545610e+3 * r + 2.8729085735721942674e+4) * r + 3.9307895800092710610e+4) * r +
                2.1213794301586595867e+4) * r + 5.3941960214247511077e+3) * r + 6.8718700749205790830e+2) * r +
             4.2313330701600911252e+1) * r + 1.0);
  }
  double r = sqrt(-log(q < 0.0 ? p : 1.0 - p)), x;
  if (r <= 5.0) {
    r -= 1.6;
    x = (((((((7.74545014278341407640e-4 * r + 2.27238449892691845833e-2) * r + 2.41780725177450611770e-1) * r +
             1.27045825245236838258e+0) * r + 3.64784832476320460504e+0) * r + 5.76949722146069140550e+0) * r +
          4.63033784615654529590e+0) * r + 1.42343711074968357734e+0) /
        (((((((1.05075007164441684324e-9 * r + 5.47593808499534494600e-4) * r + 1.51986665636164571966e-2) * r +
             1.48103976427480074590e-1) * r + 6.89767334985100004550e-1) * r + 1.67638483018380384940e+0) * r +
          2.05319162663775882187e+0) * r + 1.0);
  } else {
    r -= 5.0;
    x = (((((((2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r + 1.24266094738807843860e-3) * r +
             2.65321895265761230930e-2) * r + 2.96560571828504891230e-1) * r + 1.78482653991729133580e+0) * r +
          5.46378491116411436990e+0) * r + 6.65790464350110377720e+0) /
        (((((((2.04426310338993978564e-15 * r + 1.42151175831644588870e-7) * r + 1.84631831751005468180e-5) * r +
             7.86869131145613259100e-4) * r + 1.48753612908506148525e-2) * r + 1.36929880922735805310e-1) * r +
          5.99832206555887937690e-1) * r + 1.0);
  }
  return q < 0.0 ? -x : x;
}

/// ln k! for k >= 0: exact below 2^53's reach, else Stirling's series.  Relative error under 4e-16 where k >= 2.
inline double log_factorial(std::int64_t k) noexcept {
  constexpr std::int64_t exact = 18;  // 18! < 2^53
  if (k <= exact) {
    double product = 1.0;
    for (std::int64_t i = 2; i <= k; ++i) product *= static_cast<double>(i);
    return log(product);
  }
  // ln k! = (k + 1/2) ln k - k + ln sqrt(2 pi) + 1/(12 k) - 1/(360 k^3) + ...
  const double n = static_cast<double>(k), w = 1.0 / n, w2 = w * w;
  const double series = w * (1.0 / 12 - w2 * (1.0 / 360 - w2 * (1.0 / 1260 - w2 * (1.0 / 1680))));
  return ((n + 0.5) * log(n) - n) + (0.91893853320467274178 + series);
}

}  // namespace spinet::math
