// An environment that answers each event with a reward, sound (FLAW 0) or with one flaw that `check-plugin`
// must find.
#include "spinet/neuron.hpp"
#include "spinet/reward.hpp"

namespace {
enum { sound, postings, kind, nan_reward, past, metrics };
constexpr int flaw = FLAW;

struct Judge {
  static constexpr const char* name = "judge";
  static constexpr const char* doc = "Rewards each event that it hears, for the tests of check-plugin.";
  static constexpr std::uint32_t environment = 1;
  static constexpr spinet::Stimulus posts[] = {spinet::reward};
  static constexpr const char* metrics[flaw == ::metrics ? 5 : 1] = {"reward"};
  struct Params {
    double latency;
  };
  struct State {
    spinet::Tick latency;
    double heard;
  };
  static constexpr spinet::Port ports[] = {{"in", "1", "events", 0, 0}};
  static auto params() {
    spinet::FieldTable<Params> t;
    t.add(&Params::latency, "latency", "ms", 10, spinet::at_least(5), 0, "time to the reward");
    return t;
  }
  static auto variables() {
    spinet::FieldTable<State> t;
    t.add(&State::heard, "heard", "1", 0, spinet::any(), spinet::recorded, "events so far");
    return t;
  }
  using N = spinet::Neurons<Judge>;
  static void init(N n, std::uint32_t j, const Params& p, const double*) {
    n.state(j) = {static_cast<spinet::Tick>(p.latency * n.b.run.ticks_per_ms), 0};
  }
  static void arrive(N n, spinet::Tick tick, std::uint32_t, std::uint32_t j, double) {
    n.state(j).heard += 1;
    n.out().evaluate_at(tick, j);
  }
  static void evaluate(N n, spinet::Tick tick, std::span<const std::uint32_t> js) {
    const double reward = flaw == nan_reward ? __builtin_nan("") : n.state(js[0]).heard;
    for (int i = 0; i < (flaw == postings ? 17 : 1); ++i)
      n.out().post(flaw == past ? tick - 1 : tick + n.state(0).latency,
                   {flaw == kind ? 1u : 0u, 0, {reward}});
  }
  static double read(N n, spinet::Tick, std::uint32_t j, std::uint32_t) { return n.state(j).heard; }
};
}  // namespace
SPINET_MODEL(spinet::neuron_table<Judge>())
