// Which population a neuron belongs to.
#pragma once
#include <algorithm>
#include <cstdint>

#include "network/checked.hpp"

namespace spinet {

/// Index of the population that `gid` belongs to, which must be one of the network's.
inline std::uint32_t population_of(const Network& n, Gid gid) {
  const auto after = std::upper_bound(n.populations.begin(), n.populations.end(), gid, [](Gid g, const Population& p) { return g < p.first; });
  return static_cast<std::uint32_t>(after - n.populations.begin()) - 1;  // empty ones share their first gid with the next
}

}  // namespace spinet
