// spinet view
#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "commands.hpp"
#include "log/log_data.hpp"
#include "look/analysis.hpp"
#include "look/isolated.hpp"
#include "look/json.hpp"
#include "look/output.hpp"
#include "look/scale.hpp"
#include "look/terminal.hpp"
#include "network/suggest.hpp"
#include "text.hpp"

namespace spinet::tool {
namespace {

using namespace look;

constexpr std::size_t raster_lines = 18, rate_lines = 4, histogram_lines = 5;

struct ViewOptions {
  std::string log;
  double from = -1, to = -1;  ///< ms; negative: not given
  std::size_t width = 0;
  bool ascii = false;
};

std::string shown_ms(double ms) { return time_text(ms * 1e-3); }

/// "0 ms ...... 100 ms" under a plot.
std::string axis(const std::string& from, const std::string& to, std::size_t width) {
  if (from.size() + to.size() + 1 > width) return fit(from, width);
  return from + std::string(width - from.size() - to.size(), ' ') + to;
}

/// A window in which at most a third of the dots are set, so that a raster can be read: the end of the run,
/// where it has settled.
double readable_span(const std::vector<LoggedPopulation>& populations, Tick end, double ticks_per_ms,
                     std::size_t columns) {
  double hz = 0;
  for (const auto& p : populations) {
    const auto [from, to] = recorded_ms(p, end, ticks_per_ms);
    if (p.neurons > 0)
      hz = std::max(hz, static_cast<double>(p.spikes) / static_cast<double>(p.neurons) / (to - from));
  }
  const double end_ms = static_cast<double>(end) / ticks_per_ms;
  return hz > 0 ? std::min(end_ms, 0.3 / hz * static_cast<double>(columns)) : end_ms;
}

struct Seen {
  LoggedPopulation population;
  Density density;
  TimeBins rates;
  look::Neurons neurons;
};

/// A log on a terminal.
class View {
 public:
  View(const ViewOptions& o, Terminal terminal, const LogData& data)
      : o_(o),
        terminal_(terminal),
        data_(data),
        log_(data.summary()),
        recorded_(recorded_populations(log_)),
        end_(end_of(log_)),
        end_ms_(static_cast<double>(end_) / log_.ticks_per_ms) {}
  int show() {
    head();
    if (recorded_.empty()) {
      fmt::print("No spikes were recorded (`record: spikes` names populations).\n");
      return fine;
    }
    for (const auto& p : recorded_)
      label_ = std::max(label_, std::min<std::size_t>(p.name.size(), terminal_.columns / 4));
    width_ = terminal_.columns - label_ - 1;
    blank_.assign(label_ + 1, ' ');
    choose_span();
    read();
    raster();
    rates();
    histograms();
    return fine;
  }

 private:
  void head() const;
  void choose_span();
  void read();
  void raster() const;
  void rates() const;
  void histograms() const;

  double readable() const { return readable_span(recorded_, end_, log_.ticks_per_ms, 2 * width_); }
  std::pair<double, double> span_of(const LoggedPopulation& p) const {
    return recorded_ms(p, end_, log_.ticks_per_ms);
  }
  /// The rate of a neuron that fires once.
  double hz_of_one(const LoggedPopulation& p) const {
    const auto [first, last] = span_of(p);
    return 1e3 / (last - first);
  }
  void say(std::string text) const {
    text = fit(text, terminal_.columns);
    text.erase(text.find_last_not_of(' ') + 1);
    fmt::print("{}\n", text);
  }
  void heading(const std::string& text) const { say(""), say(text); }
  /// A plot, with the population's name before the first line and `second` before the next.
  void plot(const std::vector<std::string>& lines, const std::string& name, const std::string& second) const {
    for (std::size_t l = 0; l < lines.size(); ++l)
      say(fit_right(l == 0 ? printable(name) : l == 1 ? second : "", label_) + " " + lines[l]);
  }

  const ViewOptions& o_;
  const Terminal terminal_;
  const LogData& data_;
  const LogSummary& log_;
  const std::vector<LoggedPopulation> recorded_;
  const Tick end_;
  const double end_ms_;
  std::size_t label_ = 6, width_ = 0;  ///< columns of the names, and of the plots
  std::string blank_;                  ///< in place of a name
  double from_ = 0, to_ = 0;           ///< of the raster [ms]
  double bin_ms_ = 0;                  ///< of the rates
  std::vector<Seen> all_;
};

void View::head() const {
  fmt::print("{}: {} of {}, seed {}, {}\n", printable(log_.network),
             time_text(static_cast<double>(log_.reached) * log_.seconds_per_tick),
             time_text(static_cast<double>(log_.duration) * log_.seconds_per_tick), log_.seed,
             name_of(log_.status));
  if (!log_.warning.empty()) fmt::print("Warning: {}\n", printable(log_.warning));
}

void View::choose_span() {
  if (o_.from >= 0 && o_.from >= end_ms_)
    throw UserError(fmt::format("--from {} ms is not before the end of the run, {} ms", o_.from, end_ms_));
  to_ = o_.to >= 0 ? std::min(o_.to, end_ms_) : end_ms_;
  from_ = o_.from >= 0 ? o_.from : o_.to >= 0 ? 0 : to_ - readable();
  if (o_.from >= 0 && o_.to < 0) to_ = std::min(end_ms_, from_ + readable());
  if (!(from_ < to_)) throw UserError(fmt::format("--from {} ms is not before --to {} ms", from_, to_));
  if (o_.from >= 0 || o_.to >= 0) return;
  double first = end_ms_;
  for (const auto& p : recorded_) first = std::min(first, span_of(p).first);
  from_ = std::max(from_, first);
  if (from_ > 0) {  // a round number to start from
    const double step = round_up((to_ - from_) / 20);
    from_ = std::ceil(from_ / step) * step;
  }
}

void View::read() {
  // Neurons, not lines, are what is shared: a dot row is one neuron.
  const auto rows = share_rows(recorded_, raster_lines * 4, 4);
  bin_ms_ = round_up(end_ms_ / static_cast<double>(width_));
  const auto time_bins = static_cast<std::size_t>(std::ceil(end_ms_ / bin_ms_ * (1 - 1e-12)));
  const auto from = static_cast<Tick>(from_ * log_.ticks_per_ms);
  const Tick to = to_ < end_ms_ ? static_cast<Tick>(to_ * log_.ticks_per_ms) : end_;
  for (std::size_t i = 0; i < recorded_.size(); ++i) {
    const auto& p = recorded_[i];
    all_.push_back({p, Density({from, to}, 2 * width_, EvenSample(p.size, rows[i]), Density::RowOf::one),
                    TimeBins(bin_ms_ * log_.ticks_per_ms, time_bins),
                    look::Neurons(p.size, log_.ticks_per_ms)});
    Seen& seen = all_.back();
    data_.spikes(p, [&](const SpikePiece& piece) {
      seen.density.add(piece);
      seen.rates.add(piece);
      seen.neurons.add(piece);
    });
    seen.population.neurons =
        std::max(p.neurons, seen.neurons.active());  // otherwise the log contradicts itself
  }
}

void View::raster() const {
  heading(fmt::format("Raster, {} to {}; a row of dots is one neuron", shown_ms(from_), shown_ms(to_)));
  for (const auto& s : all_) {
    const auto size = s.population.size;
    const std::string of = s.density.rows() < size
                               ? fmt::format("{}/{}", s.density.rows(), count_text(static_cast<double>(size)))
                               : std::to_string(size);
    plot(dots(s.density, terminal_), s.population.name, of.size() <= label_ ? of : "");
  }
  say(blank_ + axis(shown_ms(from_), shown_ms(to_), width_));
}

void View::rates() const {
  heading(fmt::format("Population rates in bins of {}", shown_ms(bin_ms_)));
  for (const auto& s : all_) {
    std::vector<double> hz;
    const auto [first, last] = span_of(s.population);
    const auto neurons = static_cast<double>(s.population.neurons);
    for (std::size_t b = 0; b < s.rates.counts().size(); ++b) {
      const double ms = std::min(last, static_cast<double>(b + 1) * bin_ms_) -
                        std::max(first, static_cast<double>(b) * bin_ms_);
      hz.push_back(neurons > 0 && ms > 1e-9 * end_ms_
                       ? static_cast<double>(s.rates.counts()[b]) / neurons / ms * 1e3
                       : 0);
    }
    const double most = *std::max_element(hz.begin(), hz.end());
    plot(bars(hz, most, rate_lines, terminal_), s.population.name, fmt::format("{:.3g}Hz", most));
  }
  say(blank_ + axis("0 s", shown_ms(end_ms_), static_cast<std::size_t>(end_ms_ / bin_ms_)));
}

void View::histograms() const {
  heading("Rates of neurons");
  double fastest = 0, one_spike = 1e3 / end_ms_;
  for (const auto& s : all_) {
    const auto neurons = s.neurons.neurons_with(s.population.neurons);
    if (!neurons.empty())
      fastest = std::max(fastest, static_cast<double>(neurons.rbegin()->first) * hz_of_one(s.population));
    one_spike = std::max(one_spike, hz_of_one(s.population));
  }
  // A bin takes whole numbers of spikes; the axis ends after the fastest neuron.
  const double bin_hz =
      std::max(1.0, std::ceil((fastest / one_spike + 1) / static_cast<double>(width_))) * one_spike;
  const auto bins = std::min<std::size_t>(width_, static_cast<std::size_t>(fastest / bin_hz + 1e-9) + 1);
  const std::size_t repeat = std::max<std::size_t>(1, std::min<std::size_t>(width_ / bins, 8));
  for (const auto& s : all_) {
    const LoggedPopulation& p = s.population;
    Histogram h{.from = 0, .width = bin_hz, .counts = std::vector<std::uint64_t>(bins), .above = 0};
    for (const auto& [spikes, n] : s.neurons.neurons_with(p.neurons))
      h.add(static_cast<double>(spikes) * hz_of_one(p), n);
    const double mean =
        p.neurons ? static_cast<double>(p.spikes) / static_cast<double>(p.neurons) * hz_of_one(p) : 0;
    const auto words = fmt::format("mean {}, {} of {} {}neuron{} silent{}", rate_text(mean),
                                   grouped(p.neurons - s.neurons.active()), grouped(p.neurons),
                                   p.neurons >= p.size ? "" : "recorded ", p.neurons == 1 ? "" : "s",
                                   recorded_when(p, end_, log_.ticks_per_ms));
    if (p.size < 5) {
      plot({words}, p.name, "");
      continue;
    }
    std::vector<double> heights;
    for (const auto n : h.counts) heights.insert(heights.end(), repeat, static_cast<double>(n));
    const double most = *std::max_element(heights.begin(), heights.end());
    plot(bars(heights, most, histogram_lines, terminal_), p.name, "");
    say(blank_ + axis("0 Hz", fmt::format("{:.3g} Hz", static_cast<double>(bins) * bin_hz), bins * repeat));
    say(blank_ + words);
  }
}

int view(const ViewOptions& o) {
  auto terminal = Terminal::of_stdout();
  if (o.ascii) terminal.unicode = false;
  if (o.width > 0) terminal.columns = o.width;
  return View(o, terminal, LogData(o.log)).show();
}

CLI::Validator milliseconds() {
  return CLI::Validator(
      [](const std::string& text) {
        char* end = nullptr;
        const double ms = std::strtod(text.c_str(), &end);
        const bool number = end != text.c_str() && *end == 0 && std::isfinite(ms) && ms >= 0;
        return number ? std::string() : in_quotes(text) + " is no number of milliseconds, such as 50 or 0.5";
      },
      "");
}

}  // namespace

void add_view(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("view", "Show a run's raster and rates in the terminal");
  auto o = std::make_shared<ViewOptions>();
  sub->add_option("OUT.h5", o->log, "The log")->required();
  sub->add_option("--from", o->from,
                  "Begin of the raster (default: the last part of the run that can be shown clearly)")
      ->type_name("MS")
      ->check(milliseconds());
  sub->add_option("--to", o->to, "End of the raster")->type_name("MS")->check(milliseconds());
  sub->add_option("--width", o->width, "Characters per line (default: those of the terminal)")
      ->type_name("N")
      ->check(CLI::Range(30, 400));
  sub->add_flag("--ascii", o->ascii, "No braille and no blocks (the default where the locale is not UTF-8)");
  sub->callback([o, &action] {
    action = [o] {
      look::check_log(o->log);
      return look::isolated(o->log, {}, [&] { return view(*o); });
    };
  });
}

}  // namespace spinet::tool
