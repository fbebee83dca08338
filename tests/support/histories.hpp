// Random input histories of single neurons: many neurons that do not hear each other in one network, each
// with its own parameters and its own sources.  Made to be unpleasant: bursts, silences longer than many
// frames, arrivals on and beside frame boundaries, several in one tick, inhibition far below rest, currents
// that leave V just under the threshold.
#pragma once
#include <algorithm>
#include <cmath>
#include <vector>

#include "spinet/random.hpp"
#include "support/network_builder.hpp"

namespace spinet::test {

/// Numbers in order from one Philox stream.
class Numbers {
 public:
  Numbers(std::uint32_t seed, std::uint64_t entity) : key_{seed, 77}, entity_(entity) {}
  double uniform() { return uniform01(word()); }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  double log_uniform(double low, double high) { return low * std::exp(std::log(high / low) * uniform()); }
  std::uint32_t below(std::uint32_t n) {
    return static_cast<std::uint32_t>((std::uint64_t{word()} * n) >> 32);
  }
  bool chance(double p) { return uniform() < p; }

 private:
  std::uint32_t word() {
    if (left_ == 0) {
      words_ = draw(key_, entity_, counter_++);
      left_ = 4;
    }
    return words_[--left_];
  }
  RandomKey key_;
  std::uint64_t entity_, counter_ = 0;
  Words words_{};
  int left_ = 0;
};

/// Where the resting potential lies.
enum class Rest { far_below, just_below, above, mixed };
/// What an individual history emphasises.
enum class Drive { mixed, sparse, strong_inhibition, near_threshold };

struct HistoryPlan {
  bool exponential = true;
  double tau_m = 20, tau_exc = 0.5, tau_inh = 0.5;
  Rest rest = Rest::mixed;
  Drive drive = Drive::mixed;
  std::uint32_t neurons = 100;
  Tick duration = ms(400);
  bool soft = false;  ///< resets, of three in four
};

namespace detail {
/// Peak of V per pA for C = 1 pF, in mV; double is enough to scale weights.
inline double peak(double tau_m, double tau_s) {
  const double ratio = tau_s / tau_m;
  if (std::fabs(ratio - 1) < 1e-6) return tau_m * std::exp(-1.0);
  return tau_s * std::pow(ratio, ratio / (1 - ratio));
}

/// Frame length the model chooses for these parameters; 0 where it has none.
inline Tick frame_of(const Model& m, const std::vector<Distribution>& params, double ticks_per_ms) {
  const auto& table = reinterpret_cast<const NeuronTable&>(m);
  if (!table.frame) return 0;
  std::vector<double> raw(table.params_size / sizeof(double) + 1);
  for (std::uint32_t k = 0; k < m.params.count; ++k) {
    const auto& f = m.params.data[k];
    const double x = params[k].kind == Distribution::Kind::listed ? params[k].values[0] : params[k].a;
    auto* at = reinterpret_cast<char*>(raw.data()) + f.offset;
    if (f.type == Type::f64) std::memcpy(at, &x, sizeof x);
    else {
      const float y = static_cast<float>(x);
      std::memcpy(at, &y, sizeof y);
    }
  }
  const RunInfo info{ticks_per_ms};
  return table.frame(raw.data(), &info);
}
}  // namespace detail

namespace detail {
/// The neurons of a plan, one number for each.
struct HistoryNeurons {
  std::vector<double> C, E, th, reset, ref, dc, V, soft;
  HistoryNeurons(const HistoryPlan& plan, std::uint32_t seed);
  Values values(const HistoryPlan& plan) const {
    Values all{{"tau_m", plan.tau_m}, {"C_m", C},   {"E_L", E}, {"v_th", th},   {"v_reset", reset},
               {"t_ref", ref},        {"I_dc", dc}, {"V", V},   {"reset", soft}};
    if (plan.exponential)
      all.insert(all.end(), {{"tau_syn_exc", plan.tau_exc}, {"tau_syn_inh", plan.tau_inh}});
    return all;
  }
};

inline HistoryNeurons::HistoryNeurons(const HistoryPlan& plan, std::uint32_t seed) {
  for (std::uint32_t j = 0; j < plan.neurons; ++j) {
    Numbers n(seed, j);
    C.push_back(n.log_uniform(1, 1000));
    E.push_back(n.uniform(-75, 5));
    const double gap = n.log_uniform(1, 30);
    th.push_back(E.back() + gap);
    reset.push_back(E.back() + gap * (n.chance(0.3) ? 0.0 : n.uniform(-1, 0.8)));
    ref.push_back(n.chance(0.1) ? 0.0 : n.chance(0.1) ? 1e-6 : n.chance(0.5) ? 2.0 : n.uniform(0, 10));
    const Rest rest = plan.rest != Rest::mixed ? plan.rest : static_cast<Rest>(n.below(3));
    const double level = rest == Rest::far_below    ? n.uniform(-0.5, 0.5)
                         : rest == Rest::just_below ? 1 - n.log_uniform(1e-6, 0.2)
                                                    : 1 + n.log_uniform(1e-3, 2);
    dc.push_back(n.chance(0.2) && rest == Rest::far_below ? 0.0 : gap * level * C.back() / plan.tau_m);
    soft.push_back(plan.soft && j % 4 != 0);
    V.push_back(reset.back() + (th.back() - reset.back()) * n.uniform(0, 0.999));
  }
}

/// What arrives at the neurons: sources of their own, and when these fire.
struct HistoryInputs {
  static constexpr std::uint32_t exc = 5, inh = 3, per_neuron = exc + inh;
  std::vector<ListedSpike> spikes;
  std::vector<ListedEdge> plus, minus;

  /// The synapses of neuron j; their delays.
  std::vector<Tick> connect(const HistoryPlan& plan, const HistoryNeurons& of, std::uint32_t j, Numbers& n) {
    const double gap = of.th[j] - of.E[j];
    const double current = gap * of.C[j];
    const double unit_exc = plan.exponential ? current / peak(plan.tau_m, plan.tau_exc) : gap;
    const double unit_inh = plan.exponential ? current / peak(plan.tau_m, plan.tau_inh) : gap;
    std::vector<Tick> delays;
    for (std::uint32_t k = 0; k < per_neuron; ++k) {
      double w = n.log_uniform(0.05, 1.3);
      if (plan.drive == Drive::near_threshold) w = 1 - n.log_uniform(1e-9, 0.3);
      if (k >= exc)
        w = -(plan.drive == Drive::strong_inhibition ? n.log_uniform(1, 300) : n.log_uniform(0.05, 2));
      const Tick delay = 100'000 * (1 + n.below(40));
      delays.push_back(delay);
      const std::uint32_t source = j * per_neuron + k;
      if (k < exc) plus.push_back({source, j, w * unit_exc, delay});
      else minus.push_back({source, j, w * unit_inh, delay});
    }
    return delays;
  }

  /// The spikes of the sources of neuron j, whose frames are `frame` long.
  void fire(const HistoryPlan& plan, std::uint32_t j, Numbers& n, const std::vector<Tick>& delays,
            Tick frame) {
    const double mean_gap =
        plan.drive == Drive::sparse ? plan.tau_m * 8 : plan.tau_m * n.log_uniform(0.02, 2);
    double t = 5;
    for (int events = 0; events < 120; ++events) {
      t -= mean_gap * std::log(n.uniform());
      if (n.chance(0.02)) t += n.uniform(0, 30) * plan.tau_m;
      Tick arrival = ms(t);
      if (frame > 0 && n.chance(0.1))
        arrival = (arrival / frame + 1) * frame + static_cast<Tick>(n.below(3)) - 1;
      if (arrival >= plan.duration) break;
      const std::uint32_t together = n.chance(0.15) ? 1 + n.below(per_neuron) : 1;
      const std::uint32_t k0 = n.below(per_neuron);
      for (std::uint32_t i = 0; i < together; ++i) {
        const std::uint32_t k = (k0 + i) % per_neuron;
        if (k >= exc && i == 0 && n.chance(0.5)) continue;
        if (arrival >= delays[k]) spikes.push_back({arrival - delays[k], j * per_neuron + k});
      }
      if (n.chance(0.1) && arrival + 1 < plan.duration && arrival >= delays[k0])  // and one tick later
        spikes.push_back({arrival + 1 - delays[k0], j * per_neuron + k0});
    }
  }
};
}  // namespace detail

/// The network of a plan.  Neuron gids come first.
inline NetworkBuilder random_histories(const HistoryPlan& plan, std::uint32_t seed) {
  NetworkBuilder b(plan.duration, seed);
  const detail::HistoryNeurons neurons(plan, seed);
  const auto cells = b.add(plan.exponential ? "lif_exp" : "lif_delta", plan.neurons, neurons.values(plan));
  const auto& made = b.network().populations[cells];
  const Tick frame = detail::frame_of(*made.model, made.params, b.network().ticks_per_ms());
  detail::HistoryInputs in;
  for (std::uint32_t j = 0; j < plan.neurons; ++j) {
    Numbers n(seed, 1'000'000 + j);
    const auto delays = in.connect(plan, neurons, j, n);
    in.fire(plan, j, n, delays, frame);
  }
  const auto inputs = b.source(plan.neurons * in.per_neuron, std::move(in.spikes));
  b.connect(inputs, cells, std::move(in.plus), 0);
  b.connect(inputs, cells, std::move(in.minus), plan.exponential ? 1 : 0);
  b.record_spikes(cells);
  return b;
}

}  // namespace spinet::test
