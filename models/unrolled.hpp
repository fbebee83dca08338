// Arrivals taken several a turn.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "spinet/neuron.hpp"

namespace spinet {

/// As `in.each(f)`, four arrivals a turn: where a neuron's part of an arrival is an addition and a
/// comparison, counting them would cost as much.
template <class F>
__attribute__((always_inline)) inline void each_unrolled(const Arrivals& in, F&& f) {
  const auto all = [&](auto weight) __attribute__((always_inline)) {
#pragma GCC unroll 4
    for (std::uint32_t i = 0; i < in.count; ++i) f(in.targets[i], weight(i));
  };
  const double scale = in.scale;
  if (const float* const w = in.weights)
    all([=](std::uint32_t i) { return static_cast<double>(w[i]) * scale; });
  else if (const double* const w64 = in.weights64) all([=](std::uint32_t i) { return w64[i] * scale; });
  else all([w = in.weight * scale](std::uint32_t) { return w; });
}

/// Adds `w`, a number, to what `values` has of each target.  Where one is not below `least` then,
/// look(targets) is called for it and those beside it, at least once for each: the greatest of a few is
/// compared in place of all.
template <class Look>
__attribute__((always_inline)) inline void raise_unrolled(const Arrivals& in, double w, double* values,
                                                          double least, Look&& look) {
  constexpr std::uint32_t few = 16;
  const auto greater = [](double x, double y) { return x > y ? x : y; };
  const std::uint16_t *j = in.targets, *const end = j + in.count;
  for (; end - j >= few; j += few) {
    double most[4];
#pragma GCC unroll 16
    for (std::uint32_t k = 0; k < few; ++k) {
      const double x = values[j[k]] += w;
      most[k % 4] = k < 4 ? x : greater(most[k % 4], x);
    }
    if (!(greater(greater(most[0], most[1]), greater(most[2], most[3])) < least)) [[unlikely]]
      look(std::span(j, few));
  }
  for (; j != end; ++j)
    if (const double x = values[*j] += w; !(x < least)) [[unlikely]]
      look(std::span(j, 1));
}

}  // namespace spinet
