// What is on its way between neurons.
#pragma once
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "spinet/time.hpp"

namespace spinet {

/// A spike or graded event on its way.
struct Emission {
  Tick tick;
  double payload;
  Gid gid;
  std::uint32_t reserved = 0;  ///< no padding: checkpoints hold these as bytes
};

/// A vector whose memory is kept from one window to the next, and which grows without being written.
template <class T>
class Reused {
 public:
  Reused() = default;
  Reused(Reused&& o) noexcept { swap(o); }
  Reused& operator=(Reused&& o) noexcept { return swap(o), *this; }
  T* data() { return all_.data(); }
  const T* begin() const { return all_.data(); }
  const T* end() const { return all_.data() + size_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const T& front() const { return all_.front(); }
  void clear() { size_ = 0; }
  void push_back(const T& e) { *room(1) = e, ++size_; }
  /// Where the next `n` may be written ...
  T* room(std::size_t n) {
    if (size_ + n > all_.size()) all_.resize(2 * (size_ + n));
    return all_.data() + size_;
  }
  /// ... and that they have been, up to `end`.
  void filled(const T* end) { size_ = static_cast<std::size_t>(end - all_.data()); }
  void swap(Reused& o) {
    all_.swap(o.all_);
    std::swap(size_, o.size_);
  }

 private:
  std::vector<T> all_;
  std::size_t size_ = 0;
};

using Emissions = Reused<Emission>;

}  // namespace spinet
