// A block: neurons of one kernel group whose state fits the second-level cache, with all that arrives at them.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/actions.hpp"
#include "core/queue/calendar.hpp"
#include "core/arithmetic.hpp"
#include "core/emission.hpp"
#include "core/block/evaluations.hpp"
#include "core/block/history.hpp"
#include "core/pulse.hpp"
#include "core/recorder.hpp"
#include "core/block/arrivals.hpp"
#include "core/input/train.hpp"
#include "core/block/synapses.hpp"
#include "network/checked.hpp"

namespace spinet {

/// A control event of an environment on its way to all ranks.
struct Posted {
  Tick tick;
  Gid gid;                ///< first of the environment
  std::uint32_t number;   ///< among those of one tick and environment
  Control control;
};

/// Of settings at one tick, with no other control between them, the last for the same neurons or projection is `complete`:
/// several parameters change together, a model never sees some of them without the others.
void mark_complete(std::span<Action> actions);

/// Neurons with one model and one set of shared parameters.
struct KernelGroup {
  const NeuronTable* table;
  std::vector<double> key;        ///< values of the shared parameters
  Buffer<std::byte> shared;  ///< aligned to cache lines, as models expect
  Tick frame_length = 0;
};

class Block {
  static constexpr std::uint32_t few = 32, at_once = 256;  ///< synapses of slices that are delivered together; arrivals of a batch

 public:
  Block(const Network& network, const KernelGroup& group, std::vector<Gid> gids, Heart& heart);

  /// Takes over what arrives here; called once, before the run.
  void connect(std::unique_ptr<BlockSynapses> synapses, std::vector<TrainGroup> trains, Tick window, bool graded, std::uint32_t small_slices);
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

  bool hears(std::uint32_t family) const { return heard_[family].any; }
  /// Does a control event that an environment posts change anything here, or is anything logged at it?
  bool obeys() const { return !controlled_.empty() || table_.on_control || !changing_.empty(); }
  /// The one replica whose neurons these are; none: there are several, or no replicas at all.
  std::optional<std::uint32_t> replica() const { return replica_; }
  /// Nothing more happens here.
  void retire() { due_at_ = never, retired_ = true; }
  bool retired() const { return retired_; }
  /// Posts the arrivals of events; those before `from` are left out.
  void post(std::span<const Emission> some, Tick from = 0) {
    due_at_ = std::min(due_at_, small_ ? packets_.post(some, *synapses_, from) : slots_.post(some, *synapses_, from));
  }
  /// The same for events of one family (Network::family) and tick, each of another neuron.
  void post_together(std::uint32_t family, std::span<const Emission> some) {
    const Heard& h = heard_[family];
    if (small_ && h.steps) due_at_ = std::min(due_at_, packets_.post_together(some, *synapses_, h.steps, h.alike));
    else post(some);
  }
  /// Everything in [from, to), one window.  Emissions go to `out`, samples to `samples[report]`, postings to `posted`.  Not
  /// needed for a window without actions that ends before `due`.  Superposed input is looked for up to `horizon`.
  void walk(Tick from, Tick to, Tick horizon, std::span<const Action> actions, Emissions& out,
            std::vector<std::vector<float>>& samples);
  std::vector<Posted> posted;
  /// A tick no later than the next thing to happen here, actions excepted; `never` if there is none before the horizon of the
  /// last walk.
  Tick due() const { return due_at_; }

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
  /// Throws ModelFailure if a variable of a neuron, or one that a synapse stores, is not a number.  All before `at` is done.
  void check_numbers(Tick at) const;
  /// Throws if the floating-point mode is no longer `mode` after the window [from, to), and makes it that again.
  void check_mode(const FloatingPointMode& mode, Tick from, Tick to) const {
    if (FloatingPointMode::now() != mode) [[unlikely]] fail_mode(mode, from, to);
  }
  /// Brings a sleeping block into the frame of the last tick before `at`, as if it had been awake, and has all synapses take
  /// in what they see by then, so that slices of one source and delay are in one state, whatever their blocks have done.
  void settle(Tick at);
  /// Events whose arrivals here are not all in the past, by (tick, gid).
  std::vector<Emission> save_arrivals(Tick at) const;
  /// Its neurons of a population: the first's index, and that after the last.
  std::pair<std::uint32_t, std::uint32_t> members(const Population& p) const;
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
  /// Samples of a frame of weight recording `w`.
  std::size_t watched_count(std::size_t w) const { return w < watched_.size() ? watched_[w].size() : 0; }
  const BlockSynapses& synapses() const { return *synapses_; }
  std::uint64_t history_bytes() const;
  std::uint64_t deliveries = 0, superposed = 0, tests = 0;

 private:
  /// Takes what a call into the model has asked for, `most` requests at most.  `first`: the first phase of tick `now` that
  /// has not passed; `here`: those of this tick wait in `soon_` and `evaluations_`, not in the agenda.
  void drain(Tick now, std::size_t most, Ask first = Ask::wake, bool here = false);
  void take_postings(Tick now);
  [[noreturn]] void refuse(const Request& r, Tick now) const;
  [[noreturn]] void fail(std::uint32_t j, Tick now, const std::string& reason) const;
  [[noreturn]] void fail_model(Tick now, const std::string& reason) const;
  [[noreturn]] void fail_mode(const FloatingPointMode& mode, Tick from, Tick to) const;
  [[noreturn]] void fail_synapse(std::uint32_t slice, std::uint32_t i, Tick now, const std::string& reason) const;
  [[noreturn]] void fail_weights(std::uint32_t slice, const double* weights64, const float* weights32, Tick now) const;
  /// Requests that a call for `n` neurons may make.
  std::size_t most_for(std::size_t n) const { return limit::requests_per_neuron * (table_.environment ? c_.size : n); }
  double number(double read, std::uint32_t j, std::uint32_t variable, Tick now) const;
  double number(double read, std::uint32_t slice, std::uint32_t i, std::uint32_t variable, Tick now) const;
  /// Marks the models of this block as being at work.
  class AtWork {
   public:
    explicit AtWork(Block& b) : heart_(b.heart_) { heart_.enter(b.table_.model.name, b.population_name_); }
    ~AtWork() { heart_.leave(); }
    AtWork(const AtWork&) = delete;

   private:
    Heart& heart_;
  };
  /// Calls f, which calls this synapse model.
  template <class F>
  void in_synapse(const SynapseTable& table, F&& f) {
    heart_.synapse(table.model.name);
    f();
    heart_.synapse(nullptr);
  }
  void wake_up(Tick tick);              ///< brings a sleeping block into the frame of `tick`
  void next_frame(Tick frame_begin);
  void deliver(std::uint32_t slice, Tick tick, double payload);
  const std::uint64_t* deliver_tick(const std::uint64_t* key, const std::uint64_t* end, const double* payloads, Tick from, Tick now);
  class Together;  ///< arrivals of a tick that wait to be handed over
  template <class SliceOf, class PayloadOf>
  void deliver_alike(std::uint32_t n, SliceOf&& slice_of, PayloadOf&& payload_of, Tick tick, Together& together);
  void deliver_event(std::uint32_t slice, double payload, Tick tick, Together& together);
  const Packets::Packet* deliver_packets(const Packets::Packet* packet, const Packets::Packet* end, const Emission* events, std::uint32_t offset, Tick tick);
  template <class Next, class Deliver>
  void walk_window(Tick to, std::span<const Action> actions, std::vector<std::vector<float>>& samples, Next&& next_arrival, Deliver&& deliver_now);
  static constexpr std::ptrdiff_t entry_ahead = 16;  ///< slices whose entries are prefetched
  bool superposed_before(Tick now);
  void take_train(TrainGroup& train, Tick until, Tick soonest);
  Tick next(Tick from, Tick horizon);
  void prepare_small();
  void prepare_reads();
  void read_targets(Tick tick);
  /// In small blocks: the slice as an event at `tick` meets it.
  Slice& at(std::uint32_t slice, Tick tick, double payload) {
    Slice& s = prepared_[slice];
    s.tick = tick;
    s.payload = payload;
    if (s.history) s.base = histories_[history_of_store_[synapses_->slice(slice).store]].base();
    return s;
  }
  void key_arrival(std::uint32_t slice, Slice& s);
  void key_control(Slice& s, std::uint32_t slice);
  void count_control(const ScheduledControl& s, Tick tick, std::int32_t replica);
  void sweep(Tick tick);
  void note(Watched& w, const Slice& slice, Tick tick, bool always);
  void note_slice(std::uint32_t slice, Tick tick, bool reading = false);
  void note_readings(const ScheduledControl& s, Tick tick);
  void note_recording(std::uint32_t recording, Tick tick, bool all);
  void sample_weights(std::uint32_t w, Tick tick, std::vector<float>& to);
  Slice view(std::uint32_t slice, Tick tick, double payload) {
    if (small_) return at(slice, tick, payload);
    return view(slice, synapses_->source_of(slice), tick, payload);
  }
  Slice view(std::uint32_t slice, Gid source, Tick tick, double payload);
  void control_synapses(const ScheduledControl& s, Tick tick, std::int32_t replica);
  void control_named(const ScheduledControl& s, Tick tick);
  void act(const Action& a, std::vector<std::vector<float>>& samples);
  void set_neurons(const ScheduledControl& s, Tick tick, bool complete);
  void set_synapses(const ScheduledControl& s, Tick tick, bool complete);
  void restore_synapse_params(const ScheduledControl& s);
  void run_phase(Ask phase, Tick tick);
  Tick next_asked() { return table_.out_of_date ? next_in_date() : agenda_.next(); }
  Tick next_in_date();  ///< the agenda's first tick, without the tests that are out of date
  void room(std::size_t n);
  bool asked() const { return (outbox_.size | outbox_.posting_count) != 0; }

  const Network& network_;
  const NeuronTable& table_;
  Heart& heart_;
  const char* population_name_;  ///< of its first neuron
  std::vector<Gid> gids_;
  std::vector<Gid> drawn_as_;             ///< gids as random numbers count them, where the network has replicas
  std::vector<RandomKey> keys_;
  std::vector<std::uint32_t> replicas_;   ///< by neuron, where there are several
  std::optional<std::uint32_t> replica_;
  bool retired_ = false;
  std::vector<std::vector<std::byte>> params_;  ///< per neuron, kept only where the schedule changes some
  Buffer<std::byte> state_, constants_, common_;
  NeuronBlock c_{};
  Outbox outbox_{};
  std::vector<Posting> postings_;
  std::vector<Request> requests_;
  std::unique_ptr<BlockSynapses> synapses_;
  std::vector<TrainGroup> trains_;
  Slots slots_;      ///< of a large block
  Packets packets_;  ///< of a small one
  bool small_ = false;
  Tick due_at_ = 0;
  Tick window_ = 1;
  Tick from_ = 0;  ///< begin of the present window
  std::uint32_t turns_ = 0;  ///< of the walk through windows, for `Heart::beat`
  Calendar agenda_{1};
  std::vector<std::uint32_t> due_;
  std::vector<std::uint32_t> soon_;  ///< tests asked for the present tick
  Evaluations evaluations_;              ///< for the end of the present tick
  struct Heard {
    bool any = false;         ///< has any of its neurons synapses here?
    std::uint32_t steps = 0;  ///< delay of all its slices here, 0 if they differ
    bool alike = false;       ///< in a small block: each neuron has one slice here, and what `Short` says is the same for all
  };
  std::vector<Heard> heard_;  ///< by family
  struct Controlled {
    std::uint32_t slice, store;
    Gid source;
    const SynapseTable* table;
    std::size_t behind;  ///< the run of slices with this table ends there
  };
  std::vector<Controlled> controlled_;  ///< slices whose model hears control events, by replica
  std::vector<std::size_t> controlled_begin_;  ///< by replica, and the end
  std::vector<Slice*> controlled_here_;        ///< in small blocks: the same slices as models see them
  /// The last arrival at a slice whose model draws random numbers, and how many of its tick were before it.
  struct Occasion {
    Tick tick = -1;
    std::uint32_t slice = 0, count = 0;
  };
  std::vector<Occasion> occasions_;  ///< by slice in a small block; one in a large one, where arrivals come sorted
  std::vector<RandomKey> keys_of_slices_;  ///< in a small block: of the first event of a tick
  std::vector<std::uint32_t> drawing_;     ///< stores whose models draw random numbers and hear control events
  std::vector<Slice> prepared_;  ///< by slice number, in small blocks: all but tick and payload
  std::vector<double> weights_;
  std::vector<std::uint16_t> together_;  ///< targets of slices that are delivered together, whose weights lie in `weights_`
  /// What a small block needs to know of a slice to deliver it.
  struct Short {
    enum Way : std::uint32_t { uniform, single, on_pre32, on_pre64, alone };
    const std::uint16_t* targets = nullptr;
    double weight = 0;               ///< of all, if they are uniform
    const float* weights = nullptr;  ///< if they are single
    const SynapseTable* table = nullptr;
    std::uint32_t count = 0, port = 0;
    int sign = 0;                    ///< Store::weight_sign
    Way way = alone;  ///< alone: not together with others
    bool contiguous = false;  ///< targets are neighbours, at most 64
    /// May events at this slice and at `other`, `slices` further on, be delivered in one go?
    bool alike(const Short& other, std::uint32_t slices) const {
      return way != alone && way == other.way && port == other.port && table == other.table && sign == other.sign && contiguous == other.contiguous &&
             (way != uniform || (count == other.count && weight == other.weight && other.targets == targets + std::size_t{slices} * count));
    }
  };
  std::vector<Short> short_;
  float weights32_[at_once];
  const Slice* batch_[at_once];
  std::vector<std::vector<double>> values_;                 ///< by variable of the neurons: what rules read, at a control event
  std::vector<std::vector<const double*>> values_of_store_;  ///< by store and number in its `reads`
  bool reads_together_ = false;
  Tick values_at_ = -1;  ///< for which tick's control events `values_` have been read
  Emissions* out_ = nullptr;
  std::vector<PostHistories> histories_;
  std::vector<std::uint32_t> history_of_store_;        ///< index in `histories_`, or past its end
  std::vector<std::vector<std::uint32_t>> reads_of_store_;
  std::uint32_t index_of(Gid gid) const;
  Tick sweep_at_ = never, plastic_delay_ = 0;
  std::vector<std::vector<std::uint32_t>> watched_;    ///< by weight recording
  std::vector<Watched> changing_;              ///< sorted by slice
  std::vector<std::uint32_t> first_changing_;  ///< by slice; empty where nothing is watched
  bool asleep_ = false;
  bool arrivals_only_ = false;  ///< neither frames nor superposed input nor histories: the short way through a window
};

}  // namespace spinet
