// An environment that fails in the middle of a run, for the tests of `spinet sweep`: it does not declare how
// fast its rewards act, and a latency shorter than the network's delays ends the run.
#include "spinet/neuron.hpp"
#include "spinet/reward.hpp"

namespace {
struct Hasty {
  static constexpr const char* name = "hasty";
  static constexpr const char* doc = "Rewards the first event that it hears.";
  static constexpr std::uint32_t environment = 1;
  static constexpr spinet::Stimulus posts[] = {spinet::reward};
  static constexpr const char* metrics[] = {"reward"};
  struct Params {
    double latency;
  };
  struct State {
    spinet::Tick latency;
  };
  static constexpr spinet::Port ports[] = {{"in", "1", "events", 0, 0}};
  static auto params() {
    spinet::FieldTable<Params> t;
    t.add(&Params::latency, "latency", "ms", 1, spinet::at_least(0), 0, "time to the reward");
    return t;
  }
  static auto variables() { return spinet::FieldTable<State>{}; }
  using N = spinet::Neurons<Hasty>;
  static void init(N n, std::uint32_t j, const Params& p, const double*) {
    n.state(j) = {static_cast<spinet::Tick>(p.latency * n.b.run.ticks_per_ms)};
  }
  static void arrive(N n, spinet::Tick tick, std::uint32_t, std::uint32_t j, double) {
    n.out().evaluate_at(tick, j);
  }
  static void evaluate(N n, spinet::Tick tick, std::span<const std::uint32_t>) {
    n.out().post(tick + n.state(0).latency, {0, 0, {1}});
  }
  static double read(N, spinet::Tick, std::uint32_t, std::uint32_t) { return 0; }
};
}  // namespace
SPINET_MODEL(spinet::neuron_table<Hasty>())
