// The synapses that end in one block, as slices: the unit of delivery.  A *store* holds the synapses of one plugin, one
// parameter set and one port (several projections, if they are static); within a store they lie by (source gid, delay, projection, target run,
// draw).  Slices are numbered by (source gid, store, delay): the order of arrivals within a tick.
#pragma once
#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/buffer.hpp"
#include "core/connect.hpp"
#include "core/partition.hpp"
#include "network/checked.hpp"

namespace spinet {

/// Where this rank keeps its neurons: gid -> (block, index in the block).
class Locator {
 public:
  static constexpr std::uint32_t nowhere = 0xFFFFFFFFu;
  struct Place {
    std::uint32_t block = nowhere;
    std::uint32_t first = 0;  ///< index in the block of the run's first neuron
  };
  Locator(const Partition& partition) : partition_(partition), places_(partition.runs().size()) {}
  void place(std::uint32_t run, Place p) { places_[run] = p; }
  /// Index of `gid` in `block`, or `nowhere`.
  std::uint32_t in_block(Gid gid, std::uint32_t block) const {
    const std::uint32_t run = partition_.run_of(gid);
    return places_[run].block == block ? places_[run].first + (gid - partition_.runs()[run].first) : nowhere;
  }
  Place of_run(std::uint32_t run) const { return places_[run]; }

 private:
  const Partition& partition_;
  std::vector<Place> places_;
};

struct SliceEntry {
  std::uint64_t begin;  ///< first synapse in the store
  std::uint32_t count;
  std::uint32_t store;
};

struct Store {
  const SynapseTable* table;
  std::uint32_t port;
  bool uniform;      ///< all weights are `weight`: no state at all
  double weight;
  std::vector<std::byte> params;  ///< as the schedule has left them
  Buffer<std::byte> shared;  ///< made of them; aligned to cache lines, as models expect
  std::vector<std::uint32_t> projections;
  Buffer<std::uint16_t> targets;
  Buffer<std::byte> state;
  Buffer<std::byte> slice_state;  ///< of its slices, if the model has any
  Buffer<std::uint8_t> copies;    ///< if the model draws: which of several synapses of one source, delay and target
  RandomKey random;               ///< of the projection
  Tick controlled_at = -1;        ///< of the last control event addressed to synapses of it, if the model draws
  std::uint32_t controls = 0;     ///< control events of that tick so far
  double sign = 1;                ///< of the projection: -1: weights are magnitudes that arrive as negative ones
  int weight_sign = 0;            ///< that weights have before it, since their port has one; 0: any
  double gain = 1;                ///< sign times what the schedule has made of the weights; 0: nothing arrives
  double post_tau = -1, pre_tau = 0;  ///< ms; post_tau negative: reads no history
  std::uint32_t most_delay = 0;   ///< steps
  const std::byte* state_of(std::uint64_t i) const { return state.data() + i * table->state_size; }
};

/// A projection's plan shared by all blocks: connector, delays, weights.
struct Wiring {
  Wiring(const Network& network, std::uint32_t index, const std::atomic<bool>* stop = nullptr);
  Connector connector;
  DelaySampler delay;
  std::vector<Sampler> state;
  RandomKey variable_key;
  double weight_of(const DrawnEdge& e) const;
  std::uint32_t delay_steps(const DrawnEdge& e, Tick resolution) const;
  /// The projection's steps of delay, at least and at most (explicit lists included).
  std::uint32_t least_delay, most_delay;
};

/// What the edges of a projection hold at t = 0, for the log.
class InitialState {
 public:
  InitialState(const Network& network, std::uint32_t projection, const Wiring& wiring);
  ~InitialState();
  /// The weight of an edge of the run of targets `run` (NaN: the model needs its targets to tell); appends its values of
  /// `edge_variables`.
  double of(const DrawnEdge& e, std::uint32_t run, std::vector<double>& values);

 private:
  const Network& net_;
  const Wiring& wiring_;
  std::vector<std::uint32_t> variables_;
  bool weight_given_ = true, weight_known_ = true;
  std::unique_ptr<Store> store_;  ///< without synapses
  std::vector<std::byte> state_, slice_state_;
};

class BlockSynapses {
 public:
  /// Builds all slices of `block`.  `superposed[p]`: projection p is not wired here (see superposed.hpp).
  BlockSynapses(const Network& network, const std::vector<std::unique_ptr<Wiring>>& wirings, const std::vector<bool>& superposed,
           const Locator& locator, std::uint32_t block);

  /// Calls f(edge, index of its target in the projection, position in its store) for the edges of projection `p` that end
  /// here, in the order of the draws: by target run, then draw.
  using EdgeVisitor = std::function<void(const DrawnEdge&, std::uint32_t, std::uint32_t)>;
  void edges_of(std::uint32_t p, const Network& network, const std::vector<std::unique_ptr<Wiring>>& wirings, const Locator& locator,
                std::uint32_t block, const EdgeVisitor& f) const;
  /// Store of projection `p`, or `stores().size()`.
  std::uint32_t store_of(std::uint32_t p) const;
  Gid source_of(std::uint32_t s) const {
    return static_cast<Gid>(std::upper_bound(first_.data(), first_.data() + first_.size(), s) - first_.data() - 1);
  }
  std::uint32_t slices_begin(Gid source) const { return first_[source]; }
  std::uint32_t slices_end(Gid source) const { return first_[source + 1]; }
  const SliceEntry& slice(std::uint32_t s) const { return slices_[s]; }
  std::uint32_t delay_steps(std::uint32_t s) const { return delays_[s]; }
  /// Where slice `s` has its `SliceState`; of models that have one.
  std::byte* slice_state(std::uint32_t s) {
    Store& store = stores_[slices_[s].store];
    return store.slice_state.data() + std::uint64_t{number_[s]} * store.table->slice_state_size;
  }
  const std::byte* slice_state(std::uint32_t s) const { return const_cast<BlockSynapses*>(this)->slice_state(s); }
  std::uint32_t slice_count() const { return static_cast<std::uint32_t>(slices_.size()); }
  std::vector<Store>& stores() { return stores_; }
  const std::vector<Store>& stores() const { return stores_; }
  std::uint64_t synapse_count() const { return synapses_; }
  std::uint64_t bytes() const;
  std::uint32_t longest_slice() const { return longest_; }
  void prefetch_entry(std::uint32_t s) const { __builtin_prefetch(&slices_[s]); }
  void prefetch_data(std::uint32_t s) const {
    const SliceEntry& e = slices_[s];
    const Store& store = stores_[e.store];
    const char* t = reinterpret_cast<const char*>(store.targets.data() + e.begin);
    for (std::uint32_t b = 0; b < 2 * e.count && b < 512; b += 64) __builtin_prefetch(t + b);
    if (store.uniform) return;
    const char* w = reinterpret_cast<const char*>(store.state_of(e.begin));
    const std::uint64_t bytes = std::uint64_t{e.count} * store.table->state_size;
    for (std::uint32_t b = 0; b < bytes && b < 1024; b += 64) __builtin_prefetch(w + b);
  }

 private:
  struct Part;  // one store's slices while building
  std::vector<Store> stores_;
  Buffer<std::uint32_t> first_;
  Buffer<SliceEntry> slices_;
  Buffer<std::uint32_t> delays_;
  Buffer<std::uint32_t> number_;  ///< among the slices of its store; empty if no model has a `SliceState`
  std::uint64_t synapses_ = 0;
  std::uint32_t longest_ = 0;
};

}  // namespace spinet
