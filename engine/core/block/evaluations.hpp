// Which neurons of a block are to be evaluated at the end of the present tick: a set that is filled by
// arrivals, often several to a neuron, and emptied in the order of the neurons.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

namespace spinet {

class Evaluations {
 public:
  Evaluations() = default;
  explicit Evaluations(std::uint32_t neurons)
      : list_(neurons + 1),
        marked_(neurons > few ? neurons : 0),
        bits_(neurons > few ? 0 : neurons / 64 + 2) {}
  bool empty() const { return count_ == 0 && !many_; }
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
    std::uint8_t* const marked = marked_.data();
    if (js.size() > marked_.size() / most_noted) {
#pragma GCC unroll 4
      for (const Index j : js) marked[j] = 1;
      many_ = true;
      return;
    }
    std::uint32_t* const list = list_.data();
    std::uint32_t count = count_;
    for (const Index j : js) {  // without a branch: what is in it already is overwritten
      list[count] = j;
      count += 1u - marked[j];
      marked[j] = 1;
    }
    count_ = count;
  }
  /// Neurons `first` and those that follow it, `count` in all, at least one.
  void add_range(std::uint32_t first, std::uint32_t count) {
    if (marked_.empty()) return add_bits(first, first + count);
    if (count > marked_.size() / most_noted) {
      std::fill_n(marked_.begin() + first, count, std::uint8_t{1});
      many_ = true;
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
    const std::span all(list_.data(), std::exchange(count_, 0));
    if (std::exchange(many_, false) || all.size() > marked_.size() / 16) return take_marked();
    for (const auto j : all) marked_[j] = 0;
    if (!std::is_sorted(all.begin(), all.end())) std::sort(all.begin(), all.end());
    return all;
  }

 private:
  static constexpr std::uint32_t few = 1024;  ///< neurons that are kept as bits, of more a list
  /// An arrival at more than one in so many of a block's neurons is only marked: finding the marks again
  /// takes less than noting each.
  static constexpr std::size_t most_noted = 64;

  void add_bits(std::uint32_t first, std::uint32_t end) {
    const std::uint32_t word = first / 64, last = (end - 1) / 64;
    const std::uint64_t from = ~std::uint64_t{0} << first % 64,
                        to = ~std::uint64_t{0} >> (63 - (end - 1) % 64);
    count_ = 1;
    if (word == last) {
      bits_[word] |= from & to;
      return;
    }
    bits_[word] |= from;
    std::fill(bits_.begin() + word + 1, bits_.begin() + last, ~std::uint64_t{0});
    bits_[last] |= to;
  }
  std::span<const std::uint32_t> take_marked() {
    std::uint32_t* to = list_.data();
    std::uint8_t *const marked = marked_.data(), *const end = marked + marked_.size();
    for (std::uint8_t* m = marked; m != end;) {
      m = static_cast<std::uint8_t*>(std::memchr(m, 1, static_cast<std::size_t>(end - m)));
      if (!m) break;
      for (std::uint8_t* const stop = m + std::min<std::ptrdiff_t>(64, end - m); m != stop; ++m) {
        *to = static_cast<std::uint32_t>(m - marked);
        to += std::exchange(*m, std::uint8_t{0});
      }
    }
    return {list_.data(), to};
  }
  std::vector<std::uint32_t> list_;
  std::vector<std::uint8_t> marked_;  ///< by neuron; none where there are bits
  std::vector<std::uint64_t> bits_;   ///< for up to 63 neurons two words, the second never used
  std::uint32_t count_ = 0;           ///< of the list; with bits: 0 if there are none
  bool many_ = false;                 ///< some are marked and not in the list
};

}  // namespace spinet
