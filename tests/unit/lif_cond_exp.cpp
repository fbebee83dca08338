// lif_cond_exp against spike times of an independent integrator (tests/validation/lif_cond_exp_brian2.py),
// closed forms, and its place in the contract: looking ahead, cancelling, refractoriness, reading.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "spinet/random.hpp"
#include "support/neuron_cases.hpp"

namespace {

using spinet::Tick;
using Bench = spinet::NeuronBench;
using spinet::test::neuron;
using spinet::test::read_neuron_cases;
using spinet::test::worst_spike;
using Params = spinet::NeuronParams;

constexpr Tick ms = 1'000'000;

}  // namespace

TEST_CASE("lif_cond_exp fires at the ticks of an integration in 40 digits", "[lif_cond_exp]") {
  std::size_t spikes = 0;
  for (const auto& [name, c] : read_neuron_cases("lif_cond_exp")) {
    INFO(name);
    std::vector<double> values;
    CHECK(worst_spike("lif_cond_exp", c, 1e-12, values) == 0);
    REQUIRE(values.size() == c.probes.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto& [tick, variable, value] = c.probes[i];
      CHECK(std::abs(values[i] - value) < (variable == "V" ? 1e-9 : 1e-10 * (1 + value)));
    }
    CHECK(worst_spike("lif_cond_exp", c, 1e-9) <= 10);
    CHECK(worst_spike("lif_cond_exp", c, 1e-7) <= 1000);
    spikes += c.spikes.size();
  }
  CHECK(spikes > 200);
}

TEST_CASE("lif_cond_exp without conductances is the leaky integrator's closed form", "[lif_cond_exp]") {
  for (const double current : {101.0, 150.0, 1000.0}) {
    Params p(neuron("lif_cond_exp"), {{"I_dc", current}, {"t_ref", 3.25}});
    Bench d(neuron("lif_cond_exp"), {p}, 1e6, {{"V", -60}});
    d.run(500 * ms);
    const double interval = 20 * std::log(current / (current - 100)) * 1e6;  // ticks; V_inf - E_L = I / g_L
    Tick expected = static_cast<Tick>(std::ceil(interval));
    REQUIRE(d.spikes().size() > 2);
    for (const Tick t : d.spikes()) {
      CHECK(t == expected);
      expected += 3'250'000 + static_cast<Tick>(std::ceil(interval));
    }
  }
  // A conductance that hardly decays: V relaxes to its own balance with its own time constant.
  Params p(neuron("lif_cond_exp"), {{"tau_syn_inh", 1e9}, {"tau_syn_exc", 1e9}, {"v_th", 100}});
  Bench d(neuron("lif_cond_exp"), {p}, 1e6, {{"V", -60}});
  std::vector<double> V;
  d.arrival(1, 0, 0, 5);
  d.arrival(1, 1, 0, 25);
  for (const Tick t : {1, 5, 20, 60}) d.sample(t * ms + 1, 0, "V", V);
  d.run(61 * ms);
  const double rest = (10 * -60.0 + 25 * -80.0) / 40;
  for (std::size_t i = 0; i < 4; ++i) {
    const double t = std::array{1.0, 5.0, 20.0, 60.0}[i];
    CHECK(V[i] == Approx(rest + (-60 - rest) * std::exp(-t * 40 / 200))
                      .epsilon(1e-7));  // 1e-9 of the conductances decays
  }
}

TEST_CASE("lif_cond_exp agrees with small steps of fourth order in random histories", "[lif_cond_exp]") {
  // Parameters and inputs of all kinds, so that the bound that saves looking ahead and the search for
  // crossings are tested.
  constexpr Tick step = 2'000, duration = 30 * ms;  // 2 us, on which all arrivals lie
  int fired = 0, silent = 0;
  for (std::uint32_t history = 0; history < 200; ++history) {
    std::uint64_t counter = 0;
    const auto uniform = [&](double a, double b) {
      const auto w = spinet::draw({7, 4}, history, counter++);
      return a + (b - a) * spinet::uniform01(w[0], w[1]);
    };
    const double C = uniform(80, 300), g_L = uniform(3, 30), E_L = uniform(-75, -58),
                 E[2] = {uniform(-30, 20), uniform(-90, -60)}, v_th = uniform(-56, -48),
                 v_reset = uniform(-70, -57), I_dc = uniform(-100, 150),
                 tau[2] = {uniform(0.3, 8), uniform(0.3, 12)};
    Params params(neuron("lif_cond_exp"), {{"C_m", C},
                                           {"g_L", g_L},
                                           {"E_L", E_L},
                                           {"E_exc", E[0]},
                                           {"E_inh", E[1]},
                                           {"v_th", v_th},
                                           {"v_reset", v_reset},
                                           {"t_ref", 0},
                                           {"I_dc", I_dc},
                                           {"tau_syn_exc", tau[0]},
                                           {"tau_syn_inh", tau[1]}});
    Bench d(neuron("lif_cond_exp"), {params}, 1e6, {{"V", E_L}});
    const double strength = std::exp(uniform(-1, 4));  // 0.4 to 55 nS
    std::map<Tick, std::array<double, 2>> arrivals;
    for (int i = 0; i < 60; ++i) {
      const Tick tick = static_cast<Tick>(uniform(0, duration / step)) * step;
      const std::uint32_t port = uniform(0, 3) < 1 ? 1 : 0;
      const double weight =
          strength * uniform(0, 1) * (port == 1 ? -2 : 1);  // negative ones count by magnitude
      arrivals[tick][port] += std::fabs(weight);
      d.arrival(tick, port, 0, weight);
    }
    d.run(duration);
    double V = E_L, g[2] = {0, 0};
    Tick expected = -1;
    const auto slope = [&](double at, double t) {
      double current = g_L * (E_L - at) + I_dc;
      for (int k = 0; k < 2; ++k) current += g[k] * std::exp(-t / tau[k]) * (E[k] - at);
      return current / C;
    };
    const double h = step * 1e-6;
    for (Tick t = 0; t < duration && expected < 0; t += step) {
      if (const auto now = arrivals.find(t); now != arrivals.end())
        for (std::size_t k = 0; k < 2; ++k) g[k] += now->second[k];
      const double k1 = slope(V, 0), k2 = slope(V + h / 2 * k1, h / 2), k3 = slope(V + h / 2 * k2, h / 2),
                   k4 = slope(V + h * k3, h);
      V += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
      for (int k = 0; k < 2; ++k) g[k] *= std::exp(-h / tau[k]);
      if (V >= v_th) expected = t;
    }
    const auto got = d.spikes();
    INFO("history " << history);
    REQUIRE(got.empty() == (expected < 0));
    ++(got.empty() ? silent : fired);
    if (!got.empty()) CHECK(std::abs(got[0] - expected) <= step);
  }
  CHECK(fired > 40);
  CHECK(silent > 40);
}

TEST_CASE(
    "a lif_cond_exp neuron whose potential just touches the threshold fires, one that just does not is "
    "silent",
    "[lif_cond_exp]") {
  for (const double weight : {3.0, 10.0, 50.0})
    for (const double tolerance : {1e-11, 1e-9, 1e-6}) {
      Params p(neuron("lif_cond_exp"), {{"v_th", 100}, {"tolerance", tolerance}});
      const auto drive = [&](double v_th, std::vector<double>* V) {
        p.set("v_th", v_th);
        Bench d(neuron("lif_cond_exp"), {p}, 1e6, {{"V", -60}});
        d.arrival(ms / 2, 0, 0, weight);
        d.arrival(ms / 2 + 300, 1, 0, weight);
        if (V)
          for (Tick t = ms / 2; t < 30 * ms; t += 1000) d.sample(t, 0, "V", *V);
        d.run(30 * ms);
        return d.spikes().size();
      };
      std::vector<double> V;
      REQUIRE(drive(100, &V) == 0);
      // The maximum lies between samples: that of the parabola through the three highest.
      const auto top = std::max_element(V.begin(), V.end());
      const double most =
          *top + (top[1] - top[-1]) * (top[1] - top[-1]) / (8 * (2 * *top - top[-1] - top[1]));
      CHECK(drive(most - 10 * tolerance - 1e-11, nullptr) >= 1);
      CHECK(drive(most + 10 * tolerance + 1e-11, nullptr) == 0);
    }
}

TEST_CASE("later arrivals cancel, move and restore a lif_cond_exp neuron's crossing", "[lif_cond_exp]") {
  const Params p(neuron("lif_cond_exp"), {{"I_dc", 105}});
  const auto fires = [&](std::vector<std::tuple<Tick, std::uint32_t, double>> arrivals) {
    Bench d(neuron("lif_cond_exp"), {p}, 1e6, {{"V", -60}});
    for (const auto& [tick, port, weight] : arrivals) d.arrival(tick, port, 0, weight);
    d.run(200 * ms);
    return d.spikes();
  };
  const Tick alone = fires({}).at(0);
  const Tick later = fires({{alone - 300'000, 1, 1}}).at(0);
  CHECK(later > alone);
  CHECK(fires({{alone - 300'000, 1, 50}}).at(0) > later);
  CHECK(fires({{alone - 300'000, 0, 1}}).at(0) < alone);
  // At the crossing's own tick arrivals come before the test, but a conductance needs time to act.
  CHECK(fires({{alone, 1, 500}}).at(0) == alone);
}

TEST_CASE("a refractory lif_cond_exp neuron holds V while its conductances go on", "[lif_cond_exp]") {
  const Params p(neuron("lif_cond_exp"), {{"I_dc", 150}});
  Bench d(neuron("lif_cond_exp"), {p}, 1e6, {{"V", -60}});
  d.run(100 * ms);
  const Tick spike = d.spikes().at(0);
  Bench e(neuron("lif_cond_exp"), {p}, 1e6, {{"V", -60}});
  std::vector<double> V, g;
  e.arrival(spike + ms, 0, 0, 20);
  for (Tick t = 1; t <= 5; ++t) e.sample(spike + t * ms, 0, "V", V);
  e.sample(spike + 6 * ms, 0, "V", V);
  e.sample(spike + 4 * ms, 0, "g_exc", g);
  e.run(spike + 50 * ms);
  for (std::size_t i = 0; i < 5; ++i) CHECK(V[i] == -60);
  CHECK(V[5] > -60);
  CHECK(g[0] == Approx(20 * std::exp(-3.0 / 5)).epsilon(1e-12));
  CHECK(e.spikes().at(1) >= spike + 5 * ms);
  CHECK(e.spikes().at(1) < d.spikes().at(1));  // the conductance that came meanwhile is felt
}

TEST_CASE("lif_cond_exp works on coarse and fine ticks and with conductances of any size", "[lif_cond_exp]") {
  for (const double per_ms : {1.0, 10.0, 1000.0, 1e9}) {
    Bench d(neuron("lif_cond_exp"), {Params(neuron("lif_cond_exp"), {{"I_dc", 150}})}, per_ms, {{"V", -60}});
    d.run(static_cast<Tick>(60 * per_ms));
    CHECK(std::abs(static_cast<double>(d.spikes().at(0)) - std::ceil(20 * std::log(3.0) * per_ms)) <=
          1 + per_ms * 1e-9);
  }
  for (const double weight : {1e4, 1e7, 1e12}) {
    Bench d(neuron("lif_cond_exp"), {Params(neuron("lif_cond_exp"), {{"t_ref", 2}})}, 1e6, {{"V", -60}});
    d.arrival(ms, 0, 0, weight);
    d.arrival(100 * ms, 1, 0, weight);
    std::vector<double> V;
    d.sample(101 * ms, 0, "V", V);
    d.run(101 * ms + 1);
    REQUIRE_FALSE(d.spikes().empty());
    CHECK(d.spikes()[0] > ms);
    CHECK(d.spikes()[0] <= ms + static_cast<Tick>(10 * 200 / (50 * weight) * 1e6) +
                               1);  // g 50 mV t = C (v_th - E_L), at least
    CHECK(V.at(0) <= -60);
  }
}
