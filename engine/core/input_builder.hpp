// Private to build: makes the superposed input of a rank's blocks.
#pragma once
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "core/simulation_parts.hpp"

namespace spinet {

class Simulation::Impl::InputBuilder {
 public:
  using Order = SimulationOptions::Order;
  /// Blocks and wirings are there.
  InputBuilder(Impl& s, const std::vector<bool>& superposed);
  /// By block; counts the synapses.
  std::vector<SuperposedInput> make(Order order);

 private:
  static constexpr std::uint16_t nowhere = 0xFFFF;
  /// Neurons of a unit of a source population, each with one target in a block.
  struct Unit {
    std::uint32_t block, projection, population, number;
    std::vector<std::uint16_t> targets = std::vector<std::uint16_t>(source_unit, nowhere);
    std::vector<double> weights = std::vector<double>(source_unit, 0.0);
    std::vector<bool> free =
        std::vector<bool>(source_unit, false);  ///< may be taken without order, if the only one
  };
  using Way = std::pair<Tick, std::uint32_t>;  ///< delay, port
  void find_units(std::uint32_t p);
  bool may_be_free(std::uint32_t p, std::uint32_t target) const;
  void add_train(Unit u, std::vector<TrainGroup>& trains);
  Way way(std::uint32_t p) const;

  Impl& s_;
  const std::vector<bool>& superposed_;  ///< by projection
  std::vector<bool> is_read_;            ///< by population: synapse models look at its neurons at any time
  std::vector<bool> is_dense_;           ///< by population: sources with many events in a slab
  /// By kernel group, that of its first projection; a block has one.
  std::map<std::uint32_t, Way> way_of_group_;
  std::vector<std::vector<std::uint8_t>> sources_of_;  ///< of each neuron of each block; 2 means more
  std::vector<Unit> units_;
};

}  // namespace spinet
