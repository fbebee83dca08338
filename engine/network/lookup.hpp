// Which population a neuron belongs to; what a parameter is about.
#pragma once
#include <algorithm>
#include <cstdint>

#include "network/checked.hpp"
#include "spinet/math.hpp"

namespace spinet {

/// Index of the population that `gid` belongs to, which must be one of the network's.
inline std::uint32_t population_of(const Network& n, Gid gid) {
  const auto after = std::upper_bound(n.populations.begin(), n.populations.end(), gid, [](Gid g, const Population& p) { return g < p.first; });
  return static_cast<std::uint32_t>(after - n.populations.begin()) - 1;  // empty ones share their first gid with the next
}

/// A typical value, for choices that must depend on the network alone.
inline double nominal(const Distribution& d) {
  switch (d.kind) {
    case Distribution::Kind::uniform: return 0.5 * (d.a + d.b);
    case Distribution::Kind::lognormal: return std::clamp(math::exp(d.a), d.low, d.high);
    case Distribution::Kind::listed: return d.values.empty() ? 0 : d.values[0];
    default: return d.a;
  }
}

}  // namespace spinet
