// The synapses that end in one block, as slices: the unit of delivery.  A *store* holds the synapses of one
// plugin, one parameter set and one port (several projections, if they are static); within a store they lie
// by (source gid, delay, projection, target stretch, draw).  Slices are numbered by (source gid, store,
// delay): the order of arrivals within a tick.
#pragma once
#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/block/wiring.hpp"
#include "core/buffer.hpp"
#include "network/checked.hpp"

namespace spinet {

struct SliceEntry {
  std::uint64_t begin;  ///< first synapse in the store
  std::uint32_t count;
  std::uint32_t store;
};

struct Store {
  const SynapseTable* table;
  std::uint32_t port;
  bool uniform;  ///< all weights are `weight`: no state at all
  double weight;
  /// Weights that synapses of the projection share, on the whole rank; synapse i takes that of number
  /// which[i]. Null: each has its own.
  const float* shared_weights = nullptr;
  Buffer<std::uint32_t> which{};
  /// Have its synapses no state of their own?
  bool stateless() const { return uniform || shared_weights; }
  /// The weight of such a synapse.
  double weight_at(std::uint64_t i) const {
    return uniform ? weight : static_cast<double>(shared_weights[which[i]]);
  }
  std::vector<std::byte> params;         ///< in force
  std::vector<std::byte> next_params{};  ///< as the schedule has set them so far at the present tick
  Buffer<std::byte> shared;              ///< made of them; aligned to cache lines, as models expect
  std::vector<std::uint32_t> projections;
  Buffer<std::uint16_t> targets;
  Buffer<std::byte> state;
  Buffer<std::byte> slice_state;  ///< of its slices, if the model has any
  /// If the model draws: which of several synapses of one source, delay and target.
  Buffer<std::uint8_t> copies;
  RandomKey random;            ///< of the projection
  Tick controlled_at = -1;     ///< of the last control event addressed to synapses of it, if the model draws
  std::uint32_t controls = 0;  ///< control events of that tick so far
  double sign = 1;             ///< of the projection: -1: weights are magnitudes that arrive as negative ones
  int weight_sign = 0;         ///< that weights have before it, since their port has one; 0: any
  double post_tau = -1, pre_tau = 0;  ///< ms; post_tau negative: reads no history
  std::uint32_t most_delay = 0;       ///< steps
  const std::byte* state_of(std::uint64_t i) const { return state.data() + i * table->state_size; }
};

class BlockSynapses {
 public:
  /// Builds all slices of the block.  `superposed[p]`: projection p is not wired here (see superposed.hpp).
  BlockSynapses(const BlockEdges& from, const std::vector<bool>& superposed);

  /// Calls f(edge, index of its target in the projection, position in its store) for the edges of projection
  /// `p` that end here, in the order of the draws: by target stretch, then draw.  `all` is what this was
  /// built of.
  using EdgeVisitor = std::function<void(const DrawnEdge&, std::uint32_t, std::uint32_t)>;
  void edges_of(std::uint32_t p, const BlockEdges& all, const EdgeVisitor& f) const;
  /// Is there a synapse of projection `p` from `source` to the neuron with this index in the block?
  bool connects(std::uint32_t p, Gid source, std::uint32_t target) const;
  /// Store of projection `p`, or `stores().size()`.
  std::uint32_t store_of(std::uint32_t p) const;
  Gid source_of(std::uint32_t s) const {
    return static_cast<Gid>(std::upper_bound(first_.data(), first_.data() + first_.size(), s) -
                            first_.data() - 1);
  }
  std::uint32_t slices_begin(Gid source) const { return first_[source]; }
  std::uint32_t slices_end(Gid source) const { return first_[source + 1]; }
  /// The first slice of each source, and the end: where it would be looked up often.
  const std::uint32_t* slices_of_sources() const { return first_.data(); }
  const SliceEntry& slice(std::uint32_t s) const { return slices_[s]; }
  std::uint32_t delay_steps(std::uint32_t s) const { return delays_[s]; }
  /// Where slice `s` has its `SliceState`; of models that have one.
  std::byte* slice_state(std::uint32_t s) {
    Store& store = stores_[slices_[s].store];
    return store.slice_state.data() + std::uint64_t{number_[s]} * store.table->slice_state_size;
  }
  const std::byte* slice_state(std::uint32_t s) const {
    return const_cast<BlockSynapses*>(this)->slice_state(s);
  }
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
    if (store.stateless()) return;
    const char* w = reinterpret_cast<const char*>(store.state_of(e.begin));
    const std::uint64_t bytes = std::uint64_t{e.count} * store.table->state_size;
    for (std::uint32_t b = 0; b < bytes && b < 1024; b += 64) __builtin_prefetch(w + b);
  }

 private:
  struct Part;  // one store's slices while building
  void put_into_store(const Network& network, std::uint32_t p, const Wiring& wiring);
  void fill(const BlockEdges& from, std::uint32_t k, Part& part);
  template <class Visit>
  void write(const BlockEdges& from, const Part& part, const Visit& visit);
  template <class Visit>
  void share(const BlockEdges& from, const Part& part, const Visit& visit);
  void count_copies(const Network& network, const Part& part);
  void number_slices(const Network& network, const std::vector<Part>& parts);
  std::vector<Store> stores_;
  Buffer<std::uint32_t> first_;
  Buffer<SliceEntry> slices_;
  Buffer<std::uint32_t> delays_;
  Buffer<std::uint32_t> number_;  ///< among the slices of its store; empty if no model has a `SliceState`
  std::uint64_t synapses_ = 0;
  std::uint32_t longest_ = 0;
};

}  // namespace spinet
