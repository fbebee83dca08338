// Eight floats as a vector of AVX2 with fused multiply-add.
#pragma once
#include <immintrin.h>

#include <cstdint>

#include "layers/kernels/exponential.hpp"
#include "layers/kernels/kernels.hpp"

namespace spinet::layers {

struct Avx2Lanes {
  using Scalar = float;
  static constexpr std::uint32_t lanes = 8, outs_at_once = 3, taps_of_outs = 2;
  static constexpr const char* name = "avx2";
  using V = Avx2Lanes;
  struct Flags {
    __m256 on;
  };
  __m256 v;

  static V load(const float* from) { return {_mm256_loadu_ps(from)}; }
  static V of(float x) { return {_mm256_set1_ps(x)}; }
  void store(float* to) const { _mm256_storeu_ps(to, v); }
  friend V operator+(V a, V b) { return {_mm256_add_ps(a.v, b.v)}; }
  friend V operator-(V a, V b) { return {_mm256_sub_ps(a.v, b.v)}; }
  friend V operator*(V a, V b) { return {_mm256_mul_ps(a.v, b.v)}; }
  friend V operator/(V a, V b) { return {_mm256_div_ps(a.v, b.v)}; }
  static V fma(V a, V b, V c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
  static float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
  static V sqrt(V a) { return {_mm256_sqrt_ps(a.v)}; }
  static float sqrt(float a) { return __builtin_sqrtf(a); }
  static V max(V a, V b) { return {_mm256_max_ps(a.v, b.v)}; }
  static V min(V a, V b) { return {_mm256_min_ps(a.v, b.v)}; }
  static Flags greater(V a, V b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_GT_OQ)}; }
  static Flags at_least(V a, V b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_GE_OQ)}; }
  static V select(Flags f, V a, V b) { return {_mm256_blendv_ps(b.v, a.v, f.on)}; }
  /// p 2^n for whole n from -126 to 127; else anything
  static V scaled(V p, V n) {
    const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n.v), _mm256_set1_epi32(127));
    return {_mm256_mul_ps(p.v, _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23)))};
  }
  static V exp2(V x) { return power_of_two(x); }
  void halves(float* to) const {
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    to[0] = _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }
};

}  // namespace spinet::layers
