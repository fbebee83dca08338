// Small recurrent networks with heterogeneous neurons, explicit connections, scheduled steps and, on demand,
// noise.
#pragma once
#include "support/histories.hpp"

namespace spinet::test {

struct RecurrentPlan {
  bool exponential = true;
  std::uint32_t neurons = 40;
  double connected = 0.2;  ///< fraction of ordered pairs
  bool noise = false;      ///< Poisson input to every neuron, besides the listed spikes
  bool steps = true;       ///< scheduled changes of the current
  Tick duration = ms(300);
};

inline NetworkBuilder recurrent(const RecurrentPlan& plan, std::uint32_t seed) {
  NetworkBuilder b(plan.duration, seed);
  Numbers n(seed, 12'345);
  const auto population = [&](std::uint32_t size) {
    std::vector<double> th, reset, ref, dc, V;
    for (std::uint32_t i = 0; i < size; ++i) {
      th.push_back(n.uniform(-56, -50));
      reset.push_back(n.uniform(-70, -60));
      ref.push_back(n.uniform(1.5, 4));  // short ones run away
      dc.push_back(n.uniform(0, 420));   // 250 pA is the weakest that fires the lowest threshold
      V.push_back(n.uniform(-70, -57));
    }
    Values v{{"tau_m", 10},      {"C_m", 200},   {"E_L", -66}, {"v_th", th},
             {"v_reset", reset}, {"t_ref", ref}, {"I_dc", dc}, {"V", V}};
    if (plan.exponential) {
      v.emplace_back("tau_syn_exc", 1.5);
      v.emplace_back("tau_syn_inh", 6);
    }
    return b.add(plan.exponential ? "lif_exp" : "lif_delta", size, v);
  };
  const std::uint32_t excitatory = plan.neurons * 4 / 5;
  const auto exc = population(excitatory), inh = population(plan.neurons - excitatory);
  std::vector<ListedSpike> kicks;
  for (int k = 0; k < 60; ++k)
    kicks.push_back({static_cast<Tick>(n.uniform(0, 1) * static_cast<double>(plan.duration)), n.below(10)});
  const auto in = b.source(10, std::move(kicks));
  const std::uint32_t minus = plan.exponential ? 1 : 0;
  const double unit = plan.exponential ? 400 : 2;  // pA or mV
  const auto wire = [&](std::uint32_t from, std::uint32_t to, double w, std::uint32_t port) {
    std::vector<ListedEdge> edges;
    for (std::uint32_t t = 0; t < b.range(to).count; ++t)
      for (std::uint32_t s = 0; s < b.range(from).count; ++s)
        if (n.chance(plan.connected))
          edges.push_back({s, t, w * n.uniform(0.5, 1.5), 100'000 * (1 + static_cast<Tick>(n.below(25)))});
    b.connect(from, to, std::move(edges), port);
  };
  for (const auto to : {exc, inh}) {
    wire(exc, to, unit, 0);
    wire(inh, to, -3 * unit, minus);
    wire(in, to, 4 * unit, 0);
  }
  if (plan.noise)
    for (const auto to : {exc, inh}) {
      const auto p = b.add("poisson", b.range(to).count, {{"rate", 800}}, Kind::source);
      b.connect(p, to, Rule::one_to_one, 0.8 * unit, ms(0.3));
    }
  if (plan.steps) {
    b.schedule(plan.duration / 3 + 17, exc, "I_dc", 350);
    b.schedule(plan.duration / 2, inh, "I_dc", 100);
    b.schedule(plan.duration * 2 / 3 + 1, exc, "I_dc", 150);
  }
  b.record_spikes(exc);
  b.record_spikes(inh);
  return b;
}

}  // namespace spinet::test
