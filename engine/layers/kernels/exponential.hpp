// exp of float vectors: the same bits in each width.
#pragma once

namespace spinet::layers {

/// exp(x) to about 1 ulp: 0 below -87.3 (no denormals), infinity above 88.3.  x = n ln 2 + r, |r| <= ln 2 /
/// 2; exp(r) by a polynomial (its coefficients: S. L. Moshier's Cephes library, expf).
template <class V>
[[gnu::always_inline]] inline V exponential(const V& x) {
  using T = typename V::Scalar;
  const V low = V::of(T(-87.33654)), high = V::of(T(89));
  const V bounded = V::min(high, V::max(low, x));  // of what is no number, it stays
  const V magic = V::of(T(12582912));              // 1.5 * 2^23: adding it rounds to whole numbers
  const V n = (V::fma(bounded, V::of(T(1.44269504088896341)), magic)) - magic;
  V r = V::fma(n, V::of(T(-0.693359375)), bounded);
  r = V::fma(n, V::of(T(2.12194440e-4)), r);
  V p = V::of(T(1.9875691500e-4));
  p = V::fma(p, r, V::of(T(1.3981999507e-3)));
  p = V::fma(p, r, V::of(T(8.3334519073e-3)));
  p = V::fma(p, r, V::of(T(4.1665795894e-2)));
  p = V::fma(p, r, V::of(T(1.6666665459e-1)));
  p = V::fma(p, r, V::of(T(5.0000001201e-1)));
  p = V::fma(p * r, r, r) + V::of(T(1));
  return V::select(V::greater(low, x), V::of(T(0)), V::scaled(p, n));
}

}  // namespace spinet::layers
