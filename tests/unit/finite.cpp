// all_finite finds one number among many that is not finite, and is not misled by sums that overflow.
#include "core/finite.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <vector>

TEMPLATE_TEST_CASE("what is not finite is found wherever it lies", "", float, double) {
  using Limits = std::numeric_limits<TestType>;
  for (const std::size_t n : {1u, 2u, 7u, 8u, 15u, 16u, 17u, 31u, 64u, 65u, 257u})
    for (std::size_t at = 0; at < n; ++at)
      for (const TestType bad : {Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity()}) {
        std::vector<TestType> x(n, 1);
        CHECK(spinet::all_finite(x.data(), n));
        x[at] = bad;
        CHECK_FALSE(spinet::all_finite(x.data(), n));
      }
  const std::vector<TestType> huge(100, Limits::max());
  CHECK(spinet::all_finite(huge.data(), huge.size()));
  CHECK(spinet::all_finite(huge.data(), 0));
}
