// The plan of a checked network.
#pragma once
#include <stdexcept>

#include "layers/plan.hpp"
#include "network/checked.hpp"

namespace spinet::layers {

/// What can be trained of a network, and what it begins with: the network's own weights and biases, batch
/// normalisation that changes nothing, and read-outs of electrical-magnetic neurons drawn evenly within
/// 1 / sqrt(fan-in).
struct Layered {
  Plan plan;
  Model initial;
};

/// Why a network is none that can be trained.
struct NotLayered : std::runtime_error {
  using std::runtime_error::runtime_error;
  TextPlace place{};  ///< of the population or projection that it is about
};

/// Throws NotLayered.
Layered layered(const Network&);

}  // namespace spinet::layers
