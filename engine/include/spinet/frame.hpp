// Exponential frames: between events a linear neuron is a sum of exponentials, so an arrival at t adds
// w exp(t/tau), a factor common to a whole slice.  These tables give exp(+-t/tau) at any tick of a frame
// as a product of at most four entries: the same bits wherever and whenever it is asked for.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>

#include "spinet/math.hpp"
#include "spinet/time.hpp"

namespace spinet {

/// `N` functions exp(rate[i] * offset), tabulated in four levels of 8 bits of the offset (up to 2^32 ticks).
template <int N>
struct FrameTable {
  struct alignas(N % 4 == 0 ? 32 : 8) Entry {
    double f[N];
    friend Entry operator*(const Entry& a, const Entry& b) noexcept {
      Entry r;
      for (int i = 0; i < N; ++i) r.f[i] = a.f[i] * b.f[i];
      return r;
    }
  };
  Entry level[4][256];

  /// `rate` per tick; entries that a frame of `length` ticks cannot reach stay finite but are never used.
  void prepare(const double (&rate)[N], Tick length) noexcept {
    for (int l = 0; l < 4; ++l)
      for (int i = 0; i < 256; ++i) {
        const double offset = static_cast<double>(i) * static_cast<double>(std::int64_t{1} << (8 * l));
        for (int k = 0; k < N; ++k)
          level[l][i].f[k] = offset <= static_cast<double>(length) ? math::exp(rate[k] * offset) : 0.0;
      }
  }
  /// `offset` < length; negative ones, down to -length, reach back before the frame (a train's base may lie there).
  Entry at(Tick offset) const noexcept {
    if (offset < 0) {
      Entry e = at(-offset);
      for (double& x : e.f) x = 1 / x;
      return e;
    }
    const auto o = static_cast<std::uint32_t>(offset);
    return (level[3][o >> 24] * level[2][(o >> 16) & 255]) * (level[1][(o >> 8) & 255] * level[0][o & 255]);
  }
  /// The part of a 16-bit offset, to be multiplied with `at(base)`.
  Entry low16(std::uint32_t offset) const noexcept { return level[1][offset >> 8] * level[0][offset & 255]; }
};

/// Length of a frame: the largest power of two of ticks not above `limit_ms`, at least 1 and at most 2^32.
inline Tick frame_ticks(double limit_ms, double ticks_per_ms) noexcept {
  const double limit = limit_ms * ticks_per_ms;
  Tick length = 1;
  while (length < (Tick{1} << 32) && static_cast<double>(2 * length) <= limit) length *= 2;
  return length;
}

}  // namespace spinet
