// 20,000 neurons with parameters from the corners, against the 113-bit reference: no spike that it lacks,
// none missing, no hang.
#include <catch2/catch.hpp>

#include "support/corners.hpp"
#include "support/run.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {
void check(const CornerPlan& plan, std::uint32_t networks, std::uint32_t seed) {
  std::size_t spikes = 0, excused = 0, neurons = 0;
  for (std::uint32_t k = 0; k < networks; ++k) {
    auto builder = corner_network(plan, seed + k);
    const auto& net = builder.network();
    const auto expected = reference::simulate(net, reference::Ambiguous::leave);
    const auto got = run(net);
    const auto c = compare(got.spikes(), expected);
    if (!c.differences.empty()) {
      INFO("seed " << seed + k << ", tau_m " << net.populations[0].params[0].a << '\n' << c.text());
      CHECK(c.differences.empty());
    }
    spikes += c.spikes;
    excused += c.excused;
    neurons += plan.neurons;
  }
  CHECK(spikes > 2 * neurons);
  CHECK(excused * 4 <= neurons);  // of those at the threshold, within the allowance
}
}  // namespace

TEST_CASE("lif_delta corners: common time constant", "[corners][lif_delta]") {
  check({.exponential = false}, 200, 10'000);
}
TEST_CASE("lif_delta corners: time constants of their own", "[corners][lif_delta]") {
  check({.exponential = false, .own_time_constants = true}, 200, 20'000);
}
TEST_CASE("lif_exp corners: common time constants", "[corners][lif_exp]") { check({}, 200, 30'000); }
TEST_CASE("lif_exp corners: time constants of their own", "[corners][lif_exp]") {
  check({.own_time_constants = true}, 200, 40'000);
}
