// Powers of two, of float vectors: the same bits in each width.
#pragma once

namespace spinet::layers {

/// 2^x to about 1 ulp: 0 below -126 (no denormals), infinity above 127.4.  x = n + r, |r| <= 1/2; 2^r by a
/// polynomial (its coefficients: S. L. Moshier's Cephes library, exp2f).
template <class V>
[[gnu::always_inline]] inline V power_of_two(const V& x) {
  const V magic = V::of(12582912);  // 1.5 * 2^23: adding it rounds to whole numbers
  const V n = (x + magic) - magic, r = x - n;
  V p = V::fma(V::of(1.535336188319500e-4f), r, V::of(1.339887440266574e-3f));
  p = V::fma(p, r, V::of(9.618437357674640e-3f));
  p = V::fma(p, r, V::of(5.550332471162809e-2f));
  p = V::fma(p, r, V::of(2.402264791363012e-1f));
  p = V::fma(p, r, V::of(6.931472028550421e-1f));
  p = V::scaled(V::fma(p, r, V::of(1)), n);
  p = V::select(V::greater(V::of(-126), x), V::of(0), p);
  return V::select(V::greater(x, V::of(127.4f)), V::of(__builtin_inff()), p);
}

}  // namespace spinet::layers
