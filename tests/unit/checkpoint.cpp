// A run that is saved, thrown away and restored on any number of ranks goes on as if nothing had happened.
#include <catch2/catch.hpp>

#include <map>

#include "comm/loopback.hpp"
#include "core/errors.hpp"
#include "support/memory_checkpoints.hpp"
#include "support/network_builder.hpp"
#include "support/run.hpp"

#include "spinet/reward.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {

/// What the recorder of a run, or of a part of it, has heard.
struct Heard {
  std::vector<Spike> spikes;
  std::map<std::uint32_t, std::vector<float>> reports, weights;
  std::uint64_t total = 0;
  bool operator==(const Heard&) const = default;
};
class Ear : public Recorder {
 public:
  explicit Ear(Heard& h) : h_(h) {}
  void spikes(std::span<const Spike> s) override { h_.spikes.insert(h_.spikes.end(), s.begin(), s.end()); }
  void frames(std::uint32_t r, std::span<const float> v) override {
    h_.reports[r].insert(h_.reports[r].end(), v.begin(), v.end());
  }
  void weights(std::uint32_t w, std::span<const float> v) override {
    h_.weights[w].insert(h_.weights[w].end(), v.begin(), v.end());
  }
  void edges(std::uint32_t, std::span<const Edge>) override {}
  void commit(Tick) override {}

 private:
  Heard& h_;
};

const SynapseTable& synapse(const char* name) {
  return *reinterpret_cast<const SynapseTable*>(builtin().find(Kind::synapse, name));
}
void use(Projection& p, const char* name, const Values& values = {}) {
  p.synapse = &synapse(name);
  const Distribution weight = p.state[0];
  p.state.clear();
  for (std::uint32_t k = 0; k < p.synapse->model.variables.count; ++k)
    if (p.synapse->model.variables.data[k].flags & initial)
      p.state.push_back(k == 0 ? weight : Value(p.synapse->model.variables.data[k].preset).d);
  for (std::uint32_t k = 0; k < p.synapse->model.params.count; ++k) {
    double x = p.synapse->model.params.data[k].preset;
    for (const auto& [key, v] : values)
      if (key == p.synapse->model.params.data[k].name) x = v.d.a;
    p.params.push_back(x);
  }
}

/// Parameters of synapses change on both sides of the cut, and two of them together.
void set_synapses(NetworkBuilder& b) {
  const auto set = [&](Tick tick, std::uint32_t projection, std::string_view param, double value) {
    b.schedule_synapses(tick, projection, param, value);
  };
  for (const double at : {41.0, 77.7, 121.0, 160.0}) {
    set(ms(at), 0, "lambda", 0.001 * at);
    set(ms(at), 0, "w_max", 600 - 2 * at);
    set(ms(at + 1), 1, "A_plus", 0.01 * at);
    set(ms(at + 1), 1, "baseline", 0.5 - 0.005 * at);
    set(ms(at), 2, "tau_rec", at);
  }
}

/// Everything that has a state: plastic, short-term and reward-modulated synapses, drives superposed and
/// emitted, per-neuron time constants, a population that sleeps, delays far beyond a window, changes and
/// rewards on both sides of the cut.
Network everything(Tick duration) {
  NetworkBuilder b(duration, 7);
  const Values neuron = {{"tau_m", 20},        {"E_L", 0},           {"v_th", 20},         {"v_reset", 0},
                         {"tau_syn_exc", 0.5}, {"tau_syn_inh", 0.5}, {"V", uniform(0, 19)}};
  const auto exc = b.add("lif_exp", 40, neuron), inh = b.add("lif_exp", 10, neuron);
  const auto delta = b.add("lif_delta", 13,
                           {{"tau_m", uniform(10, 30)}, {"E_L", 0}, {"v_th", 20}, {"v_reset", 0}, {"V", 0}});
  const auto quiet = b.add("lif_delta", 9, {{"E_L", 0}, {"v_th", 20}, {"v_reset", 0}, {"V", 5}});
  const auto adex = b.add("adex", 5),
             cond = b.add("lif_cond_exp", 6, {{"I_dc", 90}, {"v_th", uniform(-55, -50)}});
  const auto noise = b.add("poisson", 50, {{"rate", 9000}}, Kind::source);
  const auto slow = b.add("poisson", 13, {{"rate", 300}}, Kind::source);
  const auto late = b.source(3, {{ms(81), 0}, {ms(82), 2}, {ms(82), 1}, {ms(140), 0}});
  auto& plastic = b.connect(exc, exc, Rule::fixed_indegree, uniform(100, 300), 1);
  plastic.numbers = {12};
  plastic.delay = uniform(0.5e6, 3e6);
  use(plastic, "stdp", {{"w_max", 500}, {"lambda", 0.05}});
  b.network().weights.push_back({0, 0, ms(7), 0, never});
  auto& other = b.connect(exc, inh, Rule::fixed_indegree, 200, ms(1.5));
  other.numbers = {15};
  use(other, "rstdp", {{"w_max", 500}, {"tau_c", 50}, {"tau_d", 30}});
  b.network().weights.push_back({1, 1, ms(10), ms(5), never});
  auto& inhibitory = b.connect(inh, exc, Rule::fixed_indegree, -600, ms(1.5));
  inhibitory.port = 1;
  inhibitory.numbers = {5};
  use(inhibitory, "tsodyks_markram", {{"U", 0.5}, {"tau_rec", 100}});
  auto& long_way = b.connect(exc, delta, Rule::fixed_indegree, 3, 1);
  long_way.numbers = {3};
  long_way.delay = uniform(1e6, 60e6);
  b.connect(noise, exc, Rule::one_to_one, 75, ms(1.5)).sources = {{b.first(noise), 40}};
  b.connect(noise, inh, Rule::one_to_one, 75, ms(1.5)).sources = {{b.first(noise) + 40, 10}};
  b.connect(slow, delta, Rule::all_to_all, 0.8, ms(2));
  b.connect(late, quiet, Rule::all_to_all, 9, ms(30));
  b.connect(slow, adex, Rule::all_to_all, 150, ms(2));
  b.connect(slow, cond, Rule::all_to_all, 1.5, ms(1.5));
  auto& few = b.connect(inh, cond, Rule::fixed_outdegree, 4, ms(1));
  few.port = 1;
  few.numbers = {3};
  // Waveforms that go on across the cut: followed, thinned, in steps.
  const auto wave = b.add("lif_exp", 6, {{"V", uniform(-70, -60)}});
  const auto wavy = b.add("poisson", 6, {{"rate", 0}}, Kind::source);
  b.connect(wavy, wave, Rule::one_to_one, 60, ms(1));
  Waveform w;
  w.offset = 300;
  w.sines = {make_sine(200, 17e6, 0.1)};
  w.chirps = {{50, 0, 1e-8, 1e-7, ms(70)}};
  w.points.push_back({Points::Between::lines, ms(30), ms(3), {0, ms(20)}, {0, 40}});
  w.resolution = ms(0.31);
  b.schedule(ms(5), wave, "I_dc", 0).course = w;
  b.schedule(ms(5), adex, "I_dc", 0).course = w;
  b.schedule(ms(5), wavy, "rate", 0).course = w;
  record_all(b.network());
  b.record_spikes(slow);
  b.report(exc, "V", ms(3));
  b.report(quiet, "V", ms(5));
  b.report(delta, "V", ms(11));
  for (const double at : {20.0, 61.0, 130.0}) b.schedule(ms(at), exc, "I_dc", 30 + at);
  b.schedule(ms(90), noise, "rate", 9500);
  // A current drawn every 3 ms until 127 ms; the plain change between two draws lasts until the next.
  b.schedule(ms(10), inh, "I_dc", 0);
  for (auto& s : b.network().schedule)
    if (s.tick == ms(10)) s.course = uniform(0, 200), s.every = ms(3), s.count = 40;
  b.schedule(ms(50), inh, "I_dc", 75);
  for (const double at : {33.0, 99.0, 100.0, 150.0}) b.at(ms(at), reward, {0.5});
  set_synapses(b);
  return b.network();
}

Heard run_from(const Network& net, int ranks, MemoryCheckpoints* saving, Tick every,
               const MemoryCheckpoints* from = nullptr) {
  Heard heard;
  run_loopback(ranks, [&](Transport& t) {
    Simulation simulation(net, t);
    if (from) simulation.restore(*from);
    Ear ear(heard);
    RunHooks hooks;
    hooks.checkpoints.every = every;
    if (t.rank() == 0) hooks.checkpoints.sink = saving;
    const auto statistics = simulation.run(t.rank() == 0 ? &ear : nullptr, hooks);
    if (t.rank() == 0) heard.total = statistics.spikes;
  });
  return heard;
}

/// What was heard from `at` on: a run that begins there hears just this.
Heard after(const Heard& h, const Network& net, Tick at) {
  Heard rest;
  rest.total = h.total;
  for (const auto& s : h.spikes)
    if (s.tick >= at) rest.spikes.push_back(s);
  const auto cut = [at](const std::vector<float>& all, Tick from, Tick every, std::size_t width) {
    const auto frames = at <= from ? 0 : static_cast<std::size_t>((at - from + every - 1) / every);
    return std::vector<float>(all.begin() + static_cast<std::ptrdiff_t>(frames * width), all.end());
  };
  for (const auto& [r, v] : h.reports)
    rest.reports[r] = cut(v, net.reports[r].from, net.reports[r].every, net.reports[r].ids.size());
  for (const auto& [w, v] : h.weights) {
    const auto& rec = net.weights[w];
    const auto frames = static_cast<std::size_t>((net.duration - rec.from + rec.every - 1) / rec.every);
    rest.weights[w] = cut(v, rec.from, rec.every, v.size() / frames);
  }
  std::erase_if(rest.reports, [](const auto& x) { return x.second.empty(); });
  std::erase_if(rest.weights, [](const auto& x) { return x.second.empty(); });
  return rest;
}

}  // namespace

TEST_CASE("a restored run goes on as if nothing had happened, on any number of ranks") {
  const Network net = everything(ms(170));
  MemoryCheckpoints checkpoints;
  const Heard whole = run_from(net, 1, nullptr, 0);
  REQUIRE(whole.spikes.size() > 300);
  const Heard saving = run_from(net, 2, &checkpoints, ms(13));
  CHECK((saving == whole));  // saving changes nothing
  REQUIRE(checkpoints.saved.size() >= 12);
  int i = 0;
  for (const auto& [at, unused] : checkpoints.saved) {
    checkpoints.chosen = at;
    const int ranks = 1 + i++ % 4;
    INFO("from tick " << at << " on " << ranks << " ranks");
    const Heard rest = run_from(net, ranks, nullptr, 0, &checkpoints), expected = after(whole, net, at);
    CHECK((rest.spikes == expected.spikes));
    CHECK((rest.reports == expected.reports));
    CHECK((rest.weights == expected.weights));
    CHECK(rest.total == expected.total);
  }
}

TEST_CASE("checkpoints do not depend on the number of ranks") {
  const Network net = everything(ms(60));
  MemoryCheckpoints one, three;
  run_from(net, 1, &one, ms(25));
  run_from(net, 3, &three, ms(25));
  REQUIRE(one.saved.size() == 2);
  for (const auto& [at, parts] : one.saved)
    for (const auto& [name, bytes] : parts) {
      INFO(name << " at " << at);
      REQUIRE(three.saved.count(at) == 1);
      if (name == "run" || name == "agenda" || name.starts_with("history") || name.starts_with("slices")) {
        CHECK(three.saved[at][name].size() == bytes.size());  // in another order
      } else {
        CHECK((three.saved[at][name] == bytes));
      }
    }
}

TEST_CASE("a checkpoint of a restored run") {
  const Network net = everything(ms(120));
  MemoryCheckpoints first, second;
  const Heard whole = run_from(net, 1, &first, ms(40));
  first.chosen = first.saved.begin()->first;
  run_from(net, 3, &second, ms(30), &first);
  second.chosen = second.saved.rbegin()->first;
  CHECK((run_from(net, 2, nullptr, 0, &second).spikes == after(whole, net, second.chosen).spikes));
}

TEST_CASE("a checkpoint of another network is refused") {
  MemoryCheckpoints c;
  run_from(everything(ms(40)), 1, &c, ms(20));
  c.chosen = c.saved.begin()->first;
  NetworkBuilder other(ms(40));
  other.add("lif_exp", 3);
  OneRank one;
  Simulation simulation(other.network(), one);
  CHECK_THROWS_AS(simulation.restore(c), UnfitCheckpoint);
}
