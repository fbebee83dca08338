// istdp against sums over all pairs of spikes, and what it is for: whatever drives a neuron, and whatever the
// neuron is, its rate comes to the target.
#include <catch2/catch.hpp>

#include <cmath>
#include <map>
#include <sstream>

#include "network/loader.hpp"
#include "support/plastic.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {

struct Rule4 {
  double tau = 20, eta = 0.5, rho0 = 8, w_max = 40;
  Values values(double weight) const {
    return {{"tau", tau}, {"eta", eta}, {"rho0", rho0}, {"w_max", w_max}, {"weight", weight}};
  }
};

/// A synapse from the definition: at a presynaptic spike all postsynaptic ones up to then count, at a
/// postsynaptic spike all presynaptic ones before it, so that a pair at the same time counts once.
class Sum {
 public:
  Sum(const Rule4& r, double weight, const SpikeTrain& pre, const SpikeTrain& post, Tick delay)
      : first_(static_cast<float>(weight)) {
    SpikeTrain met;  // postsynaptic spikes, when they meet the synapse
    for (const Tick s : post) met.push_back(s + delay);
    const auto trace = [&](const SpikeTrain& train, Tick at, bool with) {
      double x = 0;
      for (const Tick t : train)
        if (t < at || (with && t == at)) x += std::exp(-static_cast<double>(at - t) / (1e6 * r.tau));
      return x;
    };
    float w = first_;
    const auto step = [&](Tick at, bool is_post, double x) {
      w = static_cast<float>(std::clamp(static_cast<double>(w) + r.eta * x, 0.0, r.w_max));
      after_.push_back({at, is_post, w});
      if (!is_post) transmitted.push_back(w);
    };
    for (std::size_t i = 0, k = 0; i < pre.size() || k < met.size();) {
      if (k < met.size() && (i == pre.size() || met[k] <= pre[i]))
        step(met[k], true, trace(pre, met[k], false)), ++k;
      else step(pre[i], false, trace(met, pre[i], true) - 2 * r.rho0 * 1e-3 * r.tau), ++i;
    }
  }
  /// What an event emitted at `t` meets.
  float met(Tick t) const {
    float w = first_;
    for (const auto& s : after_) {
      if (s.at > t || (s.at == t && !s.post)) break;
      w = s.weight;
    }
    return w;
  }
  std::vector<float> transmitted;

 private:
  struct Step {
    Tick at;
    bool post;
    float weight;
  };
  std::vector<Step> after_;
  float first_;
};

}  // namespace

TEST_CASE(
    "istdp equals the sum over pairs: ties, bursts, bounds, unequal delays, a delay of 500 time constants") {
  std::size_t compared = 0, bound = 0;
  for (std::uint32_t seed = 1; seed <= 6; ++seed) {
    INFO("seed " << seed);
    Numbers n(seed, 1);
    const Tick duration = ms(1500);
    std::vector<SpikeTrain> pre, post;
    for (int i = 0; i < 4; ++i)
      pre.push_back(random_train(n, duration, 30)), post.push_back(random_train(n, duration, 25));
    Trained t(duration, pre, post);
    struct Case {
      Rule4 rule;
      Tick delay;
      std::uint32_t w;
    };
    std::map<std::uint32_t, Case> cases;
    const auto add = [&](const Rule4& r, Tick delay) {
      const auto p = t.plastic("istdp", r.values(10), delay);
      cases[p] = {r, delay, 0};
    };
    add({}, ms(1));
    add({.tau = 15, .eta = 3}, ms(0.1));
    add({.tau = 15, .rho0 = 30}, ms(20));
    add({.tau = 0.1, .rho0 = 100}, ms(50));
    for (auto& [p, c] : cases) c.w = t.b.record_weights(p, ms(13.7) + 13, ms(2));
    auto got = run(t.b.network());
    for (const auto& [p, c] : cases) {
      const auto& edges = got.recorder.edges_of(p);
      const auto& values = got.recorder.weights_of(c.w);
      REQUIRE(edges.size() == 16);
      for (std::size_t e = 0; e < edges.size(); ++e) {
        const Sum sum(c.rule, 10, t.pre_of(edges[e]), t.post_of(edges[e]), c.delay);
        for (std::size_t f = 0; f * edges.size() < values.size(); ++f) {
          const float wanted = sum.met(ms(2) + static_cast<Tick>(f) * (ms(13.7) + 13) - c.delay),
                      is = values[f * edges.size() + e];
          ++compared;
          bound += wanted == 0 || wanted == static_cast<float>(c.rule.w_max);
          // Traces are added in another order; a float may now and then be rounded the other way.
          if (std::abs(is - wanted) > 4 * std::ldexp(static_cast<float>(c.rule.w_max), -23))
            FAIL("projection " << p << ", edge " << e << ", frame " << f << ": " << is << ", expected "
                               << wanted);
        }
      }
    }
  }
  CHECK(compared > 30'000);
  CHECK(bound > 1000);
  CHECK(bound < compared / 2);
}

TEST_CASE("istdp: the postsynaptic rate comes to the target, on every neuron model") {
  struct Model {
    const char *neuron, *synapse;  // a current that drives it far above the target; a step of the weight
  };
  const Model models[] = {
      {"lif_delta, params: {I_dc: 600 pA}", "sign: -1, weight: 0 mV, eta: 1 uV"},
      {"lif_exp, params: {I_dc: 600 pA, tau_syn_inh: 5 ms}", "port: inh, weight: 0 pA, eta: 0.08 pA"},
      {"adex, params: {I_dc: 1 nA, tau_syn_inh: 5 ms}", "port: inh, weight: 0 pA, eta: 0.1 pA"},
      {"lif_cond_exp, params: {I_dc: 300 pA}", "port: inh, weight: 0 nS, eta: 2 pS"}};
  for (const auto& m : models)
    for (const double target : {6.0, 15.0}) {
      INFO(m.neuron << ", " << target << " Hz");
      std::ostringstream text;
      text << "spinet: 1\nduration: 40 s\npopulations:\n  inh: {model: poisson, size: 300, params: {rate: 20 "
              "Hz}}\n  cells: {size: 4, model: "
           << m.neuron
           << "}\nprojections:\n  p: {from: inh, to: cells, connect: all_to_all, synapse: {model: istdp, "
              "delay: 1 ms, rho0: "
           << target << " Hz, " << m.synapse << "}}\nrecord: {spikes: [cells]}\n";
      const Network net = load_text(text.str(), "istdp.yaml", builtin());
      const auto got = run_once(net);
      const auto rate = [&](Tick from, Tick to) {
        const auto count = std::count_if(got.spikes().begin(), got.spikes().end(),
                                         [&](const Spike& s) { return s.tick >= from && s.tick < to; });
        return static_cast<double>(count) / 4 / (static_cast<double>(to - from) * 1e-9);
      };
      CHECK(rate(0, ms(500)) > 2 * target);
      // Each inhibitory spike makes postsynaptic ones rarer just after it, and so the rate lies above the
      // target: at 6 Hz by 12 % with 60 sources, by 5 to 8 % with these 300.
      CHECK(rate(ms(20'000), ms(40'000)) == Approx(target).epsilon(0.1));
    }
}
