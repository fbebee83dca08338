// Which population a neuron belongs to; what a parameter is about.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>

#include "network/checked.hpp"
#include "spinet/math.hpp"

namespace spinet {

/// Index of the population that `gid` belongs to, which must be one of the network's.
inline std::uint32_t population_of(const Network& n, Gid gid) {
  const auto after = std::upper_bound(n.populations.begin(), n.populations.end(), gid,
                                      [](Gid g, const Population& p) { return g < p.first; });
  return static_cast<std::uint32_t>(after - n.populations.begin()) -
         1;  // empty ones share their first gid with the next
}

/// Neuron number `i` along concatenated ranges.
inline Gid gid_at(const std::vector<GidRange>& ranges, std::uint32_t i) {
  std::size_t r = 0;
  while (i >= ranges[r].count) i -= ranges[r++].count;
  return ranges[r].first + i;
}

/// The kernel that follows waveforms by itself, if the schedule drives population `p` with one it can follow;
/// else null.
inline const NeuronTable* following(const Network& n, const Population& p) {
  const NeuronTable* const t = p.neuron() ? p.neuron()->following : nullptr;
  return t && is_driven(n.schedule, t->followed, {p.first, p.size}) ? t : nullptr;
}
/// Is this a waveform that those whom it drives follow by themselves?
inline bool follows(const Network& n, const ScheduledControl& c) {
  const auto* const who = c.sets() && c.waveform() ? std::get_if<GidRange>(&c.to.places[0]) : nullptr;
  if (!who) return false;
  const NeuronTable* const t = following(n, n.populations[population_of(n, who->first)]);
  return t && t->followed == c.field;
}
/// A stimulus among those that a model answers; their number if it is none.
inline std::uint32_t index_of(const Stimulus& s, const Stimulus* some, std::uint32_t count) {
  std::uint32_t i = 0;
  while (i < count && some[i].name != s.name && std::strcmp(some[i].name, s.name)) ++i;
  return i;
}
inline std::uint32_t stimulus_of(const Model& m, const Stimulus& s) {
  return index_of(s, m.stimuli, m.stimulus_count);
}
inline bool answers(const Model& m, const Stimulus& s) { return stimulus_of(m, s) < m.stimulus_count; }
/// Value `i` of a stimulus of synapses that is a voltage lies between the two ends of each: on a crossbar
/// between a row and a column.
inline bool lies_across(const Stimulus& s, std::uint32_t i) {
  return (s.flags & wired) && !std::strcmp(s.fields[i].unit, "V");
}
inline bool lies_across(const Stimulus& s) {
  for (std::uint32_t i = 0; i < s.count; ++i)
    if (lies_across(s, i)) return true;
  return false;
}

/// A typical value, for choices that must depend on the network alone.
inline double nominal(const Distribution& d) {
  switch (d.kind) {
    case Distribution::Kind::uniform:
      return 0.5 * (d.a + d.b);
    case Distribution::Kind::lognormal:
      return std::clamp(math::exp(d.a), d.low, d.high);
    case Distribution::Kind::listed:
      return d.values.empty() ? 0 : d.values[0];
    default:
      return d.a;
  }
}

}  // namespace spinet
