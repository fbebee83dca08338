// Numbers from models: are they finite?
#pragma once
#include <charconv>
#include <cmath>
#include <cstddef>
#include <string>

namespace spinet {

/// The shortest text that means `x`.
inline std::string shortest(double x) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, x).ptr};
}

/// Are all `n` numbers finite?  A fraction of an instruction for each: a sum is not finite if one of them is not.  If it
/// overflows, they are looked at one by one.
template <class T>
bool all_finite(const T* x, std::size_t n) noexcept {
  T sums[8] = {};
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (std::size_t k = 0; k < 8; ++k) sums[k] += x[i + k];
  for (; i < n; ++i) sums[0] += x[i];
  const T sum = ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
  if (std::isfinite(sum)) [[likely]] return true;
  for (i = 0; i < n; ++i)
    if (!std::isfinite(x[i])) return false;
  return true;
}

}  // namespace spinet
