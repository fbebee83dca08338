#include "layers/spiking.hpp"

#include <fmt/format.h>

#include <cmath>

#include "layers/plan_of.hpp"

namespace spinet::layers {
namespace {

/// After so many time constants of silence less is left of an image than numbers are rounded by.
constexpr double at_rest = 16;
/// Outputs that leak to less than this share before they are read tell classes apart badly.
constexpr double least_left = 1e-3;
constexpr double arctan_slope = 3;  // if not given

template <class... Args>
[[noreturn]] void no_layer(const Population& p, fmt::format_string<Args...> reason, Args&&... args) {
  throw NotLayered(fmt::format("'{}' {}", p.name, fmt::format(reason, std::forward<Args>(args)...)));
}

double value_of(const Population& p, std::string_view name) {
  const Distribution& d = p.params[*parameter_of(*p.model, name)];
  if (d.kind != Distribution::Kind::constant) no_layer(p, "draws '{}'; a layer has one for all", name);
  return d.a;
}

/// Its potential is what training begins each image with.
void check_rest(const Population& p, const Showing& s, double ticks_per_ms, double slowest) {
  const double rest = value_of(p, "E_L");
  for (const Distribution& begin : p.initial)
    if (begin.kind != Distribution::Kind::constant || begin.a != rest)
      no_layer(p, "does not begin at rest, as training does; initial: {{V: {} mV}}", rest);
  const double silence = static_cast<double>(s.period) / ticks_per_ms - (s.steps - 1) * s.step;
  if (silence < at_rest * slowest)
    no_layer(p,
             "is not at rest again when the next image begins: {} ms lie between, {} are {} of its time "
             "constants; a longer 'period' of the images costs next to nothing",
             silence, at_rest * slowest, at_rest);
}

/// What models have in common: potential at rest, threshold and reset.
struct Membrane {
  double tau_m, tau_s;  ///< [ms]; tau_s 0: what arrives acts at once
  double gain;          ///< what an input of 1 makes of the potential in a step [mV]
};

Membrane jumping(const Population& p) {
  if (value_of(p, "t_ref") != 0)
    no_layer(p, "is refractory, which training does not reckon with; t_ref: 0 ms");
  return {value_of(p, "tau_m"), 0, 1};
}

/// Of an impulse of 1 pC, low-passed or not (models/integrator.cpp).
Membrane integrating(const Population& p, double step) {
  constexpr double ms_of_pC = 1000;  // 1 pC = 1000 pA ms
  if (value_of(p, "spiking") != 0) no_layer(p, "has no threshold; spiking: yes, or model: linear");
  if (value_of(p, "leak") != 0) no_layer(p, "does not leak, so that it comes to no rest between images");
  const double tau_m = value_of(p, "tau_m"), tau_s = value_of(p, "tau_syn");
  const double left = std::exp(-step / tau_m), jump = value_of(p, "gain") * value_of(p, "R") * ms_of_pC;
  if (tau_s == 0) return {tau_m, 0, jump / tau_m};
  if (std::abs(tau_m - tau_s) < 1e-9 * tau_m) return {tau_m, tau_s, jump / tau_m * (step / tau_s) * left};
  return {tau_m, tau_s, jump / (tau_m - tau_s) * (left - std::exp(-step / tau_s))};
}

}  // namespace

Spiking spiking_of(const Network& n, const Population& p, const Showing& shown) {
  if (!shown.in_steps())
    no_layer(p, "spikes, and '{}' shows graded images; encoding: rate, latency, current or events",
             n.populations[shown.population].name);
  if (value_of(p, "I_dc") != 0) no_layer(p, "has a current 'I_dc', which training does not reckon with");
  const bool integrates = parameter_of(*p.model, "tau_syn").has_value();
  const Membrane m = integrates ? integrating(p, shown.step) : jumping(p);
  check_rest(p, shown, n.ticks_per_ms(), std::max(m.tau_m, m.tau_s));
  if (!(m.gain > 0)) no_layer(p, "turns what excites round; R and gain above 0");
  const double rest = value_of(p, "E_L");
  Spiking s;
  s.membrane_decay = std::exp(-shown.step / m.tau_m);
  s.synaptic_decay = m.tau_s > 0 ? std::exp(-shown.step / m.tau_s) : 0;
  s.threshold = (value_of(p, "v_th") - rest) / m.gain;
  s.reset = (value_of(p, "v_reset") - rest) / m.gain;
  if (!(s.threshold > 0)) no_layer(p, "fires at rest: v_th is not above E_L");
  s.soft_reset = value_of(p, "reset") != 0;
  s.surrogate = shown.surrogate == 0 ? Spiking::Surrogate::fast_sigmoid : Spiking::Surrogate::arctan;
  if (shown.slope > 0) s.slope = shown.slope;
  else if (s.surrogate == Spiking::Surrogate::arctan) s.slope = arctan_slope;
  return s;
}

std::string between_steps(const Plan& plan) {
  std::string names;
  for (const Layer& l : plan.layers)
    if (l.answer == Answer::lif && l.spiking.synaptic_decay > 0)
      names += (names.empty() ? "" : ", ") + l.name;
  return names;
}

std::vector<double> left_of_answers(const Showing& shown, Tick answer, Tick delay, double ticks_per_ms) {
  std::vector<double> left;
  for (std::uint32_t k = 0; k < shown.steps; ++k) {
    const double at = static_cast<double>(shown.onset + answer + delay) / ticks_per_ms + k * shown.step,
                 ahead = static_cast<double>(shown.read) / ticks_per_ms - at;
    if (ahead < 0)
      throw NotLayered(
          fmt::format("the answers to step {} of an image come {} ms after its begin, and "
                      "the outputs are read after {} ms",
                      k + 1, at, static_cast<double>(shown.read) / ticks_per_ms));
    left.push_back(shown.tau_out > 0 ? std::exp(-ahead / shown.tau_out) : 1);
  }
  if (shown.tau_out <= 0) return {};
  if (left.back() < least_left)
    throw NotLayered(
        fmt::format("of the last answer {:.1e} is left when the outputs are read: a longer "
                    "'onset' brings both together, or a longer 'tau_out'",
                    left.back()));
  return left;
}

}  // namespace spinet::layers
