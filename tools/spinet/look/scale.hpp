// Round numbers for axes and bins.
#pragma once
#include <cmath>

namespace spinet::look {

/// The smallest of 1, 2, 5 times a power of ten that is not under x (x > 0).
inline double round_up(double x) {
  const double power = std::pow(10, std::floor(std::log10(x)));
  for (const double m : {1.0, 2.0, 5.0})
    if (m * power >= x * (1 - 1e-9)) return m * power;
  return 10 * power;
}

}  // namespace spinet::look
