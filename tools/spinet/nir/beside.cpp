#include "nir/beside.hpp"

#include <algorithm>

#include "log/new_file.hpp"
#include "log/open_log.hpp"

namespace spinet::nir {
namespace {

template <class T>
h5::Id write_column(hid_t at, const std::string& name, const std::vector<T>& values) {
  h5::Id d = h5::create_growing(at, name, h5::type_of<T>(), {},
                                {{std::clamp<hsize_t>(values.size(), 1, 1 << 16)}, true});
  if (!values.empty()) h5::append_rows(d, 0, values.size(), h5::type_of<T>(), values.data());
  return d;
}

void write_ends(hid_t at, const char* name, const std::vector<std::uint32_t>& ids,
                const std::string& population) {
  h5::write_vlen_attribute(write_column(at, name, ids), "node_population", population);
}

/// Weights that are float numbers in the graph are kept as such.
void write_weights(hid_t at, const std::vector<Row>& rows, const std::string& unit) {
  const bool are_floats = std::all_of(rows.begin(), rows.end(), [](const Row& r) {
    return static_cast<double>(static_cast<float>(r.weight)) == r.weight;
  });
  const auto column = [&]<class T>(T) {
    std::vector<T> weights;
    for (const auto& r : rows) weights.push_back(static_cast<T>(r.weight));
    return write_column(at, "syn_weight", weights);
  };
  h5::write_vlen_attribute(are_floats ? column(0.0f) : column(0.0), "units", unit);
}

void write_edges(hid_t edges, const Draft& d, const ProjectionDraft& p, const Reading& reading) {
  const auto all = rows(d, p, reading);
  const h5::Id group = h5::create_group(edges, p.name);
  std::vector<std::uint32_t> sources, targets;
  for (const auto& r : all) sources.push_back(r.source), targets.push_back(r.target);
  write_ends(group, "source_node_id", sources, d.populations[p.source].name);
  write_ends(group, "target_node_id", targets, d.populations[p.target].name);
  const h5::Id properties = h5::create_group(group, "0");
  write_weights(properties, all, p.unit);
  if (!p.lists_delays) return;
  std::vector<double> delays;
  for (const auto& r : all) delays.push_back(static_cast<double>(r.delay) / 1e6);
  h5::write_vlen_attribute(write_column(properties, "delay", delays), "units", "ms");
}

}  // namespace

void write_beside(const std::filesystem::path& file, const GraphFile& graph, const Reading& reading,
                  const Draft& draft) {
  logging::write_hdf5(file, [&](hid_t root) {
    const h5::Id edges = h5::create_group(root, "edges");
    for (const auto& p : draft.projections) write_edges(edges, draft, p, reading);
    const h5::Id nir = h5::create_group(root, "nir");
    h5::write_attribute(nir, "spike_ns", reading.spike);
    h5::write_attribute(nir, "area_ns", reading.area);
    h5::write_attribute(nir, "euler_ns", reading.euler);
    h5::write_attribute(nir, "delay_ns", reading.delay);
    h5::write_attribute<std::int64_t>(nir, "by_subtraction", reading.by_subtraction);
    h5::write_attribute<std::int64_t>(nir, "current", reading.current);
    write_graph(nir, graph);
  });
}

std::optional<Beside> read_beside(const std::filesystem::path& file) {
  return logging::readable(file, [&]() -> std::optional<Beside> {
    const auto open = logging::open_whole(file);
    if (!h5::exists(open->file, "nir")) return std::nullopt;
    const h5::Id nir = h5::open_group(open->file, "nir");
    const auto number = [&](const char* name) { return h5::read_attribute<std::int64_t>(nir, name); };
    Beside b;
    b.reading = {number("spike_ns"),
                 number("area_ns"),
                 number("euler_ns"),
                 number("delay_ns"),
                 number("by_subtraction") != 0,
                 number("current") != 0};
    if (b.reading.spike < 0 || b.reading.area <= 0 || b.reading.euler < 0 || b.reading.delay <= 0)
      throw LogError(file, "group nir has senseless times");
    try {
      b.graph = read_graph(nir);
    } catch (const Fault& e) {
      throw LogError(file, e.what());
    }
    return b;
  });
}

}  // namespace spinet::nir
