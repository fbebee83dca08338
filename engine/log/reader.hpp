// Reading logs: for `spinet info`, for tests, and for populations that play back recorded spikes.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "log/error.hpp"
#include "log/file.hpp"
#include "log/output_lock.hpp"
#include "network/loader.hpp"
#include "spinet/source.hpp"
#include "spinet/time.hpp"

namespace spinet {

/// How a run ended, as its log tells.
enum class RunStatus {
  running,  ///< a process holds the file
  complete,
  stopped,      ///< by a signal; closed properly
  interrupted,  ///< by an error; closed properly
  killed,       ///< the writer died; the log has been put in order since (or needs no repair)
};
const char* name_of(RunStatus status);

/// What `recover` did, or would do.
struct Recovery {
  bool needed = false;     ///< there is a journal
  Tick reached = 0;        ///< everything before this tick is in file and journal together
  std::uint64_t rows = 0;  ///< rows that only the journal has
};

/// Puts a log in order whose writer died: completes an interrupted commit, folds the journal in and removes
/// it. Does nothing if there is no journal.  May be killed at any moment and called again.  `lock`: the
/// caller's, if it has the log's.  Throws LogError: the file is in use, damaged, of another run than the
/// journal, or cannot be written.
Recovery recover(const std::filesystem::path& log, logging::WriteFault fault = {},
                 const OutputLock* lock = nullptr);

/// How much of a run a file holds on its own.
struct Extent {
  Tick before = 0;  ///< it has everything before this tick
  bool without_journal =
      false;  ///< its writer died, and the journal with what it had written since is not there
};
/// Of a log after `recover`.  Throws LogError.
Extent extent_of(const std::filesystem::path& log);

struct LoggedPopulation {
  std::string name, model, kind;  ///< kind: neuron or source
  std::uint64_t first_gid = 0, size = 0;
  bool recorded = false;             ///< has a spikes dataset
  Tick start = 0, stop = never;      ///< spikes were recorded in [start, stop)
  std::uint64_t neurons = 0;         ///< whose spikes were recorded
  std::uint64_t spikes = 0;          ///< in the log
  double first_ms = 0, last_ms = 0;  ///< of the logged spikes, if any
  std::uint32_t dimensions = 0;      ///< of its neurons' positions in the log; 0: there are none
  std::int64_t sign = 0;             ///< of what it transmits: 1 excites, -1 inhibits, 0 both or not known
  /// In the run, recorded or not; known when the run was closed, but not of sources that only superposed
  /// drives use.
  std::optional<std::uint64_t> fired;
};
struct LoggedReport {
  std::string name, population, variable, units, path;
  std::uint64_t frames = 0, ids = 0;
  double start_ms = 0, stop_ms = 0, step_ms = 0;
};
struct LoggedEdges {
  std::string path, projection, synapse, source, target;
  std::uint64_t edges = 0;
};
struct LogSummary {
  std::filesystem::path path;
  std::uint64_t bytes = 0;
  RunStatus status = RunStatus::running;
  std::string network, network_path, version, command_line, started, finished, host;
  std::vector<std::string> overrides;
  std::uint64_t seed = 0, ranks = 0;
  double seconds_per_tick = 1e-9, ticks_per_ms = 1e6;
  Tick duration = 0, reached = 0;
  std::vector<LoggedPopulation> populations;
  std::vector<LoggedReport> reports;
  std::vector<LoggedEdges> edges;
  struct Figures {
    std::uint64_t spikes = 0, synapses = 0, stored_synapses = 0;  ///< as in Statistics (core/simulation.hpp)
    std::uint64_t deliveries = 0, superposed = 0, events = 0;
    std::uint64_t events_before = 0;            ///< before the checkpoint that the last process began at
    double build_seconds = 0, run_seconds = 0;  ///< of the last process
    double events_per_second() const {
      return run_seconds > 0 ? static_cast<double>(events - events_before) / run_seconds : 0;
    }
  };
  std::optional<Figures> figures;  ///< if the run was closed
  Recovery pending;                ///< what only the journal has; it is part of all that is read
  bool without_journal = false;    ///< as in Extent; `reached` is what the file has alone
  std::string warning;             ///< what is missing then
};

/// Reads what `spinet info` shows, of the log and its journal together.  Writes nothing.  Throws LogError.
LogSummary summarise(const std::filesystem::path& log);

/// The network and the data files of a log's run, where they were.
std::vector<std::filesystem::path> files_of_run(const std::filesystem::path& log);

/// The network's text as it was when the run started.
std::string network_text(const std::filesystem::path& log);

/// The spikes of one population of any SONATA spikes file (a Spinet log is one), sorted by (tick, index).
/// `population` may be empty if the file has only one.  Times are rounded to the nearest tick; a log's own
/// `ticks` are used if its time resolution is the same.  Throws LogError: no such population, an id not under
/// `size`, a time that is negative, not finite or past the last tick, damaged.
std::vector<ListedSpike> read_sonata_spikes(const std::filesystem::path& file, const std::string& population,
                                            double ticks_per_ms, std::uint64_t size);

/// One group of /edges: the connections between two populations.
struct SonataEdges {
  std::string group, source, target;            ///< populations are empty where the file does not name them
  std::vector<std::uint64_t> sources, targets;  ///< node ids
  std::vector<double> weights, delays;          ///< empty if the file has none; delays in ms
  std::vector<std::uint64_t> counts;            ///< synapses of each edge (`nsyns`); empty: one
  std::string weight_unit;                      ///< empty: not said
  std::vector<FileEdges::Property> properties;  ///< as asked for
};
/// Edge population `name` of any SONATA edges file, or, of a Spinet log, the groups of the projection `name`;
/// empty: the only edge population.  Throws LogError: not there, more than `most` synapses, columns of
/// different lengths, weights or delays of some edges only or in several groups of properties, damaged.
/// `properties` are read as well where they are there.
std::vector<SonataEdges> read_sonata_edges(const std::filesystem::path& file, const std::string& name,
                                           std::uint64_t most,
                                           const std::vector<std::string>& properties = {});
/// Variables of the synapses of a run's projection: of the last frame, of the last event of every synapse, or
/// of the edges (t = 0).  Throws LogError: the first is not there, frames are of different times, damaged.
FileWeights read_weights(const std::filesystem::path& log, const WantedState& wanted);

}  // namespace spinet
