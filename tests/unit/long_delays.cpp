// Delays far beyond a window: the result is that of any other delay, and cost follows the events on their
// way.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>

#include "comm/loopback.hpp"
#include "connect/draws.hpp"
#include "core/emission.hpp"
#include "support/memory_checkpoints.hpp"
#include "support/network_builder.hpp"
#include "support/run.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {

/// Steps by the table that holds all of them: what DelaySampler means, whatever it keeps.
std::vector<std::uint32_t> whole_table(const Distribution& d, Tick resolution, const DelaySampler& s) {
  const Sampler sampler(d);
  std::vector<std::uint32_t> upper;
  for (std::uint32_t k = s.least(); k < s.most(); ++k)
    upper.push_back(static_cast<std::uint32_t>(
        std::min(sampler.cdf((k + 0.5) * static_cast<double>(resolution)) * 0x1p32, 0x1p32 - 1)));
  upper.push_back(0xFFFFFFFFu);
  return upper;
}

/// Fires at once at any arrival.
const Values touchy = {{"tau_m", 10}, {"E_L", 0}, {"v_th", 1}, {"v_reset", 0}, {"t_ref", 0.001}, {"V", 0}};

/// A ring of neurons that hear each other after delays from a step to hours, some in the run and some after
/// it.
Network far_apart(std::uint32_t block = 4) {
  NetworkBuilder b(ms(3000), 5);
  const auto start = b.source(3, {{ms(1), 0}, {ms(1), 1}, {ms(2), 2}, {ms(1200), 1}});
  const auto a = b.add("lif_delta", 17, touchy);
  std::vector<ListedEdge> first, among;
  for (std::uint32_t i = 0; i < 17; ++i)
    first.push_back({i % 3, i, 2, 100'000 + static_cast<Tick>(i * i) * 4'700'000});
  for (std::uint32_t i = 0; i < 17; ++i) {
    among.push_back({i, (i + 1) % 17, 2, 310'000'000 + static_cast<Tick>(i) * 77'700'000});
    among.push_back({i, (i + 5) % 17, 2, 900'000'000});
    among.push_back({i, (i + 6) % 17, 2, Tick{360'000'000'000'000}});
  }
  b.connect(start, a, first);
  b.connect(a, a, among);
  auto& drawn = b.connect(a, a, Rule::fixed_indegree, 0.3, 1);
  drawn.numbers = {2};
  drawn.delay = {Distribution::Kind::lognormal, std::log(1.5e6), 3, 1e5, 0x1p32 * 1e5};
  auto& plastic =
      b.connect(a, a, Rule::fixed_indegree, SynapsesOf{"stdp", {{"weight", 0.2}, {"w_max", 0.5}}}, 1);
  plastic.numbers = {3};
  plastic.delay = {Distribution::Kind::exponential, 2e8, 0, 1e5, 0x1p32 * 1e5};
  b.network().weights.push_back({3, 0, ms(100), 0, never});
  record_all(b.network());
  b.network().block = block;
  return b.network();
}

struct Told {
  std::vector<Spike> spikes;
  std::vector<float> weights;
};
class Keep : public Recorder {
 public:
  explicit Keep(Told& t) : t_(t) {}
  void spikes(std::span<const Spike> s) override { t_.spikes.insert(t_.spikes.end(), s.begin(), s.end()); }
  void frames(std::uint32_t, std::span<const float>) override {}
  void weights(std::uint32_t, std::span<const float> w) override {
    t_.weights.insert(t_.weights.end(), w.begin(), w.end());
  }
  void edges(std::uint32_t, std::span<const Edge>) override {}
  void commit(Tick) override {}

 private:
  Told& t_;
};

struct Checkpoints {
  MemoryCheckpoints* saving = nullptr;
  Tick every = 0;
  const MemoryCheckpoints* from = nullptr;
};
Told told_by(const Network& net, int ranks, std::uint32_t small_slices = 4096,
             const Checkpoints& checkpoints = {}) {
  Told told;
  run_loopback(ranks, [&](Transport& t) {
    SimulationOptions options;
    options.small_slices = small_slices;
    Simulation simulation(net, t, options);
    if (checkpoints.from) simulation.restore(*checkpoints.from);
    Keep keep(told);
    RunHooks hooks;
    hooks.checkpoints.every = checkpoints.every;
    if (t.rank() == 0) hooks.checkpoints.sink = checkpoints.saving;
    simulation.run(t.rank() == 0 ? &keep : nullptr, hooks);
  });
  return told;
}

}  // namespace

TEST_CASE("delays drawn beyond the table are those of a table of all steps") {
  const Tick step = 100'000;
  for (const Distribution& d : {Distribution{Distribution::Kind::uniform, 1e5, 2e10},
                                Distribution{Distribution::Kind::exponential, 9e8, 0, 1e5, 1e300},
                                Distribution{Distribution::Kind::lognormal, std::log(1.5e6), 1.3, 1e5, 1e300},
                                Distribution{Distribution::Kind::normal, 5e9, 1e9, 1e5, 1e300}}) {
    const DelaySampler sampler(d, step);
    const auto upper = whole_table(d, step, sampler);
    CHECK(sampler.most() - sampler.least() + 1 == upper.size());
    CHECK(upper.size() > 20'000);
    std::uint32_t word = 1;
    for (int i = 0; i < 20'000; ++i) {
      word = i < 4 ? (i < 2 ? static_cast<std::uint32_t>(i) : 0u - static_cast<std::uint32_t>(i - 1))
                   : word * 1664525u + 1013904223u;
      REQUIRE(sampler(word) ==
              static_cast<std::uint32_t>(std::lower_bound(upper.begin(), upper.end(), word) - upper.begin()));
    }
  }
}

TEST_CASE("arrivals come when their delay says, however long it is") {
  NetworkBuilder b(ms(5000));
  const std::vector<Tick> sent = {ms(1), ms(2), ms(2.5), ms(700), ms(4000)};
  const std::vector<Tick> delays = {ms(0.1),   ms(409.5),  ms(409.6),  ms(409.7),
                                    ms(819.2), ms(1000.3), ms(3999.9), Tick{360'000'000'000'000}};
  std::vector<ListedSpike> spikes;
  for (const Tick t : sent) spikes.push_back({t, 0});
  const auto from = b.source(1, spikes);
  const auto to = b.add("lif_delta", static_cast<std::uint32_t>(delays.size()), touchy);
  std::vector<ListedEdge> edges;
  for (std::uint32_t i = 0; i < delays.size(); ++i) edges.push_back({0, i, 2, delays[i]});
  b.connect(from, to, edges);
  record_all(b.network());
  std::vector<Spike> expected;
  for (const Tick t : sent)
    for (std::uint32_t i = 0; i < delays.size(); ++i)
      if (t + delays[i] < ms(5000)) expected.push_back({t + delays[i], b.first(to) + i});
  std::sort(expected.begin(), expected.end(), [](const Spike& x, const Spike& y) {
    return x.tick != y.tick ? x.tick < y.tick : x.gid < y.gid;
  });
  CHECK(first_difference(run(b.network()).spikes(), expected) == "");
}

TEST_CASE("far arrivals are the same on any ranks and blocks") {
  const Told one = told_by(far_apart(), 1);
  CHECK(one.spikes.size() > 100);
  for (const std::uint32_t block : {1u, 4u, 256u})
    for (const int ranks : {1, 2, 3})
      for (const std::uint32_t small : {0u, 4096u}) {
        const Told other = told_by(far_apart(block), ranks, small);
        INFO(block << " " << ranks << " " << small);
        CHECK(first_difference(one.spikes, other.spikes) == "");
        CHECK(one.weights == other.weights);
      }
}

TEST_CASE("a checkpoint holds the events on their way, and a run goes on from it", "[long]") {
  const Network net = far_apart();
  for (const int ranks : {1, 2}) {
    MemoryCheckpoints saved;
    const Told whole = told_by(net, ranks, 4096, {.saving = &saved, .every = ms(400)});
    CHECK(saved.saved.size() == 7);
    for (const auto& [at, parts] : saved.saved) {
      saved.chosen = at;
      const auto emitted = static_cast<std::size_t>(std::count_if(
          whole.spikes.begin(), whole.spikes.end(), [t = at](const Spike& s) { return s.tick < t; }));
      CHECK(saved.size("emissions") <= (emitted + 4) * sizeof(Emission));
      for (const int others : {1, 3})
        for (const std::uint32_t small : {0u, 4096u}) {
          const Told rest = told_by(net, others, small, {.from = &saved});
          const std::vector<Spike> expected(std::find_if(whole.spikes.begin(), whole.spikes.end(),
                                                         [t = at](const Spike& s) { return s.tick >= t; }),
                                            whole.spikes.end());
          INFO(ranks << " " << others << " " << small << " at " << at);
          CHECK(first_difference(expected, rest.spikes) == "");
          CHECK(std::equal(rest.weights.rbegin(), rest.weights.rend(), whole.weights.rbegin()));
        }
    }
  }
}

TEST_CASE("a checkpoint does not hold events that have arrived, though a delay may be long") {
  NetworkBuilder b(ms(2000));
  std::vector<ListedSpike> spikes;
  for (int i = 0; i < 1000; ++i) spikes.push_back({ms(1 + i), 0});
  const auto from = b.source(2, spikes);
  const auto to = b.add("lif_delta", 2, touchy);
  b.connect(from, to, {{0, 0, 2, ms(1.5)}, {1, 1, 2, ms(100'000)}});
  MemoryCheckpoints saved;
  told_by(b.network(), 1, 4096, {.saving = &saved, .every = ms(500)});
  saved.chosen = saved.saved.begin()->first;
  CHECK(saved.size("emissions") <= 2 * sizeof(Emission));
}

TEST_CASE("a few synapses with delays of a very wide distribution take little") {
  NetworkBuilder b(ms(100));
  const auto from = b.source(3, {{ms(1), 0}, {ms(2), 1}, {ms(3), 2}});
  const auto to = b.add("lif_delta", 3, touchy);
  b.connect(from, to, Rule::all_to_all, 2, 1).delay = {Distribution::Kind::lognormal, std::log(1.5e6), 3, 1e5,
                                                       0x1p32 * 1e5};
  b.connect(from, to, Rule::all_to_all, 2, 1).delay = {Distribution::Kind::exponential, 1e12, 0, 1e5,
                                                       0x1p32 * 1e5};
  record_all(b.network());
  const Run r = run(b.network());
  CHECK(r.statistics.synapses == 18);
  CHECK(r.statistics.synapse_bytes < 10'000);
}
