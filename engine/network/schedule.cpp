#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

#include "connect/rule.hpp"
#include "network/parts.hpp"
#include "network/structs.hpp"
#include "network/suggest.hpp"

namespace spinet::reading {
namespace {

constexpr Key keys[] = {
    {"at", true, "quantity", "when it happens"},
    {"set", false, "settings", "new values of parameters, by population or projection"},
    {"field", false, "field", "a magnetic field: a value, or {state: parallel}"},
    {"reward", false, "ramped", "a reward for synapses and neurons that learn from it"},
    {"pulse", false, "pulse", "voltage pulses for the devices of a projection"},
    {"read", false, "populations", "projections whose devices are read, and the readings logged"},
    {"weights", false, "switched", "off, on or a factor: what the synapses of projections transmit from now on"},
    {"to", false, "populations", "populations and projections that a field or reward reaches, all if not given; projections that a pulse or 'weights' reaches"},
    {"synapses", false, "pairs", "the synapses that a pulse or read reaches, as [source, target]; all of the projection if not given"},
    {"repeat", false, "repeat", "how often, and how far apart"},
};
constexpr Key field_keys[] = {
    {"value", false, "quantity", "flux density in T or G, or field in Oe (1 Oe counts as 1 G)"},
    {"state", false, "name", "parallel or antiparallel"},
    {"from", false, "quantity", "value of the first of repeated fields"},
    {"to", false, "quantity", "value of the last of them"},
};
constexpr Key pulse_entry_keys[] = {
    {"amplitude", true, "ramped", "voltage"},
    {"width", true, "quantity", "duration of a pulse"},
    {"count", false, "integer", "number of pulses, 1 if not given"},
    {"period", false, "quantity", "from the begin of a pulse to the begin of the next"},
};
constexpr Key repeat_entry_keys[] = {
    {"every", true, "quantity", "time from one to the next"},
    {"count", false, "integer", "number of times in all; until the end of the run if not given"},
};
constexpr Key ramp_entry_keys[] = {
    {"from", true, "quantity", "the first value"},
    {"to", true, "quantity", "the last value, reached in equal steps"},
};
constexpr std::size_t most_controls = 1'000'000, most_events = 10'000'000;

/// One number, or numbers in equal steps over the events of an entry.
struct Ramp {
  double from = 0, to = 0;
  const Node* node = nullptr;  ///< where it was given, if it is a ramp
  double at(std::uint64_t i, std::uint64_t count) const {
    return !node || i == 0 ? from : i + 1 == count ? to : from + (to - from) * static_cast<double>(i) / static_cast<double>(count - 1);
  }
};
struct Times {
  std::uint64_t count = 1;
  Tick every = 0;
  bool endless = false;  ///< `count` is but a bound
};

class Schedule {
 public:
  Schedule(Loading& l) : l_(l), r_(l.read) {}

  void all(const Node& list) {
    for (const auto& n : list.items) {
      ++entry_;
      item(n);
    }
    settle();
    sort();
    check_combinations();
  }

 private:
  void item(const Node& n) {
    bool good = r_.map(n, keys, "a schedule entry", n.mark);
    if (!n.is_map()) return;
    static constexpr std::string_view all_actions[] = {"set", "field", "reward", "pulse", "read", "weights"};
    std::vector<const Node::Key*> actions;
    for (const auto& k : n.keys)
      if (std::count(std::begin(all_actions), std::end(all_actions), k.taken ? k.meant : k.name)) actions.push_back(&k);
    if (actions.size() != 1 && !(actions.empty() && n.incomplete)) {
      r_.errors.error(actions.empty() ? n.mark : actions[1]->mark,
                      actions.empty() ? "a schedule entry needs an action" : "a schedule entry has one action",
                      "actions: set, field, reward, pulse, read, weights; several at one time are several entries");
      good = false;
    }
    ScheduledControl c;
    if (const Node* at = n.find("at")) {
      const auto tick = r_.time(*at, "at");
      good = good && tick;
      c.tick = tick.value_or(0);
    }
    Times repeat;
    if (const Node* r = n.find("repeat"); r && !times(r_.resolved(*r), repeat)) good = false;
    for (const auto* k : actions) act(c, n, *k, repeat, good && actions.size() == 1);
  }

  /// Reads the action of an entry; its events are kept if all of the entry is good.
  void act(ScheduledControl c, const Node& n, const Node::Key& key, const Times& repeat, bool good) {
    const std::string& action = key.taken ? key.meant : key.name;
    const Node* to = n.find("to");
    if (const Node* some = n.find("synapses"); some && action != "pulse" && action != "read") {
      r_.errors.error(some->mark, fmt::format("single synapses can be given pulses; {} whole projections", action == "weights" ? "'weights' switches" : fmt::format("a {} reaches", action)));
      good = false;
    }
    keep_ = good;
    if (action == "set") {
      if (to) r_.errors.error(to->mark, "'set' names its populations itself; 'to' is for fields, rewards and pulses");
      return set(c, *n.find("set"), repeat);
    }
    if (action == "pulse") return pulse(std::move(c), n, to, repeat);
    if (action == "read") return reading(std::move(c), n, to, repeat);
    if (to && !address(c, *to)) keep_ = false;
    Ramp value;
    if (action == "weights") return switching(std::move(c), n, to, repeat);
    if (action == "reward") {
      c.control.kind = Control::Kind::reward;
      if (!ramped(*n.find("reward"), {"reward"}, value)) keep_ = false;
    } else {
      c.control.kind = Control::Kind::field;
      if (!field_of(c, r_.resolved(*n.find("field")), value)) keep_ = false;
    }
    if (answered(c, to, key.mark, c.control.kind)) push_all(std::move(c), n.mark, value, {}, repeat);
  }

  bool times(const Node& n, Times& t) {
    r_.map(n, repeat_entry_keys, "'repeat'", n.mark);
    const Node* interval = n.find("every");
    const auto every = interval ? r_.time(*interval, "every", 1) : std::nullopt;
    const Node* given = n.find("count");
    const auto count = given ? r_.integer(*given, "count", 1, 0xFFFFFFFFu) : std::optional<std::uint64_t>(0xFFFFFFFFu);
    if (every && count) t = {*count, *every, !given};
    return every && count;
  }

  bool ramped(const Node& given, const Wanted& w, Ramp& value) {
    const Node& n = r_.resolved(given);
    if (n.is_map() && (n.find("from") || n.find("to"))) {
      r_.map(n, ramp_entry_keys, "a ramp", n.mark);
      const Node *first = n.find("from"), *last = n.find("to");
      const auto from = first ? r_.number(*first, w) : std::nullopt, to = last ? r_.number(*last, w) : std::nullopt;
      if (from && to) value = {*from, *to, &n};
      return from && to;
    }
    const auto x = r_.number(given, w);
    value.from = x.value_or(0);
    return x.has_value();
  }

  bool field_of(ScheduledControl& c, const Node& n, Ramp& strength) {
    const Wanted tesla{"field", "T"};
    if (!n.is_map()) return ramped(n, tesla, strength);
    const bool complete = r_.map(n, field_keys, "'field'", n.mark);
    const Node *value = n.find("value"), *state = n.find("state");
    const bool ramp = n.find("from") || n.find("to");
    if (!complete) return false;
    if (!value && !state && !ramp) {
      r_.errors.error(n.mark, "'field' needs a 'value' or a 'state'", "for example field: 90 Oe, or field: {state: antiparallel}");
      return false;
    }
    if (ramp && (value || state)) {
      r_.errors.error(n.mark, "a field that goes from one value to another has no other 'value' or 'state'");
      return false;
    }
    bool good = !ramp || ramped(n, tesla, strength);
    if (value && !ramped(*value, tesla, strength)) good = false;
    if (state) {
      const auto s = r_.text(*state, "state");
      if (!s) return false;
      if (*s != "parallel" && *s != "antiparallel") {
        r_.errors.error(state->mark, fmt::format("unknown magnetic state {}", in_quotes(*s)), suggest(*s, {"parallel", "antiparallel"}, "states"));
        return false;
      }
      c.control.value[1] = *s == "parallel" ? 1 : -1;
    }
    return good;
  }

  // --- who answers ---

  static bool responds(const SynapseTable& t, Control::Kind kind) {
    return t.on_control && (t.model.controls ? t.model.controls & answers(kind) : kind != Control::Kind::read);
  }
  static bool responds(const NeuronTable& t, Control::Kind kind) { return t.on_control && (!t.model.controls || t.model.controls & answers(kind)); }
  static const char* physics(Control::Kind kind) { return kind == Control::Kind::field ? "respond to a magnetic field" : "learn from a reward"; }

  /// A field or reward that is addressed must be answered by all it is addressed to; a global one by anything.
  bool answered(const ScheduledControl& c, const Node* to, Mark where, Control::Kind kind) {
    std::vector<std::string> able;
    for (const auto& p : l_.net.projections)
      if (p.synapse && responds(*p.synapse, kind)) able.push_back(p.name);
    for (const auto& p : l_.net.populations)
      if (p.model && p.neuron() && responds(*p.neuron(), kind)) able.push_back(p.name);
    const bool unknown = std::any_of(l_.net.projections.begin(), l_.net.projections.end(), [](const auto& p) { return !p.synapse; }) ||
                         std::any_of(l_.net.populations.begin(), l_.net.populations.end(), [](const auto& p) { return !p.model; });
    const std::string help = able.empty() ? fmt::format("nothing in this network would {}", physics(kind)) : "those that do: " + joined(able);
    if (!to) {
      if (able.empty() && !unknown)
        r_.errors.error(where, fmt::format("no synapse and no neuron of this network would {}", physics(kind)),
                        kind == Control::Kind::field ? "synapses that do: spin_valve, for example" : "synapses that do: rstdp and reward_rule, for example");
      return !able.empty();
    }
    bool good = true;
    for (const auto p : c.projections) {
      const auto* t = l_.net.projections[p].synapse;
      if (!t || responds(*t, kind)) continue;
      r_.errors.error(to->mark, fmt::format("the synapses of {} are of model {}, which does not {}", in_quotes(l_.net.projections[p].name), t->model.name, physics(kind)), help);
      good = false;
    }
    for (const auto& r : c.who) {
      const Population& p = l_.net.populations[index_of(r.first)];
      if (!p.model || (p.neuron() && responds(*p.neuron(), kind))) continue;
      r_.errors.error(to->mark, fmt::format("the neurons of {} are of model {}, which does not {}", in_quotes(p.name), p.model->name, physics(kind)), help);
      good = false;
    }
    return good;
  }

  // --- weights off and on ---

  void switching(ScheduledControl c, const Node& n, const Node* to, const Times& repeat) {
    c.control.kind = Control::Kind::transmission;
    std::vector<std::string> known;
    for (const auto& p : l_.net.projections) known.push_back(p.name);
    if (!to || !c.who.empty()) {
      r_.errors.error(to ? to->mark : n.mark, to ? "'weights' are those of projections; 'to' names neurons" : "'weights' needs 'to': the projections whose weights they are",
                      known.empty() ? "the network has no projections" : "projections: " + joined(known));
      return;
    }
    const Node& value = r_.resolved(*n.find("weights"));
    Ramp factor;
    if (value.is_scalar() && (value.text == "off" || value.text == "on")) factor.from = value.text == "on";
    else if (value.is_scalar() && !value.text.empty() &&
             std::isalpha(static_cast<unsigned char>(value.text[0])))
      return r_.errors.error(value.mark, fmt::format("'weights' cannot be {}", in_quotes(value.text)),
                             suggest_one(nearest(value.text, {"off", "on"}),
                                         {"off", "on", "or a factor of 0 or more"}, "values"));
    else if (!ramped(value, {"weights", "1", 0}, factor)) return;
    push_all(std::move(c), n.mark, factor, {}, repeat);
  }

  // --- reads ---

  /// Devices are read by a control event, and a recording of their variable `reading` logs what was read.
  void reading(ScheduledControl c, const Node& n, const Node* to, const Times& repeat) {
    c.control.kind = Control::Kind::read;
    const Node& names = *n.find("read");
    if (to) {
      r_.errors.error(to->mark, "'read' names its projections itself; 'to' is for fields, rewards and pulses");
      return;
    }
    if (!address(c, names)) keep_ = false;
    std::vector<std::string> devices;
    for (const auto& p : l_.net.projections)
      if (p.synapse && responds(*p.synapse, Control::Kind::read)) devices.push_back(p.name);
    const std::string help = devices.empty() ? "no projection has devices to read" : "projections of devices: " + joined(devices);
    bool good = c.who.empty();
    if (!good) r_.errors.error(names.mark, "devices are read by projection; this names a population of neurons", help);
    for (const auto p : c.projections) {
      const auto* t = l_.net.projections[p].synapse;
      if (!t) keep_ = false;
      if (!t || responds(*t, Control::Kind::read)) continue;
      r_.errors.error(names.mark, fmt::format("the synapses of {} are of model {}, which is no device with a read-out", in_quotes(l_.net.projections[p].name), t->model.name),
                      help + "; `record: weights` samples any variable");
      good = false;
    }
    if (const Node* some = n.find("synapses"); some && good && !c.projections.empty()) good = addresses(c, r_.resolved(*some));
    if (!good || !keep_) return;
    const std::size_t first = l_.net.schedule.size();
    push_all(c, n.mark, {}, {}, repeat);
    for (const auto p : c.projections) {
      const Fields& variables = l_.net.projections[p].synapse->model.variables;
      std::uint32_t v = 0;
      while (v < variables.count && field(variables, v).name != std::string_view("reading")) ++v;
      if (v == variables.count) v = 0;
      auto& all = l_.net.weight_events;
      WeightEventRecording r{};
      r.projection = p, r.variable = v, r.synapses = c.synapses;
      const auto by_target = [](const SynapseAddress& a, const SynapseAddress& b) { return a.target != b.target ? a.target < b.target : a.source < b.source; };
      std::sort(r.synapses.begin(), r.synapses.end(), by_target);
      auto at = std::find_if(all.begin(), all.end(), [&](const auto& x) { return x.projection == p && x.variable == v; });
      if (at == all.end()) {
        all.push_back(std::move(r));
        at = all.end() - 1;
      } else if (at->synapses != r.synapses) {
        r_.errors.error(n.mark, fmt::format("another entry reads other synapses of {}", in_quotes(l_.net.projections[p].name)), "all reads of a projection name the same synapses: its read-outs are logged together");
        continue;
      }
      at->reads = true;
      for (std::size_t i = first; i < l_.net.schedule.size(); ++i)
        for (std::uint32_t k = 0; k < l_.net.schedule[i].count; ++k) at->at.push_back(l_.net.schedule[i].tick + k * l_.net.schedule[i].every);
      std::sort(at->at.begin(), at->at.end());
      at->at.erase(std::unique(at->at.begin(), at->at.end()), at->at.end());
    }
  }

  // --- pulses ---

  void pulse(ScheduledControl c, const Node& n, const Node* to, const Times& repeat) {
    c.control.kind = Control::Kind::pulse;
    const Node& p = r_.resolved(*n.find("pulse"));
    Ramp amplitude;
    Times train;
    bool good = r_.map(p, pulse_entry_keys, "'pulse'", p.mark);
    if (p.is_map()) {
      const Node *voltage = p.find("amplitude"), *width = p.find("width");
      if (voltage && !ramped(*voltage, {"amplitude", "V"}, amplitude)) good = false;
      const auto seconds = width ? r_.number(*width, {"width", "s", 0, std::numeric_limits<double>::infinity(), low_open}) : std::nullopt;
      c.control.value[1] = seconds.value_or(0);
      good = train_of(p, c.control.value[1], train) && good && seconds;
    }
    if (good && keep_ && repeat.count > 1) {
      const double length = seconds(train.every) * static_cast<double>(train.count - 1) + c.control.value[1], every = seconds(repeat.every);
      if (length > every * (1 + 1e-9)) {
        r_.errors.error(n.find("repeat")->mark, fmt::format("pulses that last {} in all cannot be repeated every {}: they would overlap", with_unit(1e3 * length, "ms"), with_unit(1e3 * every, "ms")));
        good = false;
      }
    }
    good = wires(c, n.mark, to) && good;
    if (const Node* some = n.find("synapses"); some && to && !c.projections.empty()) good = addresses(c, r_.resolved(*some)) && good;
    if (good) push_all(std::move(c), n.mark, amplitude, train, repeat);
  }

  bool train_of(const Node& p, double width, Times& train) {
    const Node *count = p.find("count"), *period = p.find("period");
    if (count) {
      const auto x = r_.integer(*count, "count", 1, 0xFFFFFFFFu);
      if (!x && period) r_.time(*period, "period", 1);
      if (!x) return false;
      train.count = *x;
    }
    if (train.count > 1 && !period) {
      r_.errors.error(count->mark, fmt::format("a train of {} pulses needs a 'period'", train.count), "from the begin of a pulse to the begin of the next, for example period: 10 ms");
      return false;
    }
    if (!period) return true;
    const auto every = r_.time(*period, "period", 1);
    if (!every) return false;
    train.every = *every;
    if (train.count > 1 && width > seconds(*every) * (1 + 1e-9)) {
      r_.errors.error(period->mark, fmt::format("pulses of {} with a period of {} overlap", with_unit(1e3 * width, "ms"), with_unit(1e3 * seconds(*every), "ms")), "a period must not be shorter than the pulse");
      return false;
    }
    return true;
  }

  /// The projections that carry a pulse; all must have synapses that respond to voltage.
  bool wires(ScheduledControl& c, Mark where, const Node* to) {
    std::vector<std::string> devices;
    for (const auto& p : l_.net.projections)
      if (p.synapse && responds(*p.synapse, Control::Kind::pulse)) devices.push_back(p.name);
    const std::string help = devices.empty() ? "no projection has synapses that respond to voltage" : "projections of devices: " + joined(devices);
    if (!to) {
      r_.errors.error(where, "a voltage pulse needs 'to': the projections whose devices are wired to it", help);
      return false;
    }
    if (!address(c, *to)) return false;
    std::vector<const Node*> names;
    if (to->is_list())
      for (const auto& i : to->items) names.push_back(&i);
    else
      names.push_back(to);
    bool good = true;
    for (const Node* name : names) {
      const std::string text = r_.text(*name, "to").value_or("");
      const auto at = l_.projections.index.find(text);
      if (at == l_.projections.index.end()) {
        r_.errors.error(name->mark, fmt::format("{} is a population of neurons; a voltage pulse drives the devices of a projection", in_quotes(text)), help);
        good = false;
      } else if (const auto* t = l_.net.projections[at->second].synapse; t && !responds(*t, Control::Kind::pulse)) {
        r_.errors.error(name->mark, fmt::format("the synapses of {} are of model {}, which does not respond to voltage pulses", in_quotes(text), t->model.name), help);
        good = false;
      }
    }
    return good;
  }

  bool addresses(ScheduledControl& c, const Node& list) {
    if (c.projections.size() == 1) return synapse_list(l_, c.projections[0], list, c.synapses);
    r_.errors.error(list.mark, "'synapses' are those of one projection; 'to' names several");
    return false;
  }
  double seconds(Tick ticks) const { return static_cast<double>(ticks) * l_.net.seconds_per_tick; }

  bool address(ScheduledControl& c, const Node& to) {
    std::vector<const Node*> items;
    if (to.is_list())
      for (const auto& i : to.items) items.push_back(&i);
    else
      items.push_back(&to);
    bool good = !items.empty();
    if (!good) r_.errors.error(to.mark, "'to' is an empty list");
    for (const Node* i : items) {
      const auto name = r_.text(*i, "to");
      good = name && address(c, *name, i->mark) && good;
    }
    return good;
  }
  bool address(ScheduledControl& c, const std::string& name, Mark where) {
    if (const auto p = l_.projections.index.find(name); p != l_.projections.index.end()) {
      c.projections.push_back(p->second);
      return true;
    }
    if (!l_.populations.index.count(name.substr(0, name.find('[')))) {
      if (!l_.populations.complete || !l_.projections.complete) return false;
      std::vector<std::string> known;
      for (const auto& p : l_.net.populations) known.push_back(p.name);
      for (const auto& p : l_.net.projections) known.push_back(p.name);
      r_.errors.error(where, fmt::format("unknown population or projection {}", in_quotes(name)), suggest(name, known, "names"));
      keep_ = false;
      const auto best = meant_surely(name, known);  // a misspelt one is taken for the one meant
      return !best.empty() && address(c, best, where);
    }
    const auto s = select(l_, name, where);
    if (s) c.who.push_back(s->range);
    return s.has_value();
  }

  void set(const ScheduledControl& at, const Node& n, const Times& repeat) {
    if (!n.is_map() || n.keys.empty()) {
      r_.errors.error(n.mark, "'set' must be a map of populations, not " + (n.is_map() ? "an empty one" : kind_name(n)), "for example set: {exc: {I_dc: 300 pA}}");
      return;
    }
    for (std::size_t i = 0; i < n.keys.size(); ++i) {
      ScheduledControl c = at;
      c.control.kind = Control::Kind::set_parameter;
      if (!address(c, n.keys[i].name, n.keys[i].mark)) continue;
      const Projection* p = c.projections.empty() ? nullptr : &l_.net.projections[c.projections[0]];
      const Model* m = !p ? population(c).model : p->synapse ? &p->synapse->model : nullptr;
      if (!m) continue;  // an error of its own
      values(c, n.items[i], *m, p ? unit_of_port(*p, l_.projections.flawed[c.projections[0]]) : std::string(), repeat);
    }
  }

  /// Unit of a projection's weights; `any_unit` where an error leaves it open.
  std::string unit_of_port(const Projection& p, bool flawed) const {
    if (p.targets.empty()) return std::string(any_unit);
    const Population& target = l_.net.populations[index_of(p.targets[0].first)];
    if (!target.model || !target.neuron()) return std::string(any_unit);
    const NeuronTable& m = *target.neuron();
    const auto same = [&](std::uint32_t i) { return std::string_view(m.ports[i].unit) == m.ports[0].unit; };
    bool one = m.port_count > 0;
    for (std::uint32_t i = 0; i < m.port_count; ++i) one = one && same(i);
    if (flawed && !one) return std::string(any_unit);  // the port may not have been chosen
    return p.port < m.port_count ? m.ports[p.port].unit : std::string(any_unit);
  }
  static Wanted wanted_here(const Field& f, const std::string& port) {
    if (port == any_unit && (f.flags & Flag::port_unit)) return {f.name, std::string(any_unit)};
    return wanted(f, port);
  }

  std::uint32_t index_of(Gid g) const {
    const auto& all = l_.net.populations;
    return static_cast<std::uint32_t>(std::upper_bound(all.begin(), all.end(), g, [](Gid x, const Population& p) { return x < p.first; }) - all.begin() - 1);
  }
  const Population& population(const ScheduledControl& c) const { return l_.net.populations[index_of(c.who[0].first)]; }

  void values(ScheduledControl c, const Node& n, const Model& m, const std::string& port, const Times& repeat) {
    const auto allowed = names(m.params, Flag::scheduled);
    if (!n.is_map()) {
      r_.errors.error(n.mark, "expected a map of parameters, not " + kind_name(n), "parameters: " + joined(allowed));
      return;
    }
    for (std::size_t i = 0; i < n.keys.size(); ++i) {
      const auto& key = n.keys[i];
      const auto index_of_field = [&](const std::string& name) {
        std::uint32_t f = 0;
        while (f < m.params.count && field(m.params, f).name != name) ++f;
        return f;
      };
      std::uint32_t f = index_of_field(key.name);
      if (f == m.params.count) {
        const std::string none = fmt::format("{} has none that can change during a run", m.name);
        r_.unknown_key(n, key,
                       {allowed, allowed.empty() ? none : "parameters that can change during a run",
                        [&](const std::string& name) { return unit_of(m.params, name); }},
                       fmt::format("unknown parameter {} of model {}", in_quotes(key.name), m.name));
        keep_ = false;
        if (!key.taken) continue;
        f = index_of_field(key.meant);
      }
      if (!(field(m.params, f).flags & Flag::scheduled)) {
        r_.errors.error(key.mark, fmt::format("parameter {} of model {} cannot change during a run", in_quotes(key.name), m.name),
                        allowed.empty() ? fmt::format("{} has none that can", m.name) : "those that can: " + joined(allowed));
        continue;
      }
      Ramp x;
      c.control.field = f;
      c.drawn.reset();
      const Node& value = r_.resolved(n.items[i]);
      if (value.is_map() && !value.find("from") && !value.find("to")) {
        if (m.kind != Kind::neuron) {
          r_.errors.error(value.mark, fmt::format("'{}' takes one number here: values are drawn for neurons, and model {} is none", key.name, m.name));
          continue;
        }
        c.drawn = r_.distribution(value, wanted_here(field(m.params, f), port), 0);
        if (!c.drawn) continue;
      } else if (!ramped(n.items[i], wanted_here(field(m.params, f), port), x)) {
        continue;
      }
      if (keep_ && repeat.count > 1 && !x.node && !c.drawn) {
        c.control.value[0] = x.from;
        repeated_.push_back({c, key.mark, repeat, entry_});
      } else {
        push_all(c, key.mark, x, {}, repeat);
      }
    }
  }

  /// A value that is set again and again is one setting if nothing else sets it in between.
  void settle() {
    using Value = std::tuple<bool, std::uint32_t, std::uint32_t>;  // projection or population, number, field
    std::map<Value, std::size_t> setters;
    const auto value_of = [&](const ScheduledControl& c) {
      return c.projections.empty() ? Value{false, index_of(c.who[0].first), c.control.field}
                                   : Value{true, c.projections[0], c.control.field};
    };
    for (const auto& c : l_.net.schedule)
      if (c.control.kind == Control::Kind::set_parameter) ++setters[value_of(c)];
    for (const auto& r : repeated_) ++setters[value_of(r.control)];
    for (const auto& r : repeated_) {
      entry_ = r.entry;
      keep_ = true;
      Ramp value;
      value.from = r.control.control.value[0];
      push_all(r.control, r.where, value, {}, setters[value_of(r.control)] > 1 ? r.repeat : Times{});
    }
  }

  /// An entry's events.  A ramp goes over the pulses of a train, or else over the repeats.
  void push_all(ScheduledControl c, Mark where, const Ramp& value, Times train, Times repeat) {
    if (!keep_) return;
    const bool several = train.count > 1 || repeat.count > 1;
    if (value.node && !several) {
      r_.errors.error(value.node->mark, "a value that goes from one to another needs several events", "for example repeat: {every: 10 ms, count: 50}, or a pulse with a count");
      return;
    }
    if (value.node && repeat.endless && train.count == 1) {
      r_.errors.error(value.node->mark, "a value that goes from one to another needs a 'count' of the repeats");
      return;
    }
    if (train.count == 1) std::swap(train, repeat);
    // What is the same each time stays one control.  Parameters are set one by one: what is checked goes by their values.
    const bool each = value.node || (c.control.kind == Control::Kind::set_parameter && !c.drawn);
    const Times outer = each || repeat.count > 1 ? (each ? train : repeat) : Times{}, inner = each ? repeat : train;
    const Tick first = c.tick;
    for (std::uint64_t i = 0; i < outer.count && (i == 0 || first + static_cast<Tick>(i) * outer.every < l_.net.duration); ++i) {
      c.tick = first + static_cast<Tick>(i) * outer.every;
      c.control.value[0] = value.at(i, outer.count);
      c.every = inner.every;
      c.count = before_end(c.tick, inner);
      if (!push(c, where)) return;
      if (outer.every > 0 && l_.net.duration - c.tick <= outer.every) return;  // and no sum can overflow
    }
  }
  std::uint32_t before_end(Tick tick, const Times& t) const {
    if (t.count <= 1 || tick >= l_.net.duration) return 1;
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(t.count, static_cast<std::uint64_t>((l_.net.duration - tick - 1) / t.every) + 1));
  }

  bool push(ScheduledControl c, Mark where) {
    events_ += c.count;
    if (l_.net.schedule.size() >= most_controls || events_ > most_events) {
      if (!full_)
        r_.errors.error(where, events_ > most_events ? fmt::format("more than {} scheduled events", most_events)
                                                     : fmt::format("more than {} scheduled events that differ from the one before", most_controls),
                        events_ > most_events ? "" : "a repeat or train of one value is one event, however long it is");
      full_ = true;
      return false;
    }
    if (c.count == 1) c.every = 0;
    marks_.push_back(where);
    entries_.push_back(entry_);
    l_.net.schedule.push_back(std::move(c));
    return true;
  }

  void sort() {
    auto& all = l_.net.schedule;
    std::vector<std::size_t> order(all.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return std::tie(all[a].tick, entries_[a]) < std::tie(all[b].tick, entries_[b]);
    });
    std::vector<ScheduledControl> sorted;
    std::vector<Mark> marks;
    for (const auto i : order) sorted.push_back(std::move(all[i])), marks.push_back(marks_[i]);
    all = std::move(sorted);
    marks_ = std::move(marks);
  }

  /// Values that are in range one by one may contradict each other: the model's own check sees them in time order, those
  /// that change together at once.  Changes of a part of a population are checked as if all of it changed.
  void check_combinations() {
    const auto& all = l_.net.schedule;
    const auto sets = [](const ScheduledControl& c) { return c.control.kind == Control::Kind::set_parameter; };
    using Who = std::pair<bool, std::uint32_t>;  // projection or population, number
    const auto who = [&](const ScheduledControl& c) { return c.projections.empty() ? Who{false, index_of(c.who[0].first)} : Who{true, c.projections[0]}; };
    std::vector<bool> last(all.size());
    const auto address = [&](const ScheduledControl& c) {
      return c.projections.empty() ? std::tuple(false, c.who[0].first, c.who[0].count) : std::tuple(true, c.projections[0], 0u);
    };
    std::set<std::tuple<bool, std::uint32_t, std::uint32_t>> later;
    for (std::size_t i = all.size(); i-- > 0;) {
      if (!sets(all[i]) || (i + 1 < all.size() && all[i + 1].tick != all[i].tick)) later.clear();
      if (sets(all[i])) last[i] = later.insert(address(all[i])).second;
    }
    std::map<Who, std::vector<Distribution>> now;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const ScheduledControl& c = all[i];
      if (!sets(c)) continue;
      if (c.projections.empty() ? l_.populations.flawed[index_of(c.who[0].first)] : l_.projections.flawed[c.projections[0]])
        continue;
      const auto [at, fresh] = now.try_emplace(who(c));
      std::vector<Distribution>& params = at->second;
      if (fresh) params = params_of(c);
      params[c.control.field] = c.drawn.value_or(Distribution{Distribution::Kind::constant, c.control.value[0]});
      if (last[i]) check_combination(c, params, marks_[i]);
    }
  }
  std::vector<Distribution> params_of(const ScheduledControl& c) const {
    if (c.projections.empty()) return population(c).params;
    std::vector<Distribution> all;
    for (const double x : l_.net.projections[c.projections[0]].params) all.push_back({Distribution::Kind::constant, x});
    return all;
  }
  void check_combination(const ScheduledControl& c, const std::vector<Distribution>& params, Mark where) {
    const Projection* p = c.projections.empty() ? nullptr : &l_.net.projections[c.projections[0]];
    const Model& m = p ? p->synapse->model : *population(c).model;
    const std::string from = fmt::format("from {} on, {} {}: ", r_.time_text(static_cast<double>(c.tick)), p ? "projection" : "population", in_quotes(p ? p->name : population(c).name));
    if (const auto found = check_params(m, params); found.reason) {
      r_.errors.error(where, from + found.reason);
    } else if (p) {
      // What histories keep of postsynaptic spikes is a sum over all of the past: its time constants are fixed.
      std::vector<double> values;
      for (const auto& d : params) values.push_back(d.a);
      if (history_taus(*p->synapse, values) != history_taus(*p->synapse, p->params))
        r_.errors.error(where, from + "the time constants of traces of spikes cannot change during a run");
      const Port& port = l_.net.populations[index_of(p->targets[0].first)].neuron()->ports[p->port];
      const Sign sign = sign_of(*p->synapse, values);
      if (port.sign != 0 && sign != Sign::given && (sign == Sign::either || p->sign * static_cast<double>(sign) != static_cast<double>(port.sign)))
        r_.errors.error(where, from + fmt::format("weights would no longer all have the sign of port '{}'", port.name));
    }
  }
  static std::pair<double, double> history_taus(const SynapseTable& t, const std::vector<double>& values) {
    std::vector<std::byte> params(t.params_size);
    for (std::uint32_t f = 0; f < t.model.params.count; ++f) put(params.data(), field(t.model.params, f), values[f]);
    return {t.post_tau ? t.post_tau(params.data()) : 0, t.pre_tau ? t.pre_tau(params.data()) : 0};
  }

  Loading& l_;
  Reader& r_;
  struct Repeated {
    ScheduledControl control;
    Mark where;
    Times repeat;
    std::size_t entry;
  };
  std::vector<Mark> marks_;  ///< of the schedule's entries, in the same order
  std::vector<std::size_t> entries_;  ///< as they were pushed: which entry of the file made them
  std::vector<Repeated> repeated_;    ///< settings of one value, whose times are not known before all are
  std::size_t entry_ = 0;             ///< being read
  std::uint64_t events_ = 0;
  bool full_ = false;
  bool keep_ = true;  ///< the entry being read had no error so far
};

}  // namespace

bool synapse_list(Loading& l, std::uint32_t projection, const Node& list, std::vector<SynapseAddress>& synapses) {
  Reader& r = l.read;
  const Projection& p = l.net.projections[projection];
  const bool sure = !l.projections.flawed[projection];
  if (!list.is_list() || list.items.empty()) {
    r.errors.error(list.mark, "'synapses' must be a list of pairs, not " + (list.is_list() ? "an empty one" : kind_name(list)), "for example synapses: [[0, 3], [1, 3]]");
    return false;
  }
  if (!r.take(list.items.size(), list.mark)) return false;
  bool good = true;
  std::set<std::pair<std::uint32_t, std::uint32_t>> seen;
  for (const auto& item : list.items) {
    const Node& pair = r.resolved(item);
    if (!pair.is_list() || pair.items.size() != 2) {
      r.errors.error(pair.mark, "a synapse is a pair [source, target]");
      good = false;
      continue;
    }
    const auto end = [&](const Node& n, const char* what, std::uint64_t count) -> std::optional<std::uint64_t> {
      const auto x = r.integer(n, what, 0, 0xFFFFFFFFu);
      if (!x || *x < count || !sure) return x;
      r.errors.error(n.mark, fmt::format("there is no {} {}; projection {} has {}, counted from 0", what, *x, in_quotes(p.name), count));
      return std::nullopt;
    };
    const auto s = end(pair.items[0], "source", p.source_count()), t = end(pair.items[1], "target", p.target_count());
    good = good && s && t;
    if (!s || !t) continue;
    const SynapseAddress a{static_cast<std::uint32_t>(*s), static_cast<std::uint32_t>(*t)};
    if (const std::string why = sure && p.rule ? p.rule->absent(Ends(l.net, p), a) : std::string(); !why.empty()) {
      r.errors.error(pair.mark, fmt::format("there is no synapse from source {} to target {}: {} {}", a.source, a.target, in_quotes(p.name), why));
      good = false;
    } else if (!seen.emplace(a.source, a.target).second) {
      r.errors.error(pair.mark, fmt::format("the synapse from source {} to target {} is named twice", a.source, a.target));
      good = false;
    }
    synapses.push_back(a);
  }
  return good;
}

std::span<const Key> schedule_keys() { return keys; }
std::span<const Key> pulse_keys() { return pulse_entry_keys; }
std::span<const Key> repeat_keys() { return repeat_entry_keys; }
std::span<const Key> ramp_keys() { return ramp_entry_keys; }

void load_schedule(Loading& l, const Node& list) {
  if (!list.is_list()) {
    if (list.kind != Node::Kind::null)
      l.read.errors.error(list.mark, "'schedule' must be a list, not " + kind_name(list), "for example - {at: 500 ms, set: {exc: {I_dc: 300 pA}}}");
    return;
  }
  Schedule(l).all(list);
}

}  // namespace spinet::reading
