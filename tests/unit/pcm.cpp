// The phase-change memory against its law and the figures that it is made of.
#include <fmt/format.h>
#include <catch2/catch.hpp>

#include <cmath>
#include <cstring>
#include <map>
#include <numeric>

#include "network/loader.hpp"
#include "support/network_builder.hpp"
#include "support/on_ranks.hpp"
#include "support/run.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {

/// Values of all devices, by recording and time.
struct Log : Recorder {
  std::map<std::pair<std::uint32_t, Tick>, std::vector<double>> at;
  std::uint32_t readings = 0;  ///< which recording holds what the schedule's reads have found
  void weight_events(std::uint32_t r, std::span<const WeightEvent> some) override {
    for (const auto& e : some) at[{r, e.tick}].push_back(e.value);
  }
  void spikes(std::span<const Spike>) override {}
  void frames(std::uint32_t, std::span<const float>) override {}
  void weights(std::uint32_t, std::span<const float>) override {}
  void edges(std::uint32_t, std::span<const Edge>) override {}
  void commit(Tick) override {}
  const std::vector<double>& of(std::uint32_t r, double seconds) const {
    return at.at({r, static_cast<Tick>(std::llround(seconds * 1e9))});
  }
};
/// 10,000 devices, all wanted to have `g` of their range, over a year; each variable logged at each time.
Log devices(const std::string& synapse, const std::vector<const char*>& variables, const std::string& times,
            const std::string& schedule = "") {
  std::string text =
      "spinet: 1\nduration: 31557601 s\npopulations:\n  s: {model: spike_source, size: 100, spikes: {0: [1 "
      "ms]}}\n"
      "  n: {model: lif_delta, size: 100, params: {v_th: 1 kV}}\nprojections:\n"
      "  p: {from: s, to: n, connect: all_to_all, synapse: {model: pcm, w_max: 1 mV, delay: 1 ms, " +
      synapse + "}}\n" + (schedule.empty() ? "" : "schedule:\n" + schedule) + "record:\n  weights:\n";
  for (const char* v : variables)
    text += fmt::format("    - {{projection: p, variable: {}, at: [{}]}}\n", v, times);
  const auto net = load_text(text, "test.yaml", builtin());
  Log log;
  while (log.readings < net.weight_events.size() && !net.weight_events[log.readings].logs) ++log.readings;
  OneRank one;
  Simulation simulation(net, one);
  simulation.run(&log);
  return log;
}
double mean(const std::vector<double>& x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}
double sd(const std::vector<double>& x) {
  double sum = 0;
  for (const double y : x) sum += (y - mean(x)) * (y - mean(x));
  return std::sqrt(sum / static_cast<double>(x.size()));
}
constexpr double year = 31557600;

}  // namespace

TEST_CASE("pcm: the drift is its law from a second to a year") {
  const std::string times = "0 s, 1 s, 3600 s, 86400 s, 31557600 s";
  const Log plain = devices("weight: 0.5 mV, nu: 0.05, nu_sd: 0, programming_noise: 0", {"G"}, times);
  const Log real = devices("weight: 0.5 mV", {"G", "exponent", "weight"}, times);
  for (const double t : {0.0, 1.0, 3600.0, 86400.0, year}) {
    CAPTURE(t);
    CHECK(plain.of(0, t)[17] == Approx(12.5 * std::pow((t + 20) / 20, -0.05)).epsilon(1e-7));
    const auto &G = real.of(0, t), &first = real.of(0, 0), &nu = real.of(1, t), &w = real.of(2, t);
    REQUIRE(G.size() == 10'000);
    bool law = true;
    for (std::size_t i = 0; i < G.size(); ++i)
      law = law && std::abs(G[i] / (first[i] * std::pow((t + 20) / 20, -nu[i])) - 1) < 1e-6 &&
            std::abs(w[i] / (G[i] / 25) - 1) < 1e-6;
    CHECK(law);
  }
}

TEST_CASE("pcm: with an age and an exponent a device goes on, and is not programmed") {
  const Log log = devices("weight: 0.3 mV, exponent: 0.07, age: 86400 s, g: 0.4",
                          {"G", "age", "exponent", "g"}, "0 s, 3600 s, 31557600 s");
  for (const double t : {0.0, 3600.0, year}) {
    CAPTURE(t);
    CHECK(log.of(0, t)[17] == Approx(7.5 * std::pow((t + 86420) / 86420, -0.07)).epsilon(1e-6));
    CHECK(log.of(1, t)[17] == Approx(86400 + t));
    CHECK(log.of(2, t)[17] == static_cast<double>(0.07F));
    CHECK(log.of(3, t)[17] == static_cast<double>(0.4F));
    CHECK(sd(log.of(0, t)) < 1e-9);
  }
  // What has not been read yet shows no reading, whatever age is given.
  CHECK(devices("weight: 0.3 mV, age: 86400 s", {"reading"}, "3600 s").of(0, 3600)[17] == 0);
}

TEST_CASE("pcm: programming and exponents scatter by the figures of the model") {
  const double n = 10'000, four = 4 / std::sqrt(n);
  for (const double g : {0.05, 0.5, 0.9}) {
    CAPTURE(g);
    const Log log = devices(fmt::format("weight: {} mV", g), {"G", "exponent"}, "0 s");
    const double s = 0.26348 + 1.965 * g - 1.1731 * g * g;
    CHECK(std::abs(mean(log.of(0, 0)) - 25 * g) < four * s);
    CHECK(std::abs(sd(log.of(0, 0)) - s) < four * s / std::sqrt(2));
    const double m = std::clamp(-0.0155 * std::log(g) + 0.0244, 0.049, 0.1),
                 v = std::clamp(-0.0125 * std::log(g) - 0.0059, 0.008, 0.045);
    // Of the absolute value of a normal number.
    const double folded =
        m * std::erf(m / v / std::sqrt(2)) + v * std::sqrt(2 / M_PI) * std::exp(-m * m / (2 * v * v));
    CHECK(std::abs(mean(log.of(1, 0)) - folded) < four * v);
    CHECK(std::abs(sd(log.of(1, 0)) - std::sqrt(m * m + v * v - folded * folded)) < four * v / std::sqrt(2));
  }
}

TEST_CASE("pcm: reads have 1/f noise that grows with the logarithm of time") {
  const Log log = devices("weight: 0.5 mV, programming_noise: 0, drift: 0", {"G"}, "0 s",
                          "  - {at: 1 s, read: p}\n  - {at: 1e6 s, read: p}\n");
  for (const double t : {1.0, 1e6}) {
    CAPTURE(t);
    const double s = 12.5 * 0.0088 / std::pow(0.5, 0.65) * std::sqrt(std::log((t + 20 + 250e-9) / 500e-9));
    const auto& x = log.of(log.readings, t);
    REQUIRE(x.size() == 10'000);
    CHECK(std::abs(mean(x) - 12.5) < 4 * s / 100);
    CHECK(std::abs(sd(x) - s) < 4 * s / 100 / std::sqrt(2));
  }
}

TEST_CASE("pcm: a pulse costs what flows while the device drifts") {
  for (const double nu : {0.0, 0.05, 1.0, 1.7}) {
    CAPTURE(nu);
    const Log log = devices(
        fmt::format("weight: 0.5 mV, nu: {}, nu_sd: 0, programming_noise: 0, energy: 1, read_width: 0 ms",
                    nu),
        {"energy"}, "0.5 s, 2e6 s, 3e7 s",
        "  - {at: 1 s, pulse: {amplitude: 0.5 V, width: 1e6 s}, to: p}\n"
        "  - {at: 2000001 s, pulse: {amplitude: 2 V, width: 1 ms}, to: p}\n");
    // Simpson's rule over ln(t + t0)
    const double from = std::log(21.0), to = std::log(1e6 + 21.0), h = (to - from) / 2000;
    double sum = 0;
    for (int k = 0; k <= 2000; ++k) {
      const double y = from + k * h, weight = k == 0 || k == 2000 ? 1 : k % 2 == 1 ? 4 : 2;
      sum += weight * h / 3 * std::exp(y) * 12.5 * std::pow(std::exp(y) / 20, -nu);
    }
    CHECK(log.of(0, 0.5)[17] == 0);
    CHECK(log.of(0, 2e6)[17] == Approx(1e3 * 0.25 * sum).epsilon(1e-6));  // uS V^2 s are uJ
    const double G = 12.5 * std::pow((2000001 + 20) / 20.0, -nu);
    CHECK(log.of(0, 3e7)[17] - log.of(0, 2e6)[17] ==
          Approx(1e3 * 4 * G * 1e-3).margin(1e-6 * log.of(0, 2e6)[17]));
  }
}

TEST_CASE("pcm: pairs of spikes and pulses program it anew, from where it has drifted to") {
  const Log log = [] {
    const auto net = load_text(
        "spinet: 1\nduration: 10000 s\npopulations:\n"
        "  s: {model: spike_source, size: 1, spikes: [[10 ms, 5000 s]]}\n"
        "  t: {model: spike_source, size: 1, spikes: [[15 ms, 4999.99 s]]}\n"
        "  n: {model: lif_delta, size: 1, params: {v_th: 10 mV, E_L: 0 mV, v_reset: 0 mV}, initial: {V: 0 "
        "mV}}\n"
        "projections:\n  teach: {from: t, to: n, connect: one_to_one, synapse: {model: static, weight: 20 "
        "mV, delay: 1 ms}}\n"
        "  p: {from: s, to: n, connect: one_to_one, synapse: {model: pcm, w_max: 1 mV, weight: 0.5 mV, "
        "delay: 1 ms, "
        "programming_noise: 0, nu: 0.05, nu_sd: 0, noise_1f: 0, A_plus: 0.1, A_minus: 0.04}}\n"
        "schedule:\n  - {at: 8000 s, pulse: {amplitude: -2 V, width: 1 ms}, to: p}\n"
        "  - {at: 8001 s, pulse: {amplitude: 1 V, width: 1 ms}, to: p}\n"
        "record:\n  weights:\n    - {projection: p, variable: g, at: [4000 s, 6000 s, 9000 s]}\n"
        "    - {projection: p, variable: age, at: [4000 s, 6000 s, 9000 s]}\n",
        "test.yaml", builtin());
    Log l;
    OneRank one;
    Simulation simulation(net, one);
    simulation.run(&l);
    return l;
  }();
  const auto drifted = [](double g, double t) { return g * std::pow((t + 20) / 20, -0.05); };
  CHECK(log.of(0, 4000)[0] == Approx(0.5));
  CHECK(log.of(1, 4000)[0] == Approx(4000));
  // post at 16 ms meets the synapse a delay later, 7 ms after the first presynaptic spike; the second one
  // meets the post of 4999.991 s 8 ms after it has come
  const double a = drifted(0.5, 5000.001) + 0.1 * std::exp(-7 / 20.0) - 0.04 * std::exp(-8 / 20.0);
  CHECK(log.of(0, 6000)[0] == Approx(a).epsilon(1e-6));
  CHECK(log.of(1, 6000)[0] == Approx(1000 - 1e-3).epsilon(1e-6));
  CHECK(log.of(0, 9000)[0] == Approx(drifted(a, 8000 - 5000.001) - 0.05).epsilon(1e-6));
  CHECK(log.of(1, 9000)[0] == Approx(1000));
}

TEST_CASE(
    "pcm: learning, drift and noise give the same data on any ranks, in any blocks and after a restart") {
  const auto network = [](int block) {
    return load_text(fmt::format("spinet: 1\nduration: 500 ms\nblock: {}\nseed: 3\npopulations:\n"
                                 "  s: {{model: poisson, size: 20, params: {{rate: 60 Hz}}}}\n"
                                 "  n: {{model: lif_delta, size: 10, params: {{v_th: 10 mV, E_L: 0 mV, "
                                 "v_reset: 0 mV}}, initial: {{V: 0 mV}}}}\n"
                                 "projections:\n  p: {{from: s, to: n, connect: all_to_all, synapse: "
                                 "{{model: pcm, w_max: 5 mV, weight: 3 mV, "
                                 "delay: {{uniform: {{low: 1 ms, high: 4 ms}}}}, A_plus: 0.05, A_minus: "
                                 "0.03, t0: {{uniform: {{low: 1 s, high: "
                                 "9 s}}}}, drift: 3}}}}\n"
                                 "schedule:\n  - {{at: 0.2 s, pulse: {{amplitude: 2 V, width: 1 ms, count: "
                                 "3, period: 20 ms}}, to: p}}\n"
                                 "record:\n  spikes: [n]\n  weights:\n    - {{projection: p, every: 50 "
                                 "ms}}\n    - {{projection: p, variable: exponent, every: 50 ms}}\n",
                                 block),
                     "test.yaml", builtin());
  };
  const auto done = [&](int ranks, int block, MemoryCheckpoints* save = nullptr,
                        const MemoryCheckpoints* from = nullptr) {
    return on_ranks(network(block), ranks, {ms(180), save, from});
  };
  MemoryCheckpoints saved;
  MemoryRecorder one = done(1, 256, &saved);
  CHECK(one.spikes().size() > 50);
  for (const int ranks : {2, 3})
    for (const int block : {1, 4, 256}) {
      const MemoryRecorder other = done(ranks, block);
      CHECK(other.same_samples(one));
      CHECK(first_difference(other.spikes(), one.spikes()) == "");
    }
  saved.chosen = saved.saved.begin()->first;
  MemoryRecorder rest = done(2, 4, nullptr, &saved);
  const auto &whole = one.weights_of(0), &part = rest.weights_of(0);
  REQUIRE(part.size() >= 200);
  CHECK(std::memcmp(part.data(), whole.data() + whole.size() - part.size(), part.size() * sizeof(float)) ==
        0);
}
