// One partitioned network, built and run.  Every rank constructs its own Simulation from the same Network.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "comm/transport.hpp"
#include "core/checkpoint.hpp"
#include "core/failure.hpp"
#include "core/pulse.hpp"
#include "core/recorder.hpp"
#include "network/checked.hpp"

namespace spinet {

/// How far a run is; the same on every rank.
struct Progress {
  Tick now = 0;
  std::uint64_t spikes = 0;  ///< of neurons, all ranks (superposed sources are not counted)
  std::uint64_t deliveries =
      0;  ///< synaptic events delivered, all ranks, superposed input included (a running figure)
};

/// When checkpoints are written; the same on every rank but for `sink`.
struct Checkpoints {
  CheckpointSink* sink = nullptr;  ///< on rank 0
  Tick every = 0;                  ///< model time between checkpoints; 0: none
  double seconds = 0;              ///< wall time between checkpoints; 0: none
  bool at_stop = false;            ///< one more when the run is stopped
};

struct RunHooks {
  std::function<void(const Progress&)> progress;  ///< about ten times a second of wall time, on rank 0
  /// Set (by a signal) to end all ranks after the present window, or within it if that takes long: it then
  /// leaves no trace.
  const std::atomic<bool>* stop = nullptr;
  Checkpoints checkpoints;
  /// On every rank, before the window that begins there: all that was sent before has arrived or will be
  /// later.
  std::function<void(Tick from)> window{};
};

/// The figures of a run, each defined here and in FORMAT.md ("Figures") in the same words.  Of a rank's part
/// while it runs; `total` in tools/spinet/run.cpp adds them up.
struct Statistics {
  Tick reached = 0;
  bool stopped = false;    ///< by RunHooks::stop
  Tick until_met = never;  ///< when the network's stop condition was met, if it was
  Tick began = 0;          ///< where `restore` put the run
  std::uint64_t checkpoints = 0;
  double checkpoint_seconds = 0;
  std::uint64_t spikes = 0;  ///< emitted by neurons (not by sources) since t = 0
  std::uint64_t deliveries =
      0;  ///< arrivals at synapses that are stored, since t = 0; a graded value counts as a spike does
  std::uint64_t superposed =
      0;  ///< arrivals at synapses of a superposed drive, which are not stored, since t = 0
  std::uint64_t events_before =
      0;  ///< of deliveries and superposed: before the checkpoint that this process began at
  std::uint64_t synapses = 0;         ///< connections, those of superposed drives included
  std::uint64_t stored_synapses = 0;  ///< of these, those that are stored
  std::uint64_t slices = 0;           ///< runs of synapses that one event is delivered to at once
  std::uint64_t threshold_tests =
      0;  ///< that neurons have asked for since t = 0: foreseen crossings and looks on the way there
  std::uint64_t windows = 0;        ///< steps of the run loop since t = 0
  std::uint64_t synapse_bytes = 0;  ///< memory of stored synapses with their tables
  /// Synaptic events: all arrivals at synapses since t = 0.
  std::uint64_t events() const { return deliveries + superposed; }
  /// Of this process: its own events by the wall time of its run loop.
  double events_per_second() const {
    return run_seconds > 0 ? static_cast<double>(events() - events_before) / run_seconds : 0;
  }
  std::uint64_t history_bytes =
      0;  ///< memory of postsynaptic spikes at the end; it never shrinks during a run
  double build_seconds = 0, run_seconds = 0;  ///< wall time of this process: construction, run loop
  /// Network-wide counts, also of populations that are not recorded; `not_counted` for sources whose spikes
  /// nobody draws one by one, because only superposed drives use them.
  std::vector<std::uint64_t> spikes_of_population;
  static constexpr std::uint64_t not_counted = ~std::uint64_t{0};
  /// Where a network has replicas (Network::replicas): how each ended; `reached` and `until_met` are then of
  /// the last.
  struct Replica {
    Tick reached, until_met;
  };
  std::vector<Replica> replicas;
};

struct SimulationOptions {
  std::uint64_t l2_bytes = 0;  ///< memory of a block's neuron states; 0: from the machine
  Tick window_cap = 0;         ///< 0: default
  /// A block with at most as many slices keeps its arrivals as packets (block/arrivals.hpp); changes no
  /// result.
  std::uint32_t small_slices = 4096;
  /// Of superposed input: what is taken without order may be taken in order, too; fires the same neurons at
  /// the same ticks.
  enum class Order { where_needed, everywhere } order = Order::where_needed;
  Pulse* pulse = nullptr;  ///< where the run tells what it is at, for a signal handler
  const std::atomic<bool>* stop =
      nullptr;  ///< to be looked at while the network is built: Stopped on all ranks
};

class Simulation {
 public:
  /// Partitions and builds this rank's part.  Throws std::runtime_error for what cannot be drawn or held,
  /// Stopped on request.
  Simulation(const Network& network, Transport& transport, SimulationOptions options = {});
  ~Simulation();
  /// Puts a checkpoint's state in place of that at t = 0; before `run`.  The checkpoint is of the same
  /// network, from any number of ranks.  Throws std::runtime_error if it does not fit.
  void restore(const CheckpointSource& from);
  /// Runs to network.duration.  `recorder` is used on rank 0 and may be null.  A failure on any rank ends all
  /// with RankFailed or the rank's own exception, which is a ModelFailure where a model cannot go on.
  Statistics run(Recorder* recorder, const RunHooks& hooks = {});
  /// Synapses of each weight recording (Network::weights): the width of its frames.  On rank 0.
  const std::vector<std::uint64_t>& weight_widths() const;
  /// Number of neurons this rank owns.
  std::uint64_t owned() const;
  /// What has been built on this rank: synapses, slices, bytes.
  const Statistics& built() const;
  /// Weights that synapses of a projection share (Projection::shared_weights): those of this rank, stored
  /// once.  What is written there acts on all that is delivered from then on; on several ranks all must write
  /// the same.
  std::span<float> shared_weights(std::uint32_t projection);
  /// By gid: synapses of this rank, those of superposed drives left out, that a spike of it arrives at.
  std::vector<std::uint64_t> fan_out() const;
  /// Length of a window in ticks: the lookahead, unless that is very long.
  Tick window() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace spinet
