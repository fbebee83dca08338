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
  /// Of outs i to i + O, of H halves from h on that have one target.
  template <u32 O, u32 H>
  static void outs(const Outer<T>& o, u32 h, u32 i) {
    const T* const from = o.scratch + std::size_t{h} * half_lanes * o.ins;
    const T* const d = o.gradient + i * lanes + h * half_lanes;
    T* const to = o.to[h] + std::size_t{i} * o.ins;
    const bool fresh = o.fresh[h];
    u32 j = 0;
    for (; j + lanes <= o.ins; j += lanes) {
      V sum[H][O];
      for (u32 b = 0; b < H; ++b)
        for (u32 a = 0; a < O; ++a) sum[b][a] = V::of(0);
      for (u32 l = 0; l < half_lanes; ++l)
        for (u32 b = 0; b < H; ++b) {
          const V v = V::load(from + std::size_t{b * half_lanes + l} * o.ins + j);
          for (u32 a = 0; a < O; ++a)
            sum[b][a] = V::fma(V::of(d[a * lanes + b * half_lanes + l]), v, sum[b][a]);
        }
      for (u32 a = 0; a < O; ++a) {
        V all = fresh ? sum[0][a] : V::load(to + a * o.ins + j) + sum[0][a];
        if (H > 1) all = all + sum[H - 1][a];
        all.store(to + a * o.ins + j);
      }
    }
    for (; j < o.ins; ++j)
      for (u32 a = 0; a < O; ++a) {
        T all = fresh ? T(0) : to[a * o.ins + j];
        for (u32 b = 0; b < H; ++b) {
          T sum = 0;
          for (u32 l = 0; l < half_lanes; ++l)
            sum = V::fma(d[a * lanes + b * half_lanes + l], from[std::size_t{b * half_lanes + l} * o.ins + j],
                         sum);
          all += sum;
        }
        to[a * o.ins + j] = all;
      }
  }
  template <u32 H>
  static void halves(const Outer<T>& o, u32 h) {
    u32 i = 0;
    for (; i + 4 <= o.outs; i += 4) outs<4, H>(o, h, i);
    for (; i < o.outs; ++i) outs<1, H>(o, h, i);
  }
  static void outer(const Outer<T>& o) {
    turn(o);
    if (lanes == 2 * half_lanes && o.to[0] == o.to[lanes / half_lanes - 1])
      return halves<lanes / half_lanes>(o, 0);
    for (u32 h = 0; h < lanes / half_lanes; ++h) halves<1>(o, h);
  }
};

}  // namespace spinet::layers
