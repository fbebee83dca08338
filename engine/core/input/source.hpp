// One unit of a source population: up to 256 neurons that draw their events together (spinet/source.hpp),
// whoever owns them.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "network/checked.hpp"
#include "spinet/source.hpp"
#include "spinet/time.hpp"

namespace spinet {

inline constexpr std::uint32_t source_unit = 256;

/// One unit with its parameters over time.
class Source {
 public:
  /// Throws ModelFailure, as `events` does, if the model has rates or events that it may not have.
  Source(const Network& network, std::uint32_t population, std::uint32_t unit);
  /// All events of [from, from + length), length <= 65536, as keys (offset << 16 | neuron); valid until the
  /// next call. Calls must move forwards in time.  Throws ModelFailure.
  std::span<const std::uint32_t> events(Tick from, Tick length);
  /// First tick >= `from` that may have an event.
  Tick next(Tick from) const;
  std::uint32_t size() const { return unit_.size; }
  const Population& population() const { return network_->populations[population_]; }
  /// Ticks drawn at once: a power of two, fixed by the network, so that a block's units sort into one train.
  /// At most `shortest_frame`, so that a train lies in two frames at most.
  static Tick slab(const Network& network, Tick shortest_frame);
  /// Most events per tick of one neuron of a source population.  Throws ModelFailure.
  static double peak_rate(const Network& network, std::uint32_t population);

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

}  // namespace spinet
