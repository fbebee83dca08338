#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "network/going.hpp"
#include "network/lookup.hpp"
#include "network/places.hpp"
#include "network/read_outs.hpp"
#include "network/scheduling.hpp"
#include "network/stimulus_values.hpp"
#include "network/suggest.hpp"

namespace spinet::reading {
namespace {

constexpr Key common_keys[] = {
    {"at", true, "quantity", "when it happens"},
    {"set", false, "settings", "new values of parameters, by population or projection"},
    {"weights", false, "switched",
     "off, on or a factor: what the synapses of projections transmit from now on"},
    {"to", false, "populations",
     "populations and projections that it reaches, all if not given; projections where it must be given"},
    {"rows", false, "integers", "sources whose synapses it reaches; all of the projection if not given"},
    {"columns", false, "integers", "targets whose synapses it reaches"},
    {"synapses", false, "pairs", "the synapses that it reaches, as [source, target]"},
    {"scheme", false, "scheme",
     "what a pulse is for the other devices of a crossbar: half, third or none; as its layout says if not "
     "given"},
    {"repeat", false, "repeat", "how often, and how far apart"},
};
class Schedule {
 public:
  Schedule(Loading& l)
      : l_(l),
        r_(l.read),
        stimuli_(l.read.catalogue.stimuli()),
        keys_(schedule_keys(l.read.catalogue)),
        entries_(l) {
    actions_ = {"set", "weights"};
    for (const Stimulus* s : stimuli_) actions_.emplace_back(s->name);
  }

  void all(const Node& list) {
    for (const auto& n : list.items) {
      ++entry_;
      item(n);
    }
    std::vector<Entry> all = entries_.sorted();
    check_schedule(l_, all);
    for (Entry& e : all) l_.net.schedule.push_back(std::move(e.control));
  }

 private:
  void item(const Node& n) {
    bool good = r_.map(n, keys_, "a schedule entry", n.mark);
    if (!n.is_map()) return;
    std::vector<const Node::Key*> actions;
    for (const auto& k : n.keys)
      if (std::count(actions_.begin(), actions_.end(), k.taken ? k.meant : k.name)) actions.push_back(&k);
    if (actions.size() != 1 && !(actions.empty() && n.incomplete)) {
      r_.errors.error(
          actions.empty() ? n.mark : actions[1]->mark,
          actions.empty() ? "a schedule entry needs an action" : "a schedule entry has one action",
          "actions: " + joined(actions_) + "; several at one time are several entries");
      good = false;
    }
    ScheduledControl c;
    if (const Node* at = n.find("at")) {
      const auto tick = r_.time(*at, "at");
      good = good && tick;
      c.tick = tick.value_or(0);
    }
    Times repeat;
    if (const Node* r = n.find("repeat"); r && !load_times(l_, r_.resolved(*r), repeat)) good = false;
    for (const auto* k : actions) act(c, n, *k, repeat, good && actions.size() == 1);
  }

  /// Reads the action of an entry; its events are kept if all of the entry is good.
  void act(ScheduledControl c, const Node& n, const Node::Key& key, const Times& repeat, bool good) {
    const std::string& action = key.taken ? key.meant : key.name;
    const Stimulus* stimulus = nullptr;
    for (const Stimulus* s : stimuli_)
      if (s->name == action) stimulus = s;
    PlacesRead places{n.find("to"),       n.find("rows"),   n.find("columns"),
                      n.find("synapses"), n.find("scheme"), stimulus && lies_across(*stimulus)};
    keep_ = good;
    if (places.scheme && !places.across) {
      r_.errors.error(places.scheme->mark,
                      fmt::format("'{}' is no voltage between the rows and columns of a crossbar", action),
                      "'scheme' says what such a voltage is for the devices that are not addressed");
      keep_ = false;
      places.scheme = nullptr;
    }
    if (const Node* some = places.some(); some && !(stimulus && stimulus->flags & wired)) {
      std::vector<std::string> able;
      for (const Stimulus* s : stimuli_)
        if (s->flags & wired) able.emplace_back(s->name);
      r_.errors.error(some->mark,
                      fmt::format("'{}' reaches whole projections, not some of their synapses", action),
                      "what can reach some: " + joined(able));
      keep_ = false;
      places.rows = places.columns = places.synapses = nullptr;
    }
    if (action == "set") {
      if (places.to)
        r_.errors.error(places.to->mark, "'set' names its populations itself; 'to' is for other actions");
      return set(c, *n.find("set"), repeat);
    }
    if (action == "weights") {
      if (!load_places(l_, places, c.to)) keep_ = false;
      return switching(std::move(c), n, places.to, repeat);
    }
    c.kind = ScheduledControl::Kind::stimulus;
    c.stimulus = stimulus;
    stimulate(std::move(c), n, key.mark, places, repeat);
  }

  // --- stimuli ---

  void stimulate(ScheduledControl c, const Node& n, Mark where, PlacesRead places, Times repeat) {
    const Stimulus& s = *c.stimulus;
    const Node& given = *n.find(s.name);
    if (s.count == 0) {  // it has no value: what stands there is whom it reaches
      if (places.to)
        return r_.errors.error(
            places.to->mark,
            fmt::format("'{}' names its projections itself; 'to' is for other actions", s.name));
      places.to = &given;
    }
    Going value;
    Times train;
    StimulusValues values(l_, c);
    bool good = s.count == 0 || values.read(r_.resolved(given), value, train);
    if (good && keep_ && n.find("repeat")) good = values.fit(train, repeat, n.find("repeat")->mark);
    if (!reached(c, where, n.mark, places)) good = false;
    if (!good || !keep_) return;
    if (s.logs && !log_read_outs(l_, c, n.mark, entries_.before_end(c.tick, repeat))) return;
    keep(std::move(c), n.mark, value, train, repeat);
  }
  /// An entry's events, if all of the entry is good.
  void keep(ScheduledControl c, Mark where, const Going& value, const Times& train, const Times& repeat) {
    if (keep_) entries_.add(std::move(c), {where, entry_}, value, train, repeat);
  }

  /// Whom a stimulus reaches: each that is named must answer it, or anything in the network.
  bool reached(ScheduledControl& c, Mark action, Mark entry, const PlacesRead& places) {
    const Stimulus& s = *c.stimulus;
    std::vector<std::string> able;
    for (const auto& p : l_.net.projections)
      if (p.synapse && answers(p.synapse->model, s)) able.push_back(p.name);
    for (const auto& p : l_.net.populations)
      if (!(s.flags & wired) && p.model && p.neuron() && answers(*p.model, s)) able.push_back(p.name);
    const std::string help = able.empty() ? fmt::format("nothing in this network would {}", s.does)
                                          : "those that do: " + joined(able);
    if (!places.to) {
      if (s.flags & wired)
        return r_.errors.error(entry, fmt::format("'{}' needs 'to': the projections that it reaches", s.name),
                               help),
               false;
      if (able.empty() && sure())
        r_.errors.error(action, fmt::format("no synapse and no neuron of this network would {}", s.does),
                        models_that_do(s));
      return !able.empty();
    }
    PlacesRead whole = places;
    whole.rows = whole.columns = whole.synapses = whole.scheme = nullptr;
    bool good = load_places(l_, whole, c.to), all = good;
    for (std::size_t i = 0; i < c.to.places.size(); ++i) {
      const bool listed = places.to->is_list() && places.to->items.size() == c.to.places.size();
      all = answered(c.to.places[i], s, listed ? places.to->items[i].mark : places.to->mark, help) && all;
    }
    if (!all || !(places.some() || places.scheme)) return all;
    c.to.places.clear();
    return load_places(l_, places, c.to);
  }
  bool answered(const Place& place, const Stimulus& s, Mark where, const std::string& help) {
    const auto* const p = projection_of(place);
    const Population* const population =
        p ? nullptr : &l_.net.populations[population_with(l_.net, std::get<GidRange>(place).first)];
    const std::string& name = p ? l_.net.projections[*p].name : population->name;
    const Model* const m = !p                               ? population->model
                           : l_.net.projections[*p].synapse ? &l_.net.projections[*p].synapse->model
                                                            : nullptr;
    if (population && s.flags & wired) {
      r_.errors.error(where,
                      fmt::format("{} is a population of neurons; '{}' reaches the synapses of projections",
                                  in_quotes(name), s.name),
                      help);
      return false;
    }
    if (!m) return false;  // an error of its own
    if (answers(*m, s)) return true;
    r_.errors.error(where,
                    fmt::format("the {} of {} are of model {}, which does not {}", p ? "synapses" : "neurons",
                                in_quotes(name), m->name, s.does),
                    help);
    return false;
  }
  /// Are the models of all populations and projections known?
  bool sure() const {
    return std::all_of(l_.net.projections.begin(), l_.net.projections.end(),
                       [](const auto& p) { return p.synapse; }) &&
           std::all_of(l_.net.populations.begin(), l_.net.populations.end(),
                       [](const auto& p) { return p.model; });
  }
  std::string models_that_do(const Stimulus& s) const {
    std::vector<std::string> some;
    for (const auto& e : r_.catalogue.all())
      if (answers(*e.model, s)) some.emplace_back(e.model->name);
    return "models that do: " + joined(some);
  }

  // --- weights off and on ---

  void switching(ScheduledControl c, const Node& n, const Node* to, const Times& repeat) {
    c.kind = ScheduledControl::Kind::transmission;
    std::vector<std::string> known;
    for (const auto& p : l_.net.projections) known.push_back(p.name);
    if (!to || c.to.names_neurons()) {
      r_.errors.error(to ? to->mark : n.mark,
                      to ? "'weights' are those of projections; 'to' names neurons"
                         : "'weights' needs 'to': the projections whose weights they are",
                      known.empty() ? "the network has no projections" : "projections: " + joined(known));
      return;
    }
    const Node& value = r_.resolved(*n.find("weights"));
    Going factor;
    if (value.is_scalar() && (value.text == "off" || value.text == "on")) factor.from = value.text == "on";
    else if (value.is_scalar() && !value.text.empty() &&
             std::isalpha(static_cast<unsigned char>(value.text[0])))
      return r_.errors.error(value.mark, fmt::format("'weights' cannot be {}", in_quotes(value.text)),
                             suggest_one(nearest(value.text, {"off", "on"}),
                                         {"off", "on", "or a factor of 0 or more"}, "values"));
    else if (!load_going(l_, value, {"weights", "1", 0}, c.tick, factor)) return;
    c.value[0] = factor.from;
    keep(std::move(c), n.mark, factor, {}, repeat);
  }

  // --- parameters ---

  void set(const ScheduledControl& at, const Node& n, const Times& repeat) {
    if (!n.is_map() || n.keys.empty()) {
      r_.errors.error(
          n.mark, "'set' must be a map of populations, not " + (n.is_map() ? "an empty one" : kind_name(n)),
          "for example set: {exc: {I_dc: 300 pA}}");
      return;
    }
    for (std::size_t i = 0; i < n.keys.size(); ++i) {
      ScheduledControl c = at;
      if (!load_place(l_, n.keys[i].name, n.keys[i].mark, c.to)) keep_ = false;
      if (c.to.everyone()) continue;
      const auto* const q = projection_of(c.to.places[0]);
      const Projection* p = q ? &l_.net.projections[*q] : nullptr;
      const Model* m =
          !p ? l_.net.populations[population_with(l_.net, std::get<GidRange>(c.to.places[0]).first)].model
          : p->synapse ? &p->synapse->model
                       : nullptr;
      if (!m) continue;  // an error of its own
      parameters(c, n.items[i], *m, p ? unit_of_port(*p, l_.projections.flawed[*q]) : std::string(), repeat);
    }
  }

  /// Unit of a projection's weights; `any_unit` where an error leaves it open.
  std::string unit_of_port(const Projection& p, bool flawed) const {
    if (p.targets.empty()) return std::string(any_unit);
    const Population& target = l_.net.populations[population_with(l_.net, p.targets[0].first)];
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

  void parameters(const ScheduledControl& c, const Node& n, const Model& m, const std::string& port,
                  const Times& repeat) {
    const auto allowed = names(m.params, Flag::scheduled);
    if (!n.is_map()) {
      r_.errors.error(n.mark, "expected a map of parameters, not " + kind_name(n),
                      "parameters: " + joined(allowed));
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
        r_.errors.error(
            key.mark,
            fmt::format("parameter {} of model {} cannot change during a run", in_quotes(key.name), m.name),
            allowed.empty() ? fmt::format("{} has none that can", m.name)
                            : "those that can: " + joined(allowed));
        continue;
      }
      ScheduledControl one = c;
      one.field = f;
      parameter(std::move(one), {key, n.items[i], wanted_here(field(m.params, f), port)}, m, repeat);
    }
  }

  /// "I_dc: 300 pA", and what the value must be.
  struct Assignment {
    const Node::Key& key;
    const Node& value;
    Wanted wanted;
  };
  void parameter(ScheduledControl c, const Assignment& assigned, const Model& m, const Times& repeat) {
    const auto& [key, given, w] = assigned;
    Going x;
    const Node& value = r_.resolved(given);
    if (value.is_map() && !is_going(value)) {
      if (m.kind != Kind::neuron)
        return r_.errors.error(
            value.mark,
            fmt::format("'{}' takes one number here: values are drawn for neurons, and model {} is none",
                        key.name, m.name));
      const auto drawn = r_.distribution(value, w, 0);
      if (!drawn) return;
      x.course = *drawn;
    } else if (!load_going(l_, given, w, c.tick, x)) {
      return;
    }
    c.value[0] = x.from;
    const auto* const source = m.kind == Kind::source ? reinterpret_cast<const SourceTable*>(&m) : nullptr;
    if (x.waveform() && source && !source->superposable)
      return r_.errors.error(
          x.node->mark,
          fmt::format("the events of model {} cannot follow a waveform: they are no Poisson process",
                      m.name));
    keep(std::move(c), key.mark, x, {}, repeat);
  }

  Loading& l_;
  Reader& r_;
  std::vector<const Stimulus*> stimuli_;  ///< of all models
  std::vector<Key> keys_;
  std::vector<std::string> actions_;
  Entries entries_;
  std::size_t entry_ = 0;  ///< being read
  bool keep_ = true;       ///< the entry being read had no error so far
};

}  // namespace

std::vector<Key> schedule_keys(const Catalogue& c) {
  std::vector<Key> keys(std::begin(common_keys), std::begin(common_keys) + 2);
  for (const Stimulus* s : c.stimuli())
    keys.push_back({s->name, false, s->count ? s->name : "populations", s->doc});
  keys.insert(keys.end(), std::begin(common_keys) + 2, std::end(common_keys));
  return keys;
}

void load_schedule(Loading& l, const Node& list) {
  if (!list.is_list()) {
    if (list.kind != Node::Kind::null)
      l.read.errors.error(list.mark, "'schedule' must be a list, not " + kind_name(list),
                          "for example - {at: 500 ms, set: {exc: {I_dc: 300 pA}}}");
    return;
  }
  Schedule(l).all(list);
}

}  // namespace spinet::reading
