// What plastic synapses may still ask of the neurons of a block: their spikes, with traces, for each pair of
// time constants.
#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "core/block/history.hpp"
#include "core/block/synapses.hpp"
#include "core/pulse.hpp"

namespace spinet {

class SliceViews;

/// A postsynaptic spike in a checkpoint.
struct PastSpike {
  Tick tick;
  double trace;
  Gid gid;
  std::uint32_t reserved;
};

class Histories {
 public:
  /// Of `neurons` neurons, for the stores whose models look back.
  void make(const BlockSynapses& synapses, std::uint32_t neurons, const Network& network);
  bool empty() const { return all_.empty(); }
  /// What the synapses of store `k` look at, or null.
  const PostHistories* of(std::uint32_t k) const {
    return of_store_[k] < all_.size() ? &all_[of_store_[k]] : nullptr;
  }
  /// A spike of neuron `j`.
  void add(std::uint32_t j, Tick tick) {
    for (auto& h : all_) {
      h.rebase(tick);
      h.add(j, tick);
      trim_at_ = std::min(trim_at_, h.due());
    }
  }
  /// Called before anything is done at `tick` but a trim that is due.
  void rebase(Tick tick) {
    for (auto& h : all_) h.rebase(tick);
  }
  /// When the next trim is due; `never` without spikes.
  Tick trim_at() const { return trim_at_; }
  /// Has the synapses take in what is there, so that it can be forgotten.
  void trim(Tick tick, SliceViews& slices, Heart& heart);
  /// The same for all synapses as an event at `tick` would, whatever is due; nothing is forgotten.
  void settle(Tick tick, SliceViews& slices);

  /// Spikes with traces of the time constant `tau` (ticks), or nothing.
  std::vector<PastSpike> save(double tau, std::span<const Gid> gids) const;
  /// As at the begin of tick `at`, without spikes; `restore` brings those of neuron `j` back, then `restored`
  /// ends it.
  void restart(Tick at);
  void restore(double tau, std::uint32_t j, const PastSpike& p);
  void restored(Tick at);
  std::uint64_t bytes() const;

 private:
  std::vector<PostHistories> all_;
  std::vector<std::uint32_t> of_store_;  ///< index in `all_`, or past its end
  Tick trim_at_ = never;
  Tick longest_delay_ = 0;  ///< of synapses that look back
};

}  // namespace spinet
