// What a network says is what the checked network holds.
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "connect/rule.hpp"
#include "errors/models.hpp"
#include "network/check.hpp"
#include "network/estimate.hpp"
#include "network/graph.hpp"
#include "network/loader.hpp"

#include "spinet/device.hpp"

using namespace spinet;
using Kind_ = Distribution::Kind;

namespace {

Network read(const std::string& body, LoadOptions o = {}) {
  static const auto models = test::test_models();
  try {
    return load_text("spinet: 1\nduration: 1 s\n" + body, "test.yaml", models, o);
  } catch (const InvalidNetwork& e) {
    FAIL(e.rendered);
  }
  return {};
}

const std::string two =
    "populations:\n  a: {model: cell, size: 10}\n  b: {model: cell, size: 20}\n  s: {model: noise, size: "
    "10}\n";

Projection projection(const std::string& text) {
  return read(two + "projections:\n  p: " + text + "\n").projections.at(0);
}

}  // namespace

TEST_CASE("top level keys and their defaults") {
  auto n = read("populations: {a: {model: cell, size: 3}}\n");
  CHECK(n.name == "test");
  CHECK(n.seed == 1);
  CHECK(n.block == 256);
  CHECK(n.seconds_per_tick == 1e-9);
  CHECK(n.duration == 1'000'000'000);
  CHECK(n.delay_resolution == 100'000);
  CHECK(n.source_text.starts_with("spinet: 1"));
  n = read(
      "name: x\nseed: 42\nblock: 4\ntime_resolution: 1 ps\ndelay_resolution: 10 us\npopulations: {a: {model: "
      "cell, size: 3}}\n");
  CHECK(n.name == "x");
  CHECK(n.seed == 42);
  CHECK(n.block == 4);
  CHECK(n.seconds_per_tick == 1e-12);
  CHECK(n.duration == 1'000'000'000'000);
  CHECK(n.delay_resolution == 10'000'000);
}

TEST_CASE("populations get gids in file order, presets, and what they inherit") {
  const auto n = read(
      "parameters: {v: -52 mV}\n"
      "populations:\n"
      "  z: {model: cell, size: 10, params: {tau_m: 0.02 s, v_th: $v, steps: 4}, initial: {V: {uniform: "
      "{low: -70 mV, high: -60 mV}}}}\n"
      "  a: {like: z, size: =2*3, params: {v_th: -49 mV}}\n"
      "  l: {model: cell, size: 2, params: {E_L: [-60 mV, -61 mV]}}\n");
  REQUIRE(n.populations.size() == 3);
  CHECK(n.populations[1].first == 10);
  CHECK(n.populations[1].size == 6);
  CHECK(n.gid_count() == 18);
  const auto& z = n.populations[0].params;
  CHECK(z[0] == Distribution{Kind_::constant, 20});
  CHECK(z[3] == Distribution{Kind_::constant, -52});
  CHECK(z[1] == Distribution{Kind_::constant, 250});
  CHECK(z[8] == Distribution{Kind_::constant, 4});
  CHECK(n.populations[1].params[3].a == -49);
  CHECK(n.populations[1].params[0].a == 20);
  CHECK(n.populations[1].initial.at(0) == Distribution{Kind_::uniform, -70, -60});
  CHECK(n.populations[2].params[2].values == std::vector<double>{-60, -61});
  CHECK(n.populations[2].initial.at(0).a == -65);
}

TEST_CASE(
    "maps may be parameters: of a population, its params and initial values, inherited or not; a "
    "projection") {
  const auto given = read(
      "parameters:\n"
      "  p: {tau_m: 20 ms, v_th: -52 mV}\n"
      "  begin: {V: -66 mV}\n"
      "  whole: {model: cell, size: 4, params: $p}\n"
      "  on: {from: z, to: a, connect: one_to_one, synapse: {model: plain, weight: 2 pA, delay: 1 ms, port: "
      "exc}}\n"
      "populations:\n"
      "  z: {model: cell, size: 4, params: $p, initial: $begin}\n"
      "  a: {like: z, params: {v_th: -49 mV}}\n"
      "  b: $whole\n"
      "  c: {like: b, params: $p}\n"
      "projections: {q: $on}\n");
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(given.populations.at(i).params[0].a == 20);
    CHECK(given.populations[i].params[3].a == (i == 1 ? -49 : -52));
    CHECK(given.populations[i].initial.at(0).a == (i < 2 ? -66 : -65));
  }
  CHECK(given.projections.at(0).targets.at(0) == GidRange{4, 4});
}

TEST_CASE("distributions, their bounds and the range of the field") {
  const auto n = read(
      "populations:\n  a:\n    model: cell\n    size: 4\n    params:\n"
      "      C_m: {normal: {mean: 250 pF, sd: 0.025 nF}}\n"
      "      v_th: {normal: {mean: -50 mV, sd: 1 mV, min: -52 mV, max: -48 mV, clip: true}}\n"
      "      t_ref: {exponential: {mean: 2 ms}}\n"
      "      I_dc: {lognormal: {mean: 10 pA, sd: 5 pA}}\n"
      "      E_L: {normal: {mean: -65 mV, sd: 0 mV}}\n"
      "      share: {constant: 10 %}\n");
  const auto& p = n.populations[0].params;
  CHECK(p[1].kind == Kind_::normal);
  CHECK(p[1].b == 25);
  CHECK(p[1].low > 0);  // never the open end itself
  CHECK(p[1].low < 1e-300);
  CHECK(p[3].low == -52);
  CHECK(p[3].high == -48);
  CHECK(p[3].clip);
  CHECK(p[5].low == 0);
  CHECK(std::isinf(p[5].high));
  const double s2 = std::log(1 + 0.25);
  CHECK(p[6].a == Approx(std::log(10.0) - s2 / 2).epsilon(1e-14));
  CHECK(p[6].b == Approx(std::sqrt(s2)).epsilon(1e-14));
  CHECK(p[2] == Distribution{Kind_::constant, -65});
  CHECK(p[7] == Distribution{Kind_::constant, 0.1});
}

TEST_CASE("rules and their options") {
  auto p = projection(
      "{from: a, to: [a, b], connect: {fixed_indegree: 3, multapses: false}, synapse: {model: plain, weight: "
      "2 nA, delay: 1.5 ms}}");
  CHECK(p.rule->format.name == "fixed_indegree");
  CHECK(p.numbers == std::vector{3.0});
  CHECK_FALSE(p.multapses);
  CHECK(p.autapses);
  CHECK(p.targets == std::vector<GidRange>{{0, 10}, {10, 20}});
  CHECK(p.state.at(0).a == 2000);
  CHECK(p.delay == Distribution{Kind_::constant, 1.5e6});
  p = projection(
      "{from: 'a[2:5]', to: ['b[5:]', 'a[:3]', 'a[7]'], connect: {rule: all_to_all, autapses: false}, "
      "synapse: {model: plain, weight: 1 pA, delay: 0.1 ms}}");
  CHECK(p.rule->format.name == "all_to_all");
  CHECK_FALSE(p.autapses);
  CHECK(p.sources == std::vector<GidRange>{{2, 3}});
  CHECK(p.targets == std::vector<GidRange>{{15, 15}, {0, 3}, {7, 1}});
  CHECK(expected_synapses({}, p) == 3 * 19 - 1);
  p = projection("{from: s, to: a, connect: one_to_one, synapse: {model: plain, weight: 1 pA, delay: 1 ms}}");
  CHECK(p.rule->format.name == "one_to_one");
  p = projection(
      "{from: a, to: b, connect: {pairwise_bernoulli: 10 %}, synapse: {model: plain, weight: 1 pA, delay: 1 "
      "ms}}");
  CHECK(p.numbers == std::vector{0.1});
  p = projection(
      "{from: a, to: b, connect: {fixed_total_number: 1000}, synapse: {model: plain, weight: 1 pA, delay: 1 "
      "ms}}");
  CHECK(p.numbers == std::vector{1000.0});
}

TEST_CASE("positions, connections and delays by distance") {
  const auto n = read(
      "populations:\n"
      "  g: {model: cell, size: 6, positions: {grid: [3, 2], extent: [0.3 mm, 200 um], origin: [1 um, -2 "
      "um], periodic: true}}\n"
      "  r: {model: cell, size: 4, positions: {random: [0.3 mm, 200 um], origin: [1 um, -2 um], periodic: "
      "true}}\n"
      "  l: {model: cell, size: 2, positions: {list: [[0 um, 1 um, 2 um], [4 um, -3 um, 2 um]]}}\n"
      "projections:\n"
      "  p: {from: g, to: r, connect: {distance: {gaussian: {p: 30 %, sigma: 10 um}}}, synapse: {model: "
      "plain, weight: 1 pA, delay: {velocity: 0.1 m/s, offset: 0.2 ms}}}\n"
      "  q: {from: l, to: l, connect: all_to_all, synapse: {model: plain, weight: 1 pA, delay: "
      "{per_distance: 0.4 us/nm}}}\n"
      "  c: {from: g, to: g, connect: {distance: {box: {p: 1, radius: 1 um}}}, synapse: {model: plain, "
      "weight: 1 pA, delay: {velocity: 1 m/s, offset: 1 ms}}}\n");
  const auto& g = n.populations[0].positions;
  CHECK(g.kind == Positions::Kind::grid);
  CHECK(g.grid == std::array<std::uint32_t, 3>{3, 2, 1});
  CHECK(g.extent == std::array<double, 3>{300, 200, 0});
  CHECK(g.origin == std::array<double, 3>{1, -2, 0});
  CHECK(g.periodic);
  CHECK(n.populations[1].positions.kind == Positions::Kind::random);
  const auto& l = n.populations[2].positions;
  CHECK(l.dimensions == 3);
  CHECK(l.origin == std::array<double, 3>{0, -3, 2});
  CHECK(l.extent == std::array<double, 3>{4, 4, 0});
  CHECK(n.projections[0].rule->format.name == "distance");
  CHECK(n.projections[0].numbers == std::vector<double>{0, 0.3, 10, 50});
  CHECK(n.projections[0].delay ==
        Distribution{Kind_::uniform, 2e5, 7e5});  // to the cut-off, 0.01 ms for each um
  REQUIRE(n.projections[0].delay_by_distance);
  CHECK(n.projections[0].delay_by_distance->per_um == Approx(1e4));
  CHECK(n.projections[1].delay.a == 1e5);  // at least one step
  CHECK(n.projections[1].delay.b == Approx(4e5 * std::sqrt(32)));
  CHECK(!n.projections[2].delay_by_distance);  // one step covers them all
  CHECK(n.projections[2].delay == Distribution{Kind_::constant, 1e6});
  CHECK(lookahead(n) == 100'000);
}

TEST_CASE("ports by name, by being the only one, and by the sign of the weights") {
  const auto port = [](const std::string& synapse) {
    return projection("{from: a, to: b, connect: all_to_all, synapse: {model: plain, delay: 1 ms, " +
                      synapse + "}}")
        .port;
  };
  CHECK(port("weight: 1 pA") == 0);
  CHECK(port("weight: -1 pA") == 1);
  CHECK(port("weight: 1 pA, port: inh") == 1);
  CHECK(port("weight: 0 pA, port: inh") == 1);
  CHECK(port("weight: {normal: {mean: -10 pA, sd: 1 pA, max: 0 pA}}") == 1);
  CHECK(port("weight: {normal: {mean: 10 pA, sd: 1 pA, min: 0 pA}}") == 0);
  CHECK(port("weight: {uniform: {low: -2 pA, high: 0 pA}}") == 1);
  CHECK(port("weight: {exponential: {mean: 2 pA}}") == 0);
  CHECK(port("weight: {normal: {mean: 10 pA, sd: 1 pA, min: 0 pA}}, port: inh") == 1);
  const auto n = read(
      "populations: {j: {model: jump, size: 4}, g: {model: gates, size: 4}}\nprojections:\n"
      "  one: {from: j, to: j, connect: one_to_one, synapse: {model: plain, weight: -1 mV, delay: 1 ms}}\n"
      "  named: {from: j, to: g, connect: one_to_one, synapse: {model: plain, weight: 1 pA, delay: 1 ms, "
      "port: exc}}\n");
  CHECK(n.projections[0].port == 0);
  CHECK(n.projections[1].port == 1);
}

TEST_CASE("synapse parameters, also those in the unit of the port") {
  const auto p = projection(
      "{from: a, to: b, connect: all_to_all, synapse: {model: device, weight: 1 pA, delay: 1 ms, tau: 500 "
      "ms, w_max: 1 nA, field_th: 10 mT, trace: {uniform: {low: 0, high: 0.5}}}}");
  CHECK(p.params == std::vector<double>{0.5, 640, 89000, 1000, 100});
  CHECK(p.state.size() == 2);
  CHECK(p.state[1] == Distribution{Kind_::uniform, 0, 0.5});
}

TEST_CASE("delays are ticks") {
  auto p = projection(
      "{from: a, to: b, connect: all_to_all, synapse: {model: plain, weight: 1 pA, delay: {normal: {mean: "
      "1.5 ms, sd: 0.75 ms}}}}");
  CHECK(p.delay.a == 1.5e6);
  CHECK(p.delay.b == 0.75e6);
  CHECK(p.delay.low == 1e5);  // one step, where nothing else is asked for
  p = projection(
      "{from: a, to: b, connect: all_to_all, synapse: {model: plain, weight: 1 pA, delay: {uniform: {low: 1 "
      "ms, high: 2 ms}}}}");
  CHECK(p.delay.a == 1e6);
  CHECK(p.delay.b == 2e6);
  p = projection(
      "{from: a, to: b, connect: all_to_all, synapse: {model: plain, weight: 1 pA, delay: {lognormal: "
      "{median: 1 ms, sigma: 0.5}}}}");
  CHECK(p.delay.a == Approx(std::log(1e6)).epsilon(1e-14));
  CHECK(p.delay.b == 0.5);
}

TEST_CASE("explicit lists, inline and from CSV files") {
  const auto folder = std::filesystem::temp_directory_path() / "spinet_lists";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "plain.csv") << "# comment\n3,5\n0,1\n9,1\n";
  std::ofstream(folder / "full.csv")
      << "target,source,delay [us],weight [nA]\r\n5,3,1500,-0.25\r\n1,0,100,-0.5\r\n";
  LoadOptions o;
  o.data_root = folder;
  const auto n = read(two +
                          "projections:\n"
                          "  rows: {from: a, to: b, connect: {list: [[3, 5, 2 pA, 1 ms], [0, 1, 1 nA, 0.5 "
                          "ms], [9, 1, 3 pA, 2 ms]]}, synapse: {model: plain}}\n"
                          "  plain: {from: a, to: b, connect: {list: plain.csv}, synapse: {model: plain, "
                          "weight: 1 pA, delay: 1 ms}}\n"
                          "  full: {from: a, to: b, connect: {list: full.csv}, synapse: {model: plain}}\n"
                          "  delays: {from: a, to: b, connect: {list: [[0, 0, 2 ms]]}, synapse: {model: "
                          "plain, weight: -1 pA}}\n",
                      o);
  const auto& rows = n.projections[0];
  REQUIRE(rows.edges.size() == 3);
  CHECK(rows.listed_weights);
  CHECK(rows.listed_delays);
  CHECK(rows.edges[0].source == 0);  // by target, then as written
  CHECK(rows.edges[0].weight == 1000);
  CHECK(rows.edges[0].delay == 500'000);
  CHECK(rows.edges[1].source == 9);
  CHECK(rows.edges[2].target == 5);
  CHECK(n.projections[1].edges.size() == 3);
  CHECK_FALSE(n.projections[1].listed_weights);
  const auto& full = n.projections[2];
  CHECK(full.edges[1].weight == -250);
  CHECK(full.edges[1].delay == 1'500'000);
  CHECK(full.port == 1);
  CHECK(shortest_delay(n, full) == 100'000);
  CHECK(n.projections[3].listed_delays);
  CHECK_FALSE(n.projections[3].listed_weights);
  CHECK(n.projections[3].port == 1);
  std::filesystem::remove_all(folder);
}

TEST_CASE("listed spikes, inline, from CSV and from SONATA") {
  const auto folder = std::filesystem::temp_directory_path() / "spinet_spikes";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "s.csv") << "time [s],neuron\n0.002,1\n0.001,1\n0.001,0\n";
  std::ofstream(folder / "s.h5") << "";
  LoadOptions o;
  o.data_root = folder;
  o.read_sonata = [](const std::filesystem::path& f, const std::string& population) {
    CHECK(f.filename() == "s.h5");
    return population == "x" ? std::vector<FileSpike>{{2.5, 1}, {0.1, 0}} : std::vector<FileSpike>{{1, 0}};
  };
  const auto n = read(
      "populations:\n"
      "  one: {model: listed, size: 1, spikes: [2 ms, 1 ms]}\n"
      "  two: {model: listed, size: 2, spikes: [[3 ms], [1 ms, 3 ms]]}\n"
      "  map: {model: listed, size: 5, spikes: {4: [1 us]}}\n"
      "  csv: {model: listed, size: 2, spikes: s.csv}\n"
      "  h5: {model: listed, size: 2, spikes: {file: s.h5, population: x}}\n"
      "  own: {model: listed, size: 2, spikes: s.h5}\n",
      o);
  const auto is = [&](std::size_t p, std::vector<std::pair<Tick, std::uint32_t>> expected) {
    REQUIRE(n.populations[p].listed.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      CHECK(n.populations[p].listed[i].tick == expected[i].first);
      CHECK(n.populations[p].listed[i].index == expected[i].second);
    }
  };
  is(0, {{1'000'000, 0}, {2'000'000, 0}});
  is(1, {{1'000'000, 1}, {3'000'000, 0}, {3'000'000, 1}});
  is(2, {{1'000, 4}});
  is(3, {{1'000'000, 0}, {1'000'000, 1}, {2'000'000, 1}});
  is(4, {{100'000, 0}, {2'500'000, 1}});
  is(5, {{1'000'000, 0}});
  std::filesystem::remove_all(folder);
}

TEST_CASE("the schedule is in time order") {
  const auto n = read(two +
                      "projections:\n  p: {from: a, to: a, connect: one_to_one, synapse: {model: device, "
                      "weight: 1 pA, delay: 1 ms}}\n"
                      "schedule:\n"
                      "  - {at: 5 ms, set: {a: {I_dc: 0.3 nA}, s: {rate: 10 kHz}, p: {g_max: 90 uS}}}\n"
                      "  - {at: 1 ms, field: 90 Oe, to: [p, 'b[0:5]']}\n"
                      "  - {at: 5 ms, reward: -0.5}\n"
                      "  - {at: 2 ms, field: {state: antiparallel}}\n");
  REQUIRE(n.schedule.size() == 6);
  CHECK(n.schedule[0].tick == 1'000'000);
  CHECK(n.schedule[0].stimulus->name == std::string("field"));
  CHECK(n.schedule[0].value[0] == 90e-4);
  CHECK(n.schedule[0].to.places == std::vector<Place>{WholeProjection{0}, GidRange{10, 5}});
  CHECK(static_cast<device::Magnetic>(n.schedule[1].value[1]) == device::antiparallel);
  CHECK(n.schedule[2].sets());
  CHECK(n.schedule[2].field == 6);
  CHECK(n.schedule[2].value[0] == 300);
  CHECK(n.schedule[2].to.places == std::vector<Place>{GidRange{0, 10}});
  CHECK(n.schedule[3].value[0] == 10'000);
  CHECK(n.schedule[4].value[0] == 90'000);
  CHECK(!n.schedule[4].to.names_neurons());
  CHECK(n.schedule[5].stimulus->name == std::string("reward"));
  CHECK(n.schedule[5].value[0] == -0.5);
}

TEST_CASE("what is recorded") {
  auto n = read(
      two +
      "projections:\n  p: {from: a, to: a, connect: one_to_one, synapse: {model: plain, weight: 1 pA, delay: "
      "1 ms}}\n"
      "record:\n"
      "  spikes: [a, {population: b, ids: [7, 0..2], from: 10 ms, to: 20 ms}, {population: s, every: 4}]\n"
      "  reports:\n"
      "    - {population: a, variable: V, every: 0.5 ms}\n"
      "    - {population: 'b[10:20]', variable: I_syn, every: 1 ms, ids: {every: 4, from: 1}, name: i, from: "
      "5 ms}\n"
      "  edges: [p]\n");
  REQUIRE(n.spikes.size() == 3);
  CHECK(n.spikes[0].ids.empty());
  CHECK(n.spikes[0].to == never);
  CHECK(n.spikes[1].ids == std::vector<std::uint32_t>{0, 1, 2, 7});
  CHECK(n.spikes[1].from == 10'000'000);
  CHECK(n.spikes[1].to == 20'000'000);
  CHECK(n.spikes[2].ids == std::vector<std::uint32_t>{0, 4, 8});
  REQUIRE(n.reports.size() == 2);
  CHECK(n.reports[0].name == "a_V");
  CHECK(n.reports[0].ids.size() == 10);
  CHECK(n.reports[0].every == 500'000);
  CHECK(n.reports[1].ids == std::vector<std::uint32_t>{11, 15, 19});
  CHECK(n.reports[1].variable == 1);
  CHECK(n.reports[1].from == 5'000'000);
  CHECK(n.edge_recordings == std::vector<std::uint32_t>{0});
  n = read(two + "record: {spikes: all}\n");
  CHECK(n.spikes.size() == 3);
}

TEST_CASE("overrides replace values and are kept for provenance") {
  LoadOptions o;
  o.overrides = {{"parameters.n", "7"},
                 {"duration", "200 ms"},
                 {"seed", "9"},
                 {"populations.a.params.tau_m", "=2*5 ms"},
                 {"record.spikes", "[a]"}};
  const auto n = read("parameters: {n: 5}\npopulations: {a: {model: cell, size: $n}}\n", o);
  CHECK(n.populations[0].size == 7);
  CHECK(n.duration == 200'000'000);
  CHECK(n.seed == 9);
  CHECK(n.populations[0].params[0].a == 10);
  CHECK(n.spikes.size() == 1);
  CHECK(n.overrides == std::vector<std::string>{"parameters.n=7", "duration=200 ms", "seed=9",
                                                "populations.a.params.tau_m==2*5 ms", "record.spikes=[a]"});
}

TEST_CASE("lookahead, components, recurrence and the drawing") {
  const auto n = read(
      "populations:\n  a: {model: cell, size: 10}\n  b: {model: cell, size: 10}\n  c: {model: cell, size: "
      "10}\n  s: {model: noise, size: 10}\nprojections:\n"
      "  drive: {from: s, to: a, connect: one_to_one, synapse: {model: plain, weight: 1 pA, delay: 0.7 ms}}\n"
      "  ab: {from: a, to: b, connect: all_to_all, synapse: {model: plain, weight: 1 pA, delay: {normal: "
      "{mean: 1.5 ms, sd: 0.5 ms, min: 0.34 ms}}}}\n"
      "  ba: {from: b, to: a, connect: all_to_all, synapse: {model: plain, weight: -1 pA, delay: 1 ms}}\n"
      "  none: {from: a, to: a, connect: {fixed_indegree: 0}, synapse: {model: plain, weight: 1 pA, delay: "
      "0.1 ms}}\n");
  CHECK(shortest_delay(n, n.projections[1]) == 300'000);  // 0.34 ms is rounded to the step
  CHECK(lookahead(n) == 300'000);
  CHECK(components(n) == std::vector<std::uint32_t>{0, 0, 1, 0});
  CHECK(recurrent(n) == std::vector<bool>{true, true, false, false});
  const auto d = dot(n);
  CHECK(d.find("s\\n10 x noise") != std::string::npos);
  CHECK(d.find("3->0 [label=\"drive") != std::string::npos);
  CHECK(d.find("1->0 [label=\"ba\\nplain, all to all\\n1 ms\", arrowhead=dot]") != std::string::npos);
}

TEST_CASE(
    "a parameter that is set to one value again and again is one control, unless something else sets it") {
  const std::string head =
      "populations:\n  a: {model: cell, size: 2}\n  n: {model: noise, size: 2}\nschedule:\n";
  const auto often = read(head +
                          "  - {at: 0 ms, set: {n: {rate: 10 Hz}, a: {I_dc: 2 pA}}, repeat: {every: 10 ns, "
                          "count: 100000001}}\n  - {at: 0 ms, set: {a: {share: 0.25}}}\n");
  REQUIRE(often.schedule.size() == 3);
  for (const auto& c : often.schedule) CHECK((c.tick == 0 && c.count == 1));
  const auto contested = read(head +
                              "  - {at: 0 ms, set: {a: {I_dc: 2 pA}}, repeat: {every: 10 ms, count: 4}}\n  - "
                              "{at: 10 ms, set: {a: {I_dc: 3 pA}}}\n");
  REQUIRE(contested.schedule.size() == 2);
  CHECK(contested.schedule[0].count == 4);
  CHECK(contested.schedule[0].value[0] == 2);
  CHECK(contested.schedule[1].value[0] == 3);
}

TEST_CASE("the estimate") {
  const auto n = read(
      "populations:\n  a: {model: cell, size: 1000}\n  s: {model: noise, size: 1000}\nprojections:\n"
      "  drive: {from: s, to: a, connect: one_to_one, synapse: {model: plain, weight: 1 pA, delay: 1 ms}}\n"
      "  aa: {from: a, to: a, connect: {fixed_indegree: 100}, synapse: {model: plain, weight: 1 pA, delay: 2 "
      "ms}}\n"
      "record:\n  spikes: [a]\n  edges: [aa]\n  reports: [{population: a, variable: V, every: 1 ms, ids: [0, "
      "1]}]\n");
  const auto e = estimate(n);
  CHECK(e.neurons == 1000);
  CHECK(e.sources == 1000);
  CHECK(e.synapses == 100'000);
  CHECK(e.superposed == 1000);
  CHECK(e.lookahead == 1'000'000);
  CHECK(e.windows_per_second == Approx(1000));
  CHECK(e.mean_slice == Approx(100).epsilon(0.01));  // one block of targets, one delay: the fan-out
  CHECK(e.memory.shared > 500'000);
  CHECK(e.memory.shared < 2'000'000);
  CHECK(e.memory.of_rank(1, 4) == e.memory.every_rank + e.memory.shared / 4);
  CHECK(e.report_bytes == 1000 * 2 * 4);
  CHECK(e.spike_bytes_per_hz == Approx(16 * 1000));
  const auto text = describe(n, e);
  CHECK(text.find("lookahead   1 ms") != std::string::npos);
  CHECK(text.find("mean slice  100 synapses") != std::string::npos);
  CHECK(readable_bytes(999) == "999 bytes");
  CHECK(readable_bytes(1000) == "1 kB");
  CHECK(readable_bytes(3.24e9) == "3.24 GB");
}

TEST_CASE("the check of a finished network finds what is broken") {
  const auto good = read(two +
                         "projections:\n  p: {from: a, to: b, connect: {fixed_indegree: 3}, synapse: {model: "
                         "plain, weight: 1 pA, delay: 1 ms}}\nrecord: {spikes: [a]}\n");
  CHECK(first_fault(good).empty());
  const auto broken = [&](auto&& change) {
    Network n = good;
    change(n);
    return !first_fault(n).empty();
  };
  CHECK(broken([](Network& n) { n.duration = 0; }));
  CHECK(broken([](Network& n) { n.populations[1].first = 5; }));
  CHECK(broken([](Network& n) { n.populations[0].model = nullptr; }));
  CHECK(broken([](Network& n) { n.populations[0].params[0].a = -1; }));
  CHECK(broken([](Network& n) { n.populations[0].params.pop_back(); }));
  CHECK(broken([](Network& n) { n.populations[0].initial.clear(); }));
  CHECK(broken([](Network& n) { n.projections[0].targets[0].count = 21; }));
  CHECK(broken([](Network& n) { n.projections[0].targets = {{30, 10}}; }));  // the source population
  CHECK(broken([](Network& n) { n.projections[0].port = 3; }));
  CHECK(broken([](Network& n) { n.projections[0].delay.a = 0; }));
  CHECK(broken([](Network& n) { n.projections[0].delay.a = 150'000; }));
  CHECK(broken([](Network& n) { n.projections[0].state[0].a = NAN; }));
  CHECK(broken([](Network& n) { n.projections[0].synapse = nullptr; }));
  CHECK(broken([](Network& n) { n.spikes[0].population = 3; }));
  CHECK(broken([](Network& n) { n.spikes[0].ids = {10}; }));
}
