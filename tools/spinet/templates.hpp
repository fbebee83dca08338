// The networks that `spinet init` writes.
#pragma once

namespace spinet::tool {

struct Template {
  const char* name;
  const char* text;
};

inline constexpr Template templates[] = {
    {"two_neurons",
     R"(# Two neurons: `driver` is driven by a constant current and fires regularly; `follower` hears it
# through one synapse.
spinet: 1                # version of this format
name: two_neurons        # the log will be two_neurons.h5
duration: 200 ms         # every quantity has a unit

populations:
  driver:
    model: lif_exp       # `spinet models lif_exp` shows all parameters and their defaults
    size: 1
    params: {I_dc: 500 pA}
  follower:
    like: driver         # the same, except for what is written here
    params: {I_dc: 350 pA}

projections:
  synapse:
    from: driver
    to: follower
    connect: all_to_all
    synapse: {model: static, weight: 400 pA, delay: 1.5 ms}

record:
  spikes: [driver, follower]
  reports:
    - {name: voltage, population: follower, variable: V, every: 0.1 ms}
)"},
    {"balanced",
     R"(# A balanced network of excitation and inhibition driven by noise, after Brunel, "Dynamics of sparsely
# connected networks of excitatory and inhibitory spiking neurons" (2000), at a tenth of its size.
spinet: 1
name: balanced
seed: 42                 # the same seed gives the same spikes, on any number of ranks
duration: 500 ms

parameters:              # named numbers; --set parameters.g=4.5 replaces one
  g: 5                   # inhibition over excitation
  J: 0.5 mV              # weight of an excitatory synapse

populations:
  exc:
    model: lif_delta
    size: 1000
    params: {tau_m: 20 ms, E_L: 0 mV, v_reset: 0 mV, v_th: 20 mV, t_ref: 2 ms}
    initial: {V: {uniform: {low: 0 mV, high: 20 mV}}}
  inh: {like: exc, size: 250}
  noise:
    model: poisson
    size: 1250           # one for each neuron
    params: {rate: 4 kHz}

projections:
  exc_all:
    from: exc
    to: [exc, inh]
    connect: {fixed_indegree: 100}
    synapse: {model: static, weight: $J, delay: 1.5 ms}
  inh_all:
    from: inh
    to: [exc, inh]
    connect: {fixed_indegree: 25}
    synapse: {model: static, weight: =-g*J, delay: 1.5 ms}
  drive:
    from: noise
    to: [exc, inh]
    connect: one_to_one
    synapse: {model: static, weight: $J, delay: 1.5 ms}

record:
  spikes: [exc, inh]
)"},
    {"stdp",
     R"(# Spike-timing-dependent plasticity finds inputs that fire together: of the neuron's 200 inputs, 50
# share common events. Their synapses grow, and the others get weaker.
# After S. Song, K. D. Miller and L. F. Abbott, "Competitive Hebbian learning through
# spike-timing-dependent synaptic plasticity" (2000), and R. Guetig et al., "Learning input correlations
# through nonlinear temporally asymmetric Hebbian plasticity" (2003).
spinet: 1
name: stdp
seed: 42                 # the same seed gives the same spikes and weights, on any number of ranks
duration: 20 s
time_resolution: 1 us    # one tick

parameters:
  w_max: 0.5 mV          # weights stay between 0 and this
  common: 5 Hz           # --set parameters.common=0Hz takes the correlation away

populations:
  # Fire for every event of `noise` and `shared`: neurons, so that both can reach them.
  inputs:
    model: lif_delta
    size: 200
    params: {tau_m: 10 ms, E_L: 0 mV, v_reset: 0 mV, v_th: 20 mV, t_ref: 2 ms}
    initial: {V: 0 mV}
  neuron: {like: inputs, size: 1, params: {tau_m: 20 ms}}
  noise: {model: poisson, size: 200, params: {rate: 10 Hz}}
  shared: {model: poisson, size: 1, params: {rate: $common}}

projections:
  noise_in:
    from: noise
    to: inputs
    connect: one_to_one
    synapse: {model: static, weight: 30 mV, delay: 1 ms}
  shared_in:
    from: shared
    to: "inputs[0:50]"
    connect: all_to_all
    synapse: {model: static, weight: 30 mV, delay: {uniform: {low: 1 ms, high: 6 ms}}}
  plastic:
    from: inputs
    to: neuron
    connect: all_to_all
    synapse:
      model: stdp        # `spinet models stdp` shows all parameters
      weight: {uniform: {low: 0.2 mV, high: 0.3 mV}}
      delay: 1 ms        # in the dendrite: the synapse sees its neuron's spikes 1 ms late
      w_max: $w_max
      lambda: 0.01       # step of potentiation, in units of w_max
      alpha: 1.3         # step of depression over that of potentiation
      mu_plus: 0.1       # 0: steps do not depend on the weight; 1: they shrink towards the bound
      mu_minus: 0.1

record:
  spikes: [neuron]
  weights: {projection: plastic, every: 100 ms}
)"}};

}  // namespace spinet::tool
