// A neuron that at a given time does what no model may, for stubborn.py: it does not return, asks for the
// same tick without end, fires twice, emits a payload that is no number; or says that it cannot go on.
#include "spinet/neuron.hpp"

namespace {
enum How { loops, fails, goes_round, fires_twice, no_number };

struct Stubborn {
  static constexpr const char* name = "stubborn";
  static constexpr const char* doc = "Ends its work in a way that the engine must survive.";
  static constexpr std::uint32_t graded = 1;
  struct Params {
    double at, how;
  };
  struct State {
    double how;
  };
  static constexpr spinet::Port ports[] = {{"in", "1", "nothing is heard", 0, 0}};
  static auto params() {
    spinet::FieldTable<Params> t;
    t.add(&Params::at, "at", "ms", 0, spinet::at_least(0), 0, "when")
        .add(&Params::how, "how", "1", 0, spinet::between(0, 4), 0, "what it does");
    return t;
  }
  static auto variables() { return spinet::FieldTable<State>{}; }
  using N = spinet::Neurons<Stubborn>;
  static void init(N n, std::uint32_t j, const Params& p, const double*) {
    n.state(j).how = p.how;
    if (p.at == 0 && p.how == fails) return n.out().fail(0, j, "no good from the start");
    n.out().test_at(static_cast<spinet::Tick>(p.at * n.b.run.ticks_per_ms), j);
  }
  static void arrive(N, spinet::Tick, std::uint32_t, std::uint32_t, double) {}
  static void test(N n, spinet::Tick tick, std::span<const std::uint32_t> js) {
    for (const auto j : js) switch (static_cast<How>(n.state(j).how)) {
        case loops:
          for (volatile int i = 0;; i = i + 1) {
          }
        case fails:
          return n.out().fail(tick, j, "has had enough");
        case goes_round:
          return n.out().test_at(tick, j);
        case fires_twice:
          n.out().emit(tick, j), n.out().emit(tick, j);
          return;
        case no_number:
          return n.out().emit(tick, j, __builtin_nan(""));
      }
  }
  static double read(N, spinet::Tick, std::uint32_t, std::uint32_t) { return 0; }
};
}  // namespace

SPINET_MODEL(spinet::neuron_table<Stubborn>())
