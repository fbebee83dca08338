#include "core/block/synapses.hpp"

#include <algorithm>

namespace spinet {

std::uint32_t BlockSynapses::store_of(std::uint32_t p) const {
  std::uint32_t k = 0;
  while (k < stores_.size() && !std::count(stores_[k].projections.begin(), stores_[k].projections.end(), p))
    ++k;
  return k;
}

bool BlockSynapses::connects(std::uint32_t p, Gid source, std::uint32_t target) const {
  const std::uint32_t k = store_of(p);
  for (std::uint32_t i = slices_begin(source); k < stores_.size() && i < slices_end(source); ++i) {
    const std::uint16_t* const begin = stores_[k].targets.data() + slices_[i].begin;
    if (slices_[i].store == k && std::count(begin, begin + slices_[i].count, target) > 0) return true;
  }
  return false;
}

void BlockSynapses::edges_of(std::uint32_t p, const BlockEdges& all, const EdgeVisitor& f) const {
  const std::uint32_t k = store_of(p);
  if (k == stores_.size()) return;
  std::vector<std::uint32_t> taken(
      slices_.size(), 0);  // edges of each slice so far; they came in this order when it was built
  for (const auto q : stores_[k].projections)
    all.each(q, [&](const EndingEdge& e) {
      std::uint32_t low = first_[e.source],
                    high = first_[e.source + 1];  // a source's slices lie by (store, delay)
      while (low < high) {
        const std::uint32_t middle = low + (high - low) / 2;
        if (slices_[middle].store < k || (slices_[middle].store == k && delays_[middle] < e.delay))
          low = middle + 1;
        else high = middle;
      }
      const std::uint32_t position = static_cast<std::uint32_t>(slices_[low].begin) + taken[low]++;
      if (q == p) f(e.drawn, e.target, position);
    });
}

std::uint64_t BlockSynapses::bytes() const {
  std::uint64_t n = first_.bytes() + slices_.bytes() + delays_.bytes() + number_.bytes();
  for (const auto& s : stores_)
    n += s.targets.bytes() + s.which.bytes() + s.state.bytes() + s.slice_state.bytes() + s.copies.bytes();
  return n;
}

}  // namespace spinet
