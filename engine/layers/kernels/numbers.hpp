// Rows of numbers without lanes, and images into lanes.
#pragma once
#include "layers/kernels/kernels.hpp"

namespace spinet::layers {

template <class V>
struct NumberKernels {
  using T = typename V::Scalar;
  static constexpr std::size_t lanes = V::lanes;

  static void load(const float* const* image, std::size_t count, T* x) {
    for (std::size_t l = 0; l < lanes; ++l)
      for (std::size_t i = 0; i < count; ++i) x[i * lanes + l] = image[l][i];
  }
  static bool finite(const T* x, std::size_t numbers) {
    const V none = V::of(0);
    V sum = none;
    std::size_t i = 0;
    for (; i + lanes <= numbers; i += lanes) sum = V::fma(V::load(x + i), none, sum);
    T rest = sum_of(sum);
    for (; i < numbers; ++i) rest += x[i] * T(0);
    return rest == T(0);
  }
  static T sum_of(V v) {
    T all[lanes], sum = 0;
    v.store(all);
    for (std::size_t l = 0; l < lanes; ++l) sum += all[l];
    return sum;
  }
  static void accumulate(const T* from, T* to, std::size_t numbers) {
    std::size_t i = 0;
    for (; i + lanes <= numbers; i += lanes) (V::load(to + i) + V::load(from + i)).store(to + i);
    for (; i < numbers; ++i) to[i] += from[i];
  }
  static bool adam(const Update<T>& u) {
    const T keep1 = u.beta1, keep2 = u.beta2, new1 = T(1) - keep1, new2 = T(1) - keep2;
    const V keep_first = V::of(keep1), keep_second = V::of(keep2), new_first = V::of(new1),
            new_second = V::of(new2), decay = V::of(u.decay), root = V::of(u.root),
            epsilon = V::of(u.epsilon), rate = V::of(u.rate), none = V::of(0);
    V check = none;
    std::size_t i = 0;
    for (; i + lanes <= u.count; i += lanes) {
      const V p = V::load(u.parameter + i), g = V::fma(decay, p, V::load(u.gradient + i));
      const V m = V::fma(keep_first, V::load(u.first + i), new_first * g);
      const V v = V::fma(keep_second, V::load(u.second + i), new_second * (g * g));
      m.store(u.first_to + i);
      v.store(u.second_to + i);
      const V next = p - rate * m / V::fma(V::sqrt(v), root, epsilon);
      next.store(u.parameter_to + i);
      check = V::fma(next + m + v, none, check);
    }
    T rest = sum_of(check);
    for (; i < u.count; ++i) {
      const T g = V::fma(u.decay, u.parameter[i], u.gradient[i]);
      const T m = V::fma(keep1, u.first[i], new1 * g), v = V::fma(keep2, u.second[i], new2 * (g * g));
      const T bottom = V::fma(V::sqrt(v), u.root, u.epsilon);
      u.first_to[i] = m;
      u.second_to[i] = v;
      u.parameter_to[i] = u.parameter[i] - u.rate * m / bottom;
      rest += (u.parameter_to[i] + m + v) * T(0);
    }
    return rest == T(0);
  }
  static bool descend(const Update<T>& u) {
    T rest = 0;
    for (std::size_t i = 0; i < u.count; ++i) {
      T g = V::fma(u.decay, u.parameter[i], u.gradient[i]);
      if (u.first) u.first_to[i] = g = V::fma(u.beta1, u.first[i], g);
      u.parameter_to[i] = u.parameter[i] - u.rate * g;
      rest += (u.parameter_to[i] + g) * T(0);
    }
    return rest == T(0);
  }
};

}  // namespace spinet::layers
