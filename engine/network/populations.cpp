#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "network/parts.hpp"
#include "network/preset.hpp"
#include "network/spellings.hpp"
#include "network/structs.hpp"
#include "network/suggest.hpp"

namespace spinet::reading {
namespace {

constexpr std::uint64_t most_neurons = 4'000'000'000;  // a Gid has 32 bits
constexpr std::size_t most_inherited = 1'000'000;      // values copied by `like`
constexpr int longest_like = 32;

constexpr Key population_entry_keys[] = {
    {"model", false, "model", "name of a neuron or source model (`spinet models` lists them)"},
    {"preset", false, "name", "a named set of the model's parameters; those in 'params' come before it"},
    {"size", false, "integer", "number of neurons"},
    {"shape", false, "shape",
     "of a layer: [neurons], [rows, columns] or [channels, rows, columns]; the size follows"},
    {"params", false, "values",
     "parameters of the model; a number, a distribution, or a list of one value per neuron"},
    {"initial", false, "values",
     "variables at t = 0; a number, a distribution, or a list of one value per neuron"},
    {"like", false, "name", "a population whose keys hold where this one gives none"},
    {"positions", false, "positions", "where the neurons are, for connections by distance"},
    {"spikes", false, "spikes",
     "spike times of a source model that takes them: a list per neuron, or a file"},
    {"patterns", false, "pattern_list", "an environment's input patterns and their targets"},
    {"drives", false, "names", "projections whose synapses an environment may address"},
    {"curves", false, "curves", "of electrical-magnetic neurons: em_reference, or a file of measured curves"},
};
bool is_name(std::string_view s) {
  if (s.empty() || s.size() > 64 || !(std::isalpha(static_cast<unsigned char>(s[0])) || s[0] == '_'))
    return false;
  return std::all_of(s.begin(), s.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; });
}

std::size_t size_of(const Node& n) {
  std::size_t c = 1;
  for (const auto& i : n.items) c += size_of(i);
  return c;
}

/// Puts b's entries over a's; the maps `params` and `initial`, parameters or not, are merged entry by entry.
void put_over(Node& a, const Node& b, const Reader& r) {
  for (std::size_t i = 0; i < b.keys.size(); ++i) {
    Node* old = a.find(b.keys[i].name);
    const bool merged = b.keys[i].name == "params" || b.keys[i].name == "initial";
    if (!old) {
      a.keys.push_back(b.keys[i]);
      a.items.push_back(b.items[i]);
    } else if (merged && r.resolved(*old).is_map() && r.resolved(b.items[i]).is_map()) {
      *old = Node(r.resolved(*old));
      put_over(*old, r.resolved(b.items[i]), r);
    } else {
      *old = b.items[i];
    }
  }
}

class Populations {
 public:
  Populations(Loading& l, const Node& map) : l_(l), r_(l.read), map_(map) {}

  void all() {
    std::uint64_t gids = 0;
    std::vector<std::size_t>
        of_keys;  // errors; `like` may name a later population, whose keys must have been seen
    for (std::size_t i = 0; i < map_.keys.size(); ++i) {
      const std::size_t before = r_.errors.count();
      r_.map(r_.resolved(map_.items[i]), population_entry_keys,
             fmt::format("population {}", in_quotes(map_.keys[i].name)), map_.keys[i].mark);
      of_keys.push_back(r_.errors.count() - before);
    }
    for (std::size_t i = 0; i < map_.keys.size(); ++i) {
      const auto& key = map_.keys[i];
      const std::size_t before = r_.errors.count() - of_keys[i];
      if (!is_name(key.name) || key.name == "all")
        r_.errors.error(key.mark, fmt::format("{} is no name for a population", in_quotes(key.name)),
                        "letters, digits and '_', a letter first; 'all' is taken");
      Population p;
      p.name = key.name;
      p.named_at = {key.mark.line, key.mark.column};
      p.first = static_cast<Gid>(gids);
      load(p, r_.resolved(map_.items[i]), key);
      const bool sized = p.size > 0;
      if (!sized) p.size = 1;  // so that what names it can be read
      gids += p.size;
      if (gids > most_neurons) {
        r_.errors.error(key.mark, fmt::format("more than {} neurons in all", most_neurons));
        p.size = 1;
        gids = p.first + 1u;
      }
      l_.populations.index[p.name] = static_cast<std::uint32_t>(l_.net.populations.size());
      l_.populations.marks.push_back(key.mark);
      l_.populations.flawed.push_back(r_.errors.count() != before || !p.model || !sized);
      l_.populations.unsized.push_back(!sized);
      l_.populations.unplaced.push_back(!placed_);
      l_.net.populations.push_back(std::move(p));
    }
  }

 private:
  /// The population's keys with those of `like` below them; empty after an error.
  std::optional<Node> merged(const Node& n, int chain) {
    const Node* like = n.is_map() ? n.find("like") : nullptr;
    if (!like) return n;
    const auto name = r_.text(*like, "like");
    if (!name) return std::nullopt;
    const Node* const named = map_.find(*name);
    const Node* const other = named ? &r_.resolved(*named) : nullptr;
    if (!other) {
      std::vector<std::string> known;
      for (const auto& k : map_.keys) known.push_back(k.name);
      r_.errors.error(like->mark, fmt::format("unknown population {}", in_quotes(*name)),
                      suggest(*name, known, "populations"));
      return std::nullopt;
    }
    if (chain >= longest_like || other == &n) {
      r_.errors.error(like->mark, "'like' leads back to this population or through too many others");
      return std::nullopt;
    }
    if (inherited_ <= most_inherited) inherited_ += size_of(*other);
    if (inherited_ > most_inherited) {
      r_.errors.error(like->mark, fmt::format("'like' copies more than {} values", most_inherited));
      return std::nullopt;
    }
    auto base = merged(*other, chain + 1);
    if (!base || !base->is_map()) return std::nullopt;
    base->incomplete = base->incomplete || n.incomplete;
    put_over(*base, n, r_);
    return base;
  }

  void load(Population& p, const Node& given, const Node::Key& key) {
    const std::string what = fmt::format("population {}", in_quotes(p.name));
    placed_ = true;
    if (!given.is_map()) return;
    auto n = merged(given, 0);
    if (!n) {  // an error of `like`: what is given here is read all the same, and nothing is said to be
               // missing
      n = given;
      n->incomplete = true;
    }
    const Node* model = n->find("model");
    if (!model) {
      if (!misspelt(*n, "model"))
        r_.errors.error(key.mark, what + " has no 'model'", suggest("", model_names(), "models"));
    } else if (const auto name = r_.text(*model, "model")) {
      p.model = find_model(*name, model->mark);
    }
    read_size(p, *n, key.mark);
    if (const Node* positions = n->find("positions")) placed_ = read_positions(l_, p, *positions);
    if (!p.model) return;
    bad_.clear();
    const auto& m = *p.model;
    preset_ = read_preset(r_, *n, m);
    p.params = fields({m.params, 0, "parameter"}, n->find("params"), p);
    preset_ = nullptr;
    p.initial = fields({m.variables, Flag::initial, "initial value"}, n->find("initial"), p);
    if (const Node* spikes = n->find("spikes"); spikes && p.size > 0) {
      if (!takes_spikes(m)) {
        r_.errors.error(spikes->mark, fmt::format("model {} takes no list of spikes", m.name),
                        "spike times belong to a population of model spike_source");
      } else {
        read_spikes(r_, p, *spikes);
      }
    }
    if (const Node* curves = n->find("curves")) {
      if (takes_curves(m)) p.curves = read_curves(r_, *curves);
      else
        r_.errors.error(curves->mark, fmt::format("model {} reads out no curves", m.name),
                        "curves belong to a population of model em_activation");
    }
    const bool wanted = p.neuron() && p.neuron()->environment && p.neuron()->patterns;
    if (const Node* n_patterns = n->find("patterns")) {
      if (wanted) read_patterns(r_, p, *n_patterns);
      else
        r_.errors.error(n_patterns->mark, fmt::format("model {} takes no patterns", m.name),
                        "patterns belong to an environment such as pattern_task");
    } else if (wanted) {
      if (!misspelt(*n, "patterns"))
        r_.errors.error(key.mark, what + " has no 'patterns'", "patterns: [{in: [0, 1], out: [1]}, ...]");
    }
    cross_check(p, *n, key.mark);
  }

  void read_size(Population& p, const Node& n, Mark where) {
    const Node *size = n.find("size"), *shape = n.find("shape");
    if (size)
      if (const auto s = r_.integer(*size, "size", 1, most_neurons)) p.size = static_cast<std::uint32_t>(*s);
    if (shape && (p.shape = read_shape(r_, *shape))) {
      if (size && p.size != 0 && p.size != p.shape->size())
        r_.errors.error(size->mark,
                        fmt::format("'shape' has {} neurons, 'size' says {}", p.shape->size(), p.size),
                        "one of them; the size follows from the shape");
      p.size = static_cast<std::uint32_t>(p.shape->size());
    }
    if (!size && !shape && !misspelt(n, "size") && !misspelt(n, "shape"))
      r_.errors.error(where, fmt::format("population {} has no 'size'", in_quotes(p.name)),
                      "size: number of neurons");
  }

  std::vector<std::string> model_names() const {
    std::vector<std::string> known;
    for (const auto& e : r_.catalogue.all())
      if (e.model->kind != Kind::synapse) known.emplace_back(e.model->name);
    return known;
  }
  const Model* find_model(const std::string& name, Mark where) {
    guessed_ = false;
    for (const Kind k : {Kind::neuron, Kind::source})
      if (const auto* m = r_.catalogue.find(k, name)) return m;
    if (r_.catalogue.find(Kind::synapse, name))
      r_.errors.error(
          where,
          fmt::format("{} is a synapse model; a population needs a neuron or source model", in_quotes(name)),
          suggest(name, model_names(), "models"));
    else
      r_.errors.error(where, fmt::format("unknown model {}", in_quotes(name)),
                      meant(Spelling::Of::population_model, name, model_names(), "models"));
    guessed_ = true;
    // A misspelt one, or another simulator's, is taken for the model meant, so that what follows from it is
    // checked.
    const auto near = spelling(Spelling::Of::population_model, name, model_names())
                          ? right_name(Spelling::Of::population_model, name, model_names())
                          : meant_surely(name, model_names());
    for (const Kind k : {Kind::neuron, Kind::source})
      if (const auto* m = r_.catalogue.find(k, near)) return m;
    return nullptr;
  }

  /// The fields of a model that a key gives: those of a table that have `flags`.
  struct Settable {
    const Fields& table;
    std::uint32_t flags;
    std::string_view kind;
  };
  void check_names(const Settable& of, const Node& given, const Model& m) {
    const auto& [table, flags, kind] = of;
    const auto allowed = names(table, flags);
    const std::string none = fmt::format("{} has none", m.name);
    for (const auto& k : given.keys)
      if (k.meant.empty() && std::find(allowed.begin(), allowed.end(), k.name) == allowed.end())
        r_.unknown_key(given, k,
                       {allowed,
                        allowed.empty() ? none
                        : flags         ? "variables"
                                        : "parameters",
                        [&](const std::string& name) { return unit_of(of.table, name); }},
                       fmt::format("unknown {} {} of model {}", kind, in_quotes(k.name), m.name));
  }

  /// One distribution per field.
  std::vector<Distribution> fields(const Settable& of, const Node* given, const Population& p) {
    const auto& [table, flags, kind] = of;
    std::vector<Distribution> out;
    if (given) given = &r_.resolved(*given);
    if (given && given->kind == Node::Kind::null) given = nullptr;
    if (given && !given->is_map()) {
      r_.errors.error(given->mark,
                      fmt::format("expected a map of names and values, not {}", kind_name(*given)));
      given = nullptr;
    }
    if (given) check_names(of, *given, *p.model);
    for (std::uint32_t i = 0; i < table.count; ++i) {
      const Field& f = field(table, i);
      if ((f.flags & flags) != flags) continue;
      Distribution d{Distribution::Kind::constant, value_without(f, preset_)};
      const Node* v = given ? given->find(f.name) : nullptr;
      if (v && f.choices) {
        if (const auto x = r_.choice(*v, f)) d.a = *x;
        else bad_.insert(f.name);
      } else if (v && flags == 0 && asks_fan_in(r_.resolved(*v))) {
        if (auto read = by_fan_in(r_, r_.resolved(*v), wanted(f), 1)) {
          d = std::move(*read);
          l_.by_fan_in.push_back({static_cast<std::uint32_t>(l_.net.populations.size()), i, v->mark});
        } else {
          bad_.insert(f.name);
        }
      } else if (v) {
        if (auto read = r_.distribution(*v, wanted(f), p.size ? p.size : Reader::any_number))
          d = std::move(*read);
        else bad_.insert(f.name);
      }
      out.push_back(std::move(d));
    }
    return out;
  }

  /// The model's own check across fields, for each combination that the network fixes.  Values that are
  /// errors stand at their presets; nothing is said that names one of them, nor of a model that is but a
  /// guess, if it is not about what the network gives.
  void cross_check(const Population& p, const Node& n, Mark where) {
    const Node* params = n.find("params");
    if (params) params = &r_.resolved(*params);
    if (const auto* table = p.neuron(); table && !table->per_neuron)
      for (std::uint32_t i = 0; i < p.params.size(); ++i) {
        const Field& f = field(p.model->params, i);
        if ((f.flags & Flag::shared) && p.params[i].kind != Distribution::Kind::constant)
          r_.errors.error(params->find(f.name)->mark,
                          fmt::format("'{}' must be the same for all neurons of a population of model {}",
                                      f.name, p.model->name),
                          "make several populations");
      }
    if (p.size == 0 && std::any_of(p.params.begin(), p.params.end(), [](const Distribution& d) {
          return d.kind == Distribution::Kind::listed;
        }))
      return;
    const auto c = check_params(*p.model, p.params);
    if (!c.reason) return;
    const auto named = fields_named(p.model->params, c.reason);
    const auto given = [&](const std::string& name) {
      return params && params->is_map() ? params->find(name) : nullptr;
    };
    if (named.empty() && (guessed_ || !bad_.empty())) return;
    if (std::any_of(named.begin(), named.end(),
                    [&](const std::string& name) { return bad_.count(name) || (guessed_ && !given(name)); }))
      return;
    const auto first = std::find_if(named.begin(), named.end(), given);
    const Node* const drawn =
        c.blamed < 0 ? nullptr : given(field(p.model->params, static_cast<std::uint32_t>(c.blamed)).name);
    r_.errors.error(
        drawn                                                 ? drawn->mark
        : first != named.end()                                ? given(*first)->mark
        : params && params->is_map() && !params->keys.empty() ? params->keys[0].mark
                                                              : where,
        fmt::format("population {}: {}", in_quotes(p.name), c.reason),
        c.drawn ? "it fails for values that the distributions may draw; give 'min' or 'max'" : "");
  }

  Loading& l_;
  Reader& r_;
  const Node& map_;
  std::size_t inherited_ = 0;
  std::set<std::string, std::less<>> bad_;  ///< fields of the population being read whose values are errors
  const Preset* preset_ = nullptr;          ///< of the parameters being read
  bool guessed_ = false;                    ///< its model
  bool placed_ = true;                      ///< its positions, if it has any, are no error
};

}  // namespace

std::span<const Key> population_keys() { return population_entry_keys; }

void load_populations(Loading& l, const Node& map) {
  l.populations.complete = map.is_map() && !map.incomplete;
  if (!map.is_map() || (map.keys.empty() && !map.incomplete)) {
    l.read.errors.error(map.mark,
                        "'populations' must be a map of names and populations, not " +
                            (map.is_map() ? "an empty one" : kind_name(map)),
                        "for example: populations: {exc: {model: lif_delta, size: 100}}");
    return;
  }
  Populations(l, map).all();
}

}  // namespace spinet::reading
