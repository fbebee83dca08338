#include "network/notes.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "connect/rule.hpp"
#include "network/crossbar.hpp"
#include "network/numbers.hpp"
#include "network/reading.hpp"
#include "network/suggest.hpp"

namespace spinet {
namespace {

/// Marks the members of population `p` that are among the neurons of `ranges`; of the listed ones only those
/// with edges.
void mark(const Population& p, const std::vector<GidRange>& ranges, const Projection& of, bool sources,
          std::vector<bool>& members) {
  std::vector<bool> listed;
  if (of.rule->lists()) {
    listed.resize(sources ? of.source_count() : of.target_count());
    for (const auto& e : of.edges) listed[sources ? e.source : e.target] = true;
  }
  std::size_t place = 0;
  for (const auto& r : ranges)
    for (std::uint64_t g = r.first; g < std::uint64_t{r.first} + r.count; ++g, ++place)
      if (g >= p.first && g < std::uint64_t{p.first} + p.size && (listed.empty() || listed[place]))
        members[g - p.first] = true;
}

std::string numbers(const std::vector<std::uint32_t>& some) {
  std::string s = some.size() == 1 ? "member " : "members ";
  for (std::size_t i = 0; i < some.size() && i < 10; ++i) s += fmt::format("{}{}", i ? ", " : "", some[i]);
  return some.size() > 10 ? s + ", ..." : s;
}

/// An environment sends spikes, its patterns say, and hears the answers at its first port; both want
/// projections.
void wiring(const Network& n, const Population& p, std::vector<std::string>& all) {
  const NeuronTable& table = *p.neuron();
  std::vector<bool> sends(p.size), hears(p.size);
  for (const auto& projection : n.projections) {
    mark(p, projection.sources, projection, true, sends);
    if (projection.port == 0) mark(p, projection.targets, projection, false, hears);
  }
  std::vector<std::uint32_t> mute, deaf;
  for (std::uint32_t j = 0; j < p.size; ++j) {
    if (!sends[j]) mute.push_back(j);
    if (j < (table.patterns ? p.pattern_targets : p.size) && !hears[j]) deaf.push_back(j);
  }
  const std::string who = fmt::format("environment {}", in_quotes(p.name));
  const std::string port = table.port_count > 0 ? table.ports[0].name : "";
  const bool silent = mute.size() == p.size,
             unheard = !port.empty() && !deaf.empty() &&
                       deaf.size() == (table.patterns ? p.pattern_targets : p.size);
  if (silent && unheard) all.push_back(who + " is connected to nothing");
  if (!table.patterns || (silent && unheard))
    return;  // of others nobody knows what they send and want to hear
  if (silent) all.push_back(who + " shows its patterns to nobody: no projection is from it");
  else if (!mute.empty()) all.push_back(fmt::format("{}: no projection is from {}", who, numbers(mute)));
  if (unheard)
    all.push_back(fmt::format("{} hears no answers: no projection reaches its port '{}'", who, port));
  else if (!port.empty() && !deaf.empty())
    all.push_back(fmt::format("{}: no projection reaches {} at port '{}', where an answer is expected", who,
                              numbers(deaf), port));
}

std::string time(const Network& n, Tick t) {
  return exact_time_text(static_cast<double>(t) / n.ticks_per_ms() / 1e3);
}

}  // namespace

std::vector<std::string> notes(const Network& n) {
  std::vector<std::string> all;
  for (const auto& p : n.populations)
    if (p.neuron() && p.neuron()->environment) wiring(n, p, all);
  crossbar_notes(n, all);
  for (const auto& r : n.weight_events) {
    const auto late = std::lower_bound(r.at.begin(), r.at.end(), n.duration);  // [0, duration) happens
    if (late != r.at.end())
      all.push_back(fmt::format("weights of {} at {}{} are not logged: the run ends before, at {}",
                                in_quotes(n.projections[r.projection].name), time(n, *late),
                                late + 1 == r.at.end() ? "" : " and later", time(n, n.duration)));
  }
  return all;
}

}  // namespace spinet
