// NWB 2.6: the units table with the spike times of every neuron, and each report as a TimeSeries.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <random>

#include "log/h5.hpp"
#include "log/new_file.hpp"
#include "look/analysis.hpp"
#include "look/export.hpp"
#include "look/json.hpp"

namespace spinet::look {
namespace {

namespace fs = std::filesystem;

constexpr hsize_t chunk = 1 << 16;
constexpr std::uint64_t at_once = 1 << 26;       ///< spike times in memory, 512 MB
constexpr std::uint64_t most_neurons = 1 << 28;  ///< of a population

std::string uuid() {
  static std::mt19937_64 random(std::random_device{}());
  const std::uint64_t a = (random() & ~0xf000ull) | 0x4000ull, b = (random() & ~(3ull << 62)) | (2ull << 62);
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", a >> 32, a >> 16 & 0xffff, a & 0xffff, b >> 48,
                     b & 0xffffffffffffull);
}

void text(hid_t at, const std::string& name, const std::string& value) {
  const auto clean = printable(value);
  const char* pointer = clean.c_str();
  h5::write_dataset(at, name, h5::utf8(), {}, &pointer);
}

h5::Id texts(hid_t at, const std::string& name, const std::vector<std::string>& values) {
  std::vector<const char*> pointers;
  for (const auto& v : values) pointers.push_back(v.c_str());
  const hsize_t shape[] = {values.size()};
  return h5::write_dataset(at, name, h5::utf8(), shape, pointers.data());
}

/// What every object of NWB says of itself.
void typed(hid_t object, const char* space, const char* type) {
  h5::write_vlen_attribute(object, "namespace", space);
  h5::write_vlen_attribute(object, "neurodata_type", type);
  h5::write_vlen_attribute(object, "object_id", uuid());
}

void column(hid_t dataset, const char* type, const char* description) {
  typed(dataset, "hdmf-common", type);
  h5::write_vlen_attribute(dataset, "description", description);
}

void write_general(hid_t file, const LogData& data) {
  const auto& log = data.summary();
  const auto general = h5::create_group(file, "general");
  text(general, "experiment_description",
       fmt::format("Simulation of the spiking network {} with Spinet {}: {} s of model time, seed {}",
                   log.network, log.version, static_cast<double>(log.reached) * log.seconds_per_tick,
                   log.seed));
  text(general, "session_id", log.path.stem().string());
  const auto network = printable(data.network_text());
  const char* pointer = network.c_str();
  const auto script = h5::write_dataset(general, "source_script", h5::utf8(), {}, &pointer);
  h5::write_vlen_attribute(script, "file_name", printable(log.network_path));
  const auto subject = h5::create_group(general, "subject");
  typed(subject, "core", "Subject");
  text(subject, "subject_id", log.network);
  text(subject, "description", "A simulated network; there is no animal.");
}

/// Spike times in seconds, neuron after neuron.
void write_units(hid_t file, const LogData& data) {
  const auto& log = data.summary();
  const auto populations = recorded_populations(log);
  const auto units = h5::create_group(file, "units");
  typed(units, "core", "Units");
  h5::write_vlen_attribute(
      units, "description",
      "Neurons of the populations whose spikes were recorded; neurons that never fired have no spike times.");
  {
    const char* names[] = {"population", "neuron", "spike_times"};
    const hsize_t three = 3;
    const h5::Id space(h5::check(H5Screate_simple(1, &three, nullptr), "a shape"));
    h5::write_attribute(units, "colnames", h5::utf8(), space, names);
  }
  auto times = h5::create_growing(units, "spike_times", h5::type_of<double>(), {}, {.shape = {chunk}});
  column(times, "VectorData", "spike times of the units, in seconds");
  h5::write_attribute<double>(times, "resolution", log.seconds_per_tick);

  std::vector<std::uint64_t> ends, neurons;
  std::vector<std::string> names;
  std::uint64_t written = 0;
  const double seconds_per_tick = log.seconds_per_tick;
  for (const auto& p : populations) {
    if (p.size > most_neurons)
      throw LogError(log.path, fmt::format("population {} claims {} neurons, too many for one NWB file",
                                           p.name, p.size));
    std::vector<std::uint64_t> count(p.size);
    data.spikes(p, [&](const SpikePiece& piece) {
      for (const auto n : piece.nodes) ++count[n];
    });
    // As many neurons at a time as memory has room for, each time in a pass over the spikes.
    for (std::uint64_t first = 0; first < p.size;) {
      std::uint64_t last = first, spikes = 0;
      std::vector<std::uint64_t> place;
      while (last < p.size && (last == first || spikes + count[last] <= at_once))
        place.push_back(spikes), spikes += count[last++];
      std::vector<double> sorted(spikes);
      if (spikes > 0)
        data.spikes(p, [&](const SpikePiece& piece) {
          for (std::size_t i = 0; i < piece.nodes.size(); ++i)
            if (const auto n = piece.nodes[i]; n >= first && n < last)
              sorted[place[n - first]++] = static_cast<double>(piece.ticks[i]) * seconds_per_tick;
        });
      if (spikes > 0) h5::append_rows(times, written, spikes, h5::type_of<double>(), sorted.data());
      for (; first < last; ++first) {
        written += count[first];
        ends.push_back(written);
        neurons.push_back(first);
        names.push_back(printable(p.name));
      }
    }
  }
  times.close();

  const auto index = h5::write_dataset<std::uint64_t>(units, "spike_times_index", ends);
  column(index, "VectorIndex", "end of each unit's spike times");
  hobj_ref_t target{};
  h5::check(H5Rcreate(&target, file, "/units/spike_times", H5R_OBJECT, -1), "a reference");
  const h5::Id scalar(h5::check(H5Screate(H5S_SCALAR), "a scalar"));
  h5::write_attribute(index, "target", H5T_STD_REF_OBJ, scalar, &target);
  column(h5::write_dataset<std::uint64_t>(units, "neuron", neurons), "VectorData",
         "index of the neuron in its population, from 0");
  column(texts(units, "population", names), "VectorData", "name of the population");
  std::vector<std::int64_t> ids(ends.size());
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int64_t>(i);
  typed(h5::write_dataset<std::int64_t>(units, "id", ids), "hdmf-common", "ElementIdentifiers");
}

std::string listed(const std::vector<std::uint64_t>& nodes) {
  if (!nodes.empty() && nodes.back() - nodes.front() + 1 == nodes.size())
    return fmt::format("{} to {}", nodes.front(), nodes.back());
  return fmt::format("{}", fmt::join(nodes, ", "));
}

void write_series(hid_t acquisition, const LogData& data, const LoggedReport& r) {
  const auto nodes = data.report_nodes(r);
  if (!(r.step_ms > 0))
    throw LogError(data.summary().path, fmt::format("report {} has no interval between its frames", r.name));
  if (r.name.empty() || r.name.find('/') != std::string::npos || r.name == ".")
    throw LogError(data.summary().path, "a report has no usable name");
  const auto series = h5::create_group(acquisition, r.name);
  typed(series, "core", "TimeSeries");
  h5::write_vlen_attribute(series, "description",
                           printable(fmt::format("{} of neurons {} of {}, one column each", r.variable,
                                                 listed(nodes), r.population)));
  h5::write_vlen_attribute(series, "comments", "recorded by the simulator");
  const hsize_t wide = std::max<hsize_t>(1, r.ids), columns = std::min<hsize_t>(wide, chunk);
  auto values = h5::create_growing(series, "data", h5::type_of<float>(), {wide},
                                   {.shape = {std::max<hsize_t>(1, chunk / columns), columns}});
  h5::write_vlen_attribute(values, "unit", printable(r.units));
  h5::write_attribute<float>(values, "conversion", 1);
  h5::write_attribute<float>(values, "resolution", -1);
  std::vector<float> piece;
  const std::uint64_t rows = std::max<std::uint64_t>(1, (1 << 22) / wide);
  for (std::uint64_t first = 0; r.ids > 0 && first < r.frames; first += rows) {
    const auto count = std::min(rows, r.frames - first);
    data.read(r, {first, count, 0, r.ids}, piece);
    h5::append_rows(values, first, count, h5::type_of<float>(), piece.data());
  }
  const double start = r.start_ms * 1e-3;
  const auto begin = h5::write_dataset(series, "starting_time", h5::type_of<double>(), {}, &start);
  h5::write_attribute<float>(begin, "rate", static_cast<float>(1e3 / r.step_ms));
  h5::write_vlen_attribute(begin, "unit", "seconds");
}

void write(hid_t file, const LogData& data) {
  const auto& log = data.summary();
  typed(file, "core", "NWBFile");
  h5::write_vlen_attribute(file, "nwb_version", "2.6.0");
  const std::string start = log.started.empty() ? "1970-01-01T00:00:00Z" : log.started;
  text(file, "identifier", uuid());
  text(file, "session_description", fmt::format("{}: simulated, not measured", log.network));
  text(file, "session_start_time", start);
  text(file, "timestamps_reference_time", start);
  texts(file, "file_create_date", {fmt::format("{:%FT%TZ}", fmt::gmtime(std::time(nullptr)))});
  for (const auto* group :
       {"acquisition", "analysis", "processing", "stimulus", "stimulus/presentation", "stimulus/templates"})
    h5::create_group(file, group);
  write_general(file, data);
  write_units(file, data);
  const auto acquisition = h5::open_group(file, "acquisition");
  for (const auto& r : log.reports) write_series(acquisition, data, r);
}

}  // namespace

void export_nwb(const LogData& data, const fs::path& path) {
  logging::write_hdf5(path, [&](hid_t file) { write(file, data); });
}

}  // namespace spinet::look
