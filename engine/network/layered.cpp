#include "network/layered.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace spinet::layers {

double Training::rate_in(std::uint32_t epoch, std::uint32_t of) const {
  switch (schedule) {
    case Schedule::step:
      return rate * std::pow(factor, epoch / every);
    case Schedule::cosine:
      return least +
             (rate - least) * 0.5 * (1 + std::cos(std::numbers::pi * epoch / std::max<std::uint32_t>(of, 1)));
    default:
      return rate;
  }
}

}  // namespace spinet::layers
