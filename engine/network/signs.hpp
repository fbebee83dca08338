// Which populations excite and which inhibit, as far as a network says before it runs.
#pragma once
#include <vector>

#include "network/checked.hpp"

namespace spinet {

/// For each population, in file order, the sign of all that its synapses transmit: 1 excitatory, -1
/// inhibitory; 0: it has synapses of both signs, or of a sign that may change, or none.  Weights are those
/// that the network gives; of a normal distribution without bounds the sign is that of its mean, if that is
/// at least three standard deviations from 0. Synapses on environments do not count.
std::vector<int> transmitted_signs(const Network& n);

}  // namespace spinet
