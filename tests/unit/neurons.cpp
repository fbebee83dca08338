// Neuron models from differential equations against integrations in 34 digits
// (tests/validation/neurons_reference.py), and at the corners of their parameters, where a run may end with a
// reason but never hang.
#include <catch2/catch.hpp>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "support/bench.hpp"

namespace {

using spinet::Tick;
using Bench = spinet::NeuronBench;
using spinet::test::neuron;
using Params = spinet::NeuronParams;

constexpr Tick ms = 1'000'000;

/// A case of MODEL_reference.csv.
struct Case {
  std::vector<std::pair<std::string, double>> parameters, initial;
  struct Arrival {
    Tick tick;
    std::uint32_t port;
    double weight;
  };
  std::vector<Arrival> arrivals;
  struct Probe {
    Tick tick;
    std::string variable;
    double value;
  };
  std::vector<Probe> probes;
  std::vector<Tick> spikes;
  Tick duration = 0;
};

std::map<std::string, Case> read_cases(const std::string& model) {
  std::ifstream file(std::filesystem::path(VALIDATION_DATA) / (model + "_reference.csv"));
  REQUIRE(file.good());
  std::map<std::string, Case> cases;
  for (std::string line; std::getline(file, line);) {
    std::vector<std::string> f;
    std::stringstream fields(line);
    for (std::string s; std::getline(fields, s, ',');) f.push_back(s);
    Case& c = cases[f.at(1)];
    if (f[0] == "parameter") c.parameters.emplace_back(f.at(2), std::stod(f.at(3)));
    else if (f[0] == "initial") c.initial.emplace_back(f.at(2), std::stod(f.at(3)));
    else if (f[0] == "arrival")
      c.arrivals.push_back(
          {std::stoll(f.at(2)), static_cast<std::uint32_t>(std::stoul(f.at(3))), std::stod(f.at(4))});
    else if (f[0] == "value") c.probes.push_back({std::stoll(f.at(2)), f.at(3), std::stod(f.at(4))});
    else if (f[0] == "spike") c.spikes.push_back(std::stoll(f.at(2)));
    else if (f[0] == "duration") c.duration = std::stoll(f.at(2));
    else FAIL("unknown line " << line);
  }
  return cases;
}

/// The largest distance of a spike from the reference's; the values at the probes go to `values`.
Tick worst(const std::string& model, const Case& c, double tolerance, std::vector<double>& values) {
  Params p(neuron(model));
  for (const auto& [name, value] : c.parameters) p.set(name, value);
  if (tolerance > 0) p.set("tolerance", tolerance);
  Params::Changes initial(c.initial.begin(), c.initial.end());
  Bench d(neuron(model), {p}, 1e6, initial);
  for (const auto& a : c.arrivals) d.arrival(a.tick, a.port, 0, a.weight);
  for (const auto& x : c.probes) d.sample(x.tick, 0, x.variable, values);
  d.run(c.duration);
  const auto spikes = d.spikes();
  REQUIRE(spikes.size() == c.spikes.size());
  Tick most = 0;
  for (std::size_t i = 0; i < spikes.size(); ++i) most = std::max(most, std::abs(spikes[i] - c.spikes[i]));
  return most;
}

void check(const std::string& model, std::size_t least_spikes) {
  std::size_t spikes = 0;
  for (const auto& [name, c] : read_cases(model)) {
    INFO(model << ", " << name);
    std::vector<double> values, unused;
    CHECK(worst(model, c, 1e-12, values) <= 1);
    REQUIRE(values.size() == c.probes.size());
    for (std::size_t i = 0; i < values.size(); ++i)
      CHECK(std::abs(values[i] - c.probes[i].value) < 1e-7 * (1 + std::abs(c.probes[i].value)));
    CHECK(worst(model, c, 1e-9, unused) <= 20);
    CHECK(worst(model, c, 1e-7, unused) <= 2000);
    spikes += c.spikes.size();
  }
  CHECK(spikes >= least_spikes);
}

/// The same of models that are exact: to the tick, but where the root lies within rounding of one.
void check_exact(const std::string& model, std::size_t least_spikes) {
  std::size_t spikes = 0;
  for (const auto& [name, c] : read_cases(model)) {
    INFO(model << ", " << name);
    std::vector<double> values;
    CHECK(worst(model, c, 0, values) == 0);
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
