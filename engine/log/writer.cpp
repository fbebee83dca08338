#include "log/writer.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <stdio.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <ctime>
#include <map>
#include <optional>
#include <random>
#include <set>

#include "log/commit_file.hpp"
#include "log/h5.hpp"
#include "log/journal.hpp"
#include "log/layout.hpp"
#include "log/open_log.hpp"
#include "log/reader.hpp"
#include "log/stream.hpp"
#include "network/digest.hpp"
#include "network/signs.hpp"

namespace spinet {

using namespace logging;
using Clock = std::chrono::steady_clock;

h5::Id layout::sorting_type() {
  h5::Id t(h5::check(H5Tenum_create(H5T_STD_U8LE), "the sorting type"));
  for (const auto& [name, value] : {std::pair("none", std::uint8_t{0}), std::pair("by_id", std::uint8_t{1}),
                                    std::pair("by_time", std::uint8_t{2})})
    h5::check(H5Tenum_insert(t, name, &value), "the sorting type");
  return t;
}

namespace {

std::string utc_now() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

std::array<std::byte, 16> random_id() {
  std::random_device device;
  std::array<std::byte, 16> id;
  for (auto& b : id) b = static_cast<std::byte>(device());
  return id;
}

std::string hex(std::span<const std::byte> bytes) {
  std::string s;
  for (const auto b : bytes) s += fmt::format("{:02x}", static_cast<unsigned>(b));
  return s;
}

/// A name as one link of an HDF5 path.
const std::string& link_name(const std::string& name) {
  if (name.empty() || name == "." || name.find('/') != std::string::npos || name.find('\0') != std::string::npos)
    throw h5::Error("\"" + name + "\" cannot be a name in the file");
  return name;
}

/// A table of fixed-length texts and numbers, as a one-dimensional compound dataset.
h5::Id populations_type(std::size_t name, std::size_t model) {
  h5::Id t(h5::check(H5Tcreate(H5T_COMPOUND, name + model + 8 + 16), "the population table"));
  h5::check(H5Tinsert(t, "name", 0, h5::utf8(name)), "the population table");
  h5::check(H5Tinsert(t, "model", name, h5::utf8(model)), "the population table");
  h5::check(H5Tinsert(t, "kind", name + model, h5::utf8(8)), "the population table");
  h5::check(H5Tinsert(t, "first_gid", name + model + 8, H5T_STD_U64LE), "the population table");
  h5::check(H5Tinsert(t, "size", name + model + 16, H5T_STD_U64LE), "the population table");
  return t;
}

/// The same for two recordings just if they take their events at the same times.
Digest times_digest(const WeightEventRecording& r) {
  std::string text = fmt::format("{} {} {} {} of {}:", r.on_change, r.from, r.to, r.logs ? fmt::format("{} at {}", r.logs->name, r.projection) : "", r.epochs.empty() ? 0 : r.environment);
  for (const Tick t : r.at) fmt::format_to(std::back_inserter(text), " {}", t);
  text += ';';
  for (const auto e : r.epochs) fmt::format_to(std::back_inserter(text), " {}", e);
  return sha256(std::as_bytes(std::span(text)));
}

void refuse_another(hid_t log, const std::filesystem::path& name, const Network& network) {
  const auto run = h5::open_group(log, "spinet");
  if (h5::read_text(run, "network") == network.source_text && h5::read_attribute<std::uint32_t>(run, "seed") == network.seed &&
      h5::read_texts(run, "overrides") == network.overrides)
    return;
  throw LogError(name, "is the log of another run; a checkpoint goes on with the log that it was written beside: put that one back under this name");
}

}  // namespace

void refuse_another_run(const std::filesystem::path& log, const Network& network) {
  readable(log, [&] { refuse_another(open_whole(log)->file, log, network); });
}

struct RunLog::Impl {
  Impl(std::filesystem::path p, const Network& n, RunLogOptions o)
      : path(std::move(p)), network(n), options(std::move(o)), ticks_per_ms(n.ticks_per_ms()) {}

  std::filesystem::path path;
  const Network& network;
  RunLogOptions options;
  double ticks_per_ms;
  JournalHead head;

  // Destroyed from the last to the first: datasets before their file, the file before what it is stored in.
  Packer packer;
  std::unique_ptr<CommitFile> store;
  std::optional<Journal> journal;
  h5::Id file, provenance, stamp;
  std::uint64_t commits = 0;                      ///< that changed pages of the HDF5 file
  std::vector<Stream> streams;
  struct Report {
    std::size_t stream;
    h5::Id time;
    Tick from, every;
  };
  std::vector<Report> reports;
  struct Weights { std::size_t report, mapping; };  ///< index in `reports`; stream of what its columns are, or none
  std::vector<Weights> weights;

  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  std::vector<std::size_t> spikes_of;             ///< population -> stream
  std::vector<std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t>> edges_of;  ///< projection -> stream by source and target population
  std::vector<std::size_t> edge_streams;
  std::vector<std::size_t> metrics_of;            ///< population -> stream
  struct Events { std::size_t stream, mapping; };
  std::vector<Events> events;                     ///< by weight event recording
  bool exact_ticks = false;                       ///< there is a third column, `ticks`
  bool edges_open = false;
  bool dirty = false;                             ///< some stream has handed a chunk to HDF5 since the last commit
  std::uint32_t last_population = 0;              ///< of the last lookup
  Tick reached = 0, durable = 0;
  std::uint64_t uncommitted = 0;                  ///< bytes handed to HDF5 since then
  Clock::time_point last_commit = Clock::now();
  std::uint64_t journal_limit = 16u << 20;        ///< size at which the journal is cut back to what is live
  std::optional<LogError> failed;
  bool closed = false;

  double ms(Tick t) const { return static_cast<double>(t) / ticks_per_ms; }

  // --- creation ---

  /// Rows of a chunk: fewer where there are many datasets, whose buffers together stay within 64 MB.
  void choose_chunk() {
    std::set<std::uint32_t> populations;
    for (const auto& s : network.spikes) populations.insert(s.population);
    const std::size_t datasets = populations.size() + network.edge_recordings.size() + network.reports.size() + network.weights.size() + network.weight_events.size();
    constexpr std::uint64_t together = std::uint64_t{64} << 20, row = 16, fewest = 512;
    const std::uint64_t rows = std::bit_floor(together / row / std::max<std::size_t>(1, datasets));
    options.chunk = static_cast<std::uint32_t>(std::min<std::uint64_t>(options.chunk, std::max(rows, fewest)));
  }

  void create(const RunProvenance& run) {
    refuse_target();
    if (!options.lock) options.lock = std::make_shared<OutputLock>(path);
    choose_chunk();
    refuse_existing();
    const auto fresh = temporary_name(path);
    try {
      fill(fresh, run);
      if (options.power_safe) store->file().sync();
      // Both are whole; killed between the two steps, the journal gets its name from the next owner of the lock.
      const Commit rest = unwritten(true);
      journal.emplace(path, head, options.continues ? &rest : nullptr, options.power_safe, options.fault);
      give_name(fresh);
      journal->publish();
      durable = reached;
    } catch (const DamagedSource&) {
      clear_away(fresh);
      throw;
    } catch (const std::exception& e) {
      const std::string reason = store && !store->failure().empty() ? store->failure() : e.what();
      clear_away(fresh);
      throw LogError(path, "the log cannot be created: " + reason);
    }
  }

  /// What has been made of a log that will not be.
  void clear_away(const std::filesystem::path& fresh) {
    const bool named = store && store->file().path() == path;
    if (journal && !named) journal->discard();
    abandon();
    std::error_code ignored;
    if (!named) std::filesystem::remove(fresh, ignored);
  }

  /// The file with provenance, empty datasets for all that is recorded, and what an earlier log has of them.
  void fill(const std::filesystem::path& fresh, const RunProvenance& run) {
    store = std::make_unique<CommitFile>(File(fresh, File::Mode::create, options.fault));
    store->file().lock(true);
    const auto access = store->access();
    h5::Id properties(h5::check(H5Pcreate(H5P_FILE_CREATE), "file properties"));
    h5::check(H5Pset_obj_track_times(properties, false), "file properties");
    file = h5::Id(h5::check(H5Fcreate(fresh.c_str(), H5F_ACC_TRUNC, properties, access), "creating the file"));
    head.run_id = random_id();
    write_root();
    write_provenance(run);
    for (const auto& recording : network.spikes) add_spikes(recording.population);
    for (const auto& report : network.reports) add_report(report);
    for (const auto p : network.edge_recordings) add_edges(p);
    for (std::uint32_t w = 0; w < network.weights.size(); ++w) add_weights(w);
    for (std::uint32_t p = 0; p < network.populations.size(); ++p) add_metrics(p);
    for (const auto& r : network.weight_events) add_weight_events(r);
    for (const auto& s : streams) head.streams.push_back(s.names());
    if (options.continues) take_over(*options.continues);
    flush();
    head.stamp_offset = H5Dget_offset(stamp);
    store->commit(nullptr, {}, options.power_safe);
  }

  /// The datasets of a stream in the log that this one continues.
  struct OldColumns {
    std::vector<h5::Id> sets, types;
    std::uint64_t rows = 0;
  };
  OldColumns open_old(hid_t old, const Stream& s) const {
    OldColumns c;
    for (const auto& n : s.names()) {
      c.sets.push_back(h5::open_dataset(old, n.dataset));
      const h5::Id stored(h5::check(H5Dget_type(c.sets.back()), n.dataset));
      h5::check_number(stored, n.dataset);
      c.types.emplace_back(h5::check(H5Tget_native_type(stored, H5T_DIR_ASCEND), n.dataset));
      const auto shape = h5::shape_of(c.sets.back());
      c.rows = shape[0];
      if (H5Tget_size(c.types.back()) * (shape.size() > 1 ? shape[1] : 1) != n.row_bytes) throw h5::Error(n.dataset + " has another shape");
    }
    return c;
  }
  static void read_old(const OldColumns& c, Stream& s, std::uint64_t row, std::uint64_t n) {
    const auto names = s.names();
    for (std::size_t k = 0; k < c.sets.size(); ++k) {
      const auto shape = h5::shape_of(c.sets[k]);
      const auto width = shape.size() > 1 ? shape[1] : 1;
      const hsize_t start[2] = {row, 0}, count[2] = {n, width};
      const h5::Id from(h5::check(H5Dget_space(c.sets[k]), names[k].dataset));
      const h5::Id memory(h5::check(H5Screate_simple(shape.size() > 1 ? 2 : 1, count, nullptr), names[k].dataset));
      h5::check(H5Sselect_hyperslab(from, H5S_SELECT_SET, start, nullptr, count, nullptr), names[k].dataset);
      h5::check(H5Dread(c.sets[k], c.types[k], memory, from, H5P_DEFAULT, s.column<std::byte>(k)), "reading " + names[k].dataset);
    }
  }
  /// What fails in the log that is read is told apart from what fails in the one that is written.
  template <class F>
  static auto of_old(const Continuation& c, F&& f) {
    try {
      return f();
    } catch (const h5::Error& e) {
      throw DamagedSource(c.log, e.what());
    }
  }
  h5::Id open_old_log(const Continuation& c) const {
    h5::Id old(h5::check(H5Fopen(c.log.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), "opening " + c.log.string()));
    refuse_another(old, c.log, network);
    const auto old_run = h5::open_group(old, "spinet");
    // Without its journal (`recover` has not been there) a log holds less than it says.
    const bool whole = h5::read_text_attribute(old_run, "status") != layout::status::running;
    if (const auto held = h5::read_attribute<Tick>(old_run, whole ? "reached_ticks" : "whole_ticks"); held < c.at)
      throw h5::Error(fmt::format("holds the run up to {} ms only, the checkpoint is of {} ms", ms(held), ms(c.at)));
    return old;
  }
  /// Copies the rows before tick `c.at` of every stream from an earlier log of the same run.
  void take_over(const Continuation& c) {
    const h5::Id old = of_old(c, [&] { return open_old_log(c); });
    for (std::size_t i = 0; i < streams.size(); ++i) {
      auto& s = streams[i];
      const auto columns = of_old(c, [&] { return open_old(old, s); });
      std::uint64_t rows = columns.rows;
      const bool timed = std::count(metrics_of.begin(), metrics_of.end(), i) > 0 ||
                         std::any_of(events.begin(), events.end(), [&](const Events& e) { return e.stream == i; });
      const bool spikes = timed || std::count(spikes_of.begin(), spikes_of.end(), i) > 0;
      for (const auto& r : reports)
        if (r.stream == i) rows = std::min<std::uint64_t>(rows, c.at <= r.from ? 0 : static_cast<std::uint64_t>((c.at - r.from + r.every - 1) / r.every));
      for (std::uint64_t row = 0; row < rows;) {
        std::uint64_t n = s.room(rows - row);
        of_old(c, [&] { read_old(columns, s, row, n); });
        if (spikes) {  // sorted by time
          std::uint64_t before = 0;
          const auto tick = [&](std::uint64_t k) { return exact_ticks && !timed ? s.column<Tick>(2)[k] : std::llround(s.column<double>(0)[k] * ticks_per_ms); };
          while (before < n && tick(before) < c.at) ++before;
          if (before < n) rows = row + before;
          n = before;
        }
        if (n) took(s, n);
        row += n;
      }
    }
    for (const auto i : edge_streams) streams[i].write_rest();
    edges_open = false;
    reached = c.at;
    h5::replace_attribute(provenance, "reached_ticks", reached);
  }

  /// What cannot become a log, whether it is there already or not.
  void refuse_target() const {
    const auto there = std::filesystem::symlink_status(path);
    if (std::filesystem::exists(there) && !std::filesystem::is_regular_file(there))
      throw LogError(path, "is not a regular file and is not replaced");
    const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
    if (!std::filesystem::is_directory(folder))
      throw LogError(path, "cannot be created: there is no folder " + folder.string());
  }

  void refuse_existing() const {
    if (options.force) {
      if (std::filesystem::exists(path) && !File(path, File::Mode::read).lock(true))
        throw LogError(path, "is in use: another process reads or writes it");
    } else if (std::filesystem::exists(path)) {
      throw LogError(path, "exists already (--force replaces it)");
    }
    Journal::refuse(path, options.force);
  }

  /// The file appears under its own name only when it is whole.
  void give_name(const std::filesystem::path& fresh) {
    const unsigned how = options.force ? 0 : RENAME_NOREPLACE;
    int rc = ::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, path.c_str(), how);
    // Some network file systems know only the plain rename.
    if (rc != 0 && (errno == EINVAL || errno == ENOSYS)) rc = ::rename(fresh.c_str(), path.c_str());
    if (rc != 0)
      throw LogError(path, std::string("cannot rename ") + fresh.string() + " to this: " + std::strerror(errno));
    store->file().renamed(path);
    if (options.power_safe) sync_folder(path);
  }

  void write_root() {
    h5::write_attribute(file, "magic", layout::sonata_magic);
    const std::array<hsize_t, 1> two{2};
    const h5::Id space(h5::check(H5Screate_simple(1, two.data(), nullptr), "a shape"));
    const std::uint32_t version[2] = {0, 1};
    h5::write_attribute(file, "version", H5T_NATIVE_UINT32, space, version);
  }

  void write_provenance(const RunProvenance& run) {
    provenance = h5::create_group(file, "spinet");
    const hid_t g = provenance;
    h5::write_attribute(g, "format_version", layout::format_version);
    h5::write_text_attribute(g, "run_id", hex(head.run_id));
    h5::write_text_attribute(g, "status", layout::status::running, layout::status_bytes);
    h5::write_attribute(g, "reached_ticks", Tick{0});
    h5::write_attribute(g, "whole_ticks", Tick{0});
    h5::write_attribute(g, "duration_ticks", network.duration);
    h5::write_attribute(g, "time_resolution", network.seconds_per_tick);
    h5::write_attribute(g, "ticks_per_ms", ticks_per_ms);
    h5::write_attribute(g, "seed", network.seed);
    h5::write_attribute(g, "ranks", static_cast<std::uint32_t>(run.ranks));
    h5::write_text_attribute(g, "version", run.version);
    h5::write_text_attribute(g, "started", run.started.empty() ? utc_now() : run.started);
    if (!run.host.empty()) h5::write_text_attribute(g, "host", run.host);
    h5::write_text_attribute(g, "network_name", network.name);
    h5::write_text_attribute(g, "network_path", network.source_path);
    const Stamp now{head.run_id, commits};
    h5::write_text(g, "network", network.source_text);
    h5::write_text(g, "command_line", run.command_line);
    h5::write_texts(g, "overrides", network.overrides);
    h5::write_texts(g, "files", run.files);
    h5::create_group(g, "reports");
    const std::array<hsize_t, 1> shape{sizeof(Stamp)};
    stamp = h5::write_dataset(g, "commit", H5T_NATIVE_UINT8, shape, &now);
    write_populations(g);
  }

  void write_populations(hid_t group) {
    std::size_t name = 1, model = 1;
    for (const auto& p : network.populations) {
      name = std::max(name, p.name.size());
      model = std::max(model, std::strlen(p.model->name));
    }
    const h5::Id type = populations_type(name, model);
    const std::size_t row = H5Tget_size(type);
    std::vector<char> bytes(row * network.populations.size(), '\0');
    char* at = bytes.data();
    for (const auto& p : network.populations) {
      const std::uint64_t numbers[2] = {p.first, p.size};
      const char* kind = p.model->kind == Kind::source ? "source" : "neuron";
      std::memcpy(at, p.name.data(), p.name.size());
      std::memcpy(at + name, p.model->name, std::strlen(p.model->name));
      std::memcpy(at + name + model, kind, std::strlen(kind));
      std::memcpy(at + name + model + 8, numbers, sizeof numbers);
      at += row;
    }
    const std::array<hsize_t, 1> shape{network.populations.size()};
    h5::write_dataset(group, "populations", type, shape, bytes.data());
    const auto known = transmitted_signs(network);
    const std::vector<std::int8_t> signs(known.begin(), known.end());
    h5::write_dataset(group, "signs", H5T_STD_I8LE, shape, signs.data());
  }

  Packer* packing() { return options.compress ? &packer : nullptr; }
  h5::Chunks chunks(std::vector<hsize_t> shape) const { return {std::move(shape), options.compress}; }

  void add_column(Stream& s, hid_t group, const std::string& folder, const std::string& name, hid_t type) {
    s.add(h5::create_growing(group, name, type, {}, chunks({options.chunk})), folder + "/" + name, H5Tget_size(type));
  }

  /// What of a population is recorded, so that rates can be computed from the log: the time, and how many neurons.
  void write_extent(hid_t group, std::uint32_t population) {
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
    h5::write_attribute<std::uint64_t>(group, "neurons", static_cast<std::uint64_t>(std::count(recorded.begin(), recorded.end(), true)));
  }

  /// Several recordings of one population share its datasets.
  void add_spikes(std::uint32_t population) {
    spikes_of.resize(network.populations.size(), none);
    if (spikes_of[population] != none) return;
    const auto& name = link_name(network.populations[population].name);
    const auto all = h5::exists(file, "spikes") ? h5::open_group(file, "spikes") : h5::create_group(file, "spikes");
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

  void add_report(const spinet::Report& r) {
    const auto& population = network.populations[r.population];
    const auto& variable = population.model->variables.data[r.variable];
    const auto all = h5::exists(file, "report") ? h5::open_group(file, "report") : h5::create_group(file, "report");
    // SONATA has one report per population and file.  The first takes the population's place, the others stand beside
    // it.
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

  /// An environment's metrics, a row per reward.
  void add_metrics(std::uint32_t p) {
    metrics_of.resize(network.populations.size(), none);
    const NeuronTable* table = network.populations[p].neuron();
    if (!table || !table->environment || table->metric_count == 0) return;
    const auto all = h5::exists(file, "metrics") ? h5::open_group(file, "metrics") : h5::create_group(file, "metrics");
    const auto& name = link_name(network.populations[p].name);
    const auto group = h5::create_group(all, name);
    const auto folder = "/metrics/" + name;
    auto& s = streams.emplace_back(options.chunk, packing());
    add_column(s, group, folder, "timestamps", H5T_NATIVE_DOUBLE);
    h5::write_vlen_attribute(h5::open_dataset(group, "timestamps"), "units", "ms");
    for (std::uint32_t m = 0; m < table->metric_count; ++m) add_column(s, group, folder, link_name(table->metrics[m]), H5T_NATIVE_DOUBLE);
    metrics_of[p] = streams.size() - 1;
  }

  void add_frames_dataset(hid_t group, const std::string& folder, hsize_t width, const std::string& unit) {
    // About options.chunk values per chunk; a wide frame is cut into equal pieces.
    const hsize_t pieces = (width + options.chunk - 1) / options.chunk;
    const hsize_t rows = std::max<hsize_t>(1, options.chunk / width);
    const hsize_t chunk_width = (width + pieces - 1) / pieces;
    auto& s = streams.emplace_back(rows, packing());
    auto data = h5::create_growing(group, "data", H5T_NATIVE_FLOAT, {width}, chunks({rows, chunk_width}));
    h5::write_vlen_attribute(data, "units", unit);
    s.add(std::move(data), folder + "/data", sizeof(float), width, chunk_width);
  }

  h5::Id time_dataset(hid_t mapping, Tick from, Tick every) {
    const double time[3] = {ms(from), ms(from), ms(every)};
    auto set = h5::write_dataset<double>(mapping, "time", time);
    h5::write_vlen_attribute(set, "units", "ms");
    return set;
  }

  /// Name of a recording of synapses below its root: the projection, with the variable unless that is the first.
  template <class Recording>
  std::string place_of(const Recording& recording) const {
    const auto& projection = network.projections[recording.projection];
    const auto name = link_name(projection.name);
    return recording.variable == 0 ? name : name + "." + link_name(projection.synapse->model.variables.data[recording.variable].name);
  }
  template <class Recording>
  auto group_of(const Recording& recording, const char* root, const std::string& place) {
    const auto& projection = network.projections[recording.projection];
    const auto all = h5::exists(file, root) ? h5::open_group(file, root) : h5::create_group(file, root);
    auto group = h5::create_group(all, place);
    h5::write_text_attribute(group, "projection", projection.name);
    h5::write_text_attribute(group, "synapse", projection.synapse->model.name);
    h5::write_text_attribute(group, "variable", projection.synapse->model.variables.data[recording.variable].name);
    return group;
  }
  void add_weights(std::uint32_t w) {
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
    add_frames_dataset(group, folder, width, recording.variable == 0 ? weight_unit(projection, network.populations[target]) : variable.unit);
    const std::size_t frames = streams.size() - 1;
    const auto mapping = h5::create_group(group, "mapping");
    reports.push_back({frames, time_dataset(mapping, recording.from, recording.every), recording.from, recording.every});
    weights.back().report = reports.size() - 1;
    add_mapping_columns(streams.emplace_back(options.chunk, packing()), mapping, folder);
    weights.back().mapping = streams.size() - 1;
    edge_streams.push_back(streams.size() - 1);
    edges_open = true;
  }

  void add_weight_events(const WeightEventRecording& recording) {
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
    h5::write_vlen_attribute(h5::open_dataset(group, "values"), "units", recording.variable == 0 ? weight_unit(projection, network.populations[target]) : variable.unit);
    const std::size_t changes = streams.size() - 1;
    const auto mapping = h5::create_group(group, "mapping");
    auto& m = streams.emplace_back(options.chunk, packing());
    add_mapping_columns(m, mapping, folder);
    add_column(m, mapping, folder + "/mapping", "edge_ids", H5T_NATIVE_UINT64);
    events.push_back({changes, streams.size() - 1});
    edge_streams.push_back(streams.size() - 1);
    edges_open = true;
  }
  void add_mapping_columns(Stream& s, hid_t mapping, const std::string& folder) {
    add_column(s, mapping, folder + "/mapping", "source_node_id", H5T_NATIVE_UINT64);
    add_column(s, mapping, folder + "/mapping", "target_node_id", H5T_NATIVE_UINT64);
    add_column(s, mapping, folder + "/mapping", "source_population", H5T_NATIVE_UINT32);
    add_column(s, mapping, folder + "/mapping", "target_population", H5T_NATIVE_UINT32);
  }

  /// The populations that a projection's ranges touch, in order.
  std::vector<std::uint32_t> populations_in(const std::vector<GidRange>& ranges) {
    std::set<std::uint32_t> found;
    for (const auto& r : ranges)
      if (r.count > 0)
        for (auto p = population_of(r.first); p <= population_of(r.first + (r.count - 1)); ++p) found.insert(p);
    return {found.begin(), found.end()};
  }

  void add_edges(std::uint32_t p) {
    const auto& projection = network.projections[p];
    edges_of.resize(network.projections.size());
    if (!edges_of[p].empty()) return;
    const auto all = h5::exists(file, "edges") ? h5::open_group(file, "edges") : h5::create_group(file, "edges");
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
        h5::write_vlen_attribute(h5::open_dataset(attributes, "syn_weight"), "units", weight_unit(projection, to));
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

  /// A weight has the unit of the port it goes to, unless the synapse model says otherwise.
  static std::string weight_unit(const Projection& projection, const Population& target) {
    const auto& variables = projection.synapse->model.variables;
    return variables.count ? unit_of(variables.data[0], projection, target) : "1";
  }
  static std::string unit_of(const Field& f, const Projection& projection, const Population& target) {
    const auto* neuron = target.neuron();
    return f.flags & port_unit && neuron && projection.port < neuron->port_count ? neuron->ports[projection.port].unit : f.unit;
  }

  // --- data ---

  std::uint32_t population_of(Gid gid) {
    const auto& all = network.populations;
    const auto in = [&](std::uint32_t p) { return gid >= all[p].first && gid - all[p].first < all[p].size; };
    if (in(last_population)) return last_population;
    const auto it =
        std::upper_bound(all.begin(), all.end(), gid, [](Gid g, const Population& p) { return g < p.first; });
    if (it != all.begin()) {
      // Empty populations share their first gid with the next one; the last such is the one that has it.
      const auto p = static_cast<std::uint32_t>(it - all.begin() - 1);
      if (in(p)) return last_population = p;
    }
    throw std::logic_error(fmt::format("gid {} belongs to no population", gid));
  }

  void took(Stream& s, std::uint64_t rows) {
    const auto before = s.written_bytes();
    s.took(rows);
    dirty = dirty || s.dirty();
    uncommitted += s.written_bytes() - before;
  }

  void add_spikes(std::span<const Spike> sorted) {
    while (!sorted.empty()) {
      const auto p = population_of(sorted[0].gid);
      if (p >= spikes_of.size() || spikes_of[p] == none)
        throw std::logic_error("spikes of population " + network.populations[p].name + ", which is not recorded");
      auto& s = streams[spikes_of[p]];
      const Gid first = network.populations[p].first;
      const std::uint32_t size = network.populations[p].size;
      std::uint64_t n = 0;
      while (n < sorted.size() && sorted[n].gid - first < size) ++n;
      const std::uint64_t room = s.room(n);
      double* time = s.column<double>(0);
      std::uint64_t* id = s.column<std::uint64_t>(1);
      Tick* tick = exact_ticks ? s.column<Tick>(2) : nullptr;
      for (n = 0; n < room; ++n) {
        time[n] = ms(sorted[n].tick);
        id[n] = sorted[n].gid - first;
        if (tick) tick[n] = sorted[n].tick;
      }
      took(s, n);
      sorted = sorted.subspan(n);
    }
  }

  void add_frames(std::size_t r, std::size_t width, std::span<const float> values) {
    auto& s = streams[reports.at(r).stream];
    if (values.size() % width) throw std::logic_error("a part of a frame");
    while (!values.empty()) {
      const auto rows = s.room(values.size() / width);  // before the pointer: the buffer may grow
      std::memcpy(s.column<float>(0), values.data(), rows * width * sizeof(float));
      took(s, rows);
      values = values.subspan(rows * width);
    }
  }

  /// `values`: of the variables that edges hold beside their weight, row-major.
  void add_edges(std::uint32_t p, std::span<const Edge> some, std::span<const double> values) {
    for (std::uint32_t w = 0; w < weights.size(); ++w)
      if (network.weights[w].projection == p && weights[w].mapping != none) add_mapping(streams[weights[w].mapping], some);
    if (p >= edges_of.size() || edges_of[p].empty()) {
      if (network.records_edges(p)) return;
      throw std::logic_error("edges of projection " + network.projections.at(p).name + ", which are not recorded");
    }
    const std::size_t width = edge_variables(*network.projections[p].synapse).size();
    if (values.size() != width * some.size()) throw std::logic_error("edges without the values of their variables");
    while (!some.empty()) {
      const auto source = population_of(some[0].source), target = population_of(some[0].target);
      const auto index = edges_of[p].find({source, target});
      if (index == edges_of[p].end()) throw std::logic_error("an edge outside its projection");
      auto& s = streams[index->second];
      const auto& from = network.populations[source];
      const auto& to = network.populations[target];
      std::uint64_t run = 0;
      while (run < some.size() && some[run].source - from.first < from.size && some[run].target - to.first < to.size) ++run;
      const auto room = s.room(run);
      const auto first_row = s.rows();
      std::uint64_t k = 0;
      for (; k < room; ++k) {
        s.column<std::uint64_t>(0)[k] = some[k].source - from.first;
        s.column<std::uint64_t>(1)[k] = some[k].target - to.first;
        s.column<std::int64_t>(2)[k] = p;
        s.column<std::uint64_t>(3)[k] = 0;
        s.column<std::uint64_t>(4)[k] = first_row + k;
        s.column<double>(5)[k] = some[k].weight;
        s.column<double>(6)[k] = ms(some[k].delay);
        for (std::size_t v = 0; v < width; ++v) s.column<double>(7 + v)[k] = values[k * width + v];
      }
      took(s, k);
      some = some.subspan(k);
      values = values.subspan(k * width);
    }
  }

  /// What the columns of a weight recording, or the synapses of a weight event recording, are.
  template <class AnEdge>
  void add_mapping(Stream& s, std::span<const AnEdge> some) {
    while (!some.empty()) {
      const auto n = s.room(some.size());
      for (std::uint64_t k = 0; k < n; ++k) {
        if constexpr (requires { some[k].id; }) s.column<std::uint64_t>(4)[k] = some[k].id;
        const auto source = population_of(some[k].source);
        s.column<std::uint64_t>(0)[k] = some[k].source - network.populations[source].first;
        s.column<std::uint32_t>(2)[k] = source;
        const auto target = population_of(some[k].target);
        s.column<std::uint64_t>(1)[k] = some[k].target - network.populations[target].first;
        s.column<std::uint32_t>(3)[k] = target;
      }
      took(s, n);
      some = some.subspan(n);
    }
  }

  void add_events(Stream& s, std::span<const WeightEvent> some) {
    while (!some.empty()) {
      const auto n = s.room(some.size());
      for (std::uint64_t k = 0; k < n; ++k) {
        s.column<double>(0)[k] = ms(some[k].tick);
        s.column<std::uint64_t>(1)[k] = some[k].edge;
        s.column<double>(2)[k] = some[k].value;
      }
      took(s, n);
      some = some.subspan(n);
    }
  }

  // --- commits ---

  /// Time before which HDF5 has every row, so that the file is whole without the journal.
  Tick whole() const {
    if (edges_open) return 0;
    Tick t = reached;
    const auto sooner = [&](std::size_t stream, bool in_ticks) {
      if (stream == none || streams[stream].buffered() == 0) return;
      const auto& s = streams[stream];
      t = std::min(t, in_ticks ? s.oldest<Tick>(2) : static_cast<Tick>(std::llround(s.oldest<double>(0) * ticks_per_ms)));
    };
    for (const auto s : spikes_of) sooner(s, exact_ticks);
    for (const auto s : metrics_of) sooner(s, false);
    for (const auto& e : events) sooner(e.stream, false);
    for (const auto& r : reports)
      if (streams[r.stream].buffered() > 0) t = std::min(t, r.from + static_cast<Tick>(streams[r.stream].written()) * r.every);
    return std::max<Tick>(t, 0);
  }

  /// HDF5's view of the file becomes the pages that the next commit makes permanent.
  void flush() {
    for (auto& report : reports) {
      auto& s = streams[report.stream];
      if (!s.dirty()) continue;
      const auto frames = static_cast<Tick>(s.written());
      const double time[3] = {ms(report.from), ms(report.from + frames * report.every), ms(report.every)};
      h5::replace_values<double>(report.time, "time", time);
    }
    for (auto& s : streams) s.flushed();
    dirty = false;
    h5::replace_attribute(provenance, "whole_ticks", whole());
    const Stamp now{head.run_id, ++commits};
    h5::check(H5Dwrite(stamp, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, &now), "numbering the commit");
    h5::check(H5Fflush(file, H5F_SCOPE_LOCAL), "flushing the file");
  }

  Commit unwritten(bool all) {
    Commit c;
    c.number = commits;
    c.reached = reached;
    for (std::uint32_t i = 0; i < streams.size(); ++i) {
      if (all ? !streams[i].buffered() : !streams[i].anything_to_journal()) continue;
      c.rows.push_back(streams[i].journal_rows(i, all));
    }
    return c;
  }

  void commit_now() {
    if (dirty) {
      h5::replace_attribute(provenance, "reached_ticks", reached);
      flush();
      store->commit(&*journal, unwritten(false), options.power_safe);
    } else {
      journal->append(unwritten(false));
      if (options.power_safe) journal->sync();
    }
    durable = reached;
    if (journal->bytes() > journal_limit) {
      if (options.power_safe) store->file().sync();
      journal->restart(unwritten(true));
      journal_limit = std::max<std::uint64_t>(16u << 20, 4 * journal->bytes());
    }
    uncommitted = 0;
    last_commit = Clock::now();
  }

  void commit(Tick tick) {
    reached = tick;
    if (edges_open) {
      // No more edges come: their datasets are finished before the first spike.
      for (const auto i : edge_streams) streams[i].write_rest();
      edges_open = false;
      dirty = true;
      commit_now();
      return;
    }
    const std::chrono::duration<double> since = Clock::now() - last_commit;
    if (since.count() >= options.tail_seconds || (dirty && since.count() >= options.flush_seconds) ||
        uncommitted >= options.flush_bytes)
      commit_now();
  }

  void secure(Tick tick) {
    if (edges_open) commit(tick);
    reached = tick;
    commit_now();
  }

  void finish(const Statistics* figures, const char* status) {
    for (auto& s : streams) s.write_rest();
    h5::replace_attribute(provenance, "reached_ticks", reached);
    h5::write_text_attribute(provenance, "status", status, layout::status_bytes);
    h5::write_text_attribute(provenance, "finished", utc_now());
    if (figures) write_figures(*figures);
    flush();
    close();
    store->commit(&*journal, unwritten(false), options.power_safe);
    durable = reached;
    store->trim();
    store->file().sync();
    Journal::remove(path);
    journal.reset();
    store.reset();
    options.lock.reset();
    closed = true;
  }

  void write_figures(const Statistics& f) {
    const auto g = h5::create_group(provenance, "statistics");
    const std::pair<const char*, std::uint64_t> counts[] = {
        {"spikes", f.spikes},     {"deliveries", f.deliveries},
        {"synapses", f.synapses}, {"superposed", f.superposed},
        {"slices", f.slices},     {"threshold_tests", f.threshold_tests},
        {"windows", f.windows},   {"synapse_bytes", f.synapse_bytes},
        {"stored_synapses", f.stored_synapses},
        {"events", f.events()},   {"events_before", f.events_before}};
    for (const auto& [name, value] : counts) h5::write_attribute(g, name, value);
    h5::write_attribute(g, "build_seconds", f.build_seconds);
    h5::write_attribute(g, "run_seconds", f.run_seconds);
    h5::write_dataset<std::uint64_t>(g, "spikes_of_population", f.spikes_of_population);
  }

  /// Closes everything of HDF5; what it writes on the way goes to `store`.
  void close() {
    reports.clear();
    std::vector<Stream>().swap(streams);
    provenance.close();
    stamp.close();
    if (file >= 0) {
      const hid_t f = file.release();
      h5::check(H5Fclose(f), "closing the file");
    }
  }

  /// Gives up: HDF5 is closed without touching the last commit.
  void abandon() noexcept {
    closed = true;
    if (store) store->discard();
    try {
      close();
      if (store) store->trim();
    } catch (const std::exception&) {
      // The reason that is reported is the one that led here.
    }
    journal.reset();
    store.reset();
  }

  template <class F>
  void guarded(F&& f) {
    if (failed) throw *failed;
    if (closed) throw std::logic_error("the log is closed");
    try {
      f();
      if (store && !store->failure().empty()) throw LogError(path, store->failure());
    } catch (const std::logic_error&) {
      throw;
    } catch (const std::exception& e) {
      fail(store && !store->failure().empty() ? store->failure() : e.what());
    }
  }

  [[noreturn]] void fail(const std::string& reason) {
    abandon();
    std::string rest;
    try {
      // Dropping what was not committed has given its room back, which is often enough for this.
      recover(path, options.fault, options.lock.get());
    } catch (const std::exception&) {
      rest = "; a part of it is in the journal, which `spinet info --repair` folds in once the disk takes writes again";
    }
    failed.emplace(path,
                   fmt::format("the log cannot be written: {}. It is readable and holds everything before {} ms{}",
                               reason, ms(durable), rest),
                   durable);
    throw *failed;
  }
};

RunLog::RunLog(std::filesystem::path path, const Network& network, const RunProvenance& provenance,
               RunLogOptions options)
    : impl_(std::make_unique<Impl>(std::move(path), network, std::move(options))) {
  h5::quiet();
  impl_->create(provenance);
}

RunLog::~RunLog() {
  if (impl_->closed) return;
  try {
    impl_->guarded([&] { impl_->finish(nullptr, layout::status::interrupted); });
  } catch (const std::exception&) {
    // The exception that ends the run matters more; the journal keeps what was committed.
  }
}

void RunLog::spikes(std::span<const Spike> sorted) { impl_->guarded([&] { impl_->add_spikes(sorted); }); }
void RunLog::frames(std::uint32_t r, std::span<const float> values) {
  impl_->guarded([&] { impl_->add_frames(r, impl_->network.reports.at(r).ids.size(), values); });
}
void RunLog::weights(std::uint32_t w, std::span<const float> values) {
  impl_->guarded([&] { impl_->add_frames(impl_->weights.at(w).report, impl_->options.weight_widths.at(w), values); });
}
void RunLog::edges(std::uint32_t p, std::span<const Edge> some) { edges_with_values(p, some, {}); }
void RunLog::edges_with_values(std::uint32_t p, std::span<const Edge> some, std::span<const double> values) {
  impl_->guarded([&] { impl_->add_edges(p, some, values); });
}
void RunLog::metrics(std::uint32_t population, Tick tick, std::span<const double> values) {
  impl_->guarded([&] {
    auto& s = impl_->streams[impl_->metrics_of.at(population)];
    s.room(1);
    *s.column<double>(0) = impl_->ms(tick);
    for (std::size_t m = 0; m < values.size(); ++m) *s.column<double>(m + 1) = values[m];
    impl_->took(s, 1);
  });
}
void RunLog::watched(std::uint32_t r, std::span<const WatchedEdge> some) {
  impl_->guarded([&] { impl_->add_mapping(impl_->streams[impl_->events.at(r).mapping], some); });
}
void RunLog::weight_events(std::uint32_t r, std::span<const WeightEvent> some) {
  impl_->guarded([&] { impl_->add_events(impl_->streams[impl_->events.at(r).stream], some); });
}
void RunLog::commit(Tick reached) { impl_->guarded([&] { impl_->commit(reached); }); }
void RunLog::secure(Tick reached) { impl_->guarded([&] { impl_->secure(reached); }); }
void RunLog::finish(const Statistics& summary, Tick reached, bool complete) {
  impl_->guarded([&] {
    impl_->reached = reached;
    impl_->finish(&summary, complete ? layout::status::complete : layout::status::stopped);
  });
}
Tick RunLog::durable() const { return impl_->durable; }

}  // namespace spinet
