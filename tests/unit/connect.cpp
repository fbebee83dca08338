// Drawn connections: what each rule promises of the degrees, and the law of the rest.
#include <catch2/catch.hpp>

#include <map>
#include <set>

#include "core/connect.hpp"
#include "support/network_builder.hpp"
#include "support/on_ranks.hpp"
#include "support/run.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {
struct Drawn {
  std::uint32_t source, target;  ///< along the concatenated ends
};
std::vector<Drawn> draw_all(const Network& net, std::uint32_t projection) {
  const Connector c(net, projection);
  bool all[target_run];
  std::fill(std::begin(all), std::end(all), true);
  std::vector<Drawn> out;
  for (std::uint32_t run = 0; run < c.run_count(); ++run)
    c.edges(run, all, [&](const DrawnEdge* e, std::size_t n) {
      for (std::size_t i = 0; i < n; ++i) out.push_back({e[i].source, run * target_run + e[i].target});
    });
  return out;
}

constexpr std::uint32_t cells = 900;  // three runs of 256 and a part of one

/// Sources 100 to 799 to all cells; sources 0 to 99 of another population go first, so that indices and gids differ.
Network outdegree(std::uint64_t number, bool multapses, bool autapses, std::uint32_t seed = 5) {
  NetworkBuilder b(ms(10), seed);
  const auto n = b.add("lif_delta", cells, {}), other = b.add("lif_delta", 100, {});
  auto& p = b.connect(n, n, Rule::fixed_outdegree, 1.0, ms(1));
  p.sources = {b.range(other), {b.first(n) + 100, 700}};
  p.numbers = {static_cast<double>(number)}, p.multapses = multapses, p.autapses = autapses;
  return b.network();
}
}  // namespace

TEST_CASE("fixed_outdegree: every source has exactly so many targets, uniformly") {
  for (const bool multapses : {true, false})
    for (const bool autapses : {true, false}) {
      constexpr std::uint64_t k = 137;
      CAPTURE(multapses, autapses);
      const auto net = outdegree(k, multapses, autapses);
      const auto drawn = draw_all(net, 0);
      std::vector<int> out(800), in(cells);
      std::vector<double> first_run(800);
      std::set<std::pair<std::uint32_t, std::uint32_t>> pairs;
      int self = 0;
      for (const auto& e : drawn) {
        ++out[e.source];
        ++in[e.target];
        if (e.target < target_run) ++first_run[e.source];
        pairs.emplace(e.source, e.target);
        self += e.source >= 100 && e.source == e.target;  // source 100 is cell 100
      }
      CHECK(std::all_of(out.begin(), out.end(), [](int n) { return n == k; }));
      CHECK((multapses || pairs.size() == drawn.size()));
      if (multapses) CHECK(pairs.size() < drawn.size());
      if (!autapses) CHECK(self == 0);
      else CHECK(self == Approx(700.0 * k / cells).epsilon(0.4));  // 107 +- 10 expected
      // Indegrees: sums of 800 independent draws.
      double chi2 = 0, total = 0;
      for (std::uint32_t t = 0; t < cells; ++t) {
        double mean = 0, variance = 0;
        for (std::uint32_t s = 0; s < 800; ++s) {
          if (!autapses && s >= 100 && s == t) continue;
          const double eligible = cells - (!autapses && s >= 100), p = 1 / eligible;
          mean += k * p;
          variance += multapses ? k * p * (1 - p) : k * p * (1 - k * p);
        }
        total += mean;
        chi2 += (in[t] - mean) * (in[t] - mean) / variance;
      }
      CHECK(total == Approx(800.0 * k));
      CHECK(chi2 > cells - 5 * std::sqrt(2.0 * cells));
      CHECK(chi2 < cells + 5 * std::sqrt(2.0 * cells));
      // What falls to the first run of each source: binomial, or hypergeometric.
      double mean = 0, square = 0;
      for (const double n : first_run) mean += n / 800, square += n * n / 800;
      const double share = 256.0 / cells, law = k * share * (1 - share) * (multapses ? 1 : (cells - double(k)) / (cells - 1));
      CHECK(mean == Approx(k * share).margin(5 * std::sqrt(law / 800)));
      CHECK(square - mean * mean == Approx(law).epsilon(5 * std::sqrt(2.0 / 800)));
    }
}

TEST_CASE("fixed_outdegree: all targets, none, and too many") {
  for (const bool autapses : {true, false}) {
    const std::uint64_t most = cells - !autapses;
    const auto drawn = draw_all(outdegree(most, false, autapses), 0);
    std::set<std::pair<std::uint32_t, std::uint32_t>> pairs;
    for (const auto& e : drawn) pairs.emplace(e.source, e.target);
    // Sources that are no targets may leave one cell out.
    CHECK(pairs.size() == 800 * most);
    CHECK(drawn.size() == 800 * most);
    CHECK_THROWS_WITH(Connector(outdegree(most + 1, false, autapses), 0), Catch::Contains("different targets cannot be drawn from"));
  }
  CHECK(draw_all(outdegree(0, true, true), 0).empty());
}

TEST_CASE("fixed_outdegree: a run drawn alone or out of order has the same edges") {
  const auto net = outdegree(50, true, false);
  const auto all = draw_all(net, 0);
  const Connector c(net, 0);
  for (const std::uint32_t run : {2u, 0u, 3u, 1u, 1u}) {
    std::vector<Drawn> some;
    bool wanted[target_run];
    for (std::uint32_t t = 0; t < target_run; ++t) wanted[t] = t % 3 == 0;
    c.edges(run, wanted, [&](const DrawnEdge* e, std::size_t n) {
      for (std::size_t i = 0; i < n; ++i) some.push_back({e[i].source, run * target_run + e[i].target});
    });
    std::vector<Drawn> expected;
    for (const auto& e : all)
      if (e.target / target_run == run && e.target % target_run % 3 == 0) expected.push_back(e);
    REQUIRE(some.size() == expected.size());
    CHECK(std::equal(some.begin(), some.end(), expected.begin(), [](const Drawn& a, const Drawn& b) { return a.source == b.source && a.target == b.target; }));
  }
}

TEST_CASE("fixed_outdegree: the same edges, weights, delays and spikes on 1, 2 and 3 ranks, in any block") {
  for (const bool multapses : {true, false})
    for (const bool autapses : {true, false}) {
      CAPTURE(multapses, autapses);
      NetworkBuilder b(ms(60), 3);
      const auto n = b.add("lif_delta", 600, {{"I_dc", 300}, {"V", uniform(-60, -50)}, {"E_L", -65}, {"v_th", -50}, {"v_reset", -65}, {"C_m", 250}, {"tau_m", 20}});
      auto& p = b.connect(n, n, Rule::fixed_outdegree, uniform(0, 0.5), ms(1));
      p.numbers = {20}, p.multapses = multapses, p.autapses = autapses, p.delay = uniform(5e5, 3e6);
      b.record_spikes(n);
      b.network().edge_recordings.push_back(0);
      auto expected = on_ranks(b.network(), 1);
      REQUIRE(expected.edges_of(0).size() == 600 * 20);
      REQUIRE(expected.spikes().size() > 600);
      for (const std::uint32_t block : {1u, 256u})
        for (const int ranks : {1, 2, 3}) {
          CAPTURE(block, ranks);
          b.network().block = block;
          int owning = 0;
          auto got = on_ranks(b.network(), ranks, &owning);
          CHECK(owning == ranks);
          CHECK((got.spikes() == expected.spikes()));
          const auto same = [](const Edge& x, const Edge& y) { return x.source == y.source && x.target == y.target && x.weight == y.weight && x.delay == y.delay; };
          const auto &x = got.edges_of(0), &y = expected.edges_of(0);
          REQUIRE(x.size() == y.size());
          CHECK(std::equal(x.begin(), x.end(), y.begin(), same));
        }
    }
}
