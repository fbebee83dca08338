// The slices of a block as synapse models see them (spinet::Slice).
#pragma once
#include <cstdint>
#include <vector>

#include "core/block/histories.hpp"
#include "core/block/synapses.hpp"
#include "network/checked.hpp"

namespace spinet {

class SliceViews {
 public:
  static constexpr std::uint32_t most_at_once = 256;  ///< slices that are handed to a model in one call
  /// All must outlive it.
  SliceViews(const Network& network, const NeuronTable& table, const NeuronBlock& block,
             BlockSynapses& synapses, const Histories& histories);
  /// From here on views are not made when they are asked for: all are there, 192 bytes for each slice.
  void keep_all();
  /// How many may be asked for before the first no longer holds.
  std::uint32_t at_once() const { return all_.empty() ? scratch_size : most_at_once; }

  /// Slice `s` as an event at `tick` meets it.  Holds until `at_once()` further ones have been asked for.
  Slice& at(std::uint32_t s, Tick tick, double payload) {
    if (!all_.empty()) return kept(s, tick, payload);
    return fresh(s, synapses_.source_of(s), tick, payload);
  }
  /// The same where the source is known.
  Slice& at(std::uint32_t s, Gid source, Tick tick, double payload) {
    if (!all_.empty()) return kept(s, tick, payload);
    return fresh(s, source, tick, payload);
  }
  /// Gives the slice of an arrival the key of its random numbers: that of its place among the events of its
  /// tick.
  void key_arrival(std::uint32_t s, Slice& slice);
  /// The same for a control event that the store has counted.
  void key_control(std::uint32_t s, Slice& slice);

  /// From here on `values` is there for the models of store `k`.
  void set_values(std::uint32_t k, const double* const* values);

  BlockSynapses& synapses() const { return synapses_; }
  /// Index in the targets' variables of each that the models of store `k` read.
  const std::vector<std::uint32_t>& reads(std::uint32_t k) const { return reads_[k]; }

 private:
  static constexpr std::uint32_t scratch_size = 8;
  Slice& kept(std::uint32_t s, Tick tick, double payload) {
    Slice& slice = all_[s];
    slice.tick = tick;
    slice.payload = payload;
    if (slice.history) slice.base = histories_.of(synapses_.slice(s).store)->base();
    return slice;
  }
  Slice& fresh(std::uint32_t s, Gid source, Tick tick, double payload) {
    Slice& slice = scratch_[turn_++ % scratch_size];
    slice = view(s, source, tick, payload);
    return slice;
  }
  Slice view(std::uint32_t s, Gid source, Tick tick, double payload) const;

  const Network& network_;
  const NeuronTable& table_;
  const NeuronBlock& block_;
  BlockSynapses& synapses_;
  const Histories& histories_;
  std::vector<std::vector<std::uint32_t>> reads_;  ///< by store
  std::vector<const double* const*> values_;       ///< by store, or null
  std::vector<Slice> all_;                         ///< where they are kept: all but tick and payload
  std::vector<RandomKey> keys_;  ///< of these, of the first event of a tick; where any model draws
  Slice scratch_[scratch_size];
  std::uint32_t turn_ = 0;
  /// The last arrival at a slice whose model draws random numbers, and how many of its tick were before it.
  /// Those of one tick and slice come one after the other.
  struct Last {
    Tick tick = -1;
    std::uint32_t slice = 0, before = 0;
  };
  Last last_;
};

}  // namespace spinet
