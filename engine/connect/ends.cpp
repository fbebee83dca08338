#include "connect/ends.hpp"

namespace spinet {

std::uint64_t Ends::common() const {
  auto a = projection.sources, b = projection.targets;
  const auto by_gid = [](const GidRange& x, const GidRange& y) { return x.first < y.first; };
  std::sort(a.begin(), a.end(), by_gid);
  std::sort(b.begin(), b.end(), by_gid);
  std::uint64_t n = 0;
  for (auto i = a.begin(), j = b.begin(); i != a.end() && j != b.end();) {
    const std::uint64_t end_i = std::uint64_t{i->first} + i->count,
                        end_j = std::uint64_t{j->first} + j->count;
    const std::uint64_t first = std::max(i->first, j->first), last = std::min(end_i, end_j);
    if (last > first) n += last - first;
    end_i < end_j ? ++i : ++j;
  }
  return n;
}

}  // namespace spinet
