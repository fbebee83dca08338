// A log's data block by block, so that a file larger than memory is read in one pass: for `spinet report`, `view` and
// `export`.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "log/reader.hpp"

namespace spinet {

/// Consecutive spikes of one population, sorted by (tick, node).  Checked: ticks are not negative and do not
/// decrease, nodes are smaller than the population's size.
struct SpikeBlock {
  std::span<const Tick> ticks;
  std::span<const std::uint64_t> nodes;
};

/// Weight frames of a projection, /weights/PROJECTION.
struct LoggedWeights {
  std::string name, units;
  std::uint64_t frames = 0, edges = 0;
  double start_ms = 0, stop_ms = 0, step_ms = 0;
  std::string problem;  ///< why it cannot be read; empty: it can
};
/// Irregular changes of chosen synapses of a projection, /weight_events/PROJECTION.
struct LoggedWeightEvents {
  std::string name;
  std::uint64_t events = 0, synapses = 0;  ///< synapses: that were chosen; 0: the log does not say
  std::string problem;
};
struct WeightEvents {
  std::vector<double> ms;
  std::vector<std::uint64_t> edges;
  std::vector<float> values;
};
struct WeightMapping {
  std::vector<std::uint64_t> sources, targets;  ///< node ids, one per edge
};

/// All members throw LogError.
class LogData {
 public:
  /// Reads a log together with its journal, if it has one, and writes nothing.
  explicit LogData(const std::filesystem::path& log);
  ~LogData();
  LogData(const LogData&) = delete;
  LogData& operator=(const LogData&) = delete;

  const LogSummary& summary() const { return summary_; }
  std::string network_text() const;
  std::vector<LoggedWeights> weights() const;
  std::vector<LoggedWeightEvents> weight_events() const;

  void spikes(const LoggedPopulation& population, const std::function<void(const SpikeBlock&)>& block) const;
  /// Indices in the population of a report's values.
  std::vector<std::uint64_t> report_nodes(const LoggedReport& report) const;
  /// Part of a table frames x values, row after row.
  struct Part {
    std::uint64_t frame = 0, frames = 0, value = 0, values = 0;
  };
  void read(const LoggedReport& report, const Part& part, std::vector<float>& into) const;
  void read(const LoggedWeights& weights, const Part& part, std::vector<float>& into) const;
  WeightMapping mapping(const LoggedWeights& weights) const;
  WeightEvents read(const LoggedWeightEvents& events) const;

 private:
  void read_table(const std::string& path, const Part& part, std::vector<float>& into) const;
  struct Open;
  LogSummary summary_;
  std::unique_ptr<Open> open_;
};

}  // namespace spinet
