// Numbers of 113 bits: `long double` where it has them (aarch64), else GCC's __float128.
#pragma once
#include <cmath>

#if __LDBL_MANT_DIG__ != 113
#include <quadmath.h>
#endif

namespace spinet::reference {

using Rough = long double;  ///< 64 bits on x86-64: ten times as fast

inline Rough exp_of(Rough x) { return std::exp(x); }
inline Rough expm1_of(Rough x) { return std::expm1(x); }

#if __LDBL_MANT_DIG__ == 113
using Real = long double;

inline Real expq(Real x) { return std::exp(x); }
inline Real log1pq(Real x) { return std::log1p(x); }
inline Real fabsq(Real x) { return std::fabs(x); }
inline long long llroundq(Real x) { return std::llround(x); }
#else
using Real = __float128;

inline Real exp_of(Real x) { return expq(x); }
inline Real expm1_of(Real x) { return expm1q(x); }
#endif

}  // namespace spinet::reference
