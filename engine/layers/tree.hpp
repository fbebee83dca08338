// Sums over the shards of a batch, in one tree: the same bits on any number of ranks.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "comm/transport.hpp"

namespace spinet::layers {

/// Which shards a rank works on: contiguous, alike in number up to one.
struct Shares {
  std::uint32_t shards;
  int ranks, rank;
  std::uint32_t first(int r) const {
    return static_cast<std::uint32_t>(std::uint64_t{shards} * static_cast<unsigned>(r) /
                                      static_cast<unsigned>(ranks));
  }
  std::uint32_t begin() const { return first(rank); }
  std::uint32_t count() const { return first(rank + 1) - begin(); }
};

/// The tree halves the shards again and again.  A rank adds up what lies on it alone, the largest subtrees it
/// has; these are exchanged, and every rank adds up the rest.
template <class N>
class TreeSum {
 public:
  using Add = void (*)(const N* from, N* to, std::size_t numbers);
  TreeSum(Transport& transport, std::uint32_t shards, Add add)
      : transport_(transport), shares_{shards, transport.size(), transport.rank()}, add_(add) {}

  /// `mine`: `numbers` of each shard of this rank, changed on the way.  Collective; returns the sums.
  std::span<const N> sum(std::span<N> mine, std::size_t numbers) {
    mine_ = mine, numbers_ = numbers;
    if (shares_.ranks == 1) {
      add_up(0, shares_.shards);
      return mine.first(numbers);
    }
    nodes_.clear();
    collect(0, shares_.shards);
    transport_.all_see(std::as_bytes(message()), seen_);
    next_.assign(static_cast<std::size_t>(shares_.ranks), 0);
    copies_ = 0;
    return {changeable(join(0, shares_.shards)), numbers};
  }

 private:
  /// The rank that has all shards from begin to before end; -1: several.
  int owner(std::uint32_t begin, std::uint32_t end) const {
    for (int r = 0; r < shares_.ranks; ++r)
      if (shares_.first(r) <= begin && end <= shares_.first(r + 1)) return r;
    return -1;
  }
  N* at(std::uint32_t shard) { return mine_.data() + (shard - shares_.begin()) * numbers_; }
  /// Into the place of the first one.
  void add_up(std::uint32_t begin, std::uint32_t end) {
    if (end - begin < 2) return;
    const std::uint32_t middle = begin + (end - begin) / 2;
    add_up(begin, middle);
    add_up(middle, end);
    add_(at(middle), at(begin), numbers_);
  }
  void collect(std::uint32_t begin, std::uint32_t end) {
    const int who = owner(begin, end);
    if (who >= 0 && who != shares_.rank) return;
    if (who == shares_.rank) {
      add_up(begin, end);
      nodes_.push_back(at(begin));
      return;
    }
    const std::uint32_t middle = begin + (end - begin) / 2;
    collect(begin, middle);
    collect(middle, end);
  }
  /// The sums of this rank's subtrees, side by side.
  std::span<const N> message() {
    if (nodes_.size() == 1) return {nodes_[0], numbers_};
    message_.clear();
    for (const N* node : nodes_) message_.insert(message_.end(), node, node + numbers_);
    return message_;
  }
  /// A sum that is this rank's to change, or another rank's.
  struct Sum {
    N* own;
    const N* seen;
  };
  N* changeable(const Sum& s) {
    if (s.own) return s.own;
    if (copies_ == scratch_.size()) scratch_.emplace_back();
    std::vector<N>& copy = scratch_[copies_++];
    copy.assign(s.seen, s.seen + numbers_);
    return copy.data();
  }
  /// Which of the two sums is added to makes no difference to their sum.
  Sum join(std::uint32_t begin, std::uint32_t end) {
    if (const int who = owner(begin, end); who >= 0) {
      const auto rank = static_cast<std::size_t>(who);
      const std::size_t node = next_[rank]++;
      if (who == shares_.rank) return {nodes_[node], nullptr};
      return {nullptr, reinterpret_cast<const N*>(seen_.of[rank].data()) + numbers_ * node};
    }
    const std::uint32_t middle = begin + (end - begin) / 2;
    const Sum left = join(begin, middle), right = join(middle, end);
    if (!left.own && right.own) {
      add_(left.seen, right.own, numbers_);
      return right;
    }
    N* const sum = changeable(left);
    add_(right.own ? right.own : right.seen, sum, numbers_);
    return {sum, nullptr};
  }

  Transport& transport_;
  const Shares shares_;
  const Add add_;
  std::span<N> mine_;
  std::size_t numbers_ = 0, copies_ = 0;
  std::vector<N*> nodes_;
  std::vector<std::size_t> next_;  ///< by rank: subtrees that are taken
  std::vector<N> message_;
  std::vector<std::vector<N>> scratch_;
  Seen seen_;
};

}  // namespace spinet::layers
