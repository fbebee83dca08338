// Several runs of one network, with seeds of their own, as one network: what the engine does per window,
// block and call of a model it then does once for all of them.  Every number is the same as if each had run
// alone.
#pragma once
#include <cstdint>
#include <span>

#include "network/checked.hpp"

namespace spinet {

/// `network` once for each of `seeds`, side by side: replica r of its population or projection p, and of its
/// recordings, has index p * seeds.size() + r.  A stop condition ends each replica by itself, but for its
/// samples, which go on until the last has ended.  Such a network has no checkpoints.
Network replicate(const Network& network, std::span<const std::uint32_t> seeds);

}  // namespace spinet
