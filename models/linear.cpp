// linear: a graded neuron of layered networks, the sum of its inputs and its bias.
#include "layer.hpp"

namespace {
using namespace spinet;

struct Linear : layer::Adding<Linear> {
  static constexpr const char* name = "linear";
  static constexpr const char* doc =
      "Graded neuron of a layer: sends the sum of its inputs and bias, once they are in; 0 is no event.";
  static void answers(Neurons<Linear>, std::span<const std::uint32_t>, double*) {}
};
}  // namespace

SPINET_MODEL(spinet::neuron_table<Linear>())
