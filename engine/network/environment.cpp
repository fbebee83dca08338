// Environments: stop conditions on their metrics, whether events can travel as fast as they ask, and whether
// what they drive fits them.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <memory>

#include "network/graph.hpp"
#include "network/lookup.hpp"
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

/// An environment counts the sources and targets of what it drives, and its own members: where the former
/// are among the latter both numbers must be the same.  The first end whose are not; false if there is none.
bool misplaced(const std::vector<GidRange>& ends, const Population& p, std::uint64_t& end, Gid& member) {
  std::uint64_t before = 0;
  for (const auto& r : ends) {
    const std::uint64_t first = std::max(r.first, p.first),
                        last = std::min(std::uint64_t{r.first} + r.count, std::uint64_t{p.first} + p.size);
    end = before + first - r.first;
    member = static_cast<Gid>(first - p.first);
    if (first < last && end != member) return true;
    before += r.count;
  }
  return false;
}

/// Can population `p` do anything to projection `q`, and does it mean the right rows and columns?
void check_driven(Loading& l, const Population& p, const Projection& q, Mark where) {
  const NeuronTable& t = *p.neuron();
  std::vector<std::string> posted;
  bool heard = t.post_count == 0;
  for (std::uint32_t i = 0; i < t.post_count; ++i) {
    posted.emplace_back(t.posts[i].name);
    heard = heard || answers(q.synapse->model, t.posts[i]);
  }
  if (!heard) {
    std::vector<std::string> able;
    for (const auto& e : l.read.catalogue.all())
      for (std::uint32_t i = 0; e.model->kind == Kind::synapse && i < t.post_count; ++i)
        if (answers(*e.model, t.posts[i])) {
          able.emplace_back(e.model->name);
          break;
        }
    l.read.errors.error(
        where,
        fmt::format("the synapses of {} are of model {}, which answers nothing that {} posts ({})",
                    in_quotes(q.name), q.synapse->model.name, t.model.name, joined(posted)),
        able.empty() ? "" : "models that do: " + joined(able));
  }
  std::uint64_t end = 0;
  Gid member = 0;
  for (const bool from : {true, false}) {
    const auto& ends = from ? q.sources : q.targets;
    if (!misplaced(ends, p, end, member)) continue;
    const std::uint64_t count = from ? q.source_count() : q.target_count();
    l.read.errors.error(
        where,
        fmt::format("{} {} of {} is member {} of {}, which takes it for its member {}",
                    from ? "source" : "target", end, in_quotes(q.name), member, in_quotes(p.name), end),
        fmt::format("members from 0 on, in their order, for example {}: \"{}[0:{}]\"", from ? "from" : "to",
                    p.name, count));
  }
}

/// Memory as models expect it: zero at first, on lines of the cache.
class Lines {
 public:
  explicit Lines(std::size_t bytes) : all_(bytes / sizeof(Line) + 1) {}
  void* data() { return all_.data(); }

 private:
  struct alignas(64) Line {
    std::byte bytes[64]{};
  };
  std::vector<Line> all_;
};

/// What the model says against the projections that population `p` drives and its patterns, when its first
/// member begins; or null.
const char* refusal(const Network& net, const Population& p, const std::vector<double>& params) {
  const NeuronTable& t = *p.neuron();
  const RunInfo run{net.ticks_per_ms()};
  const Tick frame = t.frame ? t.frame(params.data(), &run) : 0;
  Lines state(t.state_size), constants(t.constants_size), shared(t.shared_size), common(t.common_size);
  if (t.prepare) t.prepare(shared.data(), params.data(), &run, frame);
  std::vector<double> initial{0};
  for (const auto& d : p.initial) initial.push_back(d.kind == Distribution::Kind::listed ? d.values[0] : d.a);
  std::vector<DrivenSize> driven;
  for (const auto q : p.drives)
    driven.push_back({static_cast<std::uint32_t>(net.projections[q].source_count()),
                      static_cast<std::uint32_t>(net.projections[q].target_count())});
  constexpr std::uint32_t room = limit::requests_per_neuron;
  Request asked[room + 1];
  Posting posted[limit::postings + 1];
  Outbox out{asked, 0, room, posted, 0, limit::postings};
  const RandomKey random{};
  NeuronBlock block{};
  block.state = state.data(), block.constants = constants.data();
  block.shared = shared.data(), block.common = common.data();
  block.gids = &p.first, block.random = &random;
  block.out = &out;
  block.size = p.size;
  block.frame_length = frame;
  block.run = run;
  block.driven = driven.data(), block.driven_count = static_cast<std::uint32_t>(driven.size());
  const std::size_t columns = std::size_t{p.pattern_inputs} + p.pattern_targets;
  block.table = p.patterns.data();
  block.table_inputs = p.pattern_inputs, block.table_targets = p.pattern_targets;
  block.table_rows = columns ? static_cast<std::uint32_t>(p.patterns.size() / columns) : 0;
  t.init(&block, 0, params.data(), initial.data() + 1);
  for (std::uint32_t i = 0; i < std::min(out.size, room); ++i)
    if (asked[i].ask == Ask::fail) return std::bit_cast<const char*>(asked[i].payload);
  return nullptr;
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
        const Projection& driven = l.net.projections[q->second];
        if (p.model && driven.synapse && !l.projections.flawed[q->second] &&
            !l.populations.flawed[at->second])
          check_driven(l, p, driven, item->mark);
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
    if (!t || !t->environment || net.populations[p].size == 0) continue;
    std::vector<double> values;
    for (const auto& d : net.populations[p].params)
      values.push_back(d.kind == Distribution::Kind::listed ? d.values[0] : d.a);
    const auto params = fill_params(*net.populations[p].model, values);
    if (const char* const reason = refusal(net, net.populations[p], params))
      l.read.errors.error(l.populations.marks[p],
                          fmt::format("environment {}: {}", in_quotes(net.populations[p].name), reason));
    if (!t->timing) continue;
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
