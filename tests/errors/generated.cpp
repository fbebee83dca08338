// For every field of every model, built in or made for tests: a wrong unit, no unit, a value out of range, a
// misspelt name.  Each must be refused at its place with a message that names the field and says what is
// right.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "errors/models.hpp"
#include "network/loader.hpp"

using namespace spinet;

namespace {

const Field& field(const Fields& f, std::uint32_t i) {
  return *reinterpret_cast<const Field*>(reinterpret_cast<const char*>(f.data) + std::size_t{i} * f.stride);
}

/// A network of one population of the model, or of a projection with the synapse model, that sets one key.
struct Probe {
  const Catalogue& catalogue;
  const Model& model;
  std::string section;  // params or initial
  std::string unit_of_port;

  std::string text(const std::string& key, const std::string& value, const std::string& word) const {
    std::string s = "spinet: 1\nduration: 1 s\n" +
                    (word.empty() ? "" : "parameters: {word: " + word + "}\n") + "populations:\n";
    const auto* neuron = model.kind == Kind::neuron ? reinterpret_cast<const NeuronTable*>(&model) : nullptr;
    if (model.kind != Kind::synapse)
      return s + fmt::format("  a: {{model: {}, size: 2, {}: {{{}: {}}}{}}}\n", model.name, section, key,
                             value, neuron && neuron->patterns ? ", patterns: [{in: [0], out: [1]}]" : "");
    return s + fmt::format(
                   "  a: {{model: {}, size: 2}}\nprojections:\n  p: {{from: a, to: a, connect: one_to_one, "
                   "synapse: {{model: {}, delay: 1 ms, port: {}, {}: {}}}}}\n",
                   reads() ? "sigmoid" : "cell", model.name, reads() ? "in" : "any", key, value);
  }
  /// A synapse model that reads variables of its target needs one that has them.
  bool reads() const {
    return model.kind == Kind::synapse && reinterpret_cast<const SynapseTable*>(&model)->read_count > 0 &&
           catalogue.find(Kind::neuron, "sigmoid");
  }
  /// `word`: value of a parameter of this name, if there is to be one.
  std::vector<Diagnostic> errors(const std::string& key, const std::string& value,
                                 const std::string& word = {}) const {
    try {
      load_text(text(key, value, word), "probe.yaml", catalogue);
    } catch (const InvalidNetwork& e) {
      auto all = e.diagnostics;  // but for what an environment lacks here, whatever its fields
      std::erase_if(all, [](const Diagnostic& d) { return d.reason.ends_with("the one with the devices"); });
      return all;
    }
    return {};
  }
};

bool mentions(const Diagnostic& d, const std::string& what) {
  return d.reason.find(what) != std::string::npos || d.help.find(what) != std::string::npos;
}

/// Decimal text that reads back exactly.
std::string with_unit(double x, const std::string& unit) {
  return unit == "1" ? fmt::format("{}", x) : fmt::format("{} {}", x, unit);
}

/// What no number, no stored number or no tick can hold: refused with the range that is allowed, or taken.
void check_extremes(const Probe& p, const Field& f, const std::string& unit) {
  const std::string name = f.name;
  const bool whole = f.flags & integer, ticks = f.flags & in_ticks, single = f.type == Type::f32;
  const auto refused = [&](const std::string& value, const std::string& what) {
    INFO(value);
    const auto e = p.errors(name, value);
    REQUIRE(e.size() == 1);
    CHECK(mentions(e[0], name));
    CHECK(mentions(e[0], what));
    CHECK(e[0].reason.find("must be ;") == std::string::npos);
  };
  const std::string suffix = unit == "1" ? "" : " " + unit;
  for (const char* bad : {"nan", ".inf", "-.inf", "1e999"})
    refused(bad + suffix, whole         ? "a whole number"
                          : unit == "1" ? "a plain number is expected"
                                        : " in " + unit + " is expected");
  for (const char* large : {"1e39", "-1e39"}) {
    const double x = std::strtod(large, nullptr);
    const bool inside = x >= f.low && x <= f.high && !whole && !single && !ticks;
    if (!inside) refused(large + suffix, "'" + name + "' must be ");
    else
      CHECK(p.errors(name, large + suffix).size() <= 1);  // the model's own check may refuse what is in range
  }
  if (ticks) {  // 2^63 ticks of 1 ns, and what is too short for one
    const double ms = 0x1p63 * 1e-6;
    refused(fmt::format("{} ms", ms),
            "from " + std::string(f.flags & low_open ? "1 ns" : "0 ms") + " to 1152921504.6068468 s");
    if (f.flags & low_open) refused("0.1 ns", "from 1 ns to ");
  }
  if (whole) {
    const double inner = std::isfinite(f.low) ? f.low : 0;
    refused(fmt::format("{}", inner + 0.5) + suffix, "a whole number");
    refused("123456789012345678901234567890" + suffix, "a whole number");
  }
  if (f.low <= 0 && f.high >= 0 && !(f.flags & (low_open | high_open))) {  // zero has no sign
    const auto e = p.errors(name, "-0" + suffix), plus = p.errors(name, "0" + suffix);
    CHECK(e.size() == plus.size());
  }
}

/// One of some words.
void check_choices(const Probe& p, const Field& f) {
  const std::string name = f.name, first(f.choices, std::strcspn(f.choices, " "));
  CHECK(p.errors(name, first).empty());
  for (const auto& bad : {first + "x", std::string("1"), std::string("{}")}) {
    const auto e = p.errors(name, bad);
    REQUIRE(e.size() == 1);
    CHECK(mentions(e[0], name));
  }
  CHECK(mentions(p.errors(name, first + "x")[0], "did you mean '" + first + "'"));
  // A parameter may hold the choice, so that --set and --vary reach it by name.
  CHECK(p.errors(name, "$word", first).empty());
  CHECK(mentions(p.errors(name, "$word", first + "x")[0], "did you mean '" + first + "'"));
  CHECK(mentions(p.errors(name, "$word", "1")[0], "'" + name + "' must be a text; '$word' is a number"));
  CHECK(mentions(p.errors(name, "$werd", first)[0], "unknown parameter 'werd'"));
  CHECK(mentions(p.errors(name, "=word", first)[0], name));
}

/// A unit of another kind, or none where there should be one.
void check_units(const Probe& p, const Field& f, const std::string& unit) {
  const std::string name = f.name, other = unit == "m" ? "s" : "m";
  auto e = p.errors(name, "1 " + other);
  REQUIRE(e.size() == 1);
  CHECK(mentions(e[0], name));
  CHECK(mentions(e[0], "length"));
  CHECK(mentions(e[0], unit == "1" ? "plain number" : unit));
  CHECK(e[0].line == (p.model.kind == Kind::synapse ? 6u : 4u));
  CHECK(e[0].source_line.substr(e[0].caret, 3) == "1 " + other);
  if (unit == "1") return;
  e = p.errors(name, "1.5");
  REQUIRE(e.size() == 1);
  CHECK(mentions(e[0], "unit"));
  CHECK(mentions(e[0], "1.5 " + unit));
  e = p.errors(name, "1.5 " + unit + "x");
  REQUIRE(e.size() == 1);
  CHECK(mentions(e[0], "unknown unit"));
}

/// Just outside the range.
void check_outside(const Probe& p, const Field& f, const std::string& unit) {
  std::vector<double> outside;
  if (std::isfinite(f.low))
    outside.push_back(f.flags & low_open ? f.low : f.low - std::max(1.0, std::fabs(f.low)));
  if (std::isfinite(f.high))
    outside.push_back(f.flags & high_open ? f.high : f.high + std::max(1.0, std::fabs(f.high)));
  for (const double x : outside) {
    const auto e = p.errors(f.name, with_unit(x, unit));
    REQUIRE(e.size() == 1);
    CHECK(mentions(e[0], "'" + std::string(f.name) + "' must be"));
  }
}

void check_field(const Probe& p, const Field& f) {
  const std::string name = f.name;
  const std::string unit = (f.flags & port_unit) ? (p.reads() ? "1" : p.unit_of_port) : f.unit;
  INFO(p.model.name << "." << name << " in " << unit);
  if (f.choices) return check_choices(p, f);

  // The preset itself is fine (or contradicts nothing but other presets); `auto` is a word for derived ones
  // only.
  const std::string preset = f.flags & derived ? "auto" : with_unit(f.preset, unit);
  for (const auto& d : p.errors(name, preset)) FAIL("preset refused: " << d.reason);
  CHECK(p.errors(name, "auto").empty() == ((f.flags & derived) != 0));
  CHECK(p.errors(name, "$word", "auto").empty() == ((f.flags & derived) != 0));

  check_units(p, f, unit);
  check_outside(p, f, unit);
  check_extremes(p, f, unit);

  // Not a number at all.
  for (const char* bad : {"nan", ".inf", "much", "1e999", "{}", "=1/0", "$nothing", "true", "1 2", "\"\""}) {
    INFO(bad);
    CHECK_FALSE(p.errors(name, bad).empty());
  }

  // A letter too many: the name meant is proposed.
  const auto e = p.errors(name + "x", preset);
  REQUIRE(e.size() == 1);
  CHECK(mentions(e[0], "'" + name + "x'"));
  if (name.size() > 1) CHECK(mentions(e[0], "did you mean '"));
  CHECK(e[0].source_line.substr(e[0].caret, name.size() + 1) == name + "x");
}

void check_model(const Catalogue& c, const Model& m, int& count) {
  const Probe params{c, m, "params", "pA"}, initials{c, m, "initial", "pA"};
  for (std::uint32_t i = 0; i < m.params.count; ++i, ++count) check_field(params, field(m.params, i));
  for (std::uint32_t i = 0; i < m.variables.count; ++i)
    if (field(m.variables, i).flags & initial) {
      check_field(initials, field(m.variables, i));
      ++count;
    }
}

}  // namespace

TEST_CASE("errors of every field of the test models") {
  const auto c = test::test_models();
  int count = 0;
  for (const auto& e : c.all()) check_model(c, *e.model, count);
  CHECK(count > 20);
}

TEST_CASE("errors of every field of the built-in models") {
  Catalogue c;
  add_builtin(c);
  const auto all = c.all();
  c.add(&neuron_table<test::Cell>().model, "test");  // for synapses to connect
  int count = 0;
  for (const auto& e : all) check_model(c, *e.model, count);
  CHECK(count > 0);
}

namespace {

/// A key of kind time or whole number that is no model's field; `@` stands for its value.
struct Spot {
  const char *key, *text;
  bool time;
};
constexpr Spot places[] = {
    {"seed", "seed: @", false},
    {"block", "block: @", false},
    {"duration", "duration: @", true},
    {"delay_resolution", "delay_resolution: @", true},
    {"size", "populations: {a: {model: cell, size: @}}\nprojections:", false},
    {"spike time", "populations: {a: {model: listed, size: 1, spikes: [@]}}\nprojections:", true},
    {"fixed_indegree",
     "projections: {p: {from: a, to: a, connect: {fixed_indegree: @}, synapse: {model: plain, delay: 1 ms}}}",
     false},
    {"fixed_outdegree",
     "projections: {p: {from: a, to: a, connect: {fixed_outdegree: @}, synapse: {model: plain, delay: 1 "
     "ms}}}",
     false},
    {"fixed_total_number",
     "projections: {p: {from: a, to: a, connect: {fixed_total_number: @}, synapse: {model: plain, delay: 1 "
     "ms}}}",
     false},
    {"delay", "projections: {p: {from: a, to: a, connect: all_to_all, synapse: {model: plain, delay: @}}}",
     true},
    {"delay",
     "projections: {p: {from: a, to: a, connect: {list: [[0, 1, 1 pA, @]]}, synapse: {model: plain}}}", true},
    {"source",
     "projections: {p: {from: a, to: a, connect: {list: [[@, 1, 1 pA]]}, synapse: {model: plain, delay: 1 "
     "ms}}}",
     false},
    {"target",
     "projections: {p: {from: a, to: a, connect: {list: [[1, @, 1 pA]]}, synapse: {model: plain, delay: 1 "
     "ms}}}",
     false},
    {"at", "schedule: [{at: @, set: {a: {I_dc: 1 pA}}}]", true},
    {"every", "schedule: [{at: 1 ms, field: 1 Oe, repeat: {every: @}}]", true},
    {"count", "schedule: [{at: 1 ms, field: 1 Oe, repeat: {every: 1 ms, count: @}}]", false},
    {"period", "schedule: [{at: 1 ms, pulse: {amplitude: 1 V, width: 1 ms, count: 2, period: @}, to: p}]",
     true},
    {"count", "schedule: [{at: 1 ms, pulse: {amplitude: 1 V, width: 1 ms, count: @, period: 2 ms}, to: p}]",
     false},
    {"source", "schedule: [{at: 1 ms, read: p, synapses: [[@, 0]]}]", false},
    {"target", "schedule: [{at: 1 ms, read: p, synapses: [[0, @]]}]", false},
    {"every", "record: {reports: [{population: a, variable: V, every: @}]}", true},
    {"from", "record: {spikes: [{population: a, from: @}]}", true},
    {"to", "record: {spikes: [{population: a, to: @}]}", true},
    {"every", "record: {spikes: [{population: a, every: @}]}", false},
    {"every", "record: {spikes: [{population: a, ids: {every: @}}]}", false},
    {"from", "record: {spikes: [{population: a, ids: {every: 1, from: @}}]}", false},
    {"ids", "record: {spikes: [{population: a, ids: [@]}]}", false},
    {"every", "record: {weights: [{projection: p, every: @}]}", true},
    {"at", "record: {weights: [{projection: p, at: @}]}", true},
};

/// The network of a place: what it does not say itself is added.
std::string network_of(const Spot& place, const std::string& value) {
  std::string text = place.text;
  text.replace(text.find('@'), 1, value);
  if (text.find("duration:") == std::string::npos) text += "\nduration: 1000 s";
  if (text.find("populations:") == std::string::npos) text += "\npopulations: {a: {model: cell, size: 4}}";
  if (text.find("projections:") == std::string::npos)
    text +=
        "\nprojections: {p: {from: a, to: a, connect: all_to_all, synapse: {model: valve, delay: 1 ms, port: "
        "exc}}}";
  return "spinet: 1\n" + text + "\n";
}

}  // namespace

TEST_CASE("times and whole numbers of every section, too large or none") {
  const auto c = test::test_models();
  const auto check = [&](const Spot& place, const std::string& value) {
    const auto text = network_of(place, value);
    INFO(text);
    std::vector<Diagnostic> e;
    try {
      load_text(text, "probe.yaml", c);
    } catch (const InvalidNetwork& x) {
      e = x.diagnostics;
    }
    REQUIRE(e.size() == 1);
    CHECK(mentions(e[0], place.key));
    CHECK(e[0].reason.find("must be ;") == std::string::npos);
    CHECK(e[0].reason.size() + e[0].help.size() > std::string(place.key).size() + 10);
  };
  for (const auto& place : places) {
    for (const char* number :
         {"nan", ".inf", "-.inf", "1e999", "1e39", "-1e39", "9223372036854775808e3", "-1"})
      check(place, std::string(number) + (place.time ? " s" : ""));
    for (const char* other : {"much", "{}", "1 pA"}) check(place, other);
    if (!place.time) check(place, "1.5"), check(place, "123456789012345678901234567890");
    if (place.time) check(place, "1");
  }
}
