// Random numbers against Random123, the reference implementation of Philox.
#include "spinet/random.hpp"

#include <Random123/philox.h>

#include <algorithm>
#include <array>
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <vector>

#include "spinet/random_batch.hpp"
#include "support/bits.hpp"

namespace {

using spinet::RandomKey;
using spinet::Words;

Words reference(RandomKey key, std::uint64_t entity, std::uint64_t counter) {
  const r123::Philox4x32::ctr_type c = {
      {static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32),
       static_cast<std::uint32_t>(entity), static_cast<std::uint32_t>(entity >> 32)}};
  const r123::Philox4x32::key_type k = {{key.seed, key.stream}};
  const auto r = r123::Philox4x32()(c, k);
  return {r[0], r[1], r[2], r[3]};
}

struct Point {
  RandomKey key;
  std::uint64_t entity, counter;
};
/// Points with every 32-bit word at its ends and in between, and counters that carry into their upper word.
std::vector<Point> points() {
  std::vector<Point> all = {{{0, 0}, 0, 0},
                            {{~0u, ~0u}, ~0ull, ~0ull - 500},
                            {{1, 2}, 3, 0xfffffff0u},
                            {{42, 7}, 0x123456789abcdefull, 0xfffffffffffffff5ull},  // carries out of 64 bits
                            {{7, 0x80000000u}, 0xffffffffu, 0x7fffffffffffffffull}};
  for (std::uint64_t i = 0; i < 200; ++i) {
    const Words a = reference({99, 1}, i, 0), b = reference({99, 2}, i, 1);
    all.push_back({{a[0], a[1]}, (std::uint64_t{a[2]} << 32) | a[3], (std::uint64_t{b[0]} << 32) | b[1]});
  }
  return all;
}

using Groups = void (*)(const spinet::detail::PhiloxGroups&, std::uint32_t*) noexcept;

void check_groups(Groups fill, Groups fill_each) {
  constexpr std::uint32_t groups = 5, words = groups * spinet::philox_group_words;
  for (const bool each : {false, true})
    for (const Point& p : points()) {
      std::vector<std::uint32_t> out(words + 8, 0xdeadbeef);
      spinet::PhiloxLanes lanes;
      for (std::uint32_t i = 0; i < spinet::philox_group; ++i)
        lanes.seed[i] = p.key.seed ^ (0x61c88647u * i), lanes.entity[i] = p.entity * (i + 1);
      if (each) fill_each({{0, p.key.stream}, 0, p.counter, 1, &lanes}, out.data());
      else fill({p.key, p.entity, p.counter, groups, nullptr}, out.data());
      for (std::uint32_t b = 0; b < (each ? 1 : groups) * spinet::philox_group; ++b) {
        const Words expected = each ? reference({static_cast<std::uint32_t>(lanes.seed[b]), p.key.stream},
                                                lanes.entity[b], p.counter)
                                    : reference(p.key, p.entity, p.counter + b);
        for (std::uint32_t w = 0; w < 4; ++w) REQUIRE(out[spinet::philox_place(b, w)] == expected[w]);
      }
      REQUIRE(std::all_of(out.begin() + words, out.end(), [](std::uint32_t w) { return w == 0xdeadbeef; }));
    }
}

}  // namespace

TEST_CASE("a block of Philox is that of Random123", "[random]") {
  for (const Point& p : points())
    REQUIRE(spinet::draw(p.key, p.entity, p.counter) == reference(p.key, p.entity, p.counter));
}

TEST_CASE("many blocks of Philox are those of Random123 on every instruction set", "[random]") {
  using namespace spinet::simd;
  SECTION("none") {
    check_groups(spinet::detail::philox_groups_of<Lanes1, false>,
                 spinet::detail::philox_groups_of<Lanes1, true>);
  }
  SECTION("SSE2 or NEON") {
    check_groups(spinet::detail::philox_groups_of<BaseLanes, false>,
                 spinet::detail::philox_groups_of<BaseLanes, true>);
  }
#ifdef __x86_64__
  SECTION("AVX2") {
    if (LanesAvx2::here())
      check_groups(spinet::detail::philox_groups_avx2<false>, spinet::detail::philox_groups_avx2<true>);
    else WARN("this CPU has no AVX2: not tested");
  }
  SECTION("AVX-512") {
    if (LanesAvx512::here())
      check_groups(spinet::detail::philox_groups_avx512<false>, spinet::detail::philox_groups_avx512<true>);
    else WARN("this CPU has no AVX-512: not tested");
  }
#endif
}

TEST_CASE("functions, draws and vectors have the bits that they have on every machine", "[random][math]") {
  for (const auto& k : spinet::bits::known) {
    INFO(k.what);
    CHECK(k.found() == k.wanted);
  }
}

TEST_CASE("what an instruction set does equals the plain form", "[random]") {
  const double some[] = {0.0, -0.0, 1.5, -1.5, 0x1p-1074, -0x1p-1074, 1e308, -1e308, 2, 1 / 3.0};
  std::size_t wrong = 0;
  for (const double x : some)
    for (const double y : some) {
      const spinet::Two two = {x, y};
      const bool both = std::signbit(x) && std::signbit(y);
      wrong += spinet::simd::both_signs(two) != both;
      wrong += spinet::simd::plain::both_signs(two) != both;
    }
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const Words w = reference({3, 4}, i, 0);
    const double x = std::abs(std::bit_cast<double>((std::uint64_t{w[0]} << 32) | w[1]));
    if (!(x <= 1e308)) continue;
    wrong += spinet::simd::sqrt(x) != spinet::simd::plain::sqrt(x);
    wrong += spinet::simd::sqrt(x) != std::sqrt(x);
  }
  CHECK(wrong == 0);
}

TEST_CASE("philox_fill writes any number of blocks in whole groups", "[random]") {
  const RandomKey key{5, 6};
  for (const std::uint32_t blocks : {0u, 1u, 15u, 16u, 17u, 75u, 256u}) {
    const std::size_t words = spinet::philox_words(blocks);
    REQUIRE(words >= std::size_t{blocks} * 4);
    REQUIRE(words < std::size_t{blocks} * 4 + spinet::philox_group_words);
    std::vector<std::uint32_t> out(words + 1, 0xdeadbeef);
    spinet::philox_fill(key, 8, 1000, out.data(), blocks);
    for (std::uint32_t b = 0; b < blocks; ++b)
      for (std::uint32_t w = 0; w < 4; ++w)
        REQUIRE(out[spinet::philox_place(b, w)] == spinet::draw(key, 8, 1000 + b)[w]);
    REQUIRE(out.back() == 0xdeadbeef);
  }
  // The places of a group's words are a permutation.
  std::array<bool, spinet::philox_group_words> seen{};
  for (std::uint32_t b = 0; b < spinet::philox_group; ++b)
    for (std::uint32_t w = 0; w < 4; ++w) seen[spinet::philox_place(b, w)] = true;
  CHECK(std::all_of(seen.begin(), seen.end(), [](bool s) { return s; }));
}

TEST_CASE("uniform01 stays inside (0, 1)", "[random]") {
  CHECK(spinet::uniform01(0) > 0);
  CHECK(spinet::uniform01(~0u) < 1);
  CHECK(spinet::uniform01(0, 0) > 0);
  CHECK(spinet::uniform01(~0u, ~0u) < 1);
  CHECK(spinet::uniform01(0x80000000u, 0) > 0.5);
  CHECK(spinet::uniform01(0x7fffffffu, ~0u) < 0.5);
}
