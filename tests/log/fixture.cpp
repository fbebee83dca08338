#include "fixture.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>

#include "connect/rule.hpp"
#include "log/h5.hpp"
#include "log/log_data.hpp"
#include "log/reader.hpp"

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
    p.rule = connection_rule("all_to_all");
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
    s.push_back(
        {static_cast<Tick>(w) * window + static_cast<Tick>(x % window), static_cast<Gid>((x >> 32) % gids)});
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
          all.push_back(
              {s, t, 0.25 * static_cast<double>(s) - static_cast<double>(t), 100'000 * (1 + (s + t) % 20)});
  return all;
}

void record_window(RunLog& log, const Network& n, std::uint64_t w, std::uint32_t per_window) {
  log.spikes(spikes_of_window(n, w, per_window));
  for (std::uint32_t r = 0; r < n.reports.size(); ++r) {
    const auto& report = n.reports[r];
    const Tick from = static_cast<Tick>(w) * window, since = from - report.from;
    if (since >= 0 && since % report.every == 0)
      log.frames(r, frame(n, r, static_cast<std::uint64_t>(since / report.every)));
  }
  log.commit(static_cast<Tick>(w + 1) * window);
}

namespace {

std::string check_as_it_is(const std::filesystem::path& path, const Network& n, std::uint32_t per_window,
                           Tick least, Edges written) {
  const LogData log(path);
  const auto& s = log.summary();
  if (s.reached < least) return fmt::format("reached {}, but {} was durable", s.reached, least);
  const auto windows = static_cast<std::uint64_t>(s.reached / window);
  std::vector<std::vector<ListedSpike>> expected(2);
  for (std::uint64_t w = 0; w < windows; ++w)
    for (const auto& spike : spikes_of_window(n, w, per_window)) {
      const auto p = spike.gid >= n.populations[1].first;
      expected[p].push_back({spike.tick, spike.gid - n.populations[p].first});
    }
  for (std::size_t p = 0; p < 2; ++p) {
    const auto found = read_sonata_spikes(path, n.populations[p].name, s.ticks_per_ms, n.populations[p].size);
    if (found.size() != expected[p].size())
      return fmt::format("{} spikes of {}, expected {}", found.size(), n.populations[p].name,
                         expected[p].size());
    for (std::size_t i = 0; i < found.size(); ++i)
      if (found[i].tick != expected[p][i].tick || found[i].index != expected[p][i].index)
        return fmt::format("spike {} of {} differs", i, n.populations[p].name);
  }
  if (s.reports.size() != n.reports.size()) return "reports are missing";
  for (std::uint32_t r = 0; r < n.reports.size(); ++r) {
    const auto& report = n.reports[r];
    const auto it =
        std::find_if(s.reports.begin(), s.reports.end(), [&](auto& x) { return x.name == report.name; });
    if (it == s.reports.end()) return "report " + report.name + " is missing";
    // Frames at report.from, + every, ... before `reached`.
    const auto frames = static_cast<std::uint64_t>(
        std::max<Tick>(0, s.reached - report.from + report.every - 1) / report.every);
    if (it->frames != frames)
      return fmt::format("{} frames of {}, expected {}", it->frames, report.name, frames);
    if (it->stop_ms != static_cast<double>(report.from + static_cast<Tick>(frames) * report.every) / 1e6)
      return fmt::format("the time axis of {} ends at {} ms", report.name, it->stop_ms);
    std::vector<float> values;
    log.read(*it, {0, frames, 0, it->ids}, values);
    for (std::uint64_t f = 0; f < frames; ++f) {
      const auto e = frame(n, r, f);
      if (!std::equal(e.begin(), e.end(), values.begin() + static_cast<std::ptrdiff_t>(f * e.size())))
        return fmt::format("frame {} of {} differs", f, report.name);
    }
  }
  std::uint64_t edges_found = 0, edges_expected = 0;
  for (const auto& e : s.edges) edges_found += e.edges;
  for (const auto p : n.edge_recordings)
    edges_expected += n.projections[p].source_count() * n.projections[p].target_count();
  if (written == Edges::all && edges_found != edges_expected)
    return fmt::format("{} edges, expected {}", edges_found, edges_expected);
  return {};
}

}  // namespace

std::string check_data(const std::filesystem::path& path, const Network& n, std::uint32_t per_window,
                       Tick least, Edges written) {
  // With its journal beside it, and put in order: the same.
  const auto wrong = check_as_it_is(path, n, per_window, least, written);
  if (!wrong.empty() || !recover(path).needed) return wrong;
  return check_as_it_is(path, n, per_window, least, written);
}

Folder::Folder(In in) {
  const std::filesystem::path memory = "/dev/shm";
  const bool in_memory = in == In::memory && ::access(memory.c_str(), W_OK) == 0;
  auto pattern =
      ((in_memory ? memory : std::filesystem::temp_directory_path()) / "spinet-log-XXXXXX").string();
  if (!mkdtemp(pattern.data())) throw std::runtime_error("no temporary folder");
  path_ = pattern;
}
Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

h5::Id new_file(const std::filesystem::path& path) {
  h5::quiet();
  return h5::Id(h5::check(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), "creating"));
}

}  // namespace spinet::test
