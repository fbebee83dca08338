// relu: a graded neuron of layered networks, max(x, 0) of the sum x of its inputs and its bias.
#include "layer.hpp"

namespace {
using namespace spinet;

struct Relu : layer::Adding<Relu> {
  static constexpr const char* name = "relu";
  static constexpr const char* doc =
      "Graded neuron of a layer: sends max(x, 0) of its inputs and bias, once they are in; 0 is no event.";
  static void answers(Neurons<Relu>, std::span<const std::uint32_t> js, double* x) {
    for (std::size_t i = 0; i < js.size(); ++i) x[i] = x[i] > 0 ? x[i] : 0;
  }
};
}  // namespace

SPINET_MODEL(spinet::neuron_table<Relu>())
