// What a rule draws, and with what: edges, stretch of targets by stretch of targets.
#pragma once
#include <array>
#include <cstdint>
#include <functional>

#include "connect/draws.hpp"
#include "network/checked.hpp"
#include "spinet/random_batch.hpp"

namespace spinet {

/// Targets drawn together, whatever Network::block is.
inline constexpr std::uint32_t target_stretch = 256;

/// One edge as drawn; `source` counts along the projection's concatenated sources, `target` within the
/// stretch.
struct DrawnEdge {
  std::uint32_t source;
  std::uint32_t target;
  std::uint32_t delay_word, weight_word;
  /// Index in Projection::edges, of rules that list and where weights come from a file.
  std::uint32_t listed;
};

/// Takes edges, some hundred at a time.
using EdgeTaker = std::function<void(const DrawnEdge*, std::size_t)>;

/// Collects edges and hands them on a batch at a time.
class EdgeBatch {
 public:
  explicit EdgeBatch(const EdgeTaker& take) : take_(take) {}
  void add(const DrawnEdge& e) {
    if (n_ == edges_.size()) flush();
    edges_[n_++] = e;
  }
  void flush() {
    if (n_) take_(edges_.data(), n_);
    n_ = 0;
  }

 private:
  const EdgeTaker& take_;
  std::size_t n_ = 0;
  std::array<DrawnEdge, 512> edges_;
};

/// A stretch of targets: those from `first` on, of which those with `wanted[t]` are asked for.
struct TargetStretch {
  std::uint32_t number;
  std::uint32_t first, count;
  const bool* wanted;
};

/// The edges of one projection, made ready to be drawn.  Stretches may be asked for in any order and again,
/// most often in ascending order twice.
class EdgeDrawer {
 public:
  virtual ~EdgeDrawer() = default;
  /// Adds the stretch's edges in an order that is always the same.  Those of targets that are not wanted may
  /// be left out.
  virtual void draw(const TargetStretch& stretch, EdgeBatch& to) = 0;
};

/// What random numbers of a projection's connections are keyed by: the first word of an entity, further ones
/// where it cannot be used (`below`), and how numbers are split over stretches.
struct EdgeKeys {
  RandomKey first, again, split;
  explicit EdgeKeys(const Network::Identity& projection)
      : first(stream_key(projection, Purpose::connect)),
        again(stream_key(projection, Purpose::again)),
        split(stream_key(projection, Purpose::split)) {}
};

/// The Philox blocks (entity, 0), (entity, 1), ... of a key, made many at a time.
class WordStream {
 public:
  WordStream(RandomKey key, std::uint64_t entity) : key_(key), entity_(entity) {}
  std::array<std::uint32_t, 4> next() {
    if (at_ == blocks) {
      philox_fill(key_, entity_, counter_, words_, blocks);
      counter_ += blocks;
      at_ = 0;
    }
    const std::uint32_t i = at_++;
    return {words_[philox_place(i, 0)], words_[philox_place(i, 1)], words_[philox_place(i, 2)],
            words_[philox_place(i, 3)]};
  }
  std::uint64_t counter() const { return counter_ - blocks + at_ - 1; }  ///< of the block returned last

 private:
  static constexpr std::uint32_t blocks = 128;
  RandomKey key_;
  std::uint64_t entity_, counter_ = 0;
  std::uint32_t at_ = blocks;
  std::uint32_t words_[philox_words(blocks)];
};

}  // namespace spinet
