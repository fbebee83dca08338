// Arrivals taken several a turn.
#pragma once
#include <cstdint>

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

}  // namespace spinet
