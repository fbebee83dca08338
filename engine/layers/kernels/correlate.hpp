// Convolutions: tiles of outputs in registers, weights broadcast to all images.
#pragma once
#include "layers/kernels/kernels.hpp"

namespace spinet::layers {

template <class V>
struct Correlate {
  using T = typename V::Scalar;
  using u32 = std::uint32_t;
  static constexpr std::size_t lanes = V::lanes;
  static constexpr u32 most = V::outs_at_once, pixels = 4;

  static std::size_t packed_size(u32 outs, u32 channels, u32 taps) {
    return std::size_t{outs} * channels * taps;
  }

  /// Groups of `most` outs, the last one smaller; in a group [channel][tap][out].
  static void pack(const Packing<T>& p) {
    T* to = p.packed;
    for (u32 first = 0; first < p.outs; first += most) {
      const u32 n = p.outs - first < most ? p.outs - first : most;
      for (u32 c = 0; c < p.channels; ++c)
        for (u32 t = 0; t < p.taps; ++t)
          for (u32 o = 0; o < n; ++o)
            *to++ = p.weights[(first + o) * p.out_stride + c * p.channel_stride +
                              (p.turned ? p.taps - 1 - t : t)];
    }
  }

  /// Taps of one direction that meet something in a stretch of `n` outputs from `at` on.
  struct Taps {
    u32 begin, end;
  };
  static Taps taps(const Correlation<T>& c, int d, u32 at, u32 n) {
    const Geometry& g = c.geometry;
    const u32 low = at * g.stride[d], high = (at + n - 1) * g.stride[d];
    Taps t{0, g.size[d]};
    while (t.begin < t.end && high + t.begin * g.dilation[d] < c.first[d]) ++t.begin;
    while (t.begin < t.end && low + (t.end - 1) * g.dilation[d] >= c.last[d]) --t.end;
    return t;
  }

  /// Outs `out` to `out` + O of pixels x to x + P.
  template <u32 O, u32 P>
  static void tile(const Correlation<T>& c, u32 out, u32 y, u32 x) {
    const Geometry& g = c.geometry;
    const std::size_t plane = std::size_t{g.out[0]} * g.out[1] * lanes, step = g.stride[1] * lanes;
    const Taps rows = taps(c, 0, y, 1), columns = taps(c, 1, x, P);
    T* to = c.out + out * plane + (std::size_t{y} * g.out[1] + x) * lanes;
    const T* const weights = c.weights + std::size_t{out} * c.channels * g.size[0] * g.size[1];
    V sum[O][P];
    for (u32 o = 0; o < O; ++o)
      for (u32 p = 0; p < P; ++p)
        sum[o][p] = c.start ? V::of(c.start[out + o]) : V::load(to + o * plane + p * lanes);
    for (u32 channel = 0; channel < c.channels; ++channel)
      for (u32 i = rows.begin; i < rows.end; ++i) {
        const u32 row = y * g.stride[0] + i * g.dilation[0];
        if (c.step[0] > 1 && (row - c.first[0]) % c.step[0] != 0) continue;
        const T* in = c.in + ((std::size_t{channel} * g.in[0] + row) * g.in[1] + x * g.stride[1] +
                              columns.begin * g.dilation[1]) *
                                 lanes;
        const T* w = weights + ((std::size_t{channel} * g.size[0] + i) * g.size[1] + columns.begin) * O;
        for (u32 j = columns.begin; j < columns.end; ++j, in += g.dilation[1] * lanes, w += O) {
          V v[P];
          for (u32 p = 0; p < P; ++p) v[p] = V::load(in + p * step);
          for (u32 o = 0; o < O; ++o) {
            const V factor = V::of(w[o]);
            for (u32 p = 0; p < P; ++p) sum[o][p] = V::fma(factor, v[p], sum[o][p]);
          }
        }
      }
    for (u32 o = 0; o < O; ++o)
      for (u32 p = 0; p < P; ++p) sum[o][p].store(to + o * plane + p * lanes);
  }

  template <u32 O>
  static void group(const Correlation<T>& c, u32 out) {
    const Geometry& g = c.geometry;
    for (u32 y = 0; y < g.out[0]; ++y) {
      u32 x = 0;
      for (; x + pixels <= g.out[1]; x += pixels) tile<O, pixels>(c, out, y, x);
      switch (g.out[1] - x) {
        case 3:
          tile<O, 3>(c, out, y, x);
          break;
        case 2:
          tile<O, 2>(c, out, y, x);
          break;
        case 1:
          tile<O, 1>(c, out, y, x);
          break;
        default:
          break;
      }
    }
  }
  template <u32 O>
  static void remainder(const Correlation<T>& c, u32 outs, u32 out) {
    if constexpr (O > 0) {
      if (outs == O) group<O>(c, out);
      else remainder<O - 1>(c, outs, out);
    }
  }

  static void correlate(const Correlation<T>& c) {
    u32 o = 0;
    for (; o + most <= c.outs; o += most) group<most>(c, o);
    remainder<most - 1>(c, c.outs - o, o);
  }

  /// Of the taps j to j + J of row i of a channel, for outs o to o + O.
  template <u32 O, u32 J>
  static void gradient(const WeightGradient<T>& w, u32 o, u32 channel, u32 i, u32 j) {
    const Geometry& g = w.geometry;
    const std::size_t plane = std::size_t{g.out[0]} * g.out[1] * lanes, step = g.stride[1] * lanes;
    V sum[O][J];
    for (u32 a = 0; a < O; ++a)
      for (u32 b = 0; b < J; ++b) sum[a][b] = V::of(0);
    for (u32 y = 0; y < g.out[0]; ++y) {
      const T* in = w.in + ((std::size_t{channel} * g.in[0] + y * g.stride[0] + i * g.dilation[0]) * g.in[1] +
                            j * g.dilation[1]) *
                               lanes;
      const T* back = w.gradient + o * plane + std::size_t{y} * g.out[1] * lanes;
      for (u32 x = 0; x < g.out[1]; ++x, in += step, back += lanes) {
        V d[O];
        for (u32 a = 0; a < O; ++a) d[a] = V::load(back + a * plane);
        for (u32 b = 0; b < J; ++b) {
          const V v = V::load(in + b * g.dilation[1] * lanes);
          for (u32 a = 0; a < O; ++a) sum[a][b] = V::fma(d[a], v, sum[a][b]);
        }
      }
    }
    for (u32 a = 0; a < O; ++a)
      for (u32 b = 0; b < J; ++b) {
        T half[lanes / half_lanes];
        sum[a][b].halves(half);
        const std::size_t at =
            (((std::size_t{o} + a) * w.channels + channel) * g.size[0] + i) * g.size[1] + j + b;
        for (u32 h = 0; h < lanes / half_lanes; ++h) w.to[h][at] += half[h];
      }
  }

  template <u32 O>
  static void gradient_row(const WeightGradient<T>& w, u32 o, u32 channel, u32 i) {
    const u32 size = w.geometry.size[1];
    u32 j = 0;
    for (; j + 5 <= size; j += 5) gradient<O, 5>(w, o, channel, i, j);
    switch (size - j) {
      case 4:
        gradient<O, 4>(w, o, channel, i, j);
        break;
      case 3:
        gradient<O, 3>(w, o, channel, i, j);
        break;
      case 2:
        gradient<O, 2>(w, o, channel, i, j);
        break;
      case 1:
        gradient<O, 1>(w, o, channel, i, j);
        break;
      default:
        break;
    }
  }

  static void weight_gradient(const WeightGradient<T>& w) {
    constexpr u32 at_once = V::taps_of_outs;
    for (u32 channel = 0; channel < w.channels; ++channel)
      for (u32 i = 0; i < w.geometry.size[0]; ++i) {
        u32 o = 0;
        for (; o + at_once <= w.outs && w.outs - o != at_once + 2; o += at_once)
          gradient_row<at_once>(w, o, channel, i);
        for (; o + 3 <= w.outs; o += 3) gradient_row<3>(w, o, channel, i);
        for (; o < w.outs; ++o) gradient_row<1>(w, o, channel, i);
      }
  }
};

}  // namespace spinet::layers
