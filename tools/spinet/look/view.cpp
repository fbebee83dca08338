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

/// A window in which at most a third of the dots are set, so that a raster can be read: the end of the run, where it
/// has settled.
double readable_span(const std::vector<LoggedPopulation>& populations, Tick end, double ticks_per_ms, std::size_t columns) {
  double hz = 0;
  for (const auto& p : populations) {
    const auto [from, to] = recorded_ms(p, end, ticks_per_ms);
    if (p.neurons > 0) hz = std::max(hz, static_cast<double>(p.spikes) / static_cast<double>(p.neurons) / (to - from));
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

int view(const ViewOptions& o) {
  auto terminal = Terminal::of_stdout();
  if (o.ascii) terminal.unicode = false;
  if (o.width > 0) terminal.columns = o.width;
  const LogData data(o.log);
  const auto& log = data.summary();
  const auto recorded = recorded_populations(log);
  const Tick end = end_of(log);
  const double end_ms = static_cast<double>(end) / log.ticks_per_ms;
  fmt::print("{}: {} of {}, seed {}, {}\n", printable(log.network), time_text(static_cast<double>(log.reached) * log.seconds_per_tick),
             time_text(static_cast<double>(log.duration) * log.seconds_per_tick), log.seed, name_of(log.status));
  if (!log.warning.empty()) fmt::print("Warning: {}\n", printable(log.warning));
  if (recorded.empty()) {
    fmt::print("No spikes were recorded (`record: spikes` names populations).\n");
    return fine;
  }

  std::size_t label = 6;
  for (const auto& p : recorded) label = std::max(label, std::min<std::size_t>(p.name.size(), terminal.columns / 4));
  const std::size_t width = terminal.columns - label - 1;
  if (o.from >= 0 && o.from >= end_ms) throw UserError(fmt::format("--from {} ms is not before the end of the run, {} ms", o.from, end_ms));
  double to = o.to >= 0 ? std::min(o.to, end_ms) : end_ms;
  double from = o.from >= 0 ? o.from : o.to >= 0 ? 0 : to - readable_span(recorded, end, log.ticks_per_ms, 2 * width);
  if (o.from >= 0 && o.to < 0) to = std::min(end_ms, from + readable_span(recorded, end, log.ticks_per_ms, 2 * width));
  if (!(from < to)) throw UserError(fmt::format("--from {} ms is not before --to {} ms", from, to));
  if (o.from < 0 && o.to < 0) {
    double first = end_ms;
    for (const auto& p : recorded) first = std::min(first, recorded_ms(p, end, log.ticks_per_ms).first);
    from = std::max(from, first);
  }
  if (from > 0 && o.from < 0 && o.to < 0) {
    // A round number to start from.
    const double step = round_up((to - from) / 20);
    from = std::ceil(from / step) * step;
  }

  // Neurons, not lines, are what is shared: a dot row is one neuron.
  const auto rows = share_rows(recorded, raster_lines * 4, 4);
  const double bin_ms = round_up(end_ms / static_cast<double>(width));
  const auto time_bins = static_cast<std::size_t>(std::ceil(end_ms / bin_ms * (1 - 1e-12)));
  std::vector<Seen> all;
  for (std::size_t i = 0; i < recorded.size(); ++i) {
    const auto& p = recorded[i];
    all.push_back({p, Density({static_cast<Tick>(from * log.ticks_per_ms), to < end_ms ? static_cast<Tick>(to * log.ticks_per_ms) : end}, 2 * width, EvenSample(p.size, rows[i]), true),
                   TimeBins(bin_ms * log.ticks_per_ms, time_bins), look::Neurons(p.size, log.ticks_per_ms)});
    data.spikes(p, [&](const SpikeBlock& block) {
      all.back().density.add(block);
      all.back().rates.add(block);
      all.back().neurons.add(block);
    });
    all.back().population.neurons = std::max(p.neurons, all.back().neurons.active());  // otherwise the log contradicts itself
  }

  const std::string blank(label + 1, ' ');
  const auto say = [&](std::string text) {
    text = fit(text, terminal.columns);
    text.erase(text.find_last_not_of(' ') + 1);
    fmt::print("{}\n", text);
  };
  const auto heading = [&](const std::string& text) { say(""), say(text); };
  const auto name_of_line = [&](std::size_t line, const std::string& name, const std::string& second) { return fit(line == 0 ? printable(name) : line == 1 ? second : "", label, true) + " "; };

  heading(fmt::format("Raster, {} to {}; a row of dots is one neuron", shown_ms(from), shown_ms(to)));
  for (const auto& s : all) {
    const auto lines = dots(s.density, terminal.unicode);
    const std::string of = s.density.rows() < s.population.size ? fmt::format("{}/{}", s.density.rows(), count_text(static_cast<double>(s.population.size))) : std::to_string(s.population.size);
    for (std::size_t l = 0; l < lines.size(); ++l) say(name_of_line(l, s.population.name, of.size() <= label ? of : "") + lines[l]);
  }
  say(blank + axis(shown_ms(from), shown_ms(to), width));

  heading(fmt::format("Population rates in bins of {}", shown_ms(bin_ms)));
  for (const auto& s : all) {
    std::vector<double> hz;
    const auto [first, last] = recorded_ms(s.population, end, log.ticks_per_ms);
    for (std::size_t b = 0; b < s.rates.counts().size(); ++b) {
      const double ms = std::min(last, static_cast<double>(b + 1) * bin_ms) - std::max(first, static_cast<double>(b) * bin_ms);
      hz.push_back(s.population.neurons && ms > 1e-9 * end_ms ? static_cast<double>(s.rates.counts()[b]) / static_cast<double>(s.population.neurons) / ms * 1e3 : 0);
    }
    const double most = *std::max_element(hz.begin(), hz.end());
    const auto lines = bars(hz, most, rate_lines, terminal.unicode);
    const std::string top = fmt::format("{:.3g}Hz", most);
    for (std::size_t l = 0; l < lines.size(); ++l) say(name_of_line(l, s.population.name, top) + lines[l]);
  }
  say(blank + axis("0 s", shown_ms(end_ms), static_cast<std::size_t>(end_ms / bin_ms)));

  heading("Rates of neurons");
  double fastest = 0, one_spike = 1e3 / end_ms;
  const auto hz_of_one = [&](const LoggedPopulation& p) {
    const auto [first, last] = recorded_ms(p, end, log.ticks_per_ms);
    return 1e3 / (last - first);
  };
  for (const auto& s : all) {
    const auto neurons = s.neurons.neurons_with(s.population.neurons);
    if (!neurons.empty()) fastest = std::max(fastest, static_cast<double>(neurons.rbegin()->first) * hz_of_one(s.population));
    one_spike = std::max(one_spike, hz_of_one(s.population));
  }
  // A bin takes whole numbers of spikes; the axis ends after the fastest neuron.
  const double bin_hz = std::max(1.0, std::ceil((fastest / one_spike + 1) / static_cast<double>(width))) * one_spike;
  const auto bins = std::min<std::size_t>(width, static_cast<std::size_t>(fastest / bin_hz + 1e-9) + 1);
  const std::size_t repeat = std::max<std::size_t>(1, std::min<std::size_t>(width / bins, 8));
  for (const auto& s : all) {
    Histogram h{.from = 0, .width = bin_hz, .counts = std::vector<std::uint64_t>(bins), .above = 0};
    for (const auto& [spikes, n] : s.neurons.neurons_with(s.population.neurons)) h.add(static_cast<double>(spikes) * hz_of_one(s.population), n);
    const double mean = s.population.neurons ? static_cast<double>(s.population.spikes) / static_cast<double>(s.population.neurons) * hz_of_one(s.population) : 0;
    const auto silent = s.population.neurons - s.neurons.active();
    const bool all_neurons = s.population.neurons >= s.population.size;
    const auto words = fmt::format("mean {}, {} of {} {}neuron{} silent{}", rate_text(mean), grouped(silent),
                                   grouped(s.population.neurons), all_neurons ? "" : "recorded ",
                                   s.population.neurons == 1 ? "" : "s",
                                   recorded_when(s.population, end, log.ticks_per_ms));
    if (s.population.size < 5) {
      say(name_of_line(0, s.population.name, "") + words);
      continue;
    }
    std::vector<double> heights;
    for (const auto n : h.counts) heights.insert(heights.end(), repeat, static_cast<double>(n));
    const auto lines = bars(heights, *std::max_element(heights.begin(), heights.end()), histogram_lines, terminal.unicode);
    for (std::size_t l = 0; l < lines.size(); ++l) say(name_of_line(l, s.population.name, "") + lines[l]);
    say(blank + axis("0 Hz", fmt::format("{:.3g} Hz", static_cast<double>(bins) * bin_hz), bins * repeat));
    say(blank + words);
  }
  return fine;
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
  sub->add_option("--from", o->from, "Begin of the raster (default: the last part of the run that can be shown clearly)")->type_name("MS")->check(milliseconds());
  sub->add_option("--to", o->to, "End of the raster")->type_name("MS")->check(milliseconds());
  sub->add_option("--width", o->width, "Characters per line (default: those of the terminal)")->type_name("N")->check(CLI::Range(30, 400));
  sub->add_flag("--ascii", o->ascii, "No braille and no blocks (the default where the locale is not UTF-8)");
  sub->callback([o, &action] {
    action = [o] {
      look::check_log(o->log);
      return look::isolated(o->log, {}, [&] { return view(*o); });
    };
  });
}

}  // namespace spinet::tool
