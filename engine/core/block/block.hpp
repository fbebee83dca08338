// A block: neurons of one kernel group whose state fits the second-level cache, with all that arrives at
// them.  It walks through a window tick by tick; what is done at a tick is done by its parts, each with one
// job:
//
//   Members       the neurons: state, parameters, who they are
//   Requests      what their model asks for, until its phase has come
//   ArrivalStore  events on their way to the block's slices, by window
//   SliceViews    slices as synapse models see them
//   Delivery      slices -> weights -> neurons
//   DrawnInput    superposed input, which the block draws itself
//   Histories     spikes that plastic synapses have not taken in yet
//   Controls      control events at synapses
//   Watched       synapses whose values are logged
//   Faults        who it was that has broken the contract
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/actions.hpp"
#include "core/arithmetic.hpp"
#include "core/block/arrivals.hpp"
#include "core/block/controls.hpp"
#include "core/block/delivery.hpp"
#include "core/block/histories.hpp"
#include "core/block/members.hpp"
#include "core/block/requests.hpp"
#include "core/block/slices.hpp"
#include "core/block/watched.hpp"
#include "core/emission.hpp"
#include "core/input/drawn_input.hpp"
#include "core/pulse.hpp"
#include "core/recorder.hpp"

namespace spinet {

class Block {
 public:
  Block(const Network& network, const KernelGroup& group, std::vector<Gid> gids, Heart& heart);

  /// What is the same for all blocks of a run.
  struct Setup {
    Tick window;
    bool graded;  ///< events have payloads
    /// Blocks with at most as many keep arrivals as packets and all views of slices.
    std::uint32_t small_slices;
  };
  /// Takes over what arrives here; called once, before the run.
  void connect(std::unique_ptr<BlockSynapses> synapses, SuperposedInput input, const Setup& setup);
  /// Positions in their store of the synapses that weight recording `w` samples, in the order of the samples.
  void watch(std::uint32_t w, std::vector<std::uint32_t> positions) {
    watched_.sample(w, std::move(positions));
  }
  /// The synapses of all weight event recordings; changes go to `noted`.
  void watch_changes(std::vector<WatchedSynapse> some) { watched_.note_changes(std::move(some)); }
  std::vector<WatchedSynapse>& changing() { return watched_.changing(); }
  /// Initial state is complete: finds the crossings of the first frame.
  void start();

  bool hears(std::uint32_t family) const;
  /// Does a control event that an environment posts change anything here, or is anything logged at it?
  bool obeys() const { return controls_->any() || table_.on_control || !watched_.changing().empty(); }
  /// The one replica whose neurons these are; none: there are several, or no replicas at all.
  std::optional<std::uint32_t> replica() const { return members_.replica(); }
  /// Nothing more happens here, from tick `at` on.
  void retire(Tick at) { due_at_ = never, retired_ = true, retired_at_ = at; }
  bool retired() const { return retired_; }
  /// Posts the arrivals of events; those before `from` are left out.
  void post(std::span<const Emission> some, Tick from = 0) {
    due_at_ = std::min(due_at_, arrivals_->post(some, from));
  }
  /// The same for events of one family (Network::family) and tick, each of another neuron.
  void post_together(std::uint32_t family, std::span<const Emission> some) {
    due_at_ = std::min(due_at_, arrivals_->post_together(family, some));
  }
  /// One window.
  struct Window {
    Tick from, to;
    Tick horizon;  ///< as far as superposed input is looked for, to tell what is `due`
  };
  /// Everything in [from, to).  Emissions go to `out`, samples to `samples[report]`, postings to `posted`.
  /// Not needed for a window without actions that ends before `due`.
  void walk(const Window& window, std::span<const Action> actions, Emissions& out,
            std::vector<std::vector<float>>& samples);
  /// A tick no later than the next thing to happen here, actions excepted; `never` if there is none before
  /// the horizon of the last walk.
  Tick due() const { return due_at_; }
  std::vector<Posted> posted;  ///< control events of an environment
  std::vector<std::vector<WeightEvent>>& noted() {
    return watched_.noted;
  }  ///< by weight event recording, in time order

  /// Block index of each sampled neuron of report r, in the order of the samples.
  std::vector<std::vector<std::uint32_t>> sampled;
  const std::vector<Gid>& gids() const { return members_.gids(); }
  /// Samples of a frame of weight recording `w`.
  std::size_t watched_count(std::size_t w) const { return watched_.sample_count(w); }
  BlockSynapses& synapses() { return *synapses_; }
  const BlockSynapses& synapses() const { return *synapses_; }
  std::uint64_t history_bytes() const { return histories_.bytes(); }
  std::uint64_t deliveries() const { return delivery_->arrivals; }
  /// Before tick `at`, up to which all has been done.
  std::uint64_t superposed_arrivals(Tick at) const {
    return input_->arrivals(retired_ ? std::min(at, retired_at_) : at);
  }
  std::uint64_t tests() const { return requests_.tests; }

  bool asleep() const { return asleep_; }
  /// Has the neurons' model written nowhere beside its memory?
  bool intact() const { return members_.intact(); }

  /// Throws ModelFailure if a variable of a neuron, or one that a synapse stores, is not a number, or if the
  /// neurons' model has written beside its memory.  All before `at` is done.
  void check_numbers(Tick at) const;
  /// Throws if the floating-point mode is no longer `mode` after the window [from, to), and makes it that
  /// again.
  void check_mode(const FloatingPointMode& mode, Tick from, Tick to) const {
    if (FloatingPointMode::now() != mode) [[unlikely]]
      faults_.mode(mode, from, to);
  }

  /// --- checkpoints (transfer.cpp): state at the begin of tick `at`, all before it done ---
  struct Asked {
    Tick tick;
    std::uint32_t phase;
    Gid gid;
  };
  using Past = PastSpike;
  /// Brings a sleeping block into the frame of the last tick before `at`, as if it had been awake, and has
  /// all synapses take in what they see by then, so that slices of one source and delay are in one state,
  /// whatever their blocks have done.
  void settle(Tick at);
  /// Events whose arrivals here are not all in the past, by (tick, gid).
  std::vector<Emission> save_arrivals(Tick at) const;
  /// Its neurons of a population: the first's index, and that after the last.
  std::pair<std::uint32_t, std::uint32_t> members(const Population& p) const { return members_.of(p); }
  /// Of the state of a neuron, as it is saved.
  static std::size_t bytes_of_neuron(const NeuronTable& table);
  void save_neuron(std::uint32_t j, std::byte* to) const;
  std::vector<Asked> save_requests() const;
  /// Histories of the time constant `tau` (ticks), or nothing.
  std::vector<PastSpike> save_history(double tau) const { return histories_.save(tau, gids()); }
  /// Takes over from t = 0: changes of the schedule before `at`, then everything that is saved.
  void restore_begin(Tick at, std::span<const ScheduledControl> schedule);
  void restore_neuron(std::uint32_t j, const std::byte* from);
  void restore_asked(const Asked& a);
  void restore_past(double tau, const PastSpike& p) { histories_.restore(tau, members_.index_of(p.gid), p); }
  void restore_end(Tick at);

 private:
  /// Marks the models of this block as being at work.
  class AtWork {
   public:
    explicit AtWork(Block& b) : heart_(b.heart_) { heart_.enter(b.table_.model.name, b.population_name_); }
    ~AtWork() { heart_.leave(); }
    AtWork(const AtWork&) = delete;

   private:
    Heart& heart_;
  };
  bool take_input(Tick until);
  void pass_time(Tick now);
  void do_phase(Ask phase, Tick now);
  void make_exact(std::span<const std::uint32_t> js, Ask phase, Tick now);
  void act(const Action& a, std::vector<std::vector<float>>& samples);
  void obey(const Ordered& o, Tick tick);
  Tick frame_end() const;
  void wake_up(Tick tick);
  void next_frame(Tick begin);
  Tick next(Tick from, Tick horizon);

  const Network& network_;
  const NeuronTable& table_;
  Heart& heart_;
  Members members_;
  const char* population_name_;  ///< of its first neuron
  Faults faults_;
  Requests requests_;
  Histories histories_;
  Watched watched_;
  // All that arrives, from `connect` on.
  std::unique_ptr<BlockSynapses> synapses_;
  std::unique_ptr<ArrivalStore> arrivals_;
  std::optional<SliceViews> slices_;
  std::optional<Delivery> delivery_;
  std::optional<Controls> controls_;
  std::optional<DrawnInput> input_;
  Tick window_ = 1;
  Tick due_at_ = 0, retired_at_ = never;
  bool retired_ = false;
  bool asleep_ = false;
  bool timed_ =
      true;  ///< has frames, superposed input or histories; else only arrivals and requests make a tick
  std::uint32_t turns_ = 0;  ///< of the walk through windows, for `Heart::beat`
  std::vector<std::uint32_t> addressed_;
};

}  // namespace spinet
