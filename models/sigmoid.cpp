// sigmoid: a graded neuron that answers once its inputs are in.
//
// At the end of every tick in which anything arrives, y = 1 / (1 + exp(-(input + bias))), input the sum of
// the tick's arrivals, and a graded event of payload `feedback` y leaves.  `feedback` is the weight with
// which the unit counts for what follows: a learning rule at its inputs reads it as that derivative (gradient
// = feedback y (1 - y)).
#include <algorithm>

#include "spinet/math.hpp"
#include "spinet/neuron.hpp"

namespace {
using namespace spinet;

struct Sigmoid {
  static constexpr const char* name = "sigmoid";
  static constexpr const char* doc =
      "Graded neuron: at the end of a tick with input, sends feedback / (1 + exp(-(input + bias))).";
  static constexpr std::uint32_t graded = 1;
  static constexpr bool wide = true;
  struct Params {
    double bias = 0, feedback = 1;
  };
  struct State {
    double input, y;
  };
  struct Constants {
    double bias, feedback;
  };
  static constexpr Port ports[] = {{"in", "1", "what is summed up", 0, 1, 1}};

  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::bias, "bias", "1", 0, any(), scheduled, "added to the input")
        .add(&Params::feedback, "feedback", "1", 1, any(), scheduled,
             "factor of the payload that is sent: the weight of this unit downstream");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::y, "y", "1", 0, between(0, 1), initial | recorded, "last answer, without feedback")
        .computed("gradient", "1", 0, any(), recorded,
                  "feedback y (1 - y): derivative of what was sent by the input");
    return t;
  }
  using N = Neurons<Sigmoid>;
  static void init(N n, std::uint32_t j, const Params& p, const double* initial) {
    n.state(j) = {0, initial[0]};
    n.constants(j) = {p.bias, p.feedback};
  }
  static void set(N n, Tick, std::uint32_t j, const Params& p) { n.constants(j) = {p.bias, p.feedback}; }
  static void arrive(N n, Tick, std::uint32_t, std::uint32_t j, double w) { n.state(j).input += w; }
  static void evaluate(N n, Tick tick, std::span<const std::uint32_t> js) {
    constexpr std::size_t at_once = 32;
    double e[at_once];
    for (; !js.empty(); js = js.subspan(std::min(at_once, js.size()))) {
      const std::size_t count = std::min(at_once, js.size());
      for (std::size_t i = 0; i < count; ++i) e[i] = -(n.state(js[i]).input + n.constants(js[i]).bias);
      math::exp_each(e, count);
      for (std::size_t i = 0; i < count; ++i) e[i] = 1 / (1 + e[i]);
      for (std::size_t i = 0; i < count; ++i) {
        n.state(js[i]) = {0, e[i]};
        n.out().emit(tick, js[i], n.constants(js[i]).feedback * e[i]);
      }
    }
  }
  static double read(N n, Tick, std::uint32_t j, std::uint32_t variable) {
    const double y = n.state(j).y;
    return variable == 0 ? y : n.constants(j).feedback * (y * (1 - y));
  }
};
}  // namespace

SPINET_MODEL(spinet::neuron_table<Sigmoid>())
