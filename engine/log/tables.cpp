// One table for each kind of what is recorded.  FORMAT.md says what they hold.
#include <fmt/format.h>
#include <algorithm>
#include <iterator>
#include <set>
#include "log/writer_parts.hpp"
#include "network/digest.hpp"

namespace spinet {

h5::Id layout::sorting_type() {
  h5::Id t(h5::check(H5Tenum_create(H5T_STD_U8LE), "the sorting type"));
  for (const auto& [name, value] : {std::pair("none", std::uint8_t{0}), std::pair("by_id", std::uint8_t{1}),
                                    std::pair("by_time", std::uint8_t{2})})
    h5::check(H5Tenum_insert(t, name, &value), "the sorting type");
  return t;
}

const std::string& link_name(const std::string& name) {
  if (name.empty() || name == "." || name.find('/') != std::string::npos ||
      name.find('\0') != std::string::npos)
    throw h5::Error("\"" + name + "\" cannot be a name in the file");
  return name;
}

namespace {

/// The same for two recordings just if they take their events at the same times.
Digest times_digest(const WeightEventRecording& r) {
  std::string text = fmt::format("{} {} {} {} of {}:", r.on_change, r.from, r.to,
                                 r.logs ? fmt::format("{} at {}", r.logs->name, r.projection) : "",
                                 r.epochs.empty() ? 0 : r.environment);
  for (const Tick t : r.at) fmt::format_to(std::back_inserter(text), " {}", t);
  text += ';';
  for (const auto e : r.epochs) fmt::format_to(std::back_inserter(text), " {}", e);
  return sha256(std::as_bytes(std::span(text)));
}

}  // namespace

void RunLog::Impl::add_column(Stream& s, hid_t group, const std::string& folder, const std::string& name,
                              hid_t type) {
  s.add(h5::create_growing(group, name, type, {}, chunks({options.chunk})), folder + "/" + name,
        H5Tget_size(type));
}

void RunLog::Impl::write_extent(hid_t group, std::uint32_t population) {
  Tick from = network.duration, to = 0;
  std::vector<bool> recorded(network.populations[population].size);
  for (const auto& r : network.spikes) {
    if (r.population != population) continue;
    from = std::min(from, r.from);
    to = std::max(to, std::min(r.to, network.duration));
    if (r.ids.empty()) recorded.assign(recorded.size(), true);
    for (const auto id : r.ids) recorded.at(id) = true;
  }
  h5::write_attribute<std::int64_t>(group, "start_ticks", from);
  h5::write_attribute<std::int64_t>(group, "stop_ticks", std::max(from, to));
  h5::write_attribute<std::uint64_t>(
      group, "neurons", static_cast<std::uint64_t>(std::count(recorded.begin(), recorded.end(), true)));
}

void RunLog::Impl::add_spikes(std::uint32_t population) {
  spikes_of.resize(network.populations.size(), none);
  if (spikes_of[population] != none) return;
  const auto& name = link_name(network.populations[population].name);
  const auto all =
      h5::exists(file, "spikes") ? h5::open_group(file, "spikes") : h5::create_group(file, "spikes");
  const auto group = h5::create_group(all, name);
  const std::uint8_t by_time = 2;
  h5::write_attribute(group, "sorting", layout::sorting_type(), h5::Id(H5Screate(H5S_SCALAR)), &by_time);
  write_extent(group, population);
  const auto folder = "/spikes/" + name;
  auto& s = streams.emplace_back(options.chunk, packing());
  add_column(s, group, folder, "timestamps", H5T_NATIVE_DOUBLE);
  h5::write_vlen_attribute(h5::open_dataset(group, "timestamps"), "units", "ms");
  add_column(s, group, folder, "node_ids", H5T_NATIVE_UINT64);
  exact_ticks = network.duration > layout::exact_in_ms;
  if (exact_ticks) {
    add_column(s, group, folder, "ticks", H5T_NATIVE_INT64);
    h5::write_vlen_attribute(h5::open_dataset(group, "ticks"), "units", "ticks");
  }
  spikes_of[population] = streams.size() - 1;
}

void RunLog::Impl::add_report(const spinet::Report& r) {
  const auto& population = network.populations[r.population];
  const auto& variable = population.model->variables.data[r.variable];
  const auto all =
      h5::exists(file, "report") ? h5::open_group(file, "report") : h5::create_group(file, "report");
  // SONATA has one report per population and file.  The first takes the population's place, the others stand
  // beside it.
  auto place = link_name(population.name);
  if (h5::exists(all, place)) place += "." + link_name(r.name);
  const auto group = h5::create_group(all, place);
  h5::write_text_attribute(group, "name", r.name);
  h5::write_text_attribute(group, "population", population.name);
  h5::write_text_attribute(group, "variable", variable.name);
  h5::write_text_attribute(group, "variable_units", variable.unit);
  h5::write_attribute(group, "start_ticks", r.from);
  h5::write_attribute(group, "step_ticks", r.every);
  const auto folder = "/report/" + place;
  const auto links = h5::open_group(provenance, "reports");
  h5::check(H5Lcreate_soft(folder.c_str(), links, link_name(r.name).c_str(), H5P_DEFAULT, H5P_DEFAULT),
            "linking report " + r.name);

  const hsize_t width = r.ids.size();
  add_frames_dataset(group, folder, width, variable.unit);
  const auto mapping = h5::create_group(group, "mapping");
  const std::vector<std::uint64_t> ids(r.ids.begin(), r.ids.end());
  const auto nodes = h5::write_dataset<std::uint64_t>(mapping, "node_ids", ids);
  h5::write_attribute(nodes, "sorted", std::uint8_t{1});
  std::vector<std::uint64_t> pointers(width + 1);
  for (std::size_t i = 0; i <= width; ++i) pointers[i] = i;
  h5::write_dataset<std::uint64_t>(mapping, "index_pointers", pointers);
  h5::write_dataset<std::uint32_t>(mapping, "element_ids", std::vector<std::uint32_t>(width, 0));
  reports.push_back({streams.size() - 1, time_dataset(mapping, r.from, r.every), r.from, r.every});
}

void RunLog::Impl::add_metrics(std::uint32_t p) {
  metrics_of.resize(network.populations.size(), none);
  const NeuronTable* table = network.populations[p].neuron();
  if (!table || !table->environment || table->metric_count == 0) return;
  const auto all =
      h5::exists(file, "metrics") ? h5::open_group(file, "metrics") : h5::create_group(file, "metrics");
  const auto& name = link_name(network.populations[p].name);
  const auto group = h5::create_group(all, name);
  const auto folder = "/metrics/" + name;
  auto& s = streams.emplace_back(options.chunk, packing());
  add_column(s, group, folder, "timestamps", H5T_NATIVE_DOUBLE);
  h5::write_vlen_attribute(h5::open_dataset(group, "timestamps"), "units", "ms");
  for (std::uint32_t m = 0; m < table->metric_count; ++m)
    add_column(s, group, folder, link_name(table->metrics[m]), H5T_NATIVE_DOUBLE);
  metrics_of[p] = streams.size() - 1;
}

void RunLog::Impl::add_frames_dataset(hid_t group, const std::string& folder, hsize_t width,
                                      const std::string& unit) {
  // About options.chunk values per chunk; a wide frame is cut into equal pieces.
  const hsize_t pieces = (width + options.chunk - 1) / options.chunk;
  const hsize_t rows = std::max<hsize_t>(1, options.chunk / width);
  const hsize_t chunk_width = (width + pieces - 1) / pieces;
  auto& s = streams.emplace_back(rows, packing());
  auto data = h5::create_growing(group, "data", H5T_NATIVE_FLOAT, {width}, chunks({rows, chunk_width}));
  h5::write_vlen_attribute(data, "units", unit);
  s.add(std::move(data), folder + "/data", sizeof(float), width, chunk_width);
}

h5::Id RunLog::Impl::time_dataset(hid_t mapping, Tick from, Tick every) {
  const double time[3] = {ms(from), ms(from), ms(every)};
  auto set = h5::write_dataset<double>(mapping, "time", time);
  h5::write_vlen_attribute(set, "units", "ms");
  return set;
}

void RunLog::Impl::add_weights(std::uint32_t w) {
  const auto& recording = network.weights[w];
  const auto& projection = network.projections[recording.projection];
  const auto& variable = projection.synapse->model.variables.data[recording.variable];
  const hsize_t width = w < options.weight_widths.size() ? options.weight_widths[w] : 0;
  weights.push_back({none, none});
  if (width == 0) return;  // a projection without synapses has no frames
  const auto place = place_of(recording);
  const auto group = group_of(recording, "weights", place);
  h5::write_attribute(group, "start_ticks", recording.from);
  h5::write_attribute(group, "step_ticks", recording.every);
  const auto folder = "/weights/" + place;
  const auto target = projection.targets.empty() ? 0u : population_of(projection.targets[0].first);
  add_frames_dataset(
      group, folder, width,
      recording.variable == 0 ? weight_unit(projection, network.populations[target]) : variable.unit);
  const std::size_t frames = streams.size() - 1;
  const auto mapping = h5::create_group(group, "mapping");
  reports.push_back(
      {frames, time_dataset(mapping, recording.from, recording.every), recording.from, recording.every});
  weights.back().report = reports.size() - 1;
  add_ends(mapping, "sources", projection.sources);
  add_ends(mapping, "targets", projection.targets);
  add_mapping_columns(streams.emplace_back(options.chunk, packing()), mapping, folder);
  weights.back().mapping = streams.size() - 1;
  edge_streams.push_back(streams.size() - 1);
  edges_open = true;
}

void RunLog::Impl::add_weight_events(const WeightEventRecording& recording) {
  const auto& projection = network.projections[recording.projection];
  const auto& variable = projection.synapse->model.variables.data[recording.variable];
  const auto place = place_of(recording);
  const auto group = group_of(recording, "weight_events", place);
  h5::write_text_attribute(group, "times", hex(times_digest(recording)));
  const auto folder = "/weight_events/" + place;
  auto& s = streams.emplace_back(options.chunk, packing());
  add_column(s, group, folder, "timestamps", H5T_NATIVE_DOUBLE);
  h5::write_vlen_attribute(h5::open_dataset(group, "timestamps"), "units", "ms");
  add_column(s, group, folder, "edge_ids", H5T_NATIVE_UINT64);
  add_column(s, group, folder, "values", H5T_NATIVE_DOUBLE);
  const auto target = projection.targets.empty() ? 0u : population_of(projection.targets[0].first);
  h5::write_vlen_attribute(
      h5::open_dataset(group, "values"), "units",
      recording.variable == 0 ? weight_unit(projection, network.populations[target]) : variable.unit);
  const std::size_t changes = streams.size() - 1;
  const auto mapping = h5::create_group(group, "mapping");
  auto& m = streams.emplace_back(options.chunk, packing());
  add_mapping_columns(m, mapping, folder);
  add_column(m, mapping, folder + "/mapping", "edge_ids", H5T_NATIVE_UINT64);
  events.push_back({changes, streams.size() - 1});
  edge_streams.push_back(streams.size() - 1);
  edges_open = true;
}

void RunLog::Impl::add_ends(hid_t mapping, const std::string& name, const std::vector<GidRange>& ranges) {
  std::vector<std::uint64_t> parts;  // population, first index in it, count
  for (const auto& r : ranges)
    for (std::uint64_t done = 0; done < r.count;) {
      const Gid gid = r.first + static_cast<Gid>(done);
      const auto p = population_of(gid);
      const auto& in = network.populations[p];
      const std::uint64_t index = gid - in.first,
                          count = std::min<std::uint64_t>(r.count - done, in.size - index);
      parts.insert(parts.end(), {p, index, count});
      done += count;
    }
  const std::array<hsize_t, 2> shape{parts.size() / 3, 3};
  h5::write_dataset(mapping, name, H5T_NATIVE_UINT64, shape, parts.data());
}

void RunLog::Impl::add_mapping_columns(Stream& s, hid_t mapping, const std::string& folder) {
  add_column(s, mapping, folder + "/mapping", "source_node_id", H5T_NATIVE_UINT64);
  add_column(s, mapping, folder + "/mapping", "target_node_id", H5T_NATIVE_UINT64);
  add_column(s, mapping, folder + "/mapping", "source_population", H5T_NATIVE_UINT32);
  add_column(s, mapping, folder + "/mapping", "target_population", H5T_NATIVE_UINT32);
}

std::vector<std::uint32_t> RunLog::Impl::populations_in(const std::vector<GidRange>& ranges) {
  std::set<std::uint32_t> found;
  for (const auto& r : ranges)
    if (r.count > 0)
      for (auto p = population_of(r.first); p <= population_of(r.first + (r.count - 1)); ++p) found.insert(p);
  return {found.begin(), found.end()};
}

void RunLog::Impl::add_edges(std::uint32_t p) {
  const auto& projection = network.projections[p];
  edges_of.resize(network.projections.size());
  if (!edges_of[p].empty()) return;
  const auto all =
      h5::exists(file, "edges") ? h5::open_group(file, "edges") : h5::create_group(file, "edges");
  const auto sources = populations_in(projection.sources), targets = populations_in(projection.targets);
  for (const auto source : sources)
    for (const auto target : targets) {
      const auto& from = network.populations[source];
      const auto& to = network.populations[target];
      // A SONATA edge population has one source and one target population.
      auto place = link_name(projection.name);
      if (sources.size() * targets.size() > 1) place += "." + link_name(from.name) + "." + link_name(to.name);
      const auto group = h5::create_group(all, place);
      h5::write_text_attribute(group, "projection", projection.name);
      h5::write_text_attribute(group, "synapse", projection.synapse->model.name);
      h5::write_text_attribute(group, "source", from.name);
      h5::write_text_attribute(group, "target", to.name);
      const auto folder = "/edges/" + place;
      auto& s = streams.emplace_back(options.chunk, packing());
      add_column(s, group, folder, "source_node_id", H5T_NATIVE_UINT64);
      h5::write_vlen_attribute(h5::open_dataset(group, "source_node_id"), "node_population", from.name);
      add_column(s, group, folder, "target_node_id", H5T_NATIVE_UINT64);
      h5::write_vlen_attribute(h5::open_dataset(group, "target_node_id"), "node_population", to.name);
      add_column(s, group, folder, "edge_type_id", H5T_NATIVE_INT64);
      add_column(s, group, folder, "edge_group_id", H5T_NATIVE_UINT64);
      add_column(s, group, folder, "edge_group_index", H5T_NATIVE_UINT64);
      const auto attributes = h5::create_group(group, "0");
      add_column(s, attributes, folder + "/0", "syn_weight", H5T_NATIVE_DOUBLE);
      h5::write_vlen_attribute(h5::open_dataset(attributes, "syn_weight"), "units",
                               weight_unit(projection, to));
      add_column(s, attributes, folder + "/0", "delay", H5T_NATIVE_DOUBLE);
      h5::write_vlen_attribute(h5::open_dataset(attributes, "delay"), "units", "ms");
      for (const auto v : edge_variables(*projection.synapse)) {
        const Field& f = projection.synapse->model.variables.data[v];
        add_column(s, attributes, folder + "/0", f.name, H5T_NATIVE_DOUBLE);
        h5::write_vlen_attribute(h5::open_dataset(attributes, f.name), "units", unit_of(f, projection, to));
      }
      edges_of[p][{source, target}] = streams.size() - 1;
      edge_streams.push_back(streams.size() - 1);
      edges_open = true;
    }
}

std::string RunLog::Impl::weight_unit(const Projection& projection, const Population& target) {
  const auto& variables = projection.synapse->model.variables;
  return variables.count ? unit_of(variables.data[0], projection, target) : "1";
}

std::string RunLog::Impl::unit_of(const Field& f, const Projection& projection, const Population& target) {
  const auto* neuron = target.neuron();
  return f.flags & port_unit && neuron && projection.port < neuron->port_count
             ? neuron->ports[projection.port].unit
             : f.unit;
}

}  // namespace spinet
