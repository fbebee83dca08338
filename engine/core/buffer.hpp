// Arrays of plain data, aligned to cache lines.  Large ones: pages straight from the kernel (huge ones where
// it can), no zeroing pass, no copy.  Small ones come from the heap: a network of some dozens of synapses has
// as many arrays as a large one.
#pragma once
#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

namespace spinet {

/// `size` elements of T, zero at first.  Moves, does not copy.  Throws std::bad_alloc.
template <class T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Buffer() = default;
  explicit Buffer(std::size_t size) : size_(size) {
    if (!size) return;
    if (bytes() <= small) {
      map_ = std::aligned_alloc(64, (bytes() + 63) / 64 * 64);
      if (!map_) throw std::bad_alloc();
      data_ = static_cast<T*>(std::memset(map_, 0, bytes()));
      return;
    }
    // From half a huge page on, aligned to whole ones: random access to a block's states then misses no page
    // table.
    constexpr std::size_t huge = std::size_t{2} << 20;
    const std::size_t slack = bytes() >= huge / 2 ? huge : 0;
    mapped_ = (bytes() + slack + slack) / (slack ? huge : 1) * (slack ? huge : 1);
    map_ = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map_ == MAP_FAILED) {
      map_ = nullptr;
      throw std::bad_alloc();
    }
    const auto at = reinterpret_cast<std::uintptr_t>(map_);
    data_ = reinterpret_cast<T*>(slack ? (at + huge - 1) / huge * huge : at);
    if (slack) madvise(data_, (bytes() + huge - 1) / huge * huge, MADV_HUGEPAGE);
  }
  Buffer(Buffer&& o) noexcept
      : data_(std::exchange(o.data_, nullptr)),
        size_(std::exchange(o.size_, 0)),
        map_(std::exchange(o.map_, nullptr)),
        mapped_(std::exchange(o.mapped_, 0)) {}
  Buffer& operator=(Buffer&& o) noexcept {
    std::swap(data_, o.data_);
    std::swap(size_, o.size_);
    std::swap(map_, o.map_);
    std::swap(mapped_, o.mapped_);
    return *this;
  }
  ~Buffer() {
    if (mapped_) munmap(map_, mapped_);
    else std::free(map_);
  }
  T* data() { return data_; }
  const T* data() const { return data_; }
  std::size_t size() const { return size_; }
  std::size_t bytes() const { return size_ * sizeof(T); }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
  static constexpr std::size_t small = 16384;
  void* map_ = nullptr;
  std::size_t mapped_ = 0;  ///< 0: from the heap
};

/// Bytes between two fences, zero at first, aligned to cache lines.
class FencedBuffer {
 public:
  explicit FencedBuffer(std::size_t size) : room_(size + 2 * fence), size_(size) {
    std::memset(room_.data(), mark, fence);
    std::memset(data() + size_, mark, fence);
  }
  std::byte* data() { return room_.data() + fence; }
  const std::byte* data() const { return room_.data() + fence; }
  /// Has nothing been written beyond either end?
  bool intact() const {
    for (std::size_t i = 0; i < fence; ++i)
      if (room_[i] != std::byte{mark} || data()[size_ + i] != std::byte{mark}) return false;
    return true;
  }

 private:
  static constexpr std::size_t fence = 64;
  static constexpr int mark = 0xA5;
  Buffer<std::byte> room_;
  std::size_t size_;
};

}  // namespace spinet
