// The networks that `spinet init` writes.
#pragma once

namespace spinet::tool {

struct Template { const char* name; const char* text; };

inline constexpr Template templates[] = {
    {"two_neurons", R"(# Two neurons: `driver` is driven by a constant current and fires regularly; `follower` hears it through one synapse.
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
    {"balanced", R"(# A balanced network of excitation and inhibition driven by noise, after Brunel, "Dynamics of sparsely connected
# networks of excitatory and inhibitory spiking neurons" (2000), at a tenth of its size.
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
)"}};

}  // namespace spinet::tool
