// A block: neurons of one kernel group whose state fits the second-level cache, with all that arrives at them.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/agenda.hpp"
#include "core/history.hpp"
#include "core/recorder.hpp"
#include "core/superposed.hpp"
#include "core/synapses.hpp"
#include "network/checked.hpp"

namespace spinet {

/// A spike or graded event on its way.
struct Emission {
  Tick tick;
  Gid gid;
  double payload;
};

/// What happens at a tick by order of the schedule or the log, the same on all ranks.
struct Action {
  Tick tick;
  const ScheduledControl* control;  ///< or null
  std::int32_t report;   ///< index in Network::reports, or -1
  std::int32_t weights;  ///< index in Network::weights, or -1
};

/// Neurons with one model and one set of shared parameters.
struct KernelGroup {
  const NeuronTable* table;
  std::vector<double> key;        ///< values of the shared parameters
  Buffer<std::byte> shared;  ///< page-aligned, as models expect
  Tick frame_length = 0;
};

class Block {
 public:
  Block(const Network& network, const KernelGroup& group, std::vector<Gid> gids);

  /// Takes over what arrives here; called once, before the run.
  void connect(std::unique_ptr<BlockSynapses> synapses, std::vector<TrainGroup> trains, Tick window);
  /// Positions in their store of the synapses that weight recording `w` samples, in the order of the samples.
  void watch(std::uint32_t w, std::vector<std::uint32_t> positions);
  /// Initial state is complete: finds the crossings of the first frame.
  void start();

  /// Posts the arrivals of a spike; `window_index` is that of its emission.
  void post(const Emission& e, bool graded);
  /// Everything in [from, to), one window.  Emissions go to `out`, samples to `samples[report]`.
  void walk(Tick from, Tick to, std::span<const Action> actions, std::vector<Emission>& out,
            std::vector<std::vector<float>>& samples);
  /// A tick no later than the next thing to happen here, at or after `from`; `never` if there is none before `horizon`.
  Tick next(Tick from, Tick horizon);

  /// Block index of each sampled neuron of report r, in the order of the samples.
  std::vector<std::vector<std::uint32_t>> sampled;
  const std::vector<Gid>& gids() const { return gids_; }
  const BlockSynapses& synapses() const { return *synapses_; }
  std::uint64_t history_bytes() const;
  std::uint64_t deliveries = 0, superposed = 0, crossings = 0;

 private:
  struct Graded {
    std::uint64_t key;
    double payload;
  };
  struct Slot {
    std::vector<std::uint64_t> keys;  ///< offset in the window << 32 | slice
    std::vector<Graded> graded;       ///< payloads of those keys that carry one
  };

  void drain(Tick now);
  void wake_up(Tick tick);              ///< brings a sleeping block into the frame of `tick`
  void next_frame(Tick frame_begin);
  void deliver(std::uint32_t slice, Tick tick, double payload);
  void sweep(Tick tick);
  void sample_weights(std::uint32_t w, Tick tick, std::vector<float>& to);
  Slice view(std::uint32_t slice, Tick tick, double payload);
  void control_synapses(const ScheduledControl& s, Tick tick);
  void act(const Action& a, std::vector<std::vector<float>>& samples);
  void run_phase(Ask phase, Tick tick);
  void sort_slot(Slot& slot);
  Slot& slot_of(std::uint64_t window) { return slots_[window % slots_.size()]; }
  std::span<Request> room(std::size_t n);

  const Network& network_;
  const NeuronTable& table_;
  std::vector<Gid> gids_;
  std::vector<std::vector<std::byte>> params_;  ///< per neuron, kept only where the schedule changes some
  Buffer<std::byte> state_, constants_, common_;
  NeuronBlock c_{};
  Outbox outbox_{};
  std::vector<Request> requests_;
  std::unique_ptr<BlockSynapses> synapses_;
  std::vector<TrainGroup> trains_;
  std::vector<Slot> slots_;
  std::uint64_t slots_filled_ = 0;  ///< entries in all slots
  std::vector<std::uint64_t> sort_buffer_;
  Tick window_ = 1;
  double window_inverse_ = 1;
  Agenda agenda_{1};
  std::vector<std::uint32_t> due_;
  std::vector<double> weights_;
  std::vector<Emission>* out_ = nullptr;
  std::vector<PostHistories> histories_;
  std::vector<std::uint32_t> history_of_store_;        ///< index in `histories_`, or past its end
  std::vector<std::vector<std::uint32_t>> reads_of_store_;
  Tick sweep_every_ = never, sweep_at_ = never, plastic_delay_ = 0;
  std::vector<std::vector<std::uint32_t>> watched_;    ///< by weight recording
  bool asleep_ = false;
};

}  // namespace spinet
