// Weights of an earlier run's log, for networks that begin with them.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "log/open_log.hpp"
#include "log/reader.hpp"

namespace spinet {

using namespace logging;

namespace {

std::vector<std::string> population_names(hid_t file) {
  const auto table = h5::open_dataset(h5::open_group(file, "spinet"), "populations");
  const auto shape = h5::shape_of(table);
  const h5::Id stored(h5::check(H5Dget_type(table), "the population table"));
  const int member = H5Tget_class(stored) == H5T_COMPOUND ? H5Tget_member_index(stored, "name") : -1;
  if (member < 0 || shape.size() != 1) throw h5::Error("the population table is damaged");
  const h5::Id name(h5::check(H5Tget_member_type(stored, static_cast<unsigned>(member)), "the population table"));
  const std::size_t width = H5Tget_size(name);
  if (H5Tget_class(name) != H5T_STRING || H5Tis_variable_str(name) > 0 || width > 4096 || shape[0] > 1'000'000) throw h5::Error("the population table is damaged");
  const h5::Id memory(h5::check(H5Tcreate(H5T_COMPOUND, width), "the population table"));
  h5::check(H5Tinsert(memory, "name", 0, name), "the population table");
  std::vector<char> bytes(width * shape[0] + 1, '\0');
  h5::check(H5Dread(table, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()), "the population table");
  std::vector<std::string> names;
  for (std::size_t i = 0; i < shape[0]; ++i) names.emplace_back(bytes.data() + i * width, strnlen(bytes.data() + i * width, width));
  return names;
}

/// Columns of `mapping`, as rows without values.
void add_mapping(FileWeights& all, hid_t group) {
  const auto sources = h5::read_all<std::uint64_t>(group, "mapping/source_node_id"), targets = h5::read_all<std::uint64_t>(group, "mapping/target_node_id");
  const auto from = h5::read_all<std::uint32_t>(group, "mapping/source_population"), to = h5::read_all<std::uint32_t>(group, "mapping/target_population");
  if (targets.size() != sources.size() || from.size() != sources.size() || to.size() != sources.size()) throw h5::Error("the mapping has columns of different lengths");
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (from[i] >= all.populations.size() || to[i] >= all.populations.size()) throw h5::Error("the mapping names a population that the run did not have");
    all.rows.push_back({from[i], to[i], sources[i], targets[i], 0});
  }
}

}  // namespace

FileWeights read_weights(const std::filesystem::path& path, const std::string& projection, const std::string& variable, bool first, const std::string& values) {
  return readable(path, [&] {
    const auto open = open_whole(path);
    const hid_t file = open->file;
    refuse_without_journal(file, path);
    if (!h5::exists(file, "spinet")) throw h5::Error("is not the log of a run");
    FileWeights all;
    all.populations = population_names(file);
    const std::string place = first ? projection : projection + "." + variable;
    const auto group_of = [&](const char* kind, const char* what) {
      const auto names = h5::exists(file, kind) ? h5::names(h5::open_group(file, kind)) : std::vector<std::string>{};
      if (std::find(names.begin(), names.end(), place) == names.end())
        throw h5::Error(fmt::format("has no {} of {} of projection {}; /{} has: {}", what, variable, projection, kind, names.empty() ? "nothing" : fmt::format("{}", fmt::join(names, ", "))));
      return h5::open_group(h5::open_group(file, kind), place);
    };
    if (values == "frame") {
      const auto group = group_of("weights", "frames");
      add_mapping(all, group);
      const auto data = h5::open_dataset(group, "data");
      const auto shape = h5::shape_of(data);
      h5::check_number(h5::Id(h5::check(H5Dget_type(data), "data")), "data");
      if (shape.size() != 2 || shape[1] != all.rows.size()) throw h5::Error("the weights do not fit their mapping");
      if (shape[0] == 0) throw h5::Error("has no frame of " + place + " yet");
      std::vector<double> last(all.rows.size());
      const hsize_t start[2] = {shape[0] - 1, 0}, count[2] = {1, shape[1]};
      const h5::Id from(h5::check(H5Dget_space(data), "data")), memory(h5::check(H5Screate_simple(2, count, nullptr), "data"));
      h5::check(H5Sselect_hyperslab(from, H5S_SELECT_SET, start, nullptr, count, nullptr), "data");
      h5::check(H5Dread(data, H5T_NATIVE_DOUBLE, memory, from, H5P_DEFAULT, last.data()), "reading data");
      for (std::size_t i = 0; i < last.size(); ++i) all.rows[i].value = last[i];
    } else if (values == "events") {
      const auto group = group_of("weight_events", "events");
      add_mapping(all, group);
      const auto ids = h5::read_all<std::uint64_t>(group, "mapping/edge_ids"), edges = h5::read_all<std::uint64_t>(group, "edge_ids");
      const auto numbers = h5::read_all<double>(group, "values");
      if (ids.size() != all.rows.size() || edges.size() != numbers.size()) throw h5::Error("the weight events have columns of different lengths");
      std::unordered_map<std::uint64_t, double> last;
      for (std::size_t i = 0; i < edges.size(); ++i) last[edges[i]] = numbers[i];
      for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto at = last.find(ids[i]);
        if (at == last.end()) throw h5::Error(fmt::format("has no event of synapse {} of {}; `on_change` and `at` log all of the synapses named", ids[i], place));
        all.rows[i].value = at->second;
      }
    } else {
      if (!h5::exists(file, "edges")) throw h5::Error("has no edges; `record: {edges: [" + projection + "]}` logs them");
      const auto edges = h5::open_group(file, "edges");
      bool any = false;
      for (const auto& name : h5::names(edges)) {
        const auto group = h5::open_group(edges, name);
        if (h5::read_text_attribute(group, "projection") != projection) continue;
        any = true;
        const auto index = [&](const char* end) {
          const auto population = h5::read_text_attribute(group, end);
          const auto at = std::find(all.populations.begin(), all.populations.end(), population);
          if (at == all.populations.end()) throw h5::Error("edges " + name + " name a population that the run did not have");
          return static_cast<std::uint32_t>(at - all.populations.begin());
        };
        const auto from = index("source"), to = index("target");
        const auto sources = h5::read_all<std::uint64_t>(group, "source_node_id"), targets = h5::read_all<std::uint64_t>(group, "target_node_id");
        const auto weights = h5::read_all<double>(group, "0/syn_weight");
        if (targets.size() != sources.size() || weights.size() != sources.size()) throw h5::Error("edges " + name + " have columns of different lengths");
        for (std::size_t i = 0; i < sources.size(); ++i) all.rows.push_back({from, to, sources[i], targets[i], weights[i]});
      }
      if (!any) throw h5::Error(fmt::format("has no edges of projection {}; /edges has: {}", projection, fmt::join(h5::names(edges), ", ")));
    }
    return all;
  });
}

}  // namespace spinet
