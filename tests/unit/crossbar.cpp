// What the devices of a crossbar feel of a pulse, against the potentials of their lines.
#include <catch2/catch.hpp>

#include <ctime>
#include <random>

#include "network/extended.hpp"
#include "spinet/device.hpp"
#include "support/network_builder.hpp"
#include "support/on_ranks.hpp"
#include "support/run.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {

constexpr Field volts_values[] = {stimulus_value("voltage", "V", "between row and column"),
                                  stimulus_value("times", "1", "counted by whom it reaches")};
constexpr Stimulus volts = stimulus("volts", "feel voltages", "a voltage", volts_values, wired);

/// Adds up what it feels, and how often.
struct Felt {
  static constexpr const char* name = "test_felt";
  static constexpr const char* doc = "Adds up voltages.";
  static constexpr Stimulus stimuli[] = {volts};
  struct Params {};
  struct State {
    float sum, times;
  };
  static auto params() { return FieldTable<Params>{}; }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::sum, "sum", "1", 0, any(), initial, "of the voltages")
        .add(&State::times, "times", "1", 0, any(), 0, "how often");
    return t;
  }
  static Sign sign(const Params&) { return Sign::positive; }
  static float weight(State&, const Nothing&, const Slice&) { return 0; }
  static void init(State& s, const Nothing&) { s.times = 0; }
  static void on_control(Synapses<Felt> s, const Control& c) {
    for (std::uint32_t i = 0; i < s.size(); ++i) {
      s[i].sum += static_cast<float>(c.value[0]);
      s[i].times += static_cast<float>(c.value[1]);
    }
  }
};

/// An environment that puts 6 V on the row, column, pair or all of the first projection that it drives.
struct Programmer {
  static constexpr const char* name = "test_programmer";
  static constexpr const char* doc = "Posts voltages.";
  static constexpr std::uint32_t environment = 1;
  static constexpr Stimulus posts[] = {volts};
  static constexpr Port ports[] = {{"in", "1", "nothing", 0, 0}};
  struct Params {
    double kind;
  };
  struct State {
    double kind;
  };
  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::kind, "kind", "1", 0, any(), 0, "whom");
    return t;
  }
  static auto variables() { return FieldTable<State>{}; }
  static void init(Neurons<Programmer> n, std::uint32_t j, const Params& p, const double*) {
    n.state(j).kind = p.kind;
    if (j == 0) n.out().wake_at(1'000'000, 0);
  }
  static void arrive(Neurons<Programmer>, Tick, std::uint32_t, std::uint32_t, double) {}
  static void wake(Neurons<Programmer> n, Tick tick, std::span<const std::uint32_t>) {
    const auto kind = static_cast<PostedTo::Kind>(n.state(0).kind);
    n.out().post(tick + 1'000'000, {0, 0, {6, 1}}, {kind, 0, 2, 1});
  }
  static double read(Neurons<Programmer>, Tick, std::uint32_t, std::uint32_t) { return 0; }
};

constexpr std::uint32_t rows = 7, columns = 11;

/// Sources of two populations, not in the order of their gids; targets of two.
NetworkBuilder array_of(const SynapseTable& model, const Values& values, Scheme scheme) {
  NetworkBuilder b(ms(20));
  const auto a = b.add("lif_delta", rows - 2), c = b.add("lif_delta", columns - 3), d = b.add("lif_delta", 5);
  auto& p = b.connect(a, c, Rule::all_to_all, SynapsesOf{model, values}, ms(1));
  p.sources = {{b.first(d), 2}, b.range(a)};
  p.targets = {b.range(c), {b.first(d) + 2, 3}};
  p.crossbar = scheme;
  p.extended = extended(model, p.params);  // where energy is counted, say
  if (p.extended) p.synapse = &p.extended->table();
  return b;
}

bool among(const std::vector<std::uint32_t>& some, std::uint32_t i) {
  return some.empty() || std::count(some.begin(), some.end(), i);
}

/// The voltage on a device, as the difference of the potentials of its row and its column.
double across_device(const CrossPoints& at, std::uint32_t row, std::uint32_t column, double V) {
  const bool r = among(at.rows, row), c = among(at.columns, column);
  if (at.scheme == Scheme::none) return r && c ? V : 0;
  if (at.scheme == Scheme::half) return (r ? V / 2 : 0) - (c ? -V / 2 : 0);
  return (r ? V : V / 3) - (c ? 0 : 2 * V / 3);
}

std::vector<std::uint32_t> some_of(std::uint32_t n, std::mt19937& random) {
  std::vector<std::uint32_t> some;
  const bool one = random() % 2;
  for (std::uint32_t i = 0; i < n; ++i)
    if (!one && random() % 3 == 0) some.push_back(i);
  if (one) some.push_back(random() % n);
  return some;
}

}  // namespace

TEST_CASE("crossbar: devices feel the difference of the potentials of their row and column, once") {
  std::mt19937 random(1);
  for (int trial = 0; trial < 40; ++trial) {
    NetworkBuilder b = array_of(synapse_table<Felt>(), {}, Scheme::half);
    b.network().block = trial % 3 == 0 ? 1 : trial % 3 == 1 ? 4 : 256;
    std::vector<CrossPoints> all;
    for (int k = 0; k < 3; ++k) {
      all.push_back({0, some_of(rows, random), some_of(columns, random), static_cast<Scheme>(random() % 3)});
      b.at(ms(1 + k), volts, {6.0 * (k + 1), 1}, {all.back()});
    }
    b.record_weights(0, ms(1), ms(19), 0);
    b.record_weights(0, ms(1), ms(19), 1);
    auto one = run(b.network()).recorder;
    for (const int ranks : {2, 3}) {
      auto other = on_ranks(b.network(), ranks);
      REQUIRE(other.weights_of(0) == one.weights_of(0));
      REQUIRE(other.weights_of(1) == one.weights_of(1));
    }
    for (std::uint32_t t = 0; t < columns; ++t)
      for (std::uint32_t s = 0; s < rows; ++s) {
        double sum = 0, times = 0;
        for (std::size_t k = 0; k < all.size(); ++k) {
          const double V = across_device(all[k], s, t, 6.0 * static_cast<double>(k + 1));
          sum += V;
          times += V != 0;
        }
        INFO(trial << ": " << s << " " << t);
        REQUIRE(one.weights_of(0)[t * rows + s] == static_cast<float>(sum));
        REQUIRE(one.weights_of(1)[t * rows + s] == static_cast<float>(times));
      }
  }
}

TEST_CASE("crossbar: what environments post disturbs the others of row and column, too") {
  for (const Scheme scheme : {Scheme::none, Scheme::half, Scheme::third})
    for (const auto kind :
         {PostedTo::Kind::row, PostedTo::Kind::column, PostedTo::Kind::pair, PostedTo::Kind::projection}) {
      NetworkBuilder b = array_of(synapse_table<Felt>(), {}, scheme);
      const auto judge = b.add(neuron_table<Programmer>().model, 1, {{"kind", static_cast<double>(kind)}});
      b.network().populations[judge].drives = {0};
      b.record_weights(0, ms(1), ms(19));
      CrossPoints at{0, {2}, {1}, scheme};
      if (kind == PostedTo::Kind::column || kind == PostedTo::Kind::projection) at.rows.clear();
      if (kind == PostedTo::Kind::row || kind == PostedTo::Kind::projection) at.columns.clear();
      auto got = on_ranks(b.network(), 2);
      for (std::uint32_t t = 0; t < columns; ++t)
        for (std::uint32_t s = 0; s < rows; ++s)
          REQUIRE(got.weights_of(0)[t * rows + s] == static_cast<float>(across_device(at, s, t, 6)));
    }
}

TEST_CASE("crossbar: a device that is half selected is in the state that V/2 would have left") {
  const auto& valve = *reinterpret_cast<const SynapseTable*>(builtin().find(Kind::synapse, "spin_valve"));
  const Stimulus& pulse = valve.model.stimuli[0];
  const auto states = [&](double V, bool apart, double noise) {
    NetworkBuilder b = array_of(valve, {{"u", 0.4}, {"energy", 1}, {"cycle_noise", noise}}, Scheme::half);
    if (!apart) {
      b.at(ms(1), pulse, {V, 1e-3}, {CrossPoints{0, {3}, {5}, Scheme::half}});
    } else {
      Pairs half{0, {}};
      for (std::uint32_t t = 0; t < columns; ++t)
        for (std::uint32_t s = 0; s < rows; ++s)
          if ((s == 3) != (t == 5)) half.synapses.push_back({s, t});
      b.at(ms(1), pulse, {V, 1e-3}, {Pairs{0, {{3, 5}}}});
      b.at(ms(1), pulse, {V / 2, 1e-3}, {half});
    }
    b.record_weights(0, ms(1), ms(19), 1);  // u
    b.record_weights(0, ms(1), ms(19), 7);  // energy
    auto one = run(b.network()).recorder;
    auto two = on_ranks(b.network(), 3);
    REQUIRE(one.same_samples(two));
    return std::pair(one.weights_of(0), one.weights_of(1));
  };
  CHECK(states(4, false, 0) == states(4, true, 0));
  CHECK(states(-2.4, false, 0) == states(-2.4, true, 0));
  const auto [u, energy] = states(2.4, false, 0);  // V/2 is no more than the threshold
  const float before = 0.4F;
  for (std::uint32_t t = 0; t < columns; ++t)
    for (std::uint32_t s = 0; s < rows; ++s) {
      CHECK((u[t * rows + s] == before) == !(s == 3 && t == 5));
      CHECK((energy[t * rows + s] > 0) == (s == 3 || t == 5));  // it costs all of them something
    }
  const auto noisy = states(4, false, 0.2);
  CHECK(noisy.first != states(4, false, 0).first);
}

TEST_CASE("crossbar: a V/2 pulse on 512 x 512 devices", "[.][bench]") {
  constexpr std::uint32_t n = 512, times = 2000;
  OneRank one;
  const auto seconds = [&](double V, std::uint32_t count) {
    NetworkBuilder b(ms(0.01) * (times + 10));
    const auto a = b.add("lif_delta", n), c = b.add("lif_delta", n);
    b.network().block = 256;
    auto& p = b.connect(a, c, Rule::all_to_all, SynapsesOf{"spin_valve", {{"u", 0.5}}}, ms(1));
    p.crossbar = Scheme::half;
    ScheduledControl& e =
        b.at(0, p.synapse->model.stimuli[0], {V, 1e-6}, {CrossPoints{0, {17}, {400}, Scheme::half}});
    e.every = ms(0.01);
    e.count = count;
    Simulation simulation(b.network(), one);
    const std::clock_t begin = std::clock();  // of this process: others may be at work, too
    simulation.run(nullptr);
    return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  };
  const double nothing = seconds(2.4, 1);
  const double below = (seconds(2.4, times) - nothing) / times * 1e6,
               beyond = (seconds(4, times) - nothing) / times * 1e6;
  WARN("a V/2 pulse on " << n << " x " << n << ": " << below << " us, and " << beyond
                         << " us where the halves are beyond the threshold, too");
  CHECK(below < 50);
}
