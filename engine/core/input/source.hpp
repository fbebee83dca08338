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
  /// An entry of the schedule that sets a parameter of neurons of the unit.
  struct Setting {
    const ScheduledControl* entry;
    std::uint32_t first, count;
    Tick next;  ///< time of the next change; `never` after the last
  };
  Setting* next_setting();
  void apply(Setting& s);
  void compare();
  void generate(Tick from, Tick length, EventSink& sink);
  void thin(Tick from, std::span<std::uint32_t> drawn, EventSink& sink);
  const Network* network_;
  std::uint32_t population_, first_;  ///< index of the population, and in it of the unit's first neuron
  SourceUnit unit_{};
  std::vector<std::byte> params_;
  std::vector<ListedSpike> listed_;
  std::vector<Setting> settings_;                ///< in the schedule's order
  std::vector<const ScheduledControl*> driven_;  ///< by neuron: whose waveform drives it; empty while none is
  RandomKey thinning_;
  const SourceTable* table_;
  std::vector<std::uint32_t> keys_;
};

}  // namespace spinet
