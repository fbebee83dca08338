// The processor's floating-point mode: how it rounds, and whether it flushes denormal numbers to zero.  A
// model that changes it changes what all models of its rank compute from then on, and so makes results depend
// on the number of ranks.
#pragma once
#include <cfenv>
#include <cstdint>
#include <string>

#ifdef __SSE2__
#include <xmmintrin.h>
#endif

namespace spinet {

/// The mode of the calling thread.  Looking takes some cycles.
class FloatingPointMode {
 public:
  static FloatingPointMode now() noexcept {
    FloatingPointMode m;
#if defined(__SSE2__)
    m.vector_ = _mm_getcsr() & ~flags;
    asm volatile("fnstcw %0" : "=m"(m.x87_));
#elif defined(__aarch64__)
    asm volatile("mrs %0, fpcr" : "=r"(m.vector_));
#else
    m.vector_ = static_cast<std::uint64_t>(std::fegetround());
#endif
    return m;
  }
  bool operator==(const FloatingPointMode&) const = default;
  /// Makes it the calling thread's again.
  void restore() const noexcept {
#if defined(__SSE2__)
    _mm_setcsr(static_cast<std::uint32_t>(vector_) | (_mm_getcsr() & flags));
    asm volatile("fldcw %0" : : "m"(x87_));
#elif defined(__aarch64__)
    asm volatile("msr fpcr, %0" : : "r"(vector_));
#else
    std::fesetround(static_cast<int>(vector_));
#endif
  }
  /// What is different from `before`, for people: "rounding, flushing of denormal numbers"; "" if nothing is.
  std::string changed_since(const FloatingPointMode& before) const {
    std::string what;
    const auto add = [&](bool changed, const char* name) {
      what += changed ? (what.empty() ? "" : ", ") + std::string(name) : "";
    };
    const std::uint64_t bits = vector_ ^ before.vector_;
    add(bits & rounding || (x87_ ^ before.x87_) & 0x0F00, "rounding");
    add(bits & flushing, "flushing of denormal numbers");
    add(bits & ~(rounding | flushing) || (x87_ ^ before.x87_) & ~0x0F00, "traps");
    return what;
  }

 private:
#if defined(__SSE2__)
  static constexpr std::uint32_t flags = 0x3F;  // what has happened, no mode
  static constexpr std::uint64_t rounding = 0x6000, flushing = 0x8040;
#elif defined(__aarch64__)
  static constexpr std::uint64_t rounding = 0xC00000, flushing = 0x1080000;
#else
  static constexpr std::uint64_t rounding = ~std::uint64_t{0}, flushing = 0;
#endif
  std::uint64_t vector_ = 0;
  std::uint16_t x87_ = 0;
};

/// Why a run ends in which a model has changed `what` of the mode.
inline std::string mode_reason(const std::string& what) {
  return "has changed the processor's floating-point mode (" + what +
         "); results would depend on the number of ranks";
}

}  // namespace spinet
