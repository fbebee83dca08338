// A log reduced to figures, in one pass over its data.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "look/counts.hpp"
#include "look/neurons.hpp"
#include "look/palette.hpp"
#include "look/sample.hpp"
#include "look/series.hpp"

namespace spinet::look {

struct AnalysisOptions {
  std::size_t rate_bins = 4000;            ///< of time, at most, per population
  std::size_t columns = 1500, rows = 500;  ///< of the density of all populations
  std::size_t points = 400'000;            ///< spikes kept one by one, all populations together
  bool correlation = true, series = true;
};

struct PopulationAnalysis {
  LoggedPopulation population;
  bool is_source() const { return population.kind == "source"; }
  Look look;  ///< in all figures: no two populations share one, as far as they reach
  std::uint64_t active = 0;
  double from_ms = 0, to_ms = 0;             ///< spikes were recorded in [from, to)
  double rate_hz = 0;                        ///< mean of all recorded neurons in that time
  std::uint64_t fast = 0;                    ///< neurons above `fast_hz`
  std::vector<std::uint64_t> spikes_in_bin;  ///< Analysis::bin_ms each
  std::optional<Density> density;
  std::optional<PointSample> sample;
  /// Neurons by rate, Hz; the same bins for all populations of neurons, others for all of sources.
  Histogram rates;
  std::vector<std::uint64_t> isi;  ///< Neurons' logarithmic bins
  std::uint64_t intervals = 0;
  double median_isi_ms = 0;
  Histogram cv;  ///< neurons by CV
  Moments cvs;
  Histogram correlation;  ///< pairs by coefficient
  Moments correlations;
  std::uint64_t correlation_neurons = 0;
};

struct Warning {
  bool serious =
      false;  ///< the figures cannot be trusted, or the network most likely does not do what was meant
  std::string text;
};

struct Analysis {
  static constexpr double fast_hz = 200;  ///< faster neurons are called saturated
  static constexpr double synchrony =
      0.1;  ///< mean correlation above which a population is called synchronous

  LogSummary log;
  std::string network;  ///< YAML
  Tick end = 1;         ///< of the figures: where the run ended
  double ms_per_tick = 1e-6;
  double end_ms = 0, bin_ms = 1, correlation_bin_ms = 5;
  std::vector<PopulationAnalysis> populations;  ///< those with recorded spikes
  std::vector<Traces> traces;
  std::vector<WeightHistory> weights;
  std::vector<WeightChanges> changes;
  std::vector<MetricHistory> metrics;
  std::optional<LoggedImages> images{};  ///< that the network was shown
  std::vector<Warning> warnings;
};

/// Rows of each population in a raster of `rows` rows: shares by the square root of the size, at least
/// `least`, no more than there are neurons.
std::vector<std::size_t> share_rows(const std::vector<LoggedPopulation>& populations, std::size_t rows,
                                    std::size_t least);

/// The recorded populations of a log, checked to be usable.  Throws LogError.
std::vector<LoggedPopulation> recorded_populations(const LogSummary& log);
/// Where the run ended, or its last spike if that is later.
Tick end_of(const LogSummary& log);

Analysis analyse(const std::filesystem::path& log, const AnalysisOptions& options);

/// The part of the run, in ms, in which a population was recorded: never empty.
std::pair<double, double> recorded_ms(const LoggedPopulation& population, Tick end, double ticks_per_ms);

/// Hz: the mean of the recorded neurons in the time in which they were recorded; none if there are none.
std::optional<double> recorded_hz(const LoggedPopulation& population, Tick end, const LogSummary& log);
/// Hz: the mean of all neurons from t = 0 to where the run ended; none if that was not counted.
std::optional<double> fired_hz(const LoggedPopulation& population, const LogSummary& log);
/// What of a population was recorded, after "neurons": "" for all of it, " from 1 s to 1.5 s" for a part of
/// the run.
std::string recorded_when(const LoggedPopulation& population, Tick end, double ticks_per_ms);

/// What a person should know before believing the figures.
std::vector<Warning> warnings_of(const Analysis& analysis);

}  // namespace spinet::look
