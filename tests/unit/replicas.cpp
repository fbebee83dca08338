// Runs side by side against the same runs alone: every spike, metric and weight, and how each ended.
#include "network/replicas.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <set>

#include "network/loader.hpp"
#include "support/network_builder.hpp"
#include "support/run.hpp"

#include "spinet/device.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {

struct Metrics {
  Tick tick;
  std::vector<double> values;
  bool operator==(const Metrics&) const = default;
};
/// What a run hands over, by the indices of the network that ran.
struct Everything final : Recorder {
  void spikes(std::span<const Spike> s) override { fired.insert(fired.end(), s.begin(), s.end()); }
  void frames(std::uint32_t r, std::span<const float> v) override {
    reports[r].insert(reports[r].end(), v.begin(), v.end());
  }
  void weights(std::uint32_t w, std::span<const float> v) override {
    weight_frames[w].insert(weight_frames[w].end(), v.begin(), v.end());
  }
  void metrics(std::uint32_t p, Tick t, std::span<const double> v) override {
    rewards[p].push_back({t, {v.begin(), v.end()}});
  }
  void edges(std::uint32_t, std::span<const Edge>) override {}
  void weight_events(std::uint32_t r, std::span<const WeightEvent> e) override {
    changes[r].insert(changes[r].end(), e.begin(), e.end());
  }
  void commit(Tick) override {}
  std::vector<Spike> fired;
  std::map<std::uint32_t, std::vector<float>> reports, weight_frames;
  std::map<std::uint32_t, std::vector<Metrics>> rewards;
  std::map<std::uint32_t, std::vector<WeightEvent>> changes;
};
struct Ran {
  Everything log;
  Statistics statistics;
};
Ran ran(const Network& net, std::uint32_t small_slices) {
  Ran r;
  OneRank one;
  SimulationOptions options;
  options.small_slices = small_slices;
  Simulation simulation(net, one, options);
  r.statistics = simulation.run(&r.log);
  return r;
}

template <class T>
const T& at(const std::map<std::uint32_t, T>& all, std::uint32_t i) {
  static const T none;
  const auto it = all.find(i);
  return it == all.end() ? none : it->second;
}

/// Runs `net` with each of the seeds alone and with all together.  `ends`: how many different ends there must
/// be at least.
void compare_runs(Network net, std::size_t ends = 1) {
  record_all(net);
  const std::vector<std::uint32_t> seeds{7, 1, 4000000000u, 8};
  const auto n = static_cast<std::uint32_t>(seeds.size());
  for (const std::uint32_t small_slices : {4096u, 0u}) {
    const Network all = replicate(net, seeds);
    const Ran together = ran(all, small_slices);
    std::vector<std::vector<Spike>> fired(n);
    for (const auto& s : together.log.fired)
      for (std::uint32_t q = 0; q < all.populations.size(); ++q)
        if (const Gid i = s.gid - all.populations[q].first; i < all.populations[q].size)
          fired[q % n].push_back({s.tick, net.populations[q / n].first + i});
    std::set<Tick> reached;
    std::set<std::size_t> sizes;
    for (std::uint32_t r = 0; r < n; ++r) {
      INFO("seed " << seeds[r] << ", small_slices " << small_slices);
      Network one = net;
      one.seed = seeds[r];
      const Ran alone = ran(one, 4096);
      CHECK(first_difference(fired[r], alone.log.fired) == "");
      CHECK(together.statistics.replicas[r].reached == alone.statistics.reached);
      CHECK(together.statistics.replicas[r].until_met == alone.statistics.until_met);
      for (std::uint32_t p = 0; p < net.populations.size(); ++p) {
        CHECK(together.statistics.spikes_of_population[p * n + r] ==
              alone.statistics.spikes_of_population[p]);
        CHECK(at(together.log.rewards, p * n + r) == at(alone.log.rewards, p));
      }
      const auto begins_as = [&](const auto& all,
                                 const auto& some) {  // samples of replicas that have ended go on
        return all.size() >= some.size() && std::equal(some.begin(), some.end(), all.begin()) &&
               (net.until || all.size() == some.size());
      };
      for (std::uint32_t i = 0; i < net.reports.size(); ++i)
        CHECK(begins_as(at(together.log.reports, i * n + r), at(alone.log.reports, i)));
      for (std::uint32_t i = 0; i < net.weights.size(); ++i)
        CHECK(begins_as(at(together.log.weight_frames, i * n + r), at(alone.log.weight_frames, i)));
      for (std::uint32_t i = 0; i < net.weight_events.size(); ++i)
        CHECK(begins_as(at(together.log.changes, i * n + r), at(alone.log.changes, i)));
      reached.insert(alone.statistics.reached);
      sizes.insert(alone.log.fired.size());
      CHECK(alone.log.fired.size() > 20);
    }
    CHECK(reached.size() >= ends);
    CHECK(sizes.size() > 1);  // seeds matter
  }
}

Network from_file(const std::string& file, std::vector<std::pair<std::string, std::string>> overrides) {
  LoadOptions options;
  options.overrides = std::move(overrides);
  return load(std::string(NETWORKS) + "/" + file, builtin(), options);
}

}  // namespace

TEST_CASE("replicas: the actor-critic tasks, each run to its own end", "[replicas]") {
  SECTION("reference") {
    compare_runs(from_file("actor_critic_xor/reference.yaml",
                           {{"until", "reward_filtered >= 0.05"}, {"duration", "3 s"}}),
                 3);
  }
  SECTION("with samples") {
    const char* record =
        "{reports: [{population: task, variable: expected, every: 5 ms}, {population: actor_hidden, "
        "variable: p, every: 5 ms}], weights: {projection: actor_in, every: 50 ms}}";
    compare_runs(from_file("actor_critic_xor/reference.yaml",
                           {{"until", "reward_filtered >= 0.05"}, {"duration", "3 s"}, {"record", record}}),
                 3);
  }
  SECTION("random patterns") {
    compare_runs(from_file("actor_critic_xor/text_faithful.yaml",
                           {{"until", "reward_filtered >= 0.05"}, {"duration", "3 s"}}),
                 3);
  }
  SECTION("through devices") {
    compare_runs(from_file("actor_critic_xor/device.yaml",
                           {{"until", "reward_filtered >= 0.05"}, {"duration", "3 s"}}),
                 3);
  }
  SECTION("three inputs, cut off") {
    compare_runs(from_file("parity_3/parity_3.yaml", {{"duration", "1 s"}}));
  }
}

TEST_CASE("replicas: networks driven by Poisson input, with plasticity", "[replicas]") {
  SECTION("STDP") {
    compare_runs(
        from_file("brunel/stdp.yaml",
                  {{"parameters.order", "10"}, {"parameters.indegree", "8"}, {"duration", "80 ms"}}));
  }
  SECTION("rewards by the schedule") {
    compare_runs(from_file("rstdp_conditioning/rstdp_conditioning.yaml", {{"duration", "2 s"}}));
  }
  SECTION("conductances") { compare_runs(from_file("coba/coba.yaml", {{"duration", "30 ms"}})); }
}

TEST_CASE("replicas: distributions, all rules, the schedule, devices that draw, recordings", "[replicas]") {
  NetworkBuilder b(ms(60));
  const auto noise = b.add("poisson", 9, {{"rate", uniform(500, 3000)}}, Kind::source);
  const auto cells = b.add("lif_exp", 9, {{"tau_m", uniform(8, 12)}, {"V", uniform(-70, -55)}});
  const auto others = b.add("lif_delta", 7, {{"V", uniform(-70, -55)}});
  b.connect(noise, cells, Rule::one_to_one, uniform(300, 500), ms(1));
  b.connect(noise, others, Rule::fixed_indegree, uniform(3, 6), ms(1)).numbers = {3};
  b.connect(cells, others, Rule::pairwise_bernoulli, normal(2, 0.5), ms(1.5)).numbers = {0.4};
  b.connect(others, cells, Rule::fixed_total_number, uniform(50, 150), ms(0.7)).numbers = {25};
  b.connect(cells, cells, Rule::fixed_outdegree, uniform(50, 150), ms(2)).numbers = {3};
  b.connect(cells, others, Rule::all_to_all, SynapsesOf{"stdp", {{"weight", uniform(0.2, 0.4)}}}, ms(1));
  b.connect(cells, others, Rule::all_to_all,
            SynapsesOf{"spin_valve",
                       {{"u", uniform(0.2, 0.8)}, {"w_max", 5}, {"cycle_noise", 0.1}, {"read_noise", 0.1}}},
            ms(1));
  b.connect(noise, others, Rule::fixed_indegree, 1.0, ms(1)).numbers = {2};
  Network& net = b.network();
  net.projections.back().sources = {
      {b.first(cells) + 5, 8}};  // the end of one population and the begin of the next
  b.schedule(ms(20), noise, "rate", 2500);
  b.at(ms(15), device::pulse, {3, 0.005}, {Pairs{6, {{1, 2}, {0, 5}}}});
  b.at(ms(16), device::pulse, {2.5, 0.005}, {Row{6, 3}, Column{6, 1}});
  b.schedule(0, cells, "I_dc", 0);
  for (auto& c : net.schedule)
    if (c.tick == 0) c.course = normal(40, 60), c.every = ms(1), c.count = 50;
  b.report(others, "V", ms(5));
  b.record_weights(5, ms(10));
  b.record_weights(6, ms(10));
  net.weight_events.push_back({6});
  net.weight_events.back().on_change = true;
  compare_runs(net);
}
