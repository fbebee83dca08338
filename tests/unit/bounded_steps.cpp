// NL-SB and LHB: one step at each pair of nearest spikes, and how fast a memory is overwritten.
#include <catch2/catch.hpp>

#include <cmath>
#include <random>
#include <vector>

#include "support/synapses_on_bench.hpp"

using namespace spinet;
using namespace spinet::test;

TEST_CASE("nl_sb, lhb: one step at each pair, and how long a memory lasts") {
  const auto pair = [](SynapsesOnBench& d, bool up) {
    d.wait(1);
    if (up) d.spike();
    else d.post();
    d.wait(5e-3);
    if (up) d.post();
    else d.spike();
    d.bench.forget(d.now);
  };
  std::mt19937 random(1);
  for (const double n : {8.0, 16.0, 32.0}) {
    SynapsesOnBench soft("nl_sb", {{"n", n}, {"w_max", 1}, {"weight", 0.5}}), other = soft;
    SynapsesOnBench hard("lhb", {{"n", n}, {"w_max", 1}, {"weight", 0.5}});
    pair(soft, true);
    CHECK(soft("weight") == Approx(0.5 + 0.5 / n).epsilon(1e-6));
    pair(other, false);
    CHECK(other("weight") == Approx(0.5 - 0.5 / n).epsilon(1e-6));
    const double first = soft("weight") - other("weight");
    for (int k = 0; k < 20; ++k) {  // whatever comes
      const bool up = random() % 10 < 7;
      pair(soft, up);
      pair(other, up);
    }
    CHECK((soft("weight") - other("weight")) / first == Approx(std::pow(1 - 1 / n, 20)).epsilon(1e-4));
    pair(hard, true);
    CHECK(hard("weight") == Approx(0.5 + 1 / n).epsilon(1e-6));
    for (int k = 0; k < n; ++k) pair(hard, true);
    CHECK(hard("weight") == 1);
    for (int k = 0; k < 2 * n; ++k) pair(hard, false);
    CHECK(hard("weight") == 0);
    // The walk that random pairs make of it, from the steps that the plugin takes: its slowest mode is what
    // is left of a memory in the end.
    const auto size = static_cast<std::size_t>(n) + 1;
    std::vector<std::size_t> up(size), down(size);
    for (std::size_t j = 0; j < size; ++j)
      for (const bool rise : {true, false}) {
        SynapsesOnBench d("lhb", {{"n", n}, {"w_max", 1}, {"weight", static_cast<double>(j) / n}});
        pair(d, rise);
        (rise ? up : down)[j] = static_cast<std::size_t>(std::lround(d("weight") * n));
      }
    for (const double f : {0.5, 0.7}) {
      std::vector<double> x(size);
      for (std::size_t j = 0; j < size; ++j) x[j] = j < size / 2 ? 1 : -1;
      double left = 0, left_before = 0;
      for (int k = 0; k < 1000; ++k) {  // what sums up to 0 stays so; its length falls by the eigenvalue
        std::vector<double> next(size);
        double sum = 0, length = 0;
        for (std::size_t j = 0; j < size; ++j) next[up[j]] += f * x[j], next[down[j]] += (1 - f) * x[j];
        for (const double y : next) sum += y;
        double all = 0;  // of what does not decay, (f / (1 - f))^j
        for (std::size_t j = 0; j < size; ++j) all += std::pow(f / (1 - f), static_cast<double>(j));
        for (std::size_t j = 0; j < size; ++j)
          next[j] -= sum * std::pow(f / (1 - f), static_cast<double>(j)) / all;
        for (const double y : next) length += std::abs(y);
        for (double& y : next) y /= length;
        double before = 0;
        for (const double y : x) before += std::abs(y);
        left_before = left;
        left = length / before;
        x = next;
      }
      // Over two steps: there is a mode of the same size that alternates.
      CHECK(
          -std::log(left * left_before) / 2 ==
          Approx(-std::log(2 * std::sqrt(f * (1 - f)) * std::cos(std::acos(-1.0) / (n + 1)))).epsilon(1e-3));
    }
  }
}
