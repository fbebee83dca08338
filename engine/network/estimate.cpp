#include "network/estimate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "connect/rule.hpp"
#include "connect/window.hpp"
#include "network/graph.hpp"
#include "network/grouping.hpp"
#include "network/layer_numbers.hpp"
#include "network/lookup.hpp"
#include "network/numbers.hpp"

namespace spinet {
namespace {

constexpr double bytes_per_spike = 16;         // in the log: time and id, before compression
constexpr double bytes_per_weight_event = 24;  // time, edge, value
constexpr double bytes_per_edge = 33;          // source, target, type, group, group index, weight, delay
constexpr double bytes_per_node = 32;          // id, type, group, group index; 8 more for each coordinate

}  // namespace

namespace {
/// "grid of 100 x 100 in 1000 x 1000 um, periodic"
std::string positions_text(const Positions& at) {
  std::string points, sides;
  for (std::uint32_t k = 0; k < at.dimensions; ++k) {
    points += fmt::format("{}{}", k ? " x " : "", at.grid[k]);
    sides += fmt::format("{}{}", k ? " x " : "", exact_text(at.extent[k]));
  }
  const std::string how = at.kind == Positions::Kind::grid     ? "grid of " + points + " in "
                          : at.kind == Positions::Kind::random ? "random in "
                                                               : "listed, within ";
  return how + sides + " um" + (at.periodic ? ", periodic" : "");
}
}  // namespace

std::string readable_bytes(double bytes) {
  static constexpr const char* units[] = {"bytes", "kB", "MB", "GB", "TB", "PB", "EB", "ZB"};
  int k = 0;
  while (bytes >= 999.5 && k < 7) bytes /= 1000, ++k;
  return k == 0 ? fmt::format("{:.0f} bytes", bytes) : fmt::format("{:.3g} {}", bytes, units[k]);
}

double mean_rate(const Population& p, double rate, double seconds) {
  if (!p.source()) return rate;
  if (!p.listed.empty()) return static_cast<double>(p.listed.size()) / p.size / seconds;
  std::vector<std::byte> params(p.source()->params_size);
  for (std::uint32_t f = 0; f < p.model->params.count; ++f) {
    const auto& d = p.params[f];
    double x = d.kind == Distribution::Kind::lognormal ? std::exp(d.a + d.b * d.b / 2)
               : d.kind == Distribution::Kind::uniform ? (d.a + d.b) / 2
                                                       : d.a;
    if (d.kind == Distribution::Kind::listed)
      x = std::accumulate(d.values.begin(), d.values.end(), 0.0) / static_cast<double>(d.values.size());
    put(params.data(), p.model->params.data[f], x);
  }
  return p.source()->rate(params.data()) * 1000;  // per ms
}

Estimate estimate(const Network& n) {
  Estimate e;
  for (const auto& p : n.populations) (p.neuron() ? e.neurons : e.sources) += p.size;
  for (const auto& p : n.projections)
    (is_superposed(n, p) ? e.superposed : e.synapses) += expected_synapses(n, p);
  for (const auto& p : n.populations)
    if (p.positions.kind != Positions::Kind::none)
      e.position_bytes += (bytes_per_node + 8 * p.positions.dimensions) * p.size;
  e.memory = memory_of(n);
  e.mean_slice = e.memory.slices > 0 ? e.synapses / e.memory.slices : 0;
  e.lookahead = lookahead(n);
  if (e.lookahead != never)
    e.windows_per_second = 1.0 / (static_cast<double>(e.lookahead) * n.seconds_per_tick);
  for (const auto& r : n.reports) {
    const Tick end = std::min(r.to, n.duration);
    if (end > r.from)
      e.report_bytes += std::ceil(static_cast<double>(end - r.from) / static_cast<double>(r.every)) *
                        static_cast<double>(r.ids.size()) * sizeof(float);
  }
  for (const auto& w : n.weights) {
    const Tick end = std::min(w.to, n.duration);
    if (end > w.from)
      e.weight_bytes += std::ceil(static_cast<double>(end - w.from) / static_cast<double>(w.every)) *
                        expected_synapses(n, n.projections[w.projection]) * sizeof(float);
  }
  for (const auto& w : n.weight_events) {
    const double synapses = w.synapses.empty() ? expected_synapses(n, n.projections[w.projection])
                                               : static_cast<double>(w.synapses.size());
    const double times =
        static_cast<double>(w.at.size() + w.epochs.size() + w.on_change) + static_cast<double>(w.expected);
    e.weight_bytes += bytes_per_weight_event * times * synapses;
    e.weight_changes = e.weight_changes || w.on_change;
  }
  for (const auto p : n.edge_recordings)
    e.edge_bytes += bytes_per_edge * expected_synapses(n, n.projections[p]);
  for (const auto& s : n.spikes) {
    const double ids = s.ids.empty() ? n.populations[s.population].size : static_cast<double>(s.ids.size());
    const Tick end = std::min(s.to, n.duration);
    if (end > s.from)
      e.spike_bytes_per_hz += bytes_per_spike * ids * static_cast<double>(end - s.from) * n.seconds_per_tick;
  }
  return e;
}

std::string describe(const Network& n, const Estimate& e) {
  const auto time = [&](Tick t) { return exact_time_text(static_cast<double>(t) / n.ticks_per_ms() / 1e3); };
  const auto several = [](std::size_t count, std::string_view what) {
    return fmt::format("{} {}{}", grouped(count), what, count == 1 ? "" : "s");
  };
  std::string s;
  const auto line = [&](std::string_view what, const std::string& value) {
    s += fmt::format("  {:<12}{}\n", what, value);
  };
  s += fmt::format("{}: {}, {}, {}\n", n.name, several(n.populations.size(), "population"),
                   several(n.projections.size(), "projection"), time(n.duration));
  line("neurons", grouped(e.neurons) + (e.sources ? ", and " + several(e.sources, "source") : ""));
  line("synapses",
       amount_text(e.synapses) +
           (e.superposed > 0 ? fmt::format(" stored, {} superposed", amount_text(e.superposed)) : ""));
  for (const auto& p : n.populations)
    if (p.positions.kind != Positions::Kind::none)
      line("positions", p.name + ": " + positions_text(p.positions));
  if (const Parameters all = parameters_of(n); all.trained + all.fixed > 0)
    line("parameters", grouped(all.trained) + " to be trained" +
                           (all.fixed ? fmt::format(", {} fixed", grouped(all.fixed)) : ""));
  for (const auto& p : n.populations)
    if (p.shape) line("layer", fmt::format("{}: {} {}", p.name, sliding::text(*p.shape), p.model->name));
  if (e.lookahead != never) {
    line("lookahead", time(e.lookahead));
    line("windows", fmt::format("{} per second of model time", amount_text(e.windows_per_second)));
  } else {
    line("lookahead", "unlimited: nothing is connected");
  }
  if (e.mean_slice > 0) line("mean slice", amount_text(e.mean_slice) + " synapses");
  std::string out;
  const auto part = [&](double bytes, const std::string& what) {
    if (bytes > 0) out += (out.empty() ? "" : ", ") + readable_bytes(bytes) + " " + what;
  };
  part(e.report_bytes, "of reports");
  part(e.weight_bytes, e.weight_changes ? "of weights and more as they change" : "of weights");
  part(e.edge_bytes, "of edges");
  part(e.position_bytes, "of positions");
  part(e.spike_bytes_per_hz, "of spikes per Hz of mean rate");
  line("output", out.empty() ? "nothing is recorded" : out + " (before compression)");
  return s;
}

}  // namespace spinet
