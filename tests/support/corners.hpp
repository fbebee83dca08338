// Single neurons with parameters from the corners: threshold at rest, constant currents at and one unit in
// the last place beside the threshold current, time constants from 1e-3 to 1e15 ms, no refractory period,
// resets just under the threshold, weights that are zero, denormal or huge.
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "support/histories.hpp"

namespace spinet::test {

struct CornerPlan {
  bool exponential = true;
  bool own_time_constants = false;  ///< each neuron its own: the kernel without frames
  std::uint32_t neurons = 25;
};

namespace detail {
inline double corner_tau(Numbers& n) {
  constexpr std::array some{1e-3, 0.5, 2.0, 10.0, 10.0, 20.0, 1e3, 1e4, 1.0001e4, 1e5, 1e8, 1e12, 1e15};
  if (n.chance(0.5)) return some[n.below(some.size())];
  return n.chance(0.5) ? n.log_uniform(0.5, 100) : n.log_uniform(1e-3, 1e15);
}
inline double corner_tau_syn(Numbers& n, double tau_m) {
  if (n.chance(0.15)) return tau_m;
  if (n.chance(0.15)) return tau_m * (1 + n.uniform(-0.03, 0.03));
  return corner_tau(n);
}

/// The neurons of a plan, one number for each.
struct Corners {
  std::vector<double> tau_m, tau_exc, tau_inh, C, E, th, reset, ref, dc, V;
  bool brief;  ///< some hundred ticks, in which a neuron may fire at each
  double duration_ms;

  Corners(const CornerPlan& plan, std::uint32_t seed) {
    Numbers shared(seed, 9'000'000);
    brief = shared.chance(0.2);
    draw_time_constants(plan, shared);
    for (std::uint32_t j = 0; j < plan.neurons; ++j) draw_neuron(Numbers(seed, j), tau_m[j]);
  }
  Values values(const CornerPlan& plan) const {
    const auto value = [&](const std::vector<double>& v) {
      return plan.own_time_constants ? Value(v) : Value(v.front());
    };
    Values all{{"tau_m", value(tau_m)}, {"C_m", C},     {"E_L", E},   {"v_th", th},
               {"v_reset", reset},      {"t_ref", ref}, {"I_dc", dc}, {"V", V}};
    if (plan.exponential)
      all.insert(all.end(), {{"tau_syn_exc", value(tau_exc)}, {"tau_syn_inh", value(tau_inh)}});
    return all;
  }

 private:
  void draw_time_constants(const CornerPlan& plan, Numbers& shared);
  void draw_neuron(Numbers n, double tau);
};

inline void Corners::draw_time_constants(const CornerPlan& plan, Numbers& shared) {
  for (std::uint32_t j = 0; j < plan.neurons; ++j) {
    if (j > 0 && !plan.own_time_constants) {
      for (auto* t : {&tau_m, &tau_exc, &tau_inh}) t->push_back(t->front());
      continue;
    }
    tau_m.push_back(corner_tau(shared));
    tau_exc.push_back(corner_tau_syn(shared, tau_m.back()));
    tau_inh.push_back(shared.chance(0.4) ? tau_exc.back() : corner_tau_syn(shared, tau_m.back()));
  }
  double shortest = *std::min_element(tau_m.begin(), tau_m.end());
  if (plan.exponential)
    for (const auto* t : {&tau_exc, &tau_inh})
      shortest = std::min(shortest, *std::min_element(t->begin(), t->end()));
  duration_ms = brief ? 3e-4 : std::min(40.0, 400 * shortest);
}

inline void Corners::draw_neuron(Numbers n, double tau) {
  C.push_back(n.log_uniform(1, 1000));
  E.push_back(n.uniform(-75, 5));
  const double gap = n.chance(0.15) ? 0 : n.chance(0.1) ? -n.log_uniform(0.1, 30) : n.log_uniform(0.1, 30);
  th.push_back(E.back() + gap);
  const double fall = n.log_uniform(0.1, 30);
  const bool close = n.chance(0.1) && brief;
  reset.push_back(close ? std::nextafter(th.back(), -INFINITY) : th.back() - fall);
  ref.push_back(n.chance(0.3) ? 0.0 : n.chance(0.1) ? 1e-6 : duration_ms * n.uniform(0.005, 0.3));
  const double at_threshold = (th.back() - E.back()) * C.back() / tau;
  const double kind = n.uniform();
  // About a hundred spikes, without a refractory period.
  const double most = 100 * fall * C.back() / duration_ms;
  double I = kind < 0.2   ? 0.0
             : kind < 0.3 ? at_threshold
             : kind < 0.4 ? std::nextafter(at_threshold, n.chance(0.5) ? INFINITY : -INFINITY)
             : kind < 0.7 ? at_threshold * n.uniform(-2, 3)
             : kind < 0.9 ? most * n.log_uniform(1e-3, 1)
                          : n.log_uniform(1, 1e12);
  if (!brief) I = std::min(I, at_threshold > 0 ? at_threshold + most : most);
  dc.push_back(I);
  V.push_back(n.chance(0.1)   ? th.back()
              : n.chance(0.1) ? std::nextafter(th.back(), -INFINITY)
                              : reset.back() + (th.back() - reset.back()) * n.uniform(0, 0.999));
}

/// What arrives at them.
struct CornerInputs {
  static constexpr std::uint32_t per_neuron = 6;
  std::vector<ListedSpike> spikes;
  std::vector<ListedEdge> plus, minus;

  /// At neuron j; delays are multiples of `step`.
  void add(const CornerPlan& plan, const Corners& of, std::uint32_t j, Numbers n, Tick step) {
    const double fall = of.th[j] - of.reset[j];
    const Tick duration = ms(of.duration_ms);
    for (std::uint32_t k = 0; k < per_neuron; ++k) {
      const bool inhibits = k >= 4;
      const double tau = inhibits ? of.tau_inh[j] : of.tau_exc[j];
      const double unit =
          !plan.exponential ? fall : fall * of.C[j] / std::min(peak(of.tau_m[j], tau), of.duration_ms);
      // Huge currents of both signs would leave nothing but their rounding, and one that arrives in the very
      // tick in which V passes the threshold anyway hides that until the next (models/README.md).
      const bool huge_fits = of.ref[j] > 1e-5 && (!plan.exponential || (!inhibits && !of.brief));
      double w = n.chance(0.15)                ? 0.0
                 : n.chance(0.05)              ? 1e-40
                 : n.chance(0.05) && huge_fits ? 1e30
                                               : unit * n.log_uniform(0.01, 2);
      if (inhibits) w = -w;
      const Tick delay = step * (1 + n.below(4));
      (inhibits ? minus : plus).push_back({j * per_neuron + k, j, w, delay});
      for (std::uint32_t i = 0; i < 3; ++i)
        spikes.push_back(
            {static_cast<Tick>(n.uniform() * static_cast<double>(duration)), j * per_neuron + k});
    }
  }
};
}  // namespace detail

/// The network of a plan.  Neurons do not hear each other; their gids come first.
inline NetworkBuilder corner_network(const CornerPlan& plan, std::uint32_t seed) {
  const detail::Corners corners(plan, seed);
  NetworkBuilder b(ms(corners.duration_ms), seed);
  const auto cells = b.add(plan.exponential ? "lif_exp" : "lif_delta", plan.neurons, corners.values(plan));
  const Tick step = b.network().delay_resolution = corners.brief ? 10 : 1000;
  detail::CornerInputs in;
  for (std::uint32_t j = 0; j < plan.neurons; ++j)
    in.add(plan, corners, j, Numbers(seed, 1'000'000 + j), step);
  const auto inputs = b.source(plan.neurons * in.per_neuron, std::move(in.spikes));
  b.connect(inputs, cells, std::move(in.plus), 0);
  b.connect(inputs, cells, std::move(in.minus), plan.exponential ? 1 : 0);
  b.record_spikes(cells);
  return b;
}

}  // namespace spinet::test
