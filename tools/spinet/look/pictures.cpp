#include "look/pictures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <span>

#include "look/confusion.hpp"
#include "look/palette.hpp"
#include "look/titles.hpp"
#include "svg.hpp"
#include "text.hpp"

namespace spinet::look {
namespace {

using tool::Axis;
using tool::KeyEntry;
using tool::Plot;
using tool::Shades;
using tool::Stroke;
using Shown = std::vector<const PopulationAnalysis*>;

constexpr std::uint64_t most_marks = 30'000;  ///< spikes that are drawn one by one

std::string colour_of(const PopulationAnalysis& p) { return p.look.colour->light; }
Stroke stroke_of(const PopulationAnalysis& p) {
  return {.colour = colour_of(p), .dashes = p.look.dashes, .name = p.population.name};
}

std::string file_name(std::string text) {
  for (char& c : text)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '-' && c != '.') c = '_';
  return text.substr(0, 100);
}

/// Time in seconds where milliseconds would be thousands.
Axis time_axis(double from, double to) {
  return to >= 1000 ? Axis{from, to, "time (s)", 1e-3} : Axis{from, to, "time (ms)"};
}

struct Draw {
  const Analysis& a;
  std::vector<Picture> pictures{};

  void add(const std::string& name, const Plot& plot) {
    std::string file = file_name(name);
    const auto taken = [&](const std::string& f) {
      return std::any_of(pictures.begin(), pictures.end(),
                         [&](const Picture& p) { return p.name == f + ".svg"; });
    };
    for (int k = 2; taken(file); ++k) file = fmt::format("{}_{}", file_name(name), k);
    pictures.push_back({file + ".svg", picture_mark + plot.svg()});
  }

  std::string title(const Title& t, const std::string& more = "") const {
    return fmt::format("{}: {}{}", a.log.network, t.title, more);
  }

  std::vector<KeyEntry> key_of(const Shown& shown) const {
    std::vector<KeyEntry> key;
    for (const auto* p : shown) {
      const auto sign = p->population.sign;
      key.push_back({p->population.name + (sign > 0   ? " (excitatory)"
                                           : sign < 0 ? " (inhibitory)"
                                                      : ""),
                     colour_of(*p)});
      key.back().dashes = p->look.dashes;
    }
    return key;
  }

  /// Where the bands of populations lie, in parts of the whole from above: begin and height.
  static std::vector<std::pair<double, double>> bands(const Shown& shown) {
    const double gap = shown.size() > 1 ? std::min(0.02, 0.2 / static_cast<double>(shown.size())) : 0;
    std::vector<double> weights;
    double all = 0;
    for (const auto* p : shown) all += std::sqrt(static_cast<double>(p->population.size));
    for (const auto* p : shown)
      weights.push_back(std::max(std::sqrt(static_cast<double>(p->population.size)), 0.05 * all));
    all = 0;
    for (const double w : weights) all += w;
    std::vector<std::pair<double, double>> at;
    double from = 0;
    for (const double w : weights) {
      const double tall = (1 - gap * static_cast<double>(weights.size() - 1)) * w / std::max(all, 1e-12);
      at.emplace_back(from, tall);
      from += tall + gap;
    }
    return at;
  }

  /// Room for the names beside the rows, and rows as tall as a line of text as far as that goes.
  static Plot::Area area_of(const Shown& shown, const std::vector<std::pair<double, double>>& bands) {
    double widest = 0, wanted = 0;
    for (const auto* p : shown) widest = std::max(widest, tool::width_of(p->population.name));
    const double left = std::clamp(widest + 36, 80.0, 260.0);
    for (std::size_t i = 0; i < shown.size(); ++i) {
      const auto lines = tool::wrapped(shown[i]->population.name, left - 35).size();
      wanted = std::max(wanted, 13 * static_cast<double>(lines) / bands[i].second);
    }
    return {.left = left, .height = std::clamp(wanted, 280.0, 1400.0)};
  }

  /// A population's name beside its rows, and the numbers of its first and its last neuron where there is
  /// room.
  static void name_rows(Plot& plot, const PopulationAnalysis& p, double top, double tall) {
    auto lines = tool::wrapped(p.population.name, plot.left() - 35);
    const auto fitting = static_cast<std::size_t>(std::max(0.0, (tall + 1) / 13));
    if (fitting > 0 && lines.size() > fitting) lines.resize(fitting), lines.back() += "...";
    const double text = 13 * static_cast<double>(lines.size());
    if (text <= tall + 1)
      for (std::size_t k = 0; k < lines.size(); ++k)
        plot.beside(top + (tall - text) / 2 + 13 * static_cast<double>(k) + 10, lines[k], colour_of(p));
    if (text + 24 > tall || p.population.size < 2) return;
    plot.beside(top + 9, fmt::format("{}", p.population.size - 1), "#555");
    plot.beside(top + tall, "0", "#555");
  }

  void raster(const Shown& shown, const Title& t) {
    if (shown.empty()) return;
    std::uint64_t spikes = 0;
    bool whole = true;
    for (const auto* p : shown) spikes += p->population.spikes, whole = whole && p->sample->whole();
    const bool one_by_one = whole && spikes <= most_marks;
    auto key = key_of(shown);
    if (!one_by_one)
      for (std::size_t i = 0; i < shown.size(); ++i) {
        key[i].text = "spikes per cell, " + key[i].text;
        key[i].from = "1", key[i].to = fmt::format("{}", most_in_cell(*shown[i]));
      }
    for (auto& entry : key) entry.dashes.clear();  // spikes are no lines
    const auto at = bands(shown);
    Plot plot(title(t), time_axis(0, a.end_ms), {0, 1, t.y, 1, false, false}, key, area_of(shown, at));
    for (std::size_t i = 0; i < shown.size(); ++i) {
      const double top = plot.top() + at[i].first * plot.height(), tall = at[i].second * plot.height();
      if (one_by_one) marks(plot, *shown[i], {top, tall}, colour_of(*shown[i]));
      else cells(plot, *shown[i], {top, tall}, colour_of(*shown[i]));
      name_rows(plot, *shown[i], top, tall);
    }
    add(t.name, plot);
  }

  struct Band {
    double top, tall;
  };
  void marks(Plot& plot, const PopulationAnalysis& p, Band band, const std::string& colour) const {
    const double row = band.tall / static_cast<double>(std::max<std::uint64_t>(1, p.sample->rows())),
                 high = std::clamp(row * 0.8, 1.5, 22.0);
    std::string d;
    p.sample->each([&](Tick tick, std::uint32_t r) {
      d += fmt::format("M{:.2f} {:.2f}v{:.2f}", plot.x(static_cast<double>(tick) * a.ms_per_tick),
                       band.top + band.tall - (r + 0.5) * row - high / 2, high);
    });
    plot.path(d, {.colour = colour, .width = 1, .name = p.population.name});
  }
  static std::uint32_t most_in_cell(const PopulationAnalysis& p) {
    std::uint32_t most = 1;
    for (const auto c : p.density->cells()) most = std::max(most, c);
    return most;
  }
  /// The density as a path for each level, of runs of equal cells.
  void cells(Plot& plot, const PopulationAnalysis& p, Band band, const std::string& colour) const {
    const Density& d = *p.density;
    const double row = band.tall / static_cast<double>(d.rows()),
                 ms = a.end_ms / static_cast<double>(d.columns()), most = most_in_cell(p);
    std::array<std::string, Shades::levels> paths;
    const auto level = [&](std::size_t r, std::size_t c) {
      return d.at(r, c) == 0 ? -1 : Shades::level((d.at(r, c) - 1) / std::max(most - 1, 1.0));
    };
    for (std::size_t r = 0; r < d.rows(); ++r)
      for (std::size_t c = 0; c < d.columns();) {
        const int l = level(r, c);
        const std::size_t first = c;
        while (c < d.columns() && level(r, c) == l) ++c;
        if (l < 0) continue;
        paths[static_cast<std::size_t>(l)] += fmt::format(
            "M{:.1f} {:.1f}H{:.1f}", plot.x(static_cast<double>(first) * ms),
            band.top + band.tall - (static_cast<double>(r) + 0.5) * row, plot.x(static_cast<double>(c) * ms));
      }
    for (std::size_t l = 0; l < paths.size(); ++l)
      if (!paths[l].empty())
        plot.path(paths[l], {.colour = colour,
                             .width = row,
                             .opacity = Shades::opacity(static_cast<int>(l)),
                             .name = p.population.name});
  }

  void rates(const Shown& shown, const Title& t) {
    if (shown.empty()) return;
    // Bins as wide as a figure can show.
    const std::size_t bins = shown[0]->spikes_in_bin.size(), merge = (bins + 319) / 320,
                      count = (bins + merge - 1) / merge;
    std::vector<double> edges;
    for (std::size_t k = 0; k <= count; ++k)
      edges.push_back(std::min(static_cast<double>(k * merge) * a.bin_ms, a.end_ms));
    std::vector<std::vector<double>> lines;
    double most = 0;
    for (const auto* p : shown) {
      lines.emplace_back(count);
      for (std::size_t i = 0; i < bins; ++i)
        lines.back()[i / merge] += static_cast<double>(p->spikes_in_bin[i]);
      for (std::size_t k = 0; k < count; ++k) {
        const double ms = std::min(edges[k + 1], p->to_ms) - std::max(edges[k], p->from_ms);
        lines.back()[k] = ms > 0 && p->population.neurons
                              ? lines.back()[k] / static_cast<double>(p->population.neurons) / ms * 1e3
                              : 0;
        most = std::max(most, lines.back()[k]);
      }
    }
    Plot plot(title(t, fmt::format(", in bins of {}",
                                   tool::time_text(static_cast<double>(merge) * a.bin_ms * 1e-3))),
              time_axis(0, a.end_ms), {0, most > 0 ? most * 1.08 : 1, t.y}, key_of(shown));
    for (std::size_t i = 0; i < shown.size(); ++i) plot.steps(edges, lines[i], stroke_of(*shown[i]));
    add(t.name, plot);
  }

  struct Bins {
    const std::vector<std::uint64_t>* counts;
    double total;
  };
  struct Distribution {
    Title title;
    double from = 0, width = 1;  ///< of the bins
    bool logarithmic = false;
    std::string more{};  ///< in the title
  };
  /// One line per population: the part of `of` that lies in each bin.
  void distribution(const Shown& shown, const Distribution& d, const std::vector<Bins>& bins) {
    std::size_t first = SIZE_MAX, last = 0;
    double most = 0;
    for (const auto& b : bins)
      for (std::size_t i = 0; i < b.counts->size(); ++i)
        if ((*b.counts)[i] && b.total > 0)
          first = std::min(first, i), last = std::max(last, i + 1),
          most = std::max(most, 100 * static_cast<double>((*b.counts)[i]) / b.total);
    if (last == 0) return;
    if (first > 0) --first;
    std::vector<double> edges;
    for (std::size_t i = first; i <= last + 1; ++i)
      edges.push_back(d.from + static_cast<double>(i) * d.width);
    Plot plot(title(d.title, d.more),
              {edges.front(), edges.back(), d.title.x, d.title.x_scale, d.logarithmic},
              {0, most * 1.08, d.title.y}, key_of(shown));
    for (std::size_t p = 0; p < bins.size(); ++p) {
      if (!(bins[p].total > 0)) continue;
      std::vector<double> part;
      for (std::size_t i = first; i <= last; ++i)
        part.push_back(
            i < bins[p].counts->size() ? 100 * static_cast<double>((*bins[p].counts)[i]) / bins[p].total : 0);
      plot.steps(edges, part, stroke_of(*shown[p]));
    }
    add(d.title.name, plot);
  }

  void distributions(const Shown& shown) {
    if (shown.empty()) return;
    std::vector<Bins> rates, isi, cv, correlation;
    for (const auto* p : shown) {
      rates.push_back({&p->rates.counts, static_cast<double>(p->population.neurons)});
      isi.push_back({&p->isi, static_cast<double>(p->intervals)});
      cv.push_back({&p->cv.counts, static_cast<double>(p->cvs.n)});
      correlation.push_back({&p->correlation.counts, static_cast<double>(p->correlations.n)});
    }
    const auto& one = *shown[0];
    const auto t = distribution_titles(a);
    distribution(shown, {t[0], one.rates.from, one.rates.width}, rates);
    distribution(shown, {t[1], Neurons::first_decade, 1.0 / Neurons::per_decade, true}, isi);
    distribution(shown, {t[2], one.cv.from, one.cv.width}, cv);
    distribution(shown,
                 {t[3], one.correlation.from, one.correlation.width, false,
                  fmt::format(" of spike counts in {:g} ms", a.correlation_bin_ms)},
                 correlation);
  }

  void traces(const Traces& t) {
    if (t.traces.empty() || t.report.frames == 0) return;
    double low = INFINITY, high = -INFINITY;
    std::vector<KeyEntry> key;
    for (const auto& s : t.traces) {
      key.push_back({fmt::format("neuron {}", s.node), line_colour(key.size()).light});
      for (const float x : s.low)
        if (std::isfinite(x)) low = std::min<double>(low, x), high = std::max<double>(high, x);
      for (const float x : s.high)
        if (std::isfinite(x)) high = std::max<double>(high, x);
    }
    if (!(low <= high)) low = 0, high = 1;
    const double room = 0.06 * (high > low ? high - low : std::max(std::abs(high), 1.0)),
                 step = t.report.step_ms * static_cast<double>(t.frames_per_point);
    const auto text = title_of(t);
    Plot plot(title(text), time_axis(0, a.end_ms), {low - room, high + room, text.y}, key);
    for (std::size_t k = 0; k < t.traces.size(); ++k) {
      const auto& s = t.traces[k];
      std::string d;
      bool pen = false;
      for (std::size_t i = 0; i < s.low.size(); ++i) {
        if (!std::isfinite(s.low[i])) {
          pen = false;
          continue;
        }
        d += fmt::format("{}{:.1f} {:.1f}", pen ? "L" : "M",
                         plot.x(t.report.start_ms + static_cast<double>(i) * step), plot.y(s.low[i]));
        if (i < s.high.size()) d += fmt::format("V{:.1f}", plot.y(s.high[i]));
        pen = true;
      }
      plot.path(d, {.colour = key[k].colour, .width = 1.2, .name = key[k].text});
    }
    add(text.name, plot);
  }

  void weights(const WeightHistory& h) {
    if (h.frames.empty() || h.frames.front().counts.empty()) return;
    const auto& frames = h.frames;
    const auto bounds = h.bounds(a.end_ms);
    std::uint64_t most = 1;
    for (const auto& f : frames)
      for (const auto n : f.counts) most = std::max(most, n);
    const auto bins = frames.front().counts.size();
    const std::string colour = line_colour(0).light;
    const auto text = title_of(h);
    Plot plot(title(text), time_axis(bounds.front(), bounds.back()),
              {h.from, h.from + h.width * static_cast<double>(bins), text.y},
              {{"synapses per bin of a frame, logarithmic", colour, "1", fmt::format("{}", most)},
               {"mean; dashed: one standard deviation", ink.light}});
    std::array<std::string, Shades::levels> paths;
    for (std::size_t k = 0; k < frames.size(); ++k) {
      const auto& f = frames[k];
      for (std::size_t b = 0; b < f.counts.size(); ++b)
        if (f.counts[b]) {
          const double part =
              most > 1 ? std::log(static_cast<double>(f.counts[b])) / std::log(static_cast<double>(most)) : 1;
          paths[static_cast<std::size_t>(Shades::level(part))] +=
              fmt::format("M{:.1f} {:.1f}H{:.1f}", plot.x(bounds[k]),
                          plot.y(h.from + (static_cast<double>(b) + 0.5) * h.width), plot.x(bounds[k + 1]));
        }
    }
    for (std::size_t l = 0; l < paths.size(); ++l)
      if (!paths[l].empty())
        plot.path(paths[l], {.colour = colour,
                             .width = plot.height() / static_cast<double>(bins),
                             .opacity = Shades::opacity(static_cast<int>(l))});
    for (const double sds : {0.0, -1.0, 1.0}) {
      std::string d;
      for (const auto& f : frames)
        d += fmt::format("{}{:.1f} {:.1f}", d.empty() ? "M" : "L", plot.x(f.ms), plot.y(f.mean + sds * f.sd));
      if (frames.size() == 1) d += fmt::format("H{:.1f}", plot.x(bounds.back()));
      plot.path(d, {.colour = ink.light,
                    .width = sds == 0 ? 1.6 : 1,
                    .dashes = sds == 0 ? "" : "3 3",
                    .name = sds == 0  ? "mean"
                            : sds < 0 ? "mean - sd"
                                      : "mean + sd"});
    }
    add(text.name, plot);
    final_weights(h);
  }
  void final_weights(const WeightHistory& h) {
    const auto text = final_title_of(h);
    const auto& last = h.frames.back();
    std::vector<double> edges, counts;
    double most = 1;
    for (std::size_t b = 0; b <= last.counts.size(); ++b)
      edges.push_back(h.from + static_cast<double>(b) * h.width);
    for (const auto n : last.counts)
      counts.push_back(static_cast<double>(n)), most = std::max(most, counts.back());
    Plot plot(title(text, fmt::format(", at {}", tool::time_text(last.ms * 1e-3))),
              {edges.front(), edges.back(), text.x}, {0, most * 1.08, text.y}, {});
    plot.steps(edges, counts, {.colour = line_colour(0).light, .name = h.weights.name});
    add(text.name, plot);
  }

  void changes(const WeightChanges& c) {
    double low = INFINITY, high = -INFINITY;
    std::vector<KeyEntry> key;
    for (const auto& s : c.synapses) {
      key.push_back({fmt::format("synapse {}", s.edge), line_colour(key.size()).light});
      for (const float x : s.values)
        if (std::isfinite(x)) low = std::min<double>(low, x), high = std::max<double>(high, x);
    }
    if (!(low <= high)) return;
    const double room = 0.06 * (high > low ? high - low : std::max(std::abs(high), 1.0));
    const auto text = title_of(c);
    Plot plot(title(text), time_axis(0, a.end_ms), {low - room, high + room, text.y}, key);
    for (std::size_t k = 0; k < c.synapses.size(); ++k) {
      const auto& s = c.synapses[k];
      std::string d;
      for (std::size_t i = 0; i < s.ms.size(); ++i)
        if (std::isfinite(s.values[i]))
          d += d.empty() ? fmt::format("M{:.1f} {:.1f}", plot.x(s.ms[i]), plot.y(s.values[i]))
                         : fmt::format("H{:.1f}V{:.1f}", plot.x(s.ms[i]), plot.y(s.values[i]));
      if (!d.empty() && s.changes == s.ms.size()) d += fmt::format("H{:.1f}", plot.x(a.end_ms));
      plot.path(d, {.colour = key[k].colour, .name = key[k].text});
    }
    add(text.name, plot);
  }

  void metric(const MetricHistory& h, std::size_t m) {
    const auto text = title_of(h, m);
    double low = INFINITY, high = -INFINITY;
    for (const double x : h.means[m])
      if (std::isfinite(x)) low = std::min(low, x), high = std::max(high, x);
    if (!(low <= high)) return;
    const double room = 0.06 * (high > low ? high - low : std::max(std::abs(high), 1.0));
    const std::string more =
        h.rewards_per_point > 1 ? fmt::format(", means of {} rewards in a row", h.rewards_per_point) : "";
    Plot plot(title(text, more), time_axis(0, a.end_ms), {low - room, high + room, text.y}, {});
    std::string d;
    bool pen = false;
    for (std::size_t i = 0; i < h.ms.size(); ++i) {
      if (!std::isfinite(h.means[m][i])) {
        pen = false;
        continue;
      }
      d += fmt::format("{}{:.1f} {:.1f}{}", pen ? "L" : "M", plot.x(h.ms[i]), plot.y(h.means[m][i]),
                       pen ? "" : "h1");  // a point alone is seen, too
      pen = true;
    }
    plot.path(d, {.colour = line_colour(0).light, .name = h.metrics.names[m]});
    add(text.name, plot);
  }
};

}  // namespace

std::vector<Picture> pictures_of(const Analysis& a) {
  Draw draw{a};
  Shown neurons, sources;
  for (const auto& p : a.populations) (p.is_source() ? sources : neurons).push_back(&p);
  draw.raster(neurons, raster_title(Members::neurons));
  draw.rates(neurons, rates_title(Members::neurons));
  draw.distributions(neurons);
  draw.raster(sources, raster_title(Members::sources));
  draw.rates(sources, rates_title(Members::sources));
  if (a.images && a.images->problem.empty())
    if (auto p = confusion_picture(a.log.network, a.images->results.confusion()))
      draw.pictures.push_back(std::move(*p));
  for (const auto& h : a.metrics)
    if (h.problem.empty())
      for (std::size_t m = 0; m < h.means.size(); ++m) draw.metric(h, m);
  for (const auto& t : a.traces) draw.traces(t);
  for (const auto& h : a.weights) draw.weights(h);
  for (const auto& c : a.changes) draw.changes(c);
  return std::move(draw.pictures);
}

}  // namespace spinet::look
