#include "look/page.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "look/confusion.hpp"
#include "look/correlation.hpp"
#include "look/json.hpp"
#include "look/run_object.hpp"
#include "look/titles.hpp"

namespace spinet::look {

extern const char* const page_html;    // page/page.html
extern const char* const page_style;   // page/style.css
extern const char* const page_script;  // page/*.js, in order

namespace {

constexpr std::size_t most_text = 200'000;  ///< of the network's YAML: networks may list every synapse

void histogram(Json& j, const char* name, const Histogram& h) {
  j.key(name)
      .object()
      .key("from")
      .value(h.from, 9)
      .key("width")
      .value(h.width, 9)
      .key("counts")
      .values(h.counts)
      .entry("above", h.above)
      .end();
}

void moments(Json& j, const char* name, const Moments& m) {
  j.key(name).object().entry("n", m.n).key("mean").value(m.mean(), 6).key("sd").value(m.sd(), 6).end();
}

void title(Json& j, const Title& t, const std::string& key = "figure") {
  j.key(key)
      .object()
      .entry("name", t.name)
      .entry("title", t.title)
      .entry("x", t.x)
      .entry("y", t.y)
      .entry("x_scale", t.x_scale)
      .end();
}

void density(Json& j, const Density& d) {
  std::uint32_t most = 0;
  for (const auto c : d.cells()) most = std::max(most, c);
  const std::size_t width = most > 255 ? 2 : 1;
  std::vector<std::uint8_t> bytes;
  bytes.reserve(d.cells().size() * width);
  bool cut = false;
  for (auto c : d.cells()) {
    if (c > 0xffff) c = 0xffff, cut = true;
    bytes.push_back(static_cast<std::uint8_t>(c));
    if (width == 2) bytes.push_back(static_cast<std::uint8_t>(c >> 8));
  }
  j.key("density")
      .object()
      .entry("rows", std::uint64_t{d.rows()})
      .entry("columns", std::uint64_t{d.columns()})
      .entry("bytes", std::uint64_t{width});
  j.entry("cut", cut).key("data").base64(bytes).end();
}

void populations(Json& j, const Analysis& a) {
  j.key("populations").array();
  for (const auto& p : a.populations) {
    j.object().entry("name", p.population.name).entry("kind", p.population.kind);
    j.key("sign")
        .value(static_cast<double>(p.population.sign), 1)
        .entry("colour", std::string(p.look.colour->name))
        .entry("dashes", p.look.dashes);
    j.entry("size", p.population.size)
        .entry("neurons", p.population.neurons)
        .entry("spikes", p.population.spikes)
        .entry("active", p.active);
    j.key("from").value(p.from_ms).key("to").value(p.to_ms);
    j.key("rate").value(p.rate_hz, 6).entry("fast", p.fast).key("counts").values(p.spikes_in_bin);
    density(j, *p.density);
    const auto points = p.sample->encoded();
    j.key("points")
        .object()
        .entry("rows", p.sample->rows())
        .entry("count", p.sample->points())
        .entry("whole", p.sample->whole());
    if (!p.sample->whole()) j.key("nodes").values(p.sample->nodes());
    j.key("data").base64({reinterpret_cast<const std::uint8_t*>(points.data()), points.size()}).end();
    histogram(j, "rates", p.rates);
    std::size_t first = 0, last = p.isi.size();
    while (last > 0 && p.isi[last - 1] == 0) --last;
    while (first < last && p.isi[first] == 0) ++first;
    j.key("isi")
        .object()
        .entry("first", std::uint64_t{first})
        .key("counts")
        .values(std::vector(p.isi.begin() + static_cast<std::ptrdiff_t>(first),
                            p.isi.begin() + static_cast<std::ptrdiff_t>(last)));
    j.entry("intervals", p.intervals).key("median").value(p.median_isi_ms, 4).end();
    histogram(j, "cv", p.cv);
    moments(j, "cvs", p.cvs);
    histogram(j, "correlation", p.correlation);
    moments(j, "correlations", p.correlations);
    j.entry("correlation_neurons", p.correlation_neurons);
    j.end();
  }
  j.end();
}

void titles(Json& j, const Analysis& a) {
  j.key("figures").object();
  auto all = distribution_titles(a);
  for (const Members of : {Members::neurons, Members::sources})
    all.push_back(raster_title(of)), all.push_back(rates_title(of));
  for (const auto& t : all) title(j, t, t.name);
  j.end();
}

void traces(Json& j, const Analysis& a) {
  j.key("traces").array();
  for (const auto& t : a.traces) {
    if (t.traces.empty() || t.report.frames == 0) continue;
    j.object();
    title(j, title_of(t));
    j.entry("name", t.report.name)
        .entry("population", t.report.population)
        .entry("variable", t.report.variable)
        .entry("units", t.report.units);
    j.entry("start", t.report.start_ms)
        .entry("step", t.report.step_ms)
        .entry("frames", t.report.frames)
        .entry("neurons", t.report.ids)
        .entry("per_point", t.frames_per_point);
    j.key("shown").array();
    for (const auto& trace : t.traces) {
      j.object().entry("node", trace.node).key("low").values(trace.low, 6);
      if (!trace.high.empty()) j.key("high").values(trace.high, 6);
      j.end();
    }
    j.end().end();
  }
  j.end();
}

void weights(Json& j, const Analysis& a) {
  j.key("weights").array();
  for (const auto& h : a.weights) {
    if (h.frames.empty()) continue;
    j.object();
    title(j, title_of(h));
    title(j, final_title_of(h), "last");
    j.key("bounds").values(h.bounds(a.end_ms), 12);
    j.entry("name", h.weights.name)
        .entry("units", h.weights.units)
        .entry("frames", h.weights.frames)
        .entry("edges", h.weights.edges);
    j.key("from").value(h.from, 9).key("width").value(h.width, 9).key("shown").array();
    for (const auto& f : h.frames) {
      j.object()
          .key("ms")
          .value(f.ms, 12)
          .key("mean")
          .value(f.mean, 7)
          .key("sd")
          .value(f.sd, 7)
          .key("min")
          .value(f.smallest, 7)
          .key("max")
          .value(f.largest, 7);
      j.key("counts").values(f.counts).end();
    }
    j.end().end();
  }
  j.end();
  j.key("changes").array();
  for (const auto& c : a.changes) {
    if (c.synapses.empty()) continue;
    j.object();
    title(j, title_of(c));
    j.entry("name", c.events.name)
        .entry("events", c.events.events)
        .entry("all", c.all)
        .key("synapses")
        .array();
    for (const auto& s : c.synapses)
      j.object()
          .entry("edge", s.edge)
          .entry("changes", s.changes)
          .key("ms")
          .values(s.ms, 12)
          .key("values")
          .values(s.values, 7)
          .end();
    j.end().end();
  }
  j.end();
}

void metrics(Json& j, const Analysis& a) {
  j.key("metrics").array();
  for (const auto& h : a.metrics) {
    if (!h.problem.empty() || h.ms.empty()) continue;
    for (std::size_t m = 0; m < h.means.size(); ++m) {
      j.object();
      title(j, title_of(h, m));
      j.entry("population", h.metrics.population)
          .entry("metric", h.metrics.names[m])
          .entry("rewards", h.metrics.rewards);
      j.entry("per_point", h.rewards_per_point).entry("not_finite", h.not_finite[m]);
      j.key("ms").values(h.ms, 12).key("means").values(h.means[m], 7).end();
    }
  }
  j.end();
}

void replace(std::string& page, const std::string& mark, const std::string& text) {
  page.replace(page.find(mark), mark.size(), text);
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : printable(text)) out += c == '<' ? "&lt;" : c == '&' ? "&amp;" : std::string(1, c);
  return out;
}

}  // namespace

std::string json_of(const Analysis& a) {
  Json j;
  j.object();
  j.key("run");
  run_object(j, a.log);
  j.entry("yaml", a.network.substr(0, most_text)).entry("yaml_cut", a.network.size() > most_text);
  j.entry("end_ms", a.end_ms)
      .entry("ms_per_tick", a.ms_per_tick)
      .entry("bin_ms", a.bin_ms)
      .entry("correlation_bin_ms", a.correlation_bin_ms);
  j.key("isi_bins")
      .object()
      .entry("per_decade", std::uint64_t{Neurons::per_decade})
      .key("first_decade")
      .value(double{Neurons::first_decade})
      .end();
  j.entry("cv_intervals", Neurons::cv_intervals).entry("least_spikes", Correlation::least_spikes);
  populations(j, a);
  titles(j, a);
  traces(j, a);
  weights(j, a);
  metrics(j, a);
  if (a.images && a.images->problem.empty()) {
    j.key("images"), images_object(j, a.images->results);
    j.key("images_figure").object();
    j.entry("name", confusion_figure.name).entry("title", confusion_figure.title).end();
  }
  j.key("warnings").array();
  for (const auto& w : a.warnings) j.object().entry("serious", w.serious).entry("text", w.text).end();
  j.end().end();
  return j.text();
}

std::string page_of(const Analysis& a) { return page_around(json_of(a), a.log.network); }

std::string page_around(const std::string& data, const std::string& title) {
  std::string page = page_html;
  replace(page, "/* STYLE */", page_style);
  replace(page, "/* PALETTE */", palette_css(Ground::white));
  replace(page, "/* DARK PALETTE */", palette_css(Ground::black));
  replace(page, "/* SCRIPT */", page_script);
  replace(page, "<!-- DATA -->", data);
  replace(page, "<!-- TITLE -->", escaped(title));
  return page_mark + page;
}

}  // namespace spinet::look
