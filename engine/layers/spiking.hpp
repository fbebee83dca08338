// Spiking layers as training reckons with them: on a grid of time steps.
#pragma once
#include "layers/plan.hpp"
#include "network/layer_numbers.hpp"

namespace spinet::layers {

/// A population of leaky integrate-and-fire neurons as a layer.  Throws NotLayered: training has no room for
/// something that its neurons do.
Spiking spiking_of(const Network&, const Population&, const Showing&);

/// What is left of the last layer's answer in each step when outputs are read, from the time at which the
/// layer answers to an image's first events (LayerTimes) and the delay from there.  Empty: they add up.
/// Throws NotLayered: the last ones come too late.
std::vector<double> left_of_answers(const Showing&, Tick answer, Tick delay, double ticks_per_ms);

/// Layers whose neurons cross their thresholds between the steps of training, "h1, h2"; or "".
std::string between_steps(const Plan&);

}  // namespace spinet::layers
