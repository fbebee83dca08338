// Recurrent networks: spike by spike against the reference, and the same spikes whatever does not belong to
// the model: partition blocks, windows, recording, neighbours, the number of ranks.
#include <catch2/catch.hpp>

#include "comm/loopback.hpp"
#include "support/recurrent.hpp"
#include "support/run.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {
std::vector<Spike> on_ranks(const Network& net, int ranks, int* owning = nullptr) {
  std::vector<Spike> spikes;
  std::vector<std::uint64_t> owned(static_cast<std::size_t>(ranks));
  run_loopback(ranks, [&](Transport& t) {
    Simulation s(net, t);
    owned[static_cast<std::size_t>(t.rank())] = s.owned();
    MemoryRecorder recorder;
    s.run(t.rank() == 0 ? &recorder : nullptr);
    if (t.rank() == 0) spikes = recorder.spikes();
  });
  if (owning)
    *owning = static_cast<int>(std::count_if(owned.begin(), owned.end(), [](auto n) { return n > 0; }));
  return spikes;
}
}  // namespace

TEST_CASE("recurrent networks, spike by spike against the reference") {
  for (const bool exponential : {false, true})
    for (std::uint32_t seed = 1; seed <= 2; ++seed) {
      auto b = recurrent({.exponential = exponential}, seed);
      const auto expected = reference::simulate(b.network());
      const auto c = compare_recurrent(run(b.network()).spikes(), expected);
      INFO((exponential ? "lif_exp" : "lif_delta") << ", seed " << seed << ": " << c.text());
      CHECK(c.differences.empty());
      CHECK(c.spikes > 200);
      CHECK(c.spikes < 40'000);
      CHECK(c.excused == 0);
    }
}

TEST_CASE("neither blocks, windows nor the memory of a block change a spike") {
  for (const bool exponential : {false, true})
    for (const std::uint32_t seed : {1u, 2u}) {
      auto b =
          recurrent({.exponential = exponential, .neurons = 150, .connected = 0.08, .noise = true}, seed);
      const auto expected = run(b.network()).spikes();
      REQUIRE(expected.size() > 500);
      for (const std::uint32_t block : {1u, 3u, 16u, 256u}) {
        b.network().block = block;
        for (const SimulationOptions options :
             {SimulationOptions{}, SimulationOptions{1, 0}, SimulationOptions{4096, 0},
              SimulationOptions{0, 7'777}, SimulationOptions{0, 50'000}}) {
          INFO((exponential ? "lif_exp" : "lif_delta")
               << ", block " << block << ", l2 " << options.l2_bytes << ", window " << options.window_cap);
          CHECK(run(b.network(), options).spikes() == expected);
        }
      }
    }
}

TEST_CASE("recording everything, something or nothing gives the same spikes") {
  for (const bool exponential : {false, true}) {
    auto b = recurrent({.exponential = exponential, .noise = true}, 5);
    const auto plain = run(b.network());
    auto& net = b.network();
    net.spikes.clear();
    const auto nothing = run(net);
    CHECK(nothing.spikes().empty());
    CHECK(nothing.statistics.spikes_of_population == plain.statistics.spikes_of_population);
    for (std::uint32_t p = 0; p < net.populations.size(); ++p) net.spikes.push_back({p, {}, 0, never});
    for (std::uint32_t p = 0; p < net.projections.size(); ++p) net.edge_recordings.push_back(p);
    b.report(0, "V", 100'000);
    b.report(1, "V", 33'333, 5);
    const auto all = run(net);
    std::vector<Spike> neurons;
    const Gid sources = net.populations[2].first;
    for (const auto& s : all.spikes())
      if (s.gid < sources) neurons.push_back(s);
    CHECK(neurons == plain.spikes());
    CHECK(all.spikes().size() > neurons.size() + 1000);  // the noise was logged too
  }
}

TEST_CASE("any number of ranks gives the same spikes") {
  for (const bool exponential : {false, true})
    for (const std::uint32_t block : {1u, 4u, 7u}) {
      auto b = recurrent({.exponential = exponential, .neurons = 60, .noise = true}, 9);
      b.network().block = block;
      const auto expected = run(b.network()).spikes();
      REQUIRE(expected.size() > 300);
      for (const int ranks : {1, 2, 3, 4, 8}) {
        INFO((exponential ? "lif_exp" : "lif_delta") << ", block " << block << ", " << ranks << " ranks");
        int owning = 0;
        CHECK(on_ranks(b.network(), ranks, &owning) == expected);
        CHECK(owning >= std::min(ranks, 2));
      }
    }
}

TEST_CASE(
    "drawn connections, weights, delays and parameters are the same on any number of ranks and in any "
    "block") {
  NetworkBuilder b(ms(150), 77);
  const Values v{{"tau_m", 10},
                 {"C_m", 200},
                 {"E_L", -66},
                 {"v_th", uniform(-56, -50)},
                 {"v_reset", normal(-62, 2, -70, -58)},
                 {"t_ref", uniform(0, 3)},
                 {"I_dc", normal(200, 100)},
                 {"V", uniform(-66, -58)},
                 {"tau_syn_exc", 2},
                 {"tau_syn_inh", 2}};
  const auto exc = b.add("lif_exp", 80, v), inh = b.add("lif_exp", 20, v);
  const auto noise = b.add("poisson", 80, {{"rate", 2000}}, Kind::source);
  const Distribution delay = normal(1.5e6, 0.75e6, 1e5);
  const auto drawn = [&](Projection& p, const ConnectionRule& rule, double number, bool multapses,
                         bool autapses) {
    p.rule = &rule, p.numbers = {number}, p.multapses = multapses, p.autapses = autapses, p.delay = delay;
  };
  drawn(b.connect(exc, exc, Rule::fixed_indegree, normal(150, 15, 0), 0), Rule::fixed_indegree, 12, true,
        false);
  drawn(b.connect(exc, inh, Rule::fixed_indegree, normal(150, 15, 0), 0), Rule::fixed_indegree, 9, false,
        true);
  auto& to_exc = b.connect(inh, exc, Rule::fixed_indegree, normal(-600, 60, -INFINITY, 0), 0);
  to_exc.port = 1;
  drawn(to_exc, Rule::pairwise_bernoulli, 0.3, true, true);
  auto& to_inh = b.connect(inh, inh, Rule::fixed_indegree, -300.0, 0);
  to_inh.port = 1;
  drawn(to_inh, Rule::fixed_total_number, 70, true, true);
  b.connect(noise, exc, Rule::one_to_one, 300.0, ms(1));
  b.record_spikes(exc);
  b.record_spikes(inh);
  b.record_spikes(noise);
  for (std::uint32_t p = 0; p < 5; ++p) b.network().edge_recordings.push_back(p);
  auto first = run(b.network());
  REQUIRE(first.spikes().size() > 500);
  CHECK(first.recorder.edges_of(0).size() == 80 * 12);
  CHECK(first.recorder.edges_of(1).size() == 20 * 9);
  CHECK(first.recorder.edges_of(3).size() == 70);
  CHECK(first.recorder.edges_of(4).size() == 80);
  std::map<Gid, int> indegree;
  for (const auto& e : first.recorder.edges_of(0)) {
    CHECK(e.source != e.target);
    CHECK(e.weight >= 0);
    CHECK(e.delay >= 100'000);
    CHECK(e.delay % 100'000 == 0);
    ++indegree[e.target];
  }
  for (const auto& [gid, k] : indegree) CHECK(k == 12);
  std::set<std::pair<Gid, Gid>> pairs;
  for (const auto& e : first.recorder.edges_of(1)) CHECK(pairs.emplace(e.source, e.target).second);
  const auto same = [](const Edge& x, const Edge& y) {
    return x.source == y.source && x.target == y.target && x.weight == y.weight && x.delay == y.delay;
  };
  for (const std::uint32_t block : {1u, 16u}) {
    b.network().block = block;
    for (const int ranks : {1, 3}) {
      INFO("block " << block << ", " << ranks << " ranks");
      MemoryRecorder recorder;
      run_loopback(ranks, [&](Transport& t) {
        Simulation s(b.network(), t);
        s.run(t.rank() == 0 ? &recorder : nullptr);
      });
      CHECK(recorder.spikes() == first.spikes());
      for (std::uint32_t p = 0; p < 5; ++p) {
        const auto &x = recorder.edges_of(p), &y = first.recorder.edges_of(p);
        CHECK(std::equal(x.begin(), x.end(), y.begin(), y.end(), same));
      }
    }
  }
}

TEST_CASE("a block that slept gives the bits of one that was kept awake") {
  // A neuron with silences of many frames, beside a neighbour that rests or never does.
  for (const std::string model : {"lif_delta", "lif_exp"}) {
    std::vector<float> V[2];
    std::vector<Tick> ticks[2];
    for (const bool awake : {false, true}) {
      NetworkBuilder b(ms(3000));
      std::vector<ListedSpike> s;
      Numbers n(3, 3);
      for (double t = 5; t < 2900; t += n.chance(0.3) ? n.uniform(50, 400) : n.uniform(0.1, 3))
        s.push_back({ms(t), 0});
      if (awake)
        for (double t = 1; t < 2990; t += 0.7) s.push_back({ms(t), 1});
      const auto in = b.source(2, s);
      Values v{{"tau_m", 10},    {"C_m", 200}, {"E_L", -66}, {"v_th", -60},
               {"v_reset", -66}, {"t_ref", 2}, {"I_dc", 0},  {"V", -66}};
      if (model == "lif_exp") v.insert(v.end(), {{"tau_syn_exc", 15}, {"tau_syn_inh", 3}});
      const auto cells = b.add(model, 2, v);
      const double w = model == "lif_exp" ? 120 : 3.4;
      b.connect(in, cells, {{0, 0, w, ms(1)}, {1, 1, w, ms(1)}});
      b.record_spikes(cells);
      const auto r = b.report(cells, "V", ms(1));
      auto got = run(b.network());
      const auto& both = got.recorder.report(r);
      for (std::size_t i = 0; i < both.size(); i += 2) V[awake].push_back(both[i]);
      ticks[awake] = got.recorder.ticks_of(b.first(cells));
      const auto c = compare(got.spikes(), reference::simulate(b.network()));
      INFO(c.text());
      CHECK(c.differences.empty());
    }
    CHECK(V[0] == V[1]);
    CHECK(ticks[0] == ticks[1]);
    CHECK(ticks[0].size() > 5);
  }
}

TEST_CASE("a constant weight rounds as a listed one does") {
  // 0.1 is no float: 0.1 through a constant weight and -0.1 through a listed one leave V where it was.
  NetworkBuilder b(ms(10));
  const auto in = b.source(2, {{ms(1), 0}, {ms(1), 1}});
  const Values v{{"tau_m", 10},  {"C_m", 1},   {"E_L", 0},  {"v_th", 1},
                 {"v_reset", 0}, {"t_ref", 2}, {"I_dc", 0}, {"V", 0}};
  const auto cells = b.add("lif_delta", 1, v);
  auto& constant = b.connect(in, cells, Rule::all_to_all, 0.1, ms(1));
  constant.sources = {{b.first(in), 1}};
  b.connect(in, cells, {{1, 0, -0.1, ms(1)}});
  const auto r = b.report(cells, "V", ms(1), ms(5));
  auto got = run(b.network());
  for (const float V : got.recorder.report(r)) CHECK(V == 0);
}
