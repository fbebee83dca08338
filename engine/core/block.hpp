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
  double payload;
  Gid gid;
  std::uint32_t reserved = 0;  ///< no padding: checkpoints hold these as bytes
};

/// A control event of an environment on its way to all ranks.
struct Posted {
  Tick tick;
  Gid gid;                ///< first of the environment
  std::uint32_t number;   ///< among those of one tick and environment
  Control control;
};

/// What happens at a tick by order of the schedule or the log, the same on all ranks.
struct Action {
  Tick tick;
  const ScheduledControl* control;  ///< or null
  std::int32_t report;   ///< index in Network::reports, or -1
  std::int32_t weights;  ///< index in Network::weights, or -1
  std::int32_t events = -1;  ///< index in Network::weight_events, or -1
  bool all = false;          ///< of them, all values; else those that have changed
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
  /// A synapse whose changes are logged.
  struct Watched {
    std::uint32_t slice, index, recording;
    std::uint64_t edge;
    double last;  ///< the value last logged, NaN before the first
  };
  /// The synapses of all weight event recordings; changes go to `noted`.
  void watch_changes(std::vector<Watched> some);
  std::vector<Watched>& changing() { return changing_; }
  std::vector<std::vector<WeightEvent>> noted;  ///< by recording, in time order
  /// Initial state is complete: finds the crossings of the first frame.
  void start();

  /// Has this source synapses here?
  bool hears(Gid source) const { return synapses_->slices_begin(source) != synapses_->slices_end(source); }
  /// Posts the arrivals of a spike; those before `from` are left out.
  void post(const Emission& e, bool graded, Tick from = 0);
  /// Everything in [from, to), one window.  Emissions go to `out`, samples to `samples[report]`, postings to `posted`.
  void walk(Tick from, Tick to, std::span<const Action> actions, std::vector<Emission>& out,
            std::vector<std::vector<float>>& samples);
  std::vector<Posted> posted;
  /// A tick no later than the next thing to happen here, at or after `from`; `never` if there is none before `horizon`.
  Tick next(Tick from, Tick horizon);

  /// --- checkpoints: state at the begin of tick `at`, all before it done ---
  struct Asked {
    Tick tick;
    std::uint32_t phase;
    Gid gid;
  };
  struct Past {
    Tick tick;
    double trace;
    Gid gid;
    std::uint32_t reserved;
  };
  /// Brings a sleeping block into the frame of the last tick before `at`, as if it had been awake.
  void settle(Tick at) { if (asleep_) wake_up(at - 1); }
  std::size_t neuron_bytes() const { return table_.state_size + table_.constants_size; }
  void save_neuron(std::uint32_t j, std::byte* to) const;
  std::vector<Asked> save_agenda() const;
  /// Histories of the time constant `tau` (ticks), or nothing.
  std::vector<double> taus() const;
  std::vector<Past> save_history(double tau) const;
  /// Takes over from t = 0: changes of the schedule before `at`, then everything that is saved.
  void restore_begin(Tick at, std::span<const ScheduledControl> schedule);
  void restore_neuron(std::uint32_t j, const std::byte* from);
  void restore_asked(const Asked& a);
  void restore_past(double tau, const Past& p);
  void restore_end(Tick at);
  BlockSynapses& synapses() { return *synapses_; }

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

  /// Takes what models have asked for.  `later`: phases from this one on are still to come at tick `now`.
  void drain(Tick now, Ask later = Ask::emit);
  void wake_up(Tick tick);              ///< brings a sleeping block into the frame of `tick`
  void next_frame(Tick frame_begin);
  void deliver(std::uint32_t slice, Tick tick, double payload);
  void sweep(Tick tick);
  void note(Watched& w, const Slice& slice, Tick tick, bool always);
  void note_slice(std::uint32_t slice, Tick tick);
  void note_recording(std::uint32_t recording, Tick tick, bool all);
  void sample_weights(std::uint32_t w, Tick tick, std::vector<float>& to);
  Slice view(std::uint32_t slice, Tick tick, double payload) {
    if (!prepared_.empty()) {
      Slice s = prepared_[slice];
      s.tick = tick;
      s.payload = payload;
      if (s.history) s.base = histories_[history_of_store_[synapses_->slice(slice).store]].base();
      return s;
    }
    return view(slice, synapses_->source_of(slice), tick, payload);
  }
  Slice view(std::uint32_t slice, Gid source, Tick tick, double payload);
  void control_synapses(const ScheduledControl& s, Tick tick);
  void control_named(const ScheduledControl& s, Tick tick);
  void act(const Action& a, std::vector<std::vector<float>>& samples);
  void run_phase(Ask phase, Tick tick);
  Tick next_asked();  ///< the agenda's first tick, without the tests that are out of date
  bool idle(const Slot& slot, Tick to);
  void sort_slot(Slot& slot);
  Slot& slot_of(std::uint64_t window) { return slots_[window & (slots_.size() - 1)]; }
  std::span<Request> room(std::size_t n);

  const Network& network_;
  const NeuronTable& table_;
  std::vector<Gid> gids_;
  std::vector<std::vector<std::byte>> params_;  ///< per neuron, kept only where the schedule changes some
  Buffer<std::byte> state_, constants_, common_;
  NeuronBlock c_{};
  Outbox outbox_{};
  std::vector<Posting> postings_;
  std::vector<Request> requests_;
  std::unique_ptr<BlockSynapses> synapses_;
  std::vector<TrainGroup> trains_;
  std::vector<Slot> slots_;
  std::uint64_t slots_filled_ = 0;  ///< entries in all slots
  std::vector<std::uint64_t> filled_;  ///< a bit per slot
  std::vector<std::uint64_t> sort_buffer_;
  Tick window_ = 1;
  double window_inverse_ = 1;
  Agenda agenda_{1};
  std::vector<std::uint32_t> due_;
  std::vector<std::uint32_t> soon_[2];  ///< asked for the present tick: tests, evaluations
  std::vector<std::pair<std::uint32_t, Gid>> controlled_;  ///< slices whose model hears control events, with their sources
  std::vector<Slice> prepared_;  ///< by slice number, in small blocks: all but tick and payload
  std::vector<double> weights_;
  std::vector<Emission>* out_ = nullptr;
  std::vector<PostHistories> histories_;
  std::vector<std::uint32_t> history_of_store_;        ///< index in `histories_`, or past its end
  std::vector<std::vector<std::uint32_t>> reads_of_store_;
  std::uint32_t index_of(Gid gid) const;
  Tick sweep_at_ = never, plastic_delay_ = 0;
  std::vector<std::vector<std::uint32_t>> watched_;    ///< by weight recording
  std::vector<Watched> changing_;              ///< sorted by slice
  std::vector<std::uint32_t> first_changing_;  ///< by slice; empty where nothing is watched
  bool asleep_ = false;
};

}  // namespace spinet
