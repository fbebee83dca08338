// Adds up what arrives, takes its input without order where it may, sound (FLAW 0) or with one flaw that
// `check-plugin` must find.
#include "spinet/neuron.hpp"

namespace {
enum { sound, crosses, forgets };
constexpr int flaw = FLAW;

struct Sum {
  static constexpr const char* name = "sum";
  static constexpr const char* doc = "Fires when its input has added up, for the tests of check-plugin.";
  struct Params {
    double v_th;
  };
  struct State {
    double v, v_th;
  };
  static constexpr spinet::Port ports[] = {{"exc", "mV", "adds", 1, 0}, {"inh", "mV", "takes away", -1, 0}};
  static auto params() {
    spinet::FieldTable<Params> t;
    t.add(&Params::v_th, "v_th", "mV", 20, spinet::above(0), spinet::scheduled, "threshold");
    return t;
  }
  static auto variables() {
    spinet::FieldTable<State> t;
    t.add(&State::v, "v", "mV", 0.5, spinet::any(), spinet::initial | spinet::recorded, "input so far");
    return t;
  }
  using N = spinet::Neurons<Sum>;
  static void init(N n, std::uint32_t j, const Params& p, const double* initial) {
    n.state(j) = {initial[0], p.v_th};
  }
  static void set(N n, spinet::Tick tick, std::uint32_t j, const Params& p) {
    n.state(j).v_th = p.v_th;
    look(n, j, tick);
  }
  static void look(N n, std::uint32_t j, spinet::Tick tick) {
    if (n.state(j).v >= n.state(j).v_th) n.out().test_at(tick, j);
  }
  static void arrive(N n, spinet::Tick tick, std::uint32_t, std::uint32_t j, double w) {
    n.state(j).v += w;
    if (w > 0) look(n, j, tick);
  }
  static std::uint32_t begin_slab(N, std::span<std::uint32_t>) { return 0; }
  static void take_slab(N n, const spinet::SlabEvents in, spinet::MemberBits& might_cross) {
    double events[256] = {};
    for (std::uint32_t i = 0; i < in.count; ++i) ++events[in.keys[i] & 255];
    for (std::uint32_t r = 0; r < in.stretch_count; ++r)
      for (std::uint32_t i = 0; i < in.stretches[r].count; ++i) {
        const std::uint32_t j = in.stretches[r].target + i, member = in.stretches[r].member + i;
        State& s = n.state(j);
        const double v = s.v + events[member] * (in.weight_of ? in.weight_of[j] : in.weight);
        if (v < s.v_th || flaw == crosses) s.v = v;
        else might_cross.set(member);
      }
  }
  static void take_out(N n, std::uint32_t j, std::span<const std::uint32_t> keys, double weight) {
    if (flaw != forgets) n.state(j).v -= static_cast<double>(keys.size()) * weight;
  }
  static void test(N n, spinet::Tick tick, std::span<const std::uint32_t> js) {
    for (const auto j : js)
      if (n.state(j).v >= n.state(j).v_th) n.state(j).v = 0, n.out().emit(tick, j);
  }
  static double read(N n, spinet::Tick, std::uint32_t j, std::uint32_t) { return n.state(j).v; }
};
}  // namespace

SPINET_MODEL(spinet::neuron_table<Sum>())
