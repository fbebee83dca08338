// Running a network in a test, on one rank or on several ranks of the loopback transport.
#pragma once
#include <sstream>
#include <string>
#include <vector>

#include "core/simulation.hpp"
#include "support/memory_recorder.hpp"
#include "support/one_rank.hpp"
#include "support/reference.hpp"

namespace spinet::test {

struct Run {
  Statistics statistics;
  MemoryRecorder recorder;
  const std::vector<Spike>& spikes() const { return recorder.spikes(); }
};

inline Run run_once(const Network& net, const SimulationOptions& options = {}) {
  Run r;
  OneRank one;
  Simulation simulation(net, one, options);
  r.statistics = simulation.run(&r.recorder);
  return r;
}
inline std::string first_difference(const std::vector<Spike>& a, const std::vector<Spike>& b);

/// If the run was short, once more with all blocks large (core/block/arrivals.hpp), which must change
/// nothing.
inline Run run(const Network& net, SimulationOptions options = {}) {
  Run r = run_once(net, options);
  if (r.statistics.run_seconds > 0.2 || options.small_slices == 0) return r;
  options.small_slices = 0;
  const Run other = run_once(net, options);
  REQUIRE(first_difference(r.spikes(), other.spikes()) == "");
  REQUIRE(r.recorder.same_samples(other.recorder));
  REQUIRE(r.statistics.deliveries == other.statistics.deliveries);
  return r;
}

/// Records the spikes of all neuron populations.
inline void record_all(Network& net) {
  net.spikes.clear();
  for (std::uint32_t p = 0; p < net.populations.size(); ++p)
    if (net.populations[p].neuron()) net.spikes.push_back({p, {}, 0, never});
}

/// Where two lists of spikes part, for people; empty if they are equal.  (Catch takes minutes to print long
/// lists.)
inline std::string first_difference(const std::vector<Spike>& a, const std::vector<Spike>& b) {
  const auto d = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (d.first == a.end() && d.second == b.end()) return "";
  const auto text = [](auto at, auto end) {
    return at == end ? std::string("none") : Catch::StringMaker<Spike>::convert(*at);
  };
  std::ostringstream o;
  o << "spike " << (d.first - a.begin()) << " of " << a.size() << " and " << b.size() << ": "
    << text(d.first, a.end()) << ", " << text(d.second, b.end());
  return o.str();
}

/// What comparing an engine's spikes with the reference found.
struct Comparison {
  std::size_t spikes = 0;   ///< of the reference
  std::size_t excused = 0;  ///< neurons that differ after a passage within the allowance
  std::vector<std::string> differences;
  std::string text() const {
    std::string all;
    for (std::size_t i = 0; i < differences.size() && i < 20; ++i) all += differences[i] + '\n';
    if (differences.size() > 20) all += "and " + std::to_string(differences.size() - 20) + " more\n";
    return all;
  }
};

/// Compares neuron by neuron, for networks whose neurons do not hear each other.  A neuron may differ only
/// from a tick on at which the reference passed its threshold within the allowance.
inline Comparison compare(const std::vector<Spike>& engine, const reference::Result& expected) {
  std::map<Gid, std::pair<std::vector<Tick>, std::vector<Tick>>> trains;
  for (const auto& s : engine) trains[s.gid].first.push_back(s.tick);
  for (const auto& s : expected.spikes) trains[s.gid].second.push_back(s.tick);
  std::map<Gid, Tick> ambiguous;
  for (const auto& a : expected.ambiguous) ambiguous.emplace(a.gid, a.tick);
  Comparison c;
  c.spikes = expected.spikes.size();
  for (const auto& [gid, pair] : trains) {
    const auto& [got, wanted] = pair;
    const auto d = std::mismatch(got.begin(), got.end(), wanted.begin(), wanted.end());
    if (d.first == got.end() && d.second == wanted.end()) continue;
    const Tick g = d.first == got.end() ? never : *d.first, w = d.second == wanted.end() ? never : *d.second;
    if (const auto a = ambiguous.find(gid); a != ambiguous.end() && a->second <= std::min(g, w)) {
      ++c.excused;
      continue;
    }
    std::ostringstream o;
    o << "gid " << gid << ", spike " << (d.second - wanted.begin()) << ": engine ";
    g == never ? o << "none" : o << g;
    o << ", reference ";
    w == never ? o << "none" : o << w;
    if (g != never && w != never) o << " (difference " << g - w << ")";
    c.differences.push_back(o.str());
  }
  return c;
}

/// The same for recurrent networks, where a licensed difference in one neuron changes all later ones.
inline Comparison compare_recurrent(const std::vector<Spike>& engine, const reference::Result& expected) {
  Comparison c;
  c.spikes = expected.spikes.size();
  const auto d = std::mismatch(engine.begin(), engine.end(), expected.spikes.begin(), expected.spikes.end());
  if (d.first == engine.end() && d.second == expected.spikes.end()) return c;
  const Tick g = d.first == engine.end() ? never : d.first->tick;
  const Tick w = d.second == expected.spikes.end() ? never : d.second->tick;
  for (const auto& a : expected.ambiguous)
    if (a.tick <= std::min(g, w)) {
      ++c.excused;
      return c;
    }
  std::ostringstream o;
  o << "spike " << (d.second - expected.spikes.begin()) << " of " << expected.spikes.size() << ": engine ";
  g == never ? o << "none" : o << "(" << g << ", " << d.first->gid << ")";
  o << ", reference ";
  w == never ? o << "none" : o << "(" << w << ", " << d.second->gid << ")";
  c.differences.push_back(o.str());
  return c;
}

}  // namespace spinet::test
