// Whole runs of the engine in which a model takes input without order.
#pragma once
#include <string>

#include "parameters.hpp"
#include "spinet/neuron.hpp"

namespace spinet {

/// "", or how a model with `take_slab` that gets noise without order differs from the same with it in order,
/// or in other blocks.  `strength`: a weight that makes it fire.
std::string without_order(const NeuronTable& table, const ParameterSet& set, double strength,
                          std::uint32_t seed);

}  // namespace spinet
