// Who owns what, by cost, in turn, or by the graph of known connections.
#include <catch2/catch.hpp>

#include <cmath>
#include <set>

#include "core/input/source.hpp"
#include "core/partition.hpp"
#include "spinet/random.hpp"
#include "support/network_builder.hpp"
#include "support/on_ranks.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {
constexpr std::uint32_t groups = 6, members = 40;

// A permutation of the neurons and its inverse: communities are runs of it, so that gids tell nothing.
std::uint32_t place_of(std::uint32_t s) { return (s * 77 + 13) % (groups * members); }
std::uint32_t at_place(std::uint32_t p) { return (p + groups * members - 13) * 53 % (groups * members); }

/// `groups` communities of neurons, dense inside and sparse between.
NetworkBuilder communities() {
  NetworkBuilder b(ms(60), 2);
  const auto n = b.add("lif_delta", groups * members,
                       {{"I_dc", 300},
                        {"C_m", 250},
                        {"tau_m", 20},
                        {"E_L", -65},
                        {"v_th", -50},
                        {"v_reset", -65},
                        {"V", uniform(-65, -50)}});
  std::vector<ListedEdge> edges;
  for (std::uint32_t s = 0; s < groups * members; ++s)
    for (std::uint32_t k = 0; k < 12; ++k) {
      const auto w = draw({5, 5}, s, k);
      const bool inside = k < 11;
      const std::uint32_t t =
          inside ? at_place(place_of(s) / members * members + w[0] % members) : w[0] % (groups * members);
      edges.push_back({s, t, 0.3, ms(1)});
    }
  b.connect(n, n, edges);
  b.record_spikes(n);
  b.network().block = 1;
  return b;
}

std::size_t crossing(const Network& net, const Partition& p) {
  std::size_t n = 0;
  for (const auto& e : net.projections[0].edges)
    n += p.stretches()[p.stretch_of(e.source)].owner != p.stretches()[p.stretch_of(e.target)].owner;
  return n;
}
std::vector<double> shares(const Partition& p, int ranks) {
  std::vector<double> of(static_cast<std::size_t>(ranks));
  for (const auto& r : p.stretches()) of[static_cast<std::size_t>(r.owner)] += r.count;
  return of;
}
}  // namespace

TEST_CASE("partition: graph keeps communities together and shares the work") {
  auto b = communities();
  for (const int ranks : {2, 3, 6}) {
    CAPTURE(ranks);
    b.network().partition = Sharing::cost;
    const auto by_cost = crossing(b.network(), Partition(b.network(), ranks));
    b.network().partition = Sharing::graph;
    const Partition graph(b.network(), ranks);
    // What must cross: the twelfth connection, where it ends with another rank.
    const double least = groups * members * (1 - 1.0 / ranks);
    CHECK(static_cast<double>(crossing(b.network(), graph)) < 1.3 * least);
    CHECK(by_cost > 4 * least);
    for (const double n : shares(graph, ranks)) CHECK(n == Approx(groups * members / ranks).epsilon(0.08));
    // The same for whoever asks.
    const Partition again(b.network(), ranks);
    for (std::size_t r = 0; r < graph.stretches().size(); ++r)
      REQUIRE(again.stretches()[r].owner == graph.stretches()[r].owner);
  }
}

TEST_CASE("partition: round_robin deals blocks in turn") {
  auto b = communities();
  b.network().partition = Sharing::round_robin;
  b.network().block = 7;
  const Partition p(b.network(), 3);
  for (std::size_t r = 0; r < p.stretches().size(); ++r)
    CHECK(p.stretches()[r].owner == static_cast<int>(r % 3));
}

TEST_CASE("partition: graph without known connections, or with as many ranks as blocks, is that by cost") {
  NetworkBuilder b(ms(10));
  const auto n = b.add("lif_delta", 64, {});
  b.connect(n, n, Rule::fixed_indegree, 0.1, ms(1)).numbers = {5};
  for (const int ranks : {1, 2, 16, 100}) {
    b.network().partition = Sharing::cost;
    const Partition cost(b.network(), ranks);
    b.network().partition = Sharing::graph;
    const Partition graph(b.network(), ranks);
    for (std::size_t r = 0; r < cost.stretches().size(); ++r)
      CHECK(cost.stretches()[r].owner == graph.stretches()[r].owner);
  }
}

TEST_CASE("partition: no run has neurons of two units of its drive") {
  NetworkBuilder b(ms(10), 1);
  b.network().block = source_unit;
  const auto exc = b.add("lif_delta", 1000, {{"C_m", 250}, {"tau_m", 20}, {"v_th", -50}, {"v_reset", -65}});
  const auto inh = b.add("lif_delta", 700, {{"C_m", 250}, {"tau_m", 20}, {"v_th", -50}, {"v_reset", -65}});
  const auto noise = b.add("poisson", 1700, {{"rate", 1}}, Kind::source);
  b.connect(noise, exc, Rule::one_to_one, 0.1, ms(1)).sources = {{b.first(noise), 1000}};
  b.connect(noise, inh, Rule::one_to_one, 0.1, ms(1)).sources = {{b.first(noise) + 1000, 700}};
  const auto& net = b.network();
  const Partition partition(net, 2);
  std::size_t of_inh = 0;
  for (const auto& run : partition.stretches()) {
    CHECK(run.count <= source_unit);
    for (Gid gid = run.first; gid < run.first + run.count; ++gid) {
      CHECK(&partition.stretches()[partition.stretch_of(gid)] == &run);
      if (run.population == exc || run.population == inh)
        CHECK(gid / source_unit == run.first / source_unit);  // a target's gid is its source's number
    }
    of_inh += run.population == inh;
  }
  CHECK(of_inh == 4);  // to 1024, 1280, 1536, 1700
}

TEST_CASE("no partition changes a spike") {
  auto b = communities();
  const auto expected = on_ranks(b.network(), 1).spikes();
  REQUIRE(expected.size() > 200);
  for (const auto sharing : {Sharing::cost, Sharing::round_robin, Sharing::graph})
    for (const std::uint32_t block : {1u, 5u})
      for (const int ranks : {1, 2, 3}) {
        CAPTURE(static_cast<int>(sharing), block, ranks);
        b.network().partition = sharing;
        b.network().block = block;
        int owning = 0;
        CHECK((on_ranks(b.network(), ranks, &owning).spikes() == expected));
        CHECK(owning == ranks);
      }
}
