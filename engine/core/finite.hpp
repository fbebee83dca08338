// Numbers from models: are they finite, and of the sign that they must have?
#pragma once
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <memory>
#include <string>

namespace spinet {

/// The shortest text that means `x`.
inline std::string shortest(double x) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, x).ptr};
}

/// Are all `n` numbers finite?  About half an instruction for each: a sum is not finite if one of them is
/// not.  If it overflows, they are looked at one by one.  `alignment`: of `x`, in bytes.
template <std::size_t alignment = 1, class T>
bool all_finite(const T* x, std::size_t n) noexcept {
  constexpr std::size_t wide = 64 / sizeof(T);
  T sums[wide] = {}, sum = 0;
  std::size_t i = 0;
  if (n >= wide) {
    const T* const y = std::assume_aligned<std::max(alignment, alignof(T))>(x);
    for (; i + wide <= n; i += wide)
      for (std::size_t k = 0; k < wide; ++k) sums[k] += y[i + k];
    for (std::size_t k = 1; k < wide; ++k) sums[0] += sums[k];
  }
  for (; i < n; ++i) sum += x[i];
  if (std::isfinite(sum + sums[0])) [[likely]]
    return true;
  for (i = 0; i < n; ++i)
    if (!std::isfinite(x[i])) return false;
  return true;
}

/// Is none of `n` numbers beyond zero, on the side that `sign` (1 or -1) does not allow?  A minimum: half an
/// instruction as well.
template <int sign, std::size_t alignment = 1, class T>
bool all_of_sign(const T* x, std::size_t n) noexcept {
  constexpr std::size_t wide = 64 / sizeof(T);
  const auto take = [](T& worst, T y) { worst = (sign > 0 ? y < worst : y > worst) ? y : worst; };
  T worst[wide] = {};
  std::size_t i = 0;
  if (n >= wide) {
    const T* const y = std::assume_aligned<std::max(alignment, alignof(T))>(x);
    for (; i + wide <= n; i += wide)
      for (std::size_t k = 0; k < wide; ++k) take(worst[k], y[i + k]);
    for (std::size_t k = 1; k < wide; ++k) take(worst[0], worst[k]);
  }
  for (; i < n; ++i) take(worst[0], x[i]);
  return worst[0] == 0;
}

/// May synapses transmit these weights where they must have the sign `sign` (0: they may have any)?
template <std::size_t alignment = 1, class T>
bool all_allowed(const T* x, std::size_t n, int sign) noexcept {
  if (!all_finite<alignment>(x, n)) return false;
  return sign == 0 || (sign > 0 ? all_of_sign<1, alignment>(x, n) : all_of_sign<-1, alignment>(x, n));
}

}  // namespace spinet
