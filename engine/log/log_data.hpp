// A log's data piece by piece, so that a file larger than memory is read in one pass: for `spinet report`,
// `view` and `export`.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "log/image_results.hpp"
#include "log/reader.hpp"

namespace spinet {

/// Consecutive spikes of one population, sorted by (tick, node).  Checked: ticks are not negative and do not
/// decrease, nodes are smaller than the population's size.
struct SpikePiece {
  std::span<const Tick> ticks;
  std::span<const std::uint64_t> nodes;
};

/// Frames of a variable of a projection's synapses, /weights/PLACE.
struct LoggedWeights {
  std::string name, units;
  std::string projection, variable;  ///< as `name` says where the log does not; "weight"
  std::uint64_t frames = 0, edges = 0;
  double start_ms = 0, stop_ms = 0, step_ms = 0;
  std::string problem;  ///< why it cannot be read; empty: it can
};
/// Irregular changes of chosen synapses of a projection, /weight_events/PLACE.
struct LoggedWeightEvents {
  std::string name, units;                 ///< units: may be empty
  std::string projection, variable;        ///< as in LoggedWeights
  std::uint64_t events = 0, synapses = 0;  ///< synapses: that were chosen; 0: the log does not say
  std::string problem;
};
struct WeightEvents {
  std::vector<double> ms;
  std::vector<std::uint64_t> edges;
  std::vector<float> values;
};
/// What an environment logged with each of its rewards, /metrics/POPULATION.
struct LoggedMetrics {
  static constexpr std::size_t most = 16;  ///< metrics of one environment that are read
  std::string population;
  std::vector<std::string> names;
  std::uint64_t rewards = 0;
  std::string problem;  ///< why it cannot be read; empty: it can
};
/// What the run made of images, /images.
struct LoggedImages {
  ImageResults results;  ///< without outputs
  std::string problem;   ///< why it cannot be read; empty: it can
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
  std::vector<LoggedMetrics> metrics() const;
  /// Nothing, where the run was shown none or is not closed.
  std::optional<LoggedImages> images() const;

  void spikes(const LoggedPopulation& population, const std::function<void(const SpikePiece&)>& piece) const;
  /// Indices in the population of a report's values.
  std::vector<std::uint64_t> report_nodes(const LoggedReport& report) const;
  /// Part of a table frames x values, row after row.
  struct Part {
    std::uint64_t frame = 0, frames = 0, value = 0, values = 0;
  };
  void read(const LoggedReport& report, const Part& part, std::vector<float>& into) const;
  void read(const LoggedWeights& weights, const Part& part, std::vector<float>& into) const;
  /// Outputs: frames are images, values classes.
  void read(const LoggedImages& images, const Part& part, std::vector<float>& into) const;
  WeightMapping mapping(const LoggedWeights& weights) const;
  WeightEvents read(const LoggedWeightEvents& events) const;
  /// A column of an environment's metrics, "timestamps" (ms) among them: a value for each reward.
  std::vector<double> read(const LoggedMetrics& metrics, const std::string& column) const;

 private:
  void in_order_of_populations(std::vector<ImageResults::Layer>& layers) const;
  void read_table(const std::string& path, const Part& part, std::vector<float>& into) const;
  struct Open;
  LogSummary summary_;
  std::unique_ptr<Open> open_;
};

}  // namespace spinet
