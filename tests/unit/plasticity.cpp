// What the engine promises plastic and stochastic synapses: the same data on any number of ranks, draws of
// their own for every synapse, variables of the target at the right tick, histories that do not grow.
#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <set>

#include "comm/loopback.hpp"
#include "support/plastic.hpp"
#include "support/recurrent.hpp"

#include "spinet/reward.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {

/// Transmits a uniform random number, drawn anew for every event, times the weight; keeps the last, and a sum
/// of all.
struct Fickle {
  static constexpr const char* name = "test_fickle";
  static constexpr const char* doc = "A random weight for every event.";
  static constexpr std::uint32_t draws = 1;
  struct Params {};
  struct State {
    float weight;
    double last, sum;
  };
  static auto params() { return FieldTable<Params>{}; }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::weight, "weight", "1", 1, any(), initial | port_unit, "largest weight")
        .add(&State::last, "last", "1", 0, any(), 0, "last draw")
        .add(&State::sum, "sum", "1", 0, any(), 0, "sum of all draws, each halving what was before");
    return t;
  }
  static void on_pre(Synapses<Fickle> n, double* out) {
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      const auto first = n.s.draw(i), second = n.s.draw(i, 1);
      n[i].last = uniform01(first[0], first[1]);
      n[i].sum = 0.5 * n[i].sum + n[i].last + 10 * uniform01(second[0], second[1]);
      out[i] = n[i].last * static_cast<double>(n[i].weight);
    }
  }
};

/// Keeps what it sees of two variables of its target when an event arrives.
struct Watcher {
  static constexpr const char* name = "test_watcher";
  static constexpr const char* doc = "Reads variables of its target.";
  static constexpr const char* reads[] = {"I_syn", "V"};
  struct Params {};
  struct State {
    float weight;
    double V, I;
  };
  static auto params() { return FieldTable<Params>{}; }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::weight, "weight", "1", 1, any(), initial | port_unit, "weight")
        .add(&State::V, "V", "mV", 0, any(), 0, "potential of the target at the last event")
        .add(&State::I, "I", "pA", 0, any(), 0, "current of the target at the last event");
    return t;
  }
  static void on_pre(Synapses<Watcher> n, double* out) {
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      n[i].I = n.s.target(i, 0);
      n[i].V = n.s.target(i, 1);
      out[i] = static_cast<double>(n[i].weight);
    }
  }
};

/// All that a run gives, and how many ranks owned neurons.
struct Data {
  std::vector<Spike> spikes;
  std::vector<std::vector<float>> reports, weights;
  std::vector<std::vector<std::tuple<Gid, Gid, double, Tick>>> edges;
  bool operator==(const Data&) const = default;
};
Data on_ranks(const Network& net, int ranks, std::size_t* owning = nullptr) {
  MemoryRecorder recorder;
  std::vector<std::uint64_t> owned(static_cast<std::size_t>(ranks));
  run_loopback(ranks, [&](Transport& t) {
    Simulation s(net, t);
    owned[static_cast<std::size_t>(t.rank())] = s.owned();
    s.run(t.rank() == 0 ? &recorder : nullptr);
  });
  if (owning)
    *owning =
        static_cast<std::size_t>(std::count_if(owned.begin(), owned.end(), [](auto n) { return n > 0; }));
  Data d;
  d.spikes = recorder.spikes();
  for (std::uint32_t r = 0; r < net.reports.size(); ++r) d.reports.push_back(recorder.report(r));
  for (std::uint32_t w = 0; w < net.weights.size(); ++w) d.weights.push_back(recorder.weights_of(w));
  for (std::uint32_t p = 0; p < net.projections.size(); ++p) {
    auto& all = d.edges.emplace_back();
    for (const auto& e : recorder.edges_of(p)) all.emplace_back(e.source, e.target, e.weight, e.delay);
  }
  return d;
}
/// The same data for every (block, ranks) as on one rank.
void same_on_all_ranks(NetworkBuilder& b, std::initializer_list<std::pair<std::uint32_t, int>> ways) {
  const auto expected = on_ranks(b.network(), 1);
  for (const auto& [block, ranks] : ways) {
    INFO("block " << block << ", " << ranks << " ranks");
    b.network().block = block;
    std::size_t owning = 0;
    const auto got = on_ranks(b.network(), ranks, &owning);
    CHECK(owning >= std::min<std::size_t>(static_cast<std::size_t>(ranks), 2));
    CHECK(got.spikes == expected.spikes);
    CHECK(got.reports == expected.reports);
    CHECK(got.weights == expected.weights);
    CHECK(got.edges == expected.edges);
  }
}

}  // namespace

TEST_CASE(
    "synapses that draw: a draw of its own for every synapse, copy and event, the same on any number of "
    "ranks") {
  NetworkBuilder b(ms(60), 3);
  b.network().block = 1;
  // Two sources fire at the same ticks; nine copies of each pair and more; two projections that differ in
  // nothing.
  std::vector<ListedSpike> spikes;
  for (int k = 1; k <= 10; ++k)
    for (std::uint32_t i = 0; i < 3; ++i) spikes.push_back({ms(5 * k), i});
  const auto in = b.source(3, spikes);
  const auto cells = b.add(neuron_table<Repeater>().model, 6);
  for (int k = 0; k < 2; ++k) {
    auto& p = b.connect(in, cells, Rule::fixed_indegree,
                        SynapsesOf{synapse_table<Fickle>(), {{"weight", 2.0}}}, ms(1));
    p.port = 1;
    p.numbers = {27};
  }
  // A network that hears them, so that a draw changes spikes: random numbers decide which cells pass the
  // threshold.
  const auto lif =
      b.add("lif_delta", 8, {{"v_th", 1}, {"v_reset", 0}, {"E_L", 0}, {"t_ref", 1}, {"tau_m", 10}});
  b.connect(in, lif, Rule::all_to_all, SynapsesOf{synapse_table<Fickle>(), {{"weight", 0.9}}}, ms(0.5));
  b.connect(lif, cells, Rule::all_to_all, SynapsesOf{synapse_table<Fickle>(), {{"weight", 1.0}}}, ms(1.5))
      .port = 1;
  b.record_spikes(lif);
  b.report(cells, "heard", ms(5), ms(9));
  const auto projections = static_cast<std::uint32_t>(b.network().projections.size());
  for (std::uint32_t p = 0; p < projections; ++p)
    for (const std::uint32_t variable : {1u, 2u}) b.record_weights(p, ms(5), ms(9), variable);

  const auto data = on_ranks(b.network(), 1);
  CHECK(data.spikes.size() > 10);
  REQUIRE(data.edges[0].size() == 6 * 27);
  // Every draw of every synapse and event is another, copies and equal projections included.
  std::set<float> different;
  std::size_t all = 0;
  double mean = 0;
  for (const std::uint32_t p : {0u, 1u})
    for (const float x : data.weights[2 * p]) {
      different.insert(x);
      mean += x;
      ++all;
    }
  REQUIRE(all == 2 * 6 * 27 * 11);  // 11 frames, the last two after the same event
  const std::size_t events = 2 * 6 * 27 * 10;
  CHECK(different.size() <= events);
  CHECK(different.size() >=
        events - 5);  // two of 3,240 numbers with 24 bits may be alike by chance: 0.3 expected
  CHECK(mean / static_cast<double>(all) == Approx(0.5).margin(0.02));
  same_on_all_ranks(b, {{1, 1}, {1, 2}, {1, 3}, {4, 2}});
}

TEST_CASE("synapses that draw: another seed, other draws") {
  std::vector<std::vector<float>> draws;
  for (const std::uint32_t seed : {1u, 2u, 1u}) {
    NetworkBuilder b(ms(20), seed);
    const auto in = b.source(1, {{ms(5), 0}});
    const auto cells = b.add(neuron_table<Repeater>().model, 3);
    b.connect(in, cells, Rule::all_to_all, SynapsesOf{synapse_table<Fickle>(), {}}, ms(1)).port = 1;
    b.record_weights(0, ms(10), ms(10), 1);
    draws.push_back(on_ranks(b.network(), 1).weights[0]);
  }
  CHECK(draws[0] == draws[2]);
  for (std::size_t i = 0; i < 3; ++i) CHECK(draws[0][i] != draws[1][i]);
}

TEST_CASE(
    "a synapse reads variables of its target as they are before the event, and after earlier ones of the "
    "tick") {
  NetworkBuilder b(ms(100));
  const auto in = b.source(2, {{ms(9), 0}, {ms(29), 1}, {ms(49), 0}, {ms(49), 1}});
  const auto cells = b.add("lif_exp", 2,
                           {{"tau_m", 20},
                            {"C_m", 250},
                            {"E_L", -70},
                            {"v_th", 1000},
                            {"v_reset", -70},
                            {"tau_syn_exc", 5},
                            {"tau_syn_inh", 5},
                            {"t_ref", 2},
                            {"V", std::vector<double>{-60, -80}}});
  b.connect(in, cells, {{0, 0, 100, ms(1)}, {0, 1, 200, ms(1)}});
  b.connect(in, cells, Rule::all_to_all, SynapsesOf{synapse_table<Watcher>(), {{"weight", 10}}}, ms(1));
  for (const std::uint32_t variable : {1u, 2u}) b.record_weights(1, ms(20), ms(19), variable);
  const auto data = on_ranks(b.network(), 1);
  const auto& edges = data.edges[1];
  REQUIRE(edges.size() == 4);
  const std::size_t frames = data.weights[0].size() / 4;
  for (std::size_t e = 0; e < 4; ++e) {
    const std::uint32_t source = std::get<0>(edges[e]) - b.first(in),
                        cell = std::get<1>(edges[e]) - b.first(cells);
    // Arrivals at 10, 30, 50 ms; those of static synapses first (their store comes first), then 10 pA from
    // each Watcher.
    const double w = cell ? 200 : 100, C = 250, tau_m = 20, tau_s = 5;
    const auto I = [&](double t, bool static_too,
                       bool other) {  // current just before this synapse's own event at t
      double sum = 0;
      for (const auto& [at, amount] : {std::pair{10.0, w + 10}, {30.0, 10.0}, {50.0, w + 20}})
        if (at < t) sum += amount * std::exp(-(t - at) / tau_s);
      return sum + (static_too ? w : 0) + (other ? 10 : 0);
    };
    const auto V = [&](double t) {
      double v = (cell ? -10 : 10) * std::exp(-t / tau_m);
      for (const auto& [at, amount] : {std::pair{10.0, w + 10}, {30.0, 10.0}})
        if (at < t)
          v += amount / C * tau_m * tau_s / (tau_m - tau_s) *
               (std::exp(-(t - at) / tau_m) - std::exp(-(t - at) / tau_s));
      return v - 70;
    };
    for (std::size_t f = 0; f < frames; ++f) {
      INFO("source " << source << ", cell " << cell << ", frame " << f);
      // Frames at 19, 39, 59, 79, 99 ms.
      double at = 0;
      if (source == 0) at = f < 2 ? 10 : 50;
      else at = f == 0 ? 0 : f == 1 ? 30 : 50;
      const float got_V = data.weights[0][f * 4 + e], got_I = data.weights[1][f * 4 + e];
      if (at == 0) {
        CHECK(got_V == 0);
        CHECK(got_I == 0);
        continue;
      }
      CHECK(got_V == Approx(V(at)).epsilon(1e-6));
      CHECK(got_I ==
            Approx(I(at, source == 0 || at == 50, source == 1 && at == 50)).epsilon(1e-6).margin(1e-6));
    }
  }
}

TEST_CASE("stdp, rstdp and a reward in mid-run: the same spikes, weights and reports on 1, 2, 3 and 8 ranks",
          "[long]") {
  auto b = recurrent({.neurons = 40, .noise = true, .duration = ms(1100)}, 5);  // beyond the first trim
  const std::uint32_t exc = 0, inh = 1, in = 2;
  const auto index = [&] { return static_cast<std::uint32_t>(b.network().projections.size() - 1); };
  b.connect(exc, exc, Rule::pairwise_bernoulli,
            SynapsesOf{"stdp",
                       {{"weight", uniform(0, 60)},
                        {"w_max", 60},
                        {"lambda", 0.05},
                        {"mu_plus", 0.4},
                        {"mu_minus", 0.4}}},
            ms(1.5))
      .numbers = {0.3};
  b.network().projections.back().delay = uniform(static_cast<double>(ms(0.5)), static_cast<double>(ms(3)));
  const auto stdp = index();
  b.connect(exc, inh, Rule::fixed_indegree,
            SynapsesOf{"stdp",
                       {{"weight", 20},
                        {"w_max", 60},
                        {"nearest", 1},
                        {"tau_minus", 40},
                        {"mu_plus", 0},
                        {"mu_minus", 0}}},
            ms(0.8))
      .numbers = {12};
  const auto nearest = index();
  b.connect(
      in, exc, Rule::all_to_all,
      SynapsesOf{"rstdp", {{"weight", 20}, {"w_max", 60}, {"A_plus", 0.8}, {"A_minus", 0.5}, {"tau_c", 300}}},
      ms(2));
  const auto rstdp = index();
  b.connect(exc, inh, Rule::pairwise_bernoulli,
            SynapsesOf{"tsodyks_markram", {{"weight", 50}, {"U", 0.3}, {"tau_fac", 100}}}, ms(1))
      .numbers = {0.2};
  const auto short_term = index();
  b.connect(inh, exc, Rule::pairwise_bernoulli,
            SynapsesOf{"istdp", {{"weight", 30}, {"w_max", 200}, {"eta", 5}, {"rho0", 20}}}, ms(1))
      .numbers = {0.5};
  b.network().projections.back().port = 1;
  b.network().projections.back().delay = uniform(static_cast<double>(ms(0.5)), static_cast<double>(ms(3)));
  b.network().projections.back().sign = -1;
  const auto inhibitory = index();
  b.at(ms(400), reward, {2});
  b.at(ms(777) + 1, reward, {-1});
  const auto set = [&](Tick tick, std::uint32_t p, std::uint32_t field, double value) {
    const Field& f = b.network().projections[p].synapse->model.params.data[field];
    REQUIRE((f.flags & scheduled) != 0);
    b.schedule_synapses(tick, p, f.name, value);
  };
  set(ms(333), stdp, 2, 0.1);           // lambda
  set(ms(555), nearest, 6, 30);         // w_max
  set(ms(444), rstdp, 3, 1.5);          // A_minus
  set(ms(666) + 1, short_term, 1, 50);  // tau_rec
  set(ms(600), inhibitory, 2, 40);      // rho0
  for (const auto p : {stdp, nearest, rstdp, short_term, inhibitory}) b.record_weights(p, ms(77) + 3, ms(1));
  b.record_weights(rstdp, ms(100), ms(50), 1);
  b.report(exc, "V", ms(50));

  const auto data = on_ranks(b.network(), 1);
  CHECK(data.spikes.size() > 2000);
  for (std::uint32_t w = 0; w < 5; ++w) {  // nothing of this is worth comparing if nothing changes
    const auto& all = data.weights[w];
    const std::size_t width = data.edges[b.network().weights[w].projection].size();
    REQUIRE(width > 20);
    std::size_t changed = 0;
    for (std::size_t e = 0; e < width; ++e) changed += all[e] != all[all.size() - width + e];
    INFO("recording " << w);
    CHECK(changed * 2 > width);
  }
  same_on_all_ranks(b, {{1, 1}, {1, 2}, {1, 3}, {1, 8}, {4, 2}});
}

TEST_CASE("a reward changes weights only through rstdp, and only after it") {
  std::vector<std::vector<float>> weights[2];
  for (const bool rewarded : {false, true}) {
    Trained t(ms(2000), {{ms(100), ms(700)}}, {{ms(110), ms(650)}});
    t.b.record_weights(t.plastic("rstdp", {{"weight", 50}}, ms(1)), ms(10));
    t.b.record_weights(t.plastic("stdp", {{"weight", 50}}, ms(1)), ms(10));
    if (rewarded) {
      t.b.at(ms(500), reward, {1});
    }
    auto got = run(t.b.network());
    weights[rewarded] = {got.recorder.weights_of(0), got.recorder.weights_of(1)};
  }
  CHECK(weights[0][1] == weights[1][1]);
  for (std::size_t k = 0; k <= 50; ++k) CHECK(weights[1][0][k] == 50);
  CHECK(weights[1][0][52] > 50);
  for (const float w : weights[0][0]) CHECK(w == 50);  // no baseline
}

TEST_CASE("silent sources: histories stay as short over 1,000 s as over 20 s, and nothing is forgotten") {
  std::uint64_t bytes[2];
  for (const bool long_run : {false, true}) {
    const Tick end = ms(long_run ? 1'000'000 : 20'000), last = end - ms(100), sampled = end - ms(90),
               delay = ms(2);
    // Source 0 never fires, source 1 once, source 2 at the end as well.  Neurons fire at 20 Hz.
    Numbers n(12, long_run);
    std::vector<SpikeTrain> post;
    for (int j = 0; j < 5; ++j) post.push_back(random_train(n, end - ms(1), 20));
    Trained t(end, {{}, {ms(500)}, {ms(500), last}}, post);
    const double lambda = long_run ? 2e-5 : 1e-3;
    t.b.record_weights(t.plastic("stdp",
                                 {{"weight", 0.5},
                                  {"w_max", 1},
                                  {"lambda", lambda},
                                  {"mu_plus", 0},
                                  {"mu_minus", 0},
                                  {"tau_plus", 300'000},
                                  {"tau_minus", 6000}},
                                 delay),
                       ms(1000), sampled);
    auto got = run(t.b.network());
    bytes[long_run] = got.statistics.history_bytes;
    // Additive and within the bounds, so the weight is a plain sum over pairs that goes back to the
    // beginning.
    const auto& edges = got.recorder.edges_of(1);
    const auto& w = got.recorder.weights_of(0);
    REQUIRE(w.size() == edges.size());
    for (std::size_t e = 0; e < edges.size(); ++e) {
      double change = 0;
      std::size_t steps = 0;
      for (const Tick a : t.pre_of(edges[e]))
        for (const Tick s : t.post_of(edges[e])) {
          const Tick b = s + delay;
          if (b > a && b <= sampled - delay) change += std::exp(-static_cast<double>(b - a) / 300e9), ++steps;
          if (b < a) change -= std::exp(-static_cast<double>(a - b) / 6e9);
        }
      INFO("edge " << e << ", " << steps << " steps");
      const double expected = 0.5 + lambda * change;
      REQUIRE((expected > 0.1 && expected < 0.99));
      CHECK(w[e] == Approx(expected).epsilon(0).margin(static_cast<double>(steps + 1) *
                                                       3e-8));  // half a float's spacing a step
      if (!t.pre_of(edges[e]).empty()) CHECK(std::abs(expected - 0.5) > 0.01);
    }
  }
  CHECK(bytes[0] > 0);
  CHECK(bytes[1] <= 2 * bytes[0]);
  CHECK(bytes[1] < 5 * 200 * sizeof(PostSpike));  // 20,000 spikes of each neuron
}
