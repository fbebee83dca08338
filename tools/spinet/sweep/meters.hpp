// What a sweep keeps of a run: the last metrics of its environments, and a learning curve.
#pragma once
#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/recorder.hpp"
#include "network/checked.hpp"
#include "sweep/curve.hpp"
#include "sweep/results.hpp"

namespace spinet::tool {

/// Columns of a network's environments: (population, metric) to name.
struct Columns {
  std::vector<std::vector<std::string>> of;  ///< [population][metric]
  std::vector<std::string> all, populations;
  std::int64_t curve = -1;  ///< population whose metrics make the curve
  std::uint32_t y = 0;
  std::int64_t x = -1;  ///< metric; -1: model time
  std::string x_name, y_name, until;
};

/// A name for a metric that no other column of the table has: those that every sweep has, what is varied
/// (`axes`), rates, and the metrics before it.
class MetricNames {
 public:
  MetricNames(const std::vector<std::string>& axes, const Network& net) : taken_(fixed_columns()) {
    taken_.insert(axes.begin(), axes.end());
    for (const auto& p : net.populations) taken_.insert("rate." + p.name);
  }
  std::string of(std::string name) {
    while (!taken_.insert(name).second) name = "metric." + name;
    return name;
  }

 private:
  std::set<std::string> taken_;
};

inline Columns columns(const Network& net, const std::vector<std::string>& axes) {
  Columns c;
  MetricNames names(axes, net);
  c.of.resize(net.populations.size());
  std::size_t environments = 0;
  const auto table = [&](std::size_t p) { return net.populations[p].neuron(); };
  for (std::size_t p = 0; p < net.populations.size(); ++p) {
    if (!table(p)) continue;
    c.populations.push_back(net.populations[p].name);
    environments += table(p)->environment && table(p)->metric_count > 0;
  }
  for (std::size_t p = 0; p < net.populations.size(); ++p) {
    if (!table(p) || !table(p)->environment) continue;
    for (std::uint32_t m = 0; m < table(p)->metric_count; ++m) {
      const std::string metric = table(p)->metrics[m];
      c.of[p].push_back(
          names.of(environments > 1 ? fmt::format("{}.{}", net.populations[p].name, metric) : metric));
      c.all.push_back(c.of[p].back());
    }
    if (c.curve >= 0 || c.of[p].empty() || (net.until && net.until->population != p)) continue;
    // What the run waits for, or what learning tasks call their learning curve.
    const std::span<const char* const> metrics(table(p)->metrics, table(p)->metric_count);
    const auto find = [&](std::string_view name) {
      return std::find(metrics.begin(), metrics.end(), name) - metrics.begin();
    };
    c.curve = static_cast<std::int64_t>(p);
    const auto filtered = find("reward_filtered"), epoch = find("epoch");
    const auto count = static_cast<std::ptrdiff_t>(metrics.size());
    c.y = net.until ? net.until->metric : static_cast<std::uint32_t>(filtered < count ? filtered : 0);
    c.x = epoch < count && epoch != c.y ? epoch : -1;
    c.y_name = c.of[p][c.y];
    c.x_name = c.x >= 0 ? c.of[p][static_cast<std::size_t>(c.x)] : "model time [s]";
  }
  if (net.until)
    c.until = fmt::format("{} {} {:.10g}", c.of[net.until->population][net.until->metric],
                          net.until->at_least ? ">=" : "<=", net.until->threshold);
  return c;
}

/// Keeps the last metrics and the curve of a run.
class Meter final : public Recorder {
 public:
  Meter(const Network& net, const Columns& c) : net_(net), c_(c), last_(net.populations.size()) {}
  void spikes(std::span<const Spike>) override {}
  void frames(std::uint32_t, std::span<const float>) override {}
  void edges(std::uint32_t, std::span<const Edge>) override {}
  void commit(Tick) override {}
  void metrics(std::uint32_t p, Tick tick, std::span<const double> values) override {
    last_[p].assign(values.begin(), values.end());
    if (static_cast<std::int64_t>(p) == c_.curve)
      curve_.add(c_.x >= 0 ? values[static_cast<std::size_t>(c_.x)]
                           : static_cast<double>(tick) * net_.seconds_per_tick,
                 values[c_.y]);
  }
  void put_into(Row& row) {
    for (std::size_t p = 0; p < last_.size(); ++p)
      for (std::size_t m = 0; m < last_[p].size(); ++m) row.metrics.emplace_back(c_.of[p][m], last_[p][m]);
    curve_.finish();
    row.x = std::move(curve_.x);
    row.y = std::move(curve_.y);
  }

 private:
  const Network& net_;
  const Columns& c_;
  std::vector<std::vector<double>> last_;
  Curve curve_;
};

/// A meter for each replica of a network.
class Meters final : public Recorder {
 public:
  Meters(const Network& one, const Columns& c, std::size_t replicas) : all_(replicas, Meter(one, c)) {}
  void spikes(std::span<const Spike>) override {}
  void frames(std::uint32_t, std::span<const float>) override {}
  void edges(std::uint32_t, std::span<const Edge>) override {}
  void commit(Tick) override {}
  void metrics(std::uint32_t p, Tick tick, std::span<const double> values) override {
    const auto n = static_cast<std::uint32_t>(all_.size());
    all_[p % n].metrics(p / n, tick, values);
  }
  void put_into(Row& row, std::size_t replica) { all_[replica].put_into(row); }

 private:
  std::vector<Meter> all_;
};

}  // namespace spinet::tool
