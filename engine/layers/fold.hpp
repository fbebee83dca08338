// A trained model as numbers of the network that the engine runs.
#pragma once
#include <cstddef>
#include <functional>
#include <vector>

#include "layers/plan.hpp"
#include "network/checked.hpp"

namespace spinet::layers {

/// Puts the model into the network that the plan was made of: weights times what normalisation scales them
/// with, what it shifts into the bias of each neuron, read-outs of curves into one curve.  What the engine
/// then answers is what `outputs` says, but for rounding.
void fold(const Plan&, const Model&, Network&);
/// What it makes of the weights of one connection, dense or a convolution, in the order of the model.
std::vector<double> folded_weights(const Connection&, const Plan&, const Model&);
/// Calls f(source, number of the weight) for every synapse of such a connection.
void each_synapse(const Connection&, const Plan&,
                  const std::function<void(std::size_t source, std::size_t weight)>& f);

}  // namespace spinet::layers
