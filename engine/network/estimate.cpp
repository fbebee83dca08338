#include "network/estimate.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>

#include "network/graph.hpp"
#include "network/structs.hpp"

namespace spinet {
namespace {

constexpr double l2_bytes = 3 << 19;  // neuron states of a block of targets: 3/4 of a usual second-level cache
constexpr double bytes_per_slice = 16;      // its record in the tables
constexpr double bytes_per_spike = 16;      // in the log: time and id, before compression
constexpr double bytes_per_edge = 33;       // source, target, type, group, group index, weight, delay

/// Share of the delays in each step, for the expected number of slices.
std::vector<double> delay_shares(const Network& n, const Projection& p) {
  const auto& d = p.delay;
  const double step = static_cast<double>(n.delay_resolution);
  const auto below = [&](double x) -> double {
    switch (d.kind) {
      case Distribution::Kind::uniform: return std::clamp((x - d.a) / (d.b - d.a), 0.0, 1.0);
      case Distribution::Kind::normal: return d.b > 0 ? 0.5 * std::erfc((d.a - x) / d.b * std::sqrt(0.5)) : x >= d.a;
      case Distribution::Kind::exponential: return x <= 0 ? 0 : -std::expm1(-x / d.a);
      case Distribution::Kind::lognormal: return x <= 0 ? 0 : d.b > 0 ? 0.5 * std::erfc((d.a - std::log(x)) / d.b * std::sqrt(0.5)) : std::log(x) >= d.a;
      default: return x >= d.a;
    }
  };
  if (d.kind == Distribution::Kind::constant || p.listed_delays) return {1.0};
  std::vector<double> shares;
  const double first = static_cast<double>(shortest_delay(n, p));
  double before = below(first - step / 2), sum = 0;
  for (int k = 0; k < 10'000 && before < 1 - 1e-6; ++k) {
    const double after = below(first + (k + 0.5) * step);
    shares.push_back(after - before);
    sum += shares.back();
    before = after;
  }
  if (!(sum > 0)) return {1.0};
  for (auto& s : shares) s /= sum;
  return shares;
}

/// Slices expected: non-empty cells of (source, delay, block of targets).
double expected_slices(const Network& n, const Projection& p, double synapses, double targets) {
  const double sources = static_cast<double>(p.source_count());
  if (sources == 0 || synapses == 0) return 0;
  double state = 1;
  for (const auto& t : p.targets)
    for (const auto& q : n.populations)
      if (t.first >= q.first && t.first - q.first < q.size) state = std::max(state, q.neuron() ? static_cast<double>(q.neuron()->state_size) : 0.0);
  const double blocks = std::max(1.0, std::ceil(targets * state / l2_bytes));
  const double fan_out = synapses / sources;
  double slices = 0;
  for (const double share : delay_shares(n, p)) slices += blocks * -std::expm1(fan_out * std::log1p(-std::min(share / blocks, 1 - 1e-12)));
  return std::min(synapses, sources * slices);
}

/// Projections whose synapses lie in the same slices: static ones of the same sources and port.
struct Together {
  const Projection* first;
  double synapses, targets;
  std::size_t place;
  bool takes(const Projection& p) const {
    return p.synapse == first->synapse && p.synapse->weight_kind == 0 && !p.synapse->on_control && p.port == first->port && p.sign == first->sign &&
           p.params == first->params && std::equal(p.sources.begin(), p.sources.end(), first->sources.begin(), first->sources.end(),
                                                   [](const GidRange& a, const GidRange& b) { return a.first == b.first && a.count == b.count; });
  }
};

std::string count_text(double x) {
  if (x < 10'000) return fmt::format("{:.0f}", x);
  if (x < 1e6) return fmt::format("{:.4g} thousand", x / 1e3);
  if (x < 1e9) return fmt::format("{:.4g} million", x / 1e6);
  return fmt::format("{:.4g} billion", x / 1e9);
}

}  // namespace

std::string readable_bytes(double bytes) {
  static constexpr const char* units[] = {"bytes", "kB", "MB", "GB", "TB", "PB", "EB", "ZB"};
  int k = 0;
  while (bytes >= 999.5 && k < 7) bytes /= 1000, ++k;
  return k == 0 ? fmt::format("{:.0f} bytes", bytes) : fmt::format("{:.3g} {}", bytes, units[k]);
}

std::uint64_t machine_memory() {
  const long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
  std::uint64_t bytes = pages > 0 && size > 0 ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(size) : std::numeric_limits<std::uint64_t>::max();
  for (const char* path : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::ifstream in(path);
    if (std::uint64_t limit = 0; in >> limit) bytes = std::min(bytes, limit);  // "max" reads as nothing
  }
  return bytes;
}

double expected_synapses(const Projection& p) {
  const double s = static_cast<double>(p.source_count()), t = static_cast<double>(p.target_count());
  double both = 0;
  if (!p.autapses)
    for (const auto& a : p.sources)
      for (const auto& b : p.targets)
        both += std::max(0.0, std::min(double(a.first) + a.count, double(b.first) + b.count) - std::max(double(a.first), double(b.first)));
  switch (p.rule) {
    case Rule::one_to_one: return s;
    case Rule::all_to_all: return s * t - both;
    case Rule::fixed_indegree: return static_cast<double>(p.number) * t;
    case Rule::fixed_outdegree: return static_cast<double>(p.number) * s;
    case Rule::fixed_total_number: return static_cast<double>(p.number);
    case Rule::pairwise_bernoulli: return p.probability * (s * t - both);
    case Rule::listed: return static_cast<double>(p.edges.size());
  }
  return 0;
}

bool is_superposed(const Network& net, const Projection& p) {
  if (p.rule != Rule::one_to_one || p.synapse->weight_kind != 0 || p.synapse->on_control) return false;
  if (p.delay.kind != Distribution::Kind::constant) return false;
  const auto index = static_cast<std::uint32_t>(&p - net.projections.data());
  if (is_switched(net.schedule, index) || is_set(net.schedule, index)) return false;
  for (const auto& r : p.sources) {
    const auto population = std::find_if(net.populations.begin(), net.populations.end(),
                                         [&](const Population& q) { return r.first - q.first < q.size; });
    if (!population->source() || !population->source()->superposable) return false;
  }
  return true;
}

Estimate estimate(const Network& n) {
  Estimate e;
  double slices = 0, edges_in_slices = 0;
  std::vector<Together> all_together;
  for (const auto& p : n.populations) {
    (p.neuron() ? e.neurons : e.sources) += p.size;
    double bytes = static_cast<double>(reading::neuron_bytes(*p.model)) * p.size + sizeof(ListedSpike) * static_cast<double>(p.listed.size());
    for (const auto& d : p.params) bytes += sizeof(double) * static_cast<double>(d.values.size());
    for (const auto& d : p.initial) bytes += sizeof(double) * static_cast<double>(d.values.size());
    e.population_bytes.push_back(bytes);
    e.memory_bytes += bytes;
  }
  for (const auto& p : n.projections) {
    const double synapses = expected_synapses(p);
    double bytes = sizeof(ListedEdge) * static_cast<double>(p.edges.size());
    if (is_superposed(n, p)) {
      e.superposed += synapses;
      bytes += sizeof(double) * synapses;  // at most: a weight per target
    } else {
      e.synapses += synapses;
      edges_in_slices += synapses;
      auto t = std::find_if(all_together.begin(), all_together.end(), [&](const Together& x) { return x.takes(p); });
      if (t == all_together.end()) t = all_together.insert(t, {&p, 0, 0, e.projection_bytes.size()});
      t->synapses += synapses;
      t->targets += static_cast<double>(p.target_count());
      // State, and a target index padded to 4 bytes.
      bytes += synapses * (p.synapse->state_size + 4.0);
    }
    if (p.rule == Rule::fixed_outdegree) {  // counts of every source in each level of the tree of target runs, and in the runs if they are few
      const double sources = static_cast<double>(p.source_count()), runs = std::max(1.0, static_cast<double>(p.target_count()) / 256);
      bytes += sizeof(std::uint32_t) * (sources * (2 + std::log2(runs)) + (sources * runs <= 8 << 20 ? sources * runs : 0));
    }
    e.projection_bytes.push_back(bytes);
    e.memory_bytes += bytes;
  }
  for (const auto& t : all_together) {
    const double s = expected_slices(n, *t.first, t.synapses, t.targets), bytes = s * (bytes_per_slice + t.first->synapse->slice_state_size);
    slices += s;
    e.projection_bytes[t.place] += bytes;
    e.memory_bytes += bytes;
  }
  e.mean_slice = slices > 0 ? edges_in_slices / slices : 0;
  e.lookahead = lookahead(n);
  if (e.lookahead != never) e.windows_per_second = 1.0 / (static_cast<double>(e.lookahead) * n.seconds_per_tick);
  for (const auto& r : n.reports) {
    const Tick end = std::min(r.to, n.duration);
    if (end > r.from) e.report_bytes += std::ceil(static_cast<double>(end - r.from) / static_cast<double>(r.every)) * static_cast<double>(r.ids.size()) * sizeof(float);
  }
  for (const auto p : n.edge_recordings) e.edge_bytes += bytes_per_edge * expected_synapses(n.projections[p]);
  for (const auto& s : n.spikes) {
    const double ids = s.ids.empty() ? n.populations[s.population].size : static_cast<double>(s.ids.size());
    const Tick end = std::min(s.to, n.duration);
    if (end > s.from) e.spike_bytes_per_hz += bytes_per_spike * ids * static_cast<double>(end - s.from) * n.seconds_per_tick;
  }
  return e;
}

std::string describe(const Network& n, const Estimate& e) {
  const double ms = n.ticks_per_ms();
  std::string s;
  const auto line = [&](std::string_view what, const std::string& value) { s += fmt::format("  {:<12}{}\n", what, value); };
  s += fmt::format("{}: {} populations, {} projections, {} ms\n", n.name, n.populations.size(), n.projections.size(), static_cast<double>(n.duration) / ms);
  line("neurons", count_text(static_cast<double>(e.neurons)) + (e.sources ? fmt::format(", and {} sources", count_text(static_cast<double>(e.sources))) : ""));
  line("synapses", count_text(e.synapses) + (e.superposed > 0 ? fmt::format(" stored, {} superposed", count_text(e.superposed)) : ""));
  if (e.lookahead != never) {
    line("lookahead", fmt::format("{} ms", static_cast<double>(e.lookahead) / ms));
    line("windows", fmt::format("{} per second of model time", count_text(e.windows_per_second)));
  } else {
    line("lookahead", "unlimited: nothing is connected");
  }
  if (e.mean_slice > 0) line("mean slice", fmt::format("{:.3g} synapses", e.mean_slice));
  line("memory", "about " + readable_bytes(e.memory_bytes));
  std::string out;
  const auto part = [&](double bytes, const std::string& what) { if (bytes > 0) out += (out.empty() ? "" : ", ") + readable_bytes(bytes) + " " + what; };
  part(e.report_bytes, "of reports");
  part(e.edge_bytes, "of edges");
  part(e.spike_bytes_per_hz, "of spikes per Hz of mean rate");
  line("output", out.empty() ? "nothing is recorded" : out + " (before compression)");
  return s;
}

}  // namespace spinet
