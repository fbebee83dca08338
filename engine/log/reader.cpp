// What a log holds, in short.
#include "log/reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "core/simulation.hpp"
#include "log/layout.hpp"
#include "log/open_log.hpp"
#include "network/printable.hpp"
#include "network/suggest.hpp"

namespace spinet {

using namespace logging;

const char* name_of(RunStatus status) {
  switch (status) {
    case RunStatus::running:
      return layout::status::running;
    case RunStatus::complete:
      return layout::status::complete;
    case RunStatus::stopped:
      return layout::status::stopped;
    case RunStatus::interrupted:
      return layout::status::interrupted;
    case RunStatus::killed:
      return layout::status::killed;
  }
  return "unknown";
}

namespace {

hid_t require_spinet(hid_t file, h5::Id& group) {
  if (!h5::exists(file, "spinet"))
    throw h5::Error(
        h5::exists(file, "sweep")
            ? "holds the results of a sweep, not the log of a run: spinet sweep --report shows them"
            : "is an HDF5 file, but not the log of a Spinet run");
  group = h5::open_group(file, "spinet");
  const auto version = h5::read_attribute<std::uint32_t>(group, "format_version");
  if (version > layout::format_version)
    throw h5::Error(fmt::format("was written by a newer Spinet (log format {}, this one reads {})", version,
                                layout::format_version));
  return group;
}

std::string text_or_empty(hid_t at, const char* name) {
  return h5::has_attribute(at, name) ? h5::read_text_attribute(at, name) : std::string();
}

/// First and last element of a one-dimensional dataset of doubles.
std::pair<double, double> ends(hid_t dataset, std::uint64_t rows) {
  h5::check_number(h5::Id(h5::check(H5Dget_type(dataset), "timestamps")), "timestamps");
  double value[2];
  const std::array<hsize_t, 1> one{1};
  const h5::Id memory(h5::check(H5Screate_simple(1, one.data(), nullptr), "a shape"));
  for (int i = 0; i < 2; ++i) {
    const h5::Id space(h5::check(H5Dget_space(dataset), "a dataset's shape"));
    const std::array<hsize_t, 1> start{i ? rows - 1 : 0};
    h5::check(H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, one.data(), nullptr),
              "selecting rows");
    h5::check(H5Dread(dataset, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, &value[i]),
              "reading timestamps");
  }
  return {value[0], value[1]};
}

std::vector<LoggedPopulation> read_populations(hid_t provenance) {
  const auto d = h5::open_dataset(provenance, "populations");
  h5::check_size(d, "populations");
  const h5::Id stored(h5::check(H5Dget_type(d), "the population table"));
  const auto text_bytes = [&](const char* member) {
    const int i = H5Tget_member_index(stored, member);
    if (i < 0) throw h5::Error(std::string("the population table has no column ") + member);
    const h5::Id t(h5::check(H5Tget_member_type(stored, static_cast<unsigned>(i)), "the population table"));
    if (H5Tget_class(t) != H5T_STRING || H5Tis_variable_str(t) != 0 || H5Tget_size(t) > (1u << 16))
      throw h5::Error(std::string("the population table's column ") + member + " is not text");
    return H5Tget_size(t);
  };
  if (H5Tget_class(stored) != H5T_COMPOUND) throw h5::Error("the population table is not a table");
  const std::size_t name = text_bytes("name"), model = text_bytes("model"), kind = text_bytes("kind");
  for (const char* number : {"first_gid", "size"}) {
    const int i = H5Tget_member_index(stored, number);
    if (i < 0) throw h5::Error(std::string("the population table has no column ") + number);
    h5::check_number(
        h5::Id(h5::check(H5Tget_member_type(stored, static_cast<unsigned>(i)), "the population table")),
        number);
  }
  const std::size_t row = name + model + kind + 16;
  const h5::Id type(h5::check(H5Tcreate(H5T_COMPOUND, row), "the population table"));
  h5::check(H5Tinsert(type, "name", 0, h5::utf8(name)), "the population table");
  h5::check(H5Tinsert(type, "model", name, h5::utf8(model)), "the population table");
  h5::check(H5Tinsert(type, "kind", name + model, h5::utf8(kind)), "the population table");
  h5::check(H5Tinsert(type, "first_gid", name + model + kind, H5T_NATIVE_UINT64), "the population table");
  h5::check(H5Tinsert(type, "size", name + model + kind + 8, H5T_NATIVE_UINT64), "the population table");
  const auto shape = h5::shape_of(d);
  if (shape.size() != 1) throw h5::Error("the population table is not one-dimensional");
  std::vector<char> bytes(row * shape[0]);
  if (!bytes.empty())
    h5::check(H5Dread(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()), "reading the population table");
  std::vector<LoggedPopulation> populations;
  const auto text = [](const char* at, std::size_t room) { return std::string(at, ::strnlen(at, room)); };
  for (const char* at = bytes.data(); at < bytes.data() + bytes.size(); at += row) {
    LoggedPopulation p;
    p.name = text(at, name);
    p.model = text(at + name, model);
    p.kind = text(at + name + model, kind);
    std::memcpy(&p.first_gid, at + name + model + kind, 8);
    std::memcpy(&p.size, at + name + model + kind + 8, 8);
    for (const auto* t : {&p.name, &p.model, &p.kind})
      if (printable_line(*t) != *t)
        throw h5::Error("the population table has control characters in " + in_quotes(*t));
    populations.push_back(std::move(p));
  }
  return populations;
}

void read_dimensions(hid_t file, LogSummary& s) {
  for (auto& p : s.populations) {
    const std::string group = "nodes/" + p.name + "/0";
    if (p.name.empty() || p.name.find('/') != std::string::npos || !h5::exists(file, group)) continue;
    for (const char* axis : {"x", "y", "z"}) {
      if (!h5::exists(file, group + "/" + axis)) break;
      const auto shape = h5::shape_of(h5::open_dataset(file, group + "/" + axis));
      if (shape.size() != 1 || shape[0] != p.size)
        throw h5::Error("the positions of " + p.name + " are not one for each neuron");
      ++p.dimensions;
    }
  }
}

void read_spike_counts(hid_t file, LogSummary& s) {
  for (auto& p : s.populations) {
    if (p.name.empty() || p.name.find('/') != std::string::npos || !h5::exists(file, "spikes/" + p.name))
      continue;
    const auto d = h5::open_dataset(file, "spikes/" + p.name + "/timestamps");
    const auto shape = h5::shape_of(d);
    if (shape.size() != 1) throw h5::Error("the timestamps of " + p.name + " are not one-dimensional");
    p.recorded = true;
    p.spikes = shape[0];
    p.neurons = p.size;
    const auto group = h5::open_group(file, "spikes/" + p.name);
    if (h5::has_attribute(group,
                          "neurons")) {  // logs of version 0.1.0 have recorded everything, or do not tell
      p.start = h5::read_attribute<Tick>(group, "start_ticks");
      p.stop = h5::read_attribute<Tick>(group, "stop_ticks");
      p.neurons = h5::read_attribute<std::uint64_t>(group, "neurons");
      if (p.start < 0 || p.stop < p.start || p.neurons > p.size)
        throw h5::Error("what was recorded of " + p.name + " makes no sense");
    }
    if (p.spikes) std::tie(p.first_ms, p.last_ms) = ends(d, p.spikes);
  }
}

void read_reports(hid_t file, LogSummary& s) {
  if (!h5::exists(file, "report")) return;
  const auto all = h5::open_group(file, "report");
  for (const auto& place : h5::names(all)) {
    const auto group = h5::open_group(all, place);
    LoggedReport r;
    r.path = "/report/" + place;
    r.name = h5::read_text_attribute(group, "name");
    r.population = h5::read_text_attribute(group, "population");
    r.variable = h5::read_text_attribute(group, "variable");
    const auto data = h5::open_dataset(group, "data");
    r.units = h5::read_text_attribute(group, "variable_units");
    const auto shape = h5::shape_of(data);
    const auto time = h5::read_all<double>(group, "mapping/time");
    if (shape.size() != 2 || time.size() != 3)
      throw h5::Error("report " + place + " has not the shape of a report");
    r.frames = shape[0];
    r.ids = shape[1];
    r.start_ms = time[0], r.stop_ms = time[1], r.step_ms = time[2];
    s.reports.push_back(std::move(r));
  }
}

void read_edge_counts(hid_t file, LogSummary& s) {
  if (!h5::exists(file, "edges")) return;
  const auto all = h5::open_group(file, "edges");
  for (const auto& place : h5::names(all)) {
    const auto group = h5::open_group(all, place);
    const auto shape = h5::shape_of(h5::open_dataset(group, "source_node_id"));
    if (shape.size() != 1) throw h5::Error("edges " + place + " are not one-dimensional");
    s.edges.push_back({"/edges/" + place, h5::read_text_attribute(group, "projection"),
                       h5::read_text_attribute(group, "synapse"), h5::read_text_attribute(group, "source"),
                       h5::read_text_attribute(group, "target"), shape[0]});
  }
}

RunStatus status_of(const std::string& text) {
  for (const auto s : {RunStatus::complete, RunStatus::stopped, RunStatus::interrupted, RunStatus::killed})
    if (text == name_of(s)) return s;
  // "running", and yet nobody holds the lock: the writer died before its first commit, or its journal was
  // lost.
  if (text == layout::status::running) return RunStatus::killed;
  throw h5::Error("attribute status is \"" + text + "\", which is none of its values");
}

/// `reached` and what is said of a log that is not whole without its journal.
void apply(const Extent& extent, LogSummary& s) {
  s.reached = extent.before;
  s.without_journal = extent.without_journal;
  if (extent.without_journal) s.warning = without_journal_text(s.path, extent, s.ticks_per_ms);
}

/// Throws unless the times of the run make sense: all that is shown of a log is reckoned with them.
void refuse_times(const LogSummary& s) {
  const auto size = [](double x) { return std::isfinite(x) && x > 0; };
  const bool together = std::abs(s.ticks_per_ms * s.seconds_per_tick * 1e3 - 1) < 1e-6;
  if (size(s.ticks_per_ms) && size(s.seconds_per_tick) && together && s.reached >= 0 &&
      s.reached <= s.duration)
    return;
  throw h5::Error(fmt::format(
      "is damaged: its times make no sense (a tick is {} s, {} ticks are 1 ms, {} of {} ticks reached)",
      s.seconds_per_tick, s.ticks_per_ms, s.reached, s.duration));
}

}  // namespace

Extent extent_of(const std::filesystem::path& log) {
  return readable(log, [&] {
    const auto open = open_whole(log);
    h5::Id group;
    require_spinet(open->file, group);
    return logging::extent_of(open->file);
  });
}

LogSummary summarise(const std::filesystem::path& log) {
  return readable(log, [&] {
    LogSummary s;
    s.path = log;
    const auto open = open_whole(log, s.pending);
    const hid_t file = open->file;
    h5::Id group;
    const hid_t g = require_spinet(file, group);
    s.bytes = open->store->file().size();
    s.status = status_of(h5::read_text_attribute(g, "status"));
    s.network = h5::read_text_attribute(g, "network_name");
    s.network_path = h5::read_text_attribute(g, "network_path");
    s.version = h5::read_text_attribute(g, "version");
    s.started = h5::read_text_attribute(g, "started");
    s.finished = text_or_empty(g, "finished");
    s.host = text_or_empty(g, "host");
    s.command_line = printable_line(h5::read_text(g, "command_line"));
    for (const auto& o : h5::read_texts(g, "overrides")) s.overrides.push_back(printable_line(o));
    s.seed = h5::read_attribute<std::uint64_t>(g, "seed");
    s.ranks = h5::read_attribute<std::uint64_t>(g, "ranks");
    s.seconds_per_tick = h5::read_attribute<double>(g, "time_resolution");
    s.ticks_per_ms = h5::read_attribute<double>(g, "ticks_per_ms");
    s.duration = h5::read_attribute<Tick>(g, "duration_ticks");
    apply(logging::extent_of(file), s);
    refuse_times(s);
    s.populations = read_populations(g);
    if (h5::exists(g, "signs")) {  // since version 0.2.0
      const auto signs = h5::read_all<std::int64_t>(g, "signs");
      for (std::size_t i = 0; i < std::min(signs.size(), s.populations.size()); ++i)
        s.populations[i].sign = std::clamp<std::int64_t>(signs[i], -1, 1);
    }
    read_dimensions(file, s);
    read_spike_counts(file, s);
    read_reports(file, s);
    read_edge_counts(file, s);
    if (h5::exists(g, "statistics")) {
      const auto f = h5::open_group(g, "statistics");
      s.figures = LogSummary::Figures{};
      s.figures->spikes = h5::read_attribute<std::uint64_t>(f, "spikes");
      s.figures->deliveries = h5::read_attribute<std::uint64_t>(f, "deliveries");
      s.figures->superposed = h5::read_attribute<std::uint64_t>(f, "superposed");
      s.figures->events = s.figures->deliveries + s.figures->superposed;
      if (h5::has_attribute(f, "events_before"))  // since version 0.2.0
        s.figures->events_before =
            std::min(s.figures->events, h5::read_attribute<std::uint64_t>(f, "events_before"));
      s.figures->synapses = h5::read_attribute<std::uint64_t>(f, "synapses");
      s.figures->stored_synapses = h5::has_attribute(f, "stored_synapses")
                                       ? h5::read_attribute<std::uint64_t>(f, "stored_synapses")
                                       : s.figures->synapses;
      s.figures->build_seconds = h5::read_attribute<double>(f, "build_seconds");
      s.figures->run_seconds = h5::read_attribute<double>(f, "run_seconds");
      const auto fired = h5::read_all<std::uint64_t>(f, "spikes_of_population");
      for (std::size_t i = 0; i < std::min(fired.size(), s.populations.size()); ++i)
        if (fired[i] != Statistics::not_counted) s.populations[i].fired = fired[i];
    }
    return s;
  });
}

std::vector<std::filesystem::path> files_of_run(const std::filesystem::path& log) {
  return readable(log, [&] {
    const OpenLog open(log, File::Mode::read, nullptr, {});
    h5::Id group;
    const std::filesystem::path network =
        h5::read_text_attribute(require_spinet(open.file, group), "network_path");
    std::vector files{network, log.parent_path() / network};
    if (h5::exists(group, "files"))
      for (const auto& f : h5::read_texts(group, "files")) files.emplace_back(f);
    return files;
  });
}

std::string network_text(const std::filesystem::path& log) {
  return readable(log, [&] {
    const OpenLog open(log, File::Mode::read, nullptr, {});
    h5::Id group;
    return h5::read_text(require_spinet(open.file, group), "network");
  });
}

std::vector<ListedSpike> read_sonata_spikes(const std::filesystem::path& path, const std::string& population,
                                            double ticks_per_ms, std::uint64_t size) {
  return readable(path, [&] {
    const auto open = open_whole(path);
    const hid_t file = open->file;
    refuse_without_journal(file, path);
    if (!h5::exists(file, "spikes")) throw h5::Error("has no group /spikes: it is not a SONATA spikes file");
    const auto all = h5::open_group(file, "spikes");
    const auto names = h5::names(all);
    const auto list = fmt::format("{}", fmt::join(names, ", "));
    auto name = population;
    if (name.empty()) {
      if (names.size() != 1)
        throw h5::Error(
            fmt::format("has {} populations with spikes ({}): one must be named", names.size(), list));
      name = names[0];
    }
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw h5::Error("has no spikes of a population \"" + name + "\" (it has: " + list + ")");
    const auto group = h5::open_group(all, name);
    const auto ids = h5::read_all<std::uint64_t>(group, "node_ids");
    std::vector<Tick> ticks;
    const bool ours = h5::exists(file, "spinet");
    const bool exact =
        ours && h5::exists(group, "ticks") &&
        h5::read_attribute<double>(h5::open_group(file, "spinet"), "ticks_per_ms") == ticks_per_ms;
    if (exact) {
      ticks = h5::read_all<Tick>(group, "ticks");
    } else {
      const auto d = h5::open_dataset(group, "timestamps");
      // SONATA's unit is ms; files that say otherwise are not guessed at.
      if (!ours && h5::has_attribute(d, "units") && h5::read_text_attribute(d, "units") != "ms")
        throw h5::Error("the timestamps of " + name + " are in " + h5::read_text_attribute(d, "units") +
                        ", not in ms");
      const auto times = h5::read_all<double>(group, "timestamps");
      ticks.reserve(times.size());
      for (const double t : times) {
        const double x = t * ticks_per_ms;
        if (!(t >= 0) || !(x < 9.2e18))
          throw h5::Error(fmt::format("spike {} of {} has the time {} ms", ticks.size(), name, t));
        ticks.push_back(std::llround(x));
      }
    }
    if (ticks.size() != ids.size())
      throw h5::Error(
          fmt::format("population {} has {} times but {} node ids", name, ticks.size(), ids.size()));
    std::vector<ListedSpike> spikes(ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (ids[i] >= size)
        throw h5::Error(fmt::format("spike {} of {} is of node {}, but the population has only {}", i, name,
                                    ids[i], size));
      if (ticks[i] < 0) throw h5::Error(fmt::format("spike {} of {} has the tick {}", i, name, ticks[i]));
      spikes[i] = {ticks[i], static_cast<std::uint32_t>(ids[i])};
    }
    std::stable_sort(spikes.begin(), spikes.end(), [](const ListedSpike& a, const ListedSpike& b) {
      return a.tick != b.tick ? a.tick < b.tick : a.index < b.index;
    });
    return spikes;
  });
}

}  // namespace spinet
