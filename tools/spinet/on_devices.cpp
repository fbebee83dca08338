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

}  // namespace

Devices::Make devices_alike(const WritingOptions& o, const SynapseTable& t) {
  const auto common = common_make(t, o.choice);
  Devices::Make make;
  make.params = common.params, make.initial = common.initial, make.seed = common.seed;
  return make;
}

mapping::Scheme scheme_of_options(const WritingOptions& o, const SynapseTable& t) {
  mapping::Pulses pulses{pulse_of(o.up, t, "--up"), pulse_of(o.down, t, "--down"),
                         time_in(o.period, 1, "--period")};
  for (const Control* c : {&pulses.up, &pulses.down})
    if (c->value[1] > pulses.period / 2)
      throw UserError(
          fmt::format("--period {}: a pulse begins half way from read to read, and would not be over "
                      "by the next",
                      o.period));
  const mapping::Range range = mapping::range_of(t, devices_alike(o, t), pulses, o.most);
  if (!(range.span() > 0) || !std::isfinite(range.span()))
    throw UserError(fmt::format(
        "{} pulses --up bring devices of model {} to {:.4g}, and as many --down to {:.4g}: a pulse up must "
        "raise what events find; are the two the wrong way round, or too weak?",
        o.most, t.model.name, range.high, range.low));
  return mapping::scheme_of(pulses, range, o.tolerance / 100, o.most);
}

images::Images images_of(const std::string& folder, images::Part part, const layers::Plan& plan) {
  try {
    auto all = images::read(folder, part, plan.classes());
    if (const auto fault = images::misfit(all, plan.input()); !fault.empty())
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
  sub.add_option("--device-seed", o.choice.seed, "Of the devices' spread and noise")->capture_default_str();
  sub.add_option("--tolerance", o.tolerance, "Distance from the wanted reading, in % of the range")
      ->check(number_range(0, 100))
      ->capture_default_str();
  sub.add_option("--most", o.most, "Pulses after which a device is given up; as many find the range")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  sub.add_option("--period", o.period, "From one read of writing to the next, with a pulse half way")
      ->type_name("TIME")
      ->capture_default_str();
}

}  // namespace spinet::tool
