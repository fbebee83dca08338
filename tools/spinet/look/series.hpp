// Recorded variables and weights over time, reduced to what a figure can show.
#pragma once
#include <string>
#include <vector>

#include "log/log_data.hpp"

namespace spinet::look {

/// A few neurons of a report.  Where there are more frames than points, each point is a range of frames with
/// its smallest and its largest value, so that no excursion is lost.
struct Traces {
  LoggedReport report;
  std::string problem;  ///< why there is nothing to show
  std::uint64_t frames_per_point = 1;
  std::uint64_t not_finite = 0;  ///< values that are NaN or infinite
  struct Trace {
    std::uint64_t node = 0;
    std::vector<float> low, high;  ///< `high` is empty if each point is one frame
  };
  std::vector<Trace> traces;
};
Traces read_traces(const LogData& data, const LoggedReport& report, std::size_t neurons, std::size_t points);

/// Histograms of all weights of a projection, in up to `most_frames` frames.
struct WeightHistory {
  LoggedWeights weights;
  std::string problem;
  double from = 0, width = 1;
  struct Frame {
    double ms = 0, mean = 0, sd = 0, smallest = 0, largest = 0;
    std::vector<std::uint64_t> counts;
    std::uint64_t not_finite = 0;
  };
  std::vector<Frame> frames;
  /// Where the columns of a figure begin and end, in ms: each frame, which is of one moment, reaches half way
  /// to its neighbours.  A single one is drawn up to `end_ms`.
  std::vector<double> bounds(double end_ms) const;
};
WeightHistory read_weights(const LogData& data, const LoggedWeights& weights, std::size_t most_frames,
                           std::size_t bins);

/// The changes of a few synapses.
struct WeightChanges {
  LoggedWeightEvents events;
  std::string problem;
  bool all = true;  ///< false: of more synapses, or more changes, than are shown
  struct Synapse {
    std::uint64_t edge = 0, changes = 0;
    std::vector<double> ms;
    std::vector<float> values;
  };
  std::vector<Synapse> synapses;
};
WeightChanges read_changes(const LogData& data, const LoggedWeightEvents& events, std::size_t synapses,
                           std::size_t changes);

/// An environment's metrics, in up to `points` means of as many consecutive rewards each.
struct MetricHistory {
  LoggedMetrics metrics;
  std::string problem;
  std::uint64_t rewards_per_point = 1;
  std::vector<double> ms;                  ///< mean times of the points
  std::vector<std::vector<double>> means;  ///< of each metric; NaN: no finite value
  std::vector<std::uint64_t> not_finite;   ///< of each metric: values left out
};
MetricHistory read_metrics(const LogData& data, const LoggedMetrics& metrics, std::size_t points);

}  // namespace spinet::look
