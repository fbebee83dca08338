#include "network/memory.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <set>

#include "connect/rule.hpp"
#include "network/delays.hpp"
#include "network/estimate.hpp"
#include "network/graph.hpp"
#include "network/grouping.hpp"
#include "network/lookup.hpp"

namespace spinet {
namespace {

// What the structures of core and log take.  Sizes that no header of this folder shows are written out, with
// their parts.
constexpr double small_block = 4096;  // slices, at most, of a block that keeps more of each
constexpr double of_neuron =
    4 + 8 + 4 * sizeof(Request) + 5 + 16;                   // gid, key, requests: room, evaluations, ring
constexpr double of_slice = 20;                             // SliceEntry, delay
constexpr double of_small_slice = 400;                      // Slice, Controlled, in vectors that have grown
constexpr double while_building = 40;                       // of a slice: Part
constexpr double of_block = 130e3;                          // Block, the ring of its requests, scratch
constexpr double of_family = 24;                            // FamilySlices, a listener
constexpr double of_projection = 3e3, of_population = 600;  // Wiring; Partition
constexpr double of_unit = 900, of_member = 14,
                 of_emitted = 28;  // Source; its events; those of an Emitter, beside them
constexpr double of_train_group = 1500, of_buckets = 70e3;
constexpr double rate = 10, reward_rate = 100, history_seconds = 1, of_spike_seen = 32;
constexpr double longest_ring = 4096, far_ring = 1024;  // windows
constexpr double of_place = 56, of_step = 24;           // of a ring: WindowArrivals; `ahead_`
constexpr double flush = 1 << 20,
                 of_sample = 20;  // samples between two hand-overs, each on its way four times over
constexpr double events_flush = 65536,
                 of_event = 230;  // the same of weight events: noted, sent, sorted, buffered, packed
constexpr double of_watched = 34,
                 of_watched_edge = 90;  // Watched, in vectors that have grown; while it is made
constexpr double of_noted =
    108;  // WeightEvent: noted, twice on its way, listed, and half of it while they are sorted
constexpr double of_log = 3e6, of_dataset = 19.2e3,
                 of_written_dataset = 7e3;  // HDF5: open, with the chunk index that it makes; its first chunk

/// What is expected of delays that are drawn alike.
struct Expected {
  std::vector<double> shares;
  Delays::Flight flight{};
  double steps = 1, most = 1;
};

/// Projections of one store from the same sources: their synapses lie in the same slices.
struct Sliced {
  std::uint32_t first = 0;  ///< of them
  double synapses = 0, targets = 0;
};
using Sources = std::vector<std::pair<Gid, std::uint32_t>>;
Sources sources_of(const Projection& p) {
  Sources all;
  for (const auto& r : p.sources) all.emplace_back(r.first, r.count);
  return all;
}

/// What a block's array takes: huge pages from a megabyte on (core/buffer.hpp).
double mapped(double bytes) {
  constexpr double huge = 2 << 20;
  return bytes < huge / 2 ? bytes : huge * std::ceil(bytes / huge);
}

double seconds(const Network& n, Tick from, Tick to) {
  return std::max(0.0, static_cast<double>(std::min(to, n.duration) - from) * n.seconds_per_tick);
}

using GroupKey = std::pair<const NeuronTable*, std::vector<double>>;  // of a kernel group

class Sum {
 public:
  explicit Sum(const Network& n) : n_(n), end_(static_cast<double>(n.duration)) {
    const double longest = std::min(10 * n.ticks_per_ms(), double(1 << 30));
    const Tick shortest = lookahead(n);
    window_ = shortest == never ? longest : std::clamp(static_cast<double>(shortest), 1.0, longest);
  }
  Memory all() {
    m_.populations.assign(n_.populations.size(), 0);
    m_.projections.assign(n_.projections.size(), 0);
    for (const auto& p : n_.projections) superposed_.push_back(is_superposed(n_, p));
    neurons();
    synapses();
    tables();
    sources();
    samples();
    log();
    for (const double b : m_.populations) m_.shared += b;
    for (const double b : m_.projections) m_.shared += b;
    return std::move(m_);
  }

 private:
  struct Group {
    double size = 0, blocks = 0;
    double low = never_heard;  ///< the first gid that has synapses there
  };
  static constexpr double never_heard = 0x1p32;

  void neurons() {
    bool changes = false;  // the parameters of every neuron are kept
    for (const auto& s : n_.schedule) changes |= s.sets();
    group_of_.assign(n_.populations.size(), nullptr);
    state_of_.assign(n_.populations.size(), 1);
    for (std::uint32_t p = 0; p < n_.populations.size(); ++p) {
      const Population& population = n_.populations[p];
      if (!population.neuron()) continue;
      const Kernel kernel = kernel_of(n_, p);
      const NeuronTable* const table = kernel.table;
      const GroupKey key{table, kernel.key};
      graded_ |= table->graded != 0;
      state_of_[p] = std::max(1u, table->state_size);
      const double states = table->state_size + table->constants_size;
      m_.populations[p] += population.size * (states + of_neuron + (changes ? table->params_size + 48.0 : 0));
      groups_[key].size += population.size;
      group_of_[p] = &groups_[key];
    }
    for (auto& [key, group] : groups_) {
      const auto most = static_cast<double>(most_in_block(n_, *key.first, usual_block_bytes()));
      group.blocks = std::max(1.0, std::ceil(group.size / most));
      blocks_ += group.blocks;
      for (const double bytes : {key.first->state_size, key.first->constants_size}) {
        const double of_block = bytes * group.size / group.blocks;
        m_.shared += group.blocks * (mapped(of_block) - of_block);
      }
    }
  }

  const Expected& expected(const Projection& p) {
    const Distribution& d = p.delay;
    std::vector<double> key{static_cast<double>(d.kind), d.a, d.b, d.low, d.high,
                            static_cast<double>(d.clip)};
    if (p.listed_delays) key.assign(1, static_cast<double>(&p - n_.projections.data()));
    const auto [at, fresh] = expected_.try_emplace(std::move(key));
    if (fresh) {
      const Delays delays(n_, p);
      at->second = {delays.shares(), {}, delays.steps(), delays.most()};
      at->second.flight = delays.flight(reach(delays.most()), end_);
    }
    return at->second;
  }

  /// Ticks that the ring of arrivals reaches ahead where the longest delay has `steps`, and whether that is
  /// all.
  bool whole_ring(double steps) const {
    return steps * static_cast<double>(n_.delay_resolution) < longest_ring * window_ && steps < 65536;
  }
  double reach(double steps) const {
    return whole_ring(steps) ? (steps + 1) * static_cast<double>(n_.delay_resolution) : far_ring * window_;
  }

  double widest_state(const Projection& p) const {
    double state = 1;
    for (const auto& r : p.targets) state = std::max(state, state_of_[population_of(n_, r.first)]);
    return state;
  }

  /// Slices expected: non-empty cells of (source, delay, block of targets).
  double expected_slices(const Projection& p, double synapses, double targets) {
    const double sources = static_cast<double>(p.source_count());
    if (sources == 0 || synapses == 0) return 0;
    const double blocks =
        std::max(1.0, std::ceil(targets * widest_state(p) / static_cast<double>(usual_block_bytes())));
    const double fan_out = synapses / sources;
    double slices = 0;
    for (const double share : expected(p).shares)
      slices += blocks * -std::expm1(fan_out * std::log1p(-std::min(share / blocks, 1 - 1e-12)));
    return std::min(synapses, sources * slices);
  }

  void synapses() {
    std::map<Sources, std::vector<Sliced>> all;
    std::set<std::uint32_t> remember;  // populations whose spikes plastic synapses ask for
    for (std::uint32_t i = 0; i < n_.projections.size(); ++i) {
      const Projection& p = n_.projections[i];
      if (superposed_[i]) continue;
      const double count = expected_synapses(n_, p);
      const bool shared = !p.shared_weights.empty();
      const double state = has_uniform_weight(n_, i) ? 0
                           : shared                  ? sizeof(std::uint32_t)
                                                     : p.synapse->state_size;
      m_.every_rank += sizeof(float) * static_cast<double>(p.shared_weights.size());
      m_.projections[i] += count * (sizeof(std::uint16_t) + state + (p.synapse->draws ? 1 : 0));
      heard(p);
      std::vector<Sliced>& some = all[sources_of(p)];
      const auto one = [&](const Sliced& s) { return share_store(n_, i, s.first); };
      const auto known = std::find_if(some.begin(), some.end(), one);
      Sliced& t = known != some.end() ? *known : some.emplace_back(Sliced{i});
      t.synapses += count;
      t.targets += static_cast<double>(p.target_count());
      if (p.synapse->post_tau)
        for (const auto& r : p.targets) remember.insert(population_of(n_, r.first));
      m_.every_rank += p.rule->bytes(Ends(n_, p));
    }
    double building = 0;
    std::vector<std::pair<std::uint32_t, double>> in_slices;
    for (const auto& [sources, some] : all)
      for (const Sliced& t : some) {
        const Projection& first = n_.projections[t.first];
        const double slices = expected_slices(first, t.synapses, t.targets);
        m_.slices += slices;
        m_.projections[t.first] += slices * (of_slice + first.synapse->slice_state_size);
        building = std::max(building, table_of_counts(t, slices));
        in_slices.emplace_back(t.first, slices);
      }
    const double per_block = m_.slices / std::max(1.0, blocks_);
    const bool small = per_block <= small_block;
    if (small) m_.shared += m_.slices * of_small_slice;
    m_.every_rank += building + per_block * while_building;
    for (const auto& [p, slices] : in_slices)
      m_.projections[p] += on_their_way(n_.projections[p], slices, small);
    const double of_remembered = sizeof(PostHistory) + of_spike_seen * (3 + 2 * rate * history_seconds);
    for (const auto p : remember) m_.populations[p] += n_.populations[p].size * of_remembered;
  }

  /// The blocks of its targets have a table by gid, in use from its first source on.
  void heard(const Projection& p) {
    double first = never_heard;
    for (const auto& r : p.sources)
      if (r.count) first = std::min(first, static_cast<double>(r.first));
    for (const auto& r : p.targets)
      for (auto q = population_of(n_, r.first);
           r.count && q < n_.populations.size() && n_.populations[q].first < r.first + r.count; ++q)
        if (group_of_[q]) group_of_[q]->low = std::min(group_of_[q]->low, first);
  }

  /// What counts the synapses of each slice of one block (BlockSynapses::Part), beyond what is allocated once
  /// it is gone.
  double table_of_counts(const Sliced& t, double slices) {
    const Projection& first = n_.projections[t.first];
    const double blocks =
        std::clamp(std::ceil(t.targets * widest_state(first) / static_cast<double>(usual_block_bytes())), 1.0,
                   std::max(1.0, blocks_));
    const double synapses = t.synapses / blocks, steps = expected(first).steps;
    const double cells = static_cast<double>(first.source_count()) * steps;
    if (cells <= 1 << 20 || cells / 16 <= synapses)
      return sizeof(std::uint32_t) * std::min(cells, std::max(steps, double(64 << 20)));
    const double edges = std::min(synapses, double(8 << 20));  // sorted as words, in a vector that has grown
    return std::max(0.0, 2 * sizeof(std::uint64_t) * edges - 2 * synapses - of_slice * slices / blocks);
  }

  /// Arrivals that wait in rings and beyond them (core/block/arrivals.hpp).
  double on_their_way(const Projection& p, double slices, bool small) {
    const double sources = static_cast<double>(p.source_count());
    if (sources == 0 || slices == 0) return 0;
    double events = 0;  // of a source, per tick
    for (const auto& r : p.sources) {
      const Population& from = n_.populations[population_of(n_, r.first)];
      events += r.count / sources * mean_rate(from, rate, end_ * n_.seconds_per_tick) * n_.seconds_per_tick;
    }
    const auto [near, far] = expected(p).flight;
    // Packets and their events, or keys, in vectors that have grown; entries of Far.
    const double of_near = small ? 72 : graded_ ? 32 : 16, of_far = small ? 44 : graded_ ? 22 : 13;
    return slices * events * (near * of_near + far * of_far);
  }

  /// A block's first slice by gid (BlockSynapses::first_): the pages from its first source on, and those with
  /// the first entry and the last, which are read where nothing is written, too.
  static double table_by_gid(double gids, double low) {
    constexpr double huge = 2 << 20;
    const double bytes = sizeof(std::uint32_t) * gids,
                 written = std::max(0.0, bytes - sizeof(std::uint32_t) * low);
    if (bytes < huge / 2) return written;
    const double pages = std::ceil(bytes / huge);
    return huge * std::min(pages, std::max(1.0, std::ceil(written / huge)) + 1);
  }

  void tables() {
    const double gids = n_.gid_count(), populations = static_cast<double>(n_.populations.size());
    double most = 0;
    for (std::size_t i = 0; i < n_.projections.size(); ++i) {
      const Expected* e = superposed_[i] ? nullptr : &expected(n_.projections[i]);
      m_.every_rank += of_projection + (e ? sizeof(std::uint32_t) * std::min(e->steps, 16384.0) : 0);
      if (e) most = std::max(most, e->most);
    }
    const double windows = most * static_cast<double>(n_.delay_resolution) / window_;
    const double places =
        whole_ring(most) ? std::bit_ceil(static_cast<std::uint64_t>(windows) + 2) : far_ring;
    const double ring = most > 0 ? places * of_place + (whole_ring(most) ? of_step * most : 0) : 0;
    m_.shared += blocks_ * (of_block + of_family * populations + ring);
    for (const auto& [key, group] : groups_) m_.shared += group.blocks * table_by_gid(gids, group.low);
    m_.every_rank += 24 * (gids / n_.block + populations) + of_population * populations;
  }

  /// Sources and what they have drawn: superposed ones, and those whose spikes travel.
  void sources() {
    bool trains = false;
    const auto units = [&](const Population& from, double members, double more) {
      return of_unit * std::ceil(members / 256) + members * (from.source()->params_size + of_member + more) +
             sizeof(ListedSpike) * static_cast<double>(from.listed.size()) * members /
                 std::max(1u, from.size);
    };
    std::set<std::uint32_t> emit;
    for (const auto& s : n_.spikes) emit.insert(s.population);
    for (std::uint32_t i = 0; i < n_.projections.size(); ++i) {
      const Projection& p = n_.projections[i];
      const bool superposed = superposed_[i];
      if (superposed)
        trains = true,
        m_.projections[i] +=
            of_train_group + (has_uniform_weight(n_, i) ? 0 : sizeof(double) * expected_synapses(n_, p));
      for (const auto& r : p.sources) {
        const auto from = population_of(n_, r.first);
        if (superposed) m_.projections[i] += units(n_.populations[from], r.count, 2);
        else emit.insert(from);
      }
    }
    for (const auto p : emit)
      if (n_.populations[p].source())
        m_.populations[p] += units(n_.populations[p], n_.populations[p].size, of_emitted);
    if (trains) m_.every_rank += of_buckets;
  }

  /// Values on their way from `width` sampled things; and where they go.
  void sampled(double width, Tick from, Tick to, Tick every) {
    const double frames =
        std::ceil(seconds(n_, from, to) / (static_cast<double>(every) * n_.seconds_per_tick));
    m_.first_rank +=
        of_sample * std::min(frames * width, std::max(flush, width)) / std::max<double>(1, series_) +
        8 * width;
  }
  void samples() {
    series_ = static_cast<double>(n_.reports.size() + n_.weights.size());
    for (const auto& r : n_.reports) sampled(static_cast<double>(r.ids.size()), r.from, r.to, r.every);
    for (const auto& w : n_.weights) {
      const double count = expected_synapses(n_, n_.projections[w.projection]);
      sampled(count, w.from, w.to, w.every);
      m_.shared += 20 * count;
    }
    for (const auto& w : n_.weight_events) {
      const Projection& p = n_.projections[w.projection];
      const double count =
          w.synapses.empty() ? expected_synapses(n_, p) : static_cast<double>(w.synapses.size());
      const double source_rate = p.sources.empty()
                                     ? 0
                                     : mean_rate(n_.populations[population_of(n_, p.sources[0].first)], rate,
                                                 end_ * n_.seconds_per_tick);
      const double events = count * (static_cast<double>(w.at.size() + w.epochs.size() + w.expected) +
                                     (w.on_change ? 1 + seconds(n_, w.from, w.to) * source_rate : 0));
      m_.first_rank += of_event * std::min(events, events_flush);
      // Each of them notes its first value, and what is asked of all comes at once, however many they are.
      const double at_once = std::min(events, count) > events_flush ? std::min(events, count) : 0;
      m_.shared += std::max(of_watched_edge * count, of_watched * count + of_noted * at_once);
    }
  }

  void log() {
    std::map<std::uint32_t, double> rows;  // by population
    for (const auto& s : n_.spikes) {
      const Population& p = n_.populations[s.population];
      const double ids = s.ids.empty() ? p.size : static_cast<double>(s.ids.size());
      rows[s.population] += ids * mean_rate(p, rate, end_ * n_.seconds_per_tick) * seconds(n_, s.from, s.to);
    }
    double bytes = 0, written = 0;
    for (const auto& [population, spikes] : rows) bytes += 16 * spikes, written += std::min(1.0, spikes);
    double metrics = 0;  // of environments, a row per reward
    for (const auto& p : n_.populations)
      if (p.neuron() && p.neuron()->environment)
        metrics += 8.0 * (1 + p.neuron()->metric_count) *
                   std::min(65536.0, reward_rate * seconds(n_, 0, n_.duration));
    const double recorded = static_cast<double>(rows.size());
    const double others =
        static_cast<double>(n_.reports.size()) + 7 * static_cast<double>(n_.edge_recordings.size()) +
        5 * static_cast<double>(n_.weights.size()) + 8 * static_cast<double>(n_.weight_events.size());
    // What waits for a whole chunk, and once more on its way to the journal.
    const double buffers =
        2 * (metrics + std::min(bytes, std::min<double>(64 << 20, static_cast<double>(1 << 20) * recorded)));
    m_.first_rank += of_log + of_dataset * (2 * recorded + others) +
                     of_written_dataset * (2 * written + others) + buffers +
                     sizeof(float) * 65536 * static_cast<double>(n_.reports.size() + n_.weights.size());
    for (const auto p : n_.edge_recordings)
      m_.first_rank += std::min(65536.0, expected_synapses(n_, n_.projections[p])) * 90;
  }

  const Network& n_;
  Memory m_;
  double end_, window_ = 1;  // ticks
  double blocks_ = 0, series_ = 0;
  bool graded_ = false;
  std::vector<bool> superposed_;  // by projection
  std::map<GroupKey, Group> groups_;
  std::vector<Group*> group_of_;  // by population
  std::vector<double> state_of_;  // bytes of a neuron's state, by population
  std::map<std::vector<double>, Expected> expected_;
};

}  // namespace

Memory memory_of(const Network& n) { return Sum(n).all(); }

}  // namespace spinet
