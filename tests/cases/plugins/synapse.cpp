// A synapse with a random release, sound (FLAW 0) or with one flaw that `check-plugin` must find.
#include <cmath>
#include <cstdlib>

#include "spinet/random.hpp"
#include "spinet/synapse.hpp"

namespace {
enum { sound, libm, hidden_counter, read_writes, key_of_position, overrun, chance, infinite, hidden_history, crash, forever };
constexpr int flaw = FLAW;

struct Release {
  static constexpr const char* name = "release";
  static constexpr const char* doc = "Releases with probability p, for the tests of check-plugin.";
  struct Params { double p; };
  struct Shared { double p; };
  struct State { float weight, released; };
  static auto params() {
    spinet::FieldTable<Params> t;
    t.add(&Params::p, "p", "1", 0.6, spinet::between(0, 1), 0, "probability of release");
    return t;
  }
  static auto variables() {
    spinet::FieldTable<State> t;
    t.add(&State::weight, "weight", "1", 1, spinet::any(), spinet::initial | spinet::port_unit, "weight of a release");
    t.add(&State::released, "released", "1", 0, spinet::any(), 0, "releases so far");
    return t;
  }
  static void prepare(Shared& s, const Params& p, const spinet::RunInfo&) { s.p = p.p; }

  static constexpr bool draws = true;
  using Weight = float;
  static void on_pre(spinet::Synapses<Release> synapses, float* out) {
    static std::uint64_t counter = 0;
    static spinet::Tick first = 0;
    if (first == 0) first = synapses.s.tick;
    for (std::uint32_t i = 0; i < synapses.size(); ++i) {
      State& s = synapses[i];
      auto u = spinet::uniform01(synapses.s.draw(i)[0]);
      if (flaw == key_of_position) u = spinet::uniform01(spinet::draw(synapses.s.random, i, static_cast<std::uint64_t>(synapses.s.tick))[0]);
      if (flaw == hidden_counter) u = spinet::uniform01(spinet::draw(synapses.s.random, i, ++counter)[0]);
      if (flaw == chance) u = std::rand() / (RAND_MAX + 1.0);
      const bool release = u < synapses.shared().p;
      s.released += release ? 1.0f : 0.0f;
      out[i] = release ? s.weight : 0.0f;
      if (flaw == libm) out[i] *= static_cast<float>(std::exp(-1e-3 * static_cast<double>(s.released)));
      if (flaw == infinite) out[i] /= s.released;
      if (flaw == hidden_history) out[i] *= static_cast<float>(synapses.s.tick - first);
    }
    if (flaw == overrun) out[synapses.size()] = 0;
    if (flaw == crash) *reinterpret_cast<volatile int*>(8) = 1;
    if (flaw == forever)
      for (volatile int i = 0;; i = i + 1) {}
  }
  static double read(const State& s, const Shared&, spinet::Tick) {
    if (flaw == read_writes) const_cast<State&>(s).released = 0;
    return s.weight;
  }
};
}  // namespace

SPINET_MODEL(spinet::synapse_table<Release>())
