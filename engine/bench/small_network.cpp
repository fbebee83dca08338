#include "bench/small_network.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "connect/rule.hpp"

namespace spinet {

Distribution of_all(std::vector<double> values) {
  Distribution d;
  d.a = values.front();
  if (std::count(values.begin(), values.end(), d.a) == static_cast<std::ptrdiff_t>(values.size())) return d;
  d.kind = Distribution::Kind::listed;
  d.values = std::move(values);
  return d;
}

Population& add_population(Network& net, const Model& model, std::uint32_t size,
                           const std::vector<double>& params) {
  Population p;
  p.name = model.name;
  p.first = net.gid_count();
  p.size = size;
  p.model = &model;
  for (const double x : params) p.params.push_back(of_all({x}));
  net.populations.push_back(std::move(p));
  return net.populations.back();
}

void set_initial(Population& neurons, const NeuronTable& table, const NeuronParams::Changes& initial) {
  for (std::uint32_t v = 0; v < table.model.variables.count; ++v) {
    const Field& f = table.model.variables.data[v];
    if (!(f.flags & Flag::initial)) continue;
    double x = f.preset;
    for (const auto& [name, value] : initial)
      if (name == f.name) x = value;
    neurons.initial.push_back(of_all({x}));
  }
  if (!table.environment) return;
  neurons.patterns = {0, 1, 1, 0};
  neurons.pattern_inputs = neurons.pattern_targets = 1;
  neurons.drives = {0};
}

Projection& add_projection(Network& net, const char* rule, GidRange sources, GidRange targets,
                           std::uint32_t port) {
  Projection p;
  p.name = std::string(rule) + " " + std::to_string(port);
  p.sources = {sources};
  p.targets = {targets};
  p.rule = connection_rule(rule);
  p.synapse = &synapse_table<Wire>();
  p.state = {of_all({1})};
  p.delay = of_all({1});
  p.port = port;
  net.projections.push_back(std::move(p));
  return net.projections.back();
}

}  // namespace spinet
