// Edges in SONATA's format, from a log or from another program's file.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "log/open_log.hpp"
#include "log/reader.hpp"

namespace spinet {

using namespace logging;

namespace {

/// A column of properties of the edges, put into their order; empty if no edge has it.
std::vector<double> property(hid_t group, const std::string& name, const std::string& what,
                             std::size_t edges) {
  std::vector<std::string> holders;
  for (const auto& child : h5::names(group))
    if (!child.empty() && child.find_first_not_of("0123456789") == std::string::npos &&
        h5::exists(group, child + "/" + what))
      holders.push_back(child);
  if (holders.empty()) return {};
  if (holders.size() > 1)
    throw h5::Error(fmt::format("edges of {} have '{}' in {} groups of properties; files with one are read",
                                name, what, holders.size()));
  const auto values = h5::read_all<double>(group, holders[0] + "/" + what);
  if (!h5::exists(group, "edge_group_index") || !h5::exists(group, "edge_group_id")) {
    if (values.size() != edges)
      throw h5::Error(fmt::format("{} has {} edges but {} values of '{}'", name, edges, values.size(), what));
    return values;
  }
  const auto ids = h5::read_all<std::uint64_t>(group, "edge_group_id"),
             places = h5::read_all<std::uint64_t>(group, "edge_group_index");
  if (ids.size() != edges || places.size() != edges)
    throw h5::Error(fmt::format("{} has {} edges but {} group ids and {} group indices", name, edges,
                                ids.size(), places.size()));
  std::vector<double> sorted(edges);
  for (std::size_t e = 0; e < edges; ++e) {
    if (fmt::format("{}", ids[e]) != holders[0])
      throw h5::Error(fmt::format("edge {} of {} has no '{}'", e, name, what));
    if (places[e] >= values.size())
      throw h5::Error(fmt::format("edge {} of {} has the group index {}, but there are {} values of '{}'", e,
                                  name, places[e], values.size(), what));
    sorted[e] = values[places[e]];
  }
  return sorted;
}

/// The unit of a property, or nothing where the file does not say.
std::string unit_of(hid_t group, const std::string& what) {
  if (!h5::exists(group, "0/" + what)) return {};
  const auto d = h5::open_dataset(group, "0/" + what);
  return h5::has_attribute(d, "units") ? h5::read_text_attribute(d, "units") : std::string();
}

SonataEdges read_edge_group(hid_t all, const std::string& name, std::uint64_t most,
                            const std::vector<std::string>& properties) {
  const auto group = h5::open_group(all, name);
  SonataEdges e;
  e.group = name;
  const auto ends = [&](const char* column, std::string& population) {
    const auto d = h5::open_dataset(group, column);
    const auto shape = h5::shape_of(d);
    if (shape.size() == 1 && shape[0] > most)
      throw h5::Error(fmt::format("{} has {} edges; memory would not hold them", name, shape[0]));
    if (h5::has_attribute(d, "node_population")) population = h5::read_text_attribute(d, "node_population");
    return h5::read_all<std::uint64_t>(group, column);
  };
  e.sources = ends("source_node_id", e.source);
  e.targets = ends("target_node_id", e.target);
  if (e.sources.size() != e.targets.size())
    throw h5::Error(
        fmt::format("{} has {} source nodes but {} target nodes", name, e.sources.size(), e.targets.size()));
  e.weights = property(group, name, "syn_weight", e.sources.size());
  e.delays = property(group, name, "delay", e.sources.size());
  std::uint64_t all_synapses = 0;
  for (const double n : property(group, name, "nsyns", e.sources.size())) {
    if (!(n >= 0 && n == std::floor(n) && n <= static_cast<double>(most - all_synapses)))
      throw h5::Error(
          n >= 0 && n == std::floor(n)
              ? fmt::format("the edges of {} have more than {} synapses (nsyns); memory would not hold them",
                            name, most)
              : fmt::format("edge {} of {} has {} synapses (nsyns)", e.counts.size(), name, n));
    e.counts.push_back(static_cast<std::uint64_t>(n));
    all_synapses += e.counts.back();
  }
  if (!e.weights.empty()) e.weight_unit = unit_of(group, "syn_weight");
  if (const auto unit = e.delays.empty() ? std::string() : unit_of(group, "delay");
      !unit.empty() && unit != "ms")
    throw h5::Error("the delays of " + name + " are in " + unit + ", not in ms");
  for (const auto& what : properties) {
    e.properties.push_back({property(group, name, what, e.sources.size()), {}});
    if (!e.properties.back().values.empty()) e.properties.back().unit = unit_of(group, what);
  }
  return e;
}

}  // namespace

std::vector<SonataEdges> read_sonata_edges(const std::filesystem::path& path, const std::string& wanted,
                                           std::uint64_t most, const std::vector<std::string>& properties) {
  return readable(path, [&] {
    const auto open = open_whole(path);
    const hid_t file = open->file;
    refuse_without_journal(file, path);
    if (!h5::exists(file, "edges"))
      throw h5::Error(
          "has no group /edges: it is not a SONATA edges file, or a log of a run without `record: {edges: "
          "...}`");
    const auto all = h5::open_group(file, "edges");
    const auto names = h5::names(all);
    std::vector<std::string> chosen;
    for (const auto& n : names) {
      const auto group = h5::open_group(all, n);
      const bool of_projection =
          h5::has_attribute(group, "projection") && h5::read_text_attribute(group, "projection") == wanted;
      if (wanted.empty() || n == wanted || of_projection) chosen.push_back(n);
    }
    if (wanted.empty() && names.size() != 1)
      throw h5::Error(fmt::format("has {} edge populations ({}): one must be named", names.size(),
                                  fmt::join(names, ", ")));
    if (chosen.empty())
      throw h5::Error(
          fmt::format("has no edges of a population \"{}\" (it has: {})", wanted, fmt::join(names, ", ")));
    std::vector<SonataEdges> groups;
    for (const auto& n : chosen) {
      groups.push_back(read_edge_group(all, n, most, properties));
      const auto& counts = groups.back().counts;
      most -= std::min<std::uint64_t>(
          most, std::accumulate(counts.begin(), counts.end(),
                                counts.empty() ? groups.back().sources.size() : std::uint64_t{0}));
    }
    return groups;
  });
}

}  // namespace spinet
