#include "train/order.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "connect/draws.hpp"

namespace spinet::train {
namespace {

/// Streams of random numbers apart from those of networks: Purpose counts up from 1.
constexpr std::uint32_t order_stream = 0x40u << 24, again_stream = order_stream + 1;
constexpr std::uint64_t for_split = std::numeric_limits<std::uint32_t>::max();  ///< in place of an epoch

}  // namespace

std::vector<std::uint32_t> order_of(std::vector<std::uint32_t> images, std::uint32_t seed,
                                    std::uint64_t epoch) {
  for (std::size_t i = images.size(); i > 1;
       --i) {  // R. Durstenfeld, "Algorithm 235: Random permutation", 1964
    const auto word = draw({seed, order_stream}, i, epoch)[0];
    const auto j = below(static_cast<std::uint32_t>(i), word, {seed, again_stream}, i, epoch);
    std::swap(images[i - 1], images[j]);
  }
  return images;
}

Split split(std::uint32_t count, double share, std::uint32_t seed) {
  std::vector<std::uint32_t> all(count);
  std::iota(all.begin(), all.end(), 0u);
  all = order_of(std::move(all), seed, for_split);
  const auto out = static_cast<std::ptrdiff_t>(std::clamp(std::round(share * count), 0.0, double{1} * count));
  Split s;
  s.validation.assign(all.begin(), all.begin() + out);
  s.training.assign(all.begin() + out, all.end());
  std::sort(s.validation.begin(), s.validation.end());
  std::sort(s.training.begin(), s.training.end());
  return s;
}

}  // namespace spinet::train
