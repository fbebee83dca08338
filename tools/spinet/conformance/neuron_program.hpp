// What happens to the neurons of a bench: arrivals, superposed input, control events, parameters that change.
#pragma once
#include <cstdint>
#include <vector>

#include "bench/neuron_bench.hpp"
#include "parameters.hpp"

namespace spinet {

/// A control event, or a parameter that changes.
struct Act {
  Tick tick;
  bool sets;
  std::uint32_t field;  ///< sets: of `Model::params`, to control.value[0]
  Control control;
  std::vector<std::uint32_t> who;
};

/// Arrivals of one tick and port.
struct Batch {
  Tick tick;
  std::uint32_t port;
  std::vector<std::uint32_t> targets;
  std::vector<float> weights;
};

struct Program {
  static constexpr std::uint32_t population = 29;
  std::vector<Batch> batches;
  BenchSetting::Input input;
  std::vector<Act> acts;
  Tick duration = 0;

  /// Weights up to `strength`.
  Program(const NeuronTable& table, double strength, Tick duration, std::uint32_t seed);
  /// The parameters of each neuron at the begin: the set's, or some a third larger (smaller) where that fits;
  /// time constants that a block has in common stay.
  static std::vector<NeuronParams> params(const NeuronTable& table, const ParameterSet& set);
  /// Gives a bench all that happens but the superposed input, which is a matter of its setting.
  void give(NeuronBench& bench, const NeuronTable& table, std::vector<NeuronParams> params) const;

 private:
  void make_acts(const NeuronTable& table, std::uint32_t seed);
  void make_batches(const NeuronTable& table, double strength, Dice& dice);
  void make_input(const NeuronTable& table, double strength, Dice& dice);
};

}  // namespace spinet
