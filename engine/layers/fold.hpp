// A trained model as numbers of the network that the engine runs.
#pragma once
#include "layers/plan.hpp"
#include "network/checked.hpp"

namespace spinet::layers {

/// Puts the model into the network that the plan was made of: weights times what normalisation scales them
/// with, what it shifts into the bias of each neuron, read-outs of curves into one curve.  What the engine
/// then answers is what `outputs` says, but for rounding.
void fold(const Plan&, const Model&, Network&);

}  // namespace spinet::layers
