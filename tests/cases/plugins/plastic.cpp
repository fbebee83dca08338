// A plastic synapse with a parameter that a schedule may change, sound (FLAW 0) or with one flaw.
#include "spinet/math.hpp"
#include "spinet/synapse.hpp"

namespace {
enum { sound, whole_history, set_nan_at_end };
constexpr int flaw = FLAW;

struct Plastic {
  static constexpr const char* name = "plastic";
  static constexpr const char* doc =
      "Grows with the trace of its target's spikes, for the tests of check-plugin.";
  struct Params {
    double rate, tau;
  };
  struct Shared {
    double rate, per_tick;
  };
  struct State {
    float weight;
  };
  static auto params() {
    spinet::FieldTable<Params> t;
    t.add(&Params::rate, "rate", "1", 0.01, spinet::between(0, 1), spinet::scheduled, "growth at an event");
    t.add(&Params::tau, "tau", "ms", 20, spinet::above(0), 0, "of the trace");
    return t;
  }
  static auto variables() {
    spinet::FieldTable<State> t;
    t.add(&State::weight, "weight", "1", 1, spinet::at_least(0), spinet::initial | spinet::port_unit,
          "weight");
    return t;
  }
  static void prepare(Shared& s, const Params& p, const spinet::RunInfo& r) {
    s = {p.rate, 1 / (p.tau * r.ticks_per_ms)};
  }
  static double post_tau(const Params& p) { return p.tau; }
  static void catch_up(spinet::Synapses<Plastic>) {}

  /// The sum of exp(-age / tau) over the spikes of the target that synapse `i` has seen.
  static double trace(const spinet::Synapses<Plastic>& n, std::uint32_t i) {
    const spinet::Tick seen = n.s.seen();
    const auto& h = n.post(i);
    const auto part = [&](std::uint32_t k) {
      return spinet::math::exp(-static_cast<double>(seen - h[k].tick) * n.shared().per_tick);
    };
    const std::uint32_t count = h.upto(seen);
    double sum = 0;
    if (flaw == whole_history)
      for (std::uint32_t k = 0; k < count; ++k) sum += part(k);
    else if (count) sum = h[count - 1].trace * part(count - 1);
    return sum;
  }
  static void on_pre(spinet::Synapses<Plastic> n, double* out) {
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      n[i].weight = static_cast<float>(n[i].weight + n.shared().rate * trace(n, i));
      out[i] = n[i].weight;
    }
  }
  static void set(spinet::Synapses<Plastic> n, const Params&, const Shared& next) {
    if (flaw == set_nan_at_end && next.rate == 1)
      for (std::uint32_t i = 0; i < n.size(); ++i) n[i].weight = __builtin_nanf("");
  }
};
}  // namespace

SPINET_MODEL(spinet::synapse_table<Plastic>())
