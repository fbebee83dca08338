// static: a constant weight.
#include "spinet/synapse.hpp"

struct Static {
  static constexpr const char* name = "static";
  static constexpr const char* doc = "A synapse of constant weight.";
  struct Params {};
  struct State {
    float weight;
  };
  static auto params() { return spinet::FieldTable<Params>{}; }
  static auto variables() {
    spinet::FieldTable<State> t;
    t.add(&State::weight, "weight", "1", 1.0, spinet::any(), spinet::initial | spinet::port_unit,
          "change of the target's port variable by one spike");
    return t;
  }
};

SPINET_MODEL(spinet::synapse_table<Static>())
