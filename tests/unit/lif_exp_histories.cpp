// 10,000 random histories of single lif_exp neurons, to the tick, against the 113-bit reference.
#include <catch2/catch.hpp>

#include "support/histories.hpp"
#include "support/run.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {
/// Runs `networks` networks of a plan and compares every spike.
void check(HistoryPlan plan, std::uint32_t networks, std::uint32_t seed) {
  std::size_t spikes = 0, excused = 0, peaks = 0, cancelled = 0;
  for (std::uint32_t k = 0; k < networks; ++k) {
    auto builder = random_histories(plan, seed + k);
    const auto& net = builder.network();
    const auto expected = reference::simulate(net);
    const auto got = run(net);
    const auto c = compare(got.spikes(), expected);
    INFO("seed " << seed + k << ", tau_m " << plan.tau_m << ", tau_exc " << plan.tau_exc << ", tau_inh "
                 << plan.tau_inh);
    INFO(c.text());
    CHECK(c.differences.empty());
    spikes += c.spikes;
    excused += c.excused;
    peaks += expected.subthreshold_peaks;
    cancelled += expected.cancelled;
  }
  // The test means something only if the cases it is about occur, and if the allowance is the exception.
  CHECK(spikes > 2 * plan.neurons * networks);
  CHECK(peaks > 0);
  CHECK(cancelled > 0);
  CHECK(excused * 1000 <= spikes);
}
}  // namespace

TEST_CASE("lif_exp histories: short synaptic currents", "[histories][lif_exp]") {
  check({.tau_m = 20, .tau_exc = 0.5, .tau_inh = 0.5}, 8, 1000);
  check({.tau_m = 10, .tau_exc = 0.5, .tau_inh = 2, .drive = Drive::near_threshold}, 8, 1100);
}
TEST_CASE("lif_exp histories: long synaptic currents", "[histories][lif_exp]") {
  check({.tau_m = 20, .tau_exc = 5, .tau_inh = 10}, 8, 2000);
  check({.tau_m = 5, .tau_exc = 12, .tau_inh = 40}, 8, 2100);
  check({.tau_m = 2, .tau_exc = 100, .tau_inh = 0.1, .duration = ms(150)}, 8,
        2200);  // fires a thousand times a second
}
TEST_CASE("lif_exp histories: tau_s equal to tau_m", "[histories][lif_exp]") {
  check({.tau_m = 10, .tau_exc = 10, .tau_inh = 10}, 8, 3000);
  check({.tau_m = 7.3, .tau_exc = 7.3, .tau_inh = 3}, 4, 3100);
  check({.tau_m = 7.3, .tau_exc = 3, .tau_inh = 7.3}, 4, 3200);
}
TEST_CASE("lif_exp histories: tau_s nearly equal to tau_m", "[histories][lif_exp]") {
  for (const double off :
       {1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12, 2.3e-16, -1e-3, -1e-6, -1e-9, -1.2e-16}) {
    check({.tau_m = 10, .tau_exc = 10 * (1 + off), .tau_inh = 4, .neurons = 60}, 1, 4000);
    check({.tau_m = 10, .tau_exc = 3, .tau_inh = 10 * (1 + off), .neurons = 60}, 1, 4100);
    check({.tau_m = 10, .tau_exc = 10 * (1 + off), .tau_inh = 10 * (1 + off), .neurons = 60}, 1, 4200);
  }
}
TEST_CASE("lif_exp histories: rest above threshold", "[histories][lif_exp]") {
  check({.tau_m = 20, .tau_exc = 5, .tau_inh = 10, .rest = Rest::above}, 8, 5000);
}
TEST_CASE("lif_exp histories: rest just below threshold", "[histories][lif_exp]") {
  check({.tau_m = 10, .tau_exc = 0.5, .tau_inh = 0.5, .rest = Rest::just_below}, 8, 6000);
}
TEST_CASE("lif_exp histories: soft resets", "[histories][lif_exp]") {
  check({.tau_m = 10, .tau_exc = 0.5, .tau_inh = 0.5, .soft = true}, 3, 9000);
  check({.tau_m = 10, .tau_exc = 2, .tau_inh = 5, .rest = Rest::above, .soft = true}, 2, 9100);
}
TEST_CASE("lif_exp histories: inhibition far below rest", "[histories][lif_exp]") {
  check({.tau_m = 10, .tau_exc = 2, .tau_inh = 5, .drive = Drive::strong_inhibition}, 8, 7000);
  check({.tau_m = 10, .tau_exc = 2, .tau_inh = 30, .rest = Rest::above, .drive = Drive::strong_inhibition}, 4,
        7100);
}
TEST_CASE("lif_exp histories: silences over many frames", "[histories][silences]") {
  check({.tau_m = 10, .tau_exc = 0.5, .tau_inh = 1, .drive = Drive::sparse, .duration = ms(8000)}, 4, 8000);
  check({.tau_m = 1, .tau_exc = 30, .tau_inh = 30, .drive = Drive::sparse, .duration = ms(1000)}, 4, 8100);
}
