// rstdp against its equations integrated in small steps, with eligibility and reward level as plain sums over
// all pairs and all rewards: no traces, no histories, no closed forms.
#include <catch2/catch.hpp>
#include <cmath>

#include "support/plastic.hpp"

#include "spinet/reward.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {

struct Rule3 {
  double tau_plus = 20, tau_minus = 20, A_plus = 0.1, A_minus = 0.15, tau_c = 1000, tau_d = 200, baseline = 0,
         w_max = 100;
  Values values(double weight) const {
    return {{"tau_plus", tau_plus}, {"tau_minus", tau_minus}, {"A_plus", A_plus},
            {"A_minus", A_minus},   {"tau_c", tau_c},         {"tau_d", tau_d},
            {"baseline", baseline}, {"w_max", w_max},         {"weight", weight}};
  }
};
struct Reward {
  Tick tick;
  double value;
};

/// One synapse in its own time, in ms: presynaptic spikes at their emission, postsynaptic ones and rewards as
/// shifted by the delay.  At one time: postsynaptic spike, reward, presynaptic spike.
class Integrated {
 public:
  /// What it hears, in the network's time.
  struct Heard {
    SpikeTrain pre, post;
    std::vector<Reward> rewards;
  };
  Integrated(const Rule3& rule, double weight, Tick delay, const Heard& heard)
      : r_(rule), w_(weight), delay_(delay) {
    for (const Tick t : heard.pre) events_.push_back({t, 2, 0});
    for (const Tick s : heard.post) events_.push_back({s + delay, 0, 0});
    for (const auto& [tick, value] : heard.rewards) events_.push_back({tick - delay, 1, value});
    std::sort(events_.begin(), events_.end(),
              [](const Event& a, const Event& b) { return std::tie(a.at, a.kind) < std::tie(b.at, b.kind); });
  }
  /// Weight and eligibility met by an event that arrives at `tick`; rewards of that tick have acted.
  std::pair<double, double> met(Tick tick) {
    const Tick to = tick - delay_;
    for (; next_ < events_.size(); ++next_) {
      const Event& e = events_[next_];
      if (e.at > to || (e.at == to && e.kind == 2)) break;
      advance(e.at);
      if (e.kind == 1) {
        if (r_.tau_d > 0) rewards_.push_back(e);
        else add(r_.w_max * c(e.at) * e.value);
        continue;
      }
      double jump = 0;
      for (const Event& o : spikes_)
        if (o.kind != e.kind && o.at < e.at)
          jump += e.kind == 0 ? r_.A_plus * decay(e.at - o.at, r_.tau_plus)
                              : -r_.A_minus * decay(e.at - o.at, r_.tau_minus);
      spikes_.push_back(e);
      if (jump != 0) jumps_.push_back({e.at, e.kind, jump});
    }
    advance(to);
    return {w_, c(to)};
  }

 private:
  struct Event {
    Tick at;
    int kind;  ///< 0 postsynaptic, 1 reward, 2 presynaptic
    double value;
  };
  static double decay(Tick span, double tau) { return std::exp(-static_cast<double>(span) / (1e6 * tau)); }
  double c(Tick t) const {
    double sum = 0;
    for (const Event& j : jumps_) sum += j.value * decay(t - j.at, r_.tau_c);
    return sum;
  }
  double d(Tick t) const {
    double sum = r_.baseline;
    for (const Event& e : rewards_) sum += e.value * decay(t - e.at, r_.tau_d);
    return sum;
  }
  void add(double change) { w_ = std::clamp(w_ + change, 0.0, r_.w_max); }
  void advance(Tick to) {
    if (now_ >= to) return;
    // Simpson's rule in steps of at most 0.5 ms, bounded after each.
    const Tick span = to - now_, steps = 1 + span / 500'000;
    for (Tick k = 0; k < steps; ++k) {
      const Tick a = now_ + span * k / steps, b = now_ + span * (k + 1) / steps, m = (a + b) / 2;
      add(r_.w_max * static_cast<double>(b - a) / 1e9 * (c(a) * d(a) + 4 * c(m) * d(m) + c(b) * d(b)) / 6);
    }
    now_ = to;
  }
  Rule3 r_;
  double w_;
  Tick delay_, now_ = 0;
  std::vector<Event> events_, spikes_, jumps_, rewards_;
  std::size_t next_ = 0;
};

void give(Trained& t, const std::vector<Reward>& rewards) {
  for (const auto& r : rewards) {
    t.b.at(r.tick, spinet::reward, {r.value});
  }
}

/// All weights and eligibilities of the rstdp projections of `t` against the integration; the largest range
/// of a weight.
double compare(Trained& t, const std::vector<std::pair<std::uint32_t, Rule3>>& rules,
               const std::vector<Reward>& rewards) {
  const Tick every = ms(31) + 7, from = ms(2);
  for (const auto& [p, rule] : rules)
    for (const std::uint32_t variable : {0u, 1u}) t.b.record_weights(p, every, from, variable);
  give(t, rewards);
  auto got = run(t.b.network());
  double range = 0;
  std::uint32_t w = 0;
  for (const auto& [p, rule] : rules) {
    const auto& edges = got.recorder.edges_of(p);
    const auto &weights = got.recorder.weights_of(w++), &eligibilities = got.recorder.weights_of(w++);
    const auto frames = static_cast<std::size_t>((t.b.network().duration - 1 - from) / every + 1);
    REQUIRE(weights.size() == frames * edges.size());
    REQUIRE(eligibilities.size() == frames * edges.size());
    double furthest = 0, furthest_c = 0;
    for (std::size_t e = 0; e < edges.size(); ++e) {
      Integrated reference(rule, edges[e].weight, edges[e].delay,
                           {t.pre_of(edges[e]), t.post_of(edges[e]), rewards});
      double low = edges[e].weight, high = low;
      for (std::size_t f = 0; f < frames; ++f) {
        const auto [weight, c] = reference.met(from + static_cast<Tick>(f) * every);
        furthest = std::max(furthest, std::abs(weights[f * edges.size() + e] - weight));
        furthest_c = std::max(furthest_c, std::abs(eligibilities[f * edges.size() + e] - c));
        low = std::min(low, weight);
        high = std::max(high, weight);
      }
      range = std::max(range, (high - low) / rule.w_max);
    }
    // Floats after each of some hundred steps; the reference's own steps near a bound and where the sign
    // changes.
    INFO("projection " << p);
    CHECK(furthest < 2e-5 * rule.w_max);
    CHECK(furthest_c < 1e-5);
  }
  return range;
}

std::vector<SpikeTrain> trains(Numbers& n, std::size_t count, Tick duration, double hz) {
  std::vector<SpikeTrain> t;
  for (std::size_t i = 0; i < count; ++i) t.push_back(random_train(n, duration, hz));
  return t;
}

}  // namespace

TEST_CASE("rstdp: one pair and one reward in closed form, the reward after the pair or before it") {
  const Tick delay = ms(1);
  for (const double dt : {10.0, -10.0})
    for (const double wait : {100.0, -100.0}) {  // from pair to reward
      INFO("dt " << dt << ", wait " << wait);
      const Rule3 r{.A_plus = 1, .A_minus = 1.5};
      Trained t(ms(20'000), {{ms(500)}}, {{ms(500 + dt) - delay}});
      const auto w = t.b.record_weights(t.plastic("rstdp", r.values(50), delay), ms(1), ms(19'999));
      const double pair = 500 + std::max(dt, 0.0);
      give(t, {{ms(pair + wait) + delay, 1}});
      auto got = run(t.b.network());
      // w_max times the integral of c d from the later of the two on: 1/both = 1/tau_c + 1/tau_d.
      const double c = dt > 0 ? std::exp(-0.5) : -1.5 * std::exp(-0.5), both = 1 / (1 / 1000.0 + 1 / 200.0);
      const double change =
          100 * c * (wait > 0 ? std::exp(-wait / 1000) : std::exp(wait / 200)) * both / 1000;
      CHECK(got.recorder.weights_of(w).back() == Approx(50 + change).epsilon(1e-7));
    }
}

TEST_CASE(
    "rstdp equals its equations: pairs, rewards and punishments, tau_d zero and above, baseline, unequal "
    "delays") {
  for (const double tau_d : {0.0, 30.0, 200.0})
    for (const double baseline : {0.0, 0.8, -0.5}) {
      INFO("tau_d " << tau_d << ", baseline " << baseline);
      Numbers n(static_cast<std::uint32_t>(100 + tau_d), baseline < 0 ? 3 : baseline > 0 ? 2 : 1);
      const Tick duration = ms(1600);
      Trained t(duration, trains(n, 3, duration, 20), trains(n, 3, duration, 15));
      std::vector<Reward> rewards{{ms(1), 0.6}, {ms(1000), 0.7}, {ms(1000), 0.4}};
      for (int i = 0; i < 8; ++i)
        rewards.push_back({static_cast<Tick>(n.uniform(0, 1.6e9)) / 1000 * 1000, n.uniform(-0.7, 1)});
      const Rule3 a{.tau_plus = 15,
                    .tau_minus = 40,
                    .A_plus = 0.5,
                    .A_minus = 0.25,
                    .tau_c = 400,
                    .tau_d = tau_d,
                    .baseline = baseline,
                    .w_max = 20};
      Rule3 b = a;
      b.tau_c = 90;
      std::vector<std::pair<std::uint32_t, Rule3>> rules;
      for (const double delay : {0.1, 3.0, 25.0})
        rules.push_back({t.plastic("rstdp", a.values(8), ms(delay)), a});
      rules.push_back({t.plastic("rstdp", b.values(8), ms(1)), b});
      CHECK(compare(t, rules, rewards) > 0.03);
    }
}

TEST_CASE(
    "rstdp: weights stay between 0 and w_max, whatever the reward, and leave the bounds at the right time") {
  for (const double tau_d : {0.0, 150.0}) {
    INFO("tau_d " << tau_d);
    Numbers n(44, 1);
    const Tick duration = ms(2500);
    Trained t(duration, trains(n, 3, duration, 15), trains(n, 3, duration, 15));
    std::vector<Reward> rewards;
    for (int i = 0; i < 10; ++i) rewards.push_back({ms(250 * i + 100), i % 2 ? -8.0 : 8.0});
    std::vector<std::pair<std::uint32_t, Rule3>> rules;
    const Rule3 a{.A_plus = 0.4, .A_minus = 0.2, .tau_c = 300, .tau_d = tau_d, .w_max = 5};
    rules.push_back({t.plastic("rstdp", a.values(2), ms(2)), a});
    CHECK(compare(t, rules, rewards) == 1);
  }
}

TEST_CASE("rstdp: reward and baseline of opposite sign between two events, with a bound on the way") {
  // After the pair nothing happens: the reward level drives w to w_max, then the negative baseline takes it
  // down again.
  for (const double value : {6.0, -6.0}) {
    INFO("reward " << value);
    const Rule3 r{.A_plus = 1, .tau_c = 4000, .tau_d = 200, .baseline = value > 0 ? -0.3 : 0.3, .w_max = 10};
    Trained t(ms(6000), {{ms(100), ms(5500)}}, {{ms(105)}});
    CHECK(compare(t, {{t.plastic("rstdp", r.values(5), ms(1)), r}}, {{ms(200), value}}) > 0.5);
  }
}

TEST_CASE("rstdp: an eligibility that is there at the beginning meets the first reward") {
  for (const double tau_d : {0.0, 200.0}) {
    auto values = Rule3{.tau_c = 500, .tau_d = tau_d}.values(10);
    values.push_back({"c", 0.2});
    Trained t(ms(9000), {{}}, {{}});
    const auto w = t.b.record_weights(t.plastic("rstdp", values, ms(2)), ms(1), ms(8999));
    give(t, {{ms(102), 1}});
    auto got = run(t.b.network());
    const double c = 0.2 * std::exp(-0.2);
    CHECK(got.recorder.weights_of(w).back() ==
          Approx(10 + 100 * c * (tau_d > 0 ? 1 / (1 / 500.0 + 1 / 200.0) / 1000 : 1)).epsilon(1e-6));
  }
}

TEST_CASE("rstdp: a reward for one projection leaves the others alone") {
  Trained t(ms(3000), {{ms(500)}}, {{ms(505)}});
  const auto p = t.plastic("rstdp", Rule3{}.values(50), ms(1)),
             q = t.plastic("rstdp", Rule3{}.values(50), ms(1));
  t.b.record_weights(p, ms(1), ms(2999));
  t.b.record_weights(q, ms(1), ms(2999));
  t.b.at(ms(600), spinet::reward, {1}, {WholeProjection{q}});
  auto got = run(t.b.network());
  CHECK(got.recorder.weights_of(0) == std::vector<float>{50});
  CHECK(got.recorder.weights_of(1).at(0) > 50.5f);
}
