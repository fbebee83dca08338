// Random numbers for the batteries.
#pragma once
#include <bit>
#include <cstdint>

#include "spinet/random.hpp"

namespace spinet {

/// A stream of random numbers that is the same on every machine.
class Dice {
 public:
  explicit Dice(std::uint32_t seed) : key_{seed, 0} {}
  double uniform() { return uniform01(draw(key_, 0, counter_++)[0]); }
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(uniform() * n); }

 private:
  RandomKey key_;
  std::uint64_t counter_ = 0;
};

/// Keys that are tried before random numbers are said to ignore the seed: one may give the same few numbers
/// by chance.
inline constexpr std::uint32_t other_seeds = 16;

inline bool same_bits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

}  // namespace spinet
