// How an image becomes events over time: what an environment sends, and training reckons with.  Integers,
// so that both come to the same spikes.
#pragma once
#include <algorithm>
#include <cstdint>

namespace spinet::encoding {

enum class Code : std::uint32_t {
  graded,   ///< one event that carries the pixel
  current,  ///< in each step one that carries the pixel: what a constant current brings in a step
  rate,     ///< evenly spaced spikes; a pixel of 1 spikes in each step
  latency,  ///< one spike, the brighter the earlier
  events,   ///< recorded spikes: no pixels
};
/// In the order of Code.
inline constexpr const char* names = "graded current rate latency events";
inline constexpr double most_steps = 4096;

/// Of 65536; a pixel below 0 counts as 0, one above 1 as 1.
inline std::uint32_t level_of(double pixel) {
  if (!(pixel > 0)) return 0;
  return pixel < 1 ? static_cast<std::uint32_t>(pixel * 65536 + 0.5) : 65536;
}

/// Spikes of `rate` before a step: level / 65536 for each, rounded, so that `steps` times the pixel come in
/// all.
inline std::uint32_t spikes_before(std::uint32_t level, std::uint32_t step) {
  return (level * step + 32768) >> 16;
}

/// The step of the spike of `latency`; a level of 0 has none.
inline std::uint32_t step_of(std::uint32_t level, std::uint32_t steps) {
  return std::min(steps - 1, ((65536 - level) * steps) >> 16);
}

/// What a pixel sends in a step; 0: nothing.
inline double sent(Code code, double pixel, std::uint32_t step, std::uint32_t steps) {
  const std::uint32_t level = level_of(pixel);
  switch (code) {
    case Code::rate:
      return spikes_before(level, step + 1) - spikes_before(level, step);
    case Code::latency:
      return level > 0 && step_of(level, steps) == step ? 1 : 0;
    default:
      return pixel;
  }
}

}  // namespace spinet::encoding
