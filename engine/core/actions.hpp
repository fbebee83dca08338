// What happens by order of the schedule and of the log, in time order, made as it is asked for: a report of
// millions of frames is one entry here, and so is a waveform.
#pragma once
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "network/checked.hpp"

namespace spinet {

/// An entry of the schedule, or what an environment has posted, at one of its times.
struct Ordered {
  const ScheduledControl* entry;
  bool complete = true;  ///< of a setting: the model hears of it and of those before it (see `mark_complete`)
  bool operator==(const Ordered&) const = default;
};
/// A frame of Network::reports[report].
struct SampleReport {
  std::uint32_t report;
  bool operator==(const SampleReport&) const = default;
};
/// A frame of Network::weights[recording].
struct SampleWeights {
  std::uint32_t recording;
  bool operator==(const SampleWeights&) const = default;
};
/// Values of Network::weight_events[recording]: all, or those that have changed.
struct SampleEvents {
  std::uint32_t recording;
  bool all;
  bool operator==(const SampleEvents&) const = default;
};

/// A variable of neuron j of a block, for who has the block alone (engine/bench).
struct ReadNeuron {
  std::vector<double>* to;
  std::uint32_t j, variable;
  bool operator==(const ReadNeuron&) const = default;
};

/// What happens at a tick, the same on all ranks.
struct Action {
  Tick tick;
  std::variant<Ordered, SampleReport, SampleWeights, SampleEvents, ReadNeuron> what;
  const Ordered* ordered() const { return std::get_if<Ordered>(&what); }
  bool sets() const { return ordered() && ordered()->entry->sets(); }
  bool operator==(const Action&) const = default;
};

/// A model hears of parameters that change at one tick with nothing else between them once, when all have: by
/// the last setting of each address in such a run, which is the `complete` one.
void mark_complete(std::span<Action> actions);

/// Those of a network.  Within a tick: the schedule's in its order, then reports, weights and weight events,
/// each in the order of the network; so a report shows what the schedule has set.
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
    Tick every, end;    ///< of what is sampled: it happens at action.tick, action.tick + every, ... < end
    std::size_t next_at = 0;  ///< of weight events at given times: number of the next one, from 1
    ScheduledControl::Whom whom = ScheduledControl::Whom::all;
  };
  void add(const Series& s);
  void add_weight_events(std::uint32_t w, std::size_t order, Tick from);
  void start_scheduled(Tick from);
  static bool later(const Series& a, const Series& b) {
    return a.action.tick != b.action.tick ? a.action.tick > b.action.tick : a.order > b.order;
  }
  Tick after(Series& s) const;
  const Network* network_ = nullptr;
  std::size_t next_scheduled_ = 0;  ///< entries of the schedule before it have begun
  std::vector<Series> series_;      ///< a heap, the next one first
};

}  // namespace spinet
