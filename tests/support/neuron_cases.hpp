// Neurons against the references of tests/validation (MODEL_reference.csv, described in two_ways.py).
#pragma once
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "support/bench.hpp"

namespace spinet::test {

/// A case of MODEL_reference.csv; ticks are nanoseconds.
struct NeuronCase {
  struct Arrival {
    Tick tick;
    std::uint32_t port;
    double weight;
  };
  struct Value {  ///< of a parameter that changes, or of a variable that is looked at
    Tick tick;
    std::string name;
    double value;
  };
  std::vector<std::pair<std::string, double>> parameters, initial;
  std::vector<Arrival> arrivals;
  std::vector<Value> changes, probes;
  std::vector<Tick> spikes;
  Tick duration = 0;
};

inline std::map<std::string, NeuronCase> read_neuron_cases(const std::string& model) {
  std::ifstream file(std::filesystem::path(VALIDATION_DATA) / (model + "_reference.csv"));
  REQUIRE(file.good());
  std::map<std::string, NeuronCase> cases;
  for (std::string line; std::getline(file, line);) {
    std::vector<std::string> f;
    std::stringstream fields(line);
    for (std::string s; std::getline(fields, s, ',');) f.push_back(s);
    NeuronCase& c = cases[f.at(1)];
    if (f[0] == "parameter") c.parameters.emplace_back(f.at(2), std::stod(f.at(3)));
    else if (f[0] == "initial") c.initial.emplace_back(f.at(2), std::stod(f.at(3)));
    else if (f[0] == "arrival")
      c.arrivals.push_back(
          {std::stoll(f.at(2)), static_cast<std::uint32_t>(std::stoul(f.at(3))), std::stod(f.at(4))});
    else if (f[0] == "change") c.changes.push_back({std::stoll(f.at(2)), f.at(3), std::stod(f.at(4))});
    else if (f[0] == "value") c.probes.push_back({std::stoll(f.at(2)), f.at(3), std::stod(f.at(4))});
    else if (f[0] == "spike") c.spikes.push_back(std::stoll(f.at(2)));
    else if (f[0] == "duration") c.duration = std::stoll(f.at(2));
    else FAIL("unknown line " << line);
  }
  return cases;
}

inline NeuronParams params_of(const std::string& model, const NeuronCase& c) {
  NeuronParams p(neuron(model));
  for (const auto& [name, value] : c.parameters) p.set(name, value);
  return p;
}
inline NeuronParams::Changes initial_of(const NeuronCase& c) { return {c.initial.begin(), c.initial.end()}; }

/// Runs the case on a bench, with this tolerance if it is not 0; what the probes find goes to `values`.
/// The largest distance of a spike from the reference's.
inline Tick worst_spike(const std::string& model, const NeuronCase& c, double tolerance,
                        std::vector<double>& values) {
  NeuronParams p = params_of(model, c);
  if (tolerance > 0) p.set("tolerance", tolerance);
  NeuronBench d(neuron(model), {p}, 1e6, initial_of(c));
  for (const auto& a : c.arrivals) d.arrival(a.tick, a.port, 0, a.weight);
  for (const auto& x : c.changes) d.change(x.tick, 0, x.name, x.value);
  for (const auto& x : c.probes) d.sample(x.tick, 0, x.name, values);
  d.run(c.duration);
  const auto spikes = d.spikes();
  REQUIRE(spikes.size() == c.spikes.size());
  Tick most = 0;
  for (std::size_t i = 0; i < spikes.size(); ++i) most = std::max(most, std::abs(spikes[i] - c.spikes[i]));
  return most;
}
inline Tick worst_spike(const std::string& model, const NeuronCase& c, double tolerance) {
  std::vector<double> values;
  return worst_spike(model, c, tolerance, values);
}

}  // namespace spinet::test
