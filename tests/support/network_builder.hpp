// Networks written in C++ for tests: names instead of indices, milliseconds or ticks, no YAML.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstring>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "network/catalogue.hpp"
#include "network/checked.hpp"
#include "support/rules.hpp"

namespace spinet::test {

/// Ticks of a number of milliseconds at the default resolution of 1 ns.
constexpr Tick ms(double x) { return static_cast<Tick>(x * 1e6 + (x < 0 ? -0.5 : 0.5)); }

/// A value of a field: one number, one per neuron, or a distribution.
struct Value {
  Distribution d;
  Value(double x) { d.a = x; }
  Value(int x) : Value(static_cast<double>(x)) {}
  Value(std::vector<double> v) {
    d.kind = Distribution::Kind::listed;
    d.values = std::move(v);
  }
  Value(Distribution x) : d(std::move(x)) {}
};
using Values = std::vector<std::pair<std::string, Value>>;

inline Distribution uniform(double low, double high) { return {Distribution::Kind::uniform, low, high}; }
inline Distribution normal(double mean, double sd, double low = -INFINITY, double high = INFINITY) {
  return {Distribution::Kind::normal, mean, sd, low, high};
}

inline const Catalogue& builtin() {
  static const Catalogue c = [] {
    Catalogue made;
    add_builtin(made);
    return made;
  }();
  return c;
}

/// Synapses of a model; `values` names its parameters and initial variables, the weight among them.
struct SynapsesOf {
  const SynapseTable& model;
  Values values;
  SynapsesOf(const SynapseTable& table, Values given) : model(table), values(std::move(given)) {}
  SynapsesOf(std::string_view name, Values given) : SynapsesOf(built_in(name), std::move(given)) {}

 private:
  static const SynapseTable& built_in(std::string_view name) {
    const Model* m = builtin().find(Kind::synapse, name);
    if (!m) throw std::logic_error("no model " + std::string(name));
    return *reinterpret_cast<const SynapseTable*>(m);
  }
};

class NetworkBuilder {
 public:
  explicit NetworkBuilder(Tick duration, std::uint32_t seed = 1) {
    net_.name = "test";
    net_.duration = duration;
    net_.seed = seed;
    net_.block = 4;
  }

  /// Adds a population; its index.  `values` names parameters and initial variables.  An initial V that is
  /// not given is the population's E_L.
  std::uint32_t add(std::string_view model, std::uint32_t size, const Values& values = {},
                    Kind kind = Kind::neuron) {
    const Model* m = builtin().find(kind, model);
    if (!m) throw std::logic_error("no model " + std::string(model));
    return add(*m, size, values);
  }
  std::uint32_t add(const Model& m, std::uint32_t size, const Values& values = {}) {
    Population p;
    p.name = "p" + std::to_string(net_.populations.size());
    p.first = net_.gid_count();
    p.size = size;
    p.model = &m;
    std::vector<std::string> used;
    const auto get = [&](const char* name) -> const Value* {
      for (const auto& [key, v] : values)
        if (key == name) {
          used.push_back(key);
          return &v;
        }
      return nullptr;
    };
    for (std::uint32_t k = 0; k < m.params.count; ++k) {
      const auto& f = m.params.data[k];
      const Value* v = get(f.name);
      p.params.push_back(v ? v->d : Value(f.preset).d);
    }
    for (std::uint32_t k = 0; k < m.variables.count; ++k) {
      const auto& f = m.variables.data[k];
      if (!(f.flags & initial)) continue;
      const Value* v = get(f.name);
      if (!v && !std::strcmp(f.name, "V")) v = get("E_L");
      p.initial.push_back(v ? v->d : Value(f.preset).d);
    }
    for (const auto& [key, v] : values)
      if (std::find(used.begin(), used.end(), key) == used.end())
        throw std::logic_error(std::string(m.name) + " has no field " + key);
    net_.populations.push_back(std::move(p));
    return static_cast<std::uint32_t>(net_.populations.size() - 1);
  }
  /// A spike_source population with the spikes in any order.
  std::uint32_t source(std::uint32_t size, std::vector<ListedSpike> spikes) {
    const auto p = add("spike_source", size, {}, Kind::source);
    std::sort(spikes.begin(), spikes.end(), [](const ListedSpike& a, const ListedSpike& b) {
      return a.tick != b.tick ? a.tick < b.tick : a.index < b.index;
    });
    net_.populations[p].listed = std::move(spikes);
    return p;
  }

  /// A projection between whole populations, to be adjusted through the reference (valid until the next
  /// call).
  Projection& connect(std::uint32_t from, std::uint32_t to, const ConnectionRule& rule, Value weight,
                      Tick delay) {
    Projection p;
    p.name = "c" + std::to_string(net_.projections.size());
    p.sources = {range(from)};
    p.targets = {range(to)};
    p.rule = &rule;
    p.synapse = reinterpret_cast<const SynapseTable*>(builtin().find(Kind::synapse, "static"));
    p.state = {weight.d};
    p.delay = Value(static_cast<double>(delay)).d;
    net_.projections.push_back(std::move(p));
    return net_.projections.back();
  }
  /// Explicit edges with their own weights and delays.
  Projection& connect(std::uint32_t from, std::uint32_t to, std::vector<ListedEdge> edges,
                      std::uint32_t port = 0) {
    auto& p = connect(from, to, Rule::listed, 0.0, net_.delay_resolution);
    p.port = port;
    std::stable_sort(edges.begin(), edges.end(),
                     [](const ListedEdge& a, const ListedEdge& b) { return a.target < b.target; });
    p.edges = std::move(edges);
    p.listed_weights = p.listed_delays = true;
    // The lookahead is taken from the description: give the bounds of the list too.
    return p;
  }
  /// A projection of synapses of any model.
  Projection& connect(std::uint32_t from, std::uint32_t to, const ConnectionRule& rule,
                      const SynapsesOf& synapses, Tick delay) {
    const SynapseTable& model = synapses.model;
    const Values& values = synapses.values;
    auto& p = connect(from, to, rule, 0.0, delay);
    p.synapse = &model;
    p.state.clear();
    std::size_t used = 0;
    const auto get = [&](const Field& f) {
      for (const auto& [key, v] : values)
        if (key == f.name) {
          ++used;
          return v.d;
        }
      return Value(f.preset).d;
    };
    for (std::uint32_t k = 0; k < model.model.params.count; ++k)
      p.params.push_back(get(model.model.params.data[k]).a);
    for (std::uint32_t k = 0; k < model.model.variables.count; ++k)
      if (model.model.variables.data[k].flags & initial)
        p.state.push_back(get(model.model.variables.data[k]));
    if (used != values.size())
      throw std::logic_error(std::string(model.model.name) + ": a field that it does not have");
    return p;
  }
  /// A new value of a parameter at a tick, for a whole population.
  ScheduledControl& schedule(Tick tick, std::uint32_t population, std::string_view param, double value) {
    return set(tick, range(population), net_.populations[population].model->params, param, value);
  }
  /// The same for a projection.
  ScheduledControl& schedule_synapses(Tick tick, std::uint32_t projection, std::string_view param,
                                      double value) {
    return set(tick, WholeProjection{projection}, net_.projections[projection].synapse->model.params, param,
               value);
  }
  /// A stimulus; valid until the next call, as what the others return.
  ScheduledControl& at(Tick tick, const Stimulus& stimulus, std::initializer_list<double> values,
                       std::vector<Place> to = {}) {
    ScheduledControl c;
    c.tick = tick;
    c.kind = ScheduledControl::Kind::stimulus;
    c.stimulus = &stimulus;
    std::copy(values.begin(), values.end(), c.value);
    c.to.places = std::move(to);
    return at(std::move(c));
  }
  ScheduledControl& at(ScheduledControl c) {
    const auto place = std::upper_bound(net_.schedule.begin(), net_.schedule.end(), c.tick,
                                        [](Tick t, const ScheduledControl& other) { return t < other.tick; });
    return *net_.schedule.insert(place, std::move(c));
  }

  GidRange range(std::uint32_t population) const {
    return {net_.populations[population].first, net_.populations[population].size};
  }
  Gid first(std::uint32_t population) const { return net_.populations[population].first; }

  void record_spikes(std::uint32_t population) { net_.spikes.push_back({population, {}, 0, never}); }
  /// Samples `variable` of all neurons of a population; the report's index.
  std::uint32_t report(std::uint32_t population, std::string_view variable, Tick every, Tick from = 0) {
    const auto& p = net_.populations[population];
    for (std::uint32_t k = 0; k < p.model->variables.count; ++k)
      if (variable == p.model->variables.data[k].name) {
        Report r{"r" + std::to_string(net_.reports.size()), population, k, {}, every, from, never};
        for (std::uint32_t i = 0; i < p.size; ++i) r.ids.push_back(i);
        net_.reports.push_back(std::move(r));
        return static_cast<std::uint32_t>(net_.reports.size() - 1);
      }
    throw std::logic_error("no variable " + std::string(variable));
  }
  /// Samples a variable of all synapses of a projection; the recording's index.
  std::uint32_t record_weights(std::uint32_t projection, Tick every, Tick from = 0,
                               std::uint32_t variable = 0) {
    net_.weights.push_back({projection, variable, every, from, never});
    return static_cast<std::uint32_t>(net_.weights.size() - 1);
  }

  Network& network() { return net_; }

 private:
  ScheduledControl& set(Tick tick, Place who, const Fields& fields, std::string_view param, double value) {
    ScheduledControl c;
    c.tick = tick;
    c.to.places = {std::move(who)};
    c.value[0] = value;
    while (c.field < fields.count && param != fields.data[c.field].name) ++c.field;
    if (c.field == fields.count) throw std::logic_error("no parameter " + std::string(param));
    return at(std::move(c));
  }
  Network net_;
};

}  // namespace spinet::test
