// The update that spin valves write themselves: against the device's closed forms, and in the XOR network
// with noise.
#include <catch2/catch.hpp>

#include <cmath>

#include "comm/loopback.hpp"
#include "network/loader.hpp"
#include "support/memory_checkpoints.hpp"
#include "support/network_builder.hpp"
#include "support/run.hpp"
#include "support/synapses_on_bench.hpp"

#include "spinet/reward.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {

const SynapseTable& rule() {
  return *reinterpret_cast<const SynapseTable*>(builtin().find(Kind::synapse, "reward_spin_valve"));
}
/// One synapse on a neuron whose `gradient` is 1.
struct Synapse : SynapsesOnBench {
  explicit Synapse(const Given& given = {}, std::uint32_t seed = 1)
      : SynapsesOnBench(
            "reward_spin_valve", given,
            {.seed = seed, .delay = 1, .target_variable = [](Tick, std::uint32_t, std::uint32_t) noexcept {
               return 1.0;
             }}) {}
  /// A presentation of eligibility 1, and its reward: D += change (at rate 1).
  Synapse& reward(double change) {
    now += 1000;
    spike();
    control(spinet::reward, change);
    return *this;
  }
  Synapse& batch_end() {
    now += 1000;
    control(spinet::batch_end, 0);
    return *this;
  }
};

/// The same in the formulas of the device, presets in uS, V, 1/s.
struct Expected {
  bool linear;
  double w_max = 10, V_up = 2.5, V_down = -2.35, gain = 1, Gmin = 0.64, Gmax = 89, Gth = 1.13;
  double u = 0.5, u2 = 0.5;
  double G(double x) const { return linear ? Gmin + (Gmax - Gmin) * x : Gmin * std::pow(Gmax / Gmin, x); }
  double k(double V) const {
    const double k0 = linear ? (V > 0 ? 0.00899170682612663 : 0.1494241554400564)
                             : (V > 0 ? 0.03361502037278161 : 0.04834264485317148);
    return k0 * (std::exp((std::abs(V) - 1.2) / 0.25) - 1);
  }
  double boost(double g) const { return g > Gth ? g * 0.25 * std::pow((g - Gth) / (Gmax - Gth), 0.75) : 0; }
  void write(double D) {
    const double u_th = linear ? (Gth - Gmin) / (Gmax - Gmin) : std::log(Gth / Gmin) / std::log(Gmax / Gmin);
    const double held =
        1 -
        std::pow(1 - u_th, std::abs(D) / 0.4);  // a pulse |D|/0.4 times as long as the one that reaches G_th
    const double per_unit = (Gth - Gmin) / 0.4,
                 unit = 0.25 * std::pow(per_unit, 1.75) / std::pow(Gmax - Gth, 0.75);
    const double slope = linear ? Gmax - Gmin : G(0.5) * std::log(Gmax / Gmin);
    const double t = gain * boost(G(held)) / unit / (w_max / Gmax * slope * (k(V_up) + k(V_down)) / 2);
    double& up = D > 0 ? u : u2;
    double& down = D > 0 ? u2 : u;
    up += (1 - up) * (1 - std::exp(-k(V_up) * t));
    down *= std::exp(-k(V_down) * t);
  }
  double weight() const { return w_max * (G(u) - G(u2)) / Gmax; }
};

struct Listener : Recorder {
  void spikes(std::span<const Spike> s) override { heard.insert(heard.end(), s.begin(), s.end()); }
  void frames(std::uint32_t, std::span<const float>) override {}
  void weights(std::uint32_t, std::span<const float> v) override {
    sampled.insert(sampled.end(), v.begin(), v.end());
  }
  void edges(std::uint32_t, std::span<const Edge>) override {}
  void metrics(std::uint32_t, Tick, std::span<const double> v) override {
    rewards.insert(rewards.end(), v.begin(), v.end());
  }
  void commit(Tick) override {}
  std::vector<Spike> heard;
  std::vector<float> sampled;
  std::vector<double> rewards;
  bool operator==(const Listener& o) const {
    return heard == o.heard && sampled == o.sampled && rewards == o.rewards;
  }
};

Network device_network(std::vector<std::pair<std::string, std::string>> overrides) {
  LoadOptions options;
  options.overrides = std::move(overrides);
  auto net = load(std::string(NETWORKS) + "/actor_critic_xor/device.yaml", builtin(), options);
  record_all(net);
  return net;
}

}  // namespace

TEST_CASE("reward_spin_valve: the weight is what the device's closed forms give, in both maps") {
  for (const bool linear : {false, true})
    for (const double w_max : {10.0, 40.0}) {
      Synapse s({{"linear", linear}, {"w_max", w_max}, {"V_down", -2.0}});
      Expected e{linear, w_max, 2.5, -2.0};
      for (const double D : {0.9, -2.5, 0.41, 3.0, -0.7, 5.0, -0.2}) {
        s.reward(0.75 * D).reward(0.25 * D).batch_end();
        e.write(D);
        CHECK(s("change") == 0);
        CHECK(s("u") == Approx(e.u).epsilon(1e-12));
        CHECK(s("u2") == Approx(e.u2).epsilon(1e-12).margin(1e-15));
        CHECK(s("weight") == Approx(e.weight()).epsilon(1e-11).margin(1e-12));
        CHECK(s.spike() == s("weight"));
      }
    }
}

TEST_CASE(
    "reward_spin_valve: a change up to the threshold writes nothing, a larger one about its power 7/4") {
  Synapse s({{"linear", 1}, {"w_max", 1e4}, {"V_down", -1.82}});
  for (const double D : {0.399, -0.399, 0.1}) {
    s.reward(D).batch_end();
    CHECK(s("change") == 0);
    CHECK(s("weight") == 0);
  }
  const auto written = [](double D) {
    Synapse one({{"linear", 1}, {"w_max", 1e4}, {"V_down", -1.82}});
    return one.reward(D).batch_end()("weight");
  };
  CHECK(written(0.41) > 0);
  CHECK(written(-2) == Approx(-written(2)).epsilon(0.01));
  for (const double D : {0.8, 1.0, 2.0, 4.0}) {  // beside the law; at the threshold G_th bends the curve
    CHECK(written(D) == Approx(std::pow(D - 0.4, 0.75) * (D + 0.64 / 1.225)).epsilon(0.06));
    if (D >= 1) CHECK(written(D) == Approx(std::pow(D, 1.75)).epsilon(0.15));
  }
  CHECK(std::log(written(8) / written(4)) / std::log(2) == Approx(1.75).margin(0.1));
}

TEST_CASE(
    "reward_spin_valve: read noise is of the read alone, cycle noise of the write; energy counts the "
    "pulses") {
  Synapse s({{"read_noise", 0.1}, {"cycle_noise", 0.2}, {"energy", 1}});
  Synapse calm({{"energy", 1}});
  s.reward(2).batch_end();
  calm.reward(2).batch_end();
  CHECK(s("u") != calm("u"));
  CHECK(calm("energy") > 0);
  const double before = calm("energy"),
               both = 0.64 * (std::pow(89 / 0.64, calm("u")) + std::pow(89 / 0.64, calm("u2")));
  calm.spike();
  CHECK(calm("energy") - before ==
        Approx(0.01 * both).epsilon(1e-9));  // 0.1 V, 1 ms, at both devices of the weight
  const double w = s("weight"), energy = s("energy");
  double sum = 0, squares = 0;
  for (int i = 0; i < 2000; ++i) {
    ++s.now;
    const double x = s.spike() - w;
    sum += x, squares += x * x;
  }
  CHECK(s("weight") == w);
  CHECK(s("energy") > energy);
  const auto G = [&](const char* u) { return 0.64 * std::pow(89 / 0.64, s(u)); };
  const double sd = 10 / 89.0 * 0.1 * std::hypot(G("u"), G("u2"));
  CHECK(std::abs(sum / 2000) < 5 * sd / std::sqrt(2000));
  CHECK(std::sqrt(squares / 2000) == Approx(sd).epsilon(0.08));  // 5 sd of an estimate from 2000
}

TEST_CASE("reward_spin_valve: the boost is read before and in the field, each read with its own noise") {
  constexpr int n = 3000;
  const double noise = 1e-4, D = 2;
  const Given given{{"read_noise", noise}, {"linear", 1}, {"w_max", 1e4}, {"V_down", -1.82}};
  double sum = 0, squares = 0;
  for (int i = 0; i < n; ++i) {
    Synapse one(given, static_cast<std::uint32_t>(i));
    const double w = one.reward(D).batch_end()("weight");
    sum += w, squares += w * w;
  }
  Synapse calm({{"linear", 1}, {"w_max", 1e4}, {"V_down", -1.82}});
  const double expected = calm.reward(D).batch_end()("weight"), mean = sum / n,
               sd = std::sqrt(squares / n - mean * mean);
  const double G = 0.64 + D * (1.13 - 0.64) / 0.4,
               B = G * 0.25 * std::pow((G - 1.13) / 87.87, 0.75);  // about: pulses are short
  CHECK(mean == Approx(expected).margin(5 * sd / std::sqrt(n)));
  CHECK(sd / expected == Approx(noise * std::hypot(G, G + B) / B).epsilon(0.08));
  // A difference below 0 writes nothing, and a change without any boost now and then does.
  int written = 0;
  for (int i = 0; i < n; ++i) {
    Synapse one(given, static_cast<std::uint32_t>(i));
    const double w = one.reward(0.2).batch_end()("weight");
    CHECK(w >= 0);
    written += w > 0;
  }
  CHECK(written == Approx(n / 2).margin(5 * std::sqrt(n) / 2));
}

TEST_CASE("XOR written by noisy devices is the same on any number of ranks and after a restart") {
  const std::vector<std::pair<std::string, std::string>> noisy{{"duration", "900 ms"},
                                                               {"block", "1"},
                                                               {"parameters.cycle", "0.3"},
                                                               {"parameters.read", "0.02"},
                                                               {"parameters.spread", "0.1"}};
  auto net = device_network(noisy);
  std::uint32_t p = 0;
  while (net.projections[p].name != "actor_in") ++p;
  net.weights.push_back({p, 0, ms(60), 0, never});
  Listener whole;
  MemoryCheckpoints checkpoints;
  for (const int ranks : {1, 2, 3}) {
    Listener one;
    std::vector<std::uint64_t> owned(static_cast<std::size_t>(ranks));
    run_loopback(ranks, [&](Transport& t) {
      Simulation simulation(net, t);
      owned[static_cast<std::size_t>(t.rank())] = simulation.owned();
      RunHooks hooks;
      hooks.checkpoints.every = ms(310);
      if (t.rank() == 0) hooks.checkpoints.sink = &checkpoints;
      simulation.run(t.rank() == 0 ? &one : nullptr, hooks);
    });
    for (const auto n : owned) CHECK(n > 0);
    if (ranks == 1) whole = one;
    CHECK((one == whole));
  }
  REQUIRE(whole.rewards.size() > 400);
  REQUIRE(whole.sampled.size() == 15 * 20);
  CHECK(std::equal(whole.sampled.begin(), whole.sampled.begin() + 20, whole.sampled.end() - 20) ==
        false);  // it learns

  checkpoints.chosen = checkpoints.saved.begin()->first;
  Listener rest;
  run_loopback(2, [&](Transport& t) {
    Simulation simulation(net, t);
    simulation.restore(checkpoints);
    simulation.run(t.rank() == 0 ? &rest : nullptr);
  });
  std::erase_if(whole.heard, [&](const Spike& s) { return s.tick < checkpoints.chosen; });
  CHECK((rest.heard == whole.heard));
  CHECK((std::equal(rest.rewards.rbegin(), rest.rewards.rend(), whole.rewards.rbegin())));
  CHECK((std::equal(rest.sampled.rbegin(), rest.sampled.rend(), whole.sampled.rbegin())));

  auto calm = device_network({{"duration", "900 ms"}, {"block", "1"}});
  Listener other;
  OneRank one;
  Simulation(calm, one).run(&other);
  CHECK((other.rewards != whole.rewards));
}
