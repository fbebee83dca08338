// Drawn connections: what each rule promises of the degrees, and the law of the rest.
#include <catch2/catch.hpp>

#include <map>
#include <set>

#include "connect/positions.hpp"
#include "connect/rule.hpp"
#include "core/connect.hpp"
#include "network/graph.hpp"
#include "network/replicas.hpp"
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
  bool all[target_stretch];
  std::fill(std::begin(all), std::end(all), true);
  std::vector<Drawn> out;
  for (std::uint32_t stretch = 0; stretch < c.stretch_count(); ++stretch)
    c.edges(stretch, all, [&](const DrawnEdge* e, std::size_t n) {
      for (std::size_t i = 0; i < n; ++i)
        out.push_back({e[i].source, stretch * target_stretch + e[i].target});
    });
  return out;
}

constexpr std::uint32_t cells = 900;  // three stretches of 256 and a part of one

/// Sources 100 to 799 to all cells; sources 0 to 99 of another population go first, so that indices and gids
/// differ.
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
      std::vector<double> first_stretch(800);
      std::set<std::pair<std::uint32_t, std::uint32_t>> pairs;
      int self = 0;
      for (const auto& e : drawn) {
        ++out[e.source];
        ++in[e.target];
        if (e.target < target_stretch) ++first_stretch[e.source];
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
      // What falls to the first stretch of each source: binomial, or hypergeometric.
      double mean = 0, square = 0;
      for (const double n : first_stretch) mean += n / 800, square += n * n / 800;
      const double share = 256.0 / cells,
                   law = k * share * (1 - share) * (multapses ? 1 : (cells - double(k)) / (cells - 1));
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
    CHECK_THROWS_WITH(Connector(outdegree(most + 1, false, autapses), 0),
                      Catch::Contains("different targets cannot be drawn from"));
  }
  CHECK(draw_all(outdegree(0, true, true), 0).empty());
}

TEST_CASE("fixed_outdegree: a stretch drawn alone or out of order has the same edges") {
  const auto net = outdegree(50, true, false);
  const auto all = draw_all(net, 0);
  const Connector c(net, 0);
  for (const std::uint32_t stretch : {2u, 0u, 3u, 1u, 1u}) {
    std::vector<Drawn> some;
    bool wanted[target_stretch];
    for (std::uint32_t t = 0; t < target_stretch; ++t) wanted[t] = t % 3 == 0;
    c.edges(stretch, wanted, [&](const DrawnEdge* e, std::size_t n) {
      for (std::size_t i = 0; i < n; ++i)
        some.push_back({e[i].source, stretch * target_stretch + e[i].target});
    });
    std::vector<Drawn> expected;
    for (const auto& e : all)
      if (e.target / target_stretch == stretch && e.target % target_stretch % 3 == 0) expected.push_back(e);
    REQUIRE(some.size() == expected.size());
    CHECK(std::equal(some.begin(), some.end(), expected.begin(), [](const Drawn& a, const Drawn& b) {
      return a.source == b.source && a.target == b.target;
    }));
  }
}

TEST_CASE("fixed_outdegree: the same edges, weights, delays and spikes on 1, 2 and 3 ranks, in any block") {
  for (const bool multapses : {true, false})
    for (const bool autapses : {true, false}) {
      CAPTURE(multapses, autapses);
      NetworkBuilder b(ms(60), 3);
      const auto n = b.add("lif_delta", 600,
                           {{"I_dc", 300},
                            {"V", uniform(-60, -50)},
                            {"E_L", -65},
                            {"v_th", -50},
                            {"v_reset", -65},
                            {"C_m", 250},
                            {"tau_m", 20}});
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
          const auto same = [](const Edge& x, const Edge& y) {
            return x.source == y.source && x.target == y.target && x.weight == y.weight && x.delay == y.delay;
          };
          const auto &x = got.edges_of(0), &y = expected.edges_of(0);
          REQUIRE(x.size() == y.size());
          CHECK(std::equal(x.begin(), x.end(), y.begin(), same));
        }
    }
}

namespace {

Positions box(Positions::Kind kind, std::uint32_t dimensions, bool periodic) {
  Positions at;
  at.kind = kind;
  at.dimensions = dimensions;
  at.periodic = periodic;
  at.origin = {-100, 50, 0};
  at.extent = {1000, 800, 400};
  if (dimensions == 2) at.origin[2] = at.extent[2] = 0;
  return at;
}

/// Distance of two points written down anew: the nearest of all images.
double far(const Positions& space, const Point& a, const Point& b) {
  double sum = 0;
  for (std::uint32_t k = 0; k < space.dimensions; ++k) {
    double least = std::abs(a[k] - b[k]);
    if (space.periodic)
      for (const double shift : {-space.extent[k], space.extent[k]})
        least = std::min(least, std::abs(a[k] - b[k] + shift));
    sum += least * least;
  }
  return std::sqrt(sum);
}

struct Law {
  double shape, p, scale, cutoff;
  double at(double d) const {
    if (d > cutoff) return 0;
    return shape == 0   ? p * std::exp(-d * d / (2 * scale * scale))
           : shape == 1 ? p * std::exp(-d / scale)
                        : p;
  }
};

/// 700 cells to 600 others, and among them 200 that are both.
Network by_distance(const Positions& space, const Law& law, bool autapses = true, std::uint32_t seed = 9) {
  NetworkBuilder b(ms(10), seed);
  const auto n = b.add("lif_delta", 900, {}), other = b.add("lif_delta", 200, {});
  for (const auto p : {n, other}) {
    auto& at = b.network().populations[p].positions = space;
    if (at.kind == Positions::Kind::grid)
      at.grid = p == n ? std::array<std::uint32_t, 3>{30, 30, 1} : std::array<std::uint32_t, 3>{10, 20, 1};
  }
  auto& p = b.connect(n, n, *connection_rule("distance"), 1.0, ms(1));
  p.sources = {b.range(other), {b.first(n), 500}};
  p.targets = {{b.first(n) + 300, 600}};
  p.numbers = {law.shape, law.p, law.scale, law.cutoff};
  p.autapses = autapses;
  return b.network();
}

}  // namespace

TEST_CASE("distance: each pair with the probability of its distance") {
  using Kind = Positions::Kind;
  const Law laws[] = {
      {0, 0.6, 60, 300}, {1, 0.9, 50, 390}, {2, 0.2, 150, 150}, {2, 1, 120, 120}, {0, 1, 40, 200}};
  for (const Kind kind : {Kind::random, Kind::grid})
    for (const bool periodic : {false, true})
      for (const auto& law : laws) {
        const auto space = box(kind, kind == Kind::grid ? 2 : law.shape == 1 ? 2 : 3, periodic);
        if (periodic && law.cutoff > 0.5 * (space.dimensions > 2 ? 400 : 800)) continue;
        CAPTURE(kind == Kind::grid, space.dimensions, periodic, law.shape, law.p);
        const auto net = by_distance(space, law, law.shape != 2);
        const auto& p = net.projections[0];
        const auto sources = positions_of(net, p.sources), targets = positions_of(net, p.targets);
        const auto& at = net.populations[0].positions;
        const Ends ends(net, p);
        constexpr int bins = 12;
        double expected[bins] = {}, variance[bins] = {}, all = 0;
        int certain = 0;
        for (std::uint32_t s = 0; s < sources.size(); ++s)
          for (std::uint32_t t = 0; t < targets.size(); ++t) {
            const double d = far(at, sources[s], targets[t]), q = law.at(d);
            if (q == 0 || (!p.autapses && ends.source_gid(s) == ends.target_gid(t))) continue;
            const int bin = std::min(bins - 1, static_cast<int>(bins * d / law.cutoff));
            expected[bin] += q;
            variance[bin] += q * (1 - q);
            all += q;
            certain += q == 1;
          }
        const auto drawn = draw_all(net, 0);
        int found[bins] = {};
        std::set<std::pair<std::uint32_t, std::uint32_t>> pairs;
        for (const auto& e : drawn) {
          const double d = far(at, sources[e.source], targets[e.target]);
          REQUIRE(d <= law.cutoff * (1 + 1e-12));
          REQUIRE((p.autapses || ends.source_gid(e.source) != ends.target_gid(e.target)));
          ++found[std::min(bins - 1, static_cast<int>(bins * d / law.cutoff))];
          pairs.emplace(e.source, e.target);
        }
        CHECK(pairs.size() == drawn.size());
        CHECK(static_cast<int>(drawn.size()) >= certain);
        CHECK(expected_synapses(net, p) == Approx(all).epsilon(1e-9));
        double chi2 = 0, freedom = 0;
        for (int k = 0; k < bins; ++k) {
          if (variance[k] < 5) {
            CHECK(std::abs(found[k] - expected[k]) < 12);
            continue;
          }
          chi2 += (found[k] - expected[k]) * (found[k] - expected[k]) / variance[k];
          ++freedom;
        }
        CHECK(chi2 <= freedom + 5 * std::sqrt(2 * freedom));
        if (law.shape == 2 && law.p == 1) CHECK(drawn.size() == static_cast<std::size_t>(certain));
        else CHECK(freedom > 4);
      }
}

TEST_CASE("distance: neurons in one place are connected, however small the scale") {
  NetworkBuilder b(ms(10), 3);
  for (int k = 0; k < 2; ++k) {
    const auto n = b.add("lif_delta", 400, {});
    auto& at = b.network().populations[n].positions = box(Positions::Kind::grid, 2, false);
    at.grid = {20, 20, 1};
  }
  auto& p = b.connect(0, 1, *connection_rule("distance"), 1.0, ms(1));
  for (const double shape : {0, 1, 2}) {
    p.numbers = {shape, 1, 1e-9, 1e-9};
    CHECK(draw_all(b.network(), 0).size() == 400);
    CHECK(expected_synapses(b.network(), p) == Approx(400));
  }
}

TEST_CASE("distance: as many neighbours as the integral says, however many sources there are") {
  NetworkBuilder b(ms(10), 3);
  const auto n = b.add("lif_delta", 40000, {});
  auto& at = b.network().populations[n].positions = box(Positions::Kind::random, 2, true);
  at.extent = {1000, 1000, 0};
  auto& p = b.connect(n, n, *connection_rule("distance"), 1.0, ms(1));
  p.targets = {{0, 2000}};
  p.numbers = {0, 0.5, 30, 150};
  const double mean = 40000 / 1e6 * 0.5 * 2 * std::acos(-1.0) * 900 * (1 - std::exp(-12.5));
  const auto drawn = draw_all(b.network(), 0);
  CHECK(static_cast<double>(drawn.size()) / 2000 == Approx(mean).margin(5 * std::sqrt(mean / 2000) * 2));
  CHECK(expected_synapses(b.network(), p) / 2000 == Approx(mean).epsilon(0.01));
}

TEST_CASE("distance: the same edges, delays and spikes on 1, 2 and 3 ranks, in any block") {
  NetworkBuilder b(ms(60), 3);
  const auto n = b.add("lif_delta", 600,
                       {{"I_dc", 300},
                        {"V", uniform(-60, -50)},
                        {"E_L", -65},
                        {"v_th", -50},
                        {"v_reset", -65},
                        {"C_m", 250},
                        {"tau_m", 20}});
  b.network().populations[n].positions = box(Positions::Kind::random, 3, true);
  auto& p = b.connect(n, n, *connection_rule("distance"), uniform(0, 0.5), ms(1));
  p.numbers = {0, 0.8, 70, 200};
  p.autapses = false;
  p.delay = uniform(3e5, 3e5 + 2e4 * 200);
  p.delay_by_distance = {3e5, 2e4};
  b.record_spikes(n);
  b.network().edge_recordings.push_back(0);
  auto expected = on_ranks(b.network(), 1);
  const auto& edges = expected.edges_of(0);
  REQUIRE(edges.size() > 3000);
  REQUIRE(expected.spikes().size() > 600);
  std::set<Tick> delays;
  const auto& at = b.network().populations[n].positions;
  for (const auto& e : edges) {
    const double d = far(at, position_of(b.network(), e.source), position_of(b.network(), e.target));
    CHECK(e.delay == 100'000 * static_cast<Tick>(std::floor((3e5 + 2e4 * d) / 1e5 + 0.5)));
    delays.insert(e.delay);
  }
  CHECK(delays.size() > 20);
  CHECK(lookahead(b.network()) == 300'000);
  for (const std::uint32_t block : {1u, 256u})
    for (const int ranks : {1, 2, 3}) {
      CAPTURE(block, ranks);
      b.network().block = block;
      auto got = on_ranks(b.network(), ranks);
      CHECK((got.spikes() == expected.spikes()));
      const auto same = [](const Edge& x, const Edge& y) {
        return x.source == y.source && x.target == y.target && x.weight == y.weight && x.delay == y.delay;
      };
      REQUIRE(got.edges_of(0).size() == edges.size());
      CHECK(std::equal(edges.begin(), edges.end(), got.edges_of(0).begin(), same));
    }
}

TEST_CASE("positions: a grid's points, a list's, and random ones as a replica has them alone") {
  Network net = by_distance(box(Positions::Kind::grid, 2, false), {2, 1, 10, 10});
  CHECK(position_of(net, 0, 0) == Point{-100 + 1000 * (0.5 / 30), 50 + 800 * (0.5 / 30), 0});
  CHECK(position_of(net, 0, 31) == Point{-100 + 1000 * (1.5 / 30), 50 + 800 * (1.5 / 30), 0});
  auto& listed = net.populations[0].positions;
  listed.kind = Positions::Kind::listed;
  listed.dimensions = 3;
  listed.listed.resize(2700);
  listed.listed[5] = 7;
  CHECK(position_of(net, 0, 1) == Point{0, 0, 7});
  const Network alone = by_distance(box(Positions::Kind::random, 3, true), {2, 1, 10, 10}, true, 5);
  const std::uint32_t seeds[] = {4, 5};
  const Network two = replicate(alone, seeds);
  CHECK(position_of(two, 1, 17) == position_of(alone, 0, 17));
  CHECK(position_of(two, 0, 17) != position_of(alone, 0, 17));
  CHECK(position_of(two, 3, 17) == position_of(alone, 1, 17));
}

namespace {

constexpr double shared_values[] = {1, 2, 4};

/// A source with 70 targets and two with 5, whose weights go round; shared, or the same as each synapse's
/// own.
Network going_round(bool shared, std::vector<double> weights) {
  NetworkBuilder b(ms(20), 1);
  const Values v{{"E_L", 0}, {"v_th", 3.5}, {"v_reset", 0}, {"tau_m", 20}, {"V", 0}};
  const auto in = b.source(3, {{ms(1), 0}, {ms(5), 1}, {ms(5), 2}, {ms(9), 0}, {ms(9), 1}});
  const auto cells = b.add("lif_delta", 70, v);
  std::vector<ListedEdge> edges;
  std::vector<std::uint32_t> which;
  for (std::uint32_t t = 0; t < 70; ++t)
    for (std::uint32_t s = 0; s < (t < 5 ? 3u : 1u); ++s) {
      which.push_back((t + s) % 3);
      edges.push_back({s, t, weights[which.back()], ms(1)});
    }
  auto& p = b.connect(in, cells, std::move(edges));
  if (shared) {
    p.listed_weights = false;
    p.shared_weights = std::move(weights);
    p.weight_index = std::move(which);
  }
  b.record_spikes(cells);
  b.network().edge_recordings.push_back(0);
  return b.network();
}

std::vector<double> weights_of(const std::vector<Edge>& edges) {
  std::vector<double> w;
  for (const auto& e : edges) w.push_back(e.weight);
  return w;
}

}  // namespace

TEST_CASE("shared weights: as if each synapse had its own, on any number of ranks") {
  for (const double middle : {2.0, 3.625}) {
    auto own = on_ranks(going_round(false, {1, middle, 4}), 1);
    REQUIRE(own.spikes().size() > 50);
    for (const int ranks : {1, 2, 3}) {
      auto got = on_ranks(going_round(true, {1, middle, 4}), ranks);
      CHECK((got.spikes() == own.spikes()));
      CHECK(weights_of(got.edges_of(0)) == weights_of(own.edges_of(0)));
    }
  }
}

TEST_CASE("shared weights: one change changes all synapses that take it; they are stored once") {
  std::vector<double> values(std::begin(shared_values), std::end(shared_values));
  auto changed = values;
  changed[1] = 3.75;
  auto own = on_ranks(going_round(false, changed), 1);
  const auto before = on_ranks(going_round(false, values), 1);
  for (const std::uint32_t small : {0u, 4096u}) {  // both stores of arrivals
    MemoryRecorder recorder;
    const Network net = going_round(true, values);
    SimulationOptions options;
    options.l2_bytes = 1;  // as many blocks as can be
    options.small_slices = small;
    run_loopback(1, [&](Transport& t) {
      Simulation s(net, t, options);
      REQUIRE(s.shared_weights(0).size() == 3);
      s.shared_weights(0)[1] = 3.75f;
      s.run(&recorder);
    });
    CHECK((recorder.spikes() == own.spikes()));
    CHECK(!(recorder.spikes() == before.spikes()));
  }
  const auto bytes = [](std::size_t weights) {
    std::uint64_t n = 0;
    const Network net = going_round(true, std::vector<double>(weights, 1));
    SimulationOptions options;
    options.l2_bytes = 1;
    run_loopback(1, [&](Transport& t) { n = Simulation(net, t, options).built().synapse_bytes; });
    return n;
  };
  CHECK(bytes(1003) - bytes(3) == 1000 * sizeof(float));
}

TEST_CASE("shared weights: what cannot be is refused when the network is built") {
  auto net = going_round(true, {1, 2, 4});
  net.projections[0].weight_index[40] = 3;
  CHECK_THROWS_WITH(on_ranks(net, 1), Catch::Contains("shared weight 3 of 3"));
  net = going_round(true, {1, 2, 4});
  net.projections[0].synapse = reinterpret_cast<const SynapseTable*>(builtin().find(Kind::synapse, "stdp"));
  CHECK_THROWS_WITH(on_ranks(net, 1), Catch::Contains("cannot share weights"));
}
