// A leaky counter of its input, sound (FLAW 0) or with one flaw that `check-plugin` must find.  It leaks in
// steps, at the boundaries of frames, so that it needs no exp.
#include <cfenv>

#include "spinet/neuron.hpp"
#include "spinet/reward.hpp"

namespace {
enum {
  sound,
  past,
  hidden_counter,
  read_writes,
  batch_size,
  block_index,
  greedy,
  train_differs,
  sleeps_wrongly,
  one_key,
  own_key,
  twice,
  payload,
  posts,
  reward_nan,
  reward_counts,
  batch_index,
  nan_at_end,
  set_index,
  stranger,
  passed,
  rounding,
  unit
};
constexpr int flaw = FLAW;

/// What only flawed models keep.
struct Kept {
  int calls;
  double rewards;
};
inline Kept& kept() {
  static Kept all;
  return all;
}

struct Counter {
  static constexpr const char* name = "counter";
  static constexpr const char* doc = "Fires when its input has added up, for the tests of check-plugin.";
  struct Params {
    double v_th, t_ref;
  };
  struct State {
    double v, v_th;
    spinet::Tick refractory, until;
  };
  static constexpr spinet::Port ports[] = {{"exc", flaw == unit ? "mV/" : "mV", "adds", 1, 0},
                                           {"inh", "mV", "takes away", -1, 0}};
  static auto params() {
    spinet::FieldTable<Params> t;
    t.add(&Params::v_th, "v_th", "mV", 20, spinet::above(0), spinet::scheduled, "threshold")
        .add(&Params::t_ref, "t_ref", "ms", 2, spinet::at_least(0), 0, "refractory time");
    return t;
  }
  static auto variables() {
    spinet::FieldTable<State> t;
    t.add(&State::v, "v", "mV", 0.5, spinet::any(), spinet::initial | spinet::recorded, "input so far");
    return t;
  }
  using N = spinet::Neurons<Counter>;
  static spinet::Tick frame(const Params&, const spinet::RunInfo& r) {
    return static_cast<spinet::Tick>(5 * r.ticks_per_ms);
  }
  static void init(N n, std::uint32_t j, const Params& p, const double* initial) {
    n.state(j) = {initial[0], p.v_th, static_cast<spinet::Tick>(p.t_ref * n.b.run.ticks_per_ms), -1};
    if (flaw == nan_at_end && p.t_ref == 0) n.state(j).v = __builtin_nan("");
  }
  static void set(N n, spinet::Tick, std::uint32_t j, const Params& p) {
    n.state(j).v_th = p.v_th * (flaw == set_index ? 1 + 0.01 * j : 1);
  }
  static constexpr spinet::Stimulus stimuli[] = {spinet::reward, spinet::batch_end};
  enum { a_reward, a_batch_end };
  static void on_control(N n, spinet::Tick tick, const spinet::Control& c,
                         std::span<const std::uint32_t> js) {
    if (flaw == posts && c.stimulus == a_reward) n.out().post(tick + 1'000'000, c);
    for (const auto j : js) {
      if (c.stimulus == a_reward && flaw == reward_nan && c.value[0] < 0)
        n.state(j).v = __builtin_sqrt(c.value[0]);
      if (c.stimulus == a_reward) n.state(j).v += flaw == reward_counts ? ++kept().rewards : 0.1 * c.value[0];
      if (c.stimulus == a_batch_end && flaw == batch_index) n.state(j).v += j;
    }
  }
  static void arrive(N n, spinet::Tick tick, std::uint32_t, std::uint32_t j, double w) {
    State& s = n.state(j);
    if (flaw == hidden_counter && ++kept().calls % 1000 == 0) w = 0;
    if (flaw == block_index) w *= 1 + 0.01 * j;
    if (flaw == own_key)
      w *= spinet::uniform01(spinet::draw({1, 2}, n.b.gids[j], static_cast<std::uint64_t>(tick))[0]);
    if (flaw == one_key)
      w *= spinet::uniform01(spinet::draw(n.b.random[0], n.b.gids[j], static_cast<std::uint64_t>(tick))[0]);
    if (tick < s.until) return;
    s.v += w;
    if (s.v >= s.v_th) n.out().test_at(flaw == past ? tick - 1 : tick, flaw == stranger ? n.size() : j);
    if (s.v >= s.v_th && flaw == passed) n.out().wake_at(tick, j);
    if (flaw == greedy && w > 0)
      for (int i = 0; i < 4; ++i) n.out().test_at(tick, j);
  }
  static void receive(N n, const spinet::Arrivals& a) {
    const double share = flaw == batch_size ? 1.0 / a.count : 1.0;
    a.each([&](std::uint16_t j, double w) { arrive(n, a.tick, a.port, j, w * share); });
  }
  static std::uint32_t receive_train(N n, const spinet::Train& a) {
    std::uint32_t i = 0;
    for (; a.keys[i] < a.limit; ++i) {
      const auto j = static_cast<std::uint16_t>(a.keys[i]);
      arrive(n, a.base + (a.keys[i] >> 16), a.port, j, flaw == train_differs && i == 0 ? 0 : a.at(j));
      if (n.out().size) return i + 1;
    }
    return i;
  }
  static void test(N n, spinet::Tick tick, std::span<const std::uint32_t> js) {
    if (flaw == rounding) std::fesetround(FE_UPWARD);
    for (const auto j : js) {
      State& s = n.state(j);
      if (s.v < s.v_th) continue;
      s.v = 0;
      s.until = tick + s.refractory;
      n.out().emit(tick, j, flaw == payload ? 0.5 : 1);
      if (flaw == twice) n.out().emit(tick, j);
    }
  }
  static std::uint32_t renormalise(N n, std::uint64_t frames) {
    std::uint32_t asleep = 1;
    for (std::uint32_t j = 0; j < n.size(); ++j) {
      double& v = n.state(j).v;
      if (flaw == sleeps_wrongly) v *= 0.75 / static_cast<double>(frames);
      else
        for (std::uint64_t f = 0; f < frames && v != 0; ++f) v *= 0.75;
      if (v >= n.state(j).v_th) asleep = 0;
    }
    return asleep;
  }
  static double read(N n, spinet::Tick, std::uint32_t j, std::uint32_t) {
    const double v = n.state(j).v;
    if (flaw == read_writes) n.state(j).v *= 0.999;
    return v;
  }
};
}  // namespace

SPINET_MODEL(spinet::neuron_table<Counter>())
