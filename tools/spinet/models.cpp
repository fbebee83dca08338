// spinet models
#include <fmt/core.h>

#include <cmath>

#include "inputs.hpp"
#include "network/suggest.hpp"
#include "spinet/neuron.hpp"
#include "spinet/source.hpp"
#include "spinet/synapse.hpp"

namespace spinet::tool {
namespace {

const char* plural(Kind kind) {
  return kind == Kind::neuron ? "Neurons" : kind == Kind::synapse ? "Synapses" : "Sources";
}

std::string unit_text(const Field& f) {
  if (f.flags & port_unit) return "(port)";
  return std::string_view(f.unit) == "1" ? "" : f.unit;
}

/// "batch" of "batch each": the word that a network writes for the number that a model sees.
std::string word_of(const Field& f, double number) {
  std::string_view rest(f.choices);
  for (double k = 0; !rest.empty(); ++k) {
    const auto space = std::min(rest.find(' '), rest.size());
    if (k == number) return std::string(rest.substr(0, space));
    rest.remove_prefix(std::min(space + 1, rest.size()));
  }
  return fmt::format("{:g}", number);
}

std::string range_text(const Field& f) {
  if (f.choices) {
    std::string words;
    for (const char c : std::string_view(f.choices))
      words += c == ' ' ? std::string(" | ") : std::string(1, c);
    return words;
  }
  const bool low = std::isfinite(f.low), high = std::isfinite(f.high);
  if (low && high)
    return fmt::format("{}{}, {}{}", f.flags & low_open ? "(" : "[", f.low, f.high,
                       f.flags & high_open ? ")" : "]");
  if (low) return fmt::format("{} {}", f.flags & low_open ? ">" : ">=", f.low);
  if (high) return fmt::format("{} {}", f.flags & high_open ? "<" : "<=", f.high);
  return "";
}

void print_fields(const char* title, const Fields& fields) {
  if (fields.count == 0) return;
  fmt::print("\n{}\n", title);
  for (std::uint32_t i = 0; i < fields.count; ++i) {
    const Field& f = fields.data[i];
    std::string notes;
    for (const auto& [flag, note] : {std::pair{scheduled, "may be changed by the schedule"},
                                     {initial, "may be initialised"},
                                     {recorded, "may be recorded"},
                                     {spread, "may be drawn"},
                                     {integer, "a whole number"}})
      if ((f.flags & flag) && !(f.choices && flag == integer))
        notes += fmt::format("{}{}", notes.empty() ? "  [" : ", ", note);
    if (!notes.empty()) notes += "]";
    const std::string preset = f.flags & derived ? "auto"
                               : f.choices       ? word_of(f, f.preset)
                                                 : fmt::format("{:g}", f.preset);
    fmt::print("  {:<12} {:>8} {:<8} {:<12} {}{}\n", f.name, preset, unit_text(f), range_text(f), f.doc,
               notes);
  }
}

void print_stimuli(const char* title, const Stimulus* some, std::uint32_t count) {
  if (count > 0) fmt::print("\n{}\n", title);
  for (std::uint32_t i = 0; i < count; ++i) {
    const Stimulus& s = some[i];
    fmt::print("  {:<12} {}{}\n", s.name, s.doc, s.logs ? fmt::format("; logs {}", s.logs) : "");
    for (std::uint32_t k = 0; k < s.count; ++k)
      fmt::print("    {:<10} {:>8} {:<8} {:<12} {}\n", s.fields[k].name,
                 s.fields[k].flags & required ? ""
                 : s.fields[k].choices        ? word_of(s.fields[k], 0)
                                              : "0",
                 unit_text(s.fields[k]), range_text(s.fields[k]), s.fields[k].doc);
  }
}

void print_presets(const Model& m) {
  if (m.preset_count > 0) fmt::print("\nPresets: name, source, parameters\n");
  for (std::uint32_t i = 0; i < m.preset_count; ++i) {
    const Preset& p = m.presets[i];
    std::string values;
    for (std::uint32_t k = 0; k < p.count; ++k) {
      const Field* f = m.params.data;
      while (std::string_view(f->name) != p.settings[k].name) ++f;  // it is one: the catalogue has looked
      const std::string unit = unit_text(*f);
      values += fmt::format(
          "{}{}: {}{}{}", k ? ", " : "", f->name,
          f->choices ? word_of(*f, p.settings[k].value) : fmt::format("{:g}", p.settings[k].value),
          unit.empty() ? "" : " ", unit);
    }
    fmt::print("  {:<12} {}\n    {}\n", p.name, p.source, values);
  }
}

void print_model(const Catalogue::Entry& e) {
  const Model& m = *e.model;
  const char* kind = m.kind == Kind::neuron ? "neuron" : m.kind == Kind::synapse ? "synapse" : "source";
  fmt::print("{} ({}, {})\n{}\n", m.name, kind, e.origin, m.doc);
  print_fields("Parameters: name, default, unit, range", m.params);
  print_presets(m);
  print_fields("Variables", m.variables);
  print_stimuli("Stimuli: name, values with default, unit and range", m.stimuli, m.stimulus_count);
  if (m.kind == Kind::neuron) {
    const auto& t = reinterpret_cast<const NeuronTable&>(m);
    print_stimuli("Posts: name, values with unit and range", t.posts, t.post_count);
    fmt::print("\nPorts\n");
    for (std::uint32_t i = 0; i < t.port_count; ++i) {
      const Port& p = t.ports[i];
      fmt::print("  {:<12} {:>8} {:<8} {:<12} {}\n", p.name, "", p.unit,
                 p.sign > 0   ? "excites"
                 : p.sign < 0 ? "inhibits"
                              : "either sign",
                 p.doc);
    }
  }
}

int models(const std::string& name, const std::vector<std::string>& folders) {
  const Catalogue catalogue = read_catalogue(folders);
  if (name.empty()) {
    Kind kind{};
    for (const auto& [model, origin] : catalogue.all()) {
      if (model->kind != kind) fmt::print("{}{}\n", kind == Kind{} ? "" : "\n", plural(model->kind));
      kind = model->kind;
      fmt::print("  {:<14} {}{}\n", model->name, model->doc, origin == "built in" ? "" : " (" + origin + ")");
    }
    fmt::print("\nMore about one: spinet models NAME\n");
    return fine;
  }
  bool found = false;
  std::vector<std::string> names;
  for (const auto& e : catalogue.all()) {
    names.push_back(e.model->name);
    if (name != e.model->name) continue;
    if (found) fmt::print("\n");
    print_model(e);
    found = true;
  }
  if (!found)
    throw UserError(
        fmt::format("spinet models: no model {}; {}", in_quotes(name), suggest(name, names, "models")));
  return fine;
}

}  // namespace

void add_models(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("models", "List the models, or show one with its parameters");
  auto name = std::make_shared<std::string>();
  auto folders = std::make_shared<std::vector<std::string>>();
  sub->add_option("NAME", *name, "The model to show");
  add_plugin_path(*sub, *folders);
  sub->callback([=, &action] { action = [=] { return models(*name, *folders); }; });
}

}  // namespace spinet::tool
