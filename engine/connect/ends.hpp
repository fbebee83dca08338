// The neurons of a projection in their order: what rules count and draw between.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "network/checked.hpp"

namespace spinet {

/// Sources and targets are counted along the concatenated ranges of the projection.
class Ends {
 public:
  Ends(const Network& n, const Projection& p)
      : network(n),
        projection(p),
        sources(static_cast<std::uint32_t>(p.source_count())),
        targets(static_cast<std::uint32_t>(p.target_count())) {}

  Gid source_gid(std::uint32_t source) const { return locate(projection.sources, source); }
  Gid target_gid(std::uint32_t target) const { return locate(projection.targets, target); }
  /// Place of `gid` among the targets, or `targets`.
  std::uint32_t target_index(Gid gid) const {
    std::uint32_t before = 0;
    for (const auto& r : projection.targets) {
      if (gid - r.first < r.count) return before + (gid - r.first);
      before += r.count;
    }
    return targets;
  }
  /// Neurons that are source and target.
  std::uint64_t common() const;
  /// Pairs of a source and a target that may be connected.
  double pairs() const {
    const double all = static_cast<double>(sources) * static_cast<double>(targets);
    return projection.autapses ? all : all - static_cast<double>(common());
  }

  const Network& network;
  const Projection& projection;
  const std::uint32_t sources, targets;

 private:
  static Gid locate(const std::vector<GidRange>& ranges, std::uint32_t i) {
    std::size_t r = 0;
    while (i >= ranges[r].count) i -= ranges[r++].count;
    return ranges[r].first + i;
  }
};

}  // namespace spinet
