// Functions of many numbers at once, in loops without branches: in a function compiled for AVX2 four or eight
// at a time, with the same bits everywhere (as spinet/math.hpp, which has `exp_each`).
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>

#include "spinet/math.hpp"

namespace spinet::math {

namespace detail {
/// c[0] + c[1] x + ...
template <class V, class T, std::size_t n>
inline V polynomial(const T (&c)[n], V x) noexcept {
  V y = V{} + c[n - 1];
  for (std::size_t i = n - 1; i > 0; --i) y = y * x + c[i - 1];
  return y;
}
// Eight at once, as vectors of GCC (spinet/simd.hpp).
typedef float Eight __attribute__((vector_size(32)));
typedef std::int32_t EightInts __attribute__((vector_size(32)));
typedef std::uint32_t EightWords __attribute__((vector_size(32)));

/// Is any of what a comparison gives true?
inline bool any(const EightInts& x) noexcept {
  typedef std::int64_t Pairs __attribute__((vector_size(32)));
  const auto two = reinterpret_cast<Pairs>(x);
  return ((two[0] | two[1]) | (two[2] | two[3])) != 0;
}

/// ln y of positive normal numbers, to 1e-7.
inline Eight rough_log(const Eight& y) noexcept {
  constexpr float square[] = {-0.50000703F, 0.33334726F, -0.24956773F, 0.19902954F,
                              -0.17389093F, 0.16239445F, -0.09731465F};
  constexpr std::int32_t root_half = 0x3F3504F3;  // bits of sqrt(1/2)
  const auto bits = reinterpret_cast<EightInts>(y);
  const EightInts e = (bits - root_half) >> 23;
  const Eight r = reinterpret_cast<Eight>(bits - (e << 23)) - 1;
  return __builtin_convertvector(e, Eight) * 0.693147181F + (r + r * r * polynomial(square, r));
}
/// The quantile, below.
inline Eight normal_of(const EightWords& words) noexcept {
  constexpr float middle[] = {2.1233137F,      0.3488027F,      -0.0059081297F, -0.0017730418F, 0.0003091151F,
                              -6.2078802e-06F, -4.9811947e-06F, 4.851791e-07F,  3.958321e-08F};
  constexpr float tail[] = {4.984814F,      0.1933625F,      -0.0034981258F, 0.00012181554F, -4.98795e-06F,
                            3.1535762e-07F, -2.0720853e-08F, -7.022344e-10F, 1.2216789e-10F};
  const auto half = reinterpret_cast<EightInts>(words >> 1);
  const Eight p = (__builtin_convertvector(half, Eight) + 0.5F) * 0x1p-32F;
  const Eight x = 1 - 2 * p, u = -rough_log(4 * p * (1 - p));
  const EightInts beyond = u >= 5;
  Eight size = x * polynomial(middle, u - 2.5F);
  if (any(beyond)) [[unlikely]] {  // of 2.7 % of eights
    const Eight far = x * polynomial(tail, u - 13.6F);
    size = beyond ? far : size;
  }
  return reinterpret_cast<Eight>(reinterpret_cast<EightWords>(size) ^ (words << 31));
}
}  // namespace detail

/// x[i] = ln x[i] of positive normal numbers, to 4e-16 of the result or of 1: ln m = 2 artanh((m - 1) / (m +
/// 1)).
inline void log_each(double* x, std::size_t n) noexcept {
  constexpr double artanh[] = {1.0 / 3,  1.0 / 5,  1.0 / 7,  1.0 / 9,  1.0 / 11,
                               1.0 / 13, 1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21};
  constexpr std::uint64_t one = 0x3FF0000000000000, root_half = 0x3FE6A09E667F3BCD;
  for (std::size_t i = 0; i < n; ++i) {
    const auto bits = std::bit_cast<std::uint64_t>(x[i]);
    const std::uint64_t e = (bits + (one - root_half)) >> 52;  // + 1023
    const double m = std::bit_cast<double>(bits - (e << 52) + one);
    const double k = std::bit_cast<double>(e | 0x4330000000000000) - (0x1p52 + 1023);
    const double s = (m - 1) / (m + 1), z = s * s;
    x[i] = k * 0x1.62e42fefa3800p-1 +
           (2 * s + (2 * s * z * detail::polynomial(artanh, z) + k * 0x1.ef35793c76730p-45));
  }
}

namespace detail {
/// far[i] = e^x[i] - 1 for |x[i]| > 0.25, near[i] for those up to it; no x[i] above 700.
inline void expm1_both(const double* x, double* far, double* near, std::size_t n) noexcept {
  for (std::size_t i = 0; i < n; ++i) {
    const auto& c = expm1_poly;
    const double y = x[i], y2 = y * y, y4 = y2 * y2;
    const double q = ((c[0] + y * c[1]) + y2 * (c[2] + y * c[3])) +
                     y4 * (((c[4] + y * c[5]) + y2 * (c[6] + y * c[7])) + y4 * (c[8] + y * c[9]));
    near[i] = y + (0.5 * y2 + y2 * y * q);
  }
  for (std::size_t i = 0; i < n; ++i) far[i] = x[i] < -700.0 ? -700.0 : x[i];  // below -40 it is -1
  for (std::size_t i = 0; i < n; ++i) {                                        // exp_parts, as in exp_each
    constexpr double round = 0x1.8p52;
    const double y = far[i], shifted = y * exp_per_step + round;
    const std::int64_t grid = std::bit_cast<std::int64_t>(shifted) - std::bit_cast<std::int64_t>(round);
    const double steps = shifted - round;
    const double r = (y - steps * exp_step_high) - steps * exp_step_low, r2 = r * r;
    const std::int64_t j = grid & ((1 << exp_bits) - 1);
    const double rest = exp_table[2 * j + 1] + r +
                        r2 * ((exp_poly[0] + r * exp_poly[1]) + r2 * (exp_poly[2] + r * exp_poly[3]));
    const double scale = std::bit_cast<double>(std::bit_cast<std::uint64_t>(exp_table[2 * j]) +
                                               (static_cast<std::uint64_t>(grid - j) << (52 - exp_bits)));
    const double high = scale - 1.0, part = high - scale;  // two_sum(scale, -1)
    const double low = (scale - (high - part)) + (-1.0 - part);
    far[i] = high + (low + scale * rest);
  }
}
}  // namespace detail

/// x[i] = e^x[i] - 1, the same bits as `expm1`.
inline void expm1_each(double* x, std::size_t n) noexcept {
  // Bits of numbers above 0 and NaN are in their order, those of all below 0 are negative.
  const auto bits_of = [](double y) { return std::bit_cast<std::int64_t>(y); };
  std::int64_t largest = 0, size_of_all = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const std::int64_t bits = bits_of(x[i]), size = bits_of(abs(x[i]));
    largest = bits > largest ? bits : largest;
    size_of_all = size > size_of_all ? size : size_of_all;
  }
  if (largest > bits_of(700.0) || size_of_all > bits_of(infinity)) {
    for (std::size_t i = 0; i < n; ++i) x[i] = expm1(x[i]);
    return;
  }
  constexpr std::size_t some = 64;
  double far[some], near[some];
  for (std::size_t begin = 0; begin < n; begin += some, x += some) {
    const std::size_t count = n - begin < some ? n - begin : some;
    detail::expm1_both(x, far, near, count);
    for (std::size_t i = 0; i < count; ++i) near[i] = abs(x[i]) < 0x1p-54 ? x[i] : near[i];
    for (std::size_t i = 0; i < count; ++i) x[i] = abs(x[i]) > 0.25 ? far[i] : near[i];
  }
}

/// z[i] = the standard normal number of words[i], for noise: of either sign alike, |z| < 6.5.
/// After M. Giles, "Approximating the erfinv function" (GPU Computing Gems 2, 2010): with p the share of the
/// smaller tail, x = 1 - 2 p and u = -ln(4 p (1 - p)), the quantile over x is nearly straight in u.
/// Polynomials by least squares at Chebyshev's points; relative errors 5e-7 up to u = 5 and 4e-6 beyond.
inline void normal_each(const std::uint32_t* words, float* z, std::size_t n) noexcept {
  const auto some = [](const std::uint32_t* from, float* to, std::size_t bytes) {
    detail::EightWords w{};
    __builtin_memcpy(&w, from, bytes);
    const detail::Eight of = detail::normal_of(w);
    __builtin_memcpy(to, &of, bytes);
  };
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) some(words + i, z + i, 32);
  if (i < n) some(words + i, z + i, 4 * (n - i));
}

}  // namespace spinet::math
