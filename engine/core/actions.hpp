// What happens by order of the schedule and of the log, in time order, made as it is asked for: a report of millions of
// frames is one entry here.
#pragma once
#include <cstdint>
#include <vector>

#include "network/checked.hpp"

namespace spinet {

/// What happens at a tick by order of the schedule or the log, the same on all ranks.
struct Action {
  Tick tick;
  const ScheduledControl* control;  ///< or null
  std::int32_t report;   ///< index in Network::reports, or -1
  std::int32_t weights;  ///< index in Network::weights, or -1
  std::int32_t events = -1;  ///< index in Network::weight_events, or -1
  bool all = false;          ///< of them, all values; else those that have changed
  std::int32_t replica = -1;  ///< of a control: those whom it concerns, or -1: all
  bool complete = true;       ///< of a setting: the model hears of it and of those before it (see `mark_complete`)
};

/// Those of a network.  Within a tick: the schedule's in its order, then reports, weights and weight events, each in the
/// order of the network; so a report shows what the schedule has set.
class Actions {
 public:
  Actions() = default;
  /// From tick `from` on.  `network` must outlive it.
  Actions(const Network& network, Tick from);
  /// Tick of the next one; `never` after the last.
  Tick next() const;
  /// Appends all before tick `to`.
  void take(Tick to, std::vector<Action>& out);

 private:
  /// An action that comes again and again: `action.tick` is its next time.
  struct Series {
    Action action;
    std::size_t order;  ///< within a tick
    Tick every, end;    ///< it happens at action.tick, action.tick + every, ... < end
    const std::vector<Tick>* at;  ///< of weight events at given times: the times, and `every` is not used
    std::size_t next_at = 0;
  };
  void add(const Series& s);
  void add_weight_events(std::uint32_t w, std::size_t order, Tick from);
  void start_scheduled(Tick from);
  static bool later(const Series& a, const Series& b) {
    return a.action.tick != b.action.tick ? a.action.tick > b.action.tick : a.order > b.order;
  }
  bool advance(Series& s) const;
  const Network* network_ = nullptr;
  std::size_t next_scheduled_ = 0;  ///< entries of the schedule before it have begun
  std::vector<Series> series_;      ///< a heap, the next one first
};

}  // namespace spinet
