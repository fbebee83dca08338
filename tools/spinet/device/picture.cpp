#include "device/picture.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "commands.hpp"
#include "log/h5.hpp"
#include "network/suggest.hpp"
#include "network/units.hpp"
#include "svg.hpp"

namespace spinet::tool {
namespace {

constexpr std::size_t most_points = 4000;  // of a line in a picture
constexpr std::size_t rows_shown = 2000;   // of the table in a page

/// A value that steps have: of a stimulus, or a parameter that is set.
struct Driven {
  Step::Kind kind;
  std::uint32_t what, place;
};
const Field& field_of(const SynapseTable& t, const Driven& d) {
  return d.kind == Step::Kind::set ? t.model.params.data[d.what] : t.model.stimuli[d.what].fields[d.place];
}
/// Everything that steps of this model may have, by name; the first of a name is meant by it.
std::map<std::string, Driven> all_driven(const SynapseTable& t) {
  std::map<std::string, Driven> all;
  for (std::uint32_t s = 0; s < t.model.stimulus_count; ++s)
    for (std::uint32_t k = 0; k < t.model.stimuli[s].count; ++k) {
      const std::string stimulus = t.model.stimuli[s].name, value = t.model.stimuli[s].fields[k].name;
      all.emplace(value == "value" ? stimulus : value, Driven{Step::Kind::stimulus, s, k});
    }
  for (std::uint32_t i = 0; i < t.model.params.count; ++i)
    if (t.model.params.data[i].flags & scheduled)
      all.emplace(t.model.params.data[i].name, Driven{Step::Kind::set, i, 0});
  return all;
}
bool has(const Step& s, const Driven& d) { return s.kind == d.kind && s.what == d.what; }

/// What a record is shown against, where the user does not say: a ramp that is most of it, or time where
/// most is a pause, else the number of the step.
std::string chosen_axis(const Record& r) {
  const auto& all = r.protocol;
  for (const auto& e : all.elements) {
    if (2 * e.count <= all.steps.size()) continue;
    const Step& s = all.steps[e.first];
    if (s.kind == Step::Kind::pause) return "time";
    if (!e.ramp) continue;
    for (const auto& [name, d] : all_driven(*r.table))
      if (has(s, d) && d.place == e.ramped) return name;
  }
  return "step";
}

/// What is below 0 would not be there in a logarithmic picture.
void refuse_negative(const std::string& axis, const std::vector<double>& values) {
  const double least = *std::min_element(values.begin(), values.end());
  if (least < 0)
    throw UserError(
        fmt::format("--axis {}=log: values go down to {:g}, which has no logarithm", axis, least));
}

struct Across {
  ChartAxis axis;
  std::vector<std::size_t> readings;  ///< which are shown
};
Across across(const Record& r, const View& v) {
  const std::string name = v.against.empty() ? chosen_axis(r) : v.against;
  Across a;
  const auto known = all_driven(*r.table);
  const auto d = known.find(name);
  const std::size_t stride = r.readings() / most_points + 1;
  std::vector<double> raw;
  for (std::size_t i = 0; i < r.readings(); i += stride) {
    double x = static_cast<double>(i);
    if (name == "time") x = i < r.begin.size() ? r.begin[i] : r.end;
    else if (d != known.end()) {
      if (i == 0 || !has(r.protocol.steps[i - 1], d->second)) continue;
      x = r.protocol.steps[i - 1].value[d->second.place];
    }
    a.readings.push_back(i);
    raw.push_back(x);
  }
  if (raw.empty())
    throw UserError(fmt::format("--against: no step of the protocol has a value of {}", in_quotes(name)));
  std::string unit = name == "time" ? "s" : "";
  if (d != known.end()) unit = field_of(*r.table, d->second).unit;
  a.axis.label = name + (unit.empty() || unit == "1" ? "" : " " + unit);
  const auto given = v.logarithmic.find("x");
  const auto& e = r.protocol.elements;
  const bool by_decades = name == "time" && e.size() == 1 && e[0].text.ends_with("log");
  a.axis.logarithmic = given != v.logarithmic.end() ? given->second : by_decades;
  if (a.axis.logarithmic) refuse_negative("x", raw);
  a.axis.values = std::move(raw);
  return a;
}

std::vector<double> taken(const std::vector<double>& all, const std::vector<std::size_t>& which) {
  std::vector<double> some;
  some.reserve(which.size());
  for (const auto i : which) some.push_back(all[i]);
  return some;
}

/// The voltage, or what stands for it, of the step before each reading.
std::vector<double> voltages(const Record& r) {
  const std::uint32_t plain = plain_stimulus(r.table->model);
  std::vector<double> all{0};
  for (const auto& s : r.protocol.steps)
    all.push_back(s.kind == Step::Kind::stimulus && s.what == plain ? s.value[0] : 0);
  return all;
}

std::string page_text(const std::string& s) {
  std::string out;
  for (const char c : s)
    out += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : std::string(1, c);
  return out;
}

}  // namespace

std::string name_of(const SynapseTable& t, std::uint32_t v) {
  return v == View::current ? "I" : t.model.variables.data[v].name;
}
std::string unit_suffix(const SynapseTable& t, std::uint32_t v) {
  if (v == View::current) return " uA";
  const Field& f = t.model.variables.data[v];
  return f.flags & port_unit || std::string_view(f.unit) == "1" ? "" : fmt::format(" {}", f.unit);
}

namespace {
std::uint32_t conductance(const SynapseTable& t) {
  std::uint32_t v = 0;
  while (v < t.model.variables.count && std::string_view(t.model.variables.data[v].name) != "G") ++v;
  return v;
}
}  // namespace

bool has_current(const SynapseTable& t) {
  const std::uint32_t v = conductance(t), plain = plain_stimulus(t.model);
  return v < t.model.variables.count && std::string_view(t.model.variables.data[v].unit) == "uS" &&
         plain < t.model.stimulus_count && std::string_view(t.model.stimuli[plain].fields[0].unit) == "V";
}

std::vector<double> series_of(const Record& r, std::uint32_t v, double quantile) {
  if (v != View::current) return r.over_devices(v, quantile);
  std::vector<double> I = r.over_devices(conductance(*r.table), quantile);
  const std::vector<double> V = voltages(r);
  for (std::size_t i = 0; i < I.size(); ++i) I[i] *= V[i];
  return I;
}

View read_view(const SynapseTable& t, const std::vector<std::string>& variables, const std::string& against,
               const std::vector<std::string>& axes) {
  View view;
  std::vector<std::string> known;
  for (std::uint32_t v = 0; v < t.model.variables.count; ++v)
    known.emplace_back(t.model.variables.data[v].name);
  if (has_current(t)) known.emplace_back("I");
  const auto index = [&](const std::string& name, const char* option) {
    const auto at = std::find(known.begin(), known.end(), name);
    if (at == known.end())
      throw UserError(fmt::format("{}: model {} has no variable {}; {}", option, t.model.name,
                                  in_quotes(name), suggest(name, known, "variables")));
    const auto v = static_cast<std::uint32_t>(at - known.begin());
    return v == t.model.variables.count ? View::current : v;
  };
  for (const auto& list : variables)
    for (std::size_t begin = 0; begin <= list.size();) {
      const auto end = std::min(list.find(',', begin), list.size());
      view.variables.push_back(index(list.substr(begin, end - begin), "--variable"));
      begin = end + 1;
    }
  if (view.variables.empty()) {
    const std::uint32_t G = conductance(t);
    view.variables.push_back(G < t.model.variables.count ? G : 0);
  }
  if (!against.empty() && against != "step" && against != "time") {
    std::vector<std::string> may{"step", "time"};
    for (const auto& [name, d] : all_driven(t)) may.push_back(name);
    if (std::find(may.begin(), may.end(), against) == may.end())
      throw UserError(fmt::format("--against: {} is nothing that steps have; {}", in_quotes(against),
                                  suggest(against, may, "what they have")));
  }
  view.against = against;
  for (const auto& axis : axes) {
    const auto equals = axis.find('=');
    const std::string name = axis.substr(0, equals),
                      kind = equals == std::string::npos ? "" : axis.substr(equals + 1);
    if (kind != "log" && kind != "linear")
      throw UserError(fmt::format(
          "--axis {}: an axis is given as VARIABLE=log, VARIABLE=linear, x=log or x=linear", axis));
    if (name != "x") index(name, "--axis");
    view.logarithmic[name] = kind == "log";
  }
  return view;
}

bool is_logarithmic(const View& v, const std::string& name, const std::vector<double>& values) {
  const auto given = v.logarithmic.find(name);
  if (given != v.logarithmic.end()) return given->second;
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return *low > 0 && *high / *low > 10;
}

std::string svg_of(const Record& r, const View& view, const std::string& title) {
  static const char* const colours[] = {"#1f5fa8", "#1b7f5c", "#7a4fa3", "#a8651f", "#5f6b7a"};
  const Across a = across(r, view);
  std::vector<Panel> panels;
  for (const auto v : view.variables) {
    Panel p{name_of(*r.table, v) + unit_suffix(*r.table, v), taken(series_of(r, v, 0.5), a.readings)};
    p.logarithmic = is_logarithmic(view, name_of(*r.table, v), p.y);
    if (p.logarithmic) refuse_negative(name_of(*r.table, v), p.y);
    p.colour = colours[panels.size() % std::size(colours)];
    if (r.devices > 1) {
      p.lower = taken(series_of(r, v, 0.05), a.readings);
      p.upper = taken(series_of(r, v, 0.95), a.readings);
    }
    panels.push_back(std::move(p));
  }
  const std::vector<double> V = taken(voltages(r), a.readings);
  const bool pulsed = std::any_of(V.begin(), V.end(), [](double x) { return x != 0; });
  if (pulsed && V != a.axis.values) {  // else it is the axis already
    const Stimulus& s = r.table->model.stimuli[plain_stimulus(r.table->model)];
    panels.push_back({s.fields[0].unit, V, false, true, "#c0392b"});
  }
  return svg_chart(title, a.axis, panels);
}

std::string html_of(const Record& r, const View& view, const std::string& title, const std::string& printed) {
  std::string table = "<tr><th>reading<th>time s";
  for (const auto v : view.variables)
    table += "<th>" + page_text(name_of(*r.table, v) + unit_suffix(*r.table, v)) +
             (r.devices > 1 ? " (median)<th>5 %<th>95 %" : "");
  std::vector<std::vector<double>> columns;
  for (const auto v : view.variables)
    for (const double q : {0.5, 0.05, 0.95})
      if (q == 0.5 || r.devices > 1) columns.push_back(series_of(r, v, q));
  const std::size_t shown = std::min(r.readings(), rows_shown);
  for (std::size_t i = 0; i < shown; ++i) {
    table += fmt::format("\n<tr><td>{}<td>{:g}", i, i < r.begin.size() ? r.begin[i] : r.end);
    for (const auto& c : columns) table += fmt::format("<td>{:.6g}", c[i]);
  }
  const std::string rest =
      shown < r.readings()
          ? fmt::format("<p>The first {} of {} readings; the HDF5 file has all.</p>\n", shown, r.readings())
          : "";
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{0}</title>\n"
      "<style>body{{font:15px/1.45 sans-serif;max-width:60rem;margin:1.5rem auto;padding:0 1rem;color:#222}}"
      "svg{{width:100%;height:auto}}pre{{font-size:12px;overflow-x:auto;background:#f6f6f4;padding:.8rem}}"
      "table{{border-collapse:collapse;font-variant-numeric:tabular-nums}}"
      "th,td{{text-align:right;padding:.1rem .8rem;border-bottom:1px solid #e4e4e0}}</style></head>\n"
      "<body><h1>{5}</h1>\n{1}\n<pre>{2}</pre>\n<details><summary>Readings</summary>\n{3}<table>{4}\n"
      "</table></details></body></html>\n",
      page_text(title), svg_of(r, view, title), page_text(printed), rest, table, r.table->model.name);
}

void write_record(hid_t out, const Record& r, const std::vector<DrawnValues>& drawn,
                  const std::map<std::string, std::string>& attributes) {
  const Model& m = r.table->model;
  h5::write_text_attribute(out, "spinet_version", SPINET_VERSION);
  h5::write_text_attribute(out, "model", m.name);
  for (const auto& [name, text] : attributes) h5::write_text_attribute(out, name, text);
  const auto described = [](const h5::Id& d, const std::string& unit, const std::string& doc) {
    h5::write_text_attribute(d, "unit", unit);
    h5::write_text_attribute(d, "description", doc);
  };
  const auto column = [&](hid_t at, const char* name, const std::vector<double>& values, const char* unit,
                          const std::string& doc) {
    described(h5::write_dataset(at, name, std::span<const double>(values)), unit, doc);
  };
  const std::size_t n = r.protocol.steps.size();
  const h5::Id steps = h5::create_group(out, "steps");
  column(steps, "begin", r.begin, "s", "time of each step");
  for (const auto& [name, d] : all_driven(*r.table)) {
    std::vector<double> values(n, std::nan(""));
    bool any = false;
    for (std::size_t i = 0; i < n; ++i)
      if (has(r.protocol.steps[i], d)) values[i] = r.protocol.steps[i].value[d.place], any = true;
    const Field& f = field_of(*r.table, d);
    if (any)
      column(steps, name.c_str(), values, f.unit, std::string(f.doc) + "; no number where a step has none");
  }
  const h5::Id devices = h5::create_group(out, "devices");
  for (const auto& d : drawn)
    column(devices, d.name.c_str(), d.values, d.field->unit,
           std::string(d.field->doc) + "; of each device, as drawn");
  const h5::Id variables = h5::create_group(out, "variables");
  for (std::uint32_t v = 0; v < m.variables.count; ++v) {
    const Field& f = m.variables.data[v];
    const std::array<hsize_t, 2> shape{r.readings(), r.devices};
    const std::span<const hsize_t> size(shape.data(), r.devices > 1 ? 2 : 1);
    described(h5::write_dataset(variables, f.name, h5::type_of<double>(), size, r.values[v].data()), f.unit,
              std::string(f.doc) + "; before the first step, then just before the next; a column per device");
  }
}

}  // namespace spinet::tool
