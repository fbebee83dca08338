// Sixteen floats as a vector of AVX-512: two halves of eight images.
#pragma once
#include <immintrin.h>

#include <cstdint>

#include "layers/kernels/exponential.hpp"
#include "layers/kernels/kernels.hpp"

namespace spinet::layers {

struct Avx512Lanes {
  using Scalar = float;
  static constexpr std::uint32_t lanes = 16, outs_at_once = 6, taps_of_outs = 4;
  static constexpr const char* name = "avx512";
  using V = Avx512Lanes;
  struct Flags {
    __mmask16 on;
  };
  __m512 v;

  static V load(const float* from) { return {_mm512_loadu_ps(from)}; }
  static V of(float x) { return {_mm512_set1_ps(x)}; }
  void store(float* to) const { _mm512_storeu_ps(to, v); }
  friend V operator+(V a, V b) { return {_mm512_add_ps(a.v, b.v)}; }
  friend V operator-(V a, V b) { return {_mm512_sub_ps(a.v, b.v)}; }
  friend V operator*(V a, V b) { return {_mm512_mul_ps(a.v, b.v)}; }
  friend V operator/(V a, V b) { return {_mm512_div_ps(a.v, b.v)}; }
  static V fma(V a, V b, V c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
  static float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
  static V sqrt(V a) { return {_mm512_sqrt_ps(a.v)}; }
  static float sqrt(float a) { return __builtin_sqrtf(a); }
  static V max(V a, V b) { return {_mm512_max_ps(a.v, b.v)}; }
  static V min(V a, V b) { return {_mm512_min_ps(a.v, b.v)}; }
  static Flags greater(V a, V b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_GT_OQ)}; }
  static Flags at_least(V a, V b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_GE_OQ)}; }
  static V select(Flags f, V a, V b) { return {_mm512_mask_blend_ps(f.on, b.v, a.v)}; }
  static V scaled(V p, V n) { return {_mm512_scalef_ps(p.v, n.v)}; }
  static V exp2(V x) { return power_of_two(x); }
  static float sum_of_half(__m256 half) {
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }
  void halves(float* to) const {
    to[0] = sum_of_half(_mm512_castps512_ps256(v));
    to[1] = sum_of_half(_mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(v), 1)));
  }
};

}  // namespace spinet::layers
