#include "look/series.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "look/counts.hpp"
#include "look/neurons.hpp"

namespace spinet::look {
namespace {

constexpr std::uint64_t most_values = 1 << 22;  ///< read at once

/// Reason without the file's name, which the page shows once.
std::string reason(const LogError& e) {
  std::string text = e.what();
  const auto file = e.path.string() + ": ";
  return text.starts_with(file) ? text.substr(file.size()) : text;
}

/// A histogram whose range doubles when a value does not fit, so that one pass is enough.
class GrowingHistogram {
 public:
  static constexpr std::size_t bins = 2048;
  /// Makes room for [low, high].
  void cover(double low, double high) {
    if (!(width_ > 0)) {
      const double span = high > low ? high - low : std::max(std::abs(low) * 0.1, 1e-6);
      from_ = low - 0.05 * span;
      width_ = 1.1 * span / bins;
    }
    while (high >= from_ + width_ * bins) widen(false);
    while (low < from_) widen(true);
  }
  void start_frame() { frames_.emplace_back(bins); }
  void add(double x) { ++frames_.back()[std::min(static_cast<std::size_t>((x - from_) / width_), bins - 1)]; }
  /// The range in use, merged into at most `most` bins.
  void reduce(std::size_t most, WeightHistory& into) const {
    std::size_t first = bins, last = 0;
    for (const auto& f : frames_)
      for (std::size_t b = 0; b < bins; ++b)
        if (f[b]) first = std::min(first, b), last = std::max(last, b);
    if (first > last) return;
    const std::size_t merge = (last - first + most) / most;
    into.from = from_ + static_cast<double>(first) * width_;
    into.width = static_cast<double>(merge) * width_;
    for (std::size_t k = 0; k < frames_.size(); ++k) {
      into.frames[k].counts.assign((last - first) / merge + 1, 0);
      for (std::size_t b = first; b <= last; ++b) into.frames[k].counts[(b - first) / merge] += frames_[k][b];
    }
  }

 private:
  void widen(bool down) {
    // Downwards the old bins move to the upper half.
    const std::size_t offset = down ? bins / 2 : 0;
    for (auto& f : frames_) {
      std::vector<std::uint64_t> wide(bins);
      for (std::size_t b = 0; b < bins; ++b) wide[offset + b / 2] += f[b];
      f = std::move(wide);
    }
    if (down) from_ -= width_ * bins;
    width_ *= 2;
  }
  double from_ = 0, width_ = 0;
  std::vector<std::vector<std::uint64_t>> frames_;
};

/// `count` indices from 0 to `last`, both included, evenly spaced.
std::vector<std::uint64_t> spread(std::uint64_t size, std::uint64_t count) {
  std::vector<std::uint64_t> at;
  count = std::min(size, count);
  for (std::uint64_t k = 0; k < count; ++k)
    at.push_back(count == 1 ? 0
                            : static_cast<std::uint64_t>(
                                  std::llround(static_cast<double>(k) * static_cast<double>(size - 1) /
                                               static_cast<double>(count - 1))));
  return at;
}

}  // namespace

Traces read_traces(const LogData& data, const LoggedReport& report, std::size_t neurons, std::size_t points) {
  Traces t;
  t.report = report;
  try {
    const auto nodes = data.report_nodes(report);
    if (!(report.step_ms > 0) || !std::isfinite(report.start_ms) || !std::isfinite(report.step_ms)) {
      t.problem = "its mapping/time is not first frame, end and step";
      return t;
    }
    t.frames_per_point = (report.frames + points - 1) / points;
    if (t.frames_per_point < 1) t.frames_per_point = 1;
    const bool ranges = t.frames_per_point > 1;
    std::vector<float> values;
    const EvenSample sample(report.ids, std::min<std::uint64_t>(report.ids, neurons));
    for (std::uint64_t row = 0; row < sample.rows(); ++row)
      t.traces.push_back({nodes[sample.node(row)], {}, {}});
    // Chosen neurons lie in other columns of the same chunks: whole frames are read once for all of them.
    const std::uint64_t frames =
        std::max<std::uint64_t>(1,
                                most_values / std::max<std::uint64_t>(1, report.ids) / t.frames_per_point) *
        t.frames_per_point;
    const bool wide = report.ids > most_values / t.frames_per_point;
    for (std::uint64_t first = 0; first < report.frames; first += frames) {
      const auto count = std::min(frames, report.frames - first);
      if (!wide) data.read(report, {first, count, 0, report.ids}, values);
      for (std::size_t k = 0; k < t.traces.size(); ++k) {
        const auto column = sample.node(k);
        if (wide) data.read(report, {first, count, column, 1}, values);
        const std::uint64_t stride = wide ? 1 : report.ids, offset = wide ? 0 : column;
        for (std::uint64_t f = 0; f < count; f += t.frames_per_point) {
          float low = std::numeric_limits<float>::infinity(), high = -low;
          for (std::uint64_t g = f; g < std::min(f + t.frames_per_point, count); ++g) {
            const float x = values[g * stride + offset];
            if (!std::isfinite(x)) ++t.not_finite;
            else low = std::min(low, x), high = std::max(high, x);
          }
          t.traces[k].low.push_back(low);
          if (ranges) t.traces[k].high.push_back(high);
        }
      }
    }
  } catch (const LogError& e) {
    t.traces.clear();
    t.problem = reason(e);
  }
  return t;
}

WeightHistory read_weights(const LogData& data, const LoggedWeights& weights, std::size_t most_frames,
                           std::size_t bins) {
  WeightHistory h;
  h.weights = weights;
  h.problem = weights.problem;
  if (!h.problem.empty() || weights.edges == 0) return h;
  try {
    GrowingHistogram histogram;
    std::vector<float> values;
    const auto chosen = spread(weights.frames, most_frames);
    // Several frames at a time where they are small: they share chunks.
    const std::uint64_t together = std::max<std::uint64_t>(1, most_values / weights.edges);
    std::uint64_t first = 0, count = 0;
    for (const auto frame : chosen) {
      WeightHistory::Frame f;
      f.ms = weights.start_ms + static_cast<double>(frame) * weights.step_ms;
      f.smallest = std::numeric_limits<double>::infinity(), f.largest = -f.smallest;
      Moments m;
      // A frame of more than 2^26 synapses is read in parts.
      const std::uint64_t part = std::min<std::uint64_t>(weights.edges, 1 << 26);
      histogram.start_frame();
      for (std::uint64_t edge = 0; edge < weights.edges; edge += part) {
        const auto n = std::min(part, weights.edges - edge);
        const float* x = nullptr;
        if (part == weights.edges) {
          if (frame < first || frame >= first + count) {
            first = frame, count = std::min(together, weights.frames - frame);
            data.read(weights, {first, count, 0, n}, values);
          }
          x = values.data() + (frame - first) * n;
        } else {
          data.read(weights, {frame, 1, edge, n}, values);
          x = values.data();
        }
        float low = std::numeric_limits<float>::infinity(), high = -low;
        for (std::uint64_t i = 0; i < n; ++i)
          if (std::isfinite(x[i])) low = std::min(low, x[i]), high = std::max(high, x[i]);
        if (low <= high) histogram.cover(low, high);
        for (std::uint64_t i = 0; i < n; ++i) {
          if (!std::isfinite(x[i])) {
            ++f.not_finite;
            continue;
          }
          m.add(x[i]);
          histogram.add(x[i]);
        }
        f.smallest = std::min<double>(f.smallest, low), f.largest = std::max<double>(f.largest, high);
      }
      f.mean = m.mean(), f.sd = m.sd();
      h.frames.push_back(std::move(f));
    }
    histogram.reduce(bins, h);
  } catch (const LogError& e) {
    h.frames.clear();
    h.problem = reason(e);
  }
  return h;
}

std::vector<double> WeightHistory::bounds(double end_ms) const {
  std::vector<double> all;
  if (frames.empty()) return all;
  all.push_back(frames.front().ms);
  for (std::size_t k = 1; k < frames.size(); ++k) all.push_back((frames[k - 1].ms + frames[k].ms) / 2);
  all.push_back(frames.size() > 1 ? frames.back().ms : std::max(end_ms, frames.back().ms));
  return all;
}

WeightChanges read_changes(const LogData& data, const LoggedWeightEvents& events, std::size_t synapses,
                           std::size_t changes) {
  WeightChanges c;
  c.events = events;
  c.problem = events.problem;
  if (!c.problem.empty()) return c;
  try {
    const auto all = data.read(events);
    std::map<std::uint64_t, std::size_t> place;
    for (std::size_t i = 0; i < all.ms.size(); ++i) {
      auto found = place.find(all.edges[i]);
      if (found == place.end()) {
        if (c.synapses.size() == synapses) {
          c.all = false;
          continue;
        }
        found = place.emplace(all.edges[i], c.synapses.size()).first;
        c.synapses.push_back({all.edges[i], 0, {}, {}});
      }
      auto& s = c.synapses[found->second];
      ++s.changes;
      if (s.ms.size() < changes) s.ms.push_back(all.ms[i]), s.values.push_back(all.values[i]);
      else c.all = false;
    }
  } catch (const LogError& e) {
    c.problem = reason(e);
  }
  return c;
}

MetricHistory read_metrics(const LogData& data, const LoggedMetrics& metrics, std::size_t points) {
  MetricHistory h;
  h.metrics = metrics;
  h.problem = metrics.problem;
  if (!h.problem.empty() || metrics.rewards == 0) return h;
  h.rewards_per_point = (metrics.rewards + points - 1) / points;
  const auto means = [&](const std::vector<double>& values, std::uint64_t& left_out) {
    std::vector<double> all;
    for (std::uint64_t first = 0; first < values.size(); first += h.rewards_per_point) {
      Moments m;
      for (std::uint64_t i = first; i < std::min<std::uint64_t>(first + h.rewards_per_point, values.size());
           ++i)
        if (std::isfinite(values[i])) m.add(values[i]);
        else ++left_out;
      all.push_back(m.n ? m.mean() : std::numeric_limits<double>::quiet_NaN());
    }
    return all;
  };
  try {
    std::uint64_t no_times = 0;
    h.ms = means(data.read(metrics, "timestamps"), no_times);
    if (no_times) h.problem = "its timestamps are no numbers";
    for (const auto& name : metrics.names) {
      h.not_finite.push_back(0);
      h.means.push_back(means(data.read(metrics, name), h.not_finite.back()));
    }
  } catch (const LogError& e) {
    h.problem = reason(e);
  }
  return h;
}

}  // namespace spinet::look
