// Which neurons of a block are to be evaluated at the end of the present tick: a set that is filled by arrivals, often several
// to a neuron, and emptied in the order of the neurons.
#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace spinet {

class Evaluations {
 public:
  Evaluations() = default;
  explicit Evaluations(std::uint32_t neurons) : list_(neurons + 1), marked_(neurons > 64 ? neurons : 0) {}
  bool empty() const { return (count_ | bits_) == 0; }
  template <class Index>
  void add(std::span<const Index> js) {
    if (marked_.empty()) {  // a small block is one word
      std::uint64_t bits = bits_;
      for (const Index j : js) bits |= std::uint64_t{1} << j;
      bits_ = bits;
      return;
    }
    std::uint32_t* const list = list_.data();
    std::uint8_t* const marked = marked_.data();
    std::uint32_t count = count_;
    for (const Index j : js) {  // without a branch: what is in it already is overwritten
      list[count] = j;
      count += 1u - marked[j];
      marked[j] = 1;
    }
    count_ = count;
  }
  /// Neurons of a block of at most 64, as bits.
  void add(std::uint64_t bits) { bits_ |= bits; }
  /// All of them in ascending order, and the set is empty.  What is returned holds until the next `add`.
  std::span<const std::uint32_t> take() {
    if (marked_.empty()) {
      std::uint32_t count = 0;
      for (; bits_; bits_ &= bits_ - 1) list_[count++] = static_cast<std::uint32_t>(__builtin_ctzll(bits_));
      return {list_.data(), count};
    }
    const std::span all(list_.data(), count_);
    count_ = 0;
    for (const auto j : all) marked_[j] = 0;
    if (!std::is_sorted(all.begin(), all.end())) std::sort(all.begin(), all.end());
    return all;
  }

 private:
  std::vector<std::uint32_t> list_;
  std::vector<std::uint8_t> marked_;  ///< by neuron; none in a small block
  std::uint32_t count_ = 0;
  std::uint64_t bits_ = 0;
};

}  // namespace spinet
