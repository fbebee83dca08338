// A run: windows one after the other, and what is kept from one to the next.  Private to core.
#pragma once
#include <span>
#include <vector>

#include "core/actions.hpp"
#include "core/simulation_parts.hpp"

namespace spinet {

/// The steps of a window [from, to), each on every rank; ranks jump together over windows in which nothing
/// happens.
///
///     plan       what happens in it by order of the schedule, of environments and of the log.
///                Needs the window before: `pending`.
///     walk       this rank's blocks and sources; gives `own` emissions.
///                Needs `due`, and what earlier windows have posted.
///     exchange   gives everyone's emissions, control events and wishes.
///                Needs `walk` of all ranks; they wait here alone.
///     order      emissions by tick and gid, in which they act everywhere.
///                Needs `exchange`; from here on all ranks know the same.
///     post       them to the blocks that listen, not before the shortest delay has passed.  Needs `order`.
///     keep       the log's part of it, a checkpoint if one is due, progress.
///                Needs `post`: a checkpoint holds what is on its way.
///     advance    to the next window in which anything happens.  Needs `next` of all ranks.
struct Simulation::Impl::RunLoop {
  RunLoop(Simulation::Impl& simulation, Recorder* recorder, const RunHooks& hooks);
  Statistics go();

 private:
  void begin_log();
  [[gnu::always_inline]] void plan();
  void plan_posted();
  [[gnu::always_inline]] void walk();
  [[gnu::always_inline]] void walk_block(std::size_t b);
  void draw_sources();
  [[gnu::always_inline]] void wishes();
  [[gnu::always_inline]] void exchange();
  [[gnu::always_inline]] void order();
  [[gnu::always_inline]] void post();
  [[gnu::always_inline]] void post_stretch(std::uint32_t family, std::span<const Emission> stretch);
  [[gnu::always_inline]] void count(std::uint32_t family, std::span<const Emission> stretch);
  void choose_logged(std::uint32_t family, std::span<const Emission> stretch);
  void keep();
  void write_checkpoint();
  void show_progress();
  [[gnu::always_inline]] bool advance();
  void finish_silently();
  void sum_up();

  bool asked_to_stop() const { return hooks_.stop && hooks_.stop->load(std::memory_order_relaxed); }
  Emissions& all() { return alone_ ? own_ : everyones_; }

  Simulation::Impl& s_;
  Recorder* const recorder_;  ///< on rank 0, or null
  const RunHooks& hooks_;
  const bool first_rank_, alone_;
  const std::uint32_t replicas_;
  /// Which spikes are logged: by family, then by population, and by id where only some are.
  std::vector<std::vector<const SpikeRecording*>> recordings_;

  // What lasts.
  Clock::time_point begin_ = Clock::now(), last_progress_ = begin_, last_flush_ = begin_,
                    last_checkpoint_ = begin_;
  Actions actions_;
  Tick next_checkpoint_ = never;
  std::uint64_t clock_turn_ = 0, deliveries_ = 0;

  // Of one window.
  Tick from_, to_ = 0;
  Tick next_ = never;       ///< nothing happens between this window and it
  Head head_{};             ///< of this rank; after the exchange, of all
  bool look_ = false;       ///< is the clock asked in this window?  It may take less time than that
  bool scheduled_ = false;  ///< does anything of the schedule or the log happen?
  std::vector<Action> planned_, with_posted_;
  std::span<const Action> due_;  ///< in time order
  Emissions own_, everyones_;
  bool distinct_ = true;  ///< no two emissions of one neuron at one tick
  std::vector<Spike> drawn_, logged_;
};

}  // namespace spinet
