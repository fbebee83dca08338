#include "on_devices.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>

#include "device/protocol.hpp"
#include "inputs.hpp"
#include "network/printable.hpp"
#include "network/suggest.hpp"
#include "number_range.hpp"
#include "text.hpp"

namespace spinet::tool {
namespace {

/// One pulse, as `spinet device` reads it.
Control pulse_of(const std::string& text, const SynapseTable& t, const char* option) {
  const Protocol p = read_protocol(text, t, option);
  if (p.steps.size() != 1 || p.steps[0].kind != Step::Kind::stimulus ||
      p.steps[0].what != plain_stimulus(t.model))
    throw UserError(fmt::format("{} {}: one pulse is wanted, for example \"2.5 V 5 ms\"", option,
                                in_quotes(printable(text))));
  Control c;
  c.stimulus = p.steps[0].what;
  std::copy(std::begin(p.steps[0].value), std::end(p.steps[0].value), std::begin(c.value));
  return c;
}

/// Those of options, in place of what there are of the same numbers.
void take_spreads(const std::vector<DeviceSpread>& given, std::vector<DeviceSpread>& to) {
  for (const DeviceSpread& s : given) {
    const auto same = std::find_if(to.begin(), to.end(), [&](const DeviceSpread& t) {
      return t.is_param == s.is_param && t.index == s.index;
    });
    if (same == to.end()) to.push_back(s);
    else *same = s;
  }
}

}  // namespace

DeviceMapping chosen_devices(const WritingOptions& o, const Catalogue& catalogue, const DeviceMapping* said) {
  DeviceMapping m = said ? *said : DeviceMapping{};
  const bool other = !said || (!o.device.empty() && o.device != said->table->model.name);
  if (other && said && (o.up.empty() || o.down.empty()))
    throw UserError(
        fmt::format("what the network says of these weights is for devices of model {}, so that --device {} "
                    "needs --up and --down",
                    said->table->model.name, printable(o.device)));
  if (other && (o.device.empty() || o.up.empty() || o.down.empty()))
    throw UserError("the network names no devices for these weights, so that --device, --up and --down must");
  if (other) m.table = &device_named(catalogue, o.device);
  const SynapseTable& t = *m.table;
  if (other || !o.choice.preset.empty()) {
    const auto common = common_make(t, o.choice);
    m.params = common.params, m.initial = common.initial;
    m.spreads.clear();
  } else {
    take_params(t, o.choice, m.params, m.initial);
  }
  take_spreads(spreads_of(t, o.choice, m.params), m.spreads);
  if (!o.up.empty()) m.up = pulse_of(o.up, t, "--up");
  if (!o.down.empty()) m.down = pulse_of(o.down, t, "--down");
  if (!o.period.empty()) m.period = time_in(o.period, 1, "--period");
  if (o.tolerance) m.tolerance = *o.tolerance / 100;
  m.most = o.most.value_or(m.most);
  for (const Control* c : {&m.up, &m.down})
    if (c->value[1] > m.period / 2)
      throw UserError(
          fmt::format("--period {}: a pulse begins half way from read to read, and would not be over "
                      "by the next",
                      o.period.empty() ? exact_time_text(m.period) : o.period));
  return m;
}

Devices::Make some_devices(const DeviceMapping& m, std::uint32_t seed, std::uint32_t first,
                           std::uint32_t count) {
  Devices::Make make;
  make.params = m.params, make.initial = m.initial;
  make.seed = seed, make.first = first, make.count = count;
  spread_over(*m.table, m.spreads, make);
  return make;
}

mapping::Scheme scheme_of(const DeviceMapping& m, std::uint32_t seed) {
  const mapping::Pulses pulses{m.up, m.down, m.period};
  Devices::Make alike;
  alike.params = m.params, alike.initial = m.initial, alike.seed = seed;
  const auto range = mapping::range_of(*m.table, alike, pulses, m.most);
  if (!(range.span() > 0) || !std::isfinite(range.span()))
    throw UserError(fmt::format(
        "{} pulses up bring devices of model {} to {:.4g}, and as many down to {:.4g}: a pulse up must "
        "raise what events find; are the two the wrong way round, or too weak?",
        m.most, m.table->model.name, range.high, range.low));
  constexpr double beyond_chance = 5;  // standard errors
  if (!(range.rise > beyond_chance * range.error))
    throw UserError(
        fmt::format("{0} pulses up bring devices of model {1} to {2:.4g}, and as many down to {3:.4g}, but "
                    "as many up again "
                    "change that by {4:.2g}, where {5:.2g} is chance: time and noise do it, and the pulses "
                    "are too weak to "
                    "program by",
                    m.most, m.table->model.name, range.high, range.low, range.rise, range.error));
  auto scheme = mapping::scheme_of(pulses, range, m.tolerance, m.most);
  scheme.pairs = m.pairs;
  return scheme;
}

std::string spent_text(double nJ, std::int64_t pulses) {
  return fmt::format("{:.4g} uJ{}", nJ * 1e-3,
                     pulses > 0 ? fmt::format(", {:.4g} nJ a pulse,", nJ / static_cast<double>(pulses)) : "");
}

images::Images images_of(const std::string& folder, images::Part part, const layers::Plan& plan) {
  try {
    auto all = images::read(folder, part, plan.classes());
    if (const auto fault = images::misfit(all, images::input_of(plan)); !fault.empty())
      throw UserError(fmt::format("{}: {}", folder, fault));
    return all;
  } catch (const images::Error& e) {
    throw UserError(printable_line(e.what()));
  }
}

void add_writing_options(CLI::App& sub, WritingOptions& o) {
  sub.add_option("--device", o.device, "A synapse model that responds to pulses")->type_name("MODEL");
  sub.add_option("--up", o.up, "A pulse that raises what events find: \"2.5 V 5 ms\"")->type_name("PULSE");
  sub.add_option("--down", o.down, "A pulse that lowers it")->type_name("PULSE");
  sub.add_option("--preset", o.choice.preset,
                 "A named set of parameters of the device; --param comes before it")
      ->type_name("NAME");
  sub.add_option("--param", o.choice.params,
                 "A parameter or initial value: --param read_noise=0.05 (may be repeated)")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  sub.add_option("--spread", o.choice.spreads, "Differences between devices: --spread V_th=5% or V_th=50mV")
      ->type_name("NAME=SD")
      ->allow_extra_args(false);
  sub.add_option("--device-seed", o.seed, "Of the devices' spread and noise (1)");
  sub.add_option("--tolerance", o.tolerance, "Distance from the wanted reading, in % of the range (1)")
      ->check(number_range(0, 100));
  sub.add_option("--most", o.most, "Pulses after which a device is given up; as many find the range (100)")
      ->check(CLI::Range(1, 1'000'000));
  sub.add_option("--period", o.period, "From one read of writing to the next, with a pulse half way (20ms)")
      ->type_name("TIME")
      ->check(not_empty);
}

}  // namespace spinet::tool
