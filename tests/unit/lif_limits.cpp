// The linear neurons where parameters meet a limit: hardly any leak, a resting potential at the threshold, arrivals that change
// nothing or everything.
#include <catch2/catch.hpp>

#include <cmath>
#include <limits>

#include "support/network_builder.hpp"
#include "support/on_ranks.hpp"
#include "support/run.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {
struct Kernel {
  const char* model;
  bool own;  ///< time constants that differ: the kernel without frames
  double tau_inh = 2;
};
const Kernel kernels[] = {{"lif_delta", false}, {"lif_delta", true}, {"lif_exp", false}, {"lif_exp", false, 5}, {"lif_exp", true}};

/// Two neurons of these values; the second has another time constant if the kernel asks for it.
std::uint32_t two(NetworkBuilder& b, const Kernel& k, double tau_m, Values values) {
  values.emplace_back("tau_m", k.own ? Value({tau_m, 1.5 * tau_m}) : Value(tau_m));
  if (std::string(k.model) == "lif_exp") values.emplace_back("tau_syn_inh", k.tau_inh);
  const auto p = b.add(k.model, 2, values);
  b.record_spikes(p);
  return p;
}
}  // namespace

TEST_CASE("linear neurons go over into those without a leak") {
  for (const auto& k : kernels)
    for (const double tau : {1e5, 1e8, 1e12, 1e15}) {
      INFO(k.model << (k.own ? ", own" : "") << ", tau_m " << tau);
      NetworkBuilder b(ms(2000));
      two(b, k, tau, {{"I_dc", 300}});
      const auto got = run(b.network());
      const auto expected = reference::simulate(b.network());
      CHECK(first_difference(got.spikes(), expected.spikes) == "");
      const auto last = static_cast<double>(got.recorder.ticks_of(0).back()) * 1e-6;
      CHECK(last == Approx(1999.0).epsilon(tau < 1e8 ? 1e-3 : tau < 1e12 ? 1e-6 : 1e-7));
    }
}

TEST_CASE("the limit holds with input and inhibition") {
  for (const auto& k : kernels)
    for (const double tau : {1.1e4, 1e5, 1e8, 1e12}) {
      INFO(k.model << (k.own ? ", own" : "") << ", tau_m " << tau);
      NetworkBuilder b(ms(500));
      const bool exp = std::string(k.model) == "lif_exp";
      const auto cells = two(b, k, tau, {{"I_dc", Value({200.0, -3.0})}});
      std::vector<ListedSpike> spikes;
      for (int i = 0; i < 150; ++i) spikes.push_back({ms(3.17 * i), static_cast<std::uint32_t>(i % 3 == 2)});
      const auto in = b.source(2, spikes);
      const double unit = exp ? 250 : 1;
      b.connect(in, cells, {{0, 0, 2 * unit, ms(1)}, {0, 1, 3.5 * unit, ms(1)}});
      b.connect(in, cells, {{1, 0, -3 * unit, ms(1)}, {1, 1, -0.7 * unit, ms(1)}}, exp ? 1 : 0);
      const auto expected = reference::simulate(b.network());
      const auto c = compare(run(b.network()).spikes(), expected);
      INFO(c.text());
      CHECK(c.differences.empty());
      CHECK(c.excused == 0);
      CHECK(c.spikes > 20);
    }
}

TEST_CASE("an asymptote at the threshold is no crossing") {
  const double ulp = std::numeric_limits<double>::epsilon();
  for (const auto& k : kernels)
    for (const double beside : {0.0, -ulp, -1e-9}) {
      INFO(k.model << (k.own ? ", own" : "") << ", " << beside);
      NetworkBuilder at_rest(ms(8000)), by_current(ms(8000));
      two(at_rest, k, 10, {{"E_L", -64}, {"v_th", -64}, {"v_reset", -75}, {"V", -75}});
      // The threshold current of each, whose time constants differ: 375 pA at 10 ms.
      two(by_current, k, 10, {{"I_dc", Value({375 * (1 + beside), 250 * (1 + beside)})}});
      for (auto* b : {&at_rest, &by_current}) {
        const auto got = run(b->network());
        if (!k.own || b == &at_rest) CHECK(got.spikes().empty());
        CHECK(got.recorder.ticks_of(0).empty());
        CHECK(got.statistics.threshold_tests < 20'000);  // requests for tests: not one per tick
      }
    }
}

TEST_CASE("arrivals that change nothing fire no neuron, whatever the block and the number of ranks") {
  for (const auto& k : kernels)
    for (const double w : {0.0, -0.0, 1e-45, -1e-45, 1e-38, -3.0, 1e30, -1e30})
      for (const bool listed : {false, true}) {
        INFO(k.model << (k.own ? ", own" : "") << ", weight " << w << (listed ? ", listed" : ""));
        NetworkBuilder b(ms(4000));
        b.network().block = 8;
        const std::uint32_t n = 16;
        std::vector<double> V, tau;
        for (std::uint32_t j = 0; j < n; ++j) V.push_back(-70 - 1e-3 * (j + 1)), tau.push_back(0.8 + 0.005 * j);
        Values values{{"E_L", -70}, {"v_th", -70}, {"v_reset", -75}, {"V", V}, {"tau_m", k.own ? Value(tau) : Value(1)}, {"t_ref", 10'000}};
        if (std::string(k.model) == "lif_exp") values.emplace_back("tau_syn_inh", k.tau_inh);
        const auto cells = b.add(k.model, n, values);
        b.record_spikes(cells);
        const auto in = b.source(1, {{ms(1), 0}, {ms(700), 0}, {ms(3990), 0}});
        if (listed) {
          std::vector<ListedEdge> edges;
          for (std::uint32_t j = 0; j < n; ++j) edges.push_back({0, j, w * (j % 2 ? 1 : 0.5), ms(1)});
          b.connect(in, cells, edges);
        } else {
          b.connect(in, cells, Rule::all_to_all, w, ms(1));
        }
        const auto got = run(b.network());  // small blocks and large ones
        const auto several = on_ranks(b.network(), 2);
        CHECK(first_difference(got.spikes(), several.spikes()) == "");
        if (w <= 0) CHECK(got.spikes().empty());
        if (w == 1e30) CHECK(got.spikes().size() == n);
      }
}

TEST_CASE("a plastic weight of zero fires no neuron that rests at its threshold") {
  for (const auto& k : kernels)
    for (const double w : {0.0, 1e30}) {
      INFO(k.model << (k.own ? ", own" : "") << ", weight " << w);
      NetworkBuilder b(ms(4000));
      Values values{{"E_L", -70}, {"v_th", -70}, {"v_reset", -75}, {"V", -75}, {"t_ref", 10'000}, {"tau_m", k.own ? Value({1.0, 2.0}) : Value(1)}};
      const auto cells = b.add(k.model, 2, values);
      b.record_spikes(cells);
      const auto in = b.source(1, {{ms(1), 0}, {ms(3990), 0}});
      b.connect(in, cells, Rule::all_to_all, "stdp", {{"weight", w}, {"w_max", 2e30}}, ms(1));
      const auto got = run(b.network());
      CHECK(first_difference(got.spikes(), on_ranks(b.network(), 2).spikes()) == "");
      CHECK(got.spikes().size() == (w == 0 ? 0 : 2));
    }
}

TEST_CASE("a neuron fires at most once a tick") {
  for (const auto& k : kernels) {
    INFO(k.model << (k.own ? ", own" : ""));
    NetworkBuilder b(2000);
    two(b, k, 10, {{"t_ref", 0}, {"v_reset", std::nextafter(-55.0, -60.0)}, {"I_dc", 10'000}, {"V", -55}});
    const auto ticks = run(b.network()).recorder.ticks_of(0);
    REQUIRE(ticks.size() == 2000);
    for (std::size_t i = 0; i < ticks.size(); ++i) REQUIRE(ticks[i] == static_cast<Tick>(i));
  }
}
