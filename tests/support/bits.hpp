// Digests of what spinet/math.hpp, random_batch.hpp and simd.hpp compute, and what they must be on every
// machine.  No library is needed: tools/aarch64 compiles it for another CPU.
#pragma once
#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "spinet/math.hpp"
#include "spinet/random_batch.hpp"
#include "spinet/simd.hpp"

namespace spinet::bits {

/// FNV-1a over 64-bit words.  All NaNs count as one: which one an operation makes depends on the CPU.
class Digest {
 public:
  void add(std::uint64_t word) {
    for (int byte = 0; byte < 8; ++byte) value_ = (value_ ^ (word >> 8 * byte & 255)) * 0x100000001b3u;
  }
  void add(double x) { add(x == x ? std::bit_cast<std::uint64_t>(x) : std::uint64_t{0x7ff8} << 48); }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325u;
};

/// Numbers of all sizes and of moderate ones, zeros, infinities, NaN.
inline std::vector<double> numbers() {
  std::vector<double> all = {0.0,
                             -0.0,
                             1.0,
                             -1.0,
                             0x1p-1074,
                             -0x1p-1074,
                             1e308,
                             math::infinity,
                             -math::infinity,
                             math::nan,
                             709.782712893384,
                             -745.13321910194};
  for (std::uint64_t i = 0; i < 3000; ++i) {
    const Words w = draw({11, 12}, i, 0);
    const std::uint64_t word = std::uint64_t{w[0]} << 32 | w[1];
    all.push_back(std::bit_cast<double>(word));
    all.push_back((uniform01(w[2]) - 0.5) * 100);
    all.push_back(uniform01(w[2], w[3]));
    all.push_back(-800 + 1600 * uniform01(w[3]));
  }
  return all;
}

inline std::uint64_t of_functions() {
  Digest d;
  const std::vector<double> all = numbers();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const double x = all[i], y = all[(i * 7 + 3) % all.size()];
    for (double (*f)(double) noexcept : {&math::exp, &math::expm1, &math::log, &math::log1p, &math::tanh,
                                         &math::sqrt, &math::normal_quantile, &math::abs})
      d.add(f(x));
    d.add(math::pow(x, y));
    if (math::abs(x) < 1e18) d.add(static_cast<std::uint64_t>(math::floor_int(x)));
    const auto turn = math::sin_cos(std::bit_cast<std::uint64_t>(x));
    d.add(turn.sin);
    d.add(turn.cos);
    d.add(math::log_factorial(static_cast<std::int64_t>(i * i)));
  }
  return d.value();
}

inline std::uint64_t of_arrays() {
  Digest d;
  std::vector<double> all = numbers(), some;
  for (const double x : all)
    if (math::abs(x) < 690) some.push_back(x);
  math::exp_each(all.data(), all.size());
  math::exp_each(some.data(), some.size());
  for (const double x : all) d.add(x);
  for (const double x : some) d.add(x);
  return d.value();
}

inline std::uint64_t of_draws() {
  Digest d;
  alignas(64) std::uint32_t words[philox_words(300)];
  for (std::uint32_t i = 0; i < 40; ++i) {
    philox_fill({i, ~i}, 0x123456789abcdefu * i, ~std::uint64_t{150} + i, words, 300);
    for (const std::uint32_t w : words) d.add(std::uint64_t{w});
    PhiloxLanes lanes;
    for (std::uint32_t k = 0; k < philox_group; ++k) lanes.seed[k] = k * i, lanes.entity[k] = ~(k + i);
    philox_fill_each(lanes, i, i << 20, words);
    for (std::uint32_t k = 0; k < philox_group_words; ++k) d.add(std::uint64_t{words[k]});
  }
  return d.value();
}

inline std::uint64_t of_vectors() {
  Digest d;
  std::vector<double> all = numbers();
  for (std::size_t i = 0; i + 4 <= all.size(); ++i) {
    d.add(std::uint64_t{simd::both_signs(Two{all[i], all[i + 1]})});
    const Four x = four(&all[i]), y = x * 3.0 + 1.0 / x - x;
    d.add(std::uint64_t{any(y > x)});
    for (int k = 0; k < 4; ++k) d.add(y[k]);
  }
  return d.value();
}

struct Known {
  const char* what;
  std::uint64_t (*found)();
  std::uint64_t wanted;
};
/// Found with GCC 12 on x86-64 (SSE2, AVX2, AVX-512) and aarch64 (NEON), at -O0, -O2 and -O3.
inline constexpr Known known[] = {{"elementary functions", of_functions, 0x6d0b21ab3518545a},
                                  {"exponentials of arrays", of_arrays, 0x43b42a47b356e7b5},
                                  {"draws", of_draws, 0xdfd756bcfd806159},
                                  {"vectors", of_vectors, 0x57328f19828b70a1}};

}  // namespace spinet::bits
