// Networks made by hand, for benches and batteries: populations one after the other, and what connects them.
#pragma once
#include <cstdint>
#include <vector>

#include "bench/neuron_params.hpp"
#include "network/checked.hpp"
#include "spinet/synapse.hpp"

namespace spinet {

/// A synapse that is its weight, as any network has them.
struct Wire {
  static constexpr const char* name = "wire";
  static constexpr const char* doc = "Hands on an event.";
  struct Params {};
  struct State {
    float weight;
  };
  static auto params() { return FieldTable<Params>{}; }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::weight, "weight", "1", 1.0, any(), initial | port_unit, "of an event");
    return t;
  }
};

/// One number for all, or one for each.
Distribution of_all(std::vector<double> values);

/// Appends a population; its gids follow those before it.
Population& add_population(Network& net, const Model& model, std::uint32_t size,
                           const std::vector<double>& params = {});

/// What neurons begin with: the presets of their variables, changed by name.  Environments get two patterns,
/// of one input and one target.
void set_initial(Population& neurons, const NeuronTable& table, const NeuronParams::Changes& initial = {});

/// Appends a projection of wires of weight 1 and a delay of a tick.
Projection& add_projection(Network& net, const char* rule, GidRange sources, GidRange targets,
                           std::uint32_t port);

}  // namespace spinet
