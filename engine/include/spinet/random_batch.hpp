// Many Philox blocks at once: the same numbers as `draw`, with the widest vectors that the CPU has.
#pragma once
#include <cstddef>
#include <cstdint>

#include "spinet/random.hpp"
#include "spinet/simd.hpp"

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

/// Groups of blocks: of one entity, from `counter` on; or at this counter those of `lanes`, whose seeds are
/// added to the key.
struct PhiloxGroups {
  RandomKey key;
  std::uint64_t entity, counter;
  std::uint32_t count;
  const PhiloxLanes* lanes;
};

// One lane of 64 bits per block: a word in the lower half, anything in the upper, which the multiplication
// (32 x 32 -> 64 bits of the lower halves) does not see.  Two vectors of blocks, i and i + 8, are woven into
// one at the end; hence the layout.
template <class Lanes, bool each>
inline void philox_groups_of(const PhiloxGroups& groups, std::uint32_t* out) noexcept {
  const auto [key, entity, counter, count, lanes] = groups;
  using V = typename Lanes::V;
  constexpr std::uint32_t parts = 8 / Lanes::count;  // of a group
  V m0, m1, numbers, keys[10][2];
  Lanes::fill(m0, 0xD2511F53u);
  Lanes::fill(m1, 0xCD9E8D57u);
  Lanes::number(numbers);
  for (std::uint32_t round = 0; round < 10; ++round) {
    Lanes::fill(keys[round][0], key.seed + round * 0x9E3779B9u);
    Lanes::fill(keys[round][1], key.stream + round * 0xBB67AE85u);
  }
  for (std::uint32_t part = 0; part < parts * count; ++part) {
    V c[2][4], seeds[2];
    for (std::uint32_t h = 0; h < 2; ++h) {
      const std::uint64_t first =
          std::uint64_t{part / parts} * philox_group + part % parts * Lanes::count + 8 * h;
      Lanes::fill(c[h][0], each ? counter : counter + first);
      if (!each) Lanes::add(c[h][0], numbers);
      Lanes::upper(c[h][1], c[h][0]);
      if (each) Lanes::load(c[h][2], lanes->entity + first), Lanes::load(seeds[h], lanes->seed + first);
      else Lanes::fill(c[h][2], entity);
      Lanes::upper(c[h][3], c[h][2]);
    }
#pragma GCC unroll 10
    for (int round = 0; round < 10; ++round) {
      for (int h = 0; h < 2; ++h) {
        V key0 = keys[round][0], p0, p1, high;
        if (each) Lanes::add(key0, seeds[h]);
        Lanes::product(p0, c[h][0], m0);
        Lanes::product(p1, c[h][2], m1);
        Lanes::upper(high, p1);
        Lanes::mix(c[h][0], high, c[h][1], key0);
        c[h][1] = p1;
        Lanes::upper(high, p0);
        Lanes::mix(c[h][2], high, c[h][3], keys[round][1]);
        c[h][3] = p0;
      }
    }
    std::uint32_t* to =
        out + std::size_t{part / parts} * philox_group_words + part % parts * (2 * Lanes::count);
    for (int w = 0; w < 4; ++w) Lanes::weave(to + w * philox_group, c[0][w], c[1][w]);
  }
}

#if defined(__x86_64__)
template <bool each>
[[gnu::flatten, gnu::target("avx2")]] inline void philox_groups_avx2(const PhiloxGroups& groups,
                                                                     std::uint32_t* out) noexcept {
  philox_groups_of<simd::LanesAvx2, each>(groups, out);
}
template <bool each>
[[gnu::flatten, gnu::target("avx512f")]] inline void philox_groups_avx512(const PhiloxGroups& groups,
                                                                          std::uint32_t* out) noexcept {
  philox_groups_of<simd::LanesAvx512, each>(groups, out);
}
#endif

template <bool each>
inline void philox_groups(const PhiloxGroups& groups, std::uint32_t* out) noexcept {
#if defined(__x86_64__)
  if (simd::LanesAvx512::here()) return philox_groups_avx512<each>(groups, out);
  if (simd::LanesAvx2::here()) return philox_groups_avx2<each>(groups, out);
#endif
  philox_groups_of<simd::BaseLanes, each>(groups, out);
}

}  // namespace detail

/// Writes the blocks `draw(key, entity, counter)` ... `draw(key, entity, counter + blocks - 1)` to `out`, in
/// whole groups of 16 blocks: `out` must have room for `philox_words(blocks)` words, and the blocks that fill
/// up the last group are written too.  Within a group word 0 of all its blocks comes first, then word 1, 2,
/// 3; the 16 blocks of such a run stand in the order 0, 8, 1, 9, ... 7, 15 (see `philox_place`).  The same on
/// every CPU.
inline void philox_fill(RandomKey key, std::uint64_t entity, std::uint64_t counter, std::uint32_t* out,
                        std::uint32_t blocks) noexcept {
  detail::philox_groups<false>({key, entity, counter, (blocks + philox_group - 1) / philox_group, nullptr},
                               out);
}

/// One such group of `draw({lanes.seed[i], stream}, lanes.entity[i], counter)`: one tick's draws of 16
/// neurons, say.
inline void philox_fill_each(const PhiloxLanes& lanes, std::uint32_t stream, std::uint64_t counter,
                             std::uint32_t* out) noexcept {
  detail::philox_groups<true>({{0, stream}, 0, counter, 1, &lanes}, out);
}

}  // namespace spinet
