// Arrivals beyond the reach of a ring: kept by chunks of windows, as long as a ring is, and handed to the ring when the first
// window of their chunk has come.  Memory and time follow what is there, not how far ahead it is.
#pragma once
#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

namespace spinet {

template <class Item>
class Far {
 public:
  struct Entry {
    std::uint64_t window;
    Item item;
  };
  Far() = default;
  /// A chunk has `size` windows, a power of two.
  explicit Far(std::uint64_t size) : size_(size) {}
  bool empty() const { return chunks_.empty(); }
  void put(std::uint64_t window, const Item& item) {
    Chunk& c = chunks_[window / size_];
    c.entries.push_back({window, item});
    c.first = std::min(c.first, window);
  }
  /// The first window with arrivals; only where there are some.
  std::uint64_t first() const { return chunks_.begin()->second.first; }
  /// Hands over what lies in the chunks up to that of `window`, in the order in which it came.
  template <class Take>
  void reached(std::uint64_t window, Take&& take) {
    while (!chunks_.empty() && chunks_.begin()->first <= window / size_) {
      for (const Entry& e : chunks_.begin()->second.entries) take(e);
      chunks_.erase(chunks_.begin());
    }
  }
  template <class See>
  void each(See&& see) const {
    for (const auto& [number, chunk] : chunks_)
      for (const Entry& e : chunk.entries) see(e);
  }
  void clear() { chunks_.clear(); }

 private:
  struct Chunk {
    std::uint64_t first = ~std::uint64_t{0};
    std::vector<Entry> entries;
  };
  std::uint64_t size_ = 1;
  std::map<std::uint64_t, Chunk> chunks_;
};

}  // namespace spinet
