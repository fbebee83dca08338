// maximum: a graded neuron of layered networks, the greatest of its inputs, and its bias.
#include "layer.hpp"

namespace {
using namespace spinet;

struct MaximumParams : layer::Params {
  double inputs;
};

struct Maximum : layer::Adding<Maximum, MaximumParams> {
  static constexpr const char* name = "maximum";
  static constexpr const char* doc =
      "Graded neuron of a layer: sends the greatest of its inputs, and its bias, once they are in; an input "
      "that is silent "
      "is 0.";
  struct State {
    double input;
    double heard;  ///< inputs of this tick so far
  };
  struct Constants {
    layer::Constants common;
    double inputs;
  };

  static auto params() {
    FieldTable<Params> t;
    layer::add_params(t);
    t.derives(&Params::inputs, "inputs", "1", at_least(0), integer,
              "how many there are, silent ones included");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.computed("y", "1", 0, any(), recorded, "last answer");
    return t;
  }
  static void init(N n, std::uint32_t j, const Params& p, const double*) {
    n.state(j) = {0, 0};
    n.constants(j) = {layer::constants(p, n.b.run),
                      is_auto(p.inputs) ? std::numeric_limits<double>::infinity() : p.inputs};
    layer::begin<Maximum>(n, j);
  }
  static double taken(N n, std::uint32_t j) {
    const State s = std::exchange(n.state(j), State{0, 0});
    const double greatest = s.heard < n.constants(j).inputs ? std::max(s.input, 0.0) : s.input;
    return greatest + n.constants(j).common.bias;
  }
  static void receive(N n, const Arrivals& a) {
    a.each([&](std::uint16_t j, double w) {
      State& s = n.state(j);
      s.input = s.heard == 0 ? w : std::max(s.input, w);
      s.heard += 1;
    });
  }
  static void answers(N, std::span<const std::uint32_t>, double*) {}
};
}  // namespace

SPINET_MODEL(spinet::neuron_table<Maximum>())
