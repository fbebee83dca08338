// Whom a stimulus reaches: rows, columns and pairs of a projection, on any ranks, in blocks of both kinds.
#include <catch2/catch.hpp>

#include <ctime>

#include "spinet/device.hpp"
#include "support/network_builder.hpp"
#include "support/on_ranks.hpp"
#include "support/run.hpp"
#include "support/test_models.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {

/// Counts what it has heard.
struct Counted {
  static constexpr const char* name = "test_counted";
  static constexpr const char* doc = "Adds up notes.";
  static constexpr Stimulus stimuli[] = {test::note};
  struct Params {};
  struct State {
    float heard;
  };
  static auto params() { return FieldTable<Params>{}; }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::heard, "heard", "1", 0, any(), initial, "sum of the notes");
    return t;
  }
  static Sign sign(const Params&) { return Sign::positive; }
  static float weight(State&, const Nothing&, const Slice&) { return 0; }
  static void on_control(Synapses<Counted> s, const Control& c) {
    for (std::uint32_t i = 0; i < s.size(); ++i) s[i].heard += static_cast<float>(c.value[0]);
  }
};

/// An environment that addresses the synapses which it drives, once each in all ways.
struct Pulser {
  static constexpr const char* name = "test_pulser";
  static constexpr const char* doc = "Posts notes to rows, columns and pairs.";
  static constexpr std::uint32_t environment = 1;
  static constexpr Stimulus posts[] = {test::note};
  static constexpr Port ports[] = {{"in", "1", "nothing", 0, 0}};
  struct Params {
    double wrong;
  };
  struct State {
    double wrong;
  };
  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::wrong, "wrong", "1", 0, between(0, 1), 0, "1: addresses what is not there");
    return t;
  }
  static auto variables() { return FieldTable<State>{}; }
  static void init(Neurons<Pulser> n, std::uint32_t j, const Params& p, const double*) {
    n.state(j).wrong = p.wrong;
    if (j == 0) n.out().wake_at(1'000'000, 0);
  }
  static void arrive(Neurons<Pulser>, Tick, std::uint32_t, std::uint32_t, double) {}
  static void wake(Neurons<Pulser> n, Tick tick, std::span<const std::uint32_t>) {
    using To = PostedTo::Kind;
    const DrivenSize size = n.b.driven[1];
    const std::uint32_t last = size.sources - 1 + (n.state(0).wrong != 0);
    n.out().post(tick + 1'000'000, {0, 0, {1}}, {To::row, 1, last, 0});
    n.out().post(tick + 1'000'000, {0, 0, {10}}, {To::column, 1, 0, size.targets - 1});
    n.out().post(tick + 2'000'000, {0, 0, {100}}, {To::pair, 1, 0, 1});
    n.out().post(tick + 3'000'000, {0, 0, {1000}}, {To::projection, 1, 0, 0});
    n.out().post(tick + 3'000'000, {0, 0, {10000}});
  }
  static double read(Neurons<Pulser>, Tick, std::uint32_t, std::uint32_t) { return 0; }
};

constexpr std::uint32_t rows = 6, columns = 10;

/// Sources of two populations, targets of two, several synapses of some pairs and delays.
NetworkBuilder crossbar() {
  NetworkBuilder b(ms(20));
  const auto a = b.add("lif_delta", rows - 2), c = b.add("lif_delta", columns - 3), d = b.add("lif_delta", 5);
  auto& p = b.connect(a, c, Rule::all_to_all, SynapsesOf{synapse_table<Counted>(), {}}, ms(1));
  p.sources = {b.range(a), {b.first(d), 2}};
  p.targets = {b.range(c), {b.first(d) + 2, 3}};
  b.connect(a, c, Rule::all_to_all, SynapsesOf{synapse_table<Counted>(), {}}, ms(1));  // hears nothing
  b.record_weights(0, ms(1), ms(19));
  b.record_weights(1, ms(1), ms(19));
  return b;
}

/// What each synapse has heard, by target, then source.
std::vector<float> heard(const Network& net) {
  auto one = run(net).recorder;
  for (const int ranks : {2, 3}) {
    auto other = on_ranks(net, ranks);
    REQUIRE(other.weights_of(0) == one.weights_of(0));
  }
  for (const float x : one.weights_of(1)) REQUIRE(x == 0);
  return one.weights_of(0);
}

}  // namespace

TEST_CASE("addresses: rows, columns and pairs reach their synapses and no others") {
  NetworkBuilder b = crossbar();
  b.at(ms(1), note, {1}, {Row{0, 5}});
  b.at(ms(2), note, {10}, {Column{0, 8}});
  b.at(ms(3), note, {100}, {Pairs{0, {{0, 0}, {5, 9}, {2, 7}}}});
  b.at(ms(4), note, {1000}, {Row{0, 1}, Column{0, 2}});
  b.at(ms(5), note, {10000}, {WholeProjection{0}});
  const auto got = heard(b.network());
  REQUIRE(got.size() == rows * columns);
  for (std::uint32_t t = 0; t < columns; ++t)
    for (std::uint32_t s = 0; s < rows; ++s) {
      const bool pair = (s == 0 && t == 0) || (s == 5 && t == 9) || (s == 2 && t == 7);
      INFO(s << " " << t);
      CHECK(got[t * rows + s] ==
            10000 + (s == 5) + 10 * (t == 8) + 100 * pair + 1000 * ((s == 1) + (t == 2)));
    }
}

TEST_CASE("addresses: environments address the projections that they drive") {
  NetworkBuilder b(ms(20));
  const auto a = b.add("lif_delta", 3), c = b.add("lif_delta", 4);
  const auto judge = b.add(neuron_table<Pulser>().model, 2);
  b.connect(a, c, Rule::all_to_all, SynapsesOf{synapse_table<Counted>(), {}}, ms(1));
  b.connect(a, c, Rule::all_to_all, SynapsesOf{synapse_table<Counted>(), {}}, ms(1));
  b.connect(a, c, Rule::all_to_all, SynapsesOf{synapse_table<Counted>(), {}}, ms(1));
  b.network().populations[judge].drives = {2, 0};
  b.record_weights(0, ms(1), ms(19));
  b.record_weights(2, ms(1), ms(19));
  for (const int ranks : {1, 3}) {
    auto got = on_ranks(b.network(), ranks);
    for (const float x : got.weights_of(1)) CHECK(x == 10000);
    const auto& all = got.weights_of(0);
    REQUIRE(all.size() == 12);
    for (std::uint32_t t = 0; t < 4; ++t)
      for (std::uint32_t s = 0; s < 3; ++s)
        CHECK(all[t * 3 + s] == 11000 + (s == 2) + 10 * (t == 3) + 100 * (s == 0 && t == 1));
  }
  b.network().populations[judge].params[0].a = 1;
  CHECK_THROWS_WITH(on_ranks(b.network(), 1),
                    Catch::Contains("addresses what it posts to source 3 of the 3 of 'c0'"));
}

TEST_CASE("addresses: several synapses of a pair, and delays, are one row and one column") {
  NetworkBuilder b(ms(20));
  const auto a = b.add("lif_delta", 3), c = b.add("lif_delta", 4);
  auto& p = b.connect(
      a, c, {{0, 1, 0, ms(1)}, {0, 1, 0, ms(1)}, {0, 1, 0, ms(2)}, {2, 1, 0, ms(3)}, {2, 3, 0, ms(3)}});
  p.synapse = &synapse_table<Counted>();
  p.listed_weights = false;
  p.state = {Value(0).d};
  b.record_weights(0, ms(1), ms(19));
  b.at(ms(5), note, {1}, {Row{0, 0}});
  b.at(ms(6), note, {10}, {Column{0, 1}});
  b.at(ms(7), note, {100}, {Pairs{0, {{0, 1}}}});
  b.at(ms(8), note, {1000}, {Row{0, 1}, Column{0, 0}});  // nobody
  const auto got = run(b.network()).recorder.weights_of(0);
  CHECK(got == std::vector<float>{111, 111, 111, 10, 0});
}

TEST_CASE("addresses: a row and a column of a large array cost what they hold", "[.][bench]") {
  constexpr std::uint32_t n = 512, times = 2000;
  double seconds[2];
  OneRank one;
  for (const bool acts : {false, true}) {
    NetworkBuilder b(ms(0.01) * (times + 10));
    const auto a = b.add("lif_delta", n), c = b.add("lif_delta", n);
    b.connect(a, c, Rule::all_to_all, SynapsesOf{synapse_table<Counted>(), {}}, ms(1));
    ScheduledControl& e = b.at(0, note, {1}, {Row{0, 17}, Column{0, 400}});
    e.every = ms(0.01);
    e.count = acts ? times : 1;
    Simulation simulation(b.network(), one);
    const std::clock_t begin = std::clock();  // of this process: others may be at work, too
    simulation.run(nullptr);
    seconds[acts] = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  }
  const double each = (seconds[1] - seconds[0]) / times * 1e6;
  WARN("a row and a column of " << n << " x " << n << ": " << each << " us");
  CHECK(each < 20);
}
