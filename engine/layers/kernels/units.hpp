// Number by number and unit by unit: sums, batch normalisation, answers of neurons.
#pragma once
#include "layers/kernels/kernels.hpp"

namespace spinet::layers {

template <class V>
struct UnitKernels {
  using T = typename V::Scalar;
  static constexpr std::size_t lanes = V::lanes, half_count = V::lanes / half_lanes;

  static void fill(T* x, const T* value, std::size_t units, std::size_t area) {
    for (std::size_t u = 0; u < units; ++u) {
      const V v = V::of(value ? value[u] : T(0));
      for (std::size_t i = 0; i < area; ++i, x += lanes) v.store(x);
    }
  }
  static void add(const T* from, T* to, std::size_t count) {
    for (std::size_t i = 0; i < count * lanes; i += lanes)
      (V::load(to + i) + V::load(from + i)).store(to + i);
  }
  static void multiply(const T* from, const T* factor, T* to, std::size_t count) {
    for (std::size_t i = 0; i < count * lanes; i += lanes)
      (V::load(from + i) * V::load(factor + i)).store(to + i);
  }
  template <class N>
  static void give(const V& sum, N* const* to, std::size_t at) {
    T half[half_count];
    sum.halves(half);
    for (std::size_t h = 0; h < half_count; ++h) to[h][at] += half[h];
  }
  static void sum(const Units<T>& n, T* const* to) {
    const T* x = n.x;
    for (std::size_t u = 0; u < n.units; ++u) {
      V sum = V::of(0);
      for (std::size_t i = 0; i < n.area; ++i, x += lanes) sum = sum + V::load(x);
      give(sum, to, u);
    }
  }

  static void moments(const Units<T>& n, const T* about, const T* present, double* const* to) {
    const T* x = n.x;
    const V there = V::load(present);
    for (std::size_t u = 0; u < n.units; ++u) {
      const V origin = V::of(about[u]);
      V sum = V::of(0), square = V::of(0);
      for (std::size_t i = 0; i < n.area; ++i, x += lanes) {
        const V d = (V::load(x) - origin) * there;
        sum = sum + d;
        square = V::fma(d, d, square);
      }
      give(sum, to, 2 * u);
      give(square, to, 2 * u + 1);
    }
  }
  static void scale(const Scaling<T>& s) {
    const T *x = s.of.x, *mask = s.mask;
    T* y = s.y;
    for (std::size_t u = 0; u < s.of.units; ++u) {
      const V factor = V::of(s.scale[u]), shift = V::of(s.shift[u]);
      for (std::size_t i = 0; i < s.of.area; ++i, x += lanes, y += lanes) {
        V v = V::fma(V::load(x), factor, shift);
        if (mask) v = v * V::load(mask), mask += lanes;
        v.store(y);
      }
    }
  }
  static void normalisation_sums(const NormalisationBack<T>& n, double* const* to) {
    const T *x = n.of.x, *dy = n.dy;
    for (std::size_t u = 0; u < n.of.units; ++u) {
      const V mean = V::of(n.mean[u]), inverse = V::of(n.inverse[u]);
      V sum = V::of(0), with_x = V::of(0);
      for (std::size_t i = 0; i < n.of.area; ++i, x += lanes, dy += lanes) {
        const V d = V::load(dy);
        sum = sum + d;
        with_x = V::fma(d, (V::load(x) - mean) * inverse, with_x);
      }
      give(sum, to, 2 * u);
      give(with_x, to, 2 * u + 1);
    }
  }
  static void normalisation_back(const NormalisationBack<T>& n) {
    const T *x = n.of.x, *dy = n.dy;
    T* to = n.to;
    const V there = V::load(n.present);
    for (std::size_t u = 0; u < n.of.units; ++u) {
      const V mean = V::of(n.mean[u]), inverse = V::of(n.inverse[u]);
      const V factor = V::of(n.scale[u]) * there, mean_dy = V::of(n.mean_dy[u]);
      const V mean_dyx = V::of(T(0) - n.mean_dyx[u]);
      for (std::size_t i = 0; i < n.of.area; ++i, x += lanes, dy += lanes, to += lanes) {
        const V xhat = (V::load(x) - mean) * inverse;
        const V back = V::fma(xhat, mean_dyx, V::load(dy) - mean_dy);
        V::fma(factor, back, V::load(to)).store(to);
      }
    }
  }

  /// Of a sum of products with 0.
  static bool zero(const V& sum) {
    T all[lanes], rest = 0;
    sum.store(all);
    for (std::size_t l = 0; l < lanes; ++l) rest += all[l];
    return rest == T(0);
  }
  static bool relu(T* x, std::size_t count) {
    const V none = V::of(0);
    V check = none;
    for (std::size_t i = 0; i < count * lanes; i += lanes) {
      const V v = V::load(x + i);
      check = V::fma(v, none, check);
      V::max(v, none).store(x + i);
    }
    return zero(check);
  }
  static void relu_back(const T* a, T* gradient, std::size_t count) {
    const V none = V::of(0);
    for (std::size_t i = 0; i < count * lanes; i += lanes)
      V::select(V::greater(V::load(a + i), none), V::load(gradient + i), none).store(gradient + i);
  }

  static V pulses(const Em<T>& e, const V& x) {
    const V n = x * V::of(e.gain);
    return e.bounded ? V::min(V::of(e.n_max), V::max(V::of(e.n_min), n)) : n;
  }
  /// Of N terms; 0: as many as there are.
  template <std::uint32_t N>
  static bool em_of(const Em<T>& e, T* a) {
    constexpr std::uint32_t most = N ? N : most_terms;
    const std::uint32_t terms = N ? N : e.terms;
    const V none = V::of(0), constant = V::of(e.constant);
    V amplitude[most], power[most], check_x = none, check_a = none;
    for (std::uint32_t t = 0; t < terms; ++t)
      amplitude[t] = V::of(e.amplitude[t]), power[t] = V::of(e.power[t]);
    const std::size_t numbers = e.count * lanes;
    for (std::size_t i = 0; i < numbers; i += lanes) {
      const V x = V::load(e.x + i), n = pulses(e, x);
      V sum = constant;
      for (std::uint32_t t = 0; t < terms; ++t) sum = V::fma(amplitude[t], V::exp2(n * power[t]), sum);
      sum.store(a + i);
      check_x = V::fma(x, none, check_x);
      check_a = V::fma(sum, none, check_a);
    }
    return zero(check_x + check_a);
  }
  static bool em(const Em<T>& e, T* a) {
    return e.terms == 2 ? em_of<2>(e, a) : e.terms == 1 ? em_of<1>(e, a) : em_of<0>(e, a);
  }

  template <std::uint32_t N>
  static void em_back_of(const Em<T>& e, T* gradient, double* const* to) {
    constexpr std::uint32_t most = N ? N : most_terms;
    const std::uint32_t terms = N ? N : e.terms;
    const V none = V::of(0), gain = V::of(e.gain), low = V::of(e.n_min), high = V::of(e.n_max);
    V sum = none, with[most], slope[most], power[most];
    for (std::uint32_t t = 0; t < terms; ++t)
      with[t] = none, slope[t] = V::of(e.slope[t]), power[t] = V::of(e.power[t]);
    const std::size_t numbers = e.count * lanes;
    for (std::size_t i = 0; i < numbers; i += lanes) {
      const V d = V::load(gradient + i), x = V::load(e.x + i), n = pulses(e, x);
      sum = sum + d;
      V steep = none;
      for (std::uint32_t t = 0; t < terms; ++t) {
        const V part = V::exp2(n * power[t]);
        with[t] = V::fma(d, part, with[t]);
        steep = V::fma(slope[t], part, steep);
      }
      V back = d * steep;
      if (e.bounded) {
        const V free = x * gain;
        back = V::select(V::greater(free, high), none, back);
        back = V::select(V::greater(low, free), none, back);
      }
      back.store(gradient + i);
    }
    give(sum, to, 0);
    for (std::uint32_t t = 0; t < terms; ++t) give(with[t], to, 1 + t);
  }
  static void em_back(const Em<T>& e, T* gradient, double* const* to) {
    if (e.terms == 2) em_back_of<2>(e, gradient, to);
    else if (e.terms == 1) em_back_of<1>(e, gradient, to);
    else em_back_of<0>(e, gradient, to);
  }
};

}  // namespace spinet::layers
