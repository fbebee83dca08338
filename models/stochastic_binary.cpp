// stochastic_binary: a neuron that spikes with a probability, evaluated once its inputs are in.
//
// At the end of every tick in which anything arrives at port `in`: p = 1 / (1 + exp(-input)), y = 1 with probability p,
// then y is turned over with probability flip (1 - modulator), the modulator the last payload at its port.  y = 1 is a spike.
#include "spinet/math.hpp"
#include "spinet/neuron.hpp"
#include "spinet/random.hpp"

namespace {
using namespace spinet;

struct StochasticBinary {
  static constexpr const char* name = "stochastic_binary";
  static constexpr const char* doc = "Spikes with probability p = 1 / (1 + exp(-input)) at the end of a tick with input; a modulator gates random flips.";
  struct Params {
    double bias = 0, flip = 0;
  };
  struct State {
    double input, modulator, p, y;
    Tick asked;  ///< for an evaluation at this tick
  };
  struct Constants {
    double bias, flip;
  };
  static constexpr Port ports[] = {{"in", "1", "what is summed up", 0, 1},
                                   {"modulator", "1", "kept until the next one; flips come with probability flip (1 - modulator)", 0, 1}};

  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::bias, "bias", "1", 0, any(), scheduled, "added to the input")
        .add(&Params::flip, "flip", "1", 0, between(0, 1), scheduled, "probability that y is turned over where the modulator is 0");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::y, "y", "1", 0, between(0, 1), recorded, "last answer, after a flip: 0 or 1")
        .add(&State::p, "p", "1", 0.5, between(0, 1), recorded, "probability of the last answer, without flips")
        .computed("gradient", "1", 0, any(), recorded, "y - p: derivative of the answer's log probability by the input")
        .add(&State::modulator, "modulator", "1", 0, any(), initial | recorded, "last payload at port modulator");
    return t;
  }
  using N = Neurons<StochasticBinary>;
  static void init(N n, std::uint32_t j, const Params& p, const double* initial) {
    n.state(j) = {0, initial[0], 0.5, 0, -1};
    n.constants(j) = {p.bias, p.flip};
  }
  static void set(N n, Tick, std::uint32_t j, const Params& p) { n.constants(j) = {p.bias, p.flip}; }
  static void arrive(N n, Tick tick, std::uint32_t port, std::uint32_t j, double w) {
    if (port == 1) {
      n.state(j).modulator = w;
      return;
    }
    State& s = n.state(j);
    s.input += w;
    if (s.asked == tick) return;
    s.asked = tick;
    n.out().evaluate_at(tick, j);
  }
  static void evaluate(N n, Tick tick, std::span<const std::uint32_t> js) {
    for (const auto j : js) {
      State& s = n.state(j);
      const Constants& c = n.constants(j);
      s.p = 1 / (1 + math::exp(-(s.input + c.bias)));
      s.input = 0;
      const Words w = draw(n.b.random, n.b.gids[j], static_cast<std::uint64_t>(tick));
      bool y = uniform01(w[0], w[1]) < s.p;
      if (uniform01(w[2], w[3]) < c.flip * (1 - s.modulator)) y = !y;
      s.y = y ? 1 : 0;
      if (y) n.out().emit(tick, j);
    }
  }
  static double read(N n, Tick, std::uint32_t j, std::uint32_t variable) {
    const State& s = n.state(j);
    return variable == 0 ? s.y : variable == 1 ? s.p : variable == 2 ? s.y - s.p : s.modulator;
  }
};
}  // namespace

SPINET_MODEL(spinet::neuron_table<StochasticBinary>())
