#include "mapping/device_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "log/model_file.hpp"
#include "network/digest.hpp"

namespace spinet::mapping {
namespace {

/// Calls `read` with a group of a model file, if it is there.
template <class Read>
auto with_group(const std::filesystem::path& path, const std::string& name, Read&& read)
    -> std::optional<decltype(read(hid_t{}))> {
  const h5::Id file = open_model(path);
  try {
    if (!h5::exists(file, name)) return {};
    return read(h5::open_group(file, name));
  } catch (const h5::Error& e) {
    throw InvalidModel(path, fmt::format("group {} is damaged: {}", name, e.what()));
  }
}

std::vector<double> column(hid_t at, const std::string& name, std::size_t rows) {
  auto all = h5::read_all<double>(at, name);
  if (all.size() != rows) throw h5::Error(fmt::format("{} has {} numbers, not {}", name, all.size(), rows));
  return all;
}

std::vector<double> of_all(const std::vector<Programmed::Projection>& all,
                           double (*value)(const Programmed::Projection&)) {
  std::vector<double> values;
  for (const auto& p : all) values.push_back(value(p));
  return values;
}

bool allowed(const Field& f, double x) {
  if (is_auto(x)) return f.flags & derived;
  const bool low = f.flags & low_open ? x > f.low : x >= f.low,
             high = f.flags & high_open ? x < f.high : x <= f.high;
  return std::isfinite(x) && low && high && (!(f.flags & Flag::integer) || x == std::floor(x));
}

const Field& checked(const Fields& all, std::uint32_t i, std::span<const double> values) {
  const Field& f = all.data[i];
  const auto bad = std::find_if(values.begin(), values.end(), [&](double x) { return !allowed(f, x); });
  if (bad != values.end()) throw h5::Error(fmt::format("a device has {} = {:g}", f.name, *bad));
  return f;
}

std::uint32_t place_of(const Fields& all, const std::string& name) {
  for (std::uint32_t i = 0; i < all.count; ++i)
    if (all.data[i].name == name) return i;
  throw h5::Error(fmt::format("the devices' model has no '{}'", name));
}

/// Parameters by name, one number each: all that the model has, and no others.
std::vector<double> read_params(hid_t at, const SynapseTable& t) {
  const auto names = h5::read_texts(at, "parameters");
  const auto values = column(at, "values", names.size());
  const Fields& all = t.model.params;
  if (names.size() != all.count)
    throw h5::Error(
        fmt::format("it has {} parameters, and model {} {}", names.size(), t.model.name, all.count));
  std::vector<double> params(all.count);
  for (std::size_t k = 0; k < names.size(); ++k) {
    const auto i = place_of(all, names[k]);
    checked(all, i, std::span(&values[k], 1));
    params[i] = values[k];
  }
  std::vector<std::byte> raw(t.params_size);
  for (std::uint32_t f = 0; f < all.count; ++f) put(raw.data(), all.data[f], params[f]);
  if (const char* const wrong = t.check ? t.check(raw.data()) : nullptr) throw h5::Error(wrong);
  return params;
}

/// What each device has of its own, by name.
void read_own(hid_t at, const SynapseTable& t, bool params, Devices::Make& make) {
  const char* const group = params ? "drawn" : "variables";
  const Fields& all = params ? t.model.params : t.model.variables;
  const h5::Id names = h5::open_group(at, group);
  for (const auto& name : h5::names(names)) {
    const auto i = place_of(all, name);
    if (!(all.data[i].flags & (params ? Flag::spread : Flag::initial)))
      throw h5::Error(fmt::format("devices have no '{}' of their own", name));
    const std::size_t each = params ? devices_of_synapse(t, make.params) : 1;
    make.own.push_back({params, i, column(names, name, make.count * each)});
    checked(all, i, make.own.back().values);
  }
}

void write_converters(hid_t at, const Programmed& p) {
  std::vector<std::string> layers;
  std::vector<double> bits, ranges;
  for (const auto& one : p.converters)
    layers.push_back(one.layer), bits.push_back(one.converter.bits), ranges.push_back(one.converter.range);
  const auto group = h5::create_group(at, "converters");
  h5::write_texts(group, "layers", layers);
  h5::write_dataset<double>(group, "bits", bits);
  h5::write_dataset<double>(group, "range", ranges);
}
void read_converters(hid_t group, Programmed& p) {
  const auto layers = h5::read_texts(group, "layers");
  const auto bits = column(group, "bits", layers.size()), ranges = column(group, "range", layers.size());
  for (std::size_t k = 0; k < layers.size(); ++k) {
    if (!(bits[k] >= 2 && bits[k] <= 32 && bits[k] == std::floor(bits[k]) && ranges[k] > 0 &&
          std::isfinite(ranges[k])))
      throw h5::Error(
          fmt::format("the converter of {} has {:g} bits over {:g}", layers[k], bits[k], ranges[k]));
    p.converters.push_back({layers[k], {static_cast<std::uint32_t>(bits[k]), ranges[k]}});
  }
}

/// The build of a model, which alone can make something of its states.
std::string build_of(const SynapseTable& t, const Catalogue& catalogue) {
  std::string text =
      fmt::format("{} {}, {} and {} bytes", SPINET_VERSION, t.model.name, t.state_size, t.slice_state_size);
  for (const auto& [model, origin] : catalogue.all())
    if (model == &t.model && origin != "built in") text += ", " + hex(sha256_of_file(origin));
  return text;
}
void write_states(hid_t group, const Kept& k, const std::string& build) {
  h5::write_text_attribute(group, "build", build);
  h5::write_attribute(group, "seconds", k.seconds);
  const auto bytes = std::as_bytes(std::span(k.state));
  h5::write_text_attribute(group, "sha256", hex(sha256(bytes)));
  h5::write_dataset<std::uint8_t>(
      group, "states", std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
}
void read_states(hid_t group, const std::string& build, Kept& k) {
  if (const auto of = h5::read_text_attribute(group, "build"); of != build)
    throw h5::Error(
        fmt::format("it has states of devices as \"{}\" keeps them, and this is \"{}\"; `spinet "
                    "program` writes them anew",
                    of, build));
  const auto bytes = h5::read_all<std::uint8_t>(group, "states");
  if (h5::read_text_attribute(group, "sha256") != hex(sha256(std::as_bytes(std::span(bytes)))))
    throw h5::Error("states are not what was written: their SHA-256 is another");
  k.state.resize(bytes.size());
  std::memcpy(k.state.data(), bytes.data(), bytes.size());
  k.seconds = h5::read_attribute<double>(group, "seconds");
  if (!(k.seconds >= 0 && k.seconds < 1e10)) throw h5::Error(fmt::format("seconds are {:g}", k.seconds));
}

}  // namespace

void write_programmed(hid_t file, const Programmed& p) {
  const auto group = h5::create_group(file, "devices");
  std::vector<std::string> names, models;
  for (const auto& one : p.projections) names.push_back(one.name), models.push_back(one.model);
  h5::write_texts(group, "projections", names);
  h5::write_texts(group, "models", models);
  using P = Programmed::Projection;
  h5::write_dataset<double>(group, "low", of_all(p.projections, [](const P& x) { return x.range.low; }));
  h5::write_dataset<double>(group, "high", of_all(p.projections, [](const P& x) { return x.range.high; }));
  h5::write_dataset<double>(group, "reached", of_all(p.projections, [](const P& x) { return x.reached; }));
  h5::write_dataset<double>(group, "pulses", of_all(p.projections, [](const P& x) { return x.pulses; }));
  h5::write_dataset<double>(group, "error", of_all(p.projections, [](const P& x) { return x.error; }));
  h5::write_dataset<double>(group, "error_at_end",
                            of_all(p.projections, [](const P& x) { return x.error_at_end; }));
  h5::write_dataset<double>(group, "seconds", p.seconds);
  h5::write_dataset<double>(group, "rms_error", p.error);
  h5::write_dataset<double>(group, "accuracy", p.accuracy);
  h5::write_dataset<double>(group, "loss", p.loss);
  h5::write_attribute(group, "accuracy_before", p.accuracy_before);
  h5::write_attribute(group, "images", p.images);
  h5::write_attribute(group, "energy", p.spent);
  h5::write_attribute(group, "images_per_read", p.images_per_read);
  h5::write_attribute(group, "read_period", p.read_period);
  if (!p.converters.empty()) write_converters(group, p);
  h5::write_attribute<std::uint32_t>(group, "compensate", p.compensate);
  h5::create_group(group, "state");
}

void write_devices(hid_t file, const std::string& projection, const Kept& k, const SynapseTable& t,
                   const Catalogue& catalogue) {
  const auto group = h5::create_group(h5::open_group(file, "devices/state"), projection);
  h5::write_attribute<std::uint32_t>(group, "pairs", k.pairs);
  h5::write_attribute(group, "greatest", k.greatest);
  h5::write_attribute(group, "sum", k.sum);
  h5::write_attribute(group, "seed", k.make.seed);
  h5::write_attribute(group, "first", k.make.first);
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < t.model.params.count; ++i) names.emplace_back(t.model.params.data[i].name);
  h5::write_texts(group, "parameters", names);
  h5::write_dataset<double>(group, "values", k.make.params);
  const auto drawn = h5::create_group(group, "drawn"), variables = h5::create_group(group, "variables");
  for (const auto& own : k.make.own)
    h5::write_dataset<double>(own.is_param ? drawn : variables,
                              (own.is_param ? t.model.params : t.model.variables).data[own.index].name,
                              own.values);
  if (!k.state.empty()) write_states(group, k, build_of(t, catalogue));
}

std::optional<Programmed> read_programmed(const std::filesystem::path& path) {
  return with_group(path, "devices", [](hid_t group) {
    Programmed p;
    const auto names = h5::read_texts(group, "projections"), models = h5::read_texts(group, "models");
    const std::size_t n = names.size();
    if (models.size() != n) throw h5::Error("models are not as many as projections");
    const auto low = column(group, "low", n), high = column(group, "high", n),
               reached = column(group, "reached", n), pulses = column(group, "pulses", n),
               error = column(group, "error", n), at_end = column(group, "error_at_end", n);
    for (std::size_t k = 0; k < n; ++k)
      p.projections.push_back(
          {names[k], models[k], reached[k], pulses[k], error[k], at_end[k], {low[k], high[k]}});
    p.seconds = h5::read_all<double>(group, "seconds");
    p.error = column(group, "rms_error", p.seconds.size());
    p.accuracy = column(group, "accuracy", p.seconds.size());
    p.loss = column(group, "loss", p.seconds.size());
    p.accuracy_before = h5::read_attribute<double>(group, "accuracy_before");
    p.images = h5::read_attribute<std::uint64_t>(group, "images");
    p.spent = h5::read_attribute<double>(group, "energy");
    if (h5::exists(group, "converters")) read_converters(h5::open_group(group, "converters"), p);
    p.images_per_read = h5::read_attribute<std::uint32_t>(group, "images_per_read");
    p.read_period = h5::read_attribute<double>(group, "read_period");
    p.compensate = h5::read_attribute<std::uint32_t>(group, "compensate") != 0;
    if (p.images_per_read == 0 || !(p.read_period > 0 && p.read_period < 1e10))
      throw h5::Error("its reads cannot be");
    return p;
  });
}

Mapped read_devices(const std::filesystem::path& path, const Programmed::Projection& p, std::size_t weights,
                    const Catalogue& catalogue) {
  const Model* const m = catalogue.find(Kind::synapse, p.model);
  if (!m) throw InvalidModel(path, fmt::format("has devices of model {}, which is not there", p.model));
  const auto& table = *reinterpret_cast<const SynapseTable*>(m);
  auto kept = with_group(path, "devices/state/" + p.name, [&](hid_t group) {
    Kept k;
    k.pairs = h5::read_attribute<std::uint32_t>(group, "pairs") != 0;
    k.greatest = h5::read_attribute<double>(group, "greatest");
    k.sum = h5::read_attribute<double>(group, "sum");
    k.range = p.range;
    if (!(k.range.span() > 0) || !std::isfinite(k.range.span()) || !(k.greatest >= 0) ||
        !std::isfinite(k.greatest) || !std::isfinite(k.sum))
      throw h5::Error("its range or scale is no number");
    k.make.seed = h5::read_attribute<std::uint32_t>(group, "seed");
    k.make.first = h5::read_attribute<std::uint32_t>(group, "first");
    k.make.count = static_cast<std::uint32_t>(weights) * (k.pairs ? 2u : 1u);
    k.make.params = read_params(group, table);
    for (std::uint32_t v = 0; v < table.model.variables.count; ++v)
      k.make.initial.push_back(table.model.variables.data[v].preset);
    read_own(group, table, true, k.make);
    read_own(group, table, false, k.make);
    if (h5::exists(group, "states")) read_states(group, build_of(table, catalogue), k);
    return k;
  });
  if (!kept) throw InvalidModel(path, fmt::format("has no devices of projection '{}'", p.name));
  try {
    return {table, std::move(*kept)};
  } catch (const std::invalid_argument& e) {
    throw InvalidModel(path, fmt::format("has damaged devices of projection '{}': {}", p.name, e.what()));
  }
}

void write_learnt(hid_t file, const Learnt& l) {
  const auto group = h5::create_group(file, "learning");
  h5::write_text_attribute(group, "rule", l.rule);
  h5::write_text_attribute(group, "device", l.device);
  h5::write_dataset<double>(group, "test_accuracy", l.test_accuracy);
  h5::write_dataset<double>(group, "loss", l.loss);
  h5::write_dataset<double>(group, "pulses", l.pulses);
  h5::write_vlen_attribute(h5::write_dataset<double>(group, "energy", l.spent), "units", "nJ");
  if (l.rule != "exact") h5::write_dataset<double>(group, "saturated", l.saturated);
}

std::optional<Learnt> read_learnt(const std::filesystem::path& path) {
  return with_group(path, "learning", [](hid_t group) {
    Learnt l;
    l.rule = h5::read_text_attribute(group, "rule");
    l.device = h5::read_text_attribute(group, "device");
    l.test_accuracy = h5::read_all<double>(group, "test_accuracy");
    const std::size_t n = l.test_accuracy.size();
    if (n == 0) throw h5::Error("it has no epoch");
    l.loss = column(group, "loss", n);
    l.pulses = column(group, "pulses", n);
    if (h5::exists(group, "energy")) l.spent = column(group, "energy", n);
    if (h5::exists(group, "saturated")) l.saturated = column(group, "saturated", n);
    return l;
  });
}

}  // namespace spinet::mapping
