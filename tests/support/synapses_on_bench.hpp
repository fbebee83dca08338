// Synapses of a model that comes with Spinet on the engine's bench (bench/synapse_bench.hpp): parameters and
// variables by name, and a clock in seconds.
#pragma once
#include <catch2/catch.hpp>

#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bench/synapse_bench.hpp"
#include "network/lookup.hpp"
#include "spinet/device.hpp"
#include "support/network_builder.hpp"

namespace spinet::test {

using Given = std::vector<std::pair<std::string, double>>;

inline const SynapseTable& table_of(const char* name) {
  return *reinterpret_cast<const SynapseTable*>(builtin().find(Kind::synapse, name));
}
inline std::uint32_t field_of(const Fields& fields, const std::string& name) {
  std::uint32_t f = 0;
  while (f < fields.count && name != fields.data[f].name) ++f;
  return f;
}
/// One per field.
inline std::vector<double> values_of(const Fields& fields, const Given& given) {
  std::vector<double> all;
  for (std::uint32_t f = 0; f < fields.count; ++f) all.push_back(fields.data[f].preset);
  for (const auto& [name, x] : given)
    if (const std::uint32_t f = field_of(fields, name); f < fields.count) all[f] = x;
  return all;
}

struct SynapsesOnBench {
  static constexpr double ticks_per_s = 1e9;
  Tick delay;
  SynapseBench bench;
  Tick now = 1'000'000;

  /// `given` names parameters and initial values.
  explicit SynapsesOnBench(const char* model, const Given& given = {},
                           SynapseSetting setting = {.seed = 1, .delay = 1'000'000})
      : delay(setting.delay), bench(table_of(model), filled(table_of(model), given, std::move(setting))) {}
  static SynapseSetting filled(const SynapseTable& table, const Given& given, SynapseSetting setting) {
    const Fields &params = table.model.params, &variables = table.model.variables;
    for (const auto& [name, x] : given)
      if (field_of(params, name) == params.count && field_of(variables, name) == variables.count)
        throw std::logic_error(name);
    setting.params = values_of(params, given);
    setting.begin = [given](const SynapseTable& t, std::uint32_t) {
      return values_of(t.model.variables, given);
    };
    std::vector<double> bytes(table.params_size / 8 + 1);
    for (std::uint32_t f = 0; f < params.count; ++f) put(bytes.data(), params.data[f], setting.params[f]);
    if (table.check) REQUIRE(table.check(bytes.data()) == nullptr);
    return setting;
  }
  static Tick ticks(double seconds) { return static_cast<Tick>(std::llround(seconds * ticks_per_s)); }
  SynapsesOnBench& wait(double seconds) {
    now += ticks(seconds);
    return *this;
  }
  SynapsesOnBench& control(const Stimulus& stimulus, double a = 0, double b = 0) {
    Control c;
    c.stimulus = stimulus_of(bench.table().model, stimulus);
    c.value[0] = a, c.value[1] = b;
    bench.control(now, c);
    return *this;
  }
  SynapsesOnBench& pulse(double V, double seconds) {
    return control(device::pulse, V, seconds).wait(seconds);
  }
  std::vector<double> weights() {
    std::vector<double> all;
    bench.deliver(now, 1, all);
    return all;
  }
  double spike() { return weights()[0]; }
  /// The first target fires so that its spike meets the synapse now.
  SynapsesOnBench& post() {
    bench.spike(0, now - 2 * delay);
    return *this;
  }
  void set(const char* parameter, double x) {
    std::vector<double> params = bench.parameters();
    params.at(field_of(bench.table().model.params, parameter)) = x;
    bench.set(now, params);
  }
  double operator()(const char* variable, std::uint32_t i = 0) {
    const Fields& all = bench.table().model.variables;
    const std::uint32_t v = field_of(all, variable);
    if (v == all.count) throw std::logic_error(variable);
    return bench.read(i, now, v);
  }
  double ln() { return std::log((*this)("G")); }
};

}  // namespace spinet::test
