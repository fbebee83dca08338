// stdp against the sum over all pairs of spikes, written down from the definition: no traces, no histories,
// no slices.
#include <catch2/catch.hpp>
#include <cmath>
#include <map>

#include "support/plastic.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {

struct PairRule {
  double tau_plus = 20, tau_minus = 20, lambda = 0.01, alpha = 1, mu_plus = 1, mu_minus = 1, w_max = 100;
  bool nearest = false;
  Values values(double weight) const {
    return {{"tau_plus", tau_plus}, {"tau_minus", tau_minus},
            {"lambda", lambda},     {"alpha", alpha},
            {"mu_plus", mu_plus},   {"mu_minus", mu_minus},
            {"w_max", w_max},       {"nearest", nearest ? 1.0 : 0.0},
            {"weight", weight}};
  }
};

/// A synapse from the definition.  At the synapse a presynaptic spike is its emission t, a postsynaptic spike
/// s + delay. A postsynaptic spike potentiates by all (or the nearest) presynaptic spikes strictly before it,
/// a presynaptic one depresses by all (or the nearest) postsynaptic spikes strictly before it; at the same
/// time the postsynaptic one acts first.  Weights are rounded to float after each step, as the engine says it
/// does.
class PairSum {
 public:
  PairSum(const PairRule& rule, double weight, const SpikeTrain& pre, const SpikeTrain& post, Tick delay)
      : r_(rule), pre_(pre) {
    for (const Tick s : post) post_.push_back(s + delay);
    std::size_t i = 0, k = 0;
    auto w = static_cast<float>(weight);
    for (;;) {
      const bool any_pre = i < pre_.size(), any_post = k < post_.size();
      if (!any_pre && !any_post) break;
      if (any_post && (!any_pre || post_[k] <= pre_[i])) {
        const double x = sum(pre_, post_[k], r_.tau_plus), u = w / r_.w_max;
        if (x > 0)
          w = static_cast<float>(
              std::min(1.0, u + r_.lambda * std::pow(std::max(0.0, 1 - u), r_.mu_plus) * x) * r_.w_max);
        after_.push_back({post_[k++], true, w});
      } else {
        const double x = sum(post_, pre_[i], r_.tau_minus), u = w / r_.w_max;
        if (x > 0)
          w = static_cast<float>(std::max(0.0, u - r_.alpha * r_.lambda * std::pow(u, r_.mu_minus) * x) *
                                 r_.w_max);
        after_.push_back({pre_[i++], false, w});
        transmitted.push_back(w);
      }
    }
    first_ = static_cast<float>(weight);
  }
  /// What an event emitted at `t` meets: presynaptic spikes before t, postsynaptic ones up to t.
  float met(Tick t) const {
    float w = first_;
    for (const Step& s : after_) {
      if (s.at > t || (s.at == t && !s.post)) break;
      w = s.weight;
    }
    return w;
  }
  std::size_t steps() const { return after_.size(); }
  std::vector<float> transmitted;  ///< by each presynaptic spike: the weight after its own step

 private:
  struct Step {
    Tick at;
    bool post;
    float weight;
  };
  double sum(const std::vector<Tick>& train, Tick before, double tau) const {
    long double x = 0;
    Tick latest = -1;
    for (const Tick t : train)
      if (t < before)
        x += std::exp(static_cast<long double>(t - before) / (1e6L * static_cast<long double>(tau))),
            latest = t;
    return r_.nearest ? (latest >= 0 ? std::exp(-static_cast<double>(before - latest) / (1e6 * tau)) : 0)
                      : static_cast<double>(x);
  }
  PairRule r_;
  std::vector<Tick> pre_, post_;
  std::vector<Step> after_;
  float first_ = 0;
};

/// Counts floats that are not the same.  The engine and the pair sum add in different orders, in double; so a
/// float may now and then be rounded the other way, and an additive rule keeps that for ever.  Nothing else
/// may differ.
struct Tally {
  std::size_t same = 0, near = 0, wrong = 0;
  double unit = 0;  ///< spacing of floats at w_max
  std::string first;
  void add(float got, float wanted, const std::string& what) {
    if (got == wanted) ++same;
    else if (std::abs(static_cast<double>(got) - static_cast<double>(wanted)) <= 3 * unit) ++near;
    else {
      if (!wrong++) first = what + ": " + std::to_string(got) + ", expected " + std::to_string(wanted);
    }
  }
  void check(std::size_t least) const {
    INFO(first);
    CHECK(wrong == 0);
    CHECK(near * 1000 <= same);
    CHECK(same >= least);
  }
};

/// Runs a network of `t` and compares weights at all recorded ticks and all transmitted weights of stdp
/// projections.
void compare(Trained& t, const std::map<std::uint32_t, PairRule>& rules, std::size_t least,
             bool moves = true) {
  struct Recorded {
    std::uint32_t w;
    Tick every, from;
  };
  std::map<std::uint32_t, std::vector<Recorded>> recordings;
  for (const auto& [p, rule] : rules)
    for (const auto& [every, from] : {std::pair<Tick, Tick>{ms(13.7) + 13, ms(2)},
                                      {ms(100), 0},
                                      {t.b.network().duration, t.b.network().duration - 1}})
      recordings[p].push_back({t.b.record_weights(p, every, from), every, from});
  std::vector<Repeater::Heard> heard;
  Repeater::notes = &heard;
  auto got = run_once(t.b.network());
  Repeater::notes = nullptr;
  std::size_t fired = 0;
  for (const auto& train : t.post)
    fired += static_cast<std::size_t>(std::lower_bound(train.begin(), train.end(), t.b.network().duration) -
                                      train.begin());
  REQUIRE(got.spikes().size() == fired);

  const Tick duration = t.b.network().duration;
  std::map<std::pair<Tick, Gid>, std::vector<float>> expected_heard, got_heard;
  for (const auto& h : heard) got_heard[{h.tick, h.gid}].push_back(static_cast<float>(h.weight));
  Tally all, arrived;
  std::size_t changed = 0, edges_seen = 0;
  for (const auto& [p, rule] : rules) {
    all.unit = arrived.unit = std::ldexp(rule.w_max, -23);
    const auto& edges = got.recorder.edges_of(p);
    REQUIRE(!edges.empty());
    for (std::size_t e = 0; e < edges.size(); ++e) {
      const Edge& edge = edges[e];
      const PairSum sum(rule, edge.weight, t.pre_of(edge), t.post_of(edge), edge.delay);
      ++edges_seen;
      changed += sum.met(duration) != static_cast<float>(edge.weight);
      for (const auto& r : recordings[p]) {
        const auto& values = got.recorder.weights_of(r.w);
        const std::size_t frames = static_cast<std::size_t>((duration - 1 - r.from) / r.every + 1);
        REQUIRE(values.size() == frames * edges.size());
        for (std::size_t f = 0; f < frames; ++f) {
          const Tick tick = r.from + static_cast<Tick>(f) * r.every;
          all.add(values[f * edges.size() + e], sum.met(tick - edge.delay),
                  "edge " + std::to_string(e) + " at " + std::to_string(tick));
        }
      }
      for (std::size_t i = 0; i < t.pre_of(edge).size(); ++i)
        if (const Tick at = t.pre_of(edge)[i] + edge.delay; at < duration)
          expected_heard[{at, edge.target}].push_back(sum.transmitted[i]);
    }
  }
  all.check(least);
  if (moves) CHECK(changed * 10 >= edges_seen * 9);
  REQUIRE(got_heard.size() == expected_heard.size());
  for (auto& [where, weights] : expected_heard) {
    auto& others = got_heard[where];
    REQUIRE(others.size() == weights.size());
    std::sort(weights.begin(), weights.end());
    std::sort(others.begin(), others.end());
    for (std::size_t i = 0; i < weights.size(); ++i)
      arrived.add(others[i], weights[i], "transmitted at " + std::to_string(where.first));
  }
  arrived.check(least / 10);
}

std::vector<SpikeTrain> trains(Numbers& n, std::size_t count, Tick duration, double hz) {
  std::vector<SpikeTrain> t;
  for (std::size_t i = 0; i < count; ++i) t.push_back(random_train(n, duration, hz));
  return t;
}

}  // namespace

TEST_CASE("stdp: one pair at a time, either order, and the tie") {
  const PairRule rule{
      .tau_plus = 17, .tau_minus = 34, .lambda = 0.1, .alpha = 0.5, .mu_plus = 0, .mu_minus = 0};
  const Tick delay = ms(1.5);
  for (const double dt : {-60.0, -10.0, -0.1, 0.0, 0.1, 10.0, 60.0}) {
    INFO("dt " << dt);
    // At the synapse: the presynaptic spike at 100 ms, the postsynaptic one at 100 ms + dt; an event at 400
    // ms collects.
    Trained t(ms(500), {{ms(100), ms(400)}}, {{ms(100 + dt) - delay}});
    const auto w = t.b.record_weights(t.plastic("stdp", rule.values(50), delay), ms(1), ms(300));
    auto got = run(t.b.network());
    const double after = dt > 0 ? 50 + 10 * std::exp(-dt / 17) : dt < 0 ? 50 - 5 * std::exp(dt / 34) : 50;
    CHECK(got.recorder.weights_of(w).front() == Approx(after).epsilon(1e-7));
    // The event at 400 ms depresses by the postsynaptic spike, whatever became of the pair before.
    CHECK(got.recorder.weights_of(w).back() == Approx(after - 5 * std::exp(-(300 - dt) / 34)).epsilon(1e-7));
  }
}

TEST_CASE("stdp equals the sum over pairs: all and nearest, additive to multiplicative, unequal delays") {
  const std::vector<double> mus = {0, 0.4, 1};
  std::uint32_t seed = 0;
  for (const bool nearest : {false, true})
    for (const double mu_plus : mus)
      for (const double mu_minus : mus) {
        INFO("nearest " << nearest << ", mu " << mu_plus << ", " << mu_minus);
        Numbers n(++seed, 1);
        Trained t(ms(1500), trains(n, 5, ms(1500), 30), trains(n, 4, ms(1500), 25));
        std::map<std::uint32_t, PairRule> rules;
        const PairRule a{.tau_plus = 15,
                         .tau_minus = 33,
                         .lambda = 0.02,
                         .alpha = 0.9,
                         .mu_plus = mu_plus,
                         .mu_minus = mu_minus,
                         .w_max = 80,
                         .nearest = nearest};
        PairRule b = a;  // another time constant, another history
        b.tau_minus = 110;
        b.lambda = 0.005;
        for (const double delay : {0.1, 1.0, 20.0}) rules[t.plastic("stdp", a.values(30), ms(delay))] = a;
        rules[t.plastic("stdp", b.values(30), ms(4.5))] = b;
        std::vector<ListedEdge> edges;
        for (std::uint32_t i = 0; i < 30; ++i)
          edges.push_back(
              {n.below(5), n.below(4), n.uniform(0, 80), 100'000 * (1 + static_cast<Tick>(n.below(60)))});
        rules[t.plastic("stdp", a.values(30), edges)] = a;
        compare(t, rules, 12'000);
      }
}

TEST_CASE("stdp stays between 0 and w_max, and leaves either bound again") {
  Numbers n(77, 1);
  // Drives up, drives down, and jumps: each step is as large as the whole range.
  for (const auto& [lambda, alpha] : {std::pair{0.3, 0.2}, {0.05, 5.0}, {1.0, 1.0}}) {
    INFO("lambda " << lambda << ", alpha " << alpha);
    Trained t(ms(1200), trains(n, 5, ms(1200), 40), trains(n, 4, ms(1200), 40));
    std::map<std::uint32_t, PairRule> rules;
    for (const double mu : {0.0, 0.4}) {
      const PairRule r{.tau_plus = 20,
                       .tau_minus = 20,
                       .lambda = lambda,
                       .alpha = alpha,
                       .mu_plus = mu,
                       .mu_minus = mu,
                       .w_max = 0.3};
      rules[t.plastic("stdp", r.values(0.2), ms(2))] = r;
    }
    const auto first = rules.begin()->first;
    const auto w = t.b.record_weights(first, ms(1));
    compare(t, rules, 3'000, false);
    auto got = run(t.b.network());
    const auto& values = got.recorder.weights_of(w);
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    CHECK(*low >= 0);
    CHECK(*high <= 0.3f);
    if (lambda == 1) CHECK((*low == 0 && *high == 0.3f));
  }
}

TEST_CASE(
    "stdp across trims: seconds of model time, silence, and spikes and events at the very tick of a trim") {
  Numbers n(5, 1);
  const Tick duration = ms(3700), longest = ms(30);
  auto pre = trains(n, 5, duration, 12), post = trains(n, 4, duration, 15);
  const auto only = [](SpikeTrain& t, Tick from, Tick to) {  // silent from `from` to `to`
    std::erase_if(t, [=](Tick x) { return x >= from && x < to; });
  };
  only(pre[0], ms(300), ms(3300));
  only(pre[1], 0, duration);
  only(post[0], ms(300), ms(2600));
  // An event that arrives with the trim at 1, 2, 3 s, and a postsynaptic spike that meets it at the synapse.
  for (const double s : {1000.0, 2000.0, 3000.0}) {
    pre[2].push_back(ms(s) - longest);
    pre[3].push_back(ms(s) - ms(5));
    for (const Tick d : {longest, ms(5)}) post[1].push_back(ms(s) - 2 * d);
    post[1].push_back(ms(s) - 2 * longest - ms(3));
    post[2].push_back(ms(s));
    post[3].push_back(ms(s) - longest);
  }
  for (auto* all : {&pre, &post})
    for (auto& t : *all) {
      std::sort(t.begin(), t.end());
      t.erase(std::unique(t.begin(), t.end()), t.end());
    }
  for (const bool nearest : {false, true}) {
    INFO("nearest " << nearest);
    Trained t(duration, pre, post);
    std::map<std::uint32_t, PairRule> rules;
    const PairRule a{.tau_plus = 15,
                     .tau_minus = 40,
                     .lambda = 0.02,
                     .alpha = 1.1,
                     .mu_plus = 0,
                     .mu_minus = 0.4,
                     .nearest = nearest};
    for (const Tick delay : {ms(0.1), ms(5), longest}) rules[t.plastic("stdp", a.values(50), delay)] = a;
    compare(t, rules, 15'000, false);
  }
}

TEST_CASE("stdp with delays of seconds and time constants of seconds") {
  Numbers n(6, 1);
  Trained t(ms(20'000), trains(n, 3, ms(20'000), 6), trains(n, 3, ms(20'000), 6));
  std::map<std::uint32_t, PairRule> rules;
  const PairRule a{
      .tau_plus = 900, .tau_minus = 0.05, .lambda = 0.005, .alpha = 2, .mu_plus = 0.4, .mu_minus = 0};
  const PairRule b{
      .tau_plus = 1, .tau_minus = 7000, .lambda = 0.001, .alpha = 0.1, .mu_plus = 1, .mu_minus = 1};
  rules[t.plastic("stdp", a.values(50), ms(1300))] = a;
  rules[t.plastic("stdp", b.values(50), ms(0.3))] = b;
  compare(t, rules, 15'000);
}

TEST_CASE("stdp: pairs further apart than the 2^32 ticks that a table of decays covers") {
  Trained t(ms(60'000), {{ms(1000), ms(45'000)}, {ms(50'000)}}, {{ms(21'000)}, {ms(8000)}});
  const PairRule r{
      .tau_plus = 7000, .tau_minus = 9000, .lambda = 0.1, .alpha = 0.5, .mu_plus = 0, .mu_minus = 0};
  compare(t, {{t.plastic("stdp", r.values(50), ms(1)), r}}, 60);
}

TEST_CASE("stdp: many targets that fire much or little between two presynaptic spikes") {
  Numbers n(7, 1);
  const Tick duration = ms(2500);
  auto post = trains(n, 11, duration, 90);  // up to some tens between two presynaptic spikes
  const auto slow = trains(n, 11, duration, 4);
  for (std::size_t j = 0; j < post.size(); j += 3) post[j] = slow[j];
  for (const double mu_plus : {0.0, 1.0})
    for (const double mu_minus : {0.0, 1.0}) {
      INFO("mu " << mu_plus << ' ' << mu_minus);
      Trained t(duration, trains(n, 6, duration, 25), post);
      const PairRule r{.lambda = 0.004, .alpha = 1.2, .mu_plus = mu_plus, .mu_minus = mu_minus};
      std::map<std::uint32_t, PairRule> rules;
      for (const Tick delay : {ms(0.4), ms(7)}) rules[t.plastic("stdp", r.values(30), delay)] = r;
      compare(t, rules, 20'000);
    }
}

TEST_CASE("stdp: a weight above w_max begins at w_max") {
  Trained t(ms(10), {{ms(2)}}, {{ms(9)}});
  std::vector<Repeater::Heard> heard;
  const auto w = t.b.record_weights(t.plastic("stdp", PairRule{.w_max = 40}.values(50), ms(1)), ms(1));
  Repeater::notes = &heard;
  auto got = run_once(t.b.network());
  Repeater::notes = nullptr;
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].weight == 40);
  CHECK(got.recorder.weights_of(w) == std::vector<float>(10, 40));
}

TEST_CASE("recording weights changes nothing") {
  const auto network = [](bool recorded) {
    Numbers n(9, 1);
    Trained t(ms(2500), trains(n, 6, ms(2500), 25), trains(n, 6, ms(2500), 25));
    const PairRule r{.tau_minus = 35, .lambda = 0.03, .mu_plus = 0.4, .mu_minus = 0.4};
    const auto p = t.plastic("stdp", r.values(50), ms(3)), q = t.plastic("stdp", r.values(50), ms(0.7));
    t.b.record_weights(p, ms(2500), ms(2500) - 1);
    t.b.record_weights(q, ms(2500), ms(2500) - 1);
    if (recorded) {
      t.b.record_weights(p, ms(0.37));
      t.b.record_weights(q, ms(0.1), 7);
    }
    std::vector<Repeater::Heard> heard;
    Repeater::notes = &heard;
    auto got = run_once(t.b.network());
    Repeater::notes = nullptr;
    std::vector<double> data;
    for (const auto& h : heard) data.push_back(h.weight);
    for (const std::uint32_t w : {0u, 1u})
      data.insert(data.end(), got.recorder.weights_of(w).begin(), got.recorder.weights_of(w).end());
    return data;
  };
  const auto without = network(false);
  CHECK(without.size() > 4000);
  CHECK(without == network(true));
}
