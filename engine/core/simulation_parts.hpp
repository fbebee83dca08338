// What a Simulation is made of.  Private to core: build.cpp makes it, the files of run/ run it, save and
// restore it.
#pragma once
#include <chrono>
#include <cstring>
#include <deque>
#include <map>

#include "core/block/block.hpp"
#include "core/input/emitter.hpp"
#include "core/partition.hpp"
#include "core/simulation.hpp"

namespace spinet {

using Clock = std::chrono::steady_clock;
inline double seconds_since(Clock::time_point t) {
  return std::chrono::duration<double>(Clock::now() - t).count();
}

/// Head of a rank's message of one window; spikes follow, then payloads if the network has graded events, or
/// the text of an error.
struct Head {
  Tick next;  ///< no event on this rank before it, those of this message excepted
  std::uint64_t deliveries;
  std::uint32_t count;  ///< spikes, or bytes of the error's text
  std::uint32_t flags;
  std::uint64_t posted;  ///< control events of environments
};
enum : std::uint32_t { failed = 1, stop_wanted = 2, flush_wanted = 4, checkpoint_wanted = 8, abandoned = 16 };
struct WireSpike {
  std::uint32_t offset;  ///< from the begin of the window
  Gid gid;
};

template <class T>
void append(std::vector<std::byte>& to, const T* data, std::size_t n) {
  if (n == 0) return;
  const std::size_t at = to.size();
  to.resize(at + n * sizeof(T));
  std::memcpy(to.data() + at, data, n * sizeof(T));
}

struct Simulation::Impl {
  const FloatingPointMode mode = FloatingPointMode::now();  ///< before a model has been called
  const Network& net;
  Transport& transport;
  Partition partition;
  Locator locator;
  std::vector<std::unique_ptr<KernelGroup>> groups;
  std::vector<std::unique_ptr<Wiring>> wirings;
  std::vector<std::unique_ptr<Block>> blocks;
  BlockEdges edges_into(std::uint32_t block) const { return {net, wirings, locator, block}; }
  TrainGroup::Buckets buckets = std::make_shared<std::vector<std::uint32_t>>();
  std::vector<Emitter> emitters;
  std::vector<std::vector<Block*>> listeners;  ///< by family: the blocks in which it has synapses
  bool graded = false;
  Tick window = 0, lookahead = never, slab = 0;
  Statistics stats;
  /// [block][report], frame by frame since the last flush.
  std::vector<std::vector<std::vector<float>>> samples;
  Gathered gathered;
  std::vector<std::byte> message;
  std::exception_ptr own_failure;
  bool window_abandoned = false;  ///< here; all ranks learn of it with the window's message
  Heart heart;
  std::vector<Posted> pending;  ///< control events of environments that have not acted yet, sorted
  std::deque<ScheduledControl> posted_now;  ///< those of the present window
  Tick end = 0;            ///< events before it happen: the duration, or where `until` is met
  std::vector<Tick> ends;  ///< the same by replica; `end` is the last of them
  Tick first_end = never;
  struct Member {
    std::uint32_t family, replica;
  };
  std::vector<Member> population_of_gid;  ///< where there are replicas
  struct Earlier {
    std::uint64_t deliveries = 0, superposed = 0, tests = 0;
  };
  Earlier earlier;  ///< rank 0: counts of before a restart, all ranks

  Impl(const Network& network, Transport& t, const SimulationOptions& options);
  void throw_if_failed();
  /// Throws on all ranks if something has failed on one.
  void agree();
  void append_failure(Head& head);
  void check_numbers(Tick at);
  void check_mode(const char* when) const;
  void check_distinct(const Emissions& sorted) const;
  void build(const SimulationOptions& options);
  void make_groups();
  std::map<std::uint32_t, std::uint32_t> group_of_population;
  std::vector<std::vector<std::byte>> prototypes;
  void make_blocks(std::uint64_t l2_bytes);
  Tick sampling_cap() const;
  class InputBuilder;  ///< input_builder.hpp
  void make_emitters(const std::vector<bool>& superposed);

  /// Keeps an exception until the next exchange, where everyone learns of it.  Collective calls stay outside.
  template <class F>
  void guarded(F&& f) {
    if (own_failure) return;
    try {
      f();
    } catch (const Abandoned&) {
      heart.leave();
      window_abandoned = true;
    } catch (...) {
      heart.leave();
      own_failure = std::current_exception();
    }
  }
  /// Reports, then weight recordings: all that is sampled.
  std::size_t series() const { return net.reports.size() + net.weights.size(); }
  std::uint64_t width(std::size_t r) const {
    return r < net.reports.size() ? net.reports[r].ids.size() : edges_recorded[r - net.reports.size()];
  }
  struct RunLoop;  ///< run/run_loop.hpp
  Statistics run(Recorder* recorder, const RunHooks& hooks);
  void begin_replicas();
  void save(CheckpointSink* sink, Tick at);
  void save_figures(CheckpointSink* sink, Tick at);
  void save_emissions(CheckpointSink* sink, Tick at);
  void save_neurons(CheckpointSink* sink, const Population& population);
  void save_histories(CheckpointSink* sink);
  void save_synapses(CheckpointSink* sink, std::uint32_t projection);
  void save_slices(CheckpointSink* sink, std::uint32_t projection);
  void restore(const CheckpointSource& from);
  void restore_neurons(const CheckpointSource& from, const Population& population);
  void restore_asked(const CheckpointSource& from, Tick at);
  void restore_synapses(const CheckpointSource& from, std::uint32_t projection);
  void restore_slices(const CheckpointSource& from, std::uint32_t projection);
  void restore_events(const CheckpointSource& from, Tick at);
  std::size_t bytes_of_neuron(const Population& population) const;
  void collect(CheckpointSink* sink, const std::string& name, std::span<const std::byte> mine);
  std::vector<double> all_taus();
  void exchange(Head& head, Tick from, const Emissions& own, Emissions& all);
  void take_posted(std::size_t first, Tick to);
  void look_for_pair(const Posted& p) const;
  const Stimulus& stimulus_of(const Posted& p) const;
  ScheduledControl entry_of(const Posted& p) const;
  void drop_ended(Emissions& all) const;
  void abandon_window(Tick from, std::span<const Action> due, Recorder* recorder);
  void record_edges(Recorder& recorder, const std::atomic<bool>* stop);  ///< throws Stopped
  void prepare_reports();
  std::vector<std::byte> sampled_here();
  void read_columns(const Gathered& all);
  void order_edges(std::uint32_t w);
  void prepare_changes();
  void sample_epoch(const Posted& batch_end, std::vector<Action>& due) const;
  void flush_changes(Recorder* recorder);
  void save_changes(CheckpointSink* sink);
  void restore_changes(const CheckpointSource& from);
  bool collects() const { return series() > 0 || !net.weight_events.empty(); }
  std::vector<std::vector<WatchedEdge>> watched;  ///< by weight event recording; rank 0
  void flush_reports(Recorder* recorder);

  struct Columns {  ///< rank 0: where the samples of a rank's block go
    std::vector<std::uint32_t> column;
  };
  std::vector<std::vector<std::vector<Columns>>> columns;  ///< [rank][block][report]
  std::vector<std::uint64_t> frames_waiting;               ///< by series
  std::vector<std::uint64_t> edges_recorded;               ///< by weight recording; rank 0
  std::vector<std::uint64_t> weights_expected;             ///< the same as all ranks know it, about
};

}  // namespace spinet
