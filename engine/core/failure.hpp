// How a run ends when a model cannot go on.
#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "network/lookup.hpp"

namespace spinet {

/// Somebody wanted the run to stop (SimulationOptions::stop) while its network was still being built.
struct Stopped : std::runtime_error {
  explicit Stopped(const std::string& when = "while the network was built")
      : std::runtime_error("stopped " + when) {}
};

/// A model has said that it cannot go on, or has broken its contract: who, when and why.
struct ModelFailure : std::runtime_error {
  std::string population;
  std::uint32_t neuron;  ///< index in the population
  Tick tick;
  std::string reason;
  ModelFailure(const Network& network, std::uint32_t population_index, std::uint32_t neuron_index, Tick when,
               std::string_view why);
  /// Of the neuron with this gid.
  static ModelFailure of(const Network& network, Gid gid, Tick when, std::string_view why);
};

}  // namespace spinet
