// A neuron that fires when it is told to, and writes down what else it hears: postsynaptic spikes at chosen
// ticks.
#pragma once
#include <vector>

#include "spinet/neuron.hpp"

namespace spinet::test {

/// Fires at the end of a tick in which anything arrives through `fire`; adds up what arrives through `hear`.
struct Repeater {
  static constexpr const char* name = "test_repeater";
  static constexpr const char* doc = "Fires on demand.";
  struct Params {};
  struct State {
    double heard, asked;
  };
  static constexpr Port ports[] = {{"fire", "1", "makes it fire", 0, 0}, {"hear", "1", "is added up", 0, 0}};
  struct Heard {
    Tick tick;
    Gid gid;
    double weight;
  };
  /// Arrivals through `hear` go here, too, if a test on one rank has set it.
  static inline std::vector<Heard>* notes = nullptr;

  static auto params() { return FieldTable<Params>{}; }
  static auto variables() {
    FieldTable<State> t;
    t.add(&State::heard, "heard", "1", 0, any(), recorded,
          "weights heard; each halves what was before, so that their order counts");
    return t;
  }
  static void init(Neurons<Repeater> n, std::uint32_t j, const Params&, const double*) {
    n.state(j) = {0, 0};
  }
  static void arrive(Neurons<Repeater> n, Tick tick, std::uint32_t port, std::uint32_t j, double w) {
    State& s = n.state(j);
    if (port == 1) {
      s.heard = 0.5 * s.heard + w;
      if (notes) notes->push_back({tick, n.b.gids[j], w});
      return;
    }
    if (s.asked == 0) n.out().evaluate_at(tick, j);
    s.asked = 1;
  }
  static void evaluate(Neurons<Repeater> n, Tick tick, std::span<const std::uint32_t> js) {
    for (const auto j : js) {
      n.state(j).asked = 0;
      n.out().emit(tick, j);
    }
  }
  static double read(Neurons<Repeater> n, Tick, std::uint32_t j, std::uint32_t) { return n.state(j).heard; }
};

}  // namespace spinet::test
