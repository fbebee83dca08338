// Memory between fences, and a watch over the floating-point mode.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "core/arithmetic.hpp"

namespace spinet {

/// Zeroed bytes between two fences, aligned to 64: a write past either end is seen.
class Fenced {
 public:
  /// `beyond`: bytes past the end that a write may reach without damage elsewhere, the first 64 of them
  /// watched.
  explicit Fenced(std::size_t size, std::size_t beyond = fence)
      : size_(size), beyond_(beyond), room_(fence + 64 + size + beyond) {
    const auto at = reinterpret_cast<std::uintptr_t>(room_.data());
    begin_ = (at + fence + 63) / 64 * 64 - at;
    std::memset(data() - fence, mark, fence);
    std::memset(data() + size_, mark, fence);
  }
  Fenced(const Fenced& o) : Fenced(o.size_, o.beyond_) { std::memcpy(data(), o.data(), size_); }
  Fenced& operator=(const Fenced&) = delete;
  std::byte* data() { return room_.data() + begin_; }
  const std::byte* data() const { return room_.data() + begin_; }
  std::size_t size() const { return size_; }
  bool intact() const {
    for (std::size_t i = 0; i < fence; ++i)
      if (data()[size_ + i] != std::byte{mark} || *(data() - 1 - i) != std::byte{mark}) return false;
    return true;
  }
  bool same_bytes(const Fenced& o) const {
    return size_ == o.size_ && std::memcmp(data(), o.data(), size_) == 0;
  }

 private:
  static constexpr std::size_t fence = 64;
  static constexpr int mark = 0xA5;
  std::size_t size_, beyond_, begin_ = 0;
  std::vector<std::byte> room_;
};

/// Around a call into a model: notes in `trouble` that the call has changed the floating-point mode, and
/// makes it what it was.
class ModeWatch {
 public:
  ModeWatch(const char* what, std::string& trouble) : what_(what), trouble_(trouble) {}
  ~ModeWatch() {
    const auto now = FloatingPointMode::now();
    if (now == before_) return;
    before_.restore();
    if (trouble_.empty())
      trouble_ = std::string("`") + what_ + "` has changed it: " + now.changed_since(before_);
  }
  ModeWatch(const ModeWatch&) = delete;

 private:
  const char* what_;
  std::string& trouble_;
  FloatingPointMode before_ = FloatingPointMode::now();
};

}  // namespace spinet
