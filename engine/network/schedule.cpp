#include <fmt/format.h>

#include <algorithm>

#include "network/parts.hpp"
#include "network/structs.hpp"
#include "network/suggest.hpp"

namespace spinet::reading {
namespace {

constexpr Key keys[] = {
    {"at", true, "quantity", "when it happens"},
    {"set", false, "settings", "new values of parameters, by population or projection"},
    {"field", false, "field", "a magnetic field: a value, or {state: parallel}"},
    {"reward", false, "number", "a reward for synapses and neurons that learn from it"},
    {"to", false, "populations", "populations and projections that a field or reward reaches; all if not given"},
};
constexpr Key field_keys[] = {
    {"value", false, "quantity", "flux density in T or G, or field in Oe (1 Oe counts as 1 G)"},
    {"state", false, "name", "parallel or antiparallel"},
};
constexpr std::size_t most_controls = 1'000'000;

class Schedule {
 public:
  Schedule(Loading& l) : l_(l), r_(l.read) {}

  void all(const Node& list) {
    for (const auto& n : list.items) item(n);
    std::stable_sort(l_.net.schedule.begin(), l_.net.schedule.end(), [](const auto& a, const auto& b) { return a.tick < b.tick; });
    check_combinations();
  }

 private:
  void item(const Node& n) {
    if (!r_.map(n, keys, "a schedule entry", n.mark)) return;
    std::vector<const Node::Key*> actions;
    for (const auto& k : n.keys)
      if (k.name == "set" || k.name == "field" || k.name == "reward") actions.push_back(&k);
    if (actions.size() != 1) {
      r_.errors.error(actions.empty() ? n.mark : actions[1]->mark,
                      actions.empty() ? "a schedule entry needs an action" : "a schedule entry has one action",
                      "actions: set, field, reward; several at one time are several entries");
      return;
    }
    const auto tick = r_.time(*n.find("at"), "at");
    ScheduledControl c;
    c.tick = tick.value_or(0);
    const Node* to = n.find("to");
    const auto& action = actions[0]->name;
    if (action == "set") {
      if (to) r_.errors.error(to->mark, "'set' names its populations itself; 'to' is for fields and rewards");
      set(c, *n.find("set"));
      return;
    }
    if (to && !address(c, *to)) return;
    if (action == "reward") {
      c.control.kind = Control::Kind::reward;
      const auto x = r_.number(*n.find("reward"), {"reward"});
      if (!x) return;
      c.control.value[0] = *x;
    } else {
      c.control.kind = Control::Kind::field;
      if (!field_of(c, r_.resolved(*n.find("field")))) return;
    }
    push(std::move(c), n.mark, {});
  }

  bool field_of(ScheduledControl& c, const Node& n) {
    const Wanted tesla{"field", "T"};
    if (!n.is_map()) {
      const auto x = r_.number(n, tesla);
      c.control.value[0] = x.value_or(0);
      return x.has_value();
    }
    if (!r_.map(n, field_keys, "'field'", n.mark)) return false;
    const Node *value = n.find("value"), *state = n.find("state");
    if (!value && !state) {
      r_.errors.error(n.mark, "'field' needs a 'value' or a 'state'", "for example field: 90 Oe, or field: {state: antiparallel}");
      return false;
    }
    if (value) {
      const auto x = r_.number(*value, tesla);
      if (!x) return false;
      c.control.value[0] = *x;
    }
    if (state) {
      const auto s = r_.text(*state, "state");
      if (!s) return false;
      if (*s != "parallel" && *s != "antiparallel") {
        r_.errors.error(state->mark, fmt::format("unknown magnetic state {}", in_quotes(*s)), suggest(*s, {"parallel", "antiparallel"}, "states"));
        return false;
      }
      c.control.value[1] = *s == "parallel" ? 1 : -1;
    }
    return true;
  }

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
      good = good && name && address(c, *name, i->mark);
    }
    return good;
  }
  bool address(ScheduledControl& c, const std::string& name, Mark where) {
    if (const auto p = l_.projections.index.find(name); p != l_.projections.index.end()) {
      if (l_.projections.flawed[p->second]) return false;
      c.projections.push_back(p->second);
      return true;
    }
    if (!l_.populations.index.count(name.substr(0, name.find('[')))) {
      std::vector<std::string> known;
      for (const auto& p : l_.net.populations) known.push_back(p.name);
      for (const auto& p : l_.net.projections) known.push_back(p.name);
      r_.errors.error(where, fmt::format("unknown population or projection {}", in_quotes(name)), suggest(name, known, "names"));
      return false;
    }
    const auto s = select(l_, name, where);
    if (s) c.who.push_back(s->range);
    return s.has_value();
  }

  void set(const ScheduledControl& at, const Node& n) {
    if (!n.is_map() || n.keys.empty()) {
      r_.errors.error(n.mark, "'set' must be a map of populations, not " + (n.is_map() ? "an empty one" : kind_name(n)), "for example set: {exc: {I_dc: 300 pA}}");
      return;
    }
    for (std::size_t i = 0; i < n.keys.size(); ++i) {
      ScheduledControl c = at;
      c.control.kind = Control::Kind::set_parameter;
      if (!address(c, n.keys[i].name, n.keys[i].mark)) continue;
      const Projection* p = c.projections.empty() ? nullptr : &l_.net.projections[c.projections[0]];
      const Model& m = p ? p->synapse->model : *population(c).model;
      const std::string port = p ? l_.net.populations[index_of(p->targets[0].first)].neuron()->ports[p->port].unit : std::string();
      values(c, n.items[i], m, port);
    }
  }

  std::uint32_t index_of(Gid g) const {
    const auto& all = l_.net.populations;
    return static_cast<std::uint32_t>(std::upper_bound(all.begin(), all.end(), g, [](Gid x, const Population& p) { return x < p.first; }) - all.begin() - 1);
  }
  const Population& population(const ScheduledControl& c) const { return l_.net.populations[index_of(c.who[0].first)]; }

  void values(ScheduledControl c, const Node& n, const Model& m, const std::string& port) {
    const auto allowed = names(m.params, Flag::scheduled);
    if (!n.is_map()) {
      r_.errors.error(n.mark, "expected a map of parameters, not " + kind_name(n), "parameters: " + joined(allowed));
      return;
    }
    for (std::size_t i = 0; i < n.keys.size(); ++i) {
      const auto& key = n.keys[i];
      std::uint32_t f = 0;
      while (f < m.params.count && field(m.params, f).name != key.name) ++f;
      if (f == m.params.count) {
        r_.errors.error(key.mark, fmt::format("unknown parameter {} of model {}", in_quotes(key.name), m.name),
                        allowed.empty() ? fmt::format("{} has none that can change during a run", m.name) : suggest(key.name, allowed, "parameters that can change during a run"));
        continue;
      }
      if (!(field(m.params, f).flags & Flag::scheduled)) {
        r_.errors.error(key.mark, fmt::format("parameter {} of model {} cannot change during a run", in_quotes(key.name), m.name),
                        allowed.empty() ? fmt::format("{} has none that can", m.name) : "those that can: " + joined(allowed));
        continue;
      }
      const auto x = r_.number(n.items[i], wanted(field(m.params, f), port));
      if (!x) continue;
      c.control.field = f;
      c.control.value[0] = *x;
      push(c, key.mark, key.mark);
    }
  }

  void push(ScheduledControl c, Mark where, Mark set_mark) {
    if (l_.net.schedule.size() >= most_controls) {
      if (l_.net.schedule.size() == most_controls) r_.errors.error(where, fmt::format("more than {} scheduled events", most_controls));
      return;
    }
    if (c.control.kind == Control::Kind::set_parameter && c.projections.empty()) marks_.push_back({c.tick, c.who[0], c.control.field, c.control.value[0], set_mark});
    l_.net.schedule.push_back(std::move(c));
  }

  /// Values that are in range one by one may contradict each other: the model's own check sees them in time order.
  /// Changes of a part of a population are checked as if all of it changed.
  void check_combinations() {
    struct Now { std::vector<Distribution> params; };
    std::map<std::uint32_t, std::vector<Distribution>> now;
    std::stable_sort(marks_.begin(), marks_.end(), [](const Set& a, const Set& b) { return a.tick < b.tick; });
    for (std::size_t i = 0; i < marks_.size(); ++i) {
      const auto& s = marks_[i];
      const std::uint32_t index = index_of(s.who.first);
      const Population& p = l_.net.populations[index];
      auto [at, fresh] = now.try_emplace(index);
      if (fresh) at->second = p.params;
      at->second[s.field] = {Distribution::Kind::constant, s.value};
      if (i + 1 < marks_.size() && marks_[i + 1].tick == s.tick && index_of(marks_[i + 1].who.first) == index) continue;
      if (const auto c = check_params(*p.model, at->second); c.reason)
        r_.errors.error(s.where, fmt::format("from {} on, population {}: {}", r_.time_text(static_cast<double>(s.tick)), in_quotes(p.name), c.reason));
    }
  }

  struct Set {
    Tick tick;
    GidRange who;
    std::uint32_t field;
    double value;
    Mark where;
  };
  Loading& l_;
  Reader& r_;
  std::vector<Set> marks_;
};

}  // namespace

std::span<const Key> schedule_keys() { return keys; }

void load_schedule(Loading& l, const Node& list) {
  if (!list.is_list()) {
    if (list.kind != Node::Kind::null)
      l.read.errors.error(list.mark, "'schedule' must be a list, not " + kind_name(list), "for example - {at: 500 ms, set: {exc: {I_dc: 300 pA}}}");
    return;
  }
  Schedule(l).all(list);
}

}  // namespace spinet::reading
