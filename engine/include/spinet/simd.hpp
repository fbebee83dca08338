// Four doubles at once, as vectors of GCC and Clang: each lane does the same IEEE operations on any CPU,
// which the compiler spells in what the target has.
#pragma once
#include <cstdint>

namespace spinet {

typedef double Four __attribute__((vector_size(32), aligned(8), may_alias));
typedef std::int64_t FourFlags __attribute__((vector_size(32)));

/// Four doubles that begin here, at any address.
inline Four& four(double* x) noexcept { return *reinterpret_cast<Four*>(x); }
inline const Four& four(const double* x) noexcept { return *reinterpret_cast<const Four*>(x); }

/// Is any of what a comparison of two `Four` gives true?
__attribute__((always_inline)) inline bool any(const FourFlags& x) noexcept {
  const auto two = __builtin_shufflevector(x, x, 0, 1) | __builtin_shufflevector(x, x, 2, 3);
  return (two[0] | two[1]) != 0;
}

}  // namespace spinet
