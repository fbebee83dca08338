// The linear neurons where parameters meet a limit: hardly any leak, a resting potential at the threshold,
// arrivals that change nothing or everything.
#include <catch2/catch.hpp>

#include <cmath>
#include <limits>

#include "core/failure.hpp"
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
const Kernel kernels[] = {
    {"lif_delta", false}, {"lif_delta", true}, {"lif_exp", false}, {"lif_exp", false, 5}, {"lif_exp", true}};

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

TEST_CASE("without a leak the crossing is exact, however long the time constant") {
  for (const auto& k : kernels)
    for (const double tau : {1e20, 1e30, 1e100, 1e200, 1e300, 1e307}) {
      INFO(k.model << (k.own ? ", own" : "") << ", tau_m " << tau);
      NetworkBuilder b(ms(2000));
      two(b, k, tau, {{"I_dc", 300}});
      const auto ticks = run(b.network()).recorder.ticks_of(0);  // 15 mV at 1.2 mV/ms, and 2 ms of rest
      REQUIRE(ticks.size() == 138);
      for (Tick i = 0; i < 138; ++i) REQUIRE(ticks[static_cast<std::size_t>(i)] == ms(12.5) + i * ms(14.5));
    }
}

namespace {
/// Every spike comes a tick after the release: the first at `first`, then after t_ref = 2 ms and a tick.
void check_releases(const char* what, NetworkBuilder& b, Tick first) {
  INFO(what);
  const auto ticks = run(b.network()).recorder.ticks_of(0);
  REQUIRE(ticks.size() == 50);
  for (Tick i = 0; i < 50; ++i) REQUIRE(ticks[static_cast<std::size_t>(i)] == first + i * (ms(2) + 1));
}
}  // namespace

TEST_CASE("however strong the current, a crossing lies after the release", "[long]") {
  for (const auto& k : kernels)
    for (const double tau : {10.0, 1e100})
      for (const double I : {1e12, 1e16, 1e20, 1e100, 1e200}) {
        INFO(k.model << (k.own ? ", own" : "") << ", tau_m " << tau << ", I_dc " << I);
        NetworkBuilder below(ms(100)), at(ms(100)), rests_far(ms(100));
        NetworkBuilder thin(ms(100)), later(ms(100)), against(ms(100));
        two(below, k, tau, {{"I_dc", I}});
        check_releases("below", below, 1);
        two(at, k, tau, {{"I_dc", I}, {"V", -55}});
        check_releases("at", at, 0);
        if (tau < 1e4) {
          two(rests_far, k, tau, {{"E_L", I * tau / 250}, {"V", -70}});
          check_releases("rests_far", rests_far, 1);
          two(thin, k, tau, {{"I_dc", 300}, {"C_m", 300 / I}});
          check_releases("thin", thin, 1);
        }
        const auto p = two(later, k, tau, {{"t_ref", 2}});
        later.schedule(ms(0.5), p, "I_dc", I);
        later.schedule(ms(99.9), p, "I_dc", 0);
        check_releases("later", later, ms(0.5) + 1);
        two(against, k, tau, {{"I_dc", -I}});
        CHECK(run(against.network()).spikes().empty());
      }
}

TEST_CASE("a huge weight fires a neuron in the next tick, whether it rests or is released") {
  for (const auto& k : kernels) {
    if (std::string(k.model) == "lif_delta") continue;
    for (const float w : {1e14f, 1e20f, 1e30f, 3e38f}) {
      INFO("lif_exp" << (k.own ? ", own" : "") << ", tau_inh " << k.tau_inh << ", weight " << w);
      NetworkBuilder b(ms(20));
      const auto cells = two(b, k, 10, {{"V", Value({-60.0, -55.000001})}});
      b.connect(b.source(1, {{ms(1), 0}}), cells, Rule::all_to_all, w, ms(1));
      const auto ticks = run(b.network()).recorder.ticks_of(0);
      REQUIRE(ticks.size() == 9);
      for (Tick i = 0; i < 9; ++i) REQUIRE(ticks[static_cast<std::size_t>(i)] == (i + 1) * (ms(2) + 1));
    }
  }
}

TEST_CASE("what lies beyond all numbers is refused, or ends the run") {
  const auto reason = [](NetworkBuilder& b) -> std::string {
    try {
      run_once(b.network());
    } catch (const ModelFailure& e) {
      return e.what();
    }
    return "no failure";
  };
  for (const auto& k : kernels) {
    INFO(k.model << (k.own ? ", own" : ""));
    const auto& table = *reinterpret_cast<const NeuronTable*>(builtin().find(Kind::neuron, k.model));
    const std::vector<std::pair<std::string, double>> far{
        {"I_dc", 1e307}, {"I_dc", -1e308},    {"E_L", 1e307}, {"v_th", 1e308},
        {"V", -1e306},   {"v_reset", -1e308}, {"C_m", 1e-305}};
    for (const auto& [name, x] : far) {
      INFO(name << " " << x);
      std::vector<double> params(table.params_size / 8);
      for (std::uint32_t i = 0; i < table.model.params.count; ++i) {
        const Field& f = table.model.params.data[i];
        put(params.data(), f, name == f.name ? x : std::string("I_dc") == f.name ? 300 : f.preset);
      }
      const char* why = table.check(params.data());
      if (name != "V")
        CHECK(std::string(why ? why : "").find("must lie within 1e+304 mV") != std::string::npos);
      NetworkBuilder b(ms(10));
      two(b, k, 10, name == "I_dc" ? Values{{name, x}} : Values{{"I_dc", 300}, {name, x}});
      CHECK(reason(b).find("neuron 0 (" + std::string(k.model) + "), at 0 ms: ") != std::string::npos);
      CHECK(reason(b).find("must lie within 1e+304 mV") != std::string::npos);
    }
    NetworkBuilder later(ms(10));
    later.schedule(ms(3), two(later, k, 10, {}), "I_dc", 1e308);
    CHECK(reason(later).find("neuron 0 (" + std::string(k.model) + "), at 3 ms: ") != std::string::npos);
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

TEST_CASE("arrivals that change nothing fire no neuron, whatever the block and the number of ranks",
          "[long]") {
  for (const auto& k : kernels)
    for (const double w : {0.0, -0.0, 1e-45, -1e-45, 1e-38, -3.0, 1e30, -1e30})
      for (const bool listed : {false, true}) {
        INFO(k.model << (k.own ? ", own" : "") << ", weight " << w << (listed ? ", listed" : ""));
        NetworkBuilder b(ms(4000));
        b.network().block = 8;
        const std::uint32_t n = 16;
        std::vector<double> V, tau;
        for (std::uint32_t j = 0; j < n; ++j)
          V.push_back(-70 - 1e-3 * (j + 1)), tau.push_back(0.8 + 0.005 * j);
        Values values{{"E_L", -70},
                      {"v_th", -70},
                      {"v_reset", -75},
                      {"V", V},
                      {"tau_m", k.own ? Value(tau) : Value(1)},
                      {"t_ref", 10'000}};
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
      Values values{{"E_L", -70}, {"v_th", -70},     {"v_reset", -75},
                    {"V", -75},   {"t_ref", 10'000}, {"tau_m", k.own ? Value({1.0, 2.0}) : Value(1)}};
      const auto cells = b.add(k.model, 2, values);
      b.record_spikes(cells);
      const auto in = b.source(1, {{ms(1), 0}, {ms(3990), 0}});
      b.connect(in, cells, Rule::all_to_all, SynapsesOf{"stdp", {{"weight", w}, {"w_max", 2e30}}}, ms(1));
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

TEST_CASE("a soft reset leaves what lay above the threshold, and fires again for it") {
  auto all = std::vector<Kernel>(std::begin(kernels), std::end(kernels));
  all.push_back({"lif_alpha", false});
  for (const auto& k : all)
    for (const double t_ref : {0.0, 2.0}) {
      INFO(k.model << (k.own ? ", own" : "") << ", t_ref " << t_ref);
      NetworkBuilder b(ms(40));
      // 0, -15, -30 and -45 mV are above -55 mV; V is held while the neuron is refractory.
      two(b, k, 10, {{"t_ref", t_ref}, {"reset", 1}, {"V", 0}});
      const auto r = b.report(0, "V", ms(1), ms(1));
      auto got = run(b.network());
      const Tick apart = t_ref == 0 ? 1 : ms(2);
      CHECK(got.recorder.ticks_of(0) == std::vector<Tick>{0, apart, 2 * apart, 3 * apart});
      CHECK(got.recorder.ticks_of(1) == got.recorder.ticks_of(0));
      const double first = t_ref == 0 ? -70 + 10 * std::exp(-0.1) : -15;
      CHECK(got.recorder.report(r).at(0) == Approx(first).epsilon(1e-6));
    }
}

TEST_CASE("without a leak a soft reset turns all that arrives into spikes") {
  for (const double tau : {1e15, 1e300}) {
    NetworkBuilder b(ms(100));
    two(b, {"lif_delta", false}, tau, {{"t_ref", 0}, {"reset", 1}});
    std::vector<ListedSpike> at;
    std::vector<ListedEdge> edges;
    double sum = 0;
    for (std::uint32_t i = 0; i < 60; ++i) {
      const double w = (i * 37 % 101) * 0.625 - (i % 7 == 3 ? 40 : 0);  // up to 62.5 mV, of 15 from reset on
      sum += w;
      at.push_back({ms(1) * (i + 1), i});
      for (const std::uint32_t target : {0u, 1u}) edges.push_back({i, target, w, ms(1)});
    }
    b.connect(b.source(60, at), 0, std::move(edges), 0);
    const auto r = b.report(0, "V", ms(1), ms(99));
    auto got = run(b.network());
    const auto spikes = static_cast<double>(got.recorder.ticks_of(0).size());
    CHECK(spikes > 90);
    CHECK(got.recorder.report(r).at(0) == Approx(-70 + sum - 15 * spikes).margin(1e-4));
    CHECK(got.recorder.report(r).at(0) < -55);
  }
}
