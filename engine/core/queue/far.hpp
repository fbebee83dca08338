// Arrivals beyond the reach of a ring: kept by chunks of windows, as long as a ring is, and handed to the
// ring when the first window of their chunk has come.  Memory and time follow what is there, not how far
// ahead it is.
#pragma once
#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace spinet {

/// A queue in pieces that never move: none of it is copied when it grows, and little is unused.
template <class T>
class Pieces {
 public:
  void push_back(const T& x) {
    if (left_ == 0) {
      left_ = pieces_.size() < 7 ? std::size_t{4} << pieces_.size() : 512;
      pieces_.emplace_back().reserve(left_);
    }
    pieces_.back().push_back(x);
    --left_;
  }
  std::size_t count() const { return pieces_.size(); }
  const std::vector<T>& operator[](std::size_t piece) const { return pieces_[piece]; }
  void give_back(std::size_t piece) { std::vector<T>().swap(pieces_[piece]); }

 private:
  std::vector<std::vector<T>> pieces_;
  std::size_t left_ = 0;  ///< places of the last piece that are free
};

/// What arrivals carry: 1 all of them, or each a number.
enum class Payloads { all_one, each };

template <class Item>
class Far {
 public:
  Far() = default;
  /// A chunk has `size` windows, a power of two below 2^32.
  Far(std::uint64_t size, Payloads payloads) : size_(size), graded_(payloads == Payloads::each) {}
  bool empty() const { return chunks_.empty(); }
  void put(std::uint64_t window, const Item& item, double payload) {
    Chunk& c = chunks_[window / size_];
    const auto place = static_cast<std::uint32_t>(window % size_);
    c.entries.push_back({place, item});
    if (graded_) c.payloads.push_back(payload);
    c.first = std::min(c.first, place);
  }
  /// The first window with arrivals; only where there are some.
  std::uint64_t first() const { return chunks_.begin()->first * size_ + chunks_.begin()->second.first; }
  /// Hands over what lies in the chunks up to that of `window`, in the order in which it came: take(window,
  /// item, payload).
  template <class Take>
  void reached(std::uint64_t window, Take&& take) {
    while (!chunks_.empty() && chunks_.begin()->first <= window / size_) {
      auto& [number, chunk] = *chunks_.begin();
      for (std::size_t p = 0; p < chunk.entries.count(); ++p) {
        see_piece(number, chunk, p, take);
        chunk.entries.give_back(p);
      }
      chunks_.erase(chunks_.begin());
    }
  }
  template <class See>
  void each(See&& see) const {
    for (const auto& [number, chunk] : chunks_)
      for (std::size_t p = 0; p < chunk.entries.count(); ++p) see_piece(number, chunk, p, see);
  }
  void clear() { chunks_.clear(); }

 private:
  struct Entry {
    std::uint32_t window;  ///< in its chunk
    Item item;
  };
  struct Chunk {
    std::uint32_t first = ~std::uint32_t{0};
    Pieces<Entry> entries;
    Pieces<double> payloads;  ///< as long as `entries`, or empty
  };
  template <class See>
  void see_piece(std::uint64_t number, const Chunk& chunk, std::size_t p, See&& see) const {
    const auto& some = chunk.entries[p];
    for (std::size_t i = 0; i < some.size(); ++i)
      see(number * size_ + some[i].window, some[i].item, graded_ ? chunk.payloads[p][i] : 1.0);
  }
  std::uint64_t size_ = 1;
  bool graded_ = false;
  std::map<std::uint64_t, Chunk> chunks_;
};

}  // namespace spinet
