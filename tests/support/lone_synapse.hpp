// One synapse alone, of any model, with the spikes of its target: stimuli, events, changes of parameters,
// reads.
#pragma once
#include <catch2/catch.hpp>

#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "network/extended.hpp"
#include "network/lookup.hpp"
#include "spinet/device.hpp"
#include "support/network_builder.hpp"

namespace spinet::test {

using Given = std::vector<std::pair<std::string, double>>;

inline const SynapseTable& table_of(const char* name) {
  return *reinterpret_cast<const SynapseTable*>(builtin().find(Kind::synapse, name));
}

/// Times in s, a tick is a nanosecond; `given` names parameters and initial values.
struct LoneSynapse {
  static constexpr double ticks_per_s = 1e9;
  std::vector<double> values;                     ///< of the parameters, one per field
  std::shared_ptr<const ExtendedTable> extended;  ///< where energy is counted, say
  const SynapseTable& table;
  std::vector<double> params, shared, state, slice_state;
  std::uint16_t target = 0;
  Gid gid = 1;
  Tick now = 1'000'000, delay = 1'000'000;
  std::vector<PostSpike> spikes;
  PostHistory history{};

  explicit LoneSynapse(const char* name, const Given& given = {})
      : values(values_of(table_of(name).model.params, given)),
        extended(spinet::extended(table_of(name), values)),
        table(extended ? extended->table() : table_of(name)),
        params(table.params_size / 8 + 1),
        shared(table.shared_size / 8 + 1),
        state(table.state_size / 8 + 1),
        slice_state(table.slice_state_size / 8 + 1),
        spikes(PostHistory::spare, PostSpike{long_ago, 0, 0, 0}) {
    const auto& m = table.model;
    for (std::uint32_t i = 0; i < m.params.count; ++i) put(params.data(), m.params.data[i], values[i]);
    if (table.check) REQUIRE(table.check(params.data()) == nullptr);
    prepare(shared);
    for (std::uint32_t i = 0; i < m.variables.count; ++i)
      if (m.variables.data[i].flags & initial)
        put(state.data(), m.variables.data[i], values_of(m.variables, given)[i]);
    const Slice begin = slice();
    if (table.init) table.init(&begin);
  }
  static std::vector<double> values_of(const Fields& fields, const Given& given) {
    std::vector<double> all;
    for (std::uint32_t i = 0; i < fields.count; ++i) {
      all.push_back(fields.data[i].preset);
      for (const auto& [n, x] : given)
        if (n == fields.data[i].name) all.back() = x;
    }
    return all;
  }
  void prepare(std::vector<double>& into) const {
    const RunInfo run{ticks_per_s / 1e3};
    table.prepare(into.data(), params.data(), &run);
  }
  Slice slice() {
    history = {spikes.data() + spikes.size(), static_cast<std::uint32_t>(spikes.size() - PostHistory::spare),
               0};
    Slice s{};
    s.tick = now, s.delay = delay, s.payload = 1, s.count = 1, s.source = 7;
    s.targets = &target, s.gids = &gid, s.history = &history;
    s.state = state.data(), s.slice_state = slice_state.data(), s.shared = shared.data();
    s.random = {1, 2};
    s.params = params.data();
    s.extras = table.extras;
    s.run = {ticks_per_s / 1e3};
    return s;
  }
  static Tick ticks(double seconds) { return static_cast<Tick>(std::llround(seconds * ticks_per_s)); }
  LoneSynapse& wait(double seconds) {
    now += ticks(seconds);
    return *this;
  }
  LoneSynapse& control(const Stimulus& stimulus, double a = 0, double b = 0) {
    Control c;
    c.stimulus = stimulus_of(table.model, stimulus);
    c.value[0] = a, c.value[1] = b;
    const Slice s = slice();
    table.on_control_of(s, c);
    return *this;
  }
  LoneSynapse& pulse(double V, double seconds) { return control(device::pulse, V, seconds).wait(seconds); }
  double spike() {
    double w;
    const Slice s = slice();
    table.on_pre_of(s, &w);
    return w;
  }
  /// The target fires so that its spike meets the synapse now.
  LoneSynapse& post() {
    spikes.push_back({now - 2 * delay, 1, 1, 1});
    return *this;
  }
  void set(const char* parameter, double x) {
    for (std::uint32_t i = 0; i < table.model.params.count; ++i)
      if (std::string(table.model.params.data[i].name) == parameter)
        put(params.data(), table.model.params.data[i], x);
    std::vector<double> next(shared.size());
    prepare(next);
    const Slice s = slice();
    table.set(&s, params.data(), next.data());
    shared = next;
  }
  double operator()(const char* variable) {
    const Slice s = slice();
    const Fields& v = table.model.variables;
    for (std::uint32_t i = 0; i < v.count; ++i)
      if (std::string(v.data[i].name) == variable) return table.read(&s, 0, i);
    throw std::logic_error(variable);
  }
  double ln() { return std::log((*this)("G")); }
};

}  // namespace spinet::test
