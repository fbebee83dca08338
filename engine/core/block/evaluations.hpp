// Which neurons of a block are to be evaluated at the end of the present tick: a set that is filled by
// arrivals, often several to a neuron, and emptied in the order of the neurons.
#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace spinet {

class Evaluations {
  static constexpr std::uint32_t few = 1024;  ///< neurons that are kept as bits, of more a list

 public:
  Evaluations() = default;
  explicit Evaluations(std::uint32_t neurons)
      : list_(neurons + 1),
        marked_(neurons > few ? neurons : 0),
        bits_(neurons > few ? 0 : neurons / 64 + 2) {}
  bool empty() const { return count_ == 0; }
  template <class Index>
  void add(std::span<const Index> js) {
    if (marked_.empty()) {
      if (js.empty()) return;
      count_ = 1;
      std::uint64_t bits = 0;   // many are in one word: it stays in a register
      if (bits_.size() == 2) {  // all are
        for (const Index j : js) bits |= std::uint64_t{1} << j % 64;
        bits_[0] |= bits;
        return;
      }
      std::uint32_t word = js[0] / 64;
      for (const Index j : js) {
        if (j / 64u != word) {
          bits_[word] |= std::exchange(bits, 0);
          word = j / 64;
        }
        bits |= std::uint64_t{1} << j % 64;
      }
      bits_[word] |= bits;
      return;
    }
    std::uint32_t* const list = list_.data();
    std::uint8_t* const marked = marked_.data();
    std::uint32_t count = count_;
    if (count == marked_.size()) return;  // all are in it: what a layer hears of an image says so many times
    for (const Index j : js) {            // without a branch: what is in it already is overwritten
      list[count] = j;
      count += 1u - marked[j];
      marked[j] = 1;
    }
    count_ = count;
  }
  /// Neurons `first` and those that follow it, 1 to 64 in all.
  void add_range(std::uint32_t first, std::uint32_t count) {
    if (marked_.empty()) {
      const std::uint64_t bits = ~std::uint64_t{0} >> (64 - count);
      bits_[first / 64] |= bits << first % 64;
      if (first % 64 + count > 64) bits_[first / 64 + 1] |= bits >> (64 - first % 64);
      count_ = 1;
      return;
    }
    for (std::uint32_t j = first; j < first + count; ++j) add(std::span<const std::uint32_t>(&j, 1));
  }
  /// All of them in ascending order, and the set is empty.  What is returned holds until the next `add`.
  std::span<const std::uint32_t> take() {
    if (marked_.empty()) {
      std::uint32_t* to = list_.data();
      for (std::uint32_t word = 0; word < bits_.size(); ++word)
        for (std::uint64_t bits = std::exchange(bits_[word], 0); bits; bits &= bits - 1)
          *to++ = word * 64 + static_cast<std::uint32_t>(__builtin_ctzll(bits));
      count_ = 0;
      return {list_.data(), to};
    }
    const std::span all(list_.data(), count_);
    const bool many = count_ > marked_.size() / 16;  // then they are in order sooner than sorted
    count_ = 0;
    if (many) {
      std::uint32_t* to = list_.data();
      for (std::uint32_t j = 0; j < marked_.size(); ++j) {
        *to = j;
        to += std::exchange(marked_[j], std::uint8_t{0});
      }
      return all;
    }
    for (const auto j : all) marked_[j] = 0;
    if (!std::is_sorted(all.begin(), all.end())) std::sort(all.begin(), all.end());
    return all;
  }

 private:
  std::vector<std::uint32_t> list_;
  std::vector<std::uint8_t> marked_;  ///< by neuron; none where there are bits
  std::vector<std::uint64_t> bits_;   ///< for up to 63 neurons two words, the second never used
  std::uint32_t count_ = 0;           ///< of the list; with bits: 0 if there are none
};

}  // namespace spinet
