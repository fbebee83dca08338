// What a person should know before believing the figures.
#include <fmt/format.h>

#include <cmath>

#include "look/analysis.hpp"
#include "text.hpp"

namespace spinet::look {

using tool::grouped;
using tool::plural;
using tool::time_text;

namespace {

/// Of a population of which no spike was recorded: silent only as far as that is known.
std::string silence(const LoggedPopulation& p, const std::string& recorded, const std::string& when) {
  if (p.fired && *p.fired == 0)
    return fmt::format("{} is silent: none of its {} fired.", p.name, plural(p.size, "neuron"));
  const auto none = fmt::format("none of its {} {}neuron{} fired{}", grouped(p.neurons), recorded,
                                p.neurons == 1 ? "" : "s", when);
  if (!p.fired) return fmt::format("{} is silent: {}.", p.name, none);
  return fmt::format("No spike of {} was recorded: {}. In the whole run its {} fired {}.", p.name, none,
                     plural(p.size, "neuron"), *p.fired == 1 ? "once" : grouped(*p.fired) + " times");
}

}  // namespace

std::vector<Warning> warnings_of(const Analysis& a) {
  std::vector<Warning> w;
  const auto serious = [&](std::string text) { w.push_back({true, std::move(text)}); };
  const auto note = [&](std::string text) { w.push_back({false, std::move(text)}); };
  const double per_tick = a.log.seconds_per_tick;
  if (a.log.status != RunStatus::complete)
    serious(fmt::format("The run is not complete ({}): it reached {} of {}.", name_of(a.log.status),
                        time_text(static_cast<double>(a.log.reached) * per_tick),
                        time_text(static_cast<double>(a.log.duration) * per_tick)));
  if (!a.log.warning.empty()) serious(fmt::format("The log is not whole: {}", a.log.warning));
  if (a.populations.empty()) note("No spikes were recorded (`record: spikes` names populations).");
  std::string some;  // populations of which some neurons are silent
  for (const auto& p : a.populations) {
    const auto& name = p.population.name;
    const auto size = static_cast<double>(p.population.neurons);
    if (p.population.neurons == 0 || p.is_source()) continue;  // sources do what the network says
    const std::string recorded = p.population.neurons < p.population.size ? "recorded " : "";
    const auto when = recorded_when(p.population, a.end, a.log.ticks_per_ms);
    if (p.population.spikes == 0) {
      serious(silence(p.population, recorded, when));
      continue;
    }
    if (p.active < p.population.neurons)
      some += fmt::format("{}{:.3g} % of {} ({} of {}{}{})", some.empty() ? "" : ", ",
                          100 * (1 - static_cast<double>(p.active) / size), name,
                          grouped(p.population.neurons - p.active), grouped(p.population.neurons),
                          recorded.empty() ? "" : " recorded", when);
    if (!a.images && static_cast<double>(p.fast) > 0.1 * size)  // graded events of images have no rate
      serious(fmt::format(
          "{} is saturated: {:.3g} % of its {}neurons fire faster than {:g} Hz{}; the shortest intervals may "
          "be the refractory time.",
          name, 100 * static_cast<double>(p.fast) / size, recorded, Analysis::fast_hz, when));
    if (p.correlation_neurons >= 5 && p.correlations.mean() > Analysis::synchrony)
      serious(fmt::format(
          "{} is synchronous: the mean correlation of spike counts in {:g} ms is {:.2f} (above {:g}).", name,
          a.correlation_bin_ms, p.correlations.mean(), Analysis::synchrony));
  }
  if (!some.empty()) note(fmt::format("Neurons that never fired: {}.", some));
  for (const auto& t : a.traces) {
    if (!t.problem.empty()) serious(fmt::format("Report {} cannot be shown: {}", t.report.name, t.problem));
    if (t.not_finite)
      serious(fmt::format("Report {} holds values that are not finite: {} among the neurons shown.",
                          t.report.name, grouped(t.not_finite)));
  }
  for (const auto& h : a.weights) {
    if (!h.problem.empty())
      serious(fmt::format("The weights of {} cannot be shown: {}", h.weights.name, h.problem));
    std::uint64_t bad = 0;
    for (const auto& f : h.frames) bad += f.not_finite;
    if (bad) serious(fmt::format("{} weights of {} are not finite.", grouped(bad), h.weights.name));
  }
  for (const auto& c : a.changes)
    if (!c.problem.empty())
      serious(fmt::format("The weight changes of {} cannot be shown: {}", c.events.name, c.problem));
  if (a.images && !a.images->problem.empty())
    serious(fmt::format("What was made of the images cannot be shown: {}", a.images->problem));
  for (const auto& m : a.metrics)
    if (!m.problem.empty())
      serious(fmt::format("The metrics of {} cannot be shown: {}", m.metrics.population, m.problem));
  return w;
}

}  // namespace spinet::look
