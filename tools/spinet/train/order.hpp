// In which order images are trained on, and which ones are left out to validate with: draws keyed by seed and
// epoch, so that any epoch can be begun by itself.
#pragma once
#include <cstdint>
#include <vector>

namespace spinet::train {

/// Numbers of images, ascending.
struct Split {
  std::vector<std::uint32_t> training, validation;
};

/// Leaves `share` of `count` images out, rounded to the nearest number.
Split split(std::uint32_t count, double share, std::uint32_t seed);

/// The images in the order of an epoch.
std::vector<std::uint32_t> order_of(std::vector<std::uint32_t> images, std::uint32_t seed,
                                    std::uint64_t epoch);

}  // namespace spinet::train
