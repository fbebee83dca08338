// The writer of a log, shared by the files that it is made of.
#pragma once
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "log/commit_file.hpp"
#include "log/h5.hpp"
#include "log/journal.hpp"
#include "log/layout.hpp"
#include "log/stream.hpp"
#include "log/writer.hpp"

namespace spinet {

using namespace logging;
using Clock = std::chrono::steady_clock;

/// The time now, as the log writes it.
std::string utc_now();
/// A name as one link of an HDF5 path.
const std::string& link_name(const std::string& name);
/// Throws LogError where the log is that of another run.
void refuse_another(hid_t log, const std::filesystem::path& name, const Network& network);
std::string hex(std::span<const std::byte> bytes);

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
  std::uint64_t commits = 0;  ///< that changed pages of the HDF5 file
  std::vector<Stream> streams;
  struct Report {
    std::size_t stream;
    h5::Id time;
    Tick from, every;
  };
  std::vector<Report> reports;
  struct Weights {
    std::size_t report, mapping;
  };  ///< index in `reports`; stream of what its columns are, or none
  std::vector<Weights> weights;

  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  std::vector<std::size_t> spikes_of;  ///< population -> stream
  /// Projection -> stream by source and target population.
  std::vector<std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t>> edges_of;
  std::vector<std::size_t> edge_streams;
  std::vector<std::size_t> metrics_of;  ///< population -> stream
  struct Events {
    std::size_t stream, mapping;
  };
  std::vector<Events> events;  ///< by weight event recording
  bool exact_ticks = false;    ///< there is a third column, `ticks`
  bool edges_open = false;
  bool dirty = false;                 ///< some stream has handed a chunk to HDF5 since the last commit
  std::uint32_t last_population = 0;  ///< of the last lookup
  Tick reached = 0, durable = 0;
  std::uint64_t uncommitted = 0;  ///< bytes handed to HDF5 since then
  Clock::time_point last_commit = Clock::now();
  std::uint64_t journal_limit = 16u << 20;  ///< size at which the journal is cut back to what is live
  std::optional<LogError> failed;
  bool closed = false;

  double ms(Tick t) const { return static_cast<double>(t) / ticks_per_ms; }

  // --- creation (log/create.cpp) ---

  /// Rows of a chunk: fewer where there are many datasets, whose buffers together stay within 64 MB.
  void choose_chunk();
  void create(const RunProvenance& run);
  /// What has been made of a log that will not be.
  void clear_away(const std::filesystem::path& fresh);
  /// The file with provenance, empty datasets for all that is recorded, and what an earlier log has of them.
  void fill(const std::filesystem::path& fresh, const RunProvenance& run);
  /// What cannot become a log, whether it is there already or not.
  void refuse_target() const;
  void refuse_existing() const;
  /// The file appears under its own name only when it is whole.
  void give_name(const std::filesystem::path& fresh);
  void write_root();
  void write_provenance(const RunProvenance& run);
  void write_populations(hid_t group);
  Packer* packing() { return options.compress ? &packer : nullptr; }
  h5::Chunks chunks(std::vector<hsize_t> shape) const { return {std::move(shape), options.compress}; }

  // --- the rows of the log that this one continues (log/continue.cpp) ---

  /// The datasets of a stream in the log that this one continues.
  struct OldColumns {
    std::vector<h5::Id> sets, types;
    std::uint64_t rows = 0;
  };
  OldColumns open_old(hid_t old, const Stream& s) const;
  static void read_old(const OldColumns& c, Stream& s, std::uint64_t row, std::uint64_t n);
  /// What fails in the log that is read is told apart from what fails in the one that is written.
  template <class F>
  static auto of_old(const Continuation& c, F&& f) {
    try {
      return f();
    } catch (const h5::Error& e) {
      throw DamagedSource(c.log, e.what());
    }
  }
  h5::Id open_old_log(const Continuation& c) const;
  /// Copies the rows before tick `c.at` of every stream from an earlier log of the same run.
  void take_over(const Continuation& c);

  // --- datasets of what is recorded (log/tables.cpp) ---

  void add_column(Stream& s, hid_t group, const std::string& folder, const std::string& name, hid_t type);
  /// What of a population is recorded, so that rates can be computed from the log: the time, and how many
  /// neurons.
  void write_extent(hid_t group, std::uint32_t population);
  /// Several recordings of one population share its datasets.
  void add_spikes(std::uint32_t population);
  void add_report(const spinet::Report& r);
  /// An environment's metrics, a row per reward.
  void add_metrics(std::uint32_t p);
  void add_nodes(std::uint32_t p);
  void add_frames_dataset(hid_t group, const std::string& folder, hsize_t width, const std::string& unit);
  h5::Id time_dataset(hid_t mapping, Tick from, Tick every);
  /// Name of a recording of synapses below its root: the projection, with the variable unless that is the
  /// first.
  template <class Recording>
  std::string place_of(const Recording& recording) const {
    const auto& projection = network.projections[recording.projection];
    const auto name = link_name(projection.name);
    return recording.variable == 0
               ? name
               : name + "." + link_name(projection.synapse->model.variables.data[recording.variable].name);
  }
  template <class Recording>
  auto group_of(const Recording& recording, const char* root, const std::string& place) {
    const auto& projection = network.projections[recording.projection];
    const auto all = h5::exists(file, root) ? h5::open_group(file, root) : h5::create_group(file, root);
    auto group = h5::create_group(all, place);
    h5::write_text_attribute(group, "projection", projection.name);
    h5::write_text_attribute(group, "synapse", projection.synapse->model.name);
    h5::write_text_attribute(group, "variable",
                             projection.synapse->model.variables.data[recording.variable].name);
    return group;
  }
  void add_weights(std::uint32_t w);
  void add_weight_events(const WeightEventRecording& recording);
  /// Which neurons may be connected, as the network names them.
  void add_ends(hid_t mapping, const std::string& name, const std::vector<GidRange>& ranges);
  void add_mapping_columns(Stream& s, hid_t mapping, const std::string& folder);
  /// The populations that a projection's ranges touch, in order.
  std::vector<std::uint32_t> populations_in(const std::vector<GidRange>& ranges);
  void add_edges(std::uint32_t p);
  /// A weight has the unit of the port it goes to, unless the synapse model says otherwise.
  static std::string weight_unit(const Projection& projection, const Population& target);
  static std::string unit_of(const Field& f, const Projection& projection, const Population& target);

  // --- their rows (log/rows.cpp) ---

  std::uint32_t population_of(Gid gid);
  void took(Stream& s, std::uint64_t rows);
  void add_spikes(std::span<const Spike> sorted);
  void add_frames(std::size_t r, std::size_t width, std::span<const float> values);
  /// `values`: of the variables that edges hold beside their weight, row-major.
  void add_edges(std::uint32_t p, std::span<const Edge> some, std::span<const double> values);
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
  void add_events(Stream& s, std::span<const WeightEvent> some);

  // --- commits (log/writer.cpp) ---

  /// Time before which HDF5 has every row, so that the file is whole without the journal.
  Tick whole() const;
  /// HDF5's view of the file becomes the pages that the next commit makes permanent.
  void flush();
  /// The rows that are not in the HDF5 file: all, or those that are not in the journal either.
  Commit unwritten();
  Commit unjournaled();
  void commit_now();
  void commit(Tick tick);
  void secure(Tick tick);
  void finish(const Statistics* figures, const char* status);
  void write_images(const ImageResults& results);
  void write_figures(const Statistics& f);
  /// Closes everything of HDF5; what it writes on the way goes to `store`.
  void close();
  /// Gives up: HDF5 is closed without touching the last commit.
  void abandon() noexcept;
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
  [[noreturn]] void fail(const std::string& reason);
};

}  // namespace spinet
