#include "device_info.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "log/model_file.hpp"
#include "look/json.hpp"
#include "mapping/device_file.hpp"
#include "network/printable.hpp"
#include "text.hpp"

namespace spinet::tool {
namespace {

using mapping::Learnt;
using mapping::Programmed;

std::string percent(double share) { return fmt::format("{:.2f} %", 100 * share); }

std::string programmed_text(const Programmed& p) {
  std::string text = fmt::format("\n{:<12} {:<12} {:>10} {:>8} {:>10} {:>11}\n", "projection", "device",
                                 "reached", "pulses", "rms error", "at the end");
  for (const auto& one : p.projections)
    text += fmt::format("{:<12} {:<12} {:>10} {:>8.2f} {:>10} {:>11}\n", printable_line(one.name),
                        printable_line(one.model), percent(one.reached), one.pulses, percent(one.error),
                        percent(one.error_at_end));
  if (p.spent > 0) text += fmt::format("{:.4g} uJ for pulses and reads of writing\n", p.spent * 1e-3);
  for (const auto& reader : p.converters)
    text += fmt::format("{}: a converter of {} bits over {:.4g} reads the sums\n",
                        printable_line(reader.layer), reader.converter.bits, reader.converter.range);
  text += fmt::format("\n{} of {} before\n{:>12} {:>9} {:>8} {:>10}\n", percent(p.accuracy_before),
                      plural(p.images, "image"), "after", "accuracy", "loss", "rms error");
  for (std::size_t k = 0; k < p.seconds.size(); ++k)
    text += fmt::format("{:>12} {:>9} {:>8.4f} {:>10}\n",
                        p.seconds[k] > 0 ? exact_time_text(p.seconds[k]) : "writing", percent(p.accuracy[k]),
                        p.loss[k], percent(p.error[k]));
  return text + "a run reads these devices\n";
}

std::string learnt_text(const Learnt& l) {
  const auto best = std::max_element(l.test_accuracy.begin(), l.test_accuracy.end());
  auto text = fmt::format(
      "\nlearnt    rule {}, {}{}, {}: {} of test images at the end, {} before, at most {} (epoch {})\n",
      printable_line(l.rule), l.device == "none" ? "" : "device ",
      l.device == "none" ? "no devices" : printable_line(l.device),
      plural(l.test_accuracy.size() - 1, "epoch"), percent(l.test_accuracy.back()),
      percent(l.test_accuracy.front()), percent(*best), best - l.test_accuracy.begin());
  if (l.pulses.back() > 0) text += fmt::format("          {:.4g} pulses", l.pulses.back());
  if (l.pulses.back() > 0 && !l.spent.empty() && l.spent.back() > 0)
    text += fmt::format(", {:.4g} uJ for these and all reads", l.spent.back() * 1e-3);
  return text + (l.pulses.back() > 0 ? "\n" : "");
}

/// The command that shows images to the model.
std::string next_of(const std::string& file, const ModelOrigin& origin) {
  std::string set;
  for (const auto& o : origin.overrides) set += " --set " + in_shell(printable_line(o));
  return fmt::format("\nNext: spinet run {}{} --weights {} --data DIR\n",
                     in_shell(printable_line(origin.network_path)), set, in_shell(file));
}

void numbers(look::Json& j, const char* name, const std::vector<double>& values) {
  j.key(name).values(values);
}

void add(look::Json& j, const Programmed& p) {
  j.key("devices").object().key("projections").array();
  for (const auto& one : p.projections)
    j.object()
        .entry("name", one.name)
        .entry("model", one.model)
        .entry("reached", one.reached)
        .entry("pulses", one.pulses)
        .entry("error", one.error)
        .entry("error_at_end", one.error_at_end)
        .end();
  j.end()
      .entry("images", p.images)
      .entry("accuracy_before", p.accuracy_before)
      .entry("energy_nJ", p.spent)
      .entry("compensate", p.compensate);
  j.key("converters").array();
  for (const auto& reader : p.converters)
    j.object()
        .entry("layer", reader.layer)
        .entry("bits", std::uint64_t{reader.converter.bits})
        .entry("range", reader.converter.range)
        .end();
  j.end();
  numbers(j, "seconds", p.seconds);
  numbers(j, "rms_error", p.error);
  numbers(j, "accuracy", p.accuracy);
  numbers(j, "loss", p.loss);
  j.end();
}

void add(look::Json& j, const Learnt& l) {
  j.key("learning").object().entry("rule", l.rule).entry("device", l.device);
  numbers(j, "test_accuracy", l.test_accuracy);
  numbers(j, "loss", l.loss);
  numbers(j, "pulses", l.pulses);
  numbers(j, "energy_nJ", l.spent);
  j.end();
}

}  // namespace

std::string device_text(const std::string& file) {
  const auto programmed = mapping::read_programmed(file);
  const auto learnt = mapping::read_learnt(file);
  if (!programmed && !learnt) return {};
  return (programmed ? programmed_text(*programmed) : "") + (learnt ? learnt_text(*learnt) : "") +
         next_of(file, read_model_origin(file));
}

std::string device_json(const std::string& file) {
  const auto origin = read_model_origin(file);
  look::Json j;
  j.object()
      .entry("file", file)
      .entry("kind", "model")
      .entry("network", origin.network_name)
      .entry("network_path", origin.network_path)
      .entry("version", origin.version);
  if (const auto programmed = mapping::read_programmed(file)) add(j, *programmed);
  if (const auto learnt = mapping::read_learnt(file)) add(j, *learnt);
  j.end();
  return j.text();
}

}  // namespace spinet::tool
