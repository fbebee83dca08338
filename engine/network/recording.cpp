#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <string>

#include "network/parts.hpp"
#include "network/spellings.hpp"
#include "network/structs.hpp"
#include "network/suggest.hpp"

namespace spinet::reading {
namespace {

constexpr Key record_entry_keys[] = {
    {"spikes", false, "spike_recordings", "populations whose spikes are logged, or all"},
    {"reports", false, "report_list", "variables sampled at regular times"},
    {"edges", false, "names", "projections whose connections are logged"},
    {"weights", false, "weight_list", "weights of a projection's synapses over time, or their changes"},
};
constexpr Key spike_entry_keys[] = {
    {"population", true, "name", "a population or a part of it"},
    {"ids", false, "ids", "neurons: [0, 5, 10..19] or {every: 10}"},
    {"every", false, "integer", "every nth neuron, short for ids: {every: n}"},
    {"from", false, "quantity", "first time that is logged"},
    {"to", false, "quantity", "end of the time that is logged, itself not included"},
};
constexpr Key report_entry_keys[] = {
    {"population", true, "name", "a population or a part of it"},
    {"variable", true, "name", "a variable of its model"},
    {"every", true, "quantity", "time between samples"},
    {"ids", false, "ids", "neurons: [0, 5, 10..19] or {every: 10}"},
    {"from", false, "quantity", "first sample"},
    {"to", false, "quantity", "end of the samples, itself not included"},
    {"name", false, "name", "name in the log; <population>_<variable> if not given"},
};
constexpr Key weight_entry_keys[] = {
    {"projection", true, "name", "the projection"},
    {"every", false, "quantity", "time between frames of all synapses"},
    {"on_change", false, "boolean", "instead: log every change of a synapse"},
    {"at", false, "quantities", "instead: times at which values are logged"},
    {"epochs", false, "integers",
     "instead: batches of an environment, counted from 1, at whose end values are logged"},
    {"environment", false, "name", "whose epochs; not needed if there is one"},
    {"synapses", false, "pairs",
     "of on_change, at, epochs: the synapses, as [source, target]; all if not given"},
    {"variable", false, "name", "a variable of its synapses; the weight if not given"},
    {"from", false, "quantity", "first frame, or begin of the changes"},
    {"to", false, "quantity", "end of the frames or changes, itself not included"},
};
constexpr Key every_keys[] = {
    {"every", true, "integer", "every nth neuron"},
    {"from", false, "integer", "the first of them, 0 if not given"},
};

class Recording {
 public:
  Recording(Loading& l) : l_(l), r_(l.read) {}

  void spikes(const Node& n) {
    if (n.is_scalar() && n.text == "all") {
      for (std::uint32_t i = 0; i < l_.net.populations.size(); ++i)
        l_.net.spikes.push_back({i, {}, 0, never});
    } else if (n.is_list()) {
      for (const auto& i : n.items) spike_entry(i);
    } else {
      spike_entry(n);
    }
  }
  void reports(const Node& n) {
    if (n.is_list())
      for (const auto& i : n.items) report(i);
    else report(n);
  }
  void weights(const Node& n) {
    if (n.is_list())
      for (const auto& i : n.items) weight(i);
    else weight(n);
  }
  void edges(const Node& n) {
    std::vector<const Node*> items;
    if (n.is_list())
      for (const auto& i : n.items) items.push_back(&i);
    else items.push_back(&n);
    for (const Node* i : items) {
      const auto p = projection(*i, "edges");
      if (!p) continue;
      if (std::count(l_.net.edge_recordings.begin(), l_.net.edge_recordings.end(), *p))
        r_.errors.error(i->mark,
                        fmt::format("projection {} is named twice", in_quotes(l_.net.projections[*p].name)));
      else l_.net.edge_recordings.push_back(*p);
    }
  }

 private:
  /// The index of the projection that a node names.
  std::optional<std::uint32_t> projection(const Node& n, const char* key) {
    const auto name = r_.text(n, key);
    if (!name) return {};
    const auto at = l_.projections.index.find(*name);
    if (at != l_.projections.index.end()) return at->second;
    if (!l_.projections.complete) return {};
    std::vector<std::string> known;
    for (const auto& p : l_.net.projections) known.push_back(p.name);
    r_.errors.error(n.mark, fmt::format("unknown projection {}", in_quotes(*name)),
                    known.empty() ? "the network has no projections" : suggest(*name, known, "projections"));
    const auto near =
        l_.projections.index.find(meant_surely(*name, known));  // a misspelt one is taken for the one meant
    if (near != l_.projections.index.end()) return near->second;
    return {};
  }

  /// An interval between samples; one that is rounded would drift.
  Tick interval(const Node& every) {
    const auto t = r_.time(every, "every", 1);
    if (!t) return 0;
    const double exact = r_.ticks(*r_.quantity(every, "every"));
    if (std::fabs(exact - static_cast<double>(*t)) > 1e-9 * exact)
      r_.errors.error(every.mark,
                      fmt::format("'every' must be a whole number of ticks ({})", r_.time_text(1)),
                      "give another `time_resolution`");
    return *t;
  }

  void weight(const Node& n) {
    r_.map(n, weight_entry_keys, "an entry of 'weights'", n.mark);
    if (!n.is_map()) return;
    WeightRecording rec{};
    window(n, rec.from, rec.to);
    const Node* every = n.find("every");
    const bool irregular = n.find("on_change") || n.find("at") || n.find("epochs");
    if (!every == !irregular)
      r_.errors.error(
          every ? every->mark : n.mark,
          every ? "'every' makes frames of all synapses; 'on_change', 'at' and 'epochs' are another entry"
                : "an entry of 'weights' needs times",
          "one of: every, or on_change, at, epochs");
    if (every) rec.every = interval(*every);
    for (const auto* key : {"synapses", "environment"})
      if (const Node* k = n.find(key); k && every && !irregular)
        r_.errors.error(k->mark,
                        fmt::format("'{}' is for on_change, at and epochs; frames hold all synapses", key));
    const Node* name = n.find("projection");
    const auto p = name ? projection(*name, "projection") : std::nullopt;
    rec.projection = p.value_or(0);
    const Node* v = n.find("variable");
    const bool known = !v || variable(*v, p, rec);
    if (irregular) return events(n, name, p, rec, known);
    if (!p || !known) return;
    for (const auto& other : l_.net.weights)
      if (other.projection == rec.projection && other.variable == rec.variable) {
        r_.errors.error(name->mark, fmt::format("the weights of projection {} are recorded already",
                                                in_quotes(l_.net.projections[*p].name)));
        return;
      }
    l_.net.weights.push_back(rec);
  }
  bool variable(const Node& n, std::optional<std::uint32_t> p, WeightRecording& rec) {
    const auto given = r_.text(n, "variable");
    const SynapseTable* synapse = p ? l_.net.projections[*p].synapse : nullptr;
    if (!given || !synapse) return false;  // an error of its own
    const auto known = names(synapse->model.variables);
    const auto at = std::find(known.begin(), known.end(), *given);
    rec.variable = static_cast<std::uint32_t>(at - known.begin());
    if (at == known.end())
      r_.errors.error(
          n.mark, fmt::format("synapse model {} has no variable {}", synapse->model.name, in_quotes(*given)),
          suggest(*given, known, "variables"));
    return at != known.end();
  }

  /// Changes, or values at chosen times or epochs.
  void events(const Node& n, const Node* name, std::optional<std::uint32_t> p, const WeightRecording& rec,
              bool known) {
    WeightEventRecording r{};
    r.projection = rec.projection, r.variable = rec.variable, r.from = rec.from, r.to = rec.to;
    bool good = p.has_value();
    if (const Node* c = n.find("on_change")) {
      const auto on = r_.boolean(*c, "on_change");
      good = good && on;
      r.on_change = on.value_or(false);
    }
    if (!r.on_change)
      for (const auto* key : {"from", "to"})
        if (const Node* k = n.find(key))
          r_.errors.error(k->mark,
                          fmt::format("'{}' is for on_change: 'at' and 'epochs' name their times", key)),
              good = false;
    if (const Node* at = n.find("at"))
      good = each(*at, "at",
                  [&](const Node& i) {
                    const auto t = r_.time(i, "at");
                    if (t) r.at.push_back(*t);
                    return t.has_value();
                  }) &&
             good;
    const Node *epochs = n.find("epochs"), *environment = n.find("environment");
    if (epochs) {
      good = each(*epochs, "epochs",
                  [&](const Node& i) {
                    const auto k = r_.integer(i, "epochs", 1, 0xFFFFFFFFu);
                    if (k) r.epochs.push_back(static_cast<std::uint32_t>(*k));
                    return k.has_value();
                  }) &&
             good;
      good = environment_of(*epochs, environment, r.environment) && good;
    } else if (environment) {
      r_.errors.error(environment->mark, "'environment' is for epochs");
      good = false;
    }
    if (const Node* some = n.find("synapses"); some && p)
      good = synapse_list(l_, *p, r_.resolved(*some), r.synapses) && good;
    if (!p || !known) return;
    const auto unique = [](auto& v) {
      std::sort(v.begin(), v.end());
      v.erase(std::unique(v.begin(), v.end()), v.end());
    };
    unique(r.at), unique(r.epochs);
    std::sort(r.synapses.begin(), r.synapses.end(), [](const SynapseAddress& a, const SynapseAddress& b) {
      return a.target != b.target ? a.target < b.target : a.source < b.source;
    });
    for (const auto& other : l_.net.weight_events)
      if (other.projection == r.projection && other.variable == r.variable) {
        r_.errors.error(name->mark,
                        fmt::format("the changes of projection {} are recorded already",
                                    in_quotes(l_.net.projections[*p].name)),
                        "one entry per variable; it may have on_change, at and epochs together");
        return;
      }
    if (good) l_.net.weight_events.push_back(std::move(r));
  }

  /// One value, or a list of some.
  template <class F>
  bool each(const Node& given, const char* key, F&& f) {
    const Node& n = r_.resolved(given);
    if (!n.is_list()) return f(n);
    if (n.items.empty()) r_.errors.error(n.mark, fmt::format("'{}' is an empty list", key));
    bool good = !n.items.empty() && r_.take(n.items.size(), n.mark);
    for (const auto& i : n.items) good = f(r_.resolved(i)) && good;
    return good;
  }

  bool environment_of(const Node& epochs, const Node* named, std::uint32_t& environment) {
    std::vector<std::string> known;
    std::optional<std::string> wanted;
    if (named && !(wanted = r_.text(*named, "environment"))) return false;
    bool found = false;
    for (std::uint32_t p = 0; p < l_.net.populations.size(); ++p) {
      const auto& population = l_.net.populations[p];
      const NeuronTable* t = population.model ? population.neuron() : nullptr;
      if (!t || !t->environment) continue;
      known.push_back(population.name);
      if (wanted && *wanted != population.name) continue;
      found = true;
      environment = p;
    }
    if (known.empty())
      r_.errors.error(epochs.mark, "'epochs' needs an environment, and the network has none",
                      "a population of model pattern_task, for example; at: [1 s, 2 s] names times");
    else if (!found)
      r_.errors.error(named->mark, fmt::format("{} is no environment", in_quotes(*wanted)),
                      suggest(*wanted, known, "environments"));
    else if (!wanted && known.size() > 1)
      r_.errors.error(epochs.mark, "whose epochs?", "give an 'environment': " + joined(known));
    return found && (wanted || known.size() == 1);
  }

  void spike_entry(const Node& n) {
    SpikeRecording rec{};
    std::optional<Selected> who;
    Mark where = n.mark;
    if (n.is_scalar()) {
      who = select(l_, n.text, n.mark);
    } else {
      r_.map(n, spike_entry_keys, "an entry of 'spikes'", n.mark);
      if (!n.is_map()) return;
      if (const Node* population = n.find("population")) {
        where = population->mark;
        const auto name = r_.text(*population, "population");
        if (name) who = select(l_, *name, where);
      }
      window(n, rec.from, rec.to);
    }
    bool all = !who || who->whole;
    ids(n, who, rec.ids, all);
    if (!who || !who->sure) return;
    rec.population = who->population;
    if (all) rec.ids.clear();
    recorded_.resize(l_.net.populations.size(), false);
    if (recorded_[rec.population]) {
      r_.errors.error(where,
                      fmt::format("the spikes of population {} are recorded already",
                                  in_quotes(l_.net.populations[rec.population].name)),
                      "one entry per population; 'ids' may list several ranges");
      return;
    }
    recorded_[rec.population] = true;
    l_.net.spikes.push_back(std::move(rec));
  }

  void report(const Node& n) {
    r_.map(n, report_entry_keys, "an entry of 'reports'", n.mark);
    if (!n.is_map()) return;
    Report rep{};
    window(n, rep.from, rep.to);
    if (const Node* every = n.find("every")) rep.every = interval(*every);
    const Node *of = n.find("population"), *named = n.find("variable"), *name = n.find("name");
    const auto population = of ? r_.text(*of, "population") : std::nullopt;
    const auto who = population ? select(l_, *population, of->mark) : std::nullopt;
    const auto variable = named ? r_.text(*named, "variable") : std::nullopt;
    const Model* model = who ? l_.net.populations[who->population].model : nullptr;
    bool known = false;
    if (model && variable) {
      const auto allowed = names(model->variables, Flag::recorded);
      known = std::find(allowed.begin(), allowed.end(), *variable) != allowed.end();
      if (!known)
        r_.errors.error(
            named->mark,
            fmt::format("model {} has no variable {} to record", model->name, in_quotes(*variable)),
            allowed.empty() ? fmt::format("{} has none", model->name)
                            : meant(Spelling::Of::variable, *variable, allowed, "variables"));
      else
        while (field(model->variables, rep.variable).name != *variable) ++rep.variable;
    }
    if (const auto s = name ? r_.text(*name, "name") : std::nullopt) {
      rep.name = *s;
      if (!std::all_of(s->begin(), s->end(),
                       [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-'; }) ||
          s->size() > 64)
        r_.errors.error(name->mark, fmt::format("{} is no name for a report", in_quotes(*s)),
                        "letters, digits, '_' and '-'");
    }
    bool all = !who || who->whole;
    const bool chosen = ids(n, who, rep.ids, all);
    if (!who || !who->sure || !known) return;
    rep.population = who->population;
    if (rep.name.empty()) rep.name = l_.net.populations[who->population].name + "_" + *variable;
    if (report_names_.count(rep.name)) {
      r_.errors.error(name ? name->mark : n.mark,
                      fmt::format("there is a report {} already", in_quotes(rep.name)),
                      "give this one another 'name'");
      return;
    }
    if (!chosen) return;
    report_names_.insert(rep.name);
    if (rep.ids.empty()) fill(rep.ids, first_of(*who), who->range.count, 1);
    l_.net.reports.push_back(std::move(rep));
  }

  std::uint32_t first_of(const Selected& s) const {
    return s.range.first - l_.net.populations[s.population].first;
  }
  static void fill(std::vector<std::uint32_t>& out, std::uint64_t first, std::uint64_t count,
                   std::uint64_t step) {
    for (std::uint64_t i = 0; i < count; i += step) out.push_back(static_cast<std::uint32_t>(first + i));
  }

  void window(const Node& n, Tick& from, Tick& to) {
    if (const Node* f = n.find("from")) from = r_.time(*f, "from").value_or(0);
    if (const Node* t = n.find("to")) {
      to = r_.time(*t, "to").value_or(never);
      if (to <= from) r_.errors.error(t->mark, "'to' must be later than 'from'");
    }
  }

  /// Indices within the population; `all` becomes false if they are a part of it.  False after an error.
  /// Where the population is not sure, its size bounds nothing.
  bool ids(const Node& n, const std::optional<Selected>& who, std::vector<std::uint32_t>& out, bool& all) {
    const Node *list = n.is_map() ? n.find("ids") : nullptr,
               *every = n.is_map() && !n.find("variable") ? n.find("every") : nullptr;
    const bool sure = who && who->sure;
    const std::uint64_t first = sure ? first_of(*who) : 0, count = sure ? who->range.count : 0x100000000u;
    const auto fill = [&](std::vector<std::uint32_t>& to, std::uint64_t begin, std::uint64_t number,
                          std::uint64_t step) {
      if (sure) Recording::fill(to, begin, number, step);
    };
    const auto take = [&](std::uint64_t values, Mark where) { return !sure || r_.take(values, where); };
    if (list && every) {
      r_.errors.error(every->mark, "'every' and 'ids' cannot be given together", "ids: {every: 10, from: 5}");
      return false;
    }
    if (list && list->is_map()) {
      r_.map(*list, every_keys, "'ids'", list->mark);
      const Node *f = list->find("from"), *nth = list->find("every");
      const auto step = nth ? r_.integer(*nth, "every", 1, 0xFFFFFFFFu) : std::nullopt;
      const auto begin = f ? r_.integer(*f, "from", 0, count - 1) : std::optional<std::uint64_t>(0);
      if (!step || !begin || !take((count - *begin) / *step + 1, list->mark)) return false;
      fill(out, first + *begin, count - *begin, *step);
      all = all && *step == 1 && *begin == 0;
    } else if (every) {
      const auto step = r_.integer(*every, "every", 1, 0xFFFFFFFFu);
      if (!step || !take(count / *step + 1, every->mark)) return false;
      fill(out, first, count, *step);
      all = all && *step == 1;
    } else if (list) {
      all = false;
      return some(*list, count, first, sure, out);
    } else if (!all) {
      if (!take(count, n.mark)) return false;
      fill(out, first, count, 1);
    } else if (n.is_map() && n.find("variable") && !take(count, n.mark)) {
      return false;
    }
    return true;
  }

  /// [0, 5, 10..19]: single neurons and ranges with both ends.
  bool some(const Node& list, std::uint64_t count, std::uint64_t first, bool sure,
            std::vector<std::uint32_t>& out) {
    std::vector<const Node*> items;
    if (list.is_list())
      for (const auto& i : list.items) items.push_back(&i);
    else items.push_back(&list);
    bool good = true;
    if (items.empty()) {
      r_.errors.error(list.mark, "'ids' is an empty list");
      return false;
    }
    for (const Node* i : items) {
      std::uint64_t a = 0, b = 0;
      if (const auto dots = i->is_scalar() ? i->text.find("..") : std::string::npos;
          dots != std::string::npos) {
        const auto number = [](std::string_view s, std::uint64_t& x) {
          const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), x);
          return error == std::errc{} && end == s.data() + s.size();
        };
        if (!number(std::string_view(i->text).substr(0, dots), a) ||
            !number(std::string_view(i->text).substr(dots + 2), b) || a > b) {
          r_.errors.error(i->mark, fmt::format("{} is no range of neurons", in_quotes(i->text)),
                          "ranges hold both ends: 0..99 is the first hundred");
          good = false;
          continue;
        }
      } else {
        const auto x = r_.integer(*i, "ids", 0, 0xFFFFFFFFu);
        if (!x) {
          good = false;
          continue;
        }
        a = b = *x;
      }
      if (b >= count) {
        r_.errors.error(i->mark,
                        fmt::format("there is no neuron {}; there are {}, counted from 0", b, count));
        good = false;
        continue;
      }
      if (!sure) continue;
      if (!r_.take(b - a + 1, i->mark)) return false;
      fill(out, first + a, b - a + 1, 1);
    }
    std::sort(out.begin(), out.end());
    if (good && std::adjacent_find(out.begin(), out.end()) != out.end()) {
      r_.errors.error(list.mark, fmt::format("neuron {} is listed twice",
                                             *std::adjacent_find(out.begin(), out.end()) - first));
      return false;
    }
    return good;
  }

  Loading& l_;
  Reader& r_;
  std::vector<bool> recorded_;  ///< populations whose spikes are
  std::set<std::string, std::less<>> report_names_;
};

}  // namespace

std::span<const Key> record_keys() { return record_entry_keys; }
std::span<const Key> spikes_keys() { return spike_entry_keys; }
std::span<const Key> report_keys() { return report_entry_keys; }
std::span<const Key> weight_keys() { return weight_entry_keys; }

void load_recording(Loading& l, const Node& map) {
  if (map.kind == Node::Kind::null) return;
  l.read.map(map, record_entry_keys, "'record'", map.mark);
  if (!map.is_map()) return;
  Recording r(l);
  if (const Node* n = map.find("spikes")) r.spikes(*n);
  if (const Node* n = map.find("reports")) r.reports(*n);
  if (const Node* n = map.find("edges")) r.edges(*n);
  if (const Node* n = map.find("weights")) r.weights(*n);
}

}  // namespace spinet::reading
