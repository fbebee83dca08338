// Pulses of the schedule at the synapses of a network: whom they reach, how often, and what they draw.
#include <fmt/format.h>
#include <catch2/catch.hpp>

#include <cmath>
#include <map>
#include <set>

#include "comm/loopback.hpp"
#include "core/connect.hpp"
#include "network/loader.hpp"
#include "network/lookup.hpp"
#include "spinet/device.hpp"
#include "support/memory_checkpoints.hpp"
#include "support/network_builder.hpp"
#include "support/run.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {

/// Ten devices onto ten neurons, one to one and all to all, with noise and spread; `schedule` is a block of
/// YAML.
std::string network(const std::string& schedule, const std::string& more = "") {
  return "spinet: 1\nduration: 2 s\nblock: 1\npopulations:\n"
         "  s: {model: spike_source, size: 10, spikes: {0: [1.9 s], 3: [1.95 s]}}\n"
         "  n: {model: lif_delta, size: 10}\n"
         "projections:\n"
         "  one: {from: s, to: n, connect: one_to_one, synapse: {model: spin_valve, u: 0, w_max: 3 mV, "
         "delay: 1 ms}}\n"
         "  all: {from: s, to: n, connect: {fixed_indegree: 5}, synapse: {model: spin_valve, u: {uniform: "
         "{low: 0, high: 1}}, w_max: 1 mV,\n"
         "        g: {normal: {mean: 1, sd: 0.1, min: 0.5}}, cycle_noise: 0.2, read_noise: 0.1, delay: "
         "{uniform: {low: 1 ms, high: 3 ms}}}}\n"
         "schedule:\n" +
         schedule +
         "record:\n  spikes: [n]\n  reports: {population: n, variable: V, every: 10 ms}\n"
         "  weights: [{projection: one, variable: u, every: 100 ms}, {projection: all, every: 100 ms}]\n" +
         more;
}
struct Heard : Recorder {
  std::vector<Spike> all;
  std::map<std::uint32_t, std::vector<float>> reports, frames_of;
  std::vector<Edge> edges_of_all;
  void spikes(std::span<const Spike> s) override { all.insert(all.end(), s.begin(), s.end()); }
  void frames(std::uint32_t r, std::span<const float> v) override {
    reports[r].insert(reports[r].end(), v.begin(), v.end());
  }
  void weights(std::uint32_t w, std::span<const float> v) override {
    frames_of[w].insert(frames_of[w].end(), v.begin(), v.end());
  }
  void edges(std::uint32_t p, std::span<const Edge> e) override {
    if (p == 1) edges_of_all.insert(edges_of_all.end(), e.begin(), e.end());
  }
  void commit(Tick) override {}
};
Heard heard(const std::string& text) {
  const auto net = load_text(text, "test.yaml", builtin());
  Heard h;
  OneRank one;
  Simulation simulation(net, one);
  simulation.run(&h);
  return h;
}

}  // namespace

TEST_CASE("schedule: a train of pulses reaches the synapses named, and no others") {
  const auto h =
      heard(network("  - {at: 0.5 s, pulse: {amplitude: 2.5 V, width: 5 ms, count: 50, period: 10 ms}, to: "
                    "one, synapses: [[3, 3], [7, 7]]}\n"));
  const auto& u = h.frames_of.at(0);
  REQUIRE(u.size() == 200);
  for (std::size_t frame = 0; frame < 20; ++frame)
    for (std::size_t i = 0; i < 10; ++i) {
      // Pulses up to and at the frame's time: controls come first in a tick.
      const int pulses = i != 3 && i != 7 ? 0
                         : frame < 5      ? 0
                                          : std::min<int>(50, static_cast<int>(frame - 5) * 10 + 1);
      CHECK(static_cast<double>(u[frame * 10 + i]) ==
            Approx(-std::expm1(-6.059855083280222 * 5e-3 * pulses)).epsilon(1e-6).margin(1e-12));
    }
}

TEST_CASE("schedule: what repeats is what is written out") {
  const std::string train =
      "  - {at: 0.5 s, pulse: {amplitude: 2.5 V, width: 5 ms, count: 3, period: 10 ms}, to: [one, all], "
      "repeat: {every: 200 ms, count: 2}}\n"
      "  - {at: 0.6 s, field: {state: antiparallel}, repeat: {every: 0.7 s, count: 2}}\n"
      "  - {at: 0.7 s, pulse: {amplitude: {from: -1.5 V, to: -2.5 V}, width: 5 ms, count: 5, period: 0.1 s}, "
      "to: all}\n"
      "  - {at: 1 s, set: {n: {I_dc: {from: 100 pA, to: 300 pA}}}, repeat: {every: 10 ms, count: 3}}\n";
  std::string written;
  for (const char* at : {"500", "510", "520", "700", "710", "720"})
    written +=
        fmt::format("  - {{at: {} ms, pulse: {{amplitude: 2.5 V, width: 5 ms}}, to: [one, all]}}\n", at);
  for (const char* at : {"600", "1300"})
    written += fmt::format("  - {{at: {} ms, field: {{state: antiparallel}}}}\n", at);
  for (int i = 0; i < 5; ++i)
    written += fmt::format("  - {{at: {} ms, pulse: {{amplitude: {} V, width: 5 ms}}, to: all}}\n",
                           700 + 100 * i, -1.5 - 0.25 * i);
  for (int i = 0; i < 3; ++i)
    written += fmt::format("  - {{at: {} ms, set: {{n: {{I_dc: {} pA}}}}}}\n", 1000 + 10 * i, 100 + 100 * i);
  const auto a = heard(network(train)), b = heard(network(written));
  CHECK(a.all == b.all);
  CHECK(a.reports == b.reports);
  CHECK(a.frames_of == b.frames_of);
  CHECK(a.frames_of.at(1) != heard(network("  - {at: 1.99 s, field: 0 Oe}\n")).frames_of.at(1));
}

TEST_CASE("schedule: pulses give the same data on any number of ranks") {
  const auto text = network(
      "  - {at: 0.5 s, pulse: {amplitude: 2.5 V, width: 5 ms, count: 50, period: 10 ms}, to: all}\n"
      "  - {at: 1.2 s, pulse: {amplitude: -2 V, width: 5 ms, count: 7, period: 10 ms}, to: one, synapses: "
      "[[0, 0], [9, 9], [3, 3]]}\n"
      "  - {at: 1.3 s, field: 90 Oe}\n");
  const auto alone = heard(text);
  CHECK(alone.frames_of.at(1).size() == 20 * 50);
  for (const int ranks : {2, 3}) {
    Heard h;
    run_loopback(ranks, [&](Transport& t) {
      const auto net = load_text(text, "test.yaml", builtin());
      Simulation simulation(net, t);
      simulation.run(t.rank() == 0 ? &h : nullptr);
    });
    CHECK(h.all == alone.all);
    CHECK(h.reports == alone.reports);
    CHECK(h.frames_of == alone.frames_of);
  }
}

namespace {
/// The errors of a text whose synapses are looked for; empty: there are none.
std::vector<Diagnostic> errors_where_drawn(const std::string& text) {
  LoadOptions options;
  options.not_drawn = not_drawn;
  try {
    load_text(text, "test.yaml", builtin(), options);
  } catch (const InvalidNetwork& e) {
    return e.diagnostics;
  }
  return {};
}
}  // namespace

TEST_CASE("schedule: synapses, rows and columns that were not drawn are found before the run") {
  const auto first = heard(network("  - {at: 1.99 s, field: 0 Oe}\n"));
  std::set<std::pair<Gid, Gid>> drawn;
  std::set<Gid> rows, columns;
  for (const auto& e : first.edges_of_all)
    drawn.emplace(e.source, e.target - 10), rows.insert(e.source), columns.insert(e.target - 10);
  const auto faults = [&](const std::string& which) {
    return errors_where_drawn(network(
        fmt::format("  - {{at: 1 s, pulse: {{amplitude: 2 V, width: 1 ms}}, to: all, {}}}\n", which)));
  };
  int missing = 0;
  for (Gid s = 0; s < 10; ++s)
    for (Gid t = 0; t < 10; ++t) {
      const auto some = faults(fmt::format("synapses: [[{}, {}]]", s, t));
      REQUIRE(some.size() == 1 - drawn.count({s, t}));
      missing += !some.empty();
      if (some.empty()) continue;
      CHECK(some[0].reason ==
            fmt::format("there is no synapse from source {} to target {}: 'all' has drawn none", s, t));
      CHECK(some[0].source_line.substr(some[0].caret, some[0].length) == "[");
    }
  CHECK(missing > 20);
  for (Gid i = 0; i < 10; ++i) {
    CHECK(faults(fmt::format("rows: {}", i)).size() == 1 - rows.count(i));
    CHECK(faults(fmt::format("columns: {}", i)).size() == 1 - columns.count(i));
  }
}

TEST_CASE("schedule: rows and columns without a synapse are reported where they are named") {
  const std::string text =
      "spinet: 1\nduration: 10 ms\npopulations:\n  s: {model: lif_delta, size: 40}\n"
      "projections:\n  d: {from: s, to: s, connect: {fixed_total_number: 20}, "
      "synapse: {model: spin_valve, u: 0.5, delay: 1 ms}}\n"
      "schedule:\n  - {at: 1 ms, pulse: {amplitude: 1 V, width: 1 ms}, to: d, ";
  const Network net = load_text(text + "}\n", "test.yaml", builtin());
  std::set<std::uint32_t> rows, columns;
  bool wanted[target_stretch];
  std::fill(std::begin(wanted), std::end(wanted), true);
  Connector(net, 0).edges(0, wanted, [&](const DrawnEdge* e, std::size_t n) {
    for (; n; --n, ++e) rows.insert(e->source), columns.insert(e->target);
  });
  REQUIRE(rows.size() < 40);
  for (const bool are_rows : {true, false}) {
    const auto some = errors_where_drawn(text + (are_rows ? "rows" : "columns") +
                                         ": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, "
                                         "18, 19, 20, 21, 22, 23, 24, 25, 26, 27, "
                                         "28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39]}\n");
    REQUIRE(some.size() == 40 - (are_rows ? rows : columns).size());
    for (const auto& d : some) {
      const auto number = std::stoul(d.source_line.substr(d.caret));
      CHECK(d.line == 8);
      CHECK(d.reason == fmt::format("there is no synapse in {} {}: 'd' has drawn none",
                                    are_rows ? "row" : "column", number));
      CHECK((are_rows ? rows : columns).count(static_cast<std::uint32_t>(number)) == 0);
    }
  }
}

TEST_CASE("schedule: crossings that were not drawn are found before the run, too") {
  // Of two rows and two columns of a crossbar in which three crossings of four have a device.
  const auto text = [](const std::string& entry) {
    return "spinet: 1\nduration: 10 ms\npopulations:\n  s: {model: lif_delta, size: 6}\n"
           "projections:\n  d: {from: s, to: s, connect: {pairwise_bernoulli: 0.75}, layout: crossbar,\n"
           "      synapse: {model: spin_valve, u: 0.5, delay: 1 ms}}\n"
           "schedule:\n  - {at: 1 ms, pulse: {amplitude: 1 V, width: 1 ms}, to: d, " +
           entry + "}\n";
  };
  std::set<std::pair<std::uint32_t, std::uint32_t>> drawn;
  const Network whole = load_text(text("scheme: none"), "test.yaml", builtin());
  const Connector connector(whole, 0);
  const bool wanted[target_stretch] = {true, true, true, true, true, true};
  connector.edges(0, wanted, [&](const DrawnEdge* e, std::size_t n) {
    for (; n; --n, ++e) drawn.emplace(e->source, e->target);
  });
  int missing = 0;
  for (std::uint32_t s = 0; s < 5; ++s)
    for (std::uint32_t t = 0; t < 5; ++t) {
      const bool all = drawn.count({s, t}) && drawn.count({s, t + 1}) && drawn.count({s + 1, t}) &&
                       drawn.count({s + 1, t + 1});
      missing += !all;
      const auto some =
          errors_where_drawn(text(fmt::format("rows: [{}, {}], columns: [{}, {}]", s, s + 1, t, t + 1)));
      CHECK(some.empty() == all);
      if (!all) CHECK(some[0].reason.find("there is no device at the crossing of row ") == 0);
      CHECK(errors_where_drawn(text(fmt::format("synapses: [[{}, {}]]", s, t))).empty() ==
            (drawn.count({s, t}) == 1));
    }
  CHECK(missing > 5);
  CHECK(missing < 25);
  CHECK(errors_where_drawn(text("rows: 1")).empty());
}

TEST_CASE("every event of a tick draws anew, the same on any ranks, in any blocks and after a restart") {
  // Sources that fire several times in a tick, two pulses in a tick, two reads in a tick; onto all or single
  // synapses.
  const auto text = [](int block) {
    return fmt::format(
        "spinet: 1\nduration: 400 ms\nblock: {}\nseed: 5\npopulations:\n"
        "  s: {{model: spike_source, size: 3, spikes: [[10 ms, 10 ms, 10 ms, 210 ms, 210 ms], [10 ms, 210 "
        "ms], [50 ms, 50 ms]]}}\n"
        "  n: {{model: lif_delta, size: 6, params: {{v_th: 1 V}}}}\n"
        "projections:\n"
        "  p: {{from: s, to: n, connect: all_to_all, synapse: {{model: spin_valve, u: 0.5, w_max: 1 mV, "
        "cycle_noise: 0.3, read_noise: 0.2, energy: 1, delay: 1 ms}}}}\n"
        "schedule:\n"
        "  - {{at: 100 ms, pulse: {{amplitude: 1.5 V, width: 1 ms}}, to: p}}\n"
        "  - {{at: 100 ms, pulse: {{amplitude: 1.5 V, width: 1 ms}}, to: p}}\n"
        "  - {{at: 120 ms, pulse: {{amplitude: 1.5 V, width: 1 ms}}, to: p, synapses: [[0, 0], [0, 5]]}}\n"
        "  - {{at: 120 ms, pulse: {{amplitude: 1.5 V, width: 1 ms}}, to: p, synapses: [[0, 4], [0, 5]]}}\n"
        "  - {{at: 150 ms, read: p}}\n  - {{at: 150 ms, read: p}}\n  - {{at: 211 ms, read: p}}\n"
        "record:\n  reports: {{population: n, variable: V, every: 1 ms}}\n  weights: {{projection: p, "
        "variable: u, every: 10 ms}}\n",
        block);
  };
  struct All : Heard {
    std::vector<WeightEvent> readings;
    void weight_events(std::uint32_t, std::span<const WeightEvent> e) override {
      readings.insert(readings.end(), e.begin(), e.end());
    }
    bool same(const All& o) const {
      return reports == o.reports && frames_of == o.frames_of && readings == o.readings;
    }
  };
  const auto done = [&](int ranks, int block, std::uint32_t small_slices, MemoryCheckpoints* save = nullptr,
                        const MemoryCheckpoints* resume = nullptr) {
    All h;
    run_loopback(ranks, [&](Transport& t) {
      const auto net = load_text(text(block), "test.yaml", builtin());
      SimulationOptions options;
      options.small_slices = small_slices;
      Simulation simulation(net, t, options);
      if (resume) simulation.restore(*resume);
      RunHooks hooks;
      hooks.checkpoints.every = ms(140);
      if (t.rank() == 0) hooks.checkpoints.sink = save;
      simulation.run(t.rank() == 0 ? &h : nullptr, hooks);
    });
    return h;
  };
  MemoryCheckpoints saved;
  const All one = done(1, 256, 4096, &saved);
  for (const int ranks : {1, 2, 3})
    for (const int block : {1, 4, 256})
      for (const std::uint32_t small_slices : {0u, 4096u}) CHECK(done(ranks, block, small_slices).same(one));

  // Two reads at one time are two, each with a draw of its own; they cost twice what one costs.
  REQUIRE(one.readings.size() == 3 * 18);
  for (std::size_t i = 0; i < 18; ++i) {
    const WeightEvent &a = one.readings[2 * i], &b = one.readings[2 * i + 1];
    CHECK(a.tick == ms(150));
    CHECK((a.edge == i && b.edge == i && a.tick == b.tick));
    CHECK(a.value != b.value);
  }
  // Two pulses of a tick: another rate each, and the first the same as if it were alone.
  const auto u_at = [&](int t, std::size_t edge) {
    return static_cast<double>(one.frames_of.at(0)[static_cast<std::size_t>(t / 10) * 18 + edge]);
  };
  const auto rate = [](double before, double after) { return -std::log((1 - after) / (1 - before)); };
  const double k = 0.03361502037278161 * std::expm1(0.3 / 0.25) * 1e-3;
  int apart = 0;
  for (std::size_t e = 0; e < 18; ++e)
    apart += std::abs(rate(u_at(90, e), u_at(100, e)) / (2 * k) - 1) > 1e-6;
  CHECK(apart == 18);
  CHECK(u_at(120, 0) != u_at(110, 0));
  CHECK(u_at(120, 1) == u_at(110, 1));

  // Three arrivals of one source in a tick do not weigh three times the same: the sum is less noisy.
  std::vector<double> sums;
  for (std::size_t j = 0; j < 6; ++j) sums.push_back(static_cast<double>(one.reports.at(0)[12 * 6 + j]));
  CHECK(std::set<double>(sums.begin(), sums.end()).size() == 6);

  saved.chosen = saved.saved.begin()->first;
  const All rest = done(2, 4, 4096, nullptr, &saved);
  CHECK(std::equal(rest.readings.begin(), rest.readings.end(), one.readings.begin()));
  const auto &whole = one.reports.at(0), &part = rest.reports.at(0);
  CHECK(std::equal(part.rbegin(), part.rend(), whole.rbegin()));
}

TEST_CASE("schedule: a million pulses are one control") {
  const auto net = load_text(
      "spinet: 1\nduration: 1000 s\npopulations:\n  s: {model: spike_source, size: 1, spikes: [1 s]}\n  n: "
      "{model: lif_delta, size: 1}\nprojections:\n"
      "  p: {from: s, to: n, connect: one_to_one, synapse: {model: spin_valve, u: 0.3, delay: 1 "
      "ms}}\nschedule:\n"
      "  - {at: 0 s, pulse: {amplitude: 1 V, width: 0.5 ms, count: 1000000, period: 1 ms}, to: p}\n"
      "record:\n  weights: {projection: p, variable: u, every: 500 s}\n",
      "test.yaml", builtin());
  CHECK(net.schedule.size() == 1);
  Heard h;
  OneRank one;
  Simulation simulation(net, one);
  simulation.run(&h);
  CHECK(h.frames_of.at(0) == std::vector<float>{0.3f, 0.3f});
}
