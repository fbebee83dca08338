// Which table of kernels this machine's processor runs best; all give the same bits.
#pragma once
#include <cstdint>

#include "layers/kernels/kernels.hpp"

namespace spinet::layers {

/// Vectors of 16 images are for ranks that have at least two shards.
inline const Kernels<float>& best_kernels(std::uint32_t shards, int ranks) {
  if (const auto* wide = avx512_kernels(); wide && shards >= 2 * static_cast<std::uint32_t>(ranks))
    return *wide;
  if (const auto* narrow = avx2_kernels()) return *narrow;
  return *plain_kernels();
}

}  // namespace spinet::layers
