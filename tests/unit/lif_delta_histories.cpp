// Random histories of single lif_delta neurons, to the tick, against the 113-bit reference.
#include <catch2/catch.hpp>

#include "support/histories.hpp"
#include "support/run.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {
void check(HistoryPlan plan, std::uint32_t networks, std::uint32_t seed) {
  plan.exponential = false;
  std::size_t spikes = 0, excused = 0;
  for (std::uint32_t k = 0; k < networks; ++k) {
    auto builder = random_histories(plan, seed + k);
    const auto expected = reference::simulate(builder.network());
    const auto got = run(builder.network());
    const auto c = compare(got.spikes(), expected);
    INFO("seed " << seed + k << ", tau_m " << plan.tau_m);
    INFO(c.text());
    CHECK(c.differences.empty());
    spikes += c.spikes;
    excused += c.excused;
  }
  CHECK(spikes > 2 * plan.neurons * networks);
  CHECK(excused * 1000 <= spikes);
}
}  // namespace

TEST_CASE("lif_delta histories: everything mixed", "[histories][lif_delta]") {
  check({.tau_m = 20}, 20, 100);
}
TEST_CASE("lif_delta histories: rest above threshold", "[histories][lif_delta]") {
  check({.tau_m = 10, .rest = Rest::above}, 10, 200);
}
TEST_CASE("lif_delta histories: rest just below threshold", "[histories][lif_delta]") {
  check({.tau_m = 3, .rest = Rest::just_below}, 10, 300);
}
TEST_CASE("lif_delta histories: inhibition far below rest", "[histories][lif_delta]") {
  check({.tau_m = 10, .drive = Drive::strong_inhibition}, 10, 400);
}
TEST_CASE("lif_delta histories: jumps that just miss", "[histories][lif_delta]") {
  check({.tau_m = 10, .drive = Drive::near_threshold}, 10, 500);
}
TEST_CASE("lif_delta histories: soft resets", "[histories][lif_delta]") {
  check({.tau_m = 10, .soft = true}, 5, 700);
  check({.tau_m = 10, .rest = Rest::above, .soft = true}, 3, 720);
}
TEST_CASE("lif_delta histories: silences over many frames", "[histories][lif_delta]") {
  check({.tau_m = 10, .drive = Drive::sparse, .duration = ms(8000)}, 10, 600);
}
