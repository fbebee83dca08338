#include "device/record.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <sstream>

#include "commands.hpp"
#include "network/as_given.hpp"
#include "network/lookup.hpp"
#include "network/preset.hpp"
#include "network/suggest.hpp"
#include "network/units.hpp"
#include "spinet/device.hpp"
#include "spinet/random.hpp"
#include "sweep/statistics.hpp"

namespace spinet::tool {
namespace {

constexpr double most_numbers = 2e8;  // that a record holds

bool inside(const Field& f, double x) {
  return std::isfinite(x) && (f.flags & low_open ? x > f.low : x >= f.low) &&
         (f.flags & high_open ? x < f.high : x <= f.high) &&
         (f.type == Type::f64 || std::fabs(x) <= static_cast<double>(FLT_MAX)) &&
         (!(f.flags & integer) || x == std::floor(x));
}

/// NAME=VALUE of an option, and the field that is meant.
struct Given {
  std::string name, value;
  const Field* field = nullptr;
  bool is_param = false;
  std::uint32_t index = 0;
};
Given given(const SynapseTable& t, const char* option, const std::string& text) {
  const Model& m = t.model;
  std::vector<std::string> known;
  const auto all = [&](const Fields& fields, std::uint32_t flags, auto&& f) {
    for (std::uint32_t i = 0; i < fields.count; ++i)
      if ((fields.data[i].flags & flags) == flags) f(fields.data[i], i);
  };
  const auto note = [&](const Field& f, std::uint32_t) { known.emplace_back(f.name); };
  all(m.params, 0, note);
  all(m.variables, Flag::initial, note);
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    throw UserError(fmt::format("{} {}: a value is given as NAME=VALUE, for example {}=...", option, text,
                                known.front()));
  Given g{text.substr(0, equals), text.substr(equals + 1)};
  all(m.variables, Flag::initial, [&](const Field& f, std::uint32_t i) {
    if (g.name == f.name) g.field = &f, g.index = i, g.is_param = false;
  });
  all(m.params, 0, [&](const Field& f, std::uint32_t i) {
    if (g.name == f.name) g.field = &f, g.index = i, g.is_param = true;
  });
  if (!g.field)
    throw UserError(fmt::format("{} {}: model {} has no {}; {}", option, text, m.name, in_quotes(g.name),
                                suggest(g.name, known, "parameters and initial values")));
  return g;
}

const Field& field_of(const SynapseTable& t, const DeviceSpread& s) {
  return (s.is_param ? t.model.params : t.model.variables).data[s.index];
}
DeviceSpread spread_of(const SynapseTable& t, const std::string& text) {
  const Given g = given(t, "--spread", text);
  DeviceSpread s{g.is_param, g.index};
  if (g.field->flags & integer)
    throw UserError(fmt::format("--spread {}: {} is a whole number or a choice, and has no spread", text,
                                in_quotes(g.name)));
  if (g.is_param && !(g.field->flags & Flag::spread))
    throw UserError(
        fmt::format("--spread {}: '{}' is a parameter of all synapses of the projection and must be "
                    "one number",
                    text, g.name));
  char* end = nullptr;
  const double x = std::strtod(g.value.c_str(), &end);
  std::string_view rest(end);
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  if (end != g.value.c_str() && rest == "%") {
    s.relative = x / 100;
  } else {
    Field free = *g.field;  // a standard deviation is in the unit of the field, not in its range
    free.low = -INFINITY, free.high = INFINITY;
    free.flags &= ~static_cast<std::uint32_t>(low_open | high_open | derived);
    s.absolute = value_of("--spread " + text, g.value, free);
  }
  if (!(s.relative >= 0 && s.absolute >= 0 && std::isfinite(x)))
    throw UserError(fmt::format("--spread {}: a standard deviation is not below 0", text));
  return s;
}

/// Of the numbers that spread number `which` draws: a stream of their own.
RandomKey key_of(std::uint32_t seed, std::uint32_t which) { return {seed, 0x64657669u + which}; }

/// The number of one device: drawn again until it lies in its range.
double drawn(const Field& f, const DeviceSpread& s, double mean,
             const std::pair<RandomKey, std::uint32_t>& of) {
  const auto& [key, number] = of;
  for (std::uint64_t k = 0; k < 1000; ++k) {
    const Words w = draw(key, number, k);
    const double z = device::normal(w[0], w[1]);
    const double x =
        s.relative > 0 ? mean * device::factor(device::log_sd(s.relative), z) : mean + s.absolute * z;
    if (inside(f, x)) return x;
  }
  throw UserError(
      fmt::format("--spread: no value of {} lies in its range; a smaller spread?", in_quotes(f.name)));
}

}  // namespace

const SynapseTable& device_named(const Catalogue& c, const std::string& name) {
  const auto responds = [](const Model& m) { return plain_stimulus(m) < m.stimulus_count; };
  std::vector<std::string> names, devices;
  for (const auto& e : c.all()) {
    if (e.model->kind != Kind::synapse) continue;
    names.emplace_back(e.model->name);
    if (responds(*e.model)) devices.emplace_back(e.model->name);
  }
  const Model* m = c.find(Kind::synapse, name);
  if (!m)
    throw UserError(fmt::format("no synapse model {}; {}", in_quotes(name), suggest(name, names, "models")));
  const auto& t = *reinterpret_cast<const SynapseTable*>(m);
  if (!responds(t.model))
    throw UserError(fmt::format("synapses of model {} ignore voltage pulses; models that respond: {}", name,
                                joined(devices)));
  return t;
}

namespace {

/// A choice by its name, as networks give it.
double choice_of(const std::string& option, const std::string& text, const Field& f) {
  std::vector<std::string> known;
  std::istringstream names(f.choices);
  for (std::string name; names >> name;) known.push_back(name);
  const auto at = std::find(known.begin(), known.end(), text);
  if (at == known.end())
    throw UserError(fmt::format("{}: {} cannot be {}; {}", option, in_quotes(f.name), in_quotes(text),
                                suggest(text, known, "choices")));
  return static_cast<double>(at - known.begin());
}

}  // namespace

double value_of(const std::string& option, const std::string& text, const Field& f) {
  if (f.flags & derived && text == "auto") return automatic;
  if (f.choices) return choice_of(option, text, f);
  char* end = nullptr;
  const double x = std::strtod(text.c_str(), &end);
  while (*end == ' ') ++end;
  const std::string unit = end;
  const auto u = parse_unit(unit), wanted = parse_unit(f.flags & port_unit ? "1" : f.unit);
  if (end == text.c_str() || !u)
    throw UserError(fmt::format("{}: {} is no number with a unit", option, in_quotes(text)));
  if (u->dimension != wanted->dimension || (unit.empty() && x != 0 && !wanted->dimension.none()))
    throw UserError(
        fmt::format("{}: {} must be {}{}", option, in_quotes(f.name), dimension_name(wanted->dimension),
                    f.flags & port_unit ? ", in the unit of the port"
                    : wanted->dimension.none()
                        ? ""
                        : fmt::format(", for example {:g} {}", is_auto(f.preset) ? 1 : f.preset, f.unit)));
  const double value = Quantity{x * u->factor, u->decade, u->dimension}.in(*wanted);
  if (!inside(f, value)) {
    std::string range;
    if (std::isfinite(f.low)) range += fmt::format(" {} {:g}", f.flags & low_open ? "above" : "from", f.low);
    if (std::isfinite(f.high)) range += fmt::format(" {} {:g}", f.flags & high_open ? "below" : "to", f.high);
    const char* const number = f.flags & integer ? " a whole number"
                               : range.empty()   ? " a finite number"
                                                 : "";
    throw UserError(fmt::format("{}: {} must be{}{}{}", option, in_quotes(f.name), number, range,
                                wanted->dimension.none() ? "" : fmt::format(" {}", f.unit)));
  }
  return value;
}

const char* problem_of(const SynapseTable& t, const std::vector<double>& params) {
  if (!t.check) return nullptr;
  std::vector<double> raw(t.params_size / sizeof(double) + 1);
  for (std::uint32_t i = 0; i < t.model.params.count; ++i) put(raw.data(), t.model.params.data[i], params[i]);
  return t.check(raw.data());
}

namespace {

/// The same of one of several devices that differ.
const char* problem_of_one(const SynapseTable& t, std::vector<double> params) {
  for (std::uint32_t i = 0; i < t.model.params.count; ++i)
    params[i] = as_given(t.model.params.data[i], params[i]);
  return problem_of(t, params);
}

}  // namespace

Devices::Make common_make(const SynapseTable& t, const DeviceChoice& c) {
  const Model& m = t.model;
  Devices::Make make;
  make.seed = c.seed;
  const Preset* const preset = c.preset.empty() ? nullptr : find_preset(m, c.preset);
  if (!c.preset.empty() && !preset) {
    const auto [reason, help] = no_preset(m, c.preset);
    throw UserError(fmt::format("--preset: {}; {}", reason, help));
  }
  for (std::uint32_t i = 0; i < m.params.count; ++i)
    make.params.push_back(value_without(m.params.data[i], preset));
  for (std::uint32_t i = 0; i < m.variables.count; ++i) make.initial.push_back(m.variables.data[i].preset);
  take_params(t, c, make.params, make.initial);
  return make;
}

void take_params(const SynapseTable& t, const DeviceChoice& c, std::vector<double>& params,
                 std::vector<double>& initial) {
  std::vector<const Field*> named;
  for (const auto& p : c.params) {
    const Given g = given(t, "--param", p);
    if (std::find(named.begin(), named.end(), g.field) != named.end())
      throw UserError(fmt::format("--param {}: {} is named twice", p, in_quotes(g.name)));
    named.push_back(g.field);
    (g.is_param ? params : initial)[g.index] = value_of("--param " + p, g.value, *g.field);
  }
  if (const char* reason = problem_of(t, params)) throw UserError(fmt::format("--param: {}", reason));
}

std::vector<DeviceSpread> spreads_of(const SynapseTable& t, const DeviceChoice& c,
                                     const std::vector<double>& params) {
  std::vector<DeviceSpread> spreads;
  for (const auto& text : c.spreads) {
    spreads.push_back(spread_of(t, text));
    const DeviceSpread& s = spreads.back();
    const auto same = [&](const DeviceSpread& other) {
      return other.is_param == s.is_param && other.index == s.index;
    };
    if (std::count_if(spreads.begin(), spreads.end(), same) > 1)
      throw UserError(fmt::format("--spread: {} is named twice", in_quotes(field_of(t, s).name)));
  }
  for (const auto& s : spreads) {
    const char* const name = field_of(t, s).name;
    if (s.is_param && is_auto(params[s.index]))
      throw UserError(fmt::format(
          "--spread: {} is worked out by the model; give it with --param to spread it", in_quotes(name)));
    if (s.is_param && s.relative > 0 && params[s.index] == 0)
      throw UserError(
          fmt::format("--spread: '{0}' is 0, and a share of 0 is 0; give a number for its "
                      "standard deviation, or --param {0}=...",
                      name));
  }
  return spreads;
}

namespace {

void check_drawn(const SynapseTable& t, const std::vector<double>& params, std::uint32_t number,
                 const std::vector<Devices::Own>& drawn) {
  const char* const reason = problem_of_one(t, params);
  if (!reason) return;
  std::string draws;
  for (const auto& own : drawn) {
    if (!own.is_param) continue;
    const Field& f = t.model.params.data[own.index];
    draws += fmt::format("{}{} = {:.4g}{}{}", draws.empty() ? "" : ", ", f.name, params[own.index],
                         std::string_view(f.unit) == "1" ? "" : " ",
                         std::string_view(f.unit) == "1" ? "" : f.unit);
  }
  throw UserError(
      fmt::format("--spread: device {} draws {} and cannot be: {}; give less spread, or other values in the "
                  "middle (--param)",
                  number, draws, reason));
}

}  // namespace

void spread_over(const SynapseTable& t, std::span<const DeviceSpread> spreads, Devices::Make& make) {
  const std::uint32_t of_synapse = devices_of_synapse(t, make.params);
  make.own.clear();
  for (std::uint32_t i = 0; i < spreads.size(); ++i) {
    const DeviceSpread& s = spreads[i];
    const Field& f = field_of(t, s);
    if (s.is_param && !(f.flags & Flag::spread))
      throw UserError(fmt::format("--spread: devices of an array of model {} cannot differ in {}",
                                  t.model.name, in_quotes(f.name)));
    Devices::Own own{s.is_param, s.index, {}};
    const double mean = (s.is_param ? make.params : make.initial)[s.index];
    for (std::uint32_t k = 0; k < make.count * (s.is_param ? of_synapse : 1); ++k)
      // As synapses keep it.
      own.values.push_back(
          static_cast<float>(drawn(f, s, mean, {key_of(make.seed, i), make.first * of_synapse + k})));
    make.own.push_back(std::move(own));
  }
  std::vector<double> params = make.params;
  for (std::uint32_t k = 0; t.check && !spreads.empty() && k < make.count * of_synapse; ++k) {
    for (const auto& own : make.own)
      if (own.is_param) params[own.index] = own.values[k];
    check_drawn(t, params, make.first * of_synapse + k, make.own);
  }
}

std::vector<DeviceBench> devices_of(const SynapseTable& t, const DeviceChoice& c) {
  const Devices::Make common = common_make(t, c);
  const auto spreads = spreads_of(t, c, common.params);
  std::vector<DeviceBench> all;
  all.reserve(c.devices);
  for (std::uint32_t k = 0; k < c.devices; ++k) {
    Devices::Make make = common;
    make.first = k;
    spread_over(t, spreads, make);
    all.emplace_back(t, std::move(make));
  }
  return all;
}

std::vector<DrawnValues> drawn_values(const SynapseTable& t, std::span<const DeviceBench> devices) {
  std::vector<DrawnValues> all;
  for (const auto& d : devices) {
    std::size_t at = 0;
    for (const auto& own : d.own())
      for (std::size_t k = 0; k < own.values.size(); ++k, ++at) {
        if (at == all.size()) {
          const Field& f = (own.is_param ? t.model.params : t.model.variables).data[own.index];
          all.push_back({f.name + (k > 0 ? std::to_string(k + 1) : ""), &f, {}});
        }
        all[at].values.push_back(own.values[k]);
      }
  }
  return all;
}

std::vector<double> Record::over_devices(std::uint32_t variable, double q) const {
  std::vector<double> out, row;
  out.reserve(readings());
  for (std::size_t i = 0; i < readings(); ++i) {
    const auto begin = values[variable].begin() + static_cast<std::ptrdiff_t>(i * devices);
    if (devices == 1) {
      out.push_back(*begin);
      continue;
    }
    row.assign(begin, begin + static_cast<std::ptrdiff_t>(devices));
    std::sort(row.begin(), row.end());
    out.push_back(quantile(row, q));
  }
  return out;
}

namespace {

/// Refuses what step `i` sets where a device cannot have it.
void check_set(const SynapseTable& t, const Protocol& protocol, std::size_t i,
               const std::vector<DeviceBench>& devices) {
  const Step& s = protocol.steps[i];
  for (const auto& d : devices) {
    std::vector<double> params = d.params();
    for (const auto& own : d.own())
      if (own.is_param) params[own.index] = own.values[0];
    params[s.what] = s.value[0];
    const char* const reason = d.own().empty() ? problem_of(t, params) : problem_of_one(t, params);
    if (!reason) continue;
    const auto element = std::find_if(protocol.elements.begin(), protocol.elements.end(),
                                      [i](const Element& e) { return i < e.first + e.count; });
    throw UserError(fmt::format("--pulses: '{}': with {} {:g} {}, {}", element->text,
                                t.model.params.data[s.what].name, s.value[0],
                                t.model.params.data[s.what].unit, reason));
  }
}

}  // namespace

Record characterise(const SynapseTable& t, Protocol protocol, std::vector<DeviceBench>& devices) {
  const std::uint32_t count = t.model.variables.count;
  Record r{&t, std::move(protocol), devices.size(), {}, 0, {}};
  if (static_cast<double>(r.readings()) * static_cast<double>(devices.size()) * count > most_numbers)
    throw UserError(fmt::format("{} readings of {} variables of {} devices are more than {:g} numbers",
                                r.readings(), count, devices.size(), most_numbers));
  r.values.resize(count);
  for (auto& v : r.values) v.resize(r.readings() * devices.size());
  const auto read = [&](std::size_t reading, double at) {
    for (std::uint32_t v = 0; v < count; ++v)
      for (std::size_t k = 0; k < devices.size(); ++k)
        r.values[v][reading * devices.size() + k] = devices[k].read(at, v);
  };
  for (std::size_t i = 0; t.check && i < r.protocol.steps.size(); ++i)
    if (r.protocol.steps[i].kind == Step::Kind::set) check_set(t, r.protocol, i, devices);
  read(0, 0);
  double now = 0;
  for (std::size_t i = 0; i < r.protocol.steps.size(); ++i) {
    const Step& s = r.protocol.steps[i];
    Control c;
    c.stimulus = s.what;
    std::copy(std::begin(s.value), std::end(s.value), std::begin(c.value));
    for (auto& d : devices) {
      if (s.kind == Step::Kind::stimulus) d.apply(now, c);
      else if (s.kind == Step::Kind::set) d.set(now, s.what, s.value[0]);
    }
    r.begin.push_back(now);
    now += s.period;
    read(i + 1, now);
  }
  r.end = now;
  for (std::uint32_t v = 0; v < count; ++v)
    for (const double x : r.values[v])
      if (!std::isfinite(x))
        throw UserError(
            fmt::format("a reading of {} of model {} is no number: parameters or values that the "
                        "model cannot follow",
                        in_quotes(t.model.variables.data[v].name), t.model.name));
  return r;
}

}  // namespace spinet::tool
