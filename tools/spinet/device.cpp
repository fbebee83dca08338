// spinet device: one synapse of any model, pulsed and read without a network.
#include <fmt/core.h>

#include <cfloat>
#include <cmath>
#include <memory>
#include <optional>

#include "device_bench.hpp"
#include "inputs.hpp"
#include "log/h5.hpp"
#include "log/new_file.hpp"
#include "network/lookup.hpp"
#include "network/suggest.hpp"
#include "network/units.hpp"
#include "outputs.hpp"
#include "spinet/device.hpp"
#include "svg.hpp"
#include "text.hpp"

namespace spinet::tool {
namespace {

struct DeviceOptions {
  std::string model, pulses, field, variable, output;
  std::vector<std::string> params, plugin_path;
  std::uint32_t seed = 1;
  bool force = false;
};

/// Every variable before the first pulse and after each.
struct Record {
  const SynapseTable* table;
  std::vector<PulseSeries> series;
  std::vector<double> amplitude, width, begin;  ///< by pulse; V, s, s
  std::vector<std::vector<double>> values;      ///< [variable][1 + pulses]
};

const SynapseTable& device_named(const Catalogue& c, const std::string& name) {
  std::vector<std::string> names, devices;
  for (const auto& e : c.all()) {
    if (e.model->kind != Kind::synapse) continue;
    names.emplace_back(e.model->name);
    if (answers(*e.model, device::pulse)) devices.emplace_back(e.model->name);
  }
  const Model* m = c.find(Kind::synapse, name);
  if (!m)
    throw UserError(fmt::format("spinet device: no synapse model {}; {}", in_quotes(name),
                                suggest(name, names, "models")));
  const auto& t = *reinterpret_cast<const SynapseTable*>(m);
  if (!answers(t.model, device::pulse))
    throw UserError(
        fmt::format("spinet device: synapses of model {} ignore voltage pulses; models that respond: {}",
                    name, joined(devices)));
  return t;
}

/// A number in the unit of `f`; throws UserError.
double value_of(const std::string& option, const std::string& text, const Field& f) {
  if (f.flags & derived && text == "auto") return automatic;
  char* end = nullptr;
  const double x = std::strtod(text.c_str(), &end);
  const std::string unit = end;
  const auto u = parse_unit(unit), wanted = parse_unit(f.flags & port_unit ? "1" : f.unit);
  if (end == text.c_str() || !u)
    throw UserError(fmt::format("--param {}: {} is no number with a unit", option, in_quotes(text)));
  if (u->dimension != wanted->dimension || (unit.empty() && x != 0 && !wanted->dimension.none()))
    throw UserError(fmt::format(
        "--param {}: {} must be {}{}", option, in_quotes(f.name), dimension_name(wanted->dimension),
        f.flags & port_unit ? ", in the unit of the port"
        : wanted->dimension.none()
            ? ""
            : fmt::format(", for example {:g} {}", is_auto(f.preset) ? 1 : f.preset, f.unit)));
  const double value = Quantity{x * u->factor, u->decade, u->dimension}.in(*wanted);
  const bool good = std::isfinite(value) && (f.flags & low_open ? value > f.low : value >= f.low) &&
                    (f.flags & high_open ? value < f.high : value <= f.high) &&
                    (f.type == Type::f64 || std::fabs(value) <= FLT_MAX) &&
                    (!(f.flags & integer) || value == std::floor(value));
  if (!good) {
    std::string range;
    if (std::isfinite(f.low)) range += fmt::format(" {} {:g}", f.flags & low_open ? "above" : "from", f.low);
    if (std::isfinite(f.high)) range += fmt::format(" {} {:g}", f.flags & high_open ? "below" : "to", f.high);
    throw UserError(fmt::format("--param {}: {} must be{}{}{}", option, in_quotes(f.name),
                                f.flags & integer ? " a whole number" : "", range,
                                wanted->dimension.none() ? "" : fmt::format(" {}", f.unit)));
  }
  return value;
}

DeviceBench bench_of(const SynapseTable& t, const DeviceOptions& o) {
  const Model& m = t.model;
  std::vector<double> params, initials;
  std::vector<std::string> known;
  for (std::uint32_t i = 0; i < m.params.count; ++i)
    params.push_back(m.params.data[i].preset), known.emplace_back(m.params.data[i].name);
  for (std::uint32_t i = 0; i < m.variables.count; ++i) {
    initials.push_back(m.variables.data[i].preset);
    if (m.variables.data[i].flags & Flag::initial) known.emplace_back(m.variables.data[i].name);
  }
  for (const auto& p : o.params) {
    const auto equals = p.find('=');
    if (equals == std::string::npos || equals == 0)
      throw UserError(fmt::format("--param {}: a value is given as NAME=VALUE, for example {}", p,
                                  known.front() + "=..."));
    const std::string name = p.substr(0, equals), value = p.substr(equals + 1);
    bool found = false;
    const auto give = [&](const Fields& fields, std::vector<double>& to, std::uint32_t flags) {
      for (std::uint32_t i = 0; i < fields.count; ++i)
        if (name == fields.data[i].name && (fields.data[i].flags & flags) == flags)
          to[i] = value_of(p, value, fields.data[i]), found = true;
    };
    give(m.params, params, 0);
    give(m.variables, initials, Flag::initial);
    if (!found)
      throw UserError(fmt::format("--param {}: model {} has no {}; {}", p, m.name, in_quotes(name),
                                  suggest(name, known, "parameters and initial values")));
  }
  if (t.check) {
    std::vector<double> raw(t.params_size / sizeof(double) + 1);
    for (std::uint32_t i = 0; i < m.params.count; ++i) put(raw.data(), m.params.data[i], params[i]);
    if (const char* reason = t.check(raw.data())) throw UserError(fmt::format("--param: {}", reason));
  }
  return DeviceBench(t, params, initials, o.seed);
}

Control field_of(const DeviceOptions& o, const SynapseTable& t) {
  if (!answers(t.model, device::field))
    throw UserError(fmt::format("--field: synapses of model {} ignore magnetic fields", t.model.name));
  Control c;
  c.stimulus = stimulus_of(t.model, device::field);
  if (o.field == "parallel" || o.field == "antiparallel") {
    c.value[1] = o.field == "parallel" ? device::parallel : device::antiparallel;
    return c;
  }
  char* end = nullptr;
  const double x = std::strtod(o.field.c_str(), &end);
  const auto u = parse_unit(end);
  const auto tesla = parse_unit("T");
  if (end == o.field.c_str() || !u || u->dimension != tesla->dimension)
    throw UserError(
        fmt::format("--field {}: a magnetic field is wanted, for example \"90 Oe\" or \"9 mT\", or a state: "
                    "parallel, antiparallel",
                    in_quotes(o.field)));
  c.value[0] = scaled(x * u->factor, u->decade);
  return c;
}

Record characterise(const DeviceOptions& o, const SynapseTable& t) {
  Record r{&t, read_pulses(o.pulses), {}, {}, {}, {}};
  DeviceBench bench = bench_of(t, o);
  const Fields& variables = t.model.variables;
  r.values.resize(variables.count);
  const auto read = [&](double at) {
    for (std::uint32_t v = 0; v < variables.count; ++v) r.values[v].push_back(bench.read(at, v));
  };
  if (!o.field.empty()) bench.apply(0, field_of(o, t));
  read(0);
  constexpr double shortest = 10e-3;
  double now = 0;
  for (const auto& s : r.series) {
    const double period = s.period > 0 ? s.period : std::max(shortest, 2 * s.width);
    for (std::uint64_t i = 0; i < s.count; ++i, now += period) {
      Control c;
      c.stimulus = stimulus_of(t.model, device::pulse);
      c.value[0] = s.amplitude;
      c.value[1] = s.width;
      bench.apply(now, c);
      r.amplitude.push_back(s.amplitude);
      r.width.push_back(s.width);
      r.begin.push_back(now);
      read(now + period);
    }
  }
  return r;
}

std::uint32_t shown_variable(const DeviceOptions& o, const SynapseTable& t) {
  const Fields& f = t.model.variables;
  std::vector<std::string> known;
  for (std::uint32_t v = 0; v < f.count; ++v) {
    known.emplace_back(f.data[v].name);
    if (known.back() == (o.variable.empty() ? "G" : o.variable)) return v;
  }
  if (!o.variable.empty())
    throw UserError(fmt::format("--variable: model {} has no variable {}; {}", t.model.name,
                                in_quotes(o.variable), suggest(o.variable, known, "variables")));
  return 0;
}

std::string unit_of(const Field& f) {
  return f.flags & port_unit || std::string_view(f.unit) == "1" ? "" : fmt::format(" {}", f.unit);
}

/// The largest distance of a series from the straight line between its ends, in units of its change.
double non_linearity(const std::vector<double>& x, std::size_t first, std::size_t count) {
  const double a = x[first], change = x[first + count] - a;
  double most = 0;
  for (std::size_t i = 0; i <= count; ++i)
    most = std::max(
        most, std::fabs(x[first + i] - a - change * static_cast<double>(i) / static_cast<double>(count)));
  return change == 0 ? 0 : most / std::fabs(change);
}

void summarise(const Record& r, std::uint32_t v, const DeviceOptions& o) {
  const Field& f = r.table->model.variables.data[v];
  const auto& x = r.values[v];
  const std::string unit = unit_of(f);
  fmt::print("{}: {} of {} pulse{}{}\n\n", r.table->model.name, f.name, grouped(r.amplitude.size()),
             r.amplitude.size() == 1 ? "" : "s", o.field.empty() ? "" : ", field " + o.field);
  fmt::print("{:<26} {:>13} {:>13} {:>9}  {:>12}  {}\n", "series", "before", "after", "ratio", "first 10",
             "non-linearity");
  std::size_t at = 0;
  bool changed = false;
  for (const auto& s : r.series) {
    const auto n = static_cast<std::size_t>(s.count);
    const double a = x[at], b = x[at + n];
    const std::string what = fmt::format("{} x {:g} V, {}", s.count, s.amplitude, time_text(s.width));
    const std::string first =
        n > 10 && b != a ? fmt::format("{:.1f} %", 100 * (x[at + 10] - a) / (b - a)) : "";
    const std::string bend = n > 1 && b != a ? fmt::format("{:.3f}", non_linearity(x, at, n)) : "";
    const std::string ratio =
        a > 0 && b > 0 ? (b >= a ? fmt::format("x {:.4g}", b / a) : fmt::format("/ {:.4g}", a / b)) : "";
    fmt::print("{:<26} {:>13} {:>13} {:>9}  {:>12}  {}\n", what, fmt::format("{:.5g}{}", a, unit),
               fmt::format("{:.5g}{}", b, unit), ratio, first, bend);
    at += n;
  }
  for (const auto& values : r.values)
    changed =
        changed || std::any_of(values.begin(), values.end(), [&](double y) { return y != values.front(); });
  const auto [low, high] = std::minmax_element(x.begin(), x.end());
  if (*low > 0)
    fmt::print("\nON/OFF ratio {:.4g}: {} from {:.5g} to {:.5g}{}\n", *high / *low, f.name, *low, *high,
               unit);
  else fmt::print("\n{} from {:.5g} to {:.5g}{}\n", f.name, *low, *high, unit);
  if (!changed)
    fmt::print(
        "No pulse changed anything: below a threshold, or the device is at the end of its range already\n");
}

void write_record(hid_t out, const Record& r, const DeviceOptions& o) {
  const Model& m = r.table->model;
  h5::write_text_attribute(out, "spinet_version", SPINET_VERSION);
  h5::write_text_attribute(out, "model", m.name);
  h5::write_text_attribute(out, "pulses_text", o.pulses);
  if (!o.field.empty()) h5::write_text_attribute(out, "field", o.field);
  if (!o.params.empty()) h5::write_texts(out, "params", o.params);
  struct Words {
    std::string unit, doc;
  };
  const auto dataset = [](hid_t at, const std::string& name, const std::vector<double>& values,
                          const Words& words) {
    const h5::Id d = h5::write_dataset(at, name, std::span<const double>(values));
    h5::write_text_attribute(d, "unit", words.unit);
    h5::write_text_attribute(d, "description", words.doc);
  };
  const h5::Id pulses = h5::create_group(out, "pulses");
  dataset(pulses, "amplitude", r.amplitude, {"V", "voltage of each pulse"});
  dataset(pulses, "width", r.width, {"s", "duration of each pulse"});
  dataset(pulses, "begin", r.begin, {"s", "time of each pulse"});
  const h5::Id variables = h5::create_group(out, "variables");
  for (std::uint32_t k = 0; k < m.variables.count; ++k) {
    const Field& f = m.variables.data[k];
    const auto doc = std::string(f.doc) + "; before the first pulse, then just before the next";
    dataset(variables, f.name, r.values[k], {f.unit, doc});
  }
}

/// Of one variable after each pulse; at most some thousand points.
std::string picture_of(const Record& r, std::uint32_t v, const std::string& pulses) {
  const Model& m = r.table->model;
  const Field& f = m.variables.data[v];
  const std::size_t pulses_in_all = r.amplitude.size(), step = pulses_in_all / 4000 + 1;
  std::vector<double> x;
  Panel value{std::string(f.name) + unit_of(f), {}, false, false};
  Panel voltage{"V", {}, false, true, "#c0392b"};
  for (std::size_t i = 0; i <= pulses_in_all; i += step) {
    x.push_back(static_cast<double>(i));
    value.y.push_back(r.values[v][i]);
    voltage.y.push_back(i == 0 ? 0 : r.amplitude[i - 1]);
  }
  const auto [low, high] = std::minmax_element(value.y.begin(), value.y.end());
  value.logarithmic = *low > 0 && *high / *low > 10;
  return svg_chart(fmt::format("{}: {}", m.name, pulses), "pulse", x, {value, voltage});
}

int device(const DeviceOptions& o) {
  const Catalogue catalogue = read_catalogue(o.plugin_path);
  const SynapseTable& t = device_named(catalogue, o.model);
  const std::uint32_t v = shown_variable(o, t);
  std::optional<std::filesystem::path> file;
  std::filesystem::path picture;
  std::shared_ptr<OutputLock> lock;
  if (!o.output.empty()) {
    file = o.output;
    picture = *file;
    picture.replace_extension(".svg");
    if (picture == *file)
      throw UserError(fmt::format("{}: name the HDF5 file; the picture goes beside it as .svg", o.output));
    for (const auto& p : {*file, picture}) check_output(p, o.force, {});
    lock = lock_output(*file);
    for (const auto& p : {*file, picture})
      check_output(p, o.force, {});  // another may have written it meanwhile
  }
  const Record r = characterise(o, t);
  summarise(r, v, o);
  if (!file) return fine;
  logging::write_hdf5(*file, [&](hid_t out) { write_record(out, r, o); });
  logging::write_whole(picture, picture_of(r, v, o.pulses));
  fmt::print("{}, {}\n", file->string(), picture.string());
  return fine;
}

}  // namespace

void add_device(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand(
      "device", "Characterise a device: pulse one synapse without a network, read it after each pulse");
  auto o = std::make_shared<DeviceOptions>();
  sub->add_option("NAME", o->model, "A synapse model that responds to voltage pulses")->required();
  sub->add_option("--pulses", o->pulses,
                  "Series of [N x] VOLTAGE WIDTH [every PERIOD]: \"-4 V 1 s, 50 x 2.5 V 5 ms\"")
      ->required()
      ->type_name("SERIES");
  sub->add_option("--field", o->field,
                  "A magnetic field before the first pulse: \"90 Oe\", parallel, antiparallel")
      ->type_name("FIELD");
  sub->add_option("--param", o->params, "A parameter or initial value: --param G_max=50uS (may be repeated)")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  sub->add_option("--variable", o->variable,
                  "What the summary and the picture show (G, or the first variable)")
      ->type_name("NAME");
  sub->add_option("--seed", o->seed, "Of the device's noise")->type_name("N")->capture_default_str();
  sub->add_option("-o,--output", o->output, "Write every variable after every pulse, and a picture beside it")
      ->type_name("OUT.h5");
  sub->add_flag("--force", o->force, "Replace existing files");
  add_plugin_path(*sub, o->plugin_path);
  sub->footer(
      "Pulses without `every` are 10 ms apart, or twice their width; variables are read just before the next "
      "pulse.\n"
      "non-linearity: largest distance from a straight line, in units of the change.");
  sub->callback([o, &action] { action = [o] { return device(*o); }; });
}

}  // namespace spinet::tool
