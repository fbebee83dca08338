// Weight events, weights switched by schedule, scheduled reads: against closed forms and plain loops, and on
// several ranks.
#include <catch2/catch.hpp>

#include <cmath>
#include <cstring>
#include <set>

#include "comm/loopback.hpp"
#include "network/loader.hpp"
#include "support/memory_checkpoints.hpp"
#include "support/plastic.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {

struct Listener : Recorder {
  void spikes(std::span<const Spike> s) override { heard.insert(heard.end(), s.begin(), s.end()); }
  void frames(std::uint32_t, std::span<const float> v) override {
    sampled.insert(sampled.end(), v.begin(), v.end());
  }
  void edges(std::uint32_t, std::span<const Edge>) override {}
  void watched(std::uint32_t r, std::span<const WatchedEdge> s) override {
    synapses.resize(std::max<std::size_t>(synapses.size(), r + 1));
    synapses[r].assign(s.begin(), s.end());
  }
  void weight_events(std::uint32_t r, std::span<const WeightEvent> s) override {
    events.resize(std::max<std::size_t>(events.size(), r + 1));
    events[r].insert(events[r].end(), s.begin(), s.end());
    for (const auto& e : s) in_time &= e.tick >= committed;
  }
  void commit(Tick t) override { committed = t; }
  std::vector<Spike> heard;
  std::vector<float> sampled;
  std::vector<std::vector<WatchedEdge>> synapses;
  std::vector<std::vector<WeightEvent>> events;
  Tick committed = 0;
  bool in_time = true;
};

Listener on_ranks(const Network& net, int ranks, MemoryCheckpoints* save = nullptr, Tick every = 0,
                  const MemoryCheckpoints* resume = nullptr) {
  Listener l;
  std::vector<std::uint64_t> owned(static_cast<std::size_t>(ranks));
  run_loopback(ranks, [&](Transport& t) {
    Simulation simulation(net, t);
    owned[static_cast<std::size_t>(t.rank())] = simulation.owned();
    if (resume) simulation.restore(*resume);
    RunHooks hooks;
    hooks.checkpoints.every = every;
    if (t.rank() == 0) hooks.checkpoints.sink = save;
    simulation.run(t.rank() == 0 ? &l : nullptr, hooks);
  });
  for (const auto n : owned) CHECK(n > 0);
  CHECK(l.in_time);
  return l;
}

Network from(const std::string& text) { return load_text(text, "test.yaml", builtin()); }

}  // namespace

TEST_CASE("weight events of stdp are the steps of the pair rule, at the arrivals and at whole seconds") {
  // One pair; a spike at t is an arrival at t + 2 ms, a postsynaptic one meets the synapse 2 ms after it.
  const SpikeTrain pre{ms(10), ms(50), ms(90), ms(1500)}, post{ms(20), ms(45), ms(95)};
  Trained t(ms(2500), {pre}, {post});
  const double lambda = 0.1, tau = 20, w_max = 100;
  const auto p = t.plastic(
      "stdp", {{"weight", 50}, {"lambda", lambda}, {"tau_plus", tau}, {"tau_minus", tau}, {"w_max", w_max}},
      ms(2));
  t.b.network().weight_events.push_back({p, 0, {}, true, 0, never, {}, nullptr, 0, {}, 0});
  Listener l;
  OneRank one;
  Simulation(t.b.network(), one).run(&l);

  double u = 0.5;
  std::vector<std::pair<Tick, double>> steps{{0, u}};
  const auto trace = [&](const SpikeTrain& train, Tick shift, Tick now) {
    double x = 0;
    for (const Tick s : train)
      if (s + shift < now) x += std::exp(-static_cast<double>(now - s - shift) / 1e6 / tau);
    return x;
  };
  std::size_t k = 0;
  const auto potentiate = [&](Tick until) {
    for (; k < post.size() && post[k] + ms(2) <= until; ++k)
      u += lambda * (1 - u) * trace(pre, 0, post[k] + ms(2));
  };
  for (const Tick s : pre) {
    if (s > ms(1000) && k < post.size()) potentiate(ms(1000) - ms(2)), steps.push_back({ms(1000), u});
    potentiate(s);
    u -= lambda * u * trace(post, ms(2), s);
    if (u != steps.back().second) steps.push_back({s + ms(2), u});
  }
  REQUIRE(l.synapses.at(0).size() == 1);
  CHECK(l.synapses[0][0].id == 0);
  // The first presynaptic spike has no partner: no event.  The last one comes long after the others: a tiny
  // depression.
  REQUIRE(l.events.at(0).size() >= 4);
  REQUIRE(l.events[0].size() <= steps.size());
  for (std::size_t i = 0; i < l.events[0].size(); ++i) {
    CHECK(l.events[0][i].tick == steps[i].first);
    CHECK(l.events[0][i].value == Approx(100 * steps[i].second).epsilon(1e-6));
  }
  CHECK(l.events[0][3].tick == ms(1000));
}

TEST_CASE("weight events of devices: at the pulses that reach them, and at no others") {
  const auto net = from(R"(
spinet: 1
duration: 1 s
block: 1
populations:
  pre: {model: poisson, size: 3, params: {rate: 50 Hz}}
  post: {model: lif_delta, size: 4}
projections:
  other: {from: pre, to: post, connect: all_to_all, synapse: {model: static, weight: 0.1 mV, delay: 1 ms}}
  v: {from: pre, to: post, connect: all_to_all, synapse: {model: spin_valve, delay: 1 ms, w_max: 0.1 mV,
      u: 0.2}}
schedule:
  - {at: 100 ms, pulse: {amplitude: 2.5 V, width: 5 ms}, to: v, synapses: [[1, 2], [0, 0]]}
  - {at: 200 ms, pulse: {amplitude: 1.1 V, width: 5 ms, count: 3, period: 10 ms}, to: v}
  - {at: 300 ms, pulse: {amplitude: -2.35 V, width: 5 ms, count: 2, period: 10 ms}, to: v}
record:
  weights:
    - {projection: v, variable: u, on_change: true, synapses: [[1, 2], [2, 3], [1, 0]], from: 50 ms,
        to: 305 ms}
    - {projection: v, at: [0 s, 150 ms]}
)");
  Listener whole = on_ranks(net, 1);
  // Edges are numbered by target, then source (all_to_all draws in that order): [1, 0] is 1, [1, 2] is 7, [2,
  // 3] is 11.
  REQUIRE(whole.synapses.size() == 2);
  CHECK(whole.synapses[0] == std::vector<WatchedEdge>{{1, 1, 3}, {7, 1, 5}, {11, 2, 6}});
  const double up = 6.0599, down = 4.7610;  // 1/s, of the device's description
  const double a = 1 - 0.8 * std::exp(-up * 0.005), fall = std::exp(-down * 0.005);
  const std::vector<std::tuple<Tick, std::uint64_t, double>> expected{
      {ms(50), 1, 0.2},         {ms(50), 7, 0.2},       {ms(50), 11, 0.2},        {ms(100), 7, a},
      {ms(300), 1, 0.2 * fall}, {ms(300), 7, a * fall}, {ms(300), 11, 0.2 * fall}};
  REQUIRE(whole.events[0].size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(whole.events[0][i].tick == std::get<0>(expected[i]));
    CHECK(whole.events[0][i].edge == std::get<1>(expected[i]));
    CHECK(whole.events[0][i].value == Approx(std::get<2>(expected[i])).epsilon(1e-4));
  }
  REQUIRE(whole.events[1].size() == 24);  // all synapses, twice
  for (std::size_t i = 0; i < 24; ++i) CHECK(whole.events[1][i].edge == i % 12);
  for (const int ranks : {2, 3}) {
    const Listener l = on_ranks(net, ranks);
    CHECK((l.events == whole.events));
    CHECK((l.synapses == whole.synapses));
  }
}

TEST_CASE(
    "weight events of devices that relax: of those that a stimulus is addressed to, whatever lies beside "
    "them") {
  const auto network = [](const std::string& layout, int block) {
    const std::string more = layout.empty() ? "rows: [0, 2]" : "rows: [0, 2], columns: [1, 3]";
    return from("spinet: 1\nduration: 3 s\nblock: " + std::to_string(block) + R"(
populations:
  pre: {model: spike_source, size: 3, spikes: {0: [0.5 s]}}
  post: {model: lif_delta, size: 4}
projections:
  g: {from: pre, to: post, connect: all_to_all, )" +
                layout + R"(synapse: {model: glassy, delay: 2 ms, w_max: 0.1 mV, p: 0.9}}
schedule:
  - {at: 1.1 s, read: g, synapses: [[1, 1], [2, 3]]}
  - {at: 1.2 s, pulse: {amplitude: 4 V, width: 10 ms}, to: g, columns: 2}
  - {at: 1.3 s, pulse: {amplitude: 4 V, width: 10 ms}, to: g, )" +
                more + R"(}
record: {weights: [{projection: g, on_change: true}]}
)");
  };
  for (const char* layout : {"", "layout: crossbar, "}) {
    INFO(layout);
    const Listener whole = on_ranks(network(layout, 1), 1);
    std::set<std::uint64_t> read;  // edges are numbered by target, then source
    for (const auto& e : whole.events.at(0))
      if (e.tick == ms(1100)) read.insert(e.edge);
    CHECK(read == std::set<std::uint64_t>{4, 11});
    for (const int ranks : {2, 3, 4}) CHECK((on_ranks(network(layout, 1), ranks).events == whole.events));
    CHECK((on_ranks(network(layout, 256), 1).events == whole.events));
  }
}

TEST_CASE(
    "weight events are the same on any number of ranks, recorded or not changes no spike, and they survive a "
    "restart") {
  const std::string text = R"(
spinet: 1
duration: 1500 ms
seed: 9
block: 4
populations:
  pre: {model: poisson, size: 30, params: {rate: 30 Hz}}
  post: {model: lif_exp, size: 14, params: {tau_m: 20 ms, E_L: 0 mV, v_th: 10 mV, v_reset: 0 mV},
      initial: {V: 0 mV}}
projections:
  p: {from: pre, to: post, connect: {fixed_indegree: 12}, synapse: {model: stdp, port: exc, weight: 300 pA,
      w_max: 600 pA, lambda: 0.05,
      delay: {uniform: {low: 1 ms, high: 3 ms}}}}
  r: {from: pre, to: post, connect: {pairwise_bernoulli: 0.3}, synapse: {model: rstdp, port: exc,
      weight: 200 pA, w_max: 600 pA, delay: 1.5 ms}}
schedule:
  - {at: 700 ms, reward: 0.5}
)";
  auto net = from(text + R"(record:
  spikes: [post]
  weights:
    - {projection: p, on_change: true}
    - {projection: r, on_change: true, at: [333 ms, 1.2 s]}
)");
  const Listener bare = on_ranks(from(text + "record: {spikes: [post]}\n"), 1);
  MemoryCheckpoints checkpoints;
  const Listener whole = on_ranks(net, 1, &checkpoints, ms(400));
  CHECK((bare.heard == whole.heard));
  REQUIRE(whole.heard.size() > 100);
  REQUIRE(whole.events.size() == 2);
  REQUIRE(whole.events[0].size() > 2000);
  REQUIRE(whole.events[1].size() > 500);
  for (const auto& some : whole.events)
    CHECK(std::is_sorted(some.begin(), some.end(), [](const auto& a, const auto& b) {
      return a.tick != b.tick ? a.tick < b.tick : a.edge < b.edge;
    }));
  for (const int ranks : {2, 3}) {
    const Listener l = on_ranks(net, ranks);
    CHECK((l.events == whole.events));
    CHECK((l.synapses == whole.synapses));
  }
  for (const auto& [tick, ignored] : checkpoints.saved) {
    checkpoints.chosen = tick;
    for (const int ranks : {1, 3}) {
      const Listener rest = on_ranks(net, ranks, nullptr, 0, &checkpoints);
      auto expected = whole.events;
      for (auto& some : expected)
        std::erase_if(some, [&, at = tick](const WeightEvent& e) { return e.tick < at; });
      CHECK((rest.events == expected));
    }
  }
}

TEST_CASE("values at the end of chosen batches") {
  LoadOptions options;
  options.overrides = {{"duration", "1 s"},
                       {"block", "1"},
                       {"record", "{weights: {projection: actor_in, epochs: [1, 3, 16]}}"}};
  const auto net = load(std::string(NETWORKS) + "/actor_critic_xor/reference.yaml", builtin(), options);
  REQUIRE(net.weight_events.size() == 1);
  const Listener whole = on_ranks(net, 1);
  REQUIRE(whole.events.at(0).size() == 3 * 20);
  for (std::size_t k = 0; k < 3; ++k)
    for (std::size_t i = 0; i < 20; ++i)
      CHECK(whole.events[0][20 * k + i].tick ==
            ms(60) * std::vector<Tick>{1, 3, 16}[k]);  // batches of 10 presentations of 6 ms
  auto frames = net;
  frames.weights.push_back({net.weight_events[0].projection, 0, ms(60), ms(60) + 1, never});
  struct Frames : Listener {
    void weights(std::uint32_t, std::span<const float> v) override {
      all.insert(all.end(), v.begin(), v.end());
    }
    std::vector<float> all;
  } sampled;
  OneRank one;
  Simulation(frames, one).run(&sampled);
  for (std::size_t i = 0; i < 20; ++i) {
    CHECK(static_cast<float>(whole.events[0][i].value) == sampled.all[i]);
    CHECK(static_cast<float>(whole.events[0][40 + i].value) == sampled.all[15 * 20 + i]);
  }
  for (const int ranks : {2, 3}) CHECK((on_ranks(net, ranks).events == whole.events));

  // Of synapses in a block where nothing else happens at the end of a batch.
  options.overrides.back().second = "{weights: {projection: answer, epochs: [1, 3, 16]}}";
  const Listener constant =
      on_ranks(load(std::string(NETWORKS) + "/actor_critic_xor/reference.yaml", builtin(), options), 1);
  REQUIRE(constant.events.at(0).size() == 3);
  for (const auto& e : constant.events[0]) CHECK(e.value == 1);
}

TEST_CASE(
    "weights off and on: an event takes the state at its arrival; plasticity and other projections go on") {
  // Spikes at 10, 20, .., 70 ms; arrivals 1.5 ms later.
  const auto text = [](const std::string& schedule, const char* model) {
    return std::string(R"(
spinet: 1
duration: 100 ms
block: 1
populations:
  pre: {model: spike_source, size: 2, spikes: [[10 ms, 20 ms, 30 ms, 40 ms, 50 ms, 60 ms, 70 ms], [15 ms]]}
  post: {model: lif_delta, size: 3, params: {tau_m: 1000 s, E_L: 0 mV, v_th: 1 V, v_reset: 0 mV},
      initial: {V: 0 mV}}
projections:
  a: {from: "pre[0]", to: post, connect: all_to_all, synapse: {model: )") +
           model + R"(, weight: 1 mV, delay: 1.5 ms}}
  b: {from: "pre[1]", to: post, connect: all_to_all, synapse: {model: static, weight: 1 mV, delay: 1.5 ms}}
schedule: )" +
           schedule + R"(
record: {reports: {population: post, variable: V, every: 10 ms, from: 5 ms}}
)";
  };
  for (const char* model : {"static", "stdp"}) {
    const auto net =
        from(text("[{at: 21 ms, weights: off, to: a}, {at: 41.5 ms, weights: on, to: a}, {at: 55 ms, "
                  "weights: 0.25, to: [a]}, {at: 70 ms, weights: 0, to: a}]",
                  model));
    const Listener l = on_ranks(net, 1);
    REQUIRE(l.sampled.size() == 30);
    // 10 arrives; the other's at 15; 20 and 30 do not; 40 arrives with the switch; 50; a quarter of 60;
    // not 70.
    const double expected[] = {0, 1, 2, 2, 3, 4, 4.25, 4.25, 4.25, 4.25};
    INFO(model);
    for (std::size_t f = 0; f < 10; ++f) CHECK(l.sampled[3 * f] == Approx(expected[f]).margin(1e-3));
    CHECK((on_ranks(net, 2).sampled == l.sampled));
    CHECK((on_ranks(net, 3).sampled == l.sampled));
    MemoryCheckpoints checkpoints;
    on_ranks(net, 1, &checkpoints, ms(28));
    checkpoints.chosen = checkpoints.saved.begin()->first;  // while it is off
    CHECK((checkpoints.chosen > ms(21) && checkpoints.chosen < ms(41)));
    const Listener rest = on_ranks(net, 2, nullptr, 0, &checkpoints);
    CHECK((std::equal(rest.sampled.rbegin(), rest.sampled.rend(), l.sampled.rbegin())));
  }
}

TEST_CASE("switching a superposed input leaves its spikes what they were, and switches them") {
  const auto text = [](const std::string& schedule) {
    return R"(
spinet: 1
duration: 300 ms
populations:
  noise: {model: poisson, size: 40, params: {rate: 8 kHz}}
  post: {model: lif_delta, size: 40, params: {tau_m: 20 ms, E_L: 0 mV, v_th: 20 mV, v_reset: 0 mV},
      initial: {V: 0 mV}}
projections:
  drive: {from: noise, to: post, connect: one_to_one, synapse: {model: static, weight: 0.2 mV, delay: 1.5 ms}}
schedule: )" +
           schedule + "\nrecord: {spikes: [post]}\n";
  };
  const Listener plain = on_ranks(from(text("[]")), 1),
                 same = on_ranks(from(text("[{at: 100 ms, weights: on, to: drive}]")), 1),
                 off = on_ranks(
                     from(text(
                         "[{at: 100 ms, weights: off, to: drive}, {at: 200 ms, weights: on, to: drive}]")),
                     1);
  REQUIRE(plain.heard.size() > 300);
  CHECK((plain.heard == same.heard));
  std::size_t before = 0, between = 0, after = 0;
  for (const auto& s : off.heard) ++(s.tick < ms(100) ? before : s.tick < ms(200) ? between : after);
  CHECK(before > 50);
  CHECK(between == 0);
  CHECK(after > 50);
}

TEST_CASE("scheduled reads: noise of the device, its energy, and only where asked") {
  const std::string head = R"(
spinet: 1
duration: 1 s
block: 1
populations:
  pre: {model: poisson, size: 2, params: {rate: 0 Hz}}
  post: {model: lif_delta, size: 3}
projections:
  v: {from: pre, to: post, connect: all_to_all, synapse: {model: spin_valve, delay: 1 ms, w_max: 0.1 mV,
      u: 0.5, energy: 1, read_width: 2 ms, read_noise: )";
  const std::string tail = R"(}}
schedule:
  - {at: 100 ms, read: v, synapses: [[0, 1], [1, 2]], repeat: {every: 1 ms, count: 400}}
record:
  weights: {projection: v, variable: energy, at: 900 ms}
)";
  const double G = 0.64 * std::sqrt(89 / 0.64);
  const auto net = from(head + "0.05" + tail);
  REQUIRE(net.weight_events.size() == 2);
  const Listener l = on_ranks(net, 1), calm = on_ranks(from(head + "0" + tail), 1);
  const std::size_t reading = net.weight_events[0].logs ? 0 : 1;
  REQUIRE(l.events[reading].size() == 800);
  double sum = 0, squares = 0;
  for (const auto& e : l.events[reading]) {
    const double x = e.value / G - 1;
    sum += x, squares += x * x;
  }
  CHECK(std::abs(sum / 800) < 5 * 0.05 / std::sqrt(800));
  CHECK(std::sqrt(squares / 800) == Approx(0.05).epsilon(0.13));  // 5 sd
  for (const auto& e : calm.events[reading]) CHECK(e.value == Approx(G).epsilon(1e-12));
  for (const auto& e : l.events[1 - reading])  // 0.1 V squared, G uS, 2 ms: nJ
    CHECK(e.value == Approx(e.edge == 2 || e.edge == 5 ? 400 * 0.01 * G * 2 : 0).epsilon(1e-9));
  for (const int ranks : {2, 3}) CHECK((on_ranks(net, ranks).events == l.events));
}

TEST_CASE("reads of rows, columns and crossings are those of the synapses there") {
  const auto events = [](const std::string& whom) {
    const auto net = from(R"(
spinet: 1
duration: 20 ms
block: 1
populations:
  pre: {model: poisson, size: 2, params: {rate: 0 Hz}}
  post: {model: lif_delta, size: 3}
projections:
  v: {from: pre, to: post, connect: all_to_all, layout: crossbar, synapse: {model: spin_valve, delay: 1 ms,
      w_max: 0.1 mV, u: {uniform: {low: 0, high: 1}}, read_noise: 0.1}}
schedule: [{at: 10 ms, read: v, )" +
                          whom + "}]\n");
    REQUIRE(net.weight_events.size() == 1);
    const auto all = on_ranks(net, 2).events;
    REQUIRE(all.size() == 1);
    CHECK(all[0].size() == net.weight_events[0].synapses.size());
    return all;
  };
  CHECK((events("rows: 1") == events("synapses: [[1, 0], [1, 1], [1, 2]]")));
  CHECK((events("columns: [0, 2]") == events("synapses: [[0, 0], [1, 0], [0, 2], [1, 2]]")));
  CHECK((events("rows: 1, columns: [0, 2]") == events("synapses: [[1, 0], [1, 2]]")));
  CHECK_FALSE((events("rows: 0") == events("rows: 1")));
}
