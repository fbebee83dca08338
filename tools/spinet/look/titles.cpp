#include "look/titles.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace spinet::look {
namespace {

std::string with_unit(const std::string& what, const std::string& unit) {
  return unit.empty() ? what : fmt::format("{} ({})", what, unit);
}

/// "Weights of p", but "G of p".
std::string of(const char* weights, const char* others, const std::string& variable,
               const std::string& projection) {
  return variable == "weight" ? fmt::format("{} of {}", weights, projection)
                              : fmt::format("{}{} of {}", others, variable, projection);
}

constexpr std::size_t second = (3 - Neurons::first_decade) * Neurons::per_decade;  ///< of the intervals

/// Are there intervals of a second and more?  As with times: seconds where milliseconds would be thousands.
bool slow(const Analysis& a) {
  return std::any_of(a.populations.begin(), a.populations.end(), [](const auto& p) {
    return !p.is_source() && std::any_of(p.isi.begin() + second, p.isi.end(), [](auto n) { return n > 0; });
  });
}

}  // namespace

Title raster_title(Members of) {
  return of == Members::sources ? Title{"source_raster", "Raster of the sources", "", "member"}
                                : Title{"raster", "Raster", "", "neuron"};
}

Title rates_title(Members of) {
  return of == Members::sources ? Title{"source_rates", "Rates of the sources over time", "", "rate (Hz)"}
                                : Title{"rates", "Population rates over time", "", "rate (Hz)"};
}

std::vector<Title> distribution_titles(const Analysis& a) {
  const bool s = slow(a);
  return {{"rate_distribution", "Rates of neurons", "rate (Hz)", "% of neurons"},
          {"isi", "Interspike intervals", s ? "interspike interval (s)" : "interspike interval (ms)",
           "% of intervals", s ? 1e-3 : 1},
          {"cv", "CV of interspike intervals", "coefficient of variation", "% of neurons"},
          {"correlation", "Pairwise correlation", "correlation coefficient", "% of pairs"}};
}

Title title_of(const Traces& t) {
  return {"trace_" + t.report.name, fmt::format("{} of {}", t.report.variable, t.report.population), "",
          with_unit(t.report.variable, t.report.units)};
}

Title title_of(const WeightHistory& h) {
  const auto& w = h.weights;
  return {"weights_" + w.name, of("Weights", "", w.variable, w.projection), "",
          with_unit(w.variable, w.units)};
}

Title final_title_of(const WeightHistory& h) {
  const auto& w = h.weights;
  return {"final_weights_" + w.name, of("Final weights", "Final ", w.variable, w.projection),
          with_unit(w.variable, w.units), "synapses"};
}

Title title_of(const WeightChanges& c) {
  const auto& e = c.events;
  return {"weight_changes_" + e.name, of("Weight changes", "Changes of ", e.variable, e.projection), "",
          with_unit(e.variable, e.units)};
}

Title title_of(const MetricHistory& h, std::size_t metric) {
  const auto& m = h.metrics;
  return {fmt::format("metric_{}_{}", m.population, m.names[metric]),
          fmt::format("{} of {}", m.names[metric], m.population), "", m.names[metric]};
}

}  // namespace spinet::look
