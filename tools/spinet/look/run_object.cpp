#include "look/run_object.hpp"

#include <cmath>

namespace spinet::look {
namespace {

void figures(Json& j, const LogSummary::Figures& f) {
  j.entry("spikes", f.spikes).entry("synapses", f.synapses).entry("stored_synapses", f.stored_synapses);
  j.entry("events", f.events).entry("deliveries", f.deliveries).entry("superposed", f.superposed);
  j.entry("events_before", f.events_before).entry("events_per_second", f.events_per_second());
  j.entry("build_s", f.build_seconds).entry("run_s", f.run_seconds);
}

void members(Json& j, const LogSummary& s) {
  // A tick is hardly ever a number of seconds that a double holds; its inverse mostly is.
  const double inverse = 1 / s.seconds_per_tick, per_second = std::round(inverse);
  const bool whole = std::fabs(inverse - per_second) < 1e-9 * inverse;
  const auto seconds = [&](Tick t) {
    return whole ? static_cast<double>(t) / per_second : static_cast<double>(t) * s.seconds_per_tick;
  };
  j.entry("file", s.path.filename().string())
      .entry("bytes", s.bytes)
      .entry("network", s.network)
      .entry("path", s.network_path);
  j.entry("status", name_of(s.status))
      .entry("seed", s.seed)
      .entry("ranks", s.ranks)
      .entry("version", s.version);
  j.entry("host", s.host)
      .entry("started", s.started)
      .entry("finished", s.finished)
      .entry("command_line", s.command_line);
  j.key("overrides").array();
  for (const auto& o : s.overrides) j.value(o);
  j.end();
  j.entry("tick_s", s.seconds_per_tick)
      .entry("duration_s", seconds(s.duration))
      .entry("reached_s", seconds(s.reached));
  if (s.figures) figures(j, *s.figures);
  j.key("populations").array();
  for (const auto& p : s.populations) {
    j.object()
        .entry("name", p.name)
        .entry("model", p.model)
        .entry("kind", p.kind)
        .key("sign")
        .value(static_cast<double>(p.sign), 1);
    j.entry("size", p.size).entry("recorded", p.recorded);
    if (p.recorded) j.entry("spikes", p.spikes);
    if (p.dimensions) j.entry("dimensions", std::uint64_t{p.dimensions});
    if (p.fired) j.entry("fired", *p.fired);
    j.end();
  }
  j.end();
}

double mean_of(const auto& all) {
  double sum = 0;
  for (const auto x : all) sum += static_cast<double>(x);
  return all.empty() ? 0 : sum / static_cast<double>(all.size());
}

}  // namespace

void images_object(Json& j, const ImageResults& r) {
  j.object().entry("images", std::uint64_t{r.labels.size()}).entry("right", r.right());
  j.entry("accuracy", r.accuracy()).entry("part", r.part).entry("data", r.data).entry("weights", r.weights);
  j.entry("classes", std::uint64_t{r.classes}).key("confusion").values(r.confusion());
  j.key("layers").array();
  for (const auto& l : r.layers) {
    j.object().entry("name", l.population).key("spikes").value(mean_of(l.spikes), 9);
    j.key("events").value(mean_of(l.events), 9).end();
  }
  j.end().key("energy").array();
  for (const auto& e : r.energies)
    j.object().entry("projection", e.projection).key("nJ").value(mean_of(e.nJ), 9).end();
  j.end().entry("without_energy", r.without_energy).end();
}

void run_object(Json& j, const LogSummary& log) {
  j.object();
  members(j, log);
  j.end();
}

std::string info_json(const LogData& data) {
  const LogSummary& log = data.summary();
  Json j;
  j.object();
  members(j, log);
  j.key("reports").array();
  for (const auto& r : log.reports)
    j.object()
        .entry("name", r.name)
        .entry("population", r.population)
        .entry("variable", r.variable)
        .entry("units", r.units)
        .entry("path", r.path)
        .entry("frames", r.frames)
        .entry("neurons", r.ids)
        .entry("start_ms", r.start_ms)
        .entry("every_ms", r.step_ms)
        .end();
  j.end().key("weights").array();
  for (const auto& w : data.weights())
    if (w.problem.empty())
      j.object()
          .entry("name", w.name)
          .entry("synapses", w.edges)
          .entry("frames", w.frames)
          .entry("every_ms", w.step_ms)
          .end();
  j.end().key("weight_events").array();
  for (const auto& w : data.weight_events())
    if (w.problem.empty())
      j.object().entry("name", w.name).entry("synapses", w.synapses).entry("events", w.events).end();
  j.end().key("edges").array();
  for (const auto& e : log.edges)
    j.object()
        .entry("projection", e.projection)
        .entry("source", e.source)
        .entry("target", e.target)
        .entry("path", e.path)
        .entry("edges", e.edges)
        .end();
  j.end();
  if (const auto images = data.images(); images && images->problem.empty())
    j.key("images"), images_object(j, images->results);
  if (!log.warning.empty()) j.entry("warning", log.warning);
  j.end();
  return j.text() + "\n";
}

}  // namespace spinet::look
