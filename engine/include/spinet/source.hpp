// The contract of a source model: a population that sends events and receives none.
#pragma once
#include <cstdint>
#include <type_traits>

#include "spinet/model.hpp"
#include "spinet/neuron.hpp"
#include "spinet/time.hpp"

namespace spinet {

/// An event that a network's file lists by hand (spike_source).
struct ListedSpike {
  Tick tick;
  std::uint32_t index;  ///< of the neuron in its population
};

/// Up to 256 consecutive neurons of a source population: the unit that draws together, whoever owns its targets.
struct SourceUnit {
  Gid first;
  std::uint32_t size;
  const void* params;         ///< `Params[size]`
  std::uint32_t params_alike; ///< 1: all neurons of the unit have the same parameters
  std::uint32_t reserved;
  const ListedSpike* listed;  ///< the unit's listed spikes, sorted by tick; index counts from the unit's first neuron
  std::uint64_t listed_count;
  RandomKey random;
  RunInfo run;
};

/// Where a unit puts its events: offset from `from` in the upper, neuron within the unit in the lower 16 bits.
/// Order is free; the engine sorts.
struct EventSink {
  std::uint32_t* data;
  std::uint32_t size, capacity;
};

struct SourceTable {
  Model model;
  std::uint32_t params_size;
  std::uint32_t superposable;  ///< 1: the engine may draw a unit straight into its targets' input (Poisson)
  /// Upper bound of the rate of one neuron in events per ms (for memory and slab lengths); 0 for listed spikes.
  double (*rate)(const void* params) noexcept;
  /// All events of the unit in [from, from + length), length <= 65536.  The same arguments give the same events.
  /// Returns 1, or 0 if the sink was too small (the engine calls again with more room).
  std::uint32_t (*generate)(const SourceUnit* u, Tick from, std::uint32_t length, EventSink* out) noexcept;
};

/// The table of model M: `name`, `doc`, `Params`, `params()`, `superposable`, `rate(const Params&)`,
/// `generate(const SourceUnit&, Tick from, std::uint32_t length, EventSink&) -> bool`.
template <class M>
const SourceTable& source_table() {
  static const auto params = M::params();
  static const SourceTable table = [] {
    SourceTable t{};
    t.model = {abi_version, sizeof(SourceTable), Kind::source, 0, M::name, M::doc, params.view(), {nullptr, 0, sizeof(Field)}};
    t.params_size = sizeof(typename M::Params);
    t.superposable = M::superposable;
    t.rate = [](const void* p) noexcept -> double { return M::rate(*static_cast<const typename M::Params*>(p)); };
    t.generate = [](const SourceUnit* u, Tick from, std::uint32_t length, EventSink* out) noexcept -> std::uint32_t {
      return M::generate(*u, from, length, *out);
    };
    return t;
  }();
  return table;
}

}  // namespace spinet
