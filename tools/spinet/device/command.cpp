// spinet device: devices of any model, without a network: what is done to them, what they show, and
// parameters from measured tables.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

#include "device/figures.hpp"
#include "device/fit.hpp"
#include "device/picture.hpp"
#include "device/record.hpp"
#include "inputs.hpp"
#include "log/new_file.hpp"
#include "network/lookup.hpp"
#include "network/printable.hpp"
#include "network/suggest.hpp"
#include "number_range.hpp"
#include "outputs.hpp"
#include "ranks.hpp"
#include "spinet/device.hpp"
#include "text.hpp"

namespace spinet::tool {
namespace {

struct DeviceOptions {
  std::string model, protocol, field, output, html, against, fit, thresholds;
  double change = 0;
  bool retention = false, force = false;
  DeviceChoice choice;
  std::vector<std::string> variables, axes, free, plugin_path;
};

/// The text of --protocol, or of the file that it names after '@'.
struct Text {
  std::string text, source = "--pulses";
};
Text protocol_text(const DeviceOptions& o) {
  if (!o.protocol.starts_with('@')) return {o.protocol};
  const std::string file = o.protocol.substr(1);
  return {text_of_file(file, 1 << 20, "--pulses"), printable(file)};
}

/// --field: a step before the others.
void put_field_first(const DeviceOptions& o, const SynapseTable& t, Protocol& p) {
  if (!answers(t.model, device::field))
    throw UserError(fmt::format("--field: synapses of model {} ignore magnetic fields", t.model.name));
  Protocol before;
  try {
    before = read_protocol("field " + o.field, t, "--field");
  } catch (const UserError&) {
    before.steps.clear();
  }
  if (before.steps.size() != 1)
    throw UserError(
        fmt::format("--field {}: a magnetic field is wanted, for example \"90 Oe\" or \"9 mT\", or a state: "
                    "parallel, antiparallel",
                    in_quotes(o.field)));
  before.steps[0].period = 0;
  for (auto& e : p.elements) e.first += 1;
  p.elements.insert(p.elements.begin(), before.elements[0]);
  p.steps.insert(p.steps.begin(), before.steps[0]);
}

std::string number_text(double x, const std::string& unit) { return fmt::format("{:.5g}{}", x, unit); }
std::string ratio_text(double a, double b) {
  if (!(a > 0 && b > 0)) return "";
  return b >= a ? fmt::format("x {:.4g}", b / a) : fmt::format("/ {:.4g}", a / b);
}

/// What is printed: to the terminal, and into the page.
class Ending {
 public:
  Ending(const Record& r, const DeviceOptions& o) : r_(r), o_(o) {}

  std::string all(std::uint32_t v) {
    const std::string name = name_of(*r_.table, v), unit = unit_suffix(*r_.table, v);
    const std::vector<double> x = series_of(r_, v, 0.5);
    out_ = fmt::format("{}: {} of {}{}\n\n", r_.table->model.name, name,
                       plural(r_.protocol.steps.size(), "step"),
                       r_.devices > 1 ? fmt::format(", median of {} devices", grouped(r_.devices)) : "");
    out_ += fmt::format("{:<30} {:>13} {:>13} {:>9}  {:>9}  {:>8}  {}\n", "what is done", "before", "after",
                        "ratio", "first 10", "alpha", "non-linearity");
    constexpr std::size_t most = 100;  // rows
    for (std::size_t k = 0; k < r_.protocol.elements.size() && k < most; ++k)
      row(r_.protocol.elements[k], x, unit);
    if (r_.protocol.elements.size() > most)
      out_ += fmt::format("and {} more\n", r_.protocol.elements.size() - most);
    range(x, name, unit);
    if (r_.devices > 1) quantiles(v, name, unit);
    unchanged();
    return out_;
  }

 private:
  void row(const Element& e, const std::vector<double>& x, const std::string& unit) {
    const std::size_t n = e.count;
    const double a = x[e.first], b = x[e.first + n];
    const std::span<const double> series(x.data() + e.first, n + 1);
    const std::string first =
        n > 10 && b != a ? fmt::format("{:.1f} %", 100 * (x[e.first + 10] - a) / (b - a)) : "";
    const double alpha = e.ramp ? NAN : curvature(series);
    std::string what;
    for (const char c : e.text) what += std::isspace(static_cast<unsigned char>(c)) ? ' ' : c;
    if (what.size() > 30) what = what.substr(0, 27) + "...";
    out_ += fmt::format("{:<30} {:>13} {:>13} {:>9}  {:>9}  {:>8}  {}\n", what, number_text(a, unit),
                        number_text(b, unit), ratio_text(a, b), first,
                        std::isfinite(alpha) ? fmt::format("{:.3f}", alpha) : "",
                        n > 1 && b != a && !e.ramp ? fmt::format("{:.3f}", non_linearity(series)) : "");
  }
  void range(const std::vector<double>& x, const std::string& name, const std::string& unit) {
    const auto [low, high] = std::minmax_element(x.begin(), x.end());
    if (*low > 0)
      out_ += fmt::format("\nON/OFF ratio {:.4g}: {} from {:.5g} to {:.5g}{}\n", *high / *low, name, *low,
                          *high, unit);
    else out_ += fmt::format("\n{} from {:.5g} to {:.5g}{}\n", name, *low, *high, unit);
  }
  void quantiles(std::uint32_t v, const std::string& name, const std::string& unit) {
    out_ += fmt::format("{} at the end over {} devices:", name, grouped(r_.devices));
    for (const double q : {0.05, 0.25, 0.5, 0.75, 0.95})
      out_ += fmt::format(" {:g} %: {:.5g}{}", 100 * q, series_of(r_, v, q).back(), q < 0.95 ? "," : unit);
    out_ += "\n";
  }
  void unchanged() {
    for (const auto& values : r_.values)
      for (std::size_t i = r_.devices; i < values.size(); ++i)
        if (values[i] != values[i % r_.devices]) return;
    out_ +=
        "No pulse changed anything: below a threshold, or the device is at the end of its range already\n";
  }
  const Record& r_;
  const DeviceOptions& o_;
  std::string out_;
};

/// The first device and its neighbours, asked what else they can.
std::string asked_for(const DeviceOptions& o, const Record& r, std::vector<DeviceBench>& devices,
                      std::uint32_t v) {
  std::string out;
  const auto median = [](std::vector<double> all) {
    std::sort(all.begin(), all.end());
    return all[all.size() / 2];
  };
  const std::string of = devices.size() > 1 ? fmt::format(", median of {} devices", devices.size()) : "";
  if (!o.thresholds.empty()) {
    ThresholdSearch s;
    s.variable = v;
    s.width = time_in(o.thresholds, 1, "--thresholds");
    s.change = o.change;
    const Model& m = r.table->model;
    for (const double sign : {1.0, -1.0}) {
      std::vector<double> all;
      for (auto& d : devices) {
        const double x = threshold(d, r.end, s, sign);
        all.push_back(std::isnan(x) ? INFINITY : x);
      }
      const double x = median(all);
      const char* const unit = m.stimuli[plain_stimulus(m)].fields[0].unit;
      out += x < INFINITY ? fmt::format("threshold {:.6g} {}, {}: from there on one pulse changes {}{}\n",
                                        sign * x, unit, time_text(s.width), name_of(*r.table, v), of)
                          : fmt::format("no threshold up to {:g} {}, {}: no pulse changes {}{}\n", sign * 100,
                                        unit, time_text(s.width), name_of(*r.table, v), of);
    }
  }
  if (o.retention) {
    const Element& last = r.protocol.elements.back();
    std::vector<double> all;
    for (std::size_t k = 0; k < devices.size(); ++k) {
      const double t = retention(devices[k], r.end, v, r.at(v, last.first, k));
      all.push_back(std::isnan(t) ? INFINITY : t);
    }
    const double t = median(all);
    out += t < INFINITY
               ? fmt::format("retention: half of the change of {} by '{}' is gone after {:.4g} s{}\n",
                             name_of(*r.table, v), last.text, t, of)
               : fmt::format(
                     "retention: more than half of the change of {} by '{}' is left after 30 "
                     "years, or nothing had changed{}\n",
                     name_of(*r.table, v), last.text, of);
  }
  return out;
}

std::string elsewhere(const std::vector<std::string>& idle) {
  return fmt::format("start elsewhere (--param {}=...), or measure what it changes", idle[0]);
}

/// What a table says that has one value everywhere, or nothing.
std::string constant(const Measured& m, const SynapseTable& t) {
  std::string all;
  for (const auto& c : m.columns) {
    const auto [low, high] = std::minmax_element(c.values.begin(), c.values.end());
    if (*low != *high) return {};
    const Field& f = t.model.variables.data[c.variable];
    const std::string unit = std::string_view(f.unit) == "1" ? "" : std::string(" ") + f.unit;
    all += fmt::format("{}{} is {:.6g}{}", all.empty() ? "" : ", ", f.name, *low, unit);
  }
  return fmt::format("the table is constant, {} in all of its {}: it tells nothing of what changes a device",
                     all, plural(m.readings.size(), "row"));
}

/// " (not told apart from V_th)", or nothing.
std::string not_apart(const SynapseTable& t, const FittedParameter& x) {
  std::vector<std::string> names;
  for (const auto i : x.partners) names.emplace_back(t.model.params.data[i].name);
  return names.empty() ? "" : fmt::format(" (not told apart from {})", joined(names));
}

int fitted(const DeviceOptions& o, const SynapseTable& t, const Protocol& p, const View& view) {
  if (o.free.empty())
    throw UserError("--fit: --free says which parameters are fitted, for example --free V_th,k_up");
  if (o.choice.devices > 1 || !o.choice.spreads.empty())
    throw UserError(
        "--fit: parameters of one device are fitted; --devices and --spread have no meaning here");
  FitRequest request{&t, &p, o.choice};
  for (const auto& list : o.free)
    for (std::size_t begin = 0; begin <= list.size();) {
      const auto end = std::min(list.find(',', begin), list.size());
      request.free.push_back(list.substr(begin, end - begin));
      begin = end + 1;
    }
  const Measured m = read_measured(o.fit, t, view);
  const Fit f = fit(request, m);
  std::vector<std::string> idle;
  for (const auto& x : f.parameters)
    if (!x.acts) idle.emplace_back(t.model.params.data[x.index].name);
  const std::string flat = constant(m, t);
  if (idle.size() == f.parameters.size())
    throw UserError(fmt::format("--fit: around the start {} changes nothing that was measured: {}",
                                joined(idle), flat.empty() ? elsewhere(idle) : flat));
  fmt::print("{}: {} fitted to {} of {}\nresiduals {:.3g} (root mean square; {})\n", t.model.name,
             plural(f.parameters.size(), "parameter"), plural(f.points, "value"), printable(o.fit), f.rms,
             m.columns[0].logarithmic ? "of logarithms" : "over the largest value");
  if (f.misses())
    fmt::print(
        "They are no noise: neighbours go together (correlation {:.2f}). With these parameters free the "
        "model "
        "does not\nfollow the table, or the search has not found where it does: the values are not to be "
        "trusted\n",
        f.alike);
  fmt::print("\n");
  std::string yaml = o.choice.preset.empty() ? "" : ", preset: " + o.choice.preset;
  bool told = true;
  for (const auto& x : f.parameters) {
    const Field& field = t.model.params.data[x.index];
    const std::string unit = std::string_view(field.unit) == "1" ? "" : std::string(" ") + field.unit;
    const bool interval = std::isfinite(x.low) && std::isfinite(x.high), known = interval && !f.misses();
    told = told && (interval || !x.acts);
    fmt::print("  {:<12} {:.6g}{}    {}\n", field.name, x.value, unit,
               known ? fmt::format("95 %: {:.6g} to {:.6g}{}", x.low, x.high, unit)
                     : "95 %: not known" + not_apart(t, x));
    yaml += fmt::format(", {}: {:.10g}{}", field.name, x.value, unit);
  }
  if (!told)
    fmt::print(
        "\nThe values do not tell these parameters apart: fit fewer, or measure more (other "
        "amplitudes, other widths)\n");
  if (!idle.empty())
    fmt::print("\nAround these values {} changes nothing that was measured: {}\n", joined(idle),
               flat.empty() ? elsewhere(idle) : flat);
  fmt::print("\nTo paste:\n\n  synapse: {{model: {}{}}}\n", t.model.name, yaml);
  return fine;
}

/// The files that are written; locked until the end.
struct Outputs {
  std::optional<std::filesystem::path> h5, svg, html;
  std::vector<std::shared_ptr<OutputLock>> locks;
};
Outputs outputs_of(const DeviceOptions& o) {
  Outputs out;
  std::vector<std::filesystem::path> all;
  if (!o.output.empty()) {
    out.h5 = o.output;
    out.svg = *out.h5;
    out.svg->replace_extension(".svg");
    if (*out.svg == *out.h5)
      throw UserError(fmt::format("{}: name the HDF5 file; the picture goes beside it as .svg", o.output));
    all = {*out.h5, *out.svg};
  }
  if (!o.html.empty()) {
    out.html = o.html;
    if (std::find(all.begin(), all.end(), *out.html) != all.end())
      throw UserError(fmt::format("{}: the page must not be one of the other files", o.html));
    all.push_back(*out.html);
  }
  for (const auto& p : all) check_output(p, Replace{o.force}, {});
  if (out.h5) out.locks.push_back(lock_output(*out.h5));
  if (out.html) out.locks.push_back(lock_output(*out.html));
  for (const auto& p : all) check_output(p, Replace{o.force}, {});  // another may have written it meanwhile
  return out;
}

int device(const DeviceOptions& o) {
  const Catalogue catalogue = read_catalogue(o.plugin_path);
  const SynapseTable& t = device_named(catalogue, o.model);
  const View view = read_view(t, o.variables, o.against, o.axes);
  const Text text = protocol_text(o);
  Protocol protocol = read_protocol(text.text, t, text.source);
  if (!o.field.empty()) put_field_first(o, t, protocol);
  if (!o.fit.empty()) return fitted(o, t, protocol, view);
  if (!o.free.empty()) throw UserError("--free: --fit names the measured table that they are fitted to");
  if (o.choice.devices == 0 || o.choice.devices > 1'000'000)
    throw UserError("--devices: 1 to 1,000,000 devices can be given");
  const std::uint32_t v = view.variables[0];
  if (v == View::current && (o.retention || !o.thresholds.empty()))
    throw UserError("--thresholds and --retention ask for a variable of the device; the current I is none");
  const Outputs out = outputs_of(o);
  std::vector<DeviceBench> devices = devices_of(t, o.choice);
  const Record r = characterise(t, std::move(protocol), devices);
  const std::string printed = Ending(r, o).all(v) + asked_for(o, r, devices, v);
  fmt::print("{}", printed);
  std::string line;
  for (const char c : text.text) line += c == '\n' ? ' ' : c;
  const std::string title =
      fmt::format("{}: {}", t.model.name, line.size() > 90 ? line.substr(0, 87) + "..." : line);
  const std::string picture =
      out.h5 ? svg_of(r, view, title) : "";  // refusals come before anything is written
  const std::string page = out.html ? html_of(r, view, title, printed) : "";
  std::string written;
  if (out.h5) {
    std::map<std::string, std::string> attributes{{"protocol", text.text}};
    if (!o.field.empty()) attributes["field"] = o.field;
    if (!o.choice.preset.empty()) attributes["preset"] = o.choice.preset;
    for (const auto& p : o.choice.params) attributes["params"] += p + "\n";
    for (const auto& s : o.choice.spreads) attributes["spread"] += s + "\n";
    const auto drawn = drawn_values(t, devices);
    logging::write_hdf5(*out.h5, [&](hid_t file) { write_record(file, r, drawn, attributes); });
    logging::write_whole(*out.svg, picture);
    written = out.h5->string() + ", " + out.svg->string();
  }
  if (out.html) {
    logging::write_whole(*out.html, page);
    written += (written.empty() ? "" : ", ") + out.html->string();
  }
  if (!written.empty()) fmt::print("{}\n", written);
  return fine;
}

void add_what_is_done(CLI::App& sub, DeviceOptions& o) {
  sub.add_option("NAME", o.model, "A synapse model that responds to voltage pulses")->required();
  sub.add_option("--pulses,--protocol", o.protocol,
                 "What is done: \"-4 V 1 s, 50 x 2.5 V 5 ms\", or @FILE; see below")
      ->required()
      ->type_name("PROTOCOL");
  sub.add_option("--field", o.field,
                 "A magnetic field before the first step: \"90 Oe\", parallel, antiparallel")
      ->type_name("FIELD");
  sub.add_option(
         "--preset", o.choice.preset,
         "A named set of parameters of the model, which `spinet models` lists; --param comes before it")
      ->type_name("NAME");
  sub.add_option("--param", o.choice.params,
                 "A parameter or initial value: --param G_max=50uS (may be repeated)")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  sub.add_option("--devices", o.choice.devices, "How many devices; medians and quantiles are shown")
      ->type_name("N")
      ->capture_default_str();
  sub.add_option("--spread", o.choice.spreads,
                 "Differences between devices: --spread V_th=5% (lognormal) or V_th=50mV (normal)")
      ->type_name("NAME=SD")
      ->allow_extra_args(false);
  sub.add_option("--seed", o.choice.seed, "Of the devices' spread and noise")
      ->type_name("N")
      ->capture_default_str();
}
void add_what_is_shown(CLI::App& sub, DeviceOptions& o) {
  sub.add_option(
         "--variable", o.variables,
         "What the summary (the first) and the picture show: G,weight (G, or the first variable); I is "
         "the current V G")
      ->type_name("NAMES")
      ->allow_extra_args(false);
  sub.add_option("--against", o.against,
                 "What they are shown against: step, time, amplitude, field, ... (chosen by the protocol)")
      ->type_name("NAME");
  sub.add_option("--axis", o.axes, "G=log, G=linear, x=log (chosen by the range; may be repeated)")
      ->type_name("NAME=KIND")
      ->allow_extra_args(false);
  sub.add_option("--thresholds", o.thresholds,
                 "Also find the least voltages at which one pulse of this width changes the device")
      ->type_name("WIDTH");
  sub.add_option("--change", o.change, "Part of the variable whose change counts there (0: any change)")
      ->type_name("PART")
      ->check(number_range(0, 1e6));
  sub.add_flag("--retention", o.retention, "Also find when half of the last element's change is gone");
  sub.add_option("-o,--output", o.output, "Write every variable after every step, and a picture beside it")
      ->type_name("OUT.h5");
  sub.add_option("--html", o.html, "Write picture, summary and readings as one page")->type_name("OUT.html");
  sub.add_flag("--force", o.force, "Replace existing files");
}

}  // namespace

void add_device(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand(
      "device", "Characterise devices without a network: pulse, sweep, read, fit to measurements");
  auto o = std::make_shared<DeviceOptions>();
  add_what_is_done(*sub, *o);
  add_what_is_shown(*sub, *o);
  sub->add_option("--fit", o->fit, "Fit parameters to a measured table: columns reading, G [uS], ...")
      ->type_name("TABLE.csv");
  sub->add_option("--free", o->free, "Which parameters: V_th,k_up; they start from --param")
      ->type_name("NAMES")
      ->allow_extra_args(false);
  add_plugin_path(*sub, o->plugin_path);
  sub->footer(
      "A protocol has elements separated by commas or lines, # begins a comment:\n"
      "  50 x 2.5 V 5 ms every 20 ms        pulses\n"
      "  1 V..3 V 5 ms in 20                a ramp: 20 steps from 1 V to 3 V\n"
      "  2.5 V 1 ms..100 ms in 10 log       a ramp of widths, each a factor longer\n"
      "  0 V..3 V..-4 V..0 V 10 ms in 50 every 10 ms   an I-V loop (--variable I)\n"
      "  field -350 Oe..350 Oe..-350 Oe in 70          a field loop; also: field parallel\n"
      "  pause 1000 s in 30 log             nothing happens; read 30 times\n"
      "  set temperature 77 K..300 K in 5   a parameter that schedules may change\n"
      "  read                               any stimulus of the model, by its name, with its values\n"
      "  3 x (4 V 1 s, -4 V 1 s)            a group\n"
      "Steps without `every` are 10 ms apart, or twice their width; variables are read just before the "
      "next.\n"
      "alpha: curvature of a series, (1 - exp(-alpha n/N)) / (1 - exp(-alpha)), NeuroSim's A is N / alpha;\n"
      "non-linearity: largest distance from a straight line, in units of the change.");
  sub->callback([o, &action] {
    action = [o] {
      refuse_ranks("device");
      return device(*o);
    };
  });
}

}  // namespace spinet::tool
