// Many Philox blocks at once: the same numbers as `draw`, with the widest integer vectors the CPU has.
#pragma once
#include <immintrin.h>
#include <cstddef>
#include <cstdint>

#include "spinet/random.hpp"

namespace spinet {

/// Blocks of one group of `philox_fill`, and the words they make.
inline constexpr std::uint32_t philox_group = 16, philox_group_words = 64;

/// Words that `out` of `philox_fill` must have room for.
constexpr std::size_t philox_words(std::uint32_t blocks) noexcept {
  return (std::size_t{blocks} + philox_group - 1) / philox_group * philox_group_words;
}

/// Where word `word` of block `counter + block` stands in the output of `philox_fill`.
constexpr std::size_t philox_place(std::uint32_t block, std::uint32_t word) noexcept {
  const std::uint32_t i = block % philox_group;
  return std::size_t{block / philox_group} * philox_group_words + word * philox_group + 2 * (i % 8) + i / 8;
}

/// The blocks of one group, where each has an entity and a seed of its own.
struct alignas(64) PhiloxLanes {
  std::uint64_t seed[philox_group], entity[philox_group];
};

namespace detail {

// One lane of 64 bits per block: a word in the lower half, anything in the upper, which the multiplication
// (32 x 32
// -> 64 bits of the lower halves) does not see.  Two vectors of blocks, i and i + 8, are woven into one at
// the end; hence the layout.  The functions differ in the width of a vector only, but an intrinsic must be
// called from a function of its own target, and a template cannot choose its target.
inline constexpr std::uint64_t philox_m0 = 0xD2511F53u, philox_m1 = 0xCD9E8D57u;
inline constexpr std::uint32_t philox_w0 = 0x9E3779B9u, philox_w1 = 0xBB67AE85u;

template <bool each>
inline void philox_groups_sse2(RandomKey key, std::uint64_t entity, std::uint64_t counter, std::uint32_t* out,
                               std::uint32_t groups, const PhiloxLanes* lanes) noexcept {
  const __m128i lane = _mm_set_epi64x(1, 0);
  const __m128i m0 = _mm_set1_epi64x(philox_m0), m1 = _mm_set1_epi64x(philox_m1);
  const __m128i lower = _mm_set1_epi64x(0xffffffff);
  __m128i keys[10][2];
  for (std::uint32_t round = 0; round < 10; ++round) {
    keys[round][0] = _mm_set1_epi64x(key.seed + round * philox_w0);
    keys[round][1] = _mm_set1_epi64x(key.stream + round * philox_w1);
  }
  for (std::uint32_t part = 0; part < 4 * groups; ++part) {
    __m128i c[2][4], seeds[2];
    for (int h = 0; h < 2; ++h) {
      const std::uint64_t first = part / 4 * philox_group + part % 4 * 2 + 8 * static_cast<std::uint64_t>(h);
      c[h][0] = each ? _mm_set1_epi64x(static_cast<long long>(counter))
                     : _mm_add_epi64(_mm_set1_epi64x(static_cast<long long>(counter + first)), lane);
      c[h][1] = _mm_srli_epi64(c[h][0], 32);
      c[h][2] = each ? _mm_load_si128(reinterpret_cast<const __m128i*>(lanes->entity + first))
                     : _mm_set1_epi64x(static_cast<long long>(entity));
      seeds[h] = each ? _mm_load_si128(reinterpret_cast<const __m128i*>(lanes->seed + first)) : lane;
      c[h][3] = _mm_srli_epi64(c[h][2], 32);
    }
#pragma GCC unroll 10
    for (int round = 0; round < 10; ++round) {
      for (int h = 0; h < 2; ++h) {
        const __m128i key0 = each ? _mm_add_epi64(keys[round][0], seeds[h]) : keys[round][0];
        const __m128i p0 = _mm_mul_epu32(c[h][0], m0), p1 = _mm_mul_epu32(c[h][2], m1);
        c[h][0] = _mm_xor_si128(_mm_xor_si128(_mm_srli_epi64(p1, 32), c[h][1]), key0);
        c[h][1] = p1;
        c[h][2] = _mm_xor_si128(_mm_xor_si128(_mm_srli_epi64(p0, 32), c[h][3]), keys[round][1]);
        c[h][3] = p0;
      }
    }
    std::uint32_t* to = out + std::size_t{part / 4} * philox_group_words + part % 4 * 4;
    for (int w = 0; w < 4; ++w)
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + w * philox_group),
                       _mm_or_si128(_mm_and_si128(c[0][w], lower), _mm_slli_epi64(c[1][w], 32)));
  }
}

template <bool each>
__attribute__((target("avx2"))) inline void philox_groups_avx2(RandomKey key, std::uint64_t entity,
                                                               std::uint64_t counter, std::uint32_t* out,
                                                               std::uint32_t groups,
                                                               const PhiloxLanes* lanes) noexcept {
  const __m256i lane = _mm256_set_epi64x(3, 2, 1, 0);
  const __m256i m0 = _mm256_set1_epi64x(philox_m0), m1 = _mm256_set1_epi64x(philox_m1);
  __m256i keys[10][2];
  for (std::uint32_t round = 0; round < 10; ++round) {
    keys[round][0] = _mm256_set1_epi64x(key.seed + round * philox_w0);
    keys[round][1] = _mm256_set1_epi64x(key.stream + round * philox_w1);
  }
  for (std::uint32_t part = 0; part < 2 * groups; ++part) {
    __m256i c[2][4], seeds[2];
    for (int h = 0; h < 2; ++h) {
      const std::uint64_t first = part / 2 * philox_group + part % 2 * 4 + 8 * static_cast<std::uint64_t>(h);
      c[h][0] = each ? _mm256_set1_epi64x(static_cast<long long>(counter))
                     : _mm256_add_epi64(_mm256_set1_epi64x(static_cast<long long>(counter + first)), lane);
      c[h][1] = _mm256_srli_epi64(c[h][0], 32);
      c[h][2] = each ? _mm256_load_si256(reinterpret_cast<const __m256i*>(lanes->entity + first))
                     : _mm256_set1_epi64x(static_cast<long long>(entity));
      seeds[h] = each ? _mm256_load_si256(reinterpret_cast<const __m256i*>(lanes->seed + first)) : lane;
      c[h][3] = _mm256_srli_epi64(c[h][2], 32);
    }
#pragma GCC unroll 10
    for (int round = 0; round < 10; ++round) {
      for (int h = 0; h < 2; ++h) {
        const __m256i key0 = each ? _mm256_add_epi64(keys[round][0], seeds[h]) : keys[round][0];
        const __m256i p0 = _mm256_mul_epu32(c[h][0], m0), p1 = _mm256_mul_epu32(c[h][2], m1);
        c[h][0] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(p1, 32), c[h][1]), key0);
        c[h][1] = p1;
        c[h][2] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(p0, 32), c[h][3]), keys[round][1]);
        c[h][3] = p0;
      }
    }
    std::uint32_t* to = out + std::size_t{part / 2} * philox_group_words + part % 2 * 8;
    for (int w = 0; w < 4; ++w)
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + w * philox_group),
                          _mm256_blend_epi32(c[0][w], _mm256_slli_epi64(c[1][w], 32), 0xaa));
  }
}

template <bool each>
__attribute__((target("avx512f"))) inline void philox_groups_avx512(RandomKey key, std::uint64_t entity,
                                                                    std::uint64_t counter, std::uint32_t* out,
                                                                    std::uint32_t groups,
                                                                    const PhiloxLanes* lanes) noexcept {
  const __m512i lane = _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
  const __m512i m0 = _mm512_set1_epi64(philox_m0), m1 = _mm512_set1_epi64(philox_m1);
  constexpr int three_way_xor = 0x96;
  constexpr __mmask8 all = 0xff;  // the forms without a mask warn of an uninitialised value in GCC 12
  __m512i keys[10][2];
  for (std::uint32_t round = 0; round < 10; ++round) {
    keys[round][0] = _mm512_set1_epi64(key.seed + round * philox_w0);
    keys[round][1] = _mm512_set1_epi64(key.stream + round * philox_w1);
  }
  for (std::uint32_t group = 0; group < groups; ++group) {
    __m512i c[2][4], seeds[2];
    for (int h = 0; h < 2; ++h) {
      const std::uint64_t first = group * std::uint64_t{philox_group} + 8 * static_cast<std::uint64_t>(h);
      c[h][0] = each ? _mm512_set1_epi64(static_cast<long long>(counter))
                     : _mm512_add_epi64(_mm512_set1_epi64(static_cast<long long>(counter + first)), lane);
      c[h][1] = _mm512_maskz_srli_epi64(all, c[h][0], 32);
      c[h][2] =
          each ? _mm512_load_si512(lanes->entity + first) : _mm512_set1_epi64(static_cast<long long>(entity));
      seeds[h] = each ? _mm512_load_si512(lanes->seed + first) : lane;
      c[h][3] = _mm512_maskz_srli_epi64(all, c[h][2], 32);
    }
#pragma GCC unroll 10
    for (int round = 0; round < 10; ++round) {
      for (int h = 0; h < 2; ++h) {
        const __m512i key0 = each ? _mm512_add_epi64(keys[round][0], seeds[h]) : keys[round][0];
        const __m512i p0 = _mm512_maskz_mul_epu32(all, c[h][0], m0),
                      p1 = _mm512_maskz_mul_epu32(all, c[h][2], m1);
        const __m512i h0 = _mm512_maskz_srli_epi64(all, p0, 32), h1 = _mm512_maskz_srli_epi64(all, p1, 32);
        c[h][0] = _mm512_ternarylogic_epi64(h1, c[h][1], key0, three_way_xor);
        c[h][1] = p1;
        c[h][2] = _mm512_ternarylogic_epi64(h0, c[h][3], keys[round][1], three_way_xor);
        c[h][3] = p0;
      }
    }
    std::uint32_t* to = out + std::size_t{group} * philox_group_words;
    for (int w = 0; w < 4; ++w)
      _mm512_storeu_si512(
          to + w * philox_group,
          _mm512_mask_blend_epi32(0xaaaa, c[0][w], _mm512_maskz_slli_epi64(all, c[1][w], 32)));
  }
}

template <bool each>
inline void philox_groups(RandomKey key, std::uint64_t entity, std::uint64_t counter, std::uint32_t* out,
                          std::uint32_t groups, const PhiloxLanes* lanes) noexcept {
  if (__builtin_cpu_supports("avx512f")) philox_groups_avx512<each>(key, entity, counter, out, groups, lanes);
  else if (__builtin_cpu_supports("avx2")) philox_groups_avx2<each>(key, entity, counter, out, groups, lanes);
  else philox_groups_sse2<each>(key, entity, counter, out, groups, lanes);
}

}  // namespace detail

/// Writes the blocks `draw(key, entity, counter)` ... `draw(key, entity, counter + blocks - 1)` to `out`, in
/// whole groups of 16 blocks: `out` must have room for `philox_words(blocks)` words, and the blocks that fill
/// up the last group are written too.  Within a group word 0 of all its blocks comes first, then word 1, 2,
/// 3; the 16 blocks of such a run stand in the order 0, 8, 1, 9, ... 7, 15 (see `philox_place`).  The same on
/// every CPU.
inline void philox_fill(RandomKey key, std::uint64_t entity, std::uint64_t counter, std::uint32_t* out,
                        std::uint32_t blocks) noexcept {
  detail::philox_groups<false>(key, entity, counter, out, (blocks + philox_group - 1) / philox_group,
                               nullptr);
}

/// One such group of `draw({lanes.seed[i], stream}, lanes.entity[i], counter)`: one tick's draws of 16
/// neurons, say.
inline void philox_fill_each(const PhiloxLanes& lanes, std::uint32_t stream, std::uint64_t counter,
                             std::uint32_t* out) noexcept {
  detail::philox_groups<true>({0, stream}, 0, counter, out, 1, &lanes);
}

}  // namespace spinet
