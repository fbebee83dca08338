// Pools, and planes copied into larger ones.
#pragma once
#include "layers/kernels/kernels.hpp"

namespace spinet::layers {

template <class V>
struct Pools {
  using T = typename V::Scalar;
  using u32 = std::uint32_t;
  static constexpr std::size_t lanes = V::lanes;

  template <class F>
  static void whole(const Geometry& g, u32 y, u32 x, F f) {
    const std::size_t row = std::size_t{g.in[1]} * lanes,
                      first = y * g.stride[0] * row + x * g.stride[1] * lanes;
    if (g.size[0] == 2 && g.size[1] == 2 && g.dilation[0] == 1 && g.dilation[1] == 1) {
      f(first), f(first + lanes), f(first + row), f(first + row + lanes);
      return;
    }
    for (u32 i = 0; i < g.size[0]; ++i)
      for (u32 j = 0; j < g.size[1]; ++j) f(first + i * g.dilation[0] * row + j * g.dilation[1] * lanes);
  }
  /// Calls f(place in a plane of the input) for what of the window of output (y, x) lies in it.
  template <class F>
  static void window(const Geometry& g, u32 y, u32 x, F f) {
    if (g.padding[0] == 0 && g.padding[1] == 0) return whole(g, y, x, f);
    for (u32 i = 0; i < g.size[0]; ++i) {
      const u32 row = y * g.stride[0] + i * g.dilation[0] - g.padding[0];  // below 0: wraps, large
      if (row >= g.in[0]) continue;
      for (u32 j = 0; j < g.size[1]; ++j) {
        const u32 column = x * g.stride[1] + j * g.dilation[1] - g.padding[1];
        if (column < g.in[1]) f((std::size_t{row} * g.in[1] + column) * lanes);
      }
    }
  }
  /// Calls f(begin of the input's plane, place of the output, y, x) for all outputs.
  template <class F>
  static void outputs(const Geometry& g, u32 channels, F f) {
    std::size_t to = 0;
    for (u32 c = 0; c < channels; ++c)
      for (u32 y = 0; y < g.out[0]; ++y)
        for (u32 x = 0; x < g.out[1]; ++x, to += lanes)
          f(std::size_t{c} * g.in[0] * g.in[1] * lanes, to, y, x);
  }

  static void pool(const Pooling<T>& p) {
    const V factor = V::of(p.factor);
    outputs(p.geometry, p.channels, [&](std::size_t plane, std::size_t to, u32 y, u32 x) {
      V sum = V::of(0);
      window(p.geometry, y, x, [&](std::size_t at) { sum = sum + V::load(p.in + plane + at); });
      V::fma(sum, factor, V::load(p.out + to)).store(p.out + to);
    });
  }
  static void pool_back(const PoolingBack<T>& p) {
    const V factor = V::of(p.factor);
    outputs(p.geometry, p.channels, [&](std::size_t plane, std::size_t from, u32 y, u32 x) {
      const V back = V::load(p.out_gradient + from) * factor;
      T* to = p.in_gradient + plane;
      if (p.covers) whole(p.geometry, y, x, [&](std::size_t at) { back.store(to + at); });
      else window(p.geometry, y, x, [&](std::size_t at) { (V::load(to + at) + back).store(to + at); });
    });
  }
  static void maximum(const Pooling<T>& p) {
    outputs(p.geometry, p.channels, [&](std::size_t plane, std::size_t to, u32 y, u32 x) {
      bool any = false;
      V most = V::of(0);
      window(p.geometry, y, x, [&](std::size_t at) {
        const V v = V::load(p.in + plane + at);
        most = any ? V::max(most, v) : v;
        any = true;
      });
      most.store(p.out + to);
    });
  }
  static void maximum_back(const PoolingBack<T>& p) {
    outputs(p.geometry, p.channels, [&](std::size_t plane, std::size_t from, u32 y, u32 x) {
      V back = V::load(p.out_gradient + from);
      const V most = V::load(p.out + from), none = V::of(0);
      T* to = p.in_gradient + plane;
      window(p.geometry, y, x, [&](std::size_t at) {
        const auto here = V::at_least(V::load(p.in + plane + at), most);
        (V::load(to + at) + V::select(here, back, none)).store(to + at);
        back = V::select(here, none, back);
      });
    });
  }

  static void spread(const Spread<T>& s) {
    const std::size_t size = std::size_t{s.to_size[0]} * s.to_size[1];
    const V none = V::of(0);
    for (u32 c = 0; c < s.channels; ++c) {
      T* to = s.to + c * size * lanes;
      for (std::size_t i = 0; i < size; ++i) none.store(to + i * lanes);
      const T* from = s.from + std::size_t{c} * s.from_size[0] * s.from_size[1] * lanes;
      for (u32 y = 0; y < s.from_size[0]; ++y) {
        const u32 row = y * s.step[0] + static_cast<u32>(s.before[0]);
        if (row >= s.to_size[0]) continue;
        for (u32 x = 0; x < s.from_size[1]; ++x) {
          const u32 column = x * s.step[1] + static_cast<u32>(s.before[1]);
          if (column < s.to_size[1])
            V::load(from + (std::size_t{y} * s.from_size[1] + x) * lanes)
                .store(to + (std::size_t{row} * s.to_size[1] + column) * lanes);
        }
      }
    }
  }
};

}  // namespace spinet::layers
