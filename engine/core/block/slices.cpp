#include "core/block/slices.hpp"

#include <algorithm>
#include <cstring>

#include "connect/draws.hpp"
#include "network/lookup.hpp"

namespace spinet {
namespace {

/// The neuron's gid as random numbers count it.
Gid drawn_as(const Network& net, Gid gid) {
  if (net.replica_count() == 1) return gid;
  const std::uint32_t p = population_of(net, gid);
  return net.population_identity(p).first + (gid - net.populations[p].first);
}

/// The key of event `k` of a tick at a slice whose first event has `first`: each draws anew.  No tick is -1.
RandomKey key_of_event(RandomKey first, std::uint32_t k) {
  if (k == 0) return first;
  const auto w = draw(first, k, ~std::uint64_t{0});
  return {w[0], w[1]};
}

}  // namespace

SliceViews::SliceViews(const Network& network, const NeuronTable& table, const NeuronBlock& block,
                       BlockSynapses& synapses, const Histories& histories)
    : network_(network), table_(table), block_(block), synapses_(synapses), histories_(histories) {
  const Fields& variables = table_.model.variables;
  for (const Store& store : synapses_.stores()) {
    values_.push_back(nullptr);
    auto& reads = reads_.emplace_back();
    for (std::uint32_t k = 0; k < store.table->read_count; ++k) {
      std::uint32_t v = 0;
      while (v < variables.count && std::strcmp(variables.data[v].name, store.table->reads[k])) ++v;
      reads.push_back(v);  // of a store without synapses here it may be none
    }
  }
}

void SliceViews::keep_all() {
  const auto& stores = synapses_.stores();
  const bool any_draws =
      std::any_of(stores.begin(), stores.end(), [](const Store& x) { return x.table->draws != 0; });
  std::vector<Slice> all;
  for (std::uint32_t s = 0; s < synapses_.slice_count(); ++s) {
    all.push_back(view(s, synapses_.source_of(s), 0, 1));
    if (any_draws) keys_.push_back(all.back().random);
  }
  all_ = std::move(all);
}

void SliceViews::set_values(std::uint32_t k, const double* const* values) {
  values_[k] = values;
  for (std::uint32_t s = 0; s < all_.size(); ++s)
    if (synapses_.slice(s).store == k) all_[s].values = values;
}

Slice SliceViews::view(std::uint32_t s, Gid source, Tick tick, double payload) const {
  const SliceEntry& e = synapses_.slice(s);
  Store& store = synapses_.stores()[e.store];
  Slice slice{};
  slice.tick = tick;
  slice.delay = network_.delay_resolution * synapses_.delay_steps(s);
  slice.payload = payload;
  slice.count = e.count;
  slice.source = drawn_as(network_, source);
  slice.targets = store.targets.data() + e.begin;
  slice.state = store.state.data() + e.begin * store.table->state_size;
  if (store.table->slice_state_size) slice.slice_state = synapses_.slice_state(s);
  slice.shared = store.shared.data();
  if (const PostHistories* const h = histories_.of(e.store)) {
    slice.history = h->heads();
    slice.base = h->base();
  }
  slice.gids = block_.gids;
  if (store.table->draws) {
    slice.copies = store.copies.data() + e.begin;
    const auto w = draw(store.random, slice.source, synapses_.delay_steps(s));
    slice.random = {w[0], w[1]};
  }
  slice.neuron = &table_;
  slice.block = &block_;
  slice.reads = reads_[e.store].data();
  slice.values = values_[e.store];
  slice.run = block_.run;
  slice.extras = store.table->extras;
  slice.params = store.params.data();
  return slice;
}

// What a key counts are events of one source, delay and projection, the same in all blocks: one source's
// slice of a projection may lie in several.
void SliceViews::key_arrival(std::uint32_t s, Slice& slice) {
  if (last_.tick == slice.tick && last_.slice == s) ++last_.before;
  else last_ = {slice.tick, s, 0};
  const Store& store = synapses_.stores()[synapses_.slice(s).store];
  const std::uint32_t controls = store.controlled_at == slice.tick ? store.controls : 0;
  slice.random = key_of_event(keys_.empty() ? slice.random : keys_[s], controls + last_.before);
}

void SliceViews::key_control(std::uint32_t s, Slice& slice) {
  const Store& store = synapses_.stores()[synapses_.slice(s).store];
  slice.random = key_of_event(keys_.empty() ? slice.random : keys_[s], store.controls - 1);
}

}  // namespace spinet
