#include "core/simulation.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <map>
#include <stdexcept>

#include "core/block.hpp"
#include "core/partition.hpp"

namespace spinet {
namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point t) { return std::chrono::duration<double>(Clock::now() - t).count(); }

/// Head of a rank's message of one window; spikes follow, then payloads if the network has graded events, or the
/// text of an error.
struct Head {
  Tick next;             ///< no event on this rank before it, those of this message excepted
  std::uint64_t deliveries;
  std::uint32_t count;   ///< spikes, or bytes of the error's text
  std::uint32_t flags;
};
enum : std::uint32_t { failed = 1, stop_wanted = 2, flush_wanted = 4 };
struct WireSpike {
  std::uint32_t offset;  ///< from the begin of the window
  Gid gid;
};

template <class T>
void append(std::vector<std::byte>& to, const T* data, std::size_t n) {
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  to.insert(to.end(), bytes, bytes + n * sizeof(T));
}

std::uint64_t second_level_cache() {
  const long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
  return bytes > 0 ? static_cast<std::uint64_t>(bytes) : std::uint64_t{1} << 20;
}

/// A typical value, for choices that must depend on the network alone.
double nominal(const Distribution& d) {
  switch (d.kind) {
    case Distribution::Kind::uniform: return 0.5 * (d.a + d.b);
    case Distribution::Kind::listed: return d.values.empty() ? 0 : d.values[0];
    default: return d.a;
  }
}

}  // namespace

struct Simulation::Impl {
  const Network& net;
  Transport& transport;
  Partition partition;
  Locator locator;
  std::vector<std::unique_ptr<KernelGroup>> groups;
  std::vector<std::unique_ptr<Wiring>> wirings;
  std::vector<std::unique_ptr<Block>> blocks;
  std::vector<Emitter> emitters;
  std::vector<Action> actions;
  bool graded = false;
  Tick window = 0, lookahead = never, slab = 0;
  Statistics stats;
  std::vector<std::vector<std::vector<float>>> samples;  ///< [block][report], frame by frame since the last flush
  Gathered gathered;
  std::exception_ptr own_failure;

  Impl(const Network& network, Transport& t, const SimulationOptions& options)
      : net(network), transport(t), partition(network, t.size()), locator(partition) {
    const auto begin = Clock::now();
    std::string problem;
    try {
      build(options);
    } catch (const std::bad_alloc&) {
      problem = "out of memory while building the network; use fewer neurons or synapses, or more ranks";
    } catch (const std::exception& e) {
      problem = e.what();
    }
    // Everyone learns whether all could build: nobody waits for a rank that is gone.
    Head head{0, 0, static_cast<std::uint32_t>(problem.size()), problem.empty() ? 0u : std::uint32_t{failed}};
    std::vector<std::byte> message;
    append(message, &head, 1);
    append(message, problem.data(), problem.size());
    transport.all_gather(message, gathered);
    throw_if_failed();
    prepare_reports();
    stats.build_seconds = seconds_since(begin);
  }

  void throw_if_failed() {
    for (int r = 0; r < transport.size(); ++r) {
      const auto part = gathered.of(r);
      Head head;
      std::memcpy(&head, part.data(), sizeof head);
      if (!(head.flags & failed)) continue;
      if (own_failure && r == transport.rank()) std::rethrow_exception(own_failure);
      throw RankFailed(r, std::string(reinterpret_cast<const char*>(part.data()) + sizeof head, head.count));
    }
  }

  void build(const SimulationOptions& options) {
    make_groups();
    Tick shortest = never;
    for (const auto& g : groups)
      if (g->frame_length) shortest = std::min(shortest, g->frame_length);
    slab = Source::slab(net, shortest);
    make_blocks(options.l2_bytes ? options.l2_bytes : second_level_cache() * 3 / 4);

    std::vector<bool> superposed;
    for (std::uint32_t p = 0; p < net.projections.size(); ++p) {
      wirings.push_back(std::make_unique<Wiring>(net, p));
      superposed.push_back(is_superposed(net, net.projections[p]));
      if (!superposed[p] && net.projections[p].target_count() && net.projections[p].source_count())
        lookahead = std::min(lookahead, net.delay_resolution * wirings[p]->least_delay);
    }
    const Tick cap = options.window_cap ? options.window_cap
                                        : std::min<Tick>(static_cast<Tick>(10 * net.ticks_per_ms()), Tick{1} << 30);
    window = std::max<Tick>(1, std::min(lookahead, cap));

    std::vector<std::vector<TrainGroup>> trains(blocks.size());
    for (std::uint32_t p = 0; p < net.projections.size(); ++p)
      if (superposed[p]) add_trains(p, trains);
    for (std::uint32_t b = 0; b < blocks.size(); ++b) {
      for (auto& t : trains[b]) t.finish();
      auto synapses = std::make_unique<BlockSynapses>(net, wirings, superposed, locator, b);
      stats.synapses += synapses->synapse_count();
      stats.slices += synapses->slice_count();
      stats.synapse_bytes += synapses->bytes();
      blocks[b]->connect(std::move(synapses), std::move(trains[b]), window);
    }
    make_emitters(superposed);
    make_actions();
    for (auto& b : blocks) b->start();
    samples.assign(blocks.size(), std::vector<std::vector<float>>(series()));
    stats.spikes_of_population.assign(net.populations.size(), 0);
  }

  void make_groups() {
    for (std::uint32_t p = 0; p < net.populations.size(); ++p) {
      const Population& population = net.populations[p];
      const NeuronTable* table = population.neuron();
      if (!table) continue;
      graded |= table->graded != 0;
      bool alike = true;
      std::vector<double> key;
      for (std::uint32_t f = 0; f < table->model.params.count; ++f) {
        if (!(table->model.params.data[f].flags & shared)) continue;
        alike &= Sampler(population.params[f]).constant();
        key.push_back(population.params[f].a);
      }
      if (!alike) {
        if (!table->per_neuron)
          throw std::runtime_error("population " + population.name + ": the time constants of model " + table->model.name +
                                   " must be the same for all its neurons");
        table = table->per_neuron;
        key.clear();
      }
      std::vector<std::byte> params(table->params_size);
      for (std::uint32_t f = 0; f < table->model.params.count; ++f) {
        const double x = nominal(population.params[f]);
        put(params.data(), table->model.params.data[f], x);
      }
      if (table->choose) table = table->choose(params.data());
      const RunInfo run{net.ticks_per_ms()};
      const Tick frame = table->frame ? table->frame(params.data(), &run) : 0;
      auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return g->table == table && g->key == key; });
      if (group == groups.end()) {
        groups.push_back(std::make_unique<KernelGroup>(KernelGroup{table, key, Buffer<std::byte>(table->shared_size), frame}));
        group = groups.end() - 1;
        prototypes.push_back(params);
      }
      (*group)->frame_length = std::min((*group)->frame_length, frame);
      group_of_population[p] = static_cast<std::uint32_t>(group - groups.begin());
    }
    const RunInfo run{net.ticks_per_ms()};
    for (std::size_t g = 0; g < groups.size(); ++g)
      if (groups[g]->table->prepare) groups[g]->table->prepare(groups[g]->shared.data(), prototypes[g].data(), &run, groups[g]->frame_length);
  }
  std::map<std::uint32_t, std::uint32_t> group_of_population;
  std::vector<std::vector<std::byte>> prototypes;

  void make_blocks(std::uint64_t l2_bytes) {
    for (std::uint32_t g = 0; g < groups.size(); ++g) {
      const std::uint64_t most = std::clamp<std::uint64_t>(l2_bytes / std::max(1u, groups[g]->table->state_size), net.block, 65535);
      std::vector<Gid> gids;
      const auto close = [&] {
        if (!gids.empty()) blocks.push_back(std::make_unique<Block>(net, *groups[g], std::move(gids)));
        gids.clear();
      };
      for (std::uint32_t r = 0; r < partition.runs().size(); ++r) {
        const Run& run = partition.runs()[r];
        const auto group = group_of_population.find(run.population);
        if (run.owner != transport.rank() || group == group_of_population.end() || group->second != g) continue;
        if (gids.size() + run.count > most) close();
        locator.place(r, {static_cast<std::uint32_t>(blocks.size()), static_cast<std::uint32_t>(gids.size())});
        for (std::uint32_t i = 0; i < run.count; ++i) gids.push_back(run.first + i);
      }
      close();
    }
  }

  void add_trains(std::uint32_t p, std::vector<std::vector<TrainGroup>>& trains) {
    const Connector& connector = wirings[p]->connector;
    const Tick delay = net.delay_resolution * wirings[p]->delay.least();
    bool wanted[target_run];
    std::fill(std::begin(wanted), std::end(wanted), true);
    struct Unit {
      std::vector<std::uint16_t> targets;
      std::vector<double> weights;
    };
    // Units of this projection by (block, source population, unit), filled in the order of the pairs.
    std::map<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>, std::vector<Unit>> units;
    for (std::uint32_t run = 0; run < connector.run_count(); ++run)
      connector.edges(run, wanted, [&](const DrawnEdge* e, std::size_t n) {
        for (std::size_t i = 0; i < n; ++i) {
          const Gid target = connector.target_gid(run, e[i].target), source = connector.source_gid(e[i].source);
          const auto place = locator.of_run(partition.run_of(target));
          if (place.block == Locator::nowhere) continue;
          const std::uint32_t population = partition.population_of(source), index = source - net.populations[population].first;
          auto& list = units[{place.block, population, index / source_unit}];
          const std::uint32_t member = index % source_unit;
          auto free = std::find_if(list.begin(), list.end(), [&](const Unit& u) { return u.targets[member] == 0xFFFF; });
          if (free == list.end()) {
            list.push_back({std::vector<std::uint16_t>(source_unit, 0xFFFF), std::vector<double>(source_unit, 0)});
            free = list.end() - 1;
          }
          free->targets[member] = static_cast<std::uint16_t>(locator.in_block(target, place.block));
          free->weights[member] = static_cast<double>(static_cast<float>(wirings[p]->weight_of(e[i])));
        }
      });
    for (auto& [where, list] : units) {
      const auto [block, population, unit] = where;
      for (auto& u : list) {
        auto& groups_here = trains[block];
        auto group = std::find_if(groups_here.begin(), groups_here.end(),
                                  [&](const TrainGroup& g) { return g.fits(delay, net.projections[p].port, slab, u.targets); });
        if (group == groups_here.end()) {
          groups_here.emplace_back(delay, net.projections[p].port, slab);
          group = groups_here.end() - 1;
        }
        group->add(Source(net, population, unit), u.targets, u.weights);
      }
    }
  }

  void make_emitters(const std::vector<bool>& superposed) {
    for (std::uint32_t p = 0; p < net.populations.size(); ++p) {
      const Population& population = net.populations[p];
      if (!population.source()) continue;
      const auto overlaps = [&](const GidRange& r) { return r.first < population.first + population.size && population.first < r.first + r.count; };
      bool needed = std::any_of(net.spikes.begin(), net.spikes.end(), [&](const SpikeRecording& s) { return s.population == p; });
      for (std::uint32_t q = 0; q < net.projections.size(); ++q)
        needed |= !superposed[q] && std::any_of(net.projections[q].sources.begin(), net.projections[q].sources.end(), overlaps);
      if (!needed) continue;
      for (std::uint32_t unit = 0; unit * source_unit < population.size; ++unit) {
        const Gid first = population.first + unit * source_unit;
        std::vector<bool> own(std::min(source_unit, population.size - unit * source_unit));
        bool any = false;
        for (std::uint32_t i = 0; i < own.size(); ++i) {
          own[i] = partition.runs()[partition.run_of(first + i)].owner == transport.rank();
          any = any || own[i];
        }
        if (any) emitters.emplace_back(Source(net, p, unit), first, std::move(own), slab);
      }
    }
  }

  void make_actions() {
    for (std::size_t i = 0; i < net.schedule.size(); ++i)
      actions.push_back({net.schedule[i].tick, &net.schedule[i], -1, -1});
    for (std::size_t r = 0; r < net.reports.size(); ++r)
      for (Tick t = net.reports[r].from; t < std::min(net.reports[r].to, net.duration); t += net.reports[r].every)
        actions.push_back({t, nullptr, static_cast<std::int32_t>(r), -1});
    for (std::size_t w = 0; w < net.weights.size(); ++w)
      for (Tick t = net.weights[w].from; t < std::min(net.weights[w].to, net.duration); t += net.weights[w].every)
        actions.push_back({t, nullptr, -1, static_cast<std::int32_t>(w)});
    // Controls come first in a tick; a report then shows what they have set.
    std::stable_sort(actions.begin(), actions.end(), [](const Action& a, const Action& b) {
      return a.tick != b.tick ? a.tick < b.tick : (a.control == nullptr) < (b.control == nullptr);
    });
  }

  /// Keeps an exception until the next exchange, where everyone learns of it.  Collective calls stay outside.
  template <class F>
  void guarded(F&& f) {
    if (own_failure) return;
    try {
      f();
    } catch (...) {
      own_failure = std::current_exception();
    }
  }
  /// Reports, then weight recordings: all that is sampled.
  std::size_t series() const { return net.reports.size() + net.weights.size(); }
  std::uint64_t width(std::size_t r) const {
    return r < net.reports.size() ? net.reports[r].ids.size() : edges_recorded[r - net.reports.size()];
  }
  Statistics run(Recorder* recorder, const RunHooks& hooks);
  void record_edges(Recorder& recorder);
  void prepare_reports();
  void flush_reports(Recorder* recorder);

  struct Columns {                          ///< rank 0: where the samples of a rank's block go
    std::vector<std::uint32_t> column;
  };
  std::vector<std::vector<std::vector<Columns>>> columns;  ///< [rank][block][report]
  std::vector<std::uint64_t> frames_waiting;               ///< by series
  std::vector<std::uint64_t> edges_recorded;               ///< by weight recording; rank 0
  std::vector<std::uint64_t> weights_expected;             ///< the same as all ranks know it, about
};

/// Tells rank 0 whose samples it will get.  A sample of a weight recording is named by the index of its target in the
/// projection; a target's synapses are consecutive, in the order of their draws, and all on one rank.
void Simulation::Impl::prepare_reports() {
  frames_waiting.assign(series(), 0);
  edges_recorded.assign(net.weights.size(), 0);
  for (const auto& w : net.weights) weights_expected.push_back(wirings[w.projection]->connector.expected());
  if (series() == 0) return;
  std::vector<std::byte> message;
  for (std::uint32_t b = 0; b < blocks.size(); ++b) {
    const auto& block = blocks[b];
    for (std::size_t r = 0; r < series(); ++r) {
      std::vector<std::uint32_t> ids;
      if (r < net.reports.size()) {
        for (const auto j : block->sampled[r]) ids.push_back(block->gids()[j] - net.populations[net.reports[r].population].first);
      } else {
        const auto w = static_cast<std::uint32_t>(r - net.reports.size());
        std::vector<std::pair<std::uint32_t, std::uint32_t>> order;  // (target, position)
        block->synapses().edges_of(net.weights[w].projection, net, wirings, locator, b,
                                   [&](const DrawnEdge&, std::uint32_t target, std::uint32_t position) { order.push_back({target, position}); });
        std::stable_sort(order.begin(), order.end(), [](const auto& x, const auto& y) { return x.first < y.first; });
        std::vector<std::uint32_t> positions;
        for (const auto& [target, position] : order) {
          ids.push_back(target);
          positions.push_back(position);
        }
        block->watch(w, std::move(positions));
      }
      const auto n = static_cast<std::uint64_t>(ids.size());
      append(message, &n, 1);
      append(message, ids.data(), ids.size());
    }
  }
  Gathered all;
  transport.gather(message, all);
  if (transport.rank() != 0) return;
  for (int rank = 0; rank < transport.size(); ++rank) {
    auto part = all.of(rank);
    auto& of_rank = columns.emplace_back();
    while (!part.empty()) {
      auto& of_block = of_rank.emplace_back(series());
      for (std::size_t r = 0; r < series(); ++r) {
        std::uint64_t n;
        std::memcpy(&n, part.data(), sizeof n);
        auto& column = of_block[r].column;
        column.resize(n);
        std::memcpy(column.data(), part.data() + sizeof n, n * sizeof(std::uint32_t));
        part = part.subspan(sizeof n + n * sizeof(std::uint32_t));
        if (r >= net.reports.size()) continue;
        const auto& ids = net.reports[r].ids;
        for (auto& c : column) c = static_cast<std::uint32_t>(std::lower_bound(ids.begin(), ids.end(), c) - ids.begin());
      }
    }
  }
  for (std::size_t w = 0; w < net.weights.size(); ++w) {
    const std::size_t r = net.reports.size() + w;
    std::vector<std::uint64_t> begin(net.projections[net.weights[w].projection].target_count() + 1, 0);
    for (const auto& of_rank : columns)
      for (const auto& of_block : of_rank)
        for (const auto target : of_block[r].column) ++begin[target + 1];
    for (std::size_t t = 1; t < begin.size(); ++t) begin[t] += begin[t - 1];
    edges_recorded[w] = begin.back();
    if (begin.back() > 0xFFFFFFFFull) throw std::runtime_error("more than 4294967295 weights in one recording");
    for (auto& of_rank : columns)
      for (auto& of_block : of_rank)
        for (auto& c : of_block[r].column) c = static_cast<std::uint32_t>(begin[c]++);
  }
}

/// Brings all samples since the last call to rank 0 and hands them over as whole frames.
void Simulation::Impl::flush_reports(Recorder* recorder) {
  if (series() == 0) return;
  std::vector<std::byte> message;
  for (auto& of_block : samples)
    for (auto& values : of_block) {
      append(message, values.data(), values.size());
      values.clear();
    }
  Gathered all;
  transport.gather(message, all);
  if (transport.rank() == 0 && recorder) {
    std::vector<std::vector<float>> frames(series());
    for (std::size_t r = 0; r < series(); ++r) frames[r].resize(frames_waiting[r] * width(r));
    for (std::size_t rank = 0; rank < columns.size(); ++rank) {
      const std::byte* at = all.of(static_cast<int>(rank)).data();
      for (const auto& of_block : columns[rank])
        for (std::size_t r = 0; r < series(); ++r)
          for (std::uint64_t f = 0; f < frames_waiting[r]; ++f)
            for (const auto column : of_block[r].column) {
              std::memcpy(&frames[r][f * width(r) + column], at, sizeof(float));
              at += sizeof(float);
            }
    }
    guarded([&] {
      const auto reports = static_cast<std::uint32_t>(net.reports.size());
      for (std::uint32_t r = 0; r < frames.size(); ++r) {
        if (frames[r].empty()) continue;
        if (r < reports) recorder->frames(r, frames[r]);
        else recorder->weights(r - reports, frames[r]);
      }
    });
  }
  std::fill(frames_waiting.begin(), frames_waiting.end(), 0);
}

/// Canonical order: by target, then draw; the edge with number k of its target has the id (projection, target, k).
void Simulation::Impl::record_edges(Recorder& recorder) {
  bool wanted[target_run];
  std::fill(std::begin(wanted), std::end(wanted), true);
  std::vector<std::pair<std::uint32_t, Edge>> of_run;
  std::vector<Edge> some;
  for (std::uint32_t p = 0; p < net.projections.size(); ++p) {
    if (!net.records_edges(p)) continue;
    const Wiring& wiring = *wirings[p];
    for (std::uint32_t run = 0; run < wiring.connector.run_count(); ++run) {
      of_run.clear();
      wiring.connector.edges(run, wanted, [&](const DrawnEdge* e, std::size_t n) {
        for (std::size_t i = 0; i < n; ++i)
          of_run.push_back({e[i].target, {wiring.connector.source_gid(e[i].source), wiring.connector.target_gid(run, e[i].target),
                                          wiring.weight_of(e[i]), net.delay_resolution * wiring.delay_steps(e[i], net.delay_resolution)}});
      });
      std::stable_sort(of_run.begin(), of_run.end(), [](const auto& x, const auto& y) { return x.first < y.first; });
      for (const auto& [target, edge] : of_run) some.push_back(edge);
      if (some.size() > 65536 || run + 1 == wiring.connector.run_count()) {
        recorder.edges(p, some);
        some.clear();
      }
    }
  }
}

Statistics Simulation::Impl::run(Recorder* recorder, const RunHooks& hooks) {
  const auto begin = Clock::now();
  auto last_progress = begin, last_flush = begin;
  const bool first_rank = transport.rank() == 0;
  if (!first_rank) recorder = nullptr;

  // Which spikes are logged: by population, then by id where only some are.
  std::vector<std::vector<const SpikeRecording*>> recordings(net.populations.size());
  for (const auto& s : net.spikes) recordings[s.population].push_back(&s);

  if (recorder) guarded([&] { record_edges(*recorder); });

  std::vector<Emission> own, all;
  std::vector<Spike> emitted, logged;
  std::vector<std::byte> message;
  std::size_t next_action = 0;
  Tick from = 0;
  while (from < net.duration) {
    const Tick to = std::min(from + window, net.duration);
    std::size_t last_action = next_action;
    while (last_action < actions.size() && actions[last_action].tick < to) {
      const Action& a = actions[last_action];
      if (a.report >= 0) ++frames_waiting[static_cast<std::size_t>(a.report)];
      if (a.weights >= 0) ++frames_waiting[net.reports.size() + static_cast<std::size_t>(a.weights)];
      ++last_action;
    }
    const std::span<const Action> due(actions.data() + next_action, last_action - next_action);
    next_action = last_action;

    own.clear();
    Head head{never, 0, 0, 0};
    guarded([&] {
      for (std::size_t b = 0; b < blocks.size(); ++b) blocks[b]->walk(from, to, due, own, samples[b]);
      emitted.clear();
      for (auto& e : emitters) e.emit(to, emitted);
      for (const auto& s : emitted) own.push_back({s.tick, s.gid, 1});
      for (auto& b : blocks) head.next = std::min(head.next, b->next(to, net.duration));
      for (const auto& e : emitters) head.next = std::min(head.next, e.next());
      if (next_action < actions.size()) head.next = std::min(head.next, actions[next_action].tick);
    });

    message.clear();
    if (hooks.stop && hooks.stop->load(std::memory_order_relaxed)) head.flags |= stop_wanted;
    if (first_rank && series() && seconds_since(last_flush) > 5) head.flags |= flush_wanted;
    if (own_failure) {
      std::string text = "unknown error";
      try {
        std::rethrow_exception(own_failure);
      } catch (const std::exception& e) {
        text = e.what();
      } catch (...) {
      }
      head.flags |= failed;
      head.count = static_cast<std::uint32_t>(text.size());
      append(message, &head, 1);
      append(message, text.data(), text.size());
    } else {
      head.count = static_cast<std::uint32_t>(own.size());
      for (const auto& b : blocks) head.deliveries += b->deliveries + b->superposed;
      append(message, &head, 1);
      for (const auto& e : own) {
        const WireSpike s{static_cast<std::uint32_t>(e.tick - from), e.gid};
        append(message, &s, 1);
      }
      if (graded)
        for (const auto& e : own) append(message, &e.payload, 1);
    }
    transport.all_gather(message, gathered);
    throw_if_failed();

    // The window's spikes of all ranks, in the one order that counts.
    all.clear();
    Tick next = never;
    std::uint32_t flags = 0;
    std::uint64_t deliveries = 0;
    for (int r = 0; r < transport.size(); ++r) {
      const std::byte* at = gathered.of(r).data();
      std::memcpy(&head, at, sizeof head);
      at += sizeof head;
      next = std::min(next, head.next);
      flags |= head.flags;
      deliveries += head.deliveries;
      for (std::uint32_t i = 0; i < head.count; ++i) {
        WireSpike s;
        std::memcpy(&s, at + i * sizeof s, sizeof s);
        double payload = 1;
        if (graded) std::memcpy(&payload, at + head.count * sizeof s + i * sizeof payload, sizeof payload);
        all.push_back({from + s.offset, s.gid, payload});
      }
    }
    std::sort(all.begin(), all.end(), [](const Emission& a, const Emission& b) { return a.tick != b.tick ? a.tick < b.tick : a.gid < b.gid; });
    for (const auto& e : all)
      for (auto& b : blocks) b->post(e, graded);
    if (!all.empty() && lookahead != never) next = std::min(next, all.front().tick + lookahead);

    std::uint32_t population = 0;
    logged.clear();
    for (const auto& e : all) {
      if (e.gid - net.populations[population].first >= net.populations[population].size) population = partition.population_of(e.gid);
      ++stats.spikes_of_population[population];
      stats.spikes += net.populations[population].neuron() != nullptr;
      if (!recorder) continue;
      for (const auto* s : recordings[population])
        if (e.tick >= s->from && e.tick < s->to &&
            (s->ids.empty() || std::binary_search(s->ids.begin(), s->ids.end(), e.gid - net.populations[population].first))) {
          logged.push_back({e.tick, e.gid});
          break;
        }
    }
    ++stats.windows;
    stats.reached = to;
    // What waits on all ranks, known to all: by the number of frames, whose width does not change.
    std::uint64_t waiting = 0;
    for (std::size_t r = 0; r < series(); ++r)
      waiting += frames_waiting[r] * (r < net.reports.size() ? net.reports[r].ids.size() : weights_expected[r - net.reports.size()]);
    const bool last = to >= net.duration || (flags & stop_wanted);
    const bool flush = last || (flags & flush_wanted) || waiting > (1u << 20);
    if (recorder && !logged.empty()) guarded([&] { recorder->spikes(logged); });
    if (flush) {
      flush_reports(recorder);
      last_flush = Clock::now();
    }
    if (recorder && (flush || series() == 0)) guarded([&] { recorder->commit(to); });
    if (first_rank && hooks.progress) {
      const auto now = Clock::now();
      if (last || now - last_progress > std::chrono::milliseconds(100)) {
        last_progress = now;
        hooks.progress({to, stats.spikes, deliveries});
      }
    }
    if (flags & stop_wanted) {
      stats.stopped = to < net.duration;
      break;
    }
    from = next == never ? net.duration : std::max(to, next / window * window);
    if (from >= net.duration && to < net.duration) {  // nothing more will happen: the rest is silence
      stats.reached = net.duration;
      flush_reports(recorder);
      if (recorder) guarded([&] { recorder->commit(net.duration); });
      if (first_rank && hooks.progress) hooks.progress({net.duration, stats.spikes, deliveries});
    }
  }
  if (own_failure) std::rethrow_exception(own_failure);
  for (const auto& b : blocks) {
    stats.deliveries += b->deliveries;
    stats.superposed += b->superposed;
    stats.crossings += b->crossings;
    stats.history_bytes += b->history_bytes();
  }
  stats.run_seconds = seconds_since(begin);
  return stats;
}

Simulation::Simulation(const Network& network, Transport& transport, SimulationOptions options)
    : impl_(std::make_unique<Impl>(network, transport, options)) {}
Simulation::~Simulation() = default;
Statistics Simulation::run(Recorder* recorder, const RunHooks& hooks) { return impl_->run(recorder, hooks); }
const std::vector<std::uint64_t>& Simulation::weight_widths() const { return impl_->edges_recorded; }
std::uint64_t Simulation::owned() const {
  std::uint64_t n = 0;
  for (const auto& b : impl_->blocks) n += b->gids().size();
  return n;
}

}  // namespace spinet
