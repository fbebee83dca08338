// Stimuli at synapses, and parameters that the schedule sets.
#pragma once
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "core/actions.hpp"
#include "core/block/members.hpp"
#include "core/block/slices.hpp"
#include "core/block/watched.hpp"
#include "core/pulse.hpp"

namespace spinet {

class Controls {
 public:
  /// All must outlive it.
  Controls(const Network& network, Members& members, SliceViews& slices, Watched& watched, Heart& heart);
  /// Does any synapse hear what environments post?
  bool any() const { return !controlled_.empty(); }
  /// Hands a stimulus to the synapses that it is addressed to and whose model answers it; to all (of its
  /// replica, if it concerns one) if it has no address.  What it costs goes by how many those are.
  void hand_over(const ScheduledControl& s, Tick tick);
  /// Neurons have changed otherwise than by time: what was read of them does not hold any more.
  void forget_reads() { values_at_ = -1; }
  /// A parameter of the synapses of a projection; their model hears of it where that is `complete`,
  /// together with those before it.  What they have not taken in yet of the time before is theirs with the
  /// old parameters.
  void set(const Ordered& o, Tick tick);
  /// What a `set` before a checkpoint has left, at its time `tick`; the states come from there.
  void restore_set(const ScheduledControl& s, Tick tick);

 private:
  struct Controlled {
    std::uint32_t slice, store;
    Gid source;
    const SynapseTable* table;
    std::size_t behind;  ///< the stretch of slices with this table ends there
  };
  /// A synapse by its slice and number in it.
  struct Spot {
    std::uint32_t slice, index;
  };
  using Piece = Watched::Piece;
  /// Where the synapses of each target lie; made for a store when a column of it is addressed first, 8 bytes
  /// a synapse.
  struct ByTarget {
    std::vector<std::uint32_t> first;  ///< by target, and the end
    std::vector<Spot> spots;           ///< by slice
  };
  /// A stimulus on its way to a model, which knows it by a number of its own.
  struct Sent {
    Tick tick;
    const Stimulus& stimulus;
    Control control;
  };
  void number_replicas();
  void prepare_reads();
  void read_targets(Tick tick);
  void count(const ScheduledControl& s, Tick tick);
  bool answered(const SynapseTable& table, Sent& sent) const;
  void to_everyone(Sent& sent, std::int32_t replica);
  void to_projection(Sent& sent, std::uint32_t store);
  void to_row(Sent& sent, std::uint32_t store, Gid source);
  void to_column(Sent& sent, std::uint32_t store, Gid target);
  void to_pairs(Sent& sent, const Pairs& pairs);
  void to_place(Sent& sent, const Place& place);
  void to_some(std::span<const Controlled> some, const Sent& sent);
  void to_spots(std::uint32_t store, std::span<const Spot> spots, const Sent& sent);
  void to_pieces(std::uint32_t store, std::span<const Piece> pieces, const Sent& sent);
  void to_cross_points(const Sent& sent, std::uint32_t store, const CrossPoints& at);
  void choose_lines(const CrossPoints& at);
  enum class RowIs { other, chosen };
  void split(std::uint32_t slice, RowIs row, Scheme scheme);
  void rest_of_columns(std::uint32_t store);
  const ByTarget& by_target(std::uint32_t store);
  std::uint32_t store_of(std::uint32_t projection) const { return store_of_projection_[projection]; }
  Store* set_store(const ScheduledControl& s);

  const Network& network_;
  Members& members_;
  SliceViews& slices_;
  BlockSynapses& synapses_;
  Watched& watched_;
  Heart& heart_;
  std::vector<Controlled> controlled_;   ///< slices whose model hears control events, by replica
  std::vector<std::size_t> of_replica_;  ///< where each replica's begin in it, and the end
  std::vector<std::uint32_t> drawing_;   ///< stores whose models draw random numbers and hear control events
  std::vector<std::uint32_t> store_of_projection_;  ///< the number of stores where a projection has none
  std::vector<std::vector<Controlled>> of_store_;   ///< the same by store
  std::vector<ByTarget> by_target_;                 ///< by store
  const Slice* shown_[SliceViews::most_at_once] = {};
  std::vector<Slice> parts_;  ///< pieces of slices, as slices
  std::vector<Spot> spots_;
  std::vector<Piece> pieces_, felt_[3];      ///< felt_: by `Lines`
  std::vector<std::uint8_t> column_chosen_;  ///< by target here
  std::vector<std::uint32_t> columns_;       ///< those that are
  /// Of rows that are: from, to; ascending.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> row_slices_;
  std::vector<std::vector<double>> values_;                  ///< by variable of the neurons: what rules read
  std::vector<std::vector<const double*>> values_of_store_;  ///< by store and number in its `reads`; or empty
  Tick values_at_ = -1;                                      ///< for which tick `values_` have been read
};

}  // namespace spinet
