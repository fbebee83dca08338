#include "log/log_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "log/open_log.hpp"

namespace spinet {

using namespace logging;

namespace {

constexpr std::uint64_t block_rows = 1 << 20;  ///< whole chunks, 16 MB of spikes

/// Opens a dataset of numbers of the given rank whose size is believable.
h5::Id open_numbers(hid_t at, const std::string& path, std::size_t rank, std::vector<hsize_t>& shape) {
  auto d = h5::open_dataset(at, path);
  shape = h5::shape_of(d);
  if (shape.size() != rank)
    throw h5::Error(fmt::format("dataset {} has {} dimensions, not {}", path, shape.size(), rank));
  h5::check_number(h5::Id(h5::check(H5Dget_type(d), "dataset " + path)), "dataset " + path);
  h5::check_size(d, path);
  return d;
}

/// Reads the piece that starts at `at` and has the shape `count`.
template <class T>
void read_piece(hid_t dataset, const std::string& path, std::span<const hsize_t> at,
                std::span<const hsize_t> count, T* into) {
  const h5::Id file(h5::check(H5Dget_space(dataset), "dataset " + path));
  h5::check(H5Sselect_hyperslab(file, H5S_SELECT_SET, at.data(), nullptr, count.data(), nullptr),
            "dataset " + path);
  const h5::Id memory(
      h5::check(H5Screate_simple(static_cast<int>(count.size()), count.data(), nullptr), "a shape"));
  h5::check(H5Dread(dataset, h5::type_of<T>(), memory, file, H5P_DEFAULT, into), "reading dataset " + path);
}

template <class T>
void read_rows(hid_t dataset, const std::string& path, std::uint64_t first, std::uint64_t count,
               std::vector<T>& into) {
  into.resize(count);
  const hsize_t at[] = {first}, rows[] = {count};
  if (count > 0) read_piece(dataset, path, at, rows, into.data());
}

std::string text_or(hid_t at, const char* attribute, const std::string& otherwise) {
  return H5Aexists(at, attribute) > 0 ? h5::read_text_attribute(at, attribute) : otherwise;
}

/// Which variable of which projection a group of weights or their changes holds.
template <class Logged>
void read_whose(hid_t group, Logged& w) {
  w.projection = text_or(group, "projection", w.name);
  w.variable = text_or(group, "variable", "weight");
}

/// A dataset of the group with a row for each image.
template <class T>
std::vector<T> of_images(hid_t group, const std::string& name, std::size_t images) {
  auto all = h5::read_all<T>(group, name);
  if (all.size() != images)
    throw h5::Error(fmt::format("{} has {} rows, labels has {}", name, all.size(), images));
  return all;
}

ImageResults read_images(hid_t g) {
  ImageResults r;
  r.environment = h5::read_text_attribute(g, "population");
  r.part = h5::read_text_attribute(g, "part");
  r.data = h5::read_text_attribute(g, "data");
  r.weights = h5::read_text_attribute(g, "weights");
  r.without_energy = h5::read_text_attribute(g, "without_energy");
  r.labels = h5::read_all<std::uint32_t>(g, "labels");
  const auto images = r.labels.size();
  r.predicted = of_images<std::uint32_t>(g, "predicted", images);
  r.numbers = of_images<std::uint64_t>(g, "numbers", images);
  std::vector<hsize_t> shape;
  open_numbers(g, "outputs", 2, shape);
  if (shape[0] != images || shape[1] > std::numeric_limits<std::uint32_t>::max())
    throw h5::Error("outputs are not of these images");
  r.classes = static_cast<std::uint32_t>(shape[1]);
  for (const auto* classes : {&r.labels, &r.predicted})
    for (const auto c : *classes)
      if (c >= r.classes) throw h5::Error(fmt::format("class {} of {} classes", c, r.classes));
  for (const auto& name : h5::names(h5::open_group(g, "spikes")))
    r.layers.push_back({name, of_images<std::uint64_t>(g, "spikes/" + name, images),
                        of_images<std::uint64_t>(g, "events/" + name, images)});
  if (!h5::exists(g, "energy")) return r;
  for (const auto& name : h5::names(h5::open_group(g, "energy")))
    r.energies.push_back({name, of_images<double>(g, "energy/" + name, images)});
  return r;
}

}  // namespace

struct LogData::Open {
  std::unique_ptr<OpenLog> whole;
  OpenLog& log;
  explicit Open(const std::filesystem::path& path) : whole(open_whole(path)), log(*whole) {}
};

LogData::LogData(const std::filesystem::path& log) : summary_(summarise(log)) {
  readable(log, [&] { open_ = std::make_unique<Open>(log); });
}

LogData::~LogData() = default;

std::string LogData::network_text() const {
  return readable(summary_.path, [&] { return h5::read_text(open_->log.file, "spinet/network"); });
}

std::vector<LoggedWeights> LogData::weights() const {
  return readable(summary_.path, [&] {
    std::vector<LoggedWeights> found;
    if (!h5::exists(open_->log.file, "weights")) return found;
    const auto all = h5::open_group(open_->log.file, "weights");
    for (const auto& name : h5::names(all)) {
      LoggedWeights w;
      w.name = name;
      try {
        const auto group = h5::open_group(all, name);
        std::vector<hsize_t> shape, edges;
        const auto data = open_numbers(group, "data", 2, shape);
        w.frames = shape[0], w.edges = shape[1];
        read_whose(group, w);
        w.units = h5::read_text_attribute(data, "units");
        const auto time = h5::read_all<double>(group, "mapping/time");
        if (time.size() != 3 || !std::isfinite(time[0]) || !std::isfinite(time[1]) || !(time[2] > 0) ||
            !std::isfinite(time[2]))
          throw h5::Error("mapping/time is not start, stop and interval");
        w.start_ms = time[0], w.stop_ms = time[1], w.step_ms = time[2];
        for (const auto* ids : {"mapping/source_node_id", "mapping/target_node_id"}) {
          open_numbers(group, ids, 1, edges);
          // Of a run killed before its first frame, some or all of them are missing, and no value is of them.
          const bool whole = w.frames ? edges[0] == w.edges : edges[0] <= w.edges;
          if (!whole) throw h5::Error(fmt::format("{} has {} edges, data has {}", ids, edges[0], w.edges));
        }
      } catch (const h5::Error& e) {
        w.problem = e.what();
      }
      found.push_back(std::move(w));
    }
    return found;
  });
}

std::vector<LoggedWeightEvents> LogData::weight_events() const {
  return readable(summary_.path, [&] {
    std::vector<LoggedWeightEvents> found;
    if (!h5::exists(open_->log.file, "weight_events")) return found;
    const auto all = h5::open_group(open_->log.file, "weight_events");
    for (const auto& name : h5::names(all)) {
      LoggedWeightEvents w;
      w.name = name;
      try {
        const auto group = h5::open_group(all, name);
        std::vector<hsize_t> times, other;
        open_numbers(group, "timestamps", 1, times);
        for (const auto* column : {"edge_ids", "values"}) {
          open_numbers(group, column, 1, other);
          if (other != times)
            throw h5::Error(fmt::format("{} has {} rows, timestamps has {}", column, other[0], times[0]));
        }
        w.events = times[0];
        read_whose(group, w);
        w.units = text_or(h5::open_dataset(group, "values"), "units", "");
        if (h5::exists(group, "mapping/edge_ids")) {
          open_numbers(group, "mapping/edge_ids", 1, other);
          w.synapses = other[0];
        }
      } catch (const h5::Error& e) {
        w.problem = e.what();
      }
      found.push_back(std::move(w));
    }
    return found;
  });
}

std::vector<LoggedMetrics> LogData::metrics() const {
  return readable(summary_.path, [&] {
    std::vector<LoggedMetrics> found;
    if (!h5::exists(open_->log.file, "metrics")) return found;
    const auto all = h5::open_group(open_->log.file, "metrics");
    for (const auto& name : h5::names(all)) {
      LoggedMetrics m;
      m.population = name;
      try {
        const auto group = h5::open_group(all, name);
        std::vector<hsize_t> times, other;
        open_numbers(group, "timestamps", 1, times);
        m.rewards = times[0];
        for (const auto& column : h5::names(group)) {
          if (column == "timestamps" || m.names.size() == LoggedMetrics::most) continue;
          open_numbers(group, column, 1, other);
          if (other != times)
            throw h5::Error(fmt::format("{} has {} rows, timestamps has {}", column, other[0], times[0]));
          m.names.push_back(column);
        }
      } catch (const h5::Error& e) {
        m.problem = e.what();
      }
      found.push_back(std::move(m));
    }
    return found;
  });
}

void LogData::in_order_of_populations(std::vector<ImageResults::Layer>& layers) const {
  const auto place = [&](const ImageResults::Layer& l) {
    const auto& all = summary_.populations;
    return std::find_if(all.begin(), all.end(), [&](const auto& p) { return p.name == l.population; }) -
           all.begin();
  };
  std::stable_sort(layers.begin(), layers.end(),
                   [&](const auto& a, const auto& b) { return place(a) < place(b); });
}

std::optional<LoggedImages> LogData::images() const {
  return readable(summary_.path, [&]() -> std::optional<LoggedImages> {
    if (!h5::exists(open_->log.file, "images")) return {};
    LoggedImages i;
    try {
      i.results = read_images(h5::open_group(open_->log.file, "images"));
      in_order_of_populations(i.results.layers);
    } catch (const h5::Error& e) {
      i.problem = e.what();
    }
    return i;
  });
}

void LogData::spikes(const LoggedPopulation& p, const std::function<void(const SpikePiece&)>& piece) const {
  readable(summary_.path, [&] {
    const auto group = h5::open_group(open_->log.file, "spikes/" + p.name);
    std::vector<hsize_t> rows, other;
    const auto node_set = open_numbers(group, "node_ids", 1, rows);
    const bool exact = h5::exists(group, "ticks");
    const auto time_set = open_numbers(group, exact ? "ticks" : "timestamps", 1, other);
    if (rows != other)
      throw h5::Error(fmt::format("population {} has {} times but {} node ids", p.name, other[0], rows[0]));
    std::vector<std::uint64_t> nodes;
    std::vector<Tick> ticks;
    std::vector<double> ms;
    Tick last = 0;
    for (std::uint64_t first = 0; first < rows[0]; first += block_rows) {
      const auto count = std::min<std::uint64_t>(block_rows, rows[0] - first);
      read_rows(node_set, "node_ids", first, count, nodes);
      if (exact) {
        read_rows(time_set, "ticks", first, count, ticks);
      } else {
        read_rows(time_set, "timestamps", first, count, ms);
        ticks.resize(count);
        for (std::uint64_t i = 0; i < count; ++i) {
          const double x = ms[i] * summary_.ticks_per_ms;
          if (!(x >= 0) || !(x < 9.2e18))
            throw h5::Error(fmt::format("spike {} of {} has the time {} ms", first + i, p.name, ms[i]));
          ticks[i] = std::llround(x);
        }
      }
      for (std::uint64_t i = 0; i < count; ++i) {
        if (ticks[i] < last)
          throw h5::Error(fmt::format(
              "spike {} of {} is earlier than the one before it: the spikes are not sorted by time",
              first + i, p.name));
        last = ticks[i];
        if (nodes[i] >= p.size)
          throw h5::Error(fmt::format("spike {} of {} is of node {}, but the population has only {}",
                                      first + i, p.name, nodes[i], p.size));
      }
      piece({ticks, nodes});
    }
  });
}

std::vector<std::uint64_t> LogData::report_nodes(const LoggedReport& r) const {
  return readable(summary_.path, [&] {
    auto nodes = h5::read_all<std::uint64_t>(open_->log.file, r.path + "/mapping/node_ids");
    if (nodes.size() != r.ids)
      throw h5::Error(fmt::format("report {} has {} values but {} node ids", r.name, r.ids, nodes.size()));
    return nodes;
  });
}

void LogData::read_table(const std::string& path, const Part& part, std::vector<float>& into) const {
  readable(summary_.path, [&] {
    std::vector<hsize_t> shape;
    const auto d = open_numbers(open_->log.file, path, 2, shape);
    if (part.frame + part.frames > shape[0] || part.value + part.values > shape[1])
      throw h5::Error("dataset " + path + " is too small");
    into.resize(part.frames * part.values);
    const hsize_t at[] = {part.frame, part.value}, count[] = {part.frames, part.values};
    if (!into.empty()) read_piece(d, path, at, count, into.data());
  });
}

void LogData::read(const LoggedReport& r, const Part& part, std::vector<float>& into) const {
  read_table(r.path + "/data", part, into);
}

void LogData::read(const LoggedImages&, const Part& part, std::vector<float>& into) const {
  read_table("images/outputs", part, into);
}

void LogData::read(const LoggedWeights& w, const Part& part, std::vector<float>& into) const {
  read_table("/weights/" + w.name + "/data", part, into);
}

WeightMapping LogData::mapping(const LoggedWeights& w) const {
  return readable(summary_.path, [&] {
    const std::string at = "/weights/" + w.name + "/mapping/";
    WeightMapping m{h5::read_all<std::uint64_t>(open_->log.file, at + "source_node_id"),
                    h5::read_all<std::uint64_t>(open_->log.file, at + "target_node_id")};
    if (w.frames && (m.sources.size() != w.edges || m.targets.size() != w.edges))
      throw h5::Error("weights " + w.name + " have another number of edges than their mapping");
    return m;
  });
}

WeightEvents LogData::read(const LoggedWeightEvents& e) const {
  return readable(summary_.path, [&] {
    const auto group = h5::open_group(open_->log.file, "weight_events/" + e.name);
    WeightEvents all{h5::read_all<double>(group, "timestamps"),
                     h5::read_all<std::uint64_t>(group, "edge_ids"), h5::read_all<float>(group, "values")};
    if (all.ms.size() != all.edges.size() || all.ms.size() != all.values.size())
      throw h5::Error("weight events of " + e.name + " have columns of different lengths");
    return all;
  });
}

std::vector<double> LogData::read(const LoggedMetrics& m, const std::string& column) const {
  return readable(summary_.path, [&] {
    auto values = h5::read_all<double>(open_->log.file, "metrics/" + m.population + "/" + column);
    if (values.size() != m.rewards)
      throw h5::Error(
          fmt::format("metrics of {}: {} has another number of rows than before", m.population, column));
    return values;
  });
}

}  // namespace spinet
