// The input that a block draws itself.  Where a superposable population drives its targets one to one through
// static synapses, the block takes the events of its units as one train, sorted by tick: nothing is exchanged
// and no spike is stored.
#pragma once
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "core/buffer.hpp"
#include "core/input/source.hpp"
#include "network/checked.hpp"
#include "spinet/neuron.hpp"

namespace spinet {

/// A key that ends every train.
inline constexpr std::uint32_t last_key = 0xFFFFFFFFu;

/// Arrivals of a slab of time at one port, sorted by tick, and how far they have been taken.
class SortedTrain {
 public:
  explicit SortedTrain(std::uint32_t port) : port_(port) { keys_.push_back(last_key); }
  std::uint32_t port() const { return port_; }
  /// The rest of the present slab, to be taken up to (not including) tick `to`.
  Train train(Tick to) const;
  void taken(std::uint32_t n) { at_ += n; }
  /// Number of keys of the present slab that have not been taken, and the tick of their first, or `never`.
  std::size_t left() const { return drawn_ - at_; }
  Tick next_left() const { return keys_[at_] == last_key ? never : base_ + (keys_[at_] >> 16); }

 protected:
  /// By target, or null: of all it is `weight_`.
  const double* weight_of() const { return one_weight_ ? nullptr : weight_of_.data(); }
  double weight(std::uint32_t target) const { return one_weight_ ? weight_ : weight_of_[target]; }
  void weigh(std::uint16_t target, double weight);
  void all_weighed();
  std::vector<std::uint32_t> keys_;
  std::size_t at_ = 0, drawn_ = 0;  ///< keys of the present slab: taken, in all
  Tick base_ = 0;
  std::uint32_t port_;
  double weight_ = std::numeric_limits<double>::quiet_NaN();

 private:
  std::vector<double> weight_while_adding_;
  /// By target, where weights differ; models may look at any index, pages nobody uses take no memory.
  Buffer<double> weight_of_;
  bool one_weight_ = true;
};

/// The superposed input of one block over one delay and port, where it is taken in order.
class TrainGroup : public SortedTrain {
 public:
  /// Where a group sorts what it has drawn: one for all groups of a rank, of which none needs it for long.
  using Buckets = std::shared_ptr<std::vector<std::uint32_t>>;
  TrainGroup(Tick delay, std::uint32_t port, Tick slab, Buckets buckets)
      : SortedTrain(port), delay_(delay), slab_(slab), buckets_(std::move(buckets)) {}
  bool fits(Tick delay, std::uint32_t port, Tick slab, const std::vector<std::uint16_t>& targets) const;
  /// Adds a unit; `targets[i]` is the block index of the target of the unit's neuron i, or 0xFFFF if it is
  /// elsewhere.
  void add(Source source, std::vector<std::uint16_t> targets, const std::vector<double>& weights);
  void finish();

  /// Tick of the next arrival (`never` while nothing is left before `horizon`); draws slabs as needed.
  Tick next(Tick horizon);
  /// As if everything before tick `at` had been taken.
  void resume(Tick at);

 private:
  void refill();
  struct Input {
    Source source;
    std::vector<std::uint16_t> targets;
    std::uint32_t base;  ///< if contiguous: first target, else 0xFFFFFFFF
  };
  std::vector<Input> inputs_;
  std::vector<bool> used_;
  Tick delay_, slab_, from_ = 0;
  std::uint32_t bucket_size_ = 17;
  Buckets buckets_;
};

}  // namespace spinet
