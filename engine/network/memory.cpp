#include "network/memory.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <set>
#include <tuple>

#include "network/estimate.hpp"
#include "network/graph.hpp"
#include "network/lookup.hpp"

namespace spinet {
namespace {

// What the engine's structures take; the numbers that no `sizeof` gives are rough.
constexpr double l2_bytes = 3 << 18;         // neuron states of a block: 3/4 of a usual second-level cache
constexpr double small_block = 4096;         // slices, at most, of a block that keeps more of each
constexpr double of_slice = 20, of_small_slice = 400, while_building = 40;
constexpr double of_neuron = 4 + 8 + 4 * sizeof(Request);  // gid, key, room for requests
constexpr double of_block = 130e3;           // a calendar of requests, scratch
constexpr double of_projection = 3e3, of_population = 600;
constexpr double of_unit = 9e3, of_train_group = 60e3;     // 256 sources, and those of a block, delay and port
constexpr double rate = 10, history_seconds = 1, of_spike_seen = 32;
constexpr double flush = 1 << 20, of_sample = 20;          // samples between two hand-overs, each on its way four times over
constexpr double of_log = 3e6, of_dataset = 9e3;           // the log itself, and each of its growing datasets

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
  // What lies further out is spread so thin that synapses are alone in their steps: as shares that hardly any two fall into.
  for (double rest = 1 - before; rest > 1e-4 && sum > 0 && shares.size() < 20'000;) {
    const double part = std::min(rest, 1e-4);
    shares.push_back(part);
    sum += part;
    rest -= part;
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
    if (const auto* q = n.populations[population_of(n, t.first)].neuron()) state = std::max(state, static_cast<double>(q->state_size));
  const double blocks = std::max(1.0, std::ceil(targets * state / l2_bytes));
  const double fan_out = synapses / sources;
  double slices = 0;
  for (const double share : delay_shares(n, p)) slices += blocks * -std::expm1(fan_out * std::log1p(-std::min(share / blocks, 1 - 1e-12)));
  return std::min(synapses, sources * slices);
}

/// Projections whose synapses lie in the same slices: static ones of the same sources and port; others are alone.
struct Together {
  const Projection* first = nullptr;
  double synapses = 0, targets = 0;
  std::size_t place = 0;
};
using Kin = std::tuple<const SynapseTable*, std::uint32_t, int, std::vector<double>, std::vector<std::pair<Gid, std::uint32_t>>, std::uint32_t>;
Kin kin_of(const Projection& p, std::uint32_t index) {
  std::vector<std::pair<Gid, std::uint32_t>> sources;
  for (const auto& r : p.sources) sources.emplace_back(r.first, r.count);
  return {p.synapse, p.port, static_cast<int>(p.sign), p.params, std::move(sources), p.synapse->weight_kind == 0 && !p.synapse->on_control ? 0 : index + 1};
}

bool uniform_weight(const Projection& p) { return p.synapse->weight_kind == 0 && !p.listed_weights && p.state[0].kind == Distribution::Kind::constant; }

double seconds(const Network& n, Tick from, Tick to) { return std::max(0.0, static_cast<double>(std::min(to, n.duration) - from) * n.seconds_per_tick); }

class Sum {
 public:
  explicit Sum(const Network& n) : n_(n) {}
  Memory all() {
    m_.populations.assign(n_.populations.size(), 0);
    m_.projections.assign(n_.projections.size(), 0);
    neurons();
    synapses();
    tables();
    samples();
    log();
    for (const double b : m_.populations) m_.shared += b;
    for (const double b : m_.projections) m_.shared += b;
    return std::move(m_);
  }

 private:
  void neurons() {
    bool changes = false;  // the parameters of every neuron are kept
    for (const auto& s : n_.schedule) changes |= s.control.kind == Control::Kind::set_parameter;
    std::map<std::pair<const NeuronTable*, std::vector<double>>, double> groups;
    for (std::uint32_t p = 0; p < n_.populations.size(); ++p) {
      const Population& population = n_.populations[p];
      const NeuronTable* table = population.neuron();
      if (!table) continue;
      const double states = table->state_size + table->constants_size;
      m_.populations[p] += population.size * (states + of_neuron + (changes ? table->params_size + 48.0 : 0));
      std::vector<double> key;
      for (std::uint32_t f = 0; f < table->model.params.count; ++f)
        if (table->model.params.data[f].flags & shared) key.push_back(population.params[f].a);
      groups[{table, key}] += population.size;
    }
    for (const auto& [group, size] : groups) {
      const double most = std::clamp(l2_bytes / std::max(1u, group.first->state_size), static_cast<double>(n_.block), 65535.0);
      blocks_ += std::max(1.0, std::ceil(size / most));
    }
  }

  void synapses() {
    std::map<Kin, Together> all;
    std::set<std::uint32_t> remember;  // populations whose spikes plastic synapses ask for
    double largest_table = 0;
    for (std::uint32_t i = 0; i < n_.projections.size(); ++i) {
      const Projection& p = n_.projections[i];
      const double count = expected_synapses(p);
      if (is_superposed(n_, p)) {
        const double units = std::ceil(count / 256);
        m_.projections[i] += of_unit * units + of_train_group + (uniform_weight(p) ? 0 : sizeof(double) * count);
        continue;
      }
      const double state = uniform_weight(p) ? 0 : p.synapse->state_size;
      m_.projections[i] += count * (sizeof(std::uint16_t) + state + (p.synapse->draws ? 1 : 0));
      Together& t = all[kin_of(p, i)];
      if (!t.first) t.first = &p, t.place = i;
      t.synapses += count;
      t.targets += static_cast<double>(p.target_count());
      if (p.synapse->post_tau)
        for (const auto& r : p.targets) remember.insert(population_of(n_, r.first));
      if (p.rule == Rule::fixed_outdegree) {  // counts of every source in each level of the tree of target runs, and in the runs if they are few
        const double sources = static_cast<double>(p.source_count()), runs = std::max(1.0, static_cast<double>(p.target_count()) / 256);
        m_.every_rank += sizeof(std::uint32_t) * (sources * (2 + std::log2(runs)) + (sources * runs <= 8 << 20 ? sources * runs : 0));
      }
    }
    for (const auto& [kin, t] : all) {
      const double slices = expected_slices(n_, *t.first, t.synapses, t.targets);
      m_.slices += slices;
      m_.projections[t.place] += slices * (of_slice + t.first->synapse->slice_state_size);
      const double cells = static_cast<double>(t.first->source_count()) * static_cast<double>(delay_shares(n_, *t.first).size());
      largest_table = std::max(largest_table, sizeof(std::uint32_t) * std::min({cells, double(64 << 20), 16 * t.synapses + (1 << 20)}));
    }
    const double per_block = m_.slices / std::max(1.0, blocks_);
    if (per_block <= small_block) m_.shared += m_.slices * of_small_slice;
    m_.every_rank += largest_table + per_block * while_building;
    for (const auto p : remember) m_.populations[p] += n_.populations[p].size * (sizeof(PostHistory) + of_spike_seen * (3 + 2 * rate * history_seconds));
  }

  void tables() {
    const double gids = n_.gid_count(), runs = gids / n_.block + static_cast<double>(n_.populations.size());
    m_.shared += blocks_ * (of_block + sizeof(std::uint32_t) * gids + 12.0 * static_cast<double>(n_.populations.size()));
    m_.every_rank += 24 * runs + of_projection * static_cast<double>(n_.projections.size()) + of_population * static_cast<double>(n_.populations.size());
    // Sources whose spikes travel.
    std::set<std::uint32_t> emit;
    for (const auto& s : n_.spikes) emit.insert(s.population);
    for (const auto& p : n_.projections)
      if (!is_superposed(n_, p))
        for (const auto& r : p.sources) emit.insert(population_of(n_, r.first));
    for (const auto p : emit)
      if (n_.populations[p].source()) m_.populations[p] += of_unit * std::ceil(n_.populations[p].size / 256.0);
  }

  /// Values on their way from `width` sampled things; and where they go.
  void sampled(double width, Tick from, Tick to, Tick every) {
    const double frames = std::ceil(seconds(n_, from, to) / (static_cast<double>(every) * n_.seconds_per_tick));
    m_.first_rank += of_sample * std::min(frames * width, std::max(flush, width)) / std::max<double>(1, series_) + 8 * width;
  }
  void samples() {
    series_ = static_cast<double>(n_.reports.size() + n_.weights.size());
    for (const auto& r : n_.reports) sampled(static_cast<double>(r.ids.size()), r.from, r.to, r.every);
    for (const auto& w : n_.weights) {
      const double count = expected_synapses(n_.projections[w.projection]);
      sampled(count, w.from, w.to, w.every);
      m_.shared += 20 * count;
    }
    for (const auto& w : n_.weight_events) m_.shared += 90 * (w.synapses.empty() ? expected_synapses(n_.projections[w.projection]) : static_cast<double>(w.synapses.size()));
  }

  void log() {
    std::set<std::uint32_t> populations;
    double rows = 0;
    for (const auto& s : n_.spikes) {
      populations.insert(s.population);
      rows += (s.ids.empty() ? n_.populations[s.population].size : static_cast<double>(s.ids.size())) * rate * seconds(n_, s.from, s.to);
    }
    const double datasets = 2 * static_cast<double>(populations.size()) + static_cast<double>(n_.reports.size()) + 7 * static_cast<double>(n_.edge_recordings.size()) +
                            5 * static_cast<double>(n_.weights.size()) + 8 * static_cast<double>(n_.weight_events.size());
    const double buffers = std::min(16 * rows, std::min<double>(64 << 20, static_cast<double>(1 << 20) * static_cast<double>(populations.size())));
    m_.first_rank += of_log + of_dataset * datasets + buffers + sizeof(float) * 65536 * static_cast<double>(n_.reports.size() + n_.weights.size());
    for (const auto p : n_.edge_recordings) m_.first_rank += std::min(65536.0, expected_synapses(n_.projections[p])) * 90;
  }

  const Network& n_;
  Memory m_;
  double blocks_ = 0, series_ = 0;
};

}  // namespace

Memory memory_of(const Network& n) { return Sum(n).all(); }

}  // namespace spinet
