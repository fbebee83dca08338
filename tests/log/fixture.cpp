#include "fixture.hpp"

#include <stdlib.h>

#include <algorithm>

namespace spinet::test {
namespace {

struct TestNeuron {
  static constexpr const char* name = "test_neuron";
  static constexpr const char* doc = "Has variables to record.";
  struct Params {};
  struct State {
    double v, g;
  };
  static constexpr Port ports[] = {{"in", "pA", "current", 0, 0}};
  static auto params() { return FieldTable<Params>{}; }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::v, "V", "mV", 0, any(), recorded, "membrane potential");
    t.add(&State::g, "g", "nS", 0, any(), recorded, "conductance");
    return t;
  }
  static void init(Neurons<TestNeuron>, std::uint32_t, const Params&, const double*) {}
  static void arrive(Neurons<TestNeuron>, Tick, std::uint32_t, std::uint32_t, double) {}
  static double read(Neurons<TestNeuron>, Tick, std::uint32_t, std::uint32_t) { return 0; }
};

struct TestSource {
  static constexpr const char* name = "test_source";
  static constexpr const char* doc = "Sends nothing.";
  static constexpr bool superposable = false;
  struct Params {};
  static auto params() { return FieldTable<Params>{}; }
  static double rate(const Params&) { return 0; }
  static bool generate(const SourceUnit&, Tick, std::uint32_t, EventSink&) { return true; }
};

struct TestSynapse {
  static constexpr const char* name = "test_synapse";
  static constexpr const char* doc = "A constant weight.";
  struct Params {};
  struct State {
    float weight;
  };
  static auto params() { return FieldTable<Params>{}; }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::weight, "weight", "1", 1, any(), initial | port_unit, "weight");
    return t;
  }
};

std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace

Network small_network() {
  Network n;
  n.name = "small";
  n.source_text = "spinet: 1\nname: small  # \xc3\xa9t\xc3\xa9, 5 \xc2\xb5s\n";
  n.source_path = "networks/small.yaml";
  n.overrides = {"parameters.g=4.5", "seed=7"};
  n.seed = 7;
  n.duration = 1'000'000'000;
  const auto add = [&](const char* name, std::uint32_t size, const Model& model) {
    Population p;
    p.name = name;
    p.first = n.gid_count();
    p.size = size;
    p.model = &model;
    n.populations.push_back(std::move(p));
  };
  add("exc", 100, neuron_table<TestNeuron>().model);
  add("inh", 25, neuron_table<TestNeuron>().model);
  add("quiet", 7, neuron_table<TestNeuron>().model);
  add("noise", 132, source_table<TestSource>().model);
  n.spikes = {{0, {}, 0, never}, {1, {}, 0, never}, {2, {}, 0, never}};
  n.reports = {{"exc_v", 0, 0, {0, 5, 99}, 1000, 0, never},
               {"exc_g", 0, 1, {1, 2}, 2000, 1000, never},
               {"inh_v", 1, 0, {24}, 1000, 0, never}};
  const auto project = [&](const char* name, std::vector<GidRange> from, std::vector<GidRange> to) {
    Projection p;
    p.name = name;
    p.sources = std::move(from);
    p.targets = std::move(to);
    p.rule = Rule::all_to_all;
    p.synapse = &synapse_table<TestSynapse>();
    n.projections.push_back(std::move(p));
  };
  project("inh_exc", {{100, 25}}, {{0, 100}});
  project("all", {{0, 100}, {100, 25}}, {{0, 100}, {100, 25}});
  n.edge_recordings = {0, 1};
  return n;
}

std::vector<Spike> spikes_of_window(const Network& n, std::uint64_t w, std::uint32_t per_window) {
  std::vector<Spike> s;
  const std::uint64_t gids = n.populations[0].size + n.populations[1].size;
  for (std::uint32_t i = 0; i < per_window; ++i) {
    const std::uint64_t x = mix(w * per_window + i);
    s.push_back({static_cast<Tick>(w) * window + static_cast<Tick>(x % window), static_cast<Gid>((x >> 32) % gids)});
  }
  std::sort(s.begin(), s.end(), [](const Spike& a, const Spike& b) {
    return a.tick != b.tick ? a.tick < b.tick : a.gid < b.gid;
  });
  s.erase(std::unique(s.begin(), s.end()), s.end());
  return s;
}

std::vector<float> frame(const Network& n, std::uint32_t r, std::uint64_t f) {
  std::vector<float> v(n.reports[r].ids.size());
  for (std::size_t i = 0; i < v.size(); ++i)
    v[i] = static_cast<float>(r * 1000 + n.reports[r].ids[i]) + static_cast<float>(f % 4096) / 4096;
  return v;
}

std::vector<Edge> edges(const Network& n, std::uint32_t p) {
  std::vector<Edge> all;
  for (const auto& to : n.projections[p].targets)
    for (Gid t = to.first; t < to.first + to.count; ++t)
      for (const auto& from : n.projections[p].sources)
        for (Gid s = from.first; s < from.first + from.count; ++s)
          all.push_back({s, t, 0.25 * static_cast<double>(s) - static_cast<double>(t), 100'000 * (1 + (s + t) % 20)});
  return all;
}

Folder::Folder() {
  auto pattern = (std::filesystem::temp_directory_path() / "spinet-log-XXXXXX").string();
  if (!mkdtemp(pattern.data())) throw std::runtime_error("no temporary folder");
  path_ = pattern;
}
Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace spinet::test
