// Neuron models from differential equations against integrations in 34 digits
// (tests/validation/neurons_reference.py), and at the corners of their parameters, where a run may end with a
// reason but never hang.
#include <catch2/catch.hpp>

#include <chrono>
#include <cmath>
#include <memory>

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

void check(const std::string& model, std::size_t least_spikes) {
  std::size_t spikes = 0;
  for (const auto& [name, c] : read_neuron_cases(model)) {
    INFO(model << ", " << name);
    std::vector<double> values;
    CHECK(worst_spike(model, c, 1e-12, values) <= 1);
    REQUIRE(values.size() == c.probes.size());
    for (std::size_t i = 0; i < values.size(); ++i)
      CHECK(std::abs(values[i] - c.probes[i].value) < 1e-7 * (1 + std::abs(c.probes[i].value)));
    CHECK(worst_spike(model, c, 1e-9) <= 20);
    CHECK(worst_spike(model, c, 1e-7) <= 2000);
    spikes += c.spikes.size();
  }
  CHECK(spikes >= least_spikes);
}

/// The same of models that are exact: to the tick, but where the root lies within rounding of one.
void check_exact(const std::string& model, std::size_t least_spikes) {
  std::size_t spikes = 0;
  for (const auto& [name, c] : read_neuron_cases(model)) {
    INFO(model << ", " << name);
    std::vector<double> values;
    CHECK(worst_spike(model, c, 0, values) == 0);
    REQUIRE(values.size() == c.probes.size());
    for (std::size_t i = 0; i < values.size(); ++i)
      CHECK(std::abs(values[i] - c.probes[i].value) < 1e-11 * (1 + std::abs(c.probes[i].value)));
    spikes += c.spikes.size();
  }
  CHECK(spikes >= least_spikes);
}

}  // namespace

TEST_CASE("izhikevich fires at the ticks of an integration in 34 digits", "[izhikevich]") {
  check("izhikevich", 12);
}
TEST_CASE("hodgkin_huxley fires at the ticks of an integration in 34 digits", "[hodgkin_huxley]") {
  check("hodgkin_huxley", 3);
}
TEST_CASE("lif_alpha fires at the ticks of an integration in 34 digits", "[lif_alpha]") {
  check_exact("lif_alpha", 101);
}
TEST_CASE("glif3 fires at the ticks of an integration in 34 digits", "[glif3]") { check_exact("glif3", 16); }

TEST_CASE("no parameter and no input makes a neuron hang", "[threshold][long]") {
  struct Corner {
    const char* parameter;
    double value, weight;
  };
  for (const char* model : {"adex", "lif_cond_exp", "izhikevich", "hodgkin_huxley", "lif_alpha", "glif3"})
    for (const Corner& c : std::vector<Corner>{{"I_dc", 1e12, 1},
                                               {"I_dc", -1e12, 1},
                                               {"I_dc", 1e300, 1},
                                               {"I_dc", 0, 1e20},
                                               {"I_dc", 0, 1e300},
                                               {"tau_syn_exc", 1e-3, 1e6},
                                               {"tau_syn_exc", 1e15, 10},
                                               {"tau_syn_inh", 1e-300, 1},
                                               {"tau_syn_exc", 1e300, 5e-324},
                                               {"C_m", 1e-300, 1},
                                               {"C_m", 1e300, 1},
                                               {"g_L", 1e12, 1},
                                               {"t_ref", 0, 1e4},
                                               {"Delta_T", 1e-300, 1},
                                               {"tau_w", 1e-9, 10},
                                               {"tau_m", 1e-300, 1},
                                               {"tau_m", 1e300, 1},
                                               {"tau_syn_1", 1e-300, 1},
                                               {"tau_syn_1", 1e300, 1},
                                               {"k_1", 1e300, 1},
                                               {"G", 1e12, 1},
                                               {"a", 1e9, 10},
                                               {"v_th", -60, 10}}) {
      INFO(model << ", " << c.parameter << " " << c.value << ", weight " << c.weight);
      const auto& table = neuron(model);
      Params p(table);
      try {
        p.set(c.parameter, c.value);
      } catch (const std::runtime_error&) {
        continue;  // it has no such parameter
      }
      if (table.check != nullptr && table.check(p.data()) != nullptr) continue;
      const auto begin = std::chrono::steady_clock::now();
      Bench d(table, {p});
      d.arrival(ms, 0, 0, c.weight);
      d.arrival(2 * ms, 1, 0, -c.weight);
      d.run(2 * ms + ms / 2);
      CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
    }
}

TEST_CASE("linear neurons without a refractory period fire at every tick if the drive asks for it",
          "[lif_alpha][glif3]") {
  // Under a constant current alone all of them are the same neuron; a tick is a microsecond.
  const auto fired = [](const char* model, Params::Changes changes) {
    Bench d(neuron(model), {Params(neuron(model), changes)}, 1e3, {{"V", -70}});
    d.run(1000);
    return d.spikes();
  };
  std::size_t most = 0;
  for (const double current : {1e3, 1e6, 3.5e6, 4e6, 1e7, 1e15})
    for (const double reset : {0.0, 1.0}) {
      INFO(current << " pA, reset " << reset);
      const Params::Changes same = {{"C_m", 250},  {"E_L", -70}, {"v_th", -55},     {"v_reset", -70},
                                    {"tau_m", 10}, {"t_ref", 0}, {"I_dc", current}, {"reset", reset}};
      const auto expected = fired("lif_exp", same);
      CHECK(fired("lif_alpha", same) == expected);
      if (reset == 0)
        CHECK(fired("glif3", {{"C_m", 250},
                              {"E_L", -70},
                              {"v_th", -55},
                              {"v_reset", -70},
                              {"G", 25},
                              {"t_ref", 0},
                              {"I_dc", current},
                              {"A_1", 0},
                              {"A_2", 0}}) == expected);
      most = std::max(most, expected.size());
    }
  CHECK(most == 999);
}

namespace {

/// Neurons that hear 8 kHz of random arrivals each.
struct Driven {
  static constexpr std::uint32_t neurons = 100;
  static constexpr Tick duration = 60 * ms;
  const char* model;
  double I_dc, weight, v_th;

  std::unique_ptr<Bench> bench() const {
    const Params p(neuron(model), {{"I_dc", I_dc}, {"v_th", v_th}});
    auto b = std::make_unique<Bench>(neuron(model), std::vector(neurons, p), 1e6, Params::Changes{});
    for (std::uint32_t j = 0; j < neurons; ++j) {
      std::uint64_t counter = 0;
      for (double t = 0;;) {
        const auto w = spinet::draw({11, 5}, j, counter++);
        t -= std::log(1 - spinet::uniform01(w[0], w[1])) / 8;
        if (!(t * ms < duration - 1)) break;
        b->arrival(static_cast<Tick>(t * ms), 0, j, weight);
      }
    }
    return b;
  }
};

}  // namespace

TEST_CASE("linear neurons find each crossing of random histories, and end", "[lif_alpha][glif3]") {
  // Rounding may keep V below the threshold by its last bit for ever while the solution passes it.
  for (const Driven& driven : {Driven{"lif_alpha", 300, 20, -55}, Driven{"glif3", 150, 10, -51.68}}) {
    INFO(driven.model);
    const auto first = driven.bench(), second = driven.bench();
    first->run(driven.duration);
    std::vector<double> before, between;
    std::size_t spikes = 0;
    for (std::uint32_t j = 0; j < driven.neurons; ++j) {
      const auto fired = first->spikes(j);
      spikes += fired.size();
      for (const Tick t : fired) second->sample(t - 1, j, "V", before);
      for (Tick t = 0; t < driven.duration; t += ms / 20) second->sample(t, j, "V", between);
    }
    second->run(driven.duration);
    CHECK(spikes > driven.neurons);
    REQUIRE(before.size() == spikes);
    CHECK(*std::max_element(between.begin(), between.end()) < driven.v_th);
    // V rises by less than 20 mV a millisecond.
    CHECK(*std::min_element(before.begin(), before.end()) > driven.v_th - 20e-6);
    CHECK(*std::max_element(before.begin(), before.end()) < driven.v_th + 1e-12);
  }
}

TEST_CASE("a crossing that rounding hides is found", "[lif_alpha]") {
  Bench d(neuron("lif_alpha"), {Params(neuron("lif_alpha"), {{"I_dc", 300}})}, 1e6, {{"V", -70}});
  for (const Tick t : {3'855'062, 4'023'592, 14'570'283}) d.arrival(t, 0, 0, 400);
  d.run(100 * ms);
  REQUIRE(d.spikes().size() == 2);
  CHECK(std::abs(d.spikes()[1] - 22'079'528) < 1000);
}
