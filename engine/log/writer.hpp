// The HDF5 log of a run: spikes, reports, edges and provenance.  FORMAT.md says what the file holds,
// README.md how it survives a kill.
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/recorder.hpp"
#include "core/simulation.hpp"
#include "log/error.hpp"
#include "log/file.hpp"
#include "log/image_results.hpp"
#include "log/output_lock.hpp"
#include "network/checked.hpp"

namespace spinet {

/// Where the data come from, beside the network itself.
struct RunProvenance {
  std::string version;
  int ranks = 1;
  std::string command_line;
  std::string started;               ///< ISO 8601 with zone; empty: now
  std::string host;                  ///< empty: not written
  std::vector<std::string> files{};  ///< data files that were read
};

/// A log that a resumed run goes on with.
struct Continuation {
  std::filesystem::path log;  ///< `recover`ed; usually the one that is replaced
  Tick at = 0;                ///< its data before this tick are taken over
};

struct RunLogOptions {
  bool force = false;        ///< replace an existing log
  double flush_seconds = 1;  ///< wall time between commits while whole chunks come in
  std::uint64_t flush_bytes =
      8u << 20;  ///< as soon as whole chunks of so many bytes have come, too: a disk can fill sooner
  double tail_seconds = 10;     ///< wall time after which incomplete chunks go to the journal
  bool power_safe = false;      ///< also survive a power cut: waits for the disk at every commit
  std::uint32_t chunk = 65536;  ///< elements per chunk of every growing dataset
  bool compress = true;         ///< with the filters shuffle and deflate
  /// Synapses of each weight recording (Simulation::weight_widths).
  std::vector<std::uint64_t> weight_widths{};
  std::optional<Continuation> continues{};
  std::shared_ptr<OutputLock> lock{};  ///< of the log, if it has been taken already
  logging::WriteFault fault{};         ///< for tests
};

/// Throws LogError unless the log is of a run of this network, with its seed and overrides.
void refuse_another_run(const std::filesystem::path& log, const Network& network);

/// Did the run come to its end, or was it stopped before?
enum class Ending { complete, stopped };

/// Writes OUT.h5.  Every member throws LogError; after one has, the file holds the last commit, later calls
/// throw the same again, and the destructor leaves file and journal as they are.
class RunLog final : public Recorder {
 public:
  /// Creates the file, whole and readable, with the provenance and empty datasets for all that is recorded.
  /// `network` must outlive the log.  Refuses an existing file or journal unless `options.force`; throws
  /// OutputInUse if another process writes it.
  RunLog(std::filesystem::path path, const Network& network, const RunProvenance& provenance,
         RunLogOptions options = {});
  /// Without `finish` (an exception is on its way), writes what it has and marks the run as interrupted.
  ~RunLog() override;
  RunLog(const RunLog&) = delete;
  RunLog& operator=(const RunLog&) = delete;

  void spikes(std::span<const Spike> sorted) override;
  void frames(std::uint32_t r, std::span<const float> values) override;
  void weights(std::uint32_t w, std::span<const float> values) override;
  void edges(std::uint32_t p, std::span<const Edge> some) override;
  void edges_with_values(std::uint32_t p, std::span<const Edge> some,
                         std::span<const double> values) override;
  void metrics(std::uint32_t population, Tick tick, std::span<const double> values) override;
  void watched(std::uint32_t r, std::span<const WatchedEdge> some) override;
  void weight_events(std::uint32_t r, std::span<const WeightEvent> some) override;
  void commit(Tick reached) override;
  void secure(Tick reached) override;

  /// Once, before `finish`: what images were shown and what became of them.
  void images(const ImageResults& results);

  /// Writes everything that is still buffered and the run's figures, and closes the file.
  void finish(const Statistics& summary, Tick reached, Ending ending);

  /// Everything before this tick survives a kill of this process.
  Tick durable() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace spinet
