// The superposed input of a block: trains that it draws itself, and how its neurons take them.
#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "core/block/faults.hpp"
#include "core/block/requests.hpp"
#include "core/input/train.hpp"
#include "core/input/unordered.hpp"

namespace spinet {

/// The superposed input of a block as it is built.
struct SuperposedInput {
  std::vector<TrainGroup> trains;
  std::optional<UnorderedInput> unordered;
};

class DrawnInput {
 public:
  /// All must outlive it.
  DrawnInput(NeuronBlock& block, const NeuronTable& table, Requests& requests, const Faults& faults,
             SuperposedInput input)
      : block_(block),
        table_(table),
        requests_(requests),
        faults_(faults),
        trains_(std::move(input.trains)),
        unordered_(std::move(input.unordered)) {
    if (unordered_) unordered_->connect(block, table, requests, faults);
  }
  bool empty() const { return trains_.empty() && !unordered_; }
  /// Tick of the next arrival that is taken in order, `never` if there is none before `horizon`; draws as far
  /// as needed to know, but no slab of what is taken without order.
  Tick next(Tick horizon) {
    Tick soonest = unordered_ ? unordered_->next_left() : never;
    for (auto& t : trains_) soonest = std::min(soonest, t.next(horizon));
    return soonest;
  }
  /// Where a slab of unordered input begins or ends next.
  Tick turn() const { return unordered_ ? unordered_->turn() : never; }
  void take_turn(Tick now) { unordered_->take_turn(now); }
  /// What is to come of unordered input at `from` and later comes to these neurons in order.
  void make_exact(std::span<const std::uint32_t> js, Tick from) {
    if (unordered_)
      for (const std::uint32_t j : js) unordered_->make_exact(j, from);
  }
  /// Value of a neuron's variable at the begin of `tick`.
  double read(Tick tick, std::uint32_t j, std::uint32_t variable) {
    return block_.is_virtual(j) ? unordered_->read(tick, j, variable)
                                : table_.read(&block_, tick, j, variable);
  }
  /// The neurons take some of the arrivals before `until`, of the train that is first, up to the next of the
  /// others.  There is one at `next(until)`, and that may be the last that is taken: they stop where one asks
  /// for something.
  void take_before(Tick until);
  /// They take all of tick `now`, before which none is left.
  void take_at(Tick now);
  /// As if everything before tick `at` had been taken; after `restore_virtual` of those that are.
  void resume(Tick at) {
    for (auto& t : trains_) t.resume(at);
    if (unordered_) unordered_->resume(at);
  }
  /// Neuron `j`, exact so far as all are at first, is virtual.
  void restore_virtual(std::uint32_t j) {
    if (unordered_) unordered_->restore_virtual(j);
  }
  /// So far, before tick `at`, up to which all has been done.
  std::uint64_t arrivals(Tick at) const { return in_order_ + (unordered_ ? unordered_->arrivals(at) : 0); }

 private:
  void take(SortedTrain& train, Tick until, Tick soonest);
  NeuronBlock& block_;
  const NeuronTable& table_;
  Requests& requests_;
  const Faults& faults_;
  std::vector<TrainGroup> trains_;
  std::optional<UnorderedInput> unordered_;
  std::uint64_t in_order_ = 0;  ///< arrivals of `trains_`
};

}  // namespace spinet
