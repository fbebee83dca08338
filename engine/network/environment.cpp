// Environments: stop conditions on their metrics, and whether events can travel as fast as they ask.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "network/graph.hpp"
#include "network/parts.hpp"
#include "network/structs.hpp"
#include "network/suggest.hpp"
#include "network/units.hpp"

namespace spinet::reading {
namespace {

const char* const form_of_until =
    "for example until: reward_filtered >= 0.975, or task.reward_filtered >= 0.975 where there are several "
    "environments";

/// Shortest time from an event of population `from` to its arrival at each population, along the projections.
std::vector<Tick> travel_times(const Network& net, std::uint32_t from) {
  const auto index_of = [&](Gid g) {
    std::uint32_t p = 0;
    while (g - net.populations[p].first >= net.populations[p].size) ++p;
    return p;
  };
  std::vector<Tick> arrival(net.populations.size(), never), departure(net.populations.size(), never);
  departure[from] = 0;
  for (std::size_t round = 0; round <= net.populations.size(); ++round)  // Bellman-Ford: the graph is small
    for (const auto& projection : net.projections) {
      const Tick delay = shortest_delay(net, projection);
      Tick first = never;
      for (const auto& s : projection.sources) first = std::min(first, departure[index_of(s.first)]);
      if (first == never) continue;
      for (const auto& t : projection.targets) {
        const auto p = index_of(t.first);
        arrival[p] = std::min(arrival[p], first + delay);
        if (p != from) departure[p] = std::min(departure[p], arrival[p]);
      }
    }
  return arrival;
}

}  // namespace

void load_until(Loading& l, const Node& n) {
  Reader& r = l.read;
  const auto given = r.text(n, "until");
  if (!given) return;
  const auto at = given->find_first_of("<>");
  if (at == std::string::npos || at + 1 >= given->size() || (*given)[at + 1] != '=') {
    r.errors.error(n.mark,
                   fmt::format("{} is no stop condition: a metric, >= or <=, a number", in_quotes(*given)),
                   form_of_until);
    return;
  }
  StopCondition c;
  c.at_least = (*given)[at] == '>';
  std::string name(trimmed(std::string_view(*given).substr(0, at)));
  const std::string number(trimmed(std::string_view(*given).substr(at + 2)));
  char* end = nullptr;
  c.threshold = std::strtod(number.c_str(), &end);
  if (number.empty() || *end || !std::isfinite(c.threshold)) {
    r.errors.error(n.mark, fmt::format("{} is no number", in_quotes(number)), form_of_until);
    return;
  }
  std::string population;
  if (const auto dot = name.find('.'); dot != std::string::npos) {
    population = name.substr(0, dot);
    name = name.substr(dot + 1);
  }
  std::vector<std::string> environments, metrics;
  for (std::uint32_t p = 0; p < l.net.populations.size(); ++p) {
    const NeuronTable* t = l.net.populations[p].model ? l.net.populations[p].neuron() : nullptr;
    if (!t || !t->environment) continue;
    environments.push_back(l.net.populations[p].name);
    if (!population.empty() && population != environments.back()) continue;
    c.population = p;
    for (std::uint32_t m = 0; m < t->metric_count; ++m) metrics.emplace_back(t->metrics[m]);
  }
  if (environments.empty()) {
    r.errors.error(n.mark, "'until' needs an environment, and the network has none",
                   "a population of model pattern_task, for example");
  } else if (!population.empty() &&
             std::find(environments.begin(), environments.end(), population) == environments.end()) {
    r.errors.error(n.mark, fmt::format("{} is no environment", in_quotes(population)),
                   suggest(population, environments, "environments"));
  } else if (population.empty() && environments.size() > 1) {
    r.errors.error(n.mark, fmt::format("which environment's {}?", in_quotes(name)),
                   "environments: " + joined(environments));
  } else if (const auto m = std::find(metrics.begin(), metrics.end(), name); m == metrics.end()) {
    r.errors.error(n.mark, fmt::format("there is no metric {}", in_quotes(name)),
                   suggest(name, metrics, "metrics"));
  } else {
    c.metric = static_cast<std::uint32_t>(m - metrics.begin());
    l.net.until = c;
  }
}

void load_drives(Loading& l, const Node& populations) {
  Reader& r = l.read;
  for (std::size_t i = 0; i < populations.keys.size(); ++i) {
    const Node& n = r.resolved(populations.items[i]);
    const Node* const drives = n.is_map() ? n.find("drives") : nullptr;
    const auto at = l.populations.index.find(populations.keys[i].name);
    if (!drives || at == l.populations.index.end()) continue;
    Population& p = l.net.populations[at->second];
    if (p.model && !(p.neuron() && p.neuron()->environment)) {
      r.errors.error(drives->mark,
                     fmt::format("model {} is no environment, and drives nothing", p.model->name));
      continue;
    }
    std::vector<const Node*> items;
    if (drives->is_list())
      for (const auto& item : drives->items) items.push_back(&item);
    else items.push_back(drives);
    for (const Node* item : items) {
      const auto name = r.text(*item, "drives");
      const auto q = name ? l.projections.index.find(*name) : l.projections.index.end();
      if (q != l.projections.index.end()) {
        p.drives.push_back(q->second);
      } else if (name && l.projections.complete) {
        std::vector<std::string> known;
        for (const auto& [other, index] : l.projections.index) known.push_back(other);
        r.errors.error(item->mark, fmt::format("there is no projection {}", in_quotes(*name)),
                       suggest(*name, known, "projections"));
      }
    }
  }
}

void check_environments(Loading& l) {
  const Network& net = l.net;
  for (std::uint32_t p = 0; p < net.populations.size(); ++p) {
    const NeuronTable* t = net.populations[p].neuron();
    if (!t || !t->environment || !t->timing) continue;
    std::vector<double> values;
    for (const auto& d : net.populations[p].params) values.push_back(d.a);
    const auto params = fill_params(*net.populations[p].model, values);
    const RunInfo run{net.ticks_per_ms()};
    Tick deadline = 0, latency = 0;
    t->timing(params.data(), &run, &deadline, &latency);
    const auto time = [&](Tick ticks) { return l.read.time_text(static_cast<double>(ticks)); };
    if (const Tick least = lookahead(net); least != never && latency < least)
      l.read.errors.error(
          l.populations.marks[p],
          fmt::format(
              "the rewards of {} act after {}, sooner than an event travels (the shortest delay is {})",
              in_quotes(net.populations[p].name), time(latency), time(least)),
          "a longer latency; control events must be known before the window they act in");
    const Tick path = travel_times(net, p)[p];
    if (path != never && deadline < path)
      l.read.errors.error(
          l.populations.marks[p],
          fmt::format("environment {} reads the answer after {}, but the shortest path back to it takes {}",
                      in_quotes(net.populations[p].name), time(deadline), time(path)),
          "a later deadline or shorter delays");
  }
}

}  // namespace spinet::reading
