// Weights of an earlier run's log, for networks that begin with them.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "log/ends.hpp"
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
  const h5::Id name(
      h5::check(H5Tget_member_type(stored, static_cast<unsigned>(member)), "the population table"));
  const std::size_t width = H5Tget_size(name);
  if (H5Tget_class(name) != H5T_STRING || H5Tis_variable_str(name) > 0 || width > 4096 ||
      shape[0] > 1'000'000)
    throw h5::Error("the population table is damaged");
  const h5::Id memory(h5::check(H5Tcreate(H5T_COMPOUND, width), "the population table"));
  h5::check(H5Tinsert(memory, "name", 0, name), "the population table");
  std::vector<char> bytes(width * shape[0] + 1, '\0');
  h5::check(H5Dread(table, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()), "the population table");
  std::vector<std::string> names;
  for (std::size_t i = 0; i < shape[0]; ++i)
    names.emplace_back(bytes.data() + i * width, strnlen(bytes.data() + i * width, width));
  return names;
}

using Rows = std::vector<FileWeights::Row>;

/// A variable as one group of the log has it.
struct Column {
  Rows rows;
  std::vector<double> values;
  std::int64_t when = 0;  ///< tick of the frame
  std::string times;      ///< of events: the rule by which they were taken; empty: the log does not say
  std::vector<std::uint64_t> ids;  ///< of events: the synapses
};

Rows mapping_of(hid_t group, std::size_t populations) {
  const auto sources = h5::read_all<std::uint64_t>(group, "mapping/source_node_id"),
             targets = h5::read_all<std::uint64_t>(group, "mapping/target_node_id");
  const auto from = h5::read_all<std::uint32_t>(group, "mapping/source_population"),
             to = h5::read_all<std::uint32_t>(group, "mapping/target_population");
  if (targets.size() != sources.size() || from.size() != sources.size() || to.size() != sources.size())
    throw h5::Error("the mapping has columns of different lengths");
  Rows rows;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (from[i] >= populations || to[i] >= populations)
      throw h5::Error("the mapping names a population that the run did not have");
    rows.push_back({from[i], to[i], sources[i], targets[i]});
  }
  return rows;
}

/// The ends of a projection; nothing where an older version wrote the log.
std::vector<LoggedEnds::Part> ends_of(hid_t group, const std::string& name, std::size_t populations) {
  std::vector<LoggedEnds::Part> parts;
  if (!h5::exists(group, name)) return parts;
  const auto d = h5::open_dataset(group, name);
  const auto shape = h5::shape_of(d);
  h5::check_stored(d, name);
  if (shape.size() != 2 || shape[1] != 3) throw h5::Error("dataset " + name + " has another shape");
  h5::check_whole(d, name, h5::WholeType::of<std::uint64_t>());
  std::vector<std::uint64_t> numbers(shape[0] * 3);
  h5::read_values(d, name, std::span(numbers));
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < numbers.size(); i += 3) {
    constexpr std::uint64_t most = 0xFFFFFFFFu;
    if (numbers[i] >= populations || numbers[i + 1] > most || numbers[i + 2] > most - all)
      throw h5::Error("dataset " + name + " names neurons that the run did not have");
    all += numbers[i + 2];
    parts.push_back({static_cast<std::uint32_t>(numbers[i]), numbers[i + 1], numbers[i + 2]});
  }
  return parts;
}

Column last_frame(hid_t group, const std::string& place, std::size_t populations) {
  Column c;
  c.rows = mapping_of(group, populations);
  const auto data = h5::open_dataset(group, "data");
  const auto shape = h5::shape_of(data);
  h5::check_number(h5::Id(h5::check(H5Dget_type(data), "data")), "data");
  if (shape.size() != 2 || shape[1] != c.rows.size()) throw h5::Error("the weights do not fit their mapping");
  if (shape[0] == 0) throw h5::Error("has no frame of " + place + " yet");
  c.values.resize(c.rows.size());
  const hsize_t start[2] = {shape[0] - 1, 0}, count[2] = {1, shape[1]};
  const h5::Id from(h5::check(H5Dget_space(data), "data")),
      memory(h5::check(H5Screate_simple(2, count, nullptr), "data"));
  h5::check(H5Sselect_hyperslab(from, H5S_SELECT_SET, start, nullptr, count, nullptr), "data");
  h5::check(H5Dread(data, H5T_NATIVE_DOUBLE, memory, from, H5P_DEFAULT, c.values.data()), "reading data");
  const auto frames = static_cast<std::uint64_t>(shape[0] - 1);  // unsigned: a damaged file overflows nothing
  c.when = static_cast<std::int64_t>(
      static_cast<std::uint64_t>(h5::read_attribute<std::int64_t>(group, "start_ticks")) +
      frames * static_cast<std::uint64_t>(h5::read_attribute<std::int64_t>(group, "step_ticks")));
  return c;
}

Column last_events(hid_t group, const std::string& place, std::size_t populations) {
  Column c;
  c.rows = mapping_of(group, populations);
  c.ids = h5::read_all<std::uint64_t>(group, "mapping/edge_ids");
  if (H5Aexists(group, "times") > 0) c.times = h5::read_text_attribute(group, "times");
  const auto edges = h5::read_all<std::uint64_t>(group, "edge_ids");
  const auto numbers = h5::read_all<double>(group, "values");
  if (c.ids.size() != c.rows.size() || edges.size() != numbers.size())
    throw h5::Error("the weight events have columns of different lengths");
  std::unordered_map<std::uint64_t, double> last;
  for (std::size_t i = 0; i < edges.size(); ++i) last[edges[i]] = numbers[i];
  for (const auto id : c.ids) {
    const auto at = last.find(id);
    if (at == last.end())
      throw h5::Error(fmt::format(
          "has no event of synapse {} of {}; `on_change` and `at` log all of the synapses named", id, place));
    c.values.push_back(at->second);
  }
  return c;
}

/// Frames or events of all variables wanted that are there.
void read_columns(hid_t file, const WantedState& wanted, FileWeights& all) {
  const bool frames = wanted.values == "frame";
  const char *kind = frames ? "weights" : "weight_events", *what = frames ? "frames" : "events";
  const auto places =
      h5::exists(file, kind) ? h5::names(h5::open_group(file, kind)) : std::vector<std::string>{};
  Column first;
  for (std::size_t v = 0; v < wanted.variables.size(); ++v) {
    const std::string& name = wanted.variables[v];
    const std::string place = name == wanted.in_place ? wanted.projection : wanted.projection + "." + name;
    if (std::find(places.begin(), places.end(), place) == places.end()) {
      all.missing[v] =
          fmt::format("has no {} of {} of projection {}; /{} has: {}", what, name, wanted.projection, kind,
                      places.empty() ? "nothing" : fmt::format("{}", fmt::join(places, ", ")));
      if (v == 0) throw h5::Error(all.missing[v]);
      continue;
    }
    const auto group = h5::open_group(h5::open_group(file, kind), place);
    Column c = frames ? last_frame(group, place, all.populations.size())
                      : last_events(group, place, all.populations.size());
    if (v == 0) {
      first = std::move(c);
      all.rows = first.rows;
      all.values[0] = first.values;
    } else if (c.when != first.when) {
      all.missing[v] =
          fmt::format("has its last frame of {} at another time than that of {}", name, wanted.variables[0]);
    } else if (!frames && (c.times != first.times || c.times.empty())) {
      all.missing[v] =
          fmt::format("has its events of {} at other times than those of {}", name, wanted.variables[0]);
    } else if (c.ids != first.ids || c.values.size() != first.values.size()) {
      all.missing[v] =
          fmt::format("has {} of {} of other synapses than of {}", what, name, wanted.variables[0]);
    } else {
      all.values[v] = std::move(c.values);
    }
  }
}

/// What the edges hold, group by group.
void read_edge_columns(hid_t file, const WantedState& wanted, FileWeights& all) {
  const std::string& projection = wanted.projection;
  if (!h5::exists(file, "edges"))
    throw h5::Error("has no edges; `record: {edges: [" + projection + "]}` logs them");
  const auto edges = h5::open_group(file, "edges");
  bool any = false;
  for (const auto& name : h5::names(edges)) {
    const auto group = h5::open_group(edges, name);
    if (h5::read_text_attribute(group, "projection") != projection) continue;
    any = true;
    const auto index = [&](const char* end) {
      const auto population = h5::read_text_attribute(group, end);
      const auto at = std::find(all.populations.begin(), all.populations.end(), population);
      if (at == all.populations.end())
        throw h5::Error("edges " + name + " name a population that the run did not have");
      return static_cast<std::uint32_t>(at - all.populations.begin());
    };
    const auto from = index("source"), to = index("target");
    const auto sources = h5::read_all<std::uint64_t>(group, "source_node_id"),
               targets = h5::read_all<std::uint64_t>(group, "target_node_id");
    if (targets.size() != sources.size())
      throw h5::Error("edges " + name + " have columns of different lengths");
    for (std::size_t v = 0; v < wanted.variables.size(); ++v) {
      const std::string column =
          "0/" + (v == 0 && wanted.weight ? std::string("syn_weight") : wanted.variables[v]);
      if (!h5::exists(group, column)) {
        all.missing[v] =
            fmt::format("has no {} in its edges of projection {}", wanted.variables[v], projection);
        if (v == 0) throw h5::Error(all.missing[v]);
        continue;
      }
      const auto values = h5::read_all<double>(group, column);
      if (values.size() != sources.size())
        throw h5::Error("edges " + name + " have columns of different lengths");
      all.values[v].insert(all.values[v].end(), values.begin(), values.end());
    }
    for (std::size_t i = 0; i < sources.size(); ++i) all.rows.push_back({from, to, sources[i], targets[i]});
  }
  if (!any)
    throw h5::Error(fmt::format("has no edges of projection {}; /edges has: {}", projection,
                                fmt::join(h5::names(edges), ", ")));
}

}  // namespace

FileWeights read_weights(const std::filesystem::path& path, const WantedState& wanted) {
  return readable(path, [&] {
    const auto open = open_whole(path);
    const hid_t file = open->file;
    refuse_without_journal(file, path);
    if (!h5::exists(file, "spinet")) throw h5::Error("is not the log of a run");
    FileWeights all;
    all.populations = population_names(file);
    all.values.resize(wanted.variables.size());
    all.missing.resize(wanted.variables.size());
    if (wanted.values == "edges") read_edge_columns(file, wanted, all);
    else read_columns(file, wanted, all);
    return all;
  });
}

LoggedEnds read_ends(const std::filesystem::path& path, const std::string& place) {
  return readable(path, [&] {
    const auto open = open_whole(path);
    const auto group = h5::open_group(h5::open_group(open->file, "weights"), place);
    const std::size_t populations = population_names(open->file).size();
    return LoggedEnds{ends_of(group, "mapping/sources", populations),
                      ends_of(group, "mapping/targets", populations)};
  });
}

}  // namespace spinet
