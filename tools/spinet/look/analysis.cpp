#include "look/analysis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "look/correlation.hpp"
#include "look/scale.hpp"
#include "text.hpp"

namespace spinet::look {
namespace {

constexpr std::size_t cv_bins = 150, shown_reports = 8, shown_weights = 12, shown_environments = 8;
constexpr double cv_bin = 0.02;

/// Equal bins for the rates of some populations: 40 to the largest rate, but outliers do not squeeze the
/// others.
void bin_rates(Analysis& a, const std::vector<std::map<std::uint64_t, std::uint64_t>>& neurons_with,
               std::span<const std::size_t> of) {
  const auto seconds = [&](std::size_t p) {
    return (a.populations[p].to_ms - a.populations[p].from_ms) * 1e-3;
  };
  double most = 0, shortest = a.end_ms * 1e-3;
  for (const auto p : of) {
    Moments m;
    double largest = 0;
    shortest = std::min(shortest, seconds(p));
    for (const auto& [spikes, n] : neurons_with[p]) {
      const double hz = static_cast<double>(spikes) / seconds(p), k = static_cast<double>(n);
      m.n += n, m.sum += k * hz, m.squares += k * hz * hz;
      largest = std::max(largest, hz);
    }
    most = std::max(most, std::min(largest, m.mean() + 6 * m.sd()));
  }
  // A rate is a whole number of spikes in the run: bins narrower than one spike would leave gaps.
  const double width = std::max(round_up(std::max(most, 1e-9) / 40), 1 / shortest);
  for (const auto p : of) {
    auto& population = a.populations[p];
    population.rates = {
        .from = 0,
        .width = width,
        .counts = std::vector<std::uint64_t>(static_cast<std::size_t>(std::floor(most / width + 1e-9)) + 1),
        .above = 0};
    for (const auto& [spikes, n] : neurons_with[p]) {
      const double hz = static_cast<double>(spikes) / seconds(p);
      population.rates.add(hz, n);
      if (hz > Analysis::fast_hz) population.fast += n;
    }
  }
}

/// Equal bins for the coefficients of some populations, symmetric about 0.
void bin_correlations(Analysis& a, const std::vector<std::vector<double>>& of_pairs,
                      std::span<const std::size_t> of) {
  double most = 0;
  for (const auto p : of)
    for (const double c : of_pairs[p]) most = std::max(most, std::abs(c));
  const double width = round_up(std::max(most, 0.01) / 20);
  const double side = std::floor(most / width + 1e-9) + 1;
  for (const auto p : of) {
    auto& population = a.populations[p];
    population.correlation = {.from = -side * width,
                              .width = width,
                              .counts = std::vector<std::uint64_t>(static_cast<std::size_t>(2 * side)),
                              .above = 0};
    for (const double c : of_pairs[p]) population.correlation.add(c), population.correlations.add(c);
  }
}

}  // namespace

std::vector<std::size_t> share_rows(const std::vector<LoggedPopulation>& populations, std::size_t rows,
                                    std::size_t least) {
  double weights = 0;
  for (const auto& p : populations) weights += std::sqrt(static_cast<double>(p.size));
  std::vector<std::size_t> share;
  for (const auto& p : populations) {
    const auto mine = static_cast<std::size_t>(
        static_cast<double>(rows) * std::sqrt(static_cast<double>(p.size)) / std::max(weights, 1.0));
    share.push_back(static_cast<std::size_t>(std::min<std::uint64_t>(std::max(mine, least), p.size)));
  }
  return share;
}

std::vector<LoggedPopulation> recorded_populations(const LogSummary& log) {
  std::vector<LoggedPopulation> recorded;
  for (const auto& p : log.populations) {
    if (!p.recorded) continue;
    if (p.size > (std::uint64_t{1} << 32))
      throw LogError(log.path,
                     fmt::format("population {} claims {} neurons: the log is damaged", p.name, p.size));
    recorded.push_back(p);
  }
  return recorded;
}

Tick end_of(const LogSummary& log) {
  // After a damaged journal some populations have spikes later than `reached`.
  double end = static_cast<double>(std::max<Tick>(log.reached, 1));
  for (const auto& p : log.populations)
    if (p.spikes && std::isfinite(p.last_ms)) end = std::max(end, p.last_ms * log.ticks_per_ms + 1);
  return end < 9e18 ? static_cast<Tick>(end) : std::max<Tick>(log.reached, 1);
}

std::pair<double, double> recorded_ms(const LoggedPopulation& p, Tick end, double ticks_per_ms) {
  const Tick to = std::clamp<Tick>(p.stop, 1, end), from = std::clamp<Tick>(p.start, 0, to - 1);
  return {static_cast<double>(from) / ticks_per_ms, static_cast<double>(to) / ticks_per_ms};
}

std::optional<double> recorded_hz(const LoggedPopulation& p, Tick end, const LogSummary& log) {
  if (!p.recorded || p.neurons == 0 || p.start >= end) return {};
  const auto [from, to] = recorded_ms(p, end, log.ticks_per_ms);
  return static_cast<double>(p.spikes) / static_cast<double>(p.neurons) / ((to - from) * 1e-3);
}

std::optional<double> fired_hz(const LoggedPopulation& p, const LogSummary& log) {
  const double seconds = static_cast<double>(log.reached) * log.seconds_per_tick;
  if (!p.fired || p.size == 0 || !(seconds > 0)) return {};
  return static_cast<double>(*p.fired) / static_cast<double>(p.size) / seconds;
}

std::string recorded_when(const LoggedPopulation& p, Tick end, double ticks_per_ms) {
  if (p.start <= 0 && p.stop >= end) return {};
  const auto [from, to] = recorded_ms(p, end, ticks_per_ms);
  return fmt::format(" from {} to {}", tool::exact_time_text(from * 1e-3), tool::exact_time_text(to * 1e-3));
}

namespace {

/// What is found out about the populations, but for what they share: axes and looks.
struct Counted {
  std::vector<std::map<std::uint64_t, std::uint64_t>> neurons_with;  ///< by population: spikes -> neurons
  std::vector<std::vector<double>> of_pairs;                         ///< by population: coefficients
};

/// How what is shown is divided among the recorded populations.
struct Shares {
  std::size_t time_bins, columns;
  std::vector<std::size_t> rows, points;
  bool correlation;  ///< of pairs of neurons: is it shown?
};

Shares choose_shares(Analysis& a, const std::vector<LoggedPopulation>& recorded, const AnalysisOptions& o) {
  const std::size_t count = std::max<std::size_t>(recorded.size(), 1);
  // Many populations share what one report can hold.
  const double bins =
      static_cast<double>(std::max<std::size_t>(50, std::min(o.rate_bins, 25 * o.rate_bins / count)));
  a.bin_ms = std::max(round_up(a.end_ms / bins), std::min(0.1, round_up(a.end_ms / 50)));
  a.correlation_bin_ms = std::max(5.0, round_up(a.end_ms / 100'000));
  Shares s{};
  s.correlation = o.correlation;
  s.time_bins = static_cast<std::size_t>(std::ceil(a.end_ms / a.bin_ms * (1 - 1e-12)));
  s.rows = share_rows(recorded, o.rows, std::min<std::size_t>(16, std::max<std::size_t>(1, o.rows / count)));
  std::size_t all_rows = 0;
  for (const auto r : s.rows) all_rows += r;
  s.columns =
      std::max<std::size_t>(1, std::min(o.columns, o.columns * o.rows / std::max<std::size_t>(all_rows, 1)));
  std::vector<std::uint64_t> spikes;
  for (const auto& p : recorded) spikes.push_back(p.spikes);
  const auto points = share(spikes, o.points);
  s.points.assign(points.begin(), points.end());
  return s;
}

/// Reads the spikes of one population, once, into all that is shown of it.
void add_population(Analysis& a, const LogData& data, LoggedPopulation p, const Shares& shares,
                    Counted& counted) {
  const std::size_t i = a.populations.size();
  const auto [from_ms, to_ms] = recorded_ms(p, a.end, a.log.ticks_per_ms);
  const auto bins = static_cast<std::size_t>(
      std::max(1.0, std::ceil((to_ms - from_ms) / a.correlation_bin_ms * (1 - 1e-12))));
  TimeBins in_time(a.bin_ms * a.log.ticks_per_ms, shares.time_bins);
  Density density({0, a.end}, shares.columns, EvenSample(p.size, shares.rows[i]), Density::RowOf::all);
  Neurons neurons(p.size, a.log.ticks_per_ms);
  PointSample sample(p.size, p.spikes, shares.points[i]);
  Correlation correlation(shares.correlation ? p.size : 0,
                          static_cast<Tick>(std::llround(from_ms * a.log.ticks_per_ms)),
                          a.correlation_bin_ms * a.log.ticks_per_ms, bins);
  data.spikes(p, [&](const SpikePiece& piece) {
    in_time.add(piece);
    density.add(piece);
    neurons.add(piece);
    sample.add(piece);
    correlation.add(piece);
  });
  PopulationAnalysis result;
  result.active = neurons.active();
  p.neurons = std::max(p.neurons, result.active);  // otherwise the log contradicts itself
  result.population = p;
  result.from_ms = from_ms, result.to_ms = to_ms;
  result.rate_hz = recorded_hz(p, a.end, a.log).value_or(0);
  result.spikes_in_bin = in_time.counts();
  result.density.emplace(std::move(density));
  result.sample.emplace(std::move(sample));
  result.isi = neurons.isi();
  result.intervals = neurons.intervals();
  result.median_isi_ms = neurons.median_isi_ms();
  result.cv = {.from = 0, .width = cv_bin, .counts = std::vector<std::uint64_t>(cv_bins), .above = 0};
  for (const double cv : neurons.cvs()) result.cv.add(cv), result.cvs.add(cv);
  counted.neurons_with.push_back(neurons.neurons_with(p.neurons));
  auto pairs = correlation.result();
  result.correlation_neurons = pairs.neurons;
  counted.of_pairs.push_back(std::move(pairs.of_pairs));
  a.populations.push_back(std::move(result));
}

/// Neurons and sources have axes of their own.
void share_axes(Analysis& a, const Counted& counted) {
  for (const bool sources : {false, true}) {
    std::vector<std::size_t> of;
    for (std::size_t i = 0; i < a.populations.size(); ++i)
      if (a.populations[i].is_source() == sources) of.push_back(i);
    bin_rates(a, counted.neurons_with, of);
    bin_correlations(a, counted.of_pairs, of);
  }
}

/// How many of what are shown at most.
struct Most {
  std::size_t count;
  const char* what;
};
/// The first of `all`, as `read` shows each; says where there are more.
template <class All, class Read>
auto read_some(Analysis& a, const All& all, Most most, Read&& read) {
  std::vector<decltype(read(all[0]))> shown;
  for (std::size_t i = 0; i < std::min(all.size(), most.count); ++i) shown.push_back(read(all[i]));
  if (all.size() > most.count)
    a.warnings.push_back(
        {false, fmt::format("Of {} {}, the first {} are shown.", all.size(), most.what, most.count)});
  return shown;
}

void add_series(Analysis& a, const LogData& data) {
  a.traces = read_some(a, a.log.reports, {shown_reports, "reports"},
                       [&](auto& r) { return read_traces(data, r, 5, 1200); });
  a.weights = read_some(a, data.weights(), {shown_weights, "projections with weight frames"},
                        [&](auto& w) { return read_weights(data, w, 120, 60); });
  a.images = data.images();
  a.metrics = read_some(a, data.metrics(), {shown_environments, "environments with metrics"},
                        [&](auto& m) { return read_metrics(data, m, 600); });
  a.changes = read_some(a, data.weight_events(), {shown_weights, "projections with weight changes"},
                        [&](auto& w) { return read_changes(data, w, 6, 1000); });
}

}  // namespace

Analysis analyse(const std::filesystem::path& path, const AnalysisOptions& o) {
  const LogData data(path);
  Analysis a;
  a.log = data.summary();
  a.network = data.network_text();
  a.end = end_of(a.log);
  a.ms_per_tick = 1 / a.log.ticks_per_ms;
  a.end_ms = static_cast<double>(a.end) * a.ms_per_tick;

  const auto recorded = recorded_populations(a.log);
  const Shares shares = choose_shares(a, recorded, o);
  Counted counted;
  for (const auto& p : recorded) add_population(a, data, p, shares, counted);
  std::vector<int> signs;
  for (const auto& p : recorded) signs.push_back(static_cast<int>(p.sign));
  const auto looks = looks_of(signs);
  for (std::size_t i = 0; i < looks.size(); ++i) a.populations[i].look = looks[i];
  share_axes(a, counted);
  if (o.series) add_series(a, data);
  auto warnings = warnings_of(a);
  a.warnings.insert(a.warnings.begin(), warnings.begin(), warnings.end());
  return a;
}

}  // namespace spinet::look
