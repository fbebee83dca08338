// Vectors: all that is written for one instruction set, each time with a plain form beside it that gives the
// same bits.  What any x86-64 or aarch64 CPU has (SSE2, NEON) is chosen when a file is compiled, AVX2 and
// AVX-512 when the program runs.
#pragma once
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>  // not immintrin.h, which takes a compiler ten times as long to read
#elif defined(__ARM_NEON) && defined(__aarch64__)
#include <arm_neon.h>
#endif

// What is compiled twice, for any x86-64 and for one with AVX2 and BMI2, from one text: the second time with
// this attribute, with all that is called inlined.  Without contraction (-ffp-contract=off) both give the
// same bits.  `wide()`: does this CPU have them?
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define SPINET_WIDE gnu::flatten, gnu::target("arch=x86-64-v3")
#else
#define SPINET_WIDE gnu::flatten
#endif
namespace spinet::detail {
inline bool wide() noexcept {
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
#else
  return false;
#endif
}
}  // namespace spinet::detail

namespace spinet {

// Numbers at once, as vectors of GCC: each lane does the same IEEE operations on any CPU, which the compiler
// spells in what the target has.  (Clang has them, too, but forgets that a `Four` may lie at any address.)
typedef double Two __attribute__((vector_size(16), may_alias));
typedef std::int64_t TwoFlags __attribute__((vector_size(16)));
typedef double Four __attribute__((vector_size(32), aligned(8), may_alias));
typedef std::int64_t FourFlags __attribute__((vector_size(32)));

/// Four doubles that begin here, at any address.
inline Four& four(double* x) noexcept { return *reinterpret_cast<Four*>(x); }
inline const Four& four(const double* x) noexcept { return *reinterpret_cast<const Four*>(x); }

/// Is any of what a comparison of two `Four` gives true?
__attribute__((always_inline)) inline bool any(const FourFlags& x) noexcept {
  const auto two = __builtin_shufflevector(x, x, 0, 1) | __builtin_shufflevector(x, x, 2, 3);
  return (two[0] | two[1]) != 0;
}

namespace simd {

/// The forms that any compiler can make something of.
namespace plain {

/// Correctly rounded, as IEEE 754 wants it.
inline double sqrt(double x) noexcept { return __builtin_sqrt(x); }

/// Is the sign of both numbers set (of -0 and a NaN too)?
__attribute__((always_inline)) inline bool both_signs(Two x) noexcept {
  const auto bits = reinterpret_cast<TwoFlags>(x);
  return (bits[0] & bits[1]) < 0;
}

}  // namespace plain

#if defined(__SSE2__)
/// Correctly rounded; one instruction at any optimisation level, and no call of libm.
inline double sqrt(double x) noexcept { return _mm_cvtsd_f64(_mm_sqrt_sd(_mm_setzero_pd(), _mm_set_sd(x))); }
__attribute__((always_inline)) inline bool both_signs(Two x) noexcept { return _mm_movemask_pd(x) == 3; }
#elif defined(__ARM_NEON) && defined(__aarch64__)
inline double sqrt(double x) noexcept { return vget_lane_f64(vsqrt_f64(vdup_n_f64(x)), 0); }
using plain::both_signs;
#else
using plain::both_signs;
using plain::sqrt;
#endif

// Lanes of 64 bits for products of words of 32: what Philox needs (spinet/random_batch.hpp).  Each type has
//   V                      `count` lanes
//   fill(x, a)             x = a in every lane
//   number(x)              x = 0, 1, 2, ...
//   load(x, from)          from memory that is aligned as V is
//   add(x, y)              x += y
//   upper(x, y)            x = y >> 32
//   product(x, y, z)       x = lower half of y times lower half of z
//   mix(x, a, b, c)        x = a ^ b ^ c
//   weave(to, even, odd)   the lower halves in turn: even's first, odd's first, even's second, ...
// All is handed over in memory, so that what a function of any target calls may be one of a wider target:
// where everything is inlined (gnu::flatten) nothing of that is left, and where nothing is it still works.

/// One lane: plain C++.
struct Lanes1 {
  using V = std::uint64_t;
  static constexpr std::uint32_t count = 1;
  static void fill(V& x, std::uint64_t a) noexcept { x = a; }
  static void number(V& x) noexcept { x = 0; }
  static void load(V& x, const std::uint64_t* from) noexcept { x = *from; }
  static void add(V& x, const V& y) noexcept { x += y; }
  static void upper(V& x, const V& y) noexcept { x = y >> 32; }
  static void product(V& x, const V& y, const V& z) noexcept { x = (y & 0xffffffffu) * (z & 0xffffffffu); }
  static void mix(V& x, const V& a, const V& b, const V& c) noexcept { x = a ^ b ^ c; }
  static void weave(std::uint32_t* to, const V& even, const V& odd) noexcept {
    to[0] = static_cast<std::uint32_t>(even);
    to[1] = static_cast<std::uint32_t>(odd);
  }
};

/// Two lanes: SSE2 or NEON.
#if defined(__SSE2__) || (defined(__ARM_NEON) && defined(__aarch64__))
struct Lanes2 {
  typedef std::uint64_t V __attribute__((vector_size(16)));
  typedef std::uint32_t Halves __attribute__((vector_size(16)));
  static constexpr std::uint32_t count = 2;
  static void fill(V& x, std::uint64_t a) noexcept { x = V{a, a}; }
  static void number(V& x) noexcept { x = V{0, 1}; }
  static void load(V& x, const std::uint64_t* from) noexcept { x = *reinterpret_cast<const V*>(from); }
  static void add(V& x, const V& y) noexcept { x += y; }
  static void upper(V& x, const V& y) noexcept { x = y >> 32; }
  static void product(V& x, const V& y, const V& z) noexcept {
#if defined(__SSE2__)
    x = reinterpret_cast<V>(_mm_mul_epu32(reinterpret_cast<__m128i>(y), reinterpret_cast<__m128i>(z)));
#else
    x = reinterpret_cast<V>(
        vmull_u32(vmovn_u64(reinterpret_cast<uint64x2_t>(y)), vmovn_u64(reinterpret_cast<uint64x2_t>(z))));
#endif
  }
  static void mix(V& x, const V& a, const V& b, const V& c) noexcept { x = a ^ b ^ c; }
  static void weave(std::uint32_t* to, const V& even, const V& odd) noexcept {
    const V both = (even & 0xffffffffu) | odd << 32;
    __builtin_memcpy(to, &both, sizeof both);
  }
};
using BaseLanes = Lanes2;
#else
using BaseLanes = Lanes1;
#endif

#if defined(__x86_64__)
/// Four lanes.
struct LanesAvx2 {
  typedef std::uint64_t V __attribute__((vector_size(32)));
  static constexpr std::uint32_t count = 4;
  static bool here() noexcept { return __builtin_cpu_supports("avx2"); }
  [[gnu::target("avx2")]] static void fill(V& x, std::uint64_t a) noexcept { x = V{a, a, a, a}; }
  [[gnu::target("avx2")]] static void number(V& x) noexcept { x = V{0, 1, 2, 3}; }
  [[gnu::target("avx2")]] static void load(V& x, const std::uint64_t* from) noexcept {
    x = *reinterpret_cast<const V*>(from);
  }
  [[gnu::target("avx2")]] static void add(V& x, const V& y) noexcept { x += y; }
  [[gnu::target("avx2")]] static void upper(V& x, const V& y) noexcept { x = y >> 32; }
  [[gnu::target("avx2")]] static void product(V& x, const V& y, const V& z) noexcept {
    asm("vpmuludq %2, %1, %0" : "=x"(x) : "x"(y), "xm"(z));
  }
  [[gnu::target("avx2")]] static void mix(V& x, const V& a, const V& b, const V& c) noexcept {
    x = a ^ b ^ c;
  }
  [[gnu::target("avx2")]] static void weave(std::uint32_t* to, const V& even, const V& odd) noexcept {
    const V both = (even & 0xffffffffu) | odd << 32;
    __builtin_memcpy(to, &both, sizeof both);
  }
};

/// Eight lanes.
struct LanesAvx512 {
  typedef std::uint64_t V __attribute__((vector_size(64)));
  static constexpr std::uint32_t count = 8;
  static bool here() noexcept { return __builtin_cpu_supports("avx512f"); }
  [[gnu::target("avx512f")]] static void fill(V& x, std::uint64_t a) noexcept {
    x = V{a, a, a, a, a, a, a, a};
  }
  [[gnu::target("avx512f")]] static void number(V& x) noexcept { x = V{0, 1, 2, 3, 4, 5, 6, 7}; }
  [[gnu::target("avx512f")]] static void load(V& x, const std::uint64_t* from) noexcept {
    x = *reinterpret_cast<const V*>(from);
  }
  [[gnu::target("avx512f")]] static void add(V& x, const V& y) noexcept { x += y; }
  [[gnu::target("avx512f")]] static void upper(V& x, const V& y) noexcept { x = y >> 32; }
  [[gnu::target("avx512f")]] static void product(V& x, const V& y, const V& z) noexcept {
    asm("vpmuludq %2, %1, %0" : "=v"(x) : "v"(y), "vm"(z));
  }
  [[gnu::target("avx512f")]] static void mix(V& x, const V& a, const V& b, const V& c) noexcept {
    V all = a;
    asm("vpternlogq $0x96, %2, %1, %0" : "+v"(all) : "v"(b), "vm"(c));
    x = all;
  }
  [[gnu::target("avx512f")]] static void weave(std::uint32_t* to, const V& even, const V& odd) noexcept {
    const V both = (even & 0xffffffffu) | odd << 32;
    __builtin_memcpy(to, &both, sizeof both);
  }
};
#endif

}  // namespace simd
}  // namespace spinet
