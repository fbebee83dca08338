// Distributions from the text of a network to what neurons and synapses get.
#include <catch2/catch.hpp>

#include <cmath>

#include "connect/draws.hpp"
#include "network/loader.hpp"
#include "support/network_builder.hpp"
#include "support/run.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {
struct Moments {
  double mean, sd, least, most;
};
Moments of(const std::vector<double>& values) {
  Moments m{0, 0, INFINITY, -INFINITY};
  for (const double x : values)
    m.mean += x / static_cast<double>(values.size()), m.least = std::min(m.least, x),
                                                      m.most = std::max(m.most, x);
  for (const double x : values) m.sd += (x - m.mean) * (x - m.mean) / static_cast<double>(values.size());
  m.sd = std::sqrt(m.sd);
  return m;
}
Network read(const std::string& weight, const std::string& delay, const std::string& V = "0 mV") {
  return load_text(
      "spinet: 1\nduration: 1 ms\nseed: 4\npopulations:\n  n: {model: lif_delta, size: 400, initial: {V: " +
          V +
          "}, params: {E_L: 0 mV, v_th: 1 V}}\n"
          "projections:\n  p: {from: n, to: n, connect: {fixed_indegree: 100}, synapse: {model: static, "
          "weight: " +
          weight + ", delay: " + delay +
          "}}\n"
          "record: {edges: [p], reports: [{population: n, variable: V, every: 1 ms}]}\n",
      "test.yaml", builtin());
}
}  // namespace

TEST_CASE("lognormal weights, delays and initial values have the mean and sd asked for, in their own unit") {
  const auto net = read("{lognormal: {mean: 200 uV, sd: 0.1 mV}}", "{lognormal: {mean: 5000 us, sd: 2 ms}}",
                        "{lognormal: {median: 3 mV, sigma: 0.4}}");
  auto got = run(net);
  std::vector<double> weights, logs, delays;
  for (const auto& e : got.recorder.edges_of(0)) {
    weights.push_back(e.weight);
    logs.push_back(std::log(e.weight));
    delays.push_back(static_cast<double>(e.delay) * 1e-6);
  }
  REQUIRE(weights.size() == 40'000);
  // Standard errors: sd / sqrt(n) of the mean; about (1 + 3 cv^2) sd / sqrt(2 n) of the sd, whose tail is
  // heavy.
  const auto w = of(weights), d = of(delays), l = of(logs);
  CHECK(w.mean == Approx(0.2).margin(4 * 0.1 / 200));
  CHECK(w.sd == Approx(0.1).margin(4 * 0.1 * 2.5 / 283));
  CHECK(w.least > 0);
  const double s2 = std::log(1 + 0.25);
  CHECK(l.mean == Approx(std::log(0.2) - s2 / 2).margin(4 * std::sqrt(s2) / 200));
  CHECK(l.sd == Approx(std::sqrt(s2)).margin(4 * std::sqrt(s2) / 283));
  CHECK(d.mean == Approx(5).margin(4 * 2.0 / 200));  // rounding to 0.1 ms adds nothing to the mean
  CHECK(d.sd == Approx(2).margin(4 * 2 * 2.5 / 283));
  std::vector<double> V, logV;
  for (const float v : got.recorder.report(0)) V.push_back(v), logV.push_back(std::log(v));
  REQUIRE(V.size() == 400);
  CHECK(of(logV).mean == Approx(std::log(3)).margin(4 * 0.4 / 20));
  CHECK(of(logV).sd == Approx(0.4).margin(4 * 0.4 / 28));
}

TEST_CASE("bounds of a lognormal distribution redraw, or clip") {
  for (const bool clip : {false, true}) {
    const auto net = read(std::string("{lognormal: {median: 1 mV, sigma: 1, min: 0.5 mV, max: 2 mV") +
                              (clip ? ", clip: true}}" : "}}"),
                          "1 ms");
    auto got = run(net);
    std::vector<double> weights;
    for (const auto& e : got.recorder.edges_of(0)) weights.push_back(e.weight);
    const auto w = of(weights);
    CHECK(w.least >= 0.5);
    CHECK(w.most <= 2);
    const double outside = 2 * normal_cdf(-std::log(2.0));  // symmetric in the logarithm
    const double at_ends = static_cast<double>(std::count_if(weights.begin(), weights.end(),
                                                             [](double x) { return x == 0.5 || x == 2; })) /
                           40'000;
    CHECK(at_ends == Approx(clip ? outside : 0).margin(clip ? 0.01 : 1e-4));
    double logs = 0;
    for (const double x : weights) logs += std::log(x) / 40'000;
    CHECK(logs == Approx(0).margin(0.01));
  }
}

TEST_CASE("drawn time constants below 1 ms give a kernel of their own size") {
  // The logarithm of the median is negative, which is no time constant.
  const auto net = load_text(
      "spinet: 1\nduration: 20 ms\npopulations:\n  n: {model: lif_delta, size: 50, initial: {V: 10 mV}, "
      "params: {E_L: 0 mV, v_th: 1 V,\n"
      "    tau_m: {lognormal: {median: 0.5 ms, sigma: 0.3}}}}\nrecord: {reports: [{population: n, variable: "
      "V, every: 1 ms}]}\n",
      "test.yaml", builtin());
  auto got = run(net);
  const auto& V = got.recorder.report(0);
  REQUIRE(V.size() == 20 * 50);
  std::vector<double> logs;
  for (std::size_t j = 0; j < 50; ++j) {
    const double tau = 1 / std::log(10 / static_cast<double>(V[50 + j]));
    CHECK(static_cast<double>(V[100 + j]) == Approx(10 * std::exp(-2 / tau)).epsilon(1e-4));
    logs.push_back(std::log(tau));
  }
  CHECK(of(logs).mean == Approx(std::log(0.5)).margin(4 * 0.3 / std::sqrt(50)));
}
