// Dense connections: products of a matrix with a pack, and outer products.
#pragma once
#include "layers/kernels/kernels.hpp"

namespace spinet::layers {

template <class V>
struct Dense {
  using T = typename V::Scalar;
  using u32 = std::uint32_t;
  static constexpr std::size_t lanes = V::lanes;

  template <u32 O>
  static void rows(const Product<T>& p, u32 i) {
    V sum[O];
    for (u32 o = 0; o < O; ++o) sum[o] = V::load(p.out + (i + o) * lanes);
    const T* m = p.matrix + i * p.row;
    for (u32 j = 0; j < p.ins; ++j, m += p.column) {
      const V v = V::load(p.in + j * lanes);
      for (u32 o = 0; o < O; ++o) sum[o] = V::fma(V::of(m[o * p.row]), v, sum[o]);
    }
    for (u32 o = 0; o < O; ++o) sum[o].store(p.out + (i + o) * lanes);
  }
  static void product(const Product<T>& p) {
    u32 i = 0;
    for (; i + 8 <= p.outs; i += 8) rows<8>(p, i);
    for (; i + 2 <= p.outs; i += 2) rows<2>(p, i);
    for (; i < p.outs; ++i) rows<1>(p, i);
  }

  /// Image by image: scratch[l][j] = in[j] of lane l.
  static void turn(const Outer<T>& o) {
    for (u32 j = 0; j < o.ins; ++j)
      for (u32 l = 0; l < lanes; ++l) o.scratch[std::size_t{l} * o.ins + j] = o.in[j * lanes + l];
  }
  static void half(const Outer<T>& o, u32 h) {
    const T* from = o.scratch + std::size_t{h} * half_lanes * o.ins;
    for (u32 i = 0; i < o.outs; ++i) {
      const T* d = o.gradient + i * lanes + h * half_lanes;
      T* to = o.to[h] + std::size_t{i} * o.ins;
      u32 j = 0;
      for (; j + lanes <= o.ins; j += lanes) {
        V sum = V::load(to + j);
        for (u32 l = 0; l < half_lanes; ++l)
          sum = V::fma(V::of(d[l]), V::load(from + std::size_t{l} * o.ins + j), sum);
        sum.store(to + j);
      }
      for (; j < o.ins; ++j)
        for (u32 l = 0; l < half_lanes; ++l) to[j] = V::fma(d[l], from[std::size_t{l} * o.ins + j], to[j]);
    }
  }
  static void outer(const Outer<T>& o) {
    turn(o);
    for (u32 h = 0; h < lanes / half_lanes; ++h) half(o, h);
  }
};

}  // namespace spinet::layers
