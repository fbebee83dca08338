// Source populations.  A unit of up to 256 neurons draws its events together (spinet/source.hpp).  Where a superposable
// population drives its targets one to one through static synapses, a block takes the units' events as one sorted train:
// nothing is exchanged and no spike is stored.  Elsewhere the owner of a source emits its spikes like any neuron's.
#pragma once
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "core/pulse.hpp"
#include "core/recorder.hpp"
#include "core/synapses.hpp"
#include "network/checked.hpp"

namespace spinet {

inline constexpr std::uint32_t source_unit = 256;
/// A key that ends every train.
inline constexpr std::uint32_t last_key = 0xFFFFFFFFu;

/// One unit with its parameters over time.
class Source {
 public:
  /// Throws ModelFailure, as `events` does, if the model has rates or events that it may not have.
  Source(const Network& network, std::uint32_t population, std::uint32_t unit);
  /// All events of [from, from + length), length <= 65536, as keys (offset << 16 | neuron); valid until the next call.
  /// Calls must move forwards in time.  Throws ModelFailure.
  std::span<const std::uint32_t> events(Tick from, Tick length);
  /// First tick >= `from` that may have an event.
  Tick next(Tick from) const;
  std::uint32_t size() const { return unit_.size; }
  const Population& population() const { return network_->populations[population_]; }
  /// Ticks drawn at once: a power of two, fixed by the network, so that a block's units sort into one train.  At most
  /// `shortest_frame`, so that a train lies in two frames at most.
  static Tick slab(const Network& network, Tick shortest_frame);

 private:
  struct Change {
    Tick tick;
    std::uint32_t first, count;  ///< neurons of the unit
    const Field* field;
    double value;
  };
  void apply(const Change& c);
  void generate(Tick from, Tick length, EventSink& sink);
  const Network* network_;
  std::uint32_t population_, first_;  ///< index of the population, and in it of the unit's first neuron
  SourceUnit unit_{};
  std::vector<std::byte> params_;
  std::vector<ListedSpike> listed_;
  std::vector<Change> changes_;
  std::size_t next_change_ = 0;
  const SourceTable* table_;
  std::vector<std::uint32_t> keys_;
};

/// Is projection `p` taken as a superposed train?
bool is_superposed(const Network& network, const Projection& p);

/// The superposed input of one block over one delay and port.
class TrainGroup {
 public:
  /// Where a group sorts what it has drawn: one for all groups of a rank, of which none needs it for long.
  using Buckets = std::shared_ptr<std::vector<std::uint32_t>>;
  TrainGroup(Tick delay, std::uint32_t port, Tick slab, Buckets buckets)
      : delay_(delay), slab_(slab), port_(port), buckets_(std::move(buckets)) {
    keys_.push_back(last_key);
  }
  std::uint32_t port() const { return port_; }
  bool fits(Tick delay, std::uint32_t port, Tick slab, const std::vector<std::uint16_t>& targets) const;
  /// Adds a unit; `targets[i]` is the block index of the target of the unit's neuron i, or 0xFFFF if it is elsewhere.
  void add(Source source, std::vector<std::uint16_t> targets, const std::vector<double>& weights);
  void finish();

  /// Tick of the next arrival (`never` while nothing is left before `horizon`); draws slabs as needed.
  Tick next(Tick horizon);
  /// The rest of the present slab, to be taken up to (not including) tick `to`.
  Train train(Tick to) const;
  void taken(std::uint32_t n) { at_ += n; }
  /// Number of keys of the present slab that have not been taken.
  std::size_t left() const { return drawn_ - at_; }
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
  std::vector<double> weight_while_adding_;
  Buffer<double> weight_of_;  ///< by target, where weights differ; models may look at any index, pages nobody uses take no memory
  bool one_weight_ = true;
  double weight_ = std::numeric_limits<double>::quiet_NaN();
  Tick delay_, slab_, from_ = 0, base_ = 0;
  std::uint32_t port_;
  std::uint32_t bucket_size_ = 17;
  Buckets buckets_;
  std::vector<std::uint32_t> keys_;
  std::size_t at_ = 0, drawn_ = 0;  ///< keys of the present slab: taken, in all
};

/// Sources whose spikes this rank emits into the exchange.
class Emitter {
 public:
  /// `own[i]`: neuron i of the unit belongs to this rank.
  Emitter(Source source, Gid first, std::vector<bool> own, Tick slab)
      : source_(std::move(source)), first_(first), own_(std::move(own)), slab_(slab) {}
  /// First tick >= `from` that may have a spike.
  Tick next() const;
  /// Appends the spikes in [begin of what is left, to), unsorted.
  void emit(Tick to, std::vector<Spike>& out, Heart& heart);
  /// As if everything before tick `at` had been emitted.
  void resume(Tick at, Heart& heart);

 private:
  Source source_;
  Gid first_;
  std::vector<bool> own_;
  Tick slab_, from_ = 0;
  std::vector<Spike> left_;  ///< drawn, not yet due
};

}  // namespace spinet
