// The superposed input of a block: trains that it draws itself, and how its neurons take them.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/block/faults.hpp"
#include "core/block/requests.hpp"
#include "core/input/train.hpp"

namespace spinet {

class DrawnInput {
 public:
  /// All must outlive it.
  DrawnInput(NeuronBlock& block, const NeuronTable& table, Requests& requests, const Faults& faults,
             std::vector<TrainGroup> trains)
      : block_(block), table_(table), requests_(requests), faults_(faults), trains_(std::move(trains)) {}
  bool empty() const { return trains_.empty(); }
  /// Tick of the next arrival, `never` if there is none before `horizon`; draws as far as needed to know.
  Tick next(Tick horizon) {
    Tick soonest = never;
    for (auto& t : trains_) soonest = std::min(soonest, t.next(horizon));
    return soonest;
  }
  /// The neurons take some of the arrivals before `until`, of the train that is first, up to the next of the
  /// others.  There is one at `next(until)`, and that may be the last that is taken: they stop where one asks
  /// for something.
  void take_before(Tick until);
  /// They take all of tick `now`, before which none is left.
  void take_at(Tick now);
  /// As if everything before tick `at` had been taken.
  void resume(Tick at) {
    for (auto& t : trains_) t.resume(at);
  }
  std::uint64_t arrivals = 0;  ///< so far

 private:
  void take(TrainGroup& train, Tick until, Tick soonest);
  NeuronBlock& block_;
  const NeuronTable& table_;
  Requests& requests_;
  const Faults& faults_;
  std::vector<TrainGroup> trains_;
};

}  // namespace spinet
