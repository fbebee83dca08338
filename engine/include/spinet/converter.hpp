// An analogue-digital converter, as one reads a sum of currents or drives a row.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>

namespace spinet {

/// A converter of `bits` over [-range, range]: 2^bits - 1 steps of equal size, 0 among them.
struct Converter {
  std::uint32_t bits = 0;  ///< from 2 to 32; 0: none, numbers pass as they are
  double range = 0;        ///< above 0, in the unit of what is converted

  /// Steps on either side of 0.
  double steps() const { return bits == 0 ? 0 : static_cast<double>((std::uint64_t{1} << (bits - 1)) - 1); }
  double operator()(double x) const { return bits == 0 ? x : of_steps(x, steps(), range); }
  static double of_steps(double x, double steps, double range) {
    return std::clamp(std::nearbyint(x / range * steps), -steps, steps) * range / steps;
  }
};

}  // namespace spinet
