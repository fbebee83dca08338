// stochastic_binary: a neuron that spikes with a probability, evaluated once its inputs are in.
//
// At the end of every tick in which anything arrives at port `in`: p = 1 / (1 + exp(-input)), y = 1 with
// probability p, then y is turned over with probability flip (1 - modulator), the modulator the last payload
// at its port.  y = 1 is a spike.
#include <algorithm>

#include "spinet/math.hpp"
#include "spinet/neuron.hpp"
#include "spinet/random_batch.hpp"

namespace {
using namespace spinet;

struct StochasticBinary {
  static constexpr const char* name = "stochastic_binary";
  static constexpr const char* doc =
      "Spikes with probability p = 1 / (1 + exp(-input)) at the end of a tick with input; a modulator gates "
      "random flips.";
  static constexpr bool wide = true;
  struct Params {
    double bias = 0, flip = 0;
  };
  struct State {
    double input, modulator, p, y;
  };
  struct Constants {
    double bias, flip;
  };
  static constexpr Port ports[] = {
      {"in", "1", "what is summed up", 0, 1, 1},
      {"modulator", "1", "kept until the next one; flips come with probability flip (1 - modulator)", 0, 1}};

  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::bias, "bias", "1", 0, any(), scheduled, "added to the input")
        .add(&Params::flip, "flip", "1", 0, between(0, 1), scheduled,
             "probability that y is turned over where the modulator is 0");
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::y, "y", "1", 0, between(0, 1), recorded, "last answer, after a flip: 0 or 1")
        .add(&State::p, "p", "1", 0.5, between(0, 1), recorded,
             "probability of the last answer, without flips")
        .computed("gradient", "1", 0, any(), recorded,
                  "y - p: derivative of the answer's log probability by the input")
        .add(&State::modulator, "modulator", "1", 0, any(), initial | recorded,
             "last payload at port modulator");
    return t;
  }
  using N = Neurons<StochasticBinary>;
  static void init(N n, std::uint32_t j, const Params& p, const double* initial) {
    n.state(j) = {0, initial[0], 0.5, 0};
    n.constants(j) = {p.bias, p.flip};
  }
  static void set(N n, Tick, std::uint32_t j, const Params& p) { n.constants(j) = {p.bias, p.flip}; }
  static void arrive(N n, Tick, std::uint32_t port, std::uint32_t j, double w) {
    if (port == 1) n.state(j).modulator = w;
    else n.state(j).input += w;
  }
  static constexpr std::uint32_t at_once = philox_group;
  /// Two uniform numbers for each of the neurons `js`, at most `at_once`.
  static void uniforms(N n, Tick tick, std::span<const std::uint32_t> js, double (*u)[2]) {
    const auto count = static_cast<std::uint32_t>(js.size());
    if (count <= 2) {
      for (std::uint32_t i = 0; i < count; ++i) {
        const Words w = n.b.draw(js[i], static_cast<std::uint64_t>(tick));
        for (std::uint32_t k = 0; k < 2; ++k) u[i][k] = uniform01(w[2 * k], w[2 * k + 1]);
      }
      return;
    }
    PhiloxLanes lanes;
    for (std::uint32_t i = 0; i < at_once; ++i) {
      const std::uint32_t j = js[i < count ? i : 0];
      lanes.seed[i] = n.b.random[j].seed, lanes.entity[i] = n.b.gids[j];
    }
    std::uint32_t words[philox_group_words];
    philox_fill_each(lanes, n.b.random[js[0]].stream, static_cast<std::uint64_t>(tick), words);
    for (std::uint32_t i = 0; i < count; ++i)
      for (std::uint32_t k = 0; k < 2; ++k)
        u[i][k] = uniform01(words[philox_place(i, 2 * k)], words[philox_place(i, 2 * k + 1)]);
  }
  static void evaluate(N n, Tick tick, std::span<const std::uint32_t> all) {
    double e[at_once], u[at_once][2];
    for (; !all.empty(); all = all.subspan(std::min<std::size_t>(at_once, all.size()))) {
      const auto js = all.first(std::min<std::size_t>(at_once, all.size()));
      uniforms(n, tick, js, u);
      for (std::size_t i = 0; i < js.size(); ++i) e[i] = -(n.state(js[i]).input + n.constants(js[i]).bias);
      math::exp_each(e, js.size());
      for (std::size_t i = 0; i < js.size(); ++i) {
        State& s = n.state(js[i]);
        s.p = 1 / (1 + e[i]);
        s.input = 0;
        const bool y = (u[i][0] < s.p) != (u[i][1] < n.constants(js[i]).flip * (1 - s.modulator));
        s.y = y ? 1 : 0;
        n.out().emit_if(y, tick, js[i]);
      }
    }
  }
  static double read(N n, Tick, std::uint32_t j, std::uint32_t variable) {
    const State& s = n.state(j);
    return variable == 0 ? s.y : variable == 1 ? s.p : variable == 2 ? s.y - s.p : s.modulator;
  }
};
}  // namespace

SPINET_MODEL(spinet::neuron_table<StochasticBinary>())
