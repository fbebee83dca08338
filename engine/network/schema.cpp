#include "network/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "connect/rule.hpp"
#include "network/crossbar.hpp"
#include "network/going.hpp"
#include "network/parts.hpp"
#include "network/preset.hpp"

namespace spinet {
namespace {

using namespace reading;

std::string text(std::string_view s) {
  std::string out = "\"";
  for (const char c : s) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

/// An object or array of JSON, one entry a line.
std::string enclosed(char open, char close, const std::vector<std::string>& entries) {
  if (entries.empty()) return {open, close};
  std::string out(1, open);
  for (std::size_t i = 0; i < entries.size(); ++i) out += (i ? ",\n" : "\n") + entries[i];
  return out + "\n" + close;
}
std::string object(const std::vector<std::string>& entries) { return enclosed('{', '}', entries); }
std::string array(const std::vector<std::string>& entries) { return enclosed('[', ']', entries); }
std::string entry(std::string_view key, const std::string& value) { return text(key) + ": " + value; }

std::string ref(std::string_view type) { return fmt::format("{{\"$ref\": \"#/definitions/{}\"}}", type); }
std::string described(std::string_view type, std::string_view doc) {
  return fmt::format("{{\"description\": {}, \"allOf\": [{}]}}", text(doc), ref(type));
}

/// A map with these keys and no others.
std::string map_of(std::span<const Key> keys, bool others = false) {
  std::vector<std::string> properties, required;
  for (const auto& k : keys) {
    properties.push_back(entry(k.name, described(k.schema, k.doc)));
    if (k.required) required.push_back(text(k.name));
  }
  std::vector<std::string> e{entry("type", text("object")), entry("properties", object(properties))};
  if (!required.empty()) e.push_back(entry("required", array(required)));
  if (!others) e.push_back(entry("additionalProperties", "false"));
  return object(e);
}
std::string named_map(std::string_view type) {
  return object({entry("type", text("object")), entry("additionalProperties", ref(type))});
}
std::string any_of(const std::vector<std::string>& choices) {
  return object({entry("anyOf", array(choices))});
}
std::string one_or_list(std::string_view type) {
  return any_of({ref(type), object({entry("type", text("array")), entry("items", ref(type))})});
}
std::string choice(const std::vector<std::string>& values) {
  std::vector<std::string> quoted;
  for (const auto& v : values) quoted.push_back(text(v));
  return any_of({object({entry("enum", array(quoted))}), ref("reference")});
}

std::string field_doc(const Field& f) {
  std::string s = f.doc;
  if (f.choices) return s + fmt::format("; one of: {}", f.choices);
  if (std::string_view(f.unit) != "1")
    s += fmt::format(", in {}", (f.flags & port_unit) ? "the unit of the port" : f.unit);
  if (f.flags & derived) return s + ", or auto (the preset)";
  return s + fmt::format(" (preset {})", with_unit(f.preset, f.flags & port_unit ? "1" : f.unit));
}
std::vector<std::string> field_properties(const Fields& table, std::uint32_t flags, std::string_view type) {
  std::vector<std::string> properties;
  for (std::uint32_t i = 0; i < table.count; ++i)
    if ((field(table, i).flags & flags) == flags)
      properties.push_back(
          entry(field(table, i).name, described(field(table, i).choices                ? "name"
                                                : field(table, i).flags & Flag::spread ? "value"
                                                                                       : type,
                                                field_doc(field(table, i)))));
  return properties;
}
std::string closed(std::vector<std::string> properties) {
  return object({entry("type", text("object")), entry("properties", object(properties)),
                 entry("additionalProperties", "false")});
}
/// "if the model is m then ..."
std::string where_model(const Model& m, const std::string& then) {
  return object(
      {entry("if",
             fmt::format("{{\"properties\": {{\"model\": {{\"const\": {}}}}}, \"required\": [\"model\"]}}",
                         text(m.name))),
       entry("then", then)});
}

std::string or_reference(const std::string& type) { return any_of({type, ref("reference")}); }

/// The model's own presets alone; no value at all where it has none.
std::string preset_of(const Model& m) { return m.preset_count == 0 ? "false" : choice(preset_names(m)); }

std::string population(const Catalogue& c) {
  std::vector<std::string> cases;
  for (const auto& e : c.all())
    if (e.model->kind != Kind::synapse)
      cases.push_back(where_model(
          *e.model,
          object({entry(
              "properties",
              object({entry("preset", preset_of(*e.model)),
                      entry("params", or_reference(closed(field_properties(e.model->params, 0, "value")))),
                      entry("initial", or_reference(closed(field_properties(e.model->variables, Flag::initial,
                                                                            "value"))))}))})));
  return or_reference(
      object({entry("allOf", array({map_of(population_keys()), object({entry("allOf", array(cases))})}))}));
}
std::string synapse(const Catalogue& c) {
  std::vector<std::string> cases;
  for (const auto& e : c.all()) {
    if (e.model->kind != Kind::synapse) continue;
    auto properties = field_properties(e.model->variables, Flag::initial, "value");
    for (auto& p : field_properties(e.model->params, 0, "number")) properties.push_back(std::move(p));
    for (const auto& k : synapse_keys())
      if (unit_of(e.model->params, std::string(k.name)).empty())
        properties.push_back(
            entry(k.name, k.name == std::string_view("preset") ? preset_of(*e.model) : "true"));
    // Trained weights that are written onto devices, whatever these call theirs.
    if (unit_of(e.model->variables, "weight").empty() && plain_stimulus(*e.model) < e.model->stimulus_count)
      properties.push_back(entry("weight", ref("value")));
    cases.push_back(where_model(*e.model, closed(properties)));
  }
  return any_of({object({entry("allOf", array({map_of(synapse_keys(), true),
                                               object({entry("allOf", array(cases))})}))}),
                 ref("reference")});
}

std::vector<std::string> model_names(const Catalogue& c, bool synapses) {
  std::vector<std::string> n;
  for (const auto& e : c.all())
    if ((e.model->kind == Kind::synapse) == synapses) n.emplace_back(e.model->name);
  return n;
}

std::vector<std::string> bare_rules() {
  std::vector<std::string> n;
  for (const auto* rule : connection_rules())
    if (rule->format.schema.empty()) n.emplace_back(rule->format.name);
  return n;
}
/// A map of one key.
std::string one_key(std::string_view key, const std::string& value) {
  return object({entry("type", text("object")), entry("properties", object({entry(key, value)})),
                 entry("required", array({text(key)})), entry("additionalProperties", "false")});
}
/// One of several names, with its arguments.
std::string named_choice(std::span<const Named> types) {
  std::vector<std::string> choices;
  for (const auto& t : types) choices.push_back(one_key(t.name, map_of(t.keys)));
  return any_of(choices);
}

/// The value of a stimulus: one number where that says it, or a map of all.
std::string stimulus(const Stimulus& s) {
  std::vector<std::string> properties;
  for (std::uint32_t i = 0; i < s.count; ++i)
    properties.push_back(
        entry(s.fields[i].name, described(s.fields[i].choices ? "name" : "going", s.fields[i].doc)));
  bool train = false;
  for (std::uint32_t i = 0; i < s.count; ++i) train = train || s.fields[i].flags & lasting;
  if (train)
    properties.push_back(entry("count", ref("integer"))),
        properties.push_back(entry("period", ref("quantity")));
  return any_of({ref("going"), closed(properties)});
}
std::string waveform() {
  std::vector<std::string> choices{ref("number")};
  for (const auto& f : waveform_forms()) choices.push_back(one_key(f.name, map_of(f.keys)));
  return any_of(choices);
}

std::string distribution() {
  std::vector<std::string> choices{one_key("constant", ref("number"))};
  for (const auto& d : distribution_keys()) choices.push_back(one_key(d.name, map_of(d.keys)));
  return any_of(choices);
}

/// Breaks into lines with an indentation that follows the brackets.
std::string indented(const std::string& json) {
  std::string out;
  int depth = 0;
  for (std::size_t at = 0; at < json.size();) {
    const std::size_t end = std::min(json.find('\n', at), json.size());
    const auto line = json.substr(at, end - at);
    if (line[0] == '}' || line[0] == ']') --depth;
    out += std::string(static_cast<std::size_t>(depth), ' ') + line + "\n";
    if (line.back() == '{' || line.back() == '[') ++depth;
    at = end + 1;
  }
  return out;
}

const std::string number = "{\"type\": [\"number\", \"string\"]}";
const std::string list = "{\"type\": \"array\"}";
const std::string map = "{\"type\": \"object\"}";
std::string any_text() { return object({entry("type", text("string"))}); }

/// What stands for a number, a word, or several.
std::vector<std::string> of_values() {
  return {
      entry("reference",
            "{\"type\": \"string\", \"pattern\": \"^\\\\$\", \"description\": \"a parameter, $name\"}"),
      entry("any", "true"),
      entry("text", any_text()),
      entry("name", any_text()),
      entry("number", number),
      entry("quantity", number),
      entry("integer", "{\"type\": [\"integer\", \"string\"]}"),
      entry("boolean", any_of({"{\"type\": \"boolean\"}", ref("reference")})),
      entry("version", "{\"const\": 1}"),
      entry("distribution", distribution()),
      entry("fan_in", one_key("fan_in", choice({"uniform", "normal"}))),
      entry("value", any_of({ref("number"), ref("distribution"), ref("fan_in"), list})),
  };
}
/// What layers and their training have.
std::vector<std::string> of_layers() {
  return {
      entry("shape", list),
      entry("rows_and_columns", one_or_list("integer")),
      entry("pool_kind", choice({"average", "sum", "max"})),
      entry("normalise", any_of({choice({"batch"}), one_key("batch", map_of(normalise_keys()))})),
      entry("curves", any_of({choice({"em_reference"}), map_of(curves_keys())})),
      entry("optimiser", any_of({choice({"adam", "sgd"}), named_choice(optimiser_keys())})),
      entry("rate_schedule", any_of({choice({"constant", "cosine"}), named_choice(rate_schedule_keys())})),
      entry("training", map_of(training_keys())),
      entry("program", map_of(program_keys())),
      entry("devices", map_of(devices_keys())),
  };
}
/// Populations and projections.
std::vector<std::string> of_populations(const Catalogue& c) {
  return {
      entry("values", or_reference(map)),
      entry("delay", any_of({ref("value"), map_of(delay_keys())})),
      entry("points", any_of({any_text(), list})),
      entry("positions", any_of({map_of(positions_keys()), ref("reference")})),
      entry("names", one_or_list("name")),
      entry("populations", one_or_list("name")),
      entry("parameters", map),
      entry("model", choice(model_names(c, false))),
      entry("synapse_model", choice(model_names(c, true))),
      entry("spikes", any_of({list, map, any_text()})),
      entry("population", population(c)),
      entry("population_map", named_map("population")),
      entry("rule", choice(bare_rules())),
      entry("edges", any_of({any_text(), list})),
      entry("connect", any_of({ref("rule"), map_of(connect_keys())})),
      entry("synapse", synapse(c)),
      entry("path", any_text()),
      entry("weights_from", map_of(weights_from_keys())),
      entry("switched",
            any_of({number, choice({"on", "off"}), map_of(ramp_keys()), map_of(waveform_keys())})),
      entry("scheme", choice({"half", "third", "none"})),
      entry("layout", any_of({choice({"crossbar"}), one_key("crossbar", map_of(crossbar_keys()))})),
      entry("projection", or_reference(map_of(projection_keys()))),
      entry("projection_map", named_map("projection")),
  };
}
/// What changes in time.
std::vector<std::string> of_schedule(const Catalogue& c) {
  return {
      entry("settings", named_map("values")),
      entry("going", any_of({number, map_of(ramp_keys()), map_of(waveform_keys())})),
      entry("form", waveform()),
      entry("waveform", one_or_list("form")),
      entry("repeat", map_of(repeat_keys())),
      entry("pairs", list),
      entry("schedule_entry", map_of(schedule_keys(c))),
      entry("schedule_list", object({entry("type", text("array")), entry("items", ref("schedule_entry"))})),
  };
}
/// What is recorded.
std::vector<std::string> of_record() {
  return {
      entry("ids", any_of({list, map, number})),
      entry("spike_recording", any_of({any_text(), map_of(spikes_keys())})),
      entry("spike_recordings", one_or_list("spike_recording")),
      entry("pattern", map_of(pattern_keys())),
      entry("pattern_list", object({entry("type", text("array")), entry("items", ref("pattern"))})),
      entry("bits", object({entry("type", text("array")), entry("items", ref("number"))})),
      entry("report", map_of(report_keys())),
      entry("report_list", one_or_list("report")),
      entry("quantities", one_or_list("quantity")),
      entry("numbers", one_or_list("number")),
      entry("integers", one_or_list("integer")),
      entry("weight", map_of(weight_keys())),
      entry("weight_list", one_or_list("weight")),
      entry("record", map_of(record_keys())),
  };
}

}  // namespace

std::string json_schema(const Catalogue& c) {
  std::vector<std::string> definitions;
  for (const auto& some : {of_values(), of_layers(), of_populations(c), of_schedule(c), of_record()})
    definitions.insert(definitions.end(), some.begin(), some.end());
  for (const auto* rule : connection_rules())
    if (!rule->format.types.empty())
      definitions.push_back(entry(rule->format.schema, named_choice(rule->format.types)));
  for (const auto* rule : connection_rules())
    if (!rule->format.keys.empty())
      definitions.push_back(entry(rule->format.schema, map_of(rule->format.keys)));
  for (const Stimulus* s : c.stimuli())
    if (s->count) definitions.push_back(entry(s->name, stimulus(*s)));
  const auto network = map_of(top_keys());
  return indented(object({entry("$schema", text("http://json-schema.org/draft-07/schema#")),
                          entry("title", text("A network of spinet")),
                          entry("definitions", object(definitions)), entry("allOf", array({network}))}));
}

}  // namespace spinet
