#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <tuple>

#include "network/parts.hpp"
#include "network/spellings.hpp"
#include "network/structs.hpp"
#include "network/suggest.hpp"

namespace spinet::reading {
namespace {

constexpr double longest_delay = 0x1p60, longest_steps = 0xFFFFFFFFu;  // ticks; steps of delay_resolution

constexpr Key keys[] = {
    {"from", true, "populations", "source population, a part such as exc[0:100], or a list that is concatenated"},
    {"to", true, "populations", "target population, a part, or a list"},
    {"connect", true, "connect", "which pairs are connected"},
    {"synapse", true, "synapse", "model, weight, delay, port and parameters of the synapses"},
};
constexpr Key synapse_own[] = {
    {"model", true, "synapse_model", "name of a synapse model (`spinet models` lists them)"},
    {"delay", false, "value", "from emission to arrival; a time or a distribution"},
    {"port", false, "name", "input of the target; chosen by the sign of the weight if not given; a port with a sign gives it to its weights"},
    {"sign", false, "integer", "-1: weights without a sign of their own (stdp, istdp) are negative, at a port without one"},
    {"weights", false, "weights_from", "weights from the log of an earlier run of these connections, in place of 'weight'"},
};
constexpr Key from_keys[] = {
    {"from", true, "path", "the log, OUT.h5"},
    {"values", false, "name", "frame: the last of `record: weights` (if not given); events: the last weight events; edges: those of `record: edges`"},
    {"projection", false, "name", "its name in the log, if another"},
};

/// +1, -1, 0: both signs.  A weight of 0 counts as positive.
int sign_of(const Distribution& d) {
  switch (d.kind) {
    case Distribution::Kind::constant: return d.a < 0 ? -1 : 1;
    case Distribution::Kind::uniform: return d.a >= 0 ? 1 : d.b <= 0 ? -1 : 0;
    case Distribution::Kind::exponential:
    case Distribution::Kind::lognormal: return 1;
    default: return d.low >= 0 ? 1 : d.high <= 0 ? -1 : 0;
  }
}

/// Neurons in both; each list's ranges do not overlap.
std::uint64_t common(std::vector<GidRange> a, std::vector<GidRange> b) {
  const auto by_gid = [](const GidRange& x, const GidRange& y) { return x.first < y.first; };
  std::sort(a.begin(), a.end(), by_gid);
  std::sort(b.begin(), b.end(), by_gid);
  std::uint64_t n = 0;
  for (auto i = a.begin(), j = b.begin(); i != a.end() && j != b.end();) {
    const std::uint64_t end_i = std::uint64_t{i->first} + i->count, end_j = std::uint64_t{j->first} + j->count;
    const std::uint64_t first = std::max(i->first, j->first), last = std::min(end_i, end_j);
    if (last > first) n += last - first;
    end_i < end_j ? ++i : ++j;
  }
  return n;
}

class Projections {
 public:
  Projections(Loading& l) : l_(l), r_(l.read) {}

  void all(const Node& map) {
    for (std::size_t i = 0; i < map.keys.size(); ++i) {
      const auto& key = map.keys[i];
      const std::size_t before = r_.errors.count();
      check_name(key);
      Projection p;
      p.name = key.name;
      load(p, map.items[i], key);
      l_.projections.index[p.name] = static_cast<std::uint32_t>(l_.net.projections.size());
      l_.projections.marks.push_back(key.mark);
      l_.projections.flawed.push_back(r_.errors.count() != before || incomplete_ || !p.synapse);
      l_.net.projections.push_back(std::move(p));
    }
  }

 private:
  void check_name(const Node::Key& key) {
    const auto& s = key.name;
    const bool name = !s.empty() && s.size() <= 64 && (std::isalpha(static_cast<unsigned char>(s[0])) || s[0] == '_') &&
                      std::all_of(s.begin(), s.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; });
    if (!name)
      r_.errors.error(key.mark, fmt::format("{} is no name for a projection", in_quotes(s)), "letters, digits and '_', a letter first");
    else if (l_.populations.index.count(s))
      r_.errors.error(key.mark, fmt::format("{} is the name of a population, too", in_quotes(s)), "the schedule could mean either");
  }

  void load(Projection& p, const Node& n, const Node::Key& key) {
    incomplete_ = true;  // until everything has been read; populations with errors leave it so without a message
    const std::string what = fmt::format("projection {}", in_quotes(p.name));
    for (std::size_t i = 0; i < n.keys.size(); ++i) {
      const Spelling* s = spelling(Spelling::Of::key, n.keys[i].name, names(keys));
      if (!s || s->right != "connect: @") continue;
      r_.errors.error(n.keys[i].mark, fmt::format("unknown key {} of {}", in_quotes(n.keys[i].name), what),
                      answer(*s, rule_line(n.items[i], n)));
      n.keys[i].meant = "connect";
    }
    r_.map(n, keys, what, key.mark);
    if (!n.is_map()) return;
    const Node *from = n.find("from"), *to = n.find("to"), *connect = n.find("connect"), *synapse = n.find("synapse");
    // All is read, whatever is wrong with the rest, so that its own errors show.
    sources_known_ = from && ends(*from, "from", p.sources);
    targets_known_ = to && ends(*to, "to", p.targets);
    onto_neurons_ = check_targets(to, p) && targets_known_;
    const RuleRead rule = connect ? load_rule(l_, p, *connect, key.mark) : RuleRead{false};
    const bool read = synapse && read_synapse(p, *synapse, key.mark, rule);
    if (sources_known_ && targets_known_ && rule.good) drawable(p, *connect);
    incomplete_ = !(sources_known_ && onto_neurons_ && rule.good && read);
  }

  /// False if not all of the ends are known.
  bool ends(const Node& given, std::string_view what, std::vector<GidRange>& out) {
    const Node& n = r_.resolved(given);
    std::vector<const Node*> items;
    if (n.is_list())
      for (const auto& i : n.items) items.push_back(&i);
    else
      items.push_back(&n);
    if (items.empty()) {
      r_.errors.error(n.mark, fmt::format("'{}' is an empty list", what));
      return false;
    }
    bool good = true;
    std::vector<std::pair<GidRange, const Node*>> sorted;
    for (const Node* i : items) {
      if (!i->is_scalar()) {
        r_.errors.error(i->mark, fmt::format("'{}' must name populations, not {}", what, kind_name(*i)));
        good = false;
        continue;
      }
      const auto s = select(l_, i->text, i->mark);
      if (!s) {
        good = false;
        continue;
      }
      out.push_back(s->range);
      if (s->sure) sorted.emplace_back(s->range, i);
      else good = false;
    }
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first.first < b.first.first; });
    for (std::size_t i = 1; i < sorted.size(); ++i)
      if (std::uint64_t{sorted[i - 1].first.first} + sorted[i - 1].first.count > sorted[i].first.first) {
        r_.errors.error(sorted[i].second->mark, fmt::format("{} names neurons that {} has named already in '{}'", in_quotes(sorted[i].second->text),
                                                            in_quotes(sorted[i - 1].second->text), what));
        good = false;
      }
    return good;
  }

  const Population& population_of(const GidRange& r) const {
    const auto at = std::upper_bound(l_.net.populations.begin(), l_.net.populations.end(), r.first,
                                     [](Gid g, const Population& p) { return g < p.first; });
    return *(at - 1);
  }

  bool check_targets(const Node* to, const Projection& p) {
    bool good = true;
    for (std::size_t i = 0; i < p.targets.size(); ++i) {
      const auto& target = population_of(p.targets[i]);
      good = good && target.model;
      if (!target.model || target.neuron()) continue;
      r_.errors.error(to->is_list() && to->items.size() == p.targets.size() ? to->items[i].mark : to->mark,
                      fmt::format("{} is a source (model {}); sources send and receive nothing", in_quotes(target.name), target.model->name),
                      "swap 'from' and 'to'?");
      good = false;
    }
    return good;
  }

  // --- synapses --------------------------------------------------------------------------------------------------

  /// False after an error.
  bool read_synapse(Projection& p, const Node& given, Mark where, const RuleRead& rule) {
    const Node& n = r_.resolved(given);
    if (!n.is_map()) {
      r_.errors.error(n.mark, "'synapse' must be a map, not " + kind_name(n), "for example {model: static, weight: 0.1 mV, delay: 1.5 ms}");
      return false;
    }
    const std::size_t before = r_.errors.count();
    const Model* model = nullptr;
    bool guessed = false;
    if (!n.find("model")) check_own_keys(n);
    const Node* m = n.find("model");
    if (m) {
      if (const auto name = r_.text(*m, "model")) model = find_model(*name, m->mark, guessed);
    } else if (!misspelt(n, "model")) {
      r_.errors.error(n.mark.line ? n.mark : where, "the synapse has no 'model'", suggest("", model_names(), "models"));
    }
    if (model) check_keys(n, *model);
    bool timed = true;
    if (const Node* d = n.find("delay")) {
      auto delay = read_delay(*d);
      timed = delay.has_value();
      if (timed) p.delay = std::move(*delay);
    }
    const auto port = port_unit_of(p, n);
    if (!model) return false;
    p.synapse = reinterpret_cast<const SynapseTable*>(model);
    if (!guessed) check_reads(p, m->mark);
    const std::size_t before_params = r_.errors.count();
    read_params(p, n, port, guessed);
    most_ = port && r_.errors.count() == before_params ? most_weight(*p.synapse, p.params) : std::nullopt;
    bool sure = r_.errors.count() == before_params && !guessed;  // of all that the sign of the weights depends on
    const std::size_t before_weights = r_.errors.count();
    Weights w = read_state(p, n, port);
    listed_ends_ = rule.edges != nullptr;
    check_most(p, n, w);

    ports_sign_ = onto_neurons_ && port_named_ ? sign_of_port(p, n) : std::nullopt;
    synapse_ = &n;
    if (rule.edges) read_edges(p, rule, n, w);
    if (const Node* from = n.find("weights")) read_weights(p, r_.resolved(*from), w, rule.good && !w.failed && sources_known_ && onto_neurons_ && port);
    sure = sure && r_.errors.count() == before_weights;
    // A list that could not be read may have delays.
    if (!n.find("delay") && !p.listed_delays && !misspelt(n, "delay") && (!rule.edges || r_.errors.count() == before))
      r_.errors.error(m->mark, "the synapse has no 'delay'", "delay: a time such as 1.5 ms, at least one delay_resolution");
    if (port && port_named_ && onto_neurons_ && (!w.failed || n.find("port"))) choose_port(p, n, w, sure);
    return timed && port && r_.errors.count() == before;
  }

  /// Without a model only a key that stands for `model` can be told from the model's own.
  void check_own_keys(const Node& n) {
    const auto own = names(synapse_own);
    for (const auto& k : n.keys)
      if (nearest(k.name, own) == "model" || right_key(k.name, own) == "model")
        r_.unknown_key(n, k, {own, "keys"}, fmt::format("unknown key {} of a synapse", in_quotes(k.name)));
  }
  void check_keys(const Node& n, const Model& model) {
    std::vector<std::string> allowed = names(model.variables, Flag::initial);
    for (auto& name : names(synapse_own)) allowed.push_back(std::move(name));
    for (auto& name : names(model.params)) allowed.push_back(std::move(name));
    const auto unit = [&](const std::string& name) {
      const auto own = name == "delay" ? std::string("ms") : unit_of(model.params, name);
      return own.empty() ? unit_of(model.variables, name) : own;
    };
    for (const auto& k : n.keys)
      if (std::find(allowed.begin(), allowed.end(), k.name) == allowed.end() && k.meant != "model")
        r_.unknown_key(n, k, {allowed, "keys", unit},
                       fmt::format("unknown key {} of a synapse of model {}", in_quotes(k.name), model.name));
  }
  void check_reads(const Projection& p, Mark where) {
    for (std::uint32_t k = 0; k < p.synapse->read_count; ++k)
      for (const auto* target : target_models(p))
        if (const auto known = names(target->model.variables); std::find(known.begin(), known.end(), p.synapse->reads[k]) == known.end())
          r_.errors.error(where, fmt::format("synapses of model {} read the variable '{}' of their targets, which model {} does not have",
                                             p.synapse->model.name, p.synapse->reads[k], target->model.name));
  }

  /// What is known of the weights while they are read.
  struct Weights {
    const Node* node = nullptr;   ///< where the synapse gives them
    const Field* field = nullptr; ///< null: the model has none
    std::string unit;
    int sign = 1;                 ///< +1, -1, or 0: both
    bool failed = false;          ///< the sign is not known
  };
  /// A field in the unit of the port; where that is not known, any unit and range will do.
  static Wanted wanted_here(const Field& f, const std::optional<std::string>& port) {
    if (port || !(f.flags & Flag::port_unit)) return wanted(f, port.value_or(""));
    return {f.name, std::string(any_unit)};
  }
  Weights read_state(Projection& p, const Node& n, const std::optional<std::string>& port) {
    Weights w;
    w.unit = port.value_or(std::string(any_unit));
    const Fields& variables = p.synapse->model.variables;
    for (std::uint32_t i = 0; i < variables.count; ++i) {
      const Field& f = field(variables, i);
      if (!(f.flags & Flag::initial)) continue;
      Distribution d{Distribution::Kind::constant, f.preset};
      const Node* v = n.find(f.name);
      bool failed = false;
      if (v) {
        auto read = r_.distribution(*v, wanted_here(f, port), 0);
        failed = !read;
        if (read) d = std::move(*read);
      }
      if (p.state.empty()) {
        w.node = v, w.field = &f;
        w.failed = failed;
        w.sign = sign_of(d);
      }
      p.state.push_back(std::move(d));
    }
    return w;
  }
  void read_params(Projection& p, const Node& n, const std::optional<std::string>& port, bool guessed) {
    const Model& model = p.synapse->model;
    std::set<std::string> bad;  // no values, or in a unit that is not known
    for (std::uint32_t i = 0; i < model.params.count; ++i) {
      const Field& f = field(model.params, i);
      double x = f.preset;
      if (const Node* v = n.find(f.name)) {
        const Node& value = r_.resolved(*v);
        bad.insert(f.name);
        if (value.is_map() || value.is_list()) {
          r_.errors.error(value.mark, fmt::format("'{}' is a parameter of all synapses of the projection and must be one number", f.name));
        } else if (const auto y = f.choices ? r_.choice(value, f) : r_.number(value, wanted_here(f, port))) {
          const bool unit_known = port || !(f.flags & Flag::port_unit);
          if (unit_known) x = *y, bad.erase(f.name);
        }
      }
      p.params.push_back(x);
    }
    std::vector<Distribution> constants;
    for (const double x : p.params) constants.push_back({Distribution::Kind::constant, x});
    const auto c = check_params(model, constants);
    if (!c.reason) return;
    const auto named = fields_named(model.params, c.reason);
    if (named.empty() && (guessed || !port || !bad.empty())) return;
    if (std::any_of(named.begin(), named.end(),
                    [&](const std::string& name) { return bad.count(name) || (guessed && !n.find(name)); }))
      return;
    const auto first =
        std::find_if(named.begin(), named.end(), [&](const std::string& name) { return n.find(name); });
    r_.errors.error(first != named.end() ? n.find(*first)->mark : n.mark, c.reason);
  }

  std::vector<std::string> model_names() const {
    std::vector<std::string> known;
    for (const auto& e : r_.catalogue.all())
      if (e.model->kind == Kind::synapse) known.emplace_back(e.model->name);
    return known;
  }
  /// The model of a name; a misspelt one is taken for the one meant.
  const Model* find_model(const std::string& name, Mark where, bool& guessed) {
    if (const auto* m = r_.catalogue.find(Kind::synapse, name)) return m;
    guessed = true;
    const bool other = r_.catalogue.find(Kind::neuron, name) || r_.catalogue.find(Kind::source, name);
    r_.errors.error(where, other ? fmt::format("{} is no synapse model", in_quotes(name)) : fmt::format("unknown synapse model {}", in_quotes(name)),
                    meant(Spelling::Of::synapse_model, name, model_names(), "models"));
    if (other) return nullptr;
    const bool known = spelling(Spelling::Of::synapse_model, name, model_names()) != nullptr;
    return r_.catalogue.find(Kind::synapse, known
                                                ? right_name(Spelling::Of::synapse_model, name, model_names())
                                                : meant_surely(name, model_names()));
  }

  std::optional<Distribution> read_delay(const Node& given) {
    const Node& n = r_.resolved(given);
    const double step = static_cast<double>(l_.net.delay_resolution);
    const double step_ms = scaled(step * r_.tick.number, r_.tick.decade + 3);
    if (!n.is_map() && !n.is_list()) {
      const auto ms = r_.number(n, {"delay", "ms"});
      if (!ms) return std::nullopt;
      const double t = std::round(r_.ticks(*r_.quantity(n, "delay")));
      if (const auto reason = delay_fault(*ms, t); !reason.first.empty()) {
        r_.errors.error(n.mark, reason.first, reason.second);
        return std::nullopt;
      }
      return Distribution{Distribution::Kind::constant, t};
    }
    auto d = r_.distribution(n, {"delay", "ms", step_ms}, 0);
    if (!d) return std::nullopt;
    if (d->kind == Distribution::Kind::constant) {
      const double t = std::round(r_.ticks({d->a, -3, {}}));
      if (const auto reason = delay_fault(d->a, t); !reason.first.empty()) {
        r_.errors.error(n.mark, reason.first, reason.second);
        return std::nullopt;
      }
      return Distribution{Distribution::Kind::constant, t};
    }
    const double per_ms = r_.ticks({1, -3, {}});
    if (d->kind == Distribution::Kind::lognormal) d->a += static_cast<double>(std::log(static_cast<long double>(per_ms)));
    else d->a = r_.ticks({d->a, -3, {}}), d->b = r_.ticks({d->b, -3, {}});
    d->low = std::max(step, std::round(r_.ticks({d->low, -3, {}})));
    d->high = std::min(longest_delay, std::round(r_.ticks({d->high, -3, {}})));
    if (const double most = longest_drawn(*d); most > longest()) {
      r_.errors.error(n.mark,
                      fmt::format("delays of up to {:.3g} s may be drawn; the longest that can be is {}",
                                  most * r_.tick.si(), r_.time_text(longest())),
                      "give a 'max', or a longer `delay_resolution`");
      return std::nullopt;
    }
    return d;
  }
  /// The longest delay that can be, in ticks: steps are counted in 32 bits.
  double longest() const { return std::min(longest_delay, longest_steps * static_cast<double>(l_.net.delay_resolution)); }
  /// The longest that is drawn, from a word of 32 bits.
  static double longest_drawn(const Distribution& d) {
    constexpr double deviations = 6.35, means = 22.9;  // of the quantile 1 - 2^-33
    switch (d.kind) {
      case Distribution::Kind::constant: return d.a;
      case Distribution::Kind::uniform: return d.b;
      case Distribution::Kind::normal: return std::min(d.high, std::max(d.low, d.a + deviations * d.b));
      case Distribution::Kind::exponential: return std::min(d.high, std::max(d.low, means * d.a));
      default: return std::min(d.high, std::max(d.low, std::exp(d.a + deviations * d.b)));
    }
  }
  /// Why a fixed delay cannot be, and what could be meant.
  std::pair<std::string, std::string> delay_fault(double ms, double t) const {
    const double step = static_cast<double>(l_.net.delay_resolution);
    if (!(ms > 0)) return {fmt::format("a delay must be above 0 ms; it is {}", with_unit(ms, "ms")), ""};
    if (t > longest())
      return {fmt::format("a delay of {} is too long", with_unit(ms, "ms")),
              fmt::format("at most {}; or give a longer `delay_resolution`", r_.time_text(longest()))};
    const double below = std::floor(t / step) * step;
    if (t == below && t > 0) return {};
    const std::string above = r_.time_text(below + step);
    return {fmt::format("a delay must be a multiple of delay_resolution ({}); it is {}", r_.time_text(step), with_unit(ms, "ms")),
            below > 0 ? fmt::format("nearest: {} and {}; or give another `delay_resolution`", r_.time_text(below), above)
                      : fmt::format("nearest: {}; or give another `delay_resolution`", above)};
  }

  // --- ports -----------------------------------------------------------------------------------------------------

  std::vector<const NeuronTable*> target_models(const Projection& p) const {
    std::vector<const NeuronTable*> models;
    for (const auto& t : p.targets) {
      const auto& population = population_of(t);
      const auto* m = population.model ? population.neuron() : nullptr;  // errors of their own
      if (m && std::find(models.begin(), models.end(), m) == models.end()) models.push_back(m);
    }
    return models;
  }
  static std::vector<std::string> port_names(const NeuronTable& m) {
    std::vector<std::string> n;
    for (std::uint32_t i = 0; i < m.port_count; ++i) n.emplace_back(m.ports[i].name);
    return n;
  }

  /// Ports that all models of the targets have, in one unit; what to name, or that there is no such port.
  std::string common_ports(const Projection& p) const {
    std::vector<std::string> all;
    const auto models = target_models(p);
    for (std::uint32_t i = 0; i < models[0]->port_count; ++i) {
      const Port& port = models[0]->ports[i];
      const auto has = [&](const NeuronTable* m) {
        for (std::uint32_t k = 0; k < m->port_count; ++k)
          if (std::string_view(m->ports[k].name) == port.name)
            return std::string_view(m->ports[k].unit) == port.unit;
        return false;
      };
      if (std::all_of(models.begin(), models.end(), has)) all.emplace_back(port.name);
    }
    return all.empty() ? "make a projection for each model" : "name one: port: " + joined(all);
  }

  /// Unit of the weights; the ports that a sign would choose among must share it.  Empty also where the targets are not known.
  std::optional<std::string> port_unit_of(const Projection& p, const Node& synapse) {
    std::optional<std::string> unit;
    const Node* given = synapse.find("port");
    port_named_ = true;
    const auto name = given ? r_.text(*given, "port") : std::nullopt;
    if (given && !name) return std::nullopt;
    for (const auto* m : target_models(p)) {
      if (m->port_count == 0) {
        r_.errors.error(synapse.mark, fmt::format("model {} has no port; nothing can be connected to it", m->model.name));
        return std::nullopt;
      }
      bool any = false;
      for (std::uint32_t i = 0; i < m->port_count; ++i) {
        const bool candidate = name ? *name == m->ports[i].name : m->port_count == 1 || m->ports[i].sign != 0;
        if (!candidate) continue;
        any = true;
        if (!unit) unit = m->ports[i].unit;
        if (*unit == m->ports[i].unit) continue;
        r_.errors.error(
            given ? given->mark : synapse.mark,
            fmt::format("ports of the targets have different units, {} and {}", *unit, m->ports[i].unit),
            name ? "make a projection for each model" : common_ports(p));
        return std::nullopt;
      }
      if (!any) {
        if (name) {
          r_.errors.error(given->mark, fmt::format("model {} has no port {}", m->model.name, in_quotes(*name)), suggest(*name, port_names(*m), "ports"));
          port_named_ = false;
          const auto meant = meant_surely(*name, port_names(*m));  // a misspelt one has the unit of the one meant
          for (std::uint32_t i = 0; i < m->port_count; ++i)
            if (meant == m->ports[i].name) unit = m->ports[i].unit;
          return unit;
        }
        r_.errors.error(synapse.mark, fmt::format("'port' must say which input of {} is meant", m->model.name), "ports: " + joined(port_names(*m)));
        return std::nullopt;
      }
    }
    return unit;
  }

  /// The sign of the port that is named, 0 if the weights' sign will choose one, nothing if the port has no sign.
  std::optional<int> sign_of_port(const Projection& p, const Node& synapse) const {
    const Node* given = synapse.find("port");
    for (const auto* m : target_models(p)) {
      if (!given && m->port_count > 1) return 0;
      for (std::uint32_t i = 0; i < m->port_count; ++i)
        if (m->ports[i].sign != 0 && (!given || r_.resolved(*given).text == m->ports[i].name)) return m->ports[i].sign;
    }
    return std::nullopt;
  }
  /// Why a listed weight cannot follow those before, of the signs `seen` (1: positive, 2: negative).
  std::string sign_fault(const Projection& p, double w, int seen, const std::string& unit) const {
    if (!ports_sign_ || sign_of(*p.synapse, p.params) != Sign::given) return {};
    if (w < 0 && *ports_sign_ > 0) return fmt::format("the port takes positive weights; this is {}", with_unit(w, unit));
    if (seen != 0 && seen != (w < 0 ? 2 : 1))
      return fmt::format("this weight is {}, those before are {}; a port has one sign: make a projection for each", with_unit(w, unit), seen == 1 ? "positive" : "negative");
    return {};
  }

  /// The largest weight of synapses that have one: the parameter `w_max` of models whose first variable is `weight`.
  static std::optional<double> most_weight(const SynapseTable& t, const std::vector<double>& params) {
    const auto first = initials(t);
    if (first.empty() || first[0]->name != std::string_view("weight") || !(first[0]->low >= 0)) return {};
    for (std::uint32_t i = 0; i < t.model.params.count; ++i)
      if (const Field& f = field(t.model.params, i); f.name == std::string_view("w_max") && (f.flags & port_unit))
        return params[i];
    return {};
  }
  /// Why weights of up to `most` cannot be; a synapse holds 32 bits of them.
  std::string excess(const Projection& p, double least, double most, const std::string& unit) const {
    if (!most_ || unit == any_unit || !(static_cast<float>(most) > static_cast<float>(*most_))) return {};
    const std::string limit = fmt::format("the largest of these synapses, 'w_max', is {}", with_unit(*most_, unit));
    if (least == most) return fmt::format("a weight of {}, and {}", with_unit(most, unit), limit);
    return fmt::format("weights of up to {:.4g} {} may be drawn for synapses of model {}, and {}", most, unit,
                       p.synapse->model.name, limit);
  }
  void check_most(const Projection& p, const Node& n, const Weights& w) {
    if (w.failed || p.state.empty() || n.find("weights") || (!w.node && listed_ends_)) return;
    const Distribution& d = p.state[0];
    const bool fixed = d.kind == Distribution::Kind::constant;
    const double most = fixed ? d.a : longest_drawn(d);
    const auto reason = excess(p, fixed ? most : -INFINITY, most, w.unit);
    if (reason.empty()) return;
    const Node* limit = n.find("w_max");
    r_.errors.error(w.node ? w.node->mark : limit ? limit->mark : n.mark, reason,
                    fixed ? "a larger 'w_max', or a smaller weight"
                          : fmt::format("give the distribution 'max: {}': what is larger is drawn again, with "
                                        "'clip: true' cut", with_unit(*most_, w.unit)));
  }

  /// `whole`: all that their sign depends on could be read.
  void choose_port(Projection& p, const Node& synapse, const Weights& w, bool whole) {
    int sign = w.sign;
    const Node *given = synapse.find("port"), *weight = w.node ? w.node : synapse.find("weights");
    const Mark where = weight ? weight->mark : synapse.mark;
    if (whole)
      if (const Sign s = sign_of(*p.synapse, p.params); s != Sign::given) sign = static_cast<int>(s);
    std::optional<std::uint32_t> port;
    const NeuronTable* first = nullptr;
    for (const auto* m : target_models(p)) {
      std::optional<std::uint32_t> mine;
      for (std::uint32_t i = 0; i < m->port_count; ++i)
        if (given ? r_.resolved(*given).text == m->ports[i].name : m->port_count == 1 || (sign != 0 && m->ports[i].sign == sign)) {
          mine = i;
          break;
        }
      if (!mine && sign == 0) return both_signs(p, synapse, where, fmt::format("{} has a port for each", m->model.name));
      if (!mine) {
        r_.errors.error(where, fmt::format("{} has no port for {} weights", m->model.name, sign < 0 ? "negative" : "positive"),
                        "name one: port: " + joined(port_names(*m)));
        return;
      }
      const bool same = !first || first->ports[*port].sign == m->ports[*mine].sign;
      if (port && (*port != *mine || !same)) {
        const std::string differ = same ? fmt::format("is number {} of {} and number {} of {}", *port + 1, first->model.name, *mine + 1, m->model.name)
                                        : fmt::format("has another sign at {} than at {}", first->model.name, m->model.name);
        r_.errors.error(given ? given->mark : where, "the port " + differ, "make a projection for each model");
        return;
      }
      port = mine;
      first = m;
    }
    p.port = port.value_or(0);
    if (first && whole && first->ports[p.port].sign != 0) give_sign(p, synapse, where, sign, *first);
    if (const Node* own = synapse.find("sign"); own && first) own_sign(p, *own, *first);
  }
  /// All that arrives at a port with a sign has it: weights of the port's sign as they are, positive ones as magnitudes.
  void give_sign(Projection& p, const Node& synapse, Mark where, int sign, const NeuronTable& m) {
    const Port& port = m.ports[p.port];
    if (sign == 0) return both_signs(p, synapse, where, fmt::format("port '{}' of {} has one", port.name, m.model.name));
    if (sign < 0 && port.sign > 0) {
      std::string other;
      for (std::uint32_t i = 0; i < m.port_count && other.empty(); ++i)
        if (m.ports[i].sign < 0) other = m.ports[i].name;
      r_.errors.error(where, fmt::format("port '{}' of {} takes positive weights, and these are negative", port.name, m.model.name),
                      other.empty() ? "" : fmt::format("port: {}, or no 'port': negative weights choose it", other));
      return;
    }
    p.sign = sign == port.sign ? 1 : -1;
  }
  /// The key `sign`: magnitudes that are to be negative where no port says so.
  void own_sign(Projection& p, const Node& n, const NeuronTable& m) {
    const auto x = r_.number(n, {"sign", "1", -1, 1, integer});
    if (!x) return;
    const Port& port = m.ports[p.port];
    if (*x == 0) {
      r_.errors.error(n.mark, "'sign' must be 1 or -1; it is 0");
    } else if (port.sign != 0 && *x != port.sign) {
      r_.errors.error(n.mark, fmt::format("port '{}' of {} has the other sign already", port.name, m.model.name), "leave 'sign' out: the port gives its sign to all weights");
    } else if (port.sign == 0 && *x < 0 && sign_of(*p.synapse, p.params) == Sign::given) {
      r_.errors.error(n.mark, fmt::format("weights of model {} have a sign of their own", p.synapse->model.name), "leave 'sign' out, and give the weight with its sign");
    } else if (port.sign == 0) {
      p.sign = *x;
    }
  }
  void both_signs(const Projection& p, const Node& synapse, Mark where, const std::string& but) {
    if (sign_of(*p.synapse, p.params) == Sign::either) {
      std::vector<std::string> takers;
      for (const auto& e : r_.catalogue.all())
        if (e.model->kind == Kind::neuron)
          for (std::uint32_t i = 0; i < reinterpret_cast<const NeuronTable*>(e.model)->port_count; ++i)
            if (const Port& port = reinterpret_cast<const NeuronTable*>(e.model)->ports[i]; port.sign == 0) takers.push_back(fmt::format("{} of {}", port.name, e.model->name));
      r_.errors.error(synapse.find("model")->mark, fmt::format("weights of model {} may become positive and negative{}, and {}", p.synapse->model.name,
                                                               p.synapse->sign && p.synapse->model.params.count ? " with these parameters" : "", but),
                      takers.empty() ? "" : "ports that take both: " + joined(takers));
      return;
    }
    r_.errors.error(where, "the weights have both signs, and " + but, p.listed_weights ? "make a projection for each sign" : "give the distribution 'min: 0' or 'max: 0'");
  }

  // --- explicit lists --------------------------------------------------------------------------------------------

  void read_edges(Projection& p, const RuleRead& rule, const Node& synapse, Weights& weights_here) {
    const Node& n = *rule.edges;
    const Node *weight = weights_here.node, *delay = synapse.find("delay");
    const std::string& unit = weights_here.unit;
    // Numbers of ends that are not known have no bounds.
    const bool known = sources_known_ && onto_neurons_ && unit != any_unit;
    const double sources = sources_known_ ? static_cast<double>(p.source_count()) : INFINITY;
    const double targets = targets_known_ ? static_cast<double>(p.target_count()) : INFINITY;
    const bool has_weights = !p.state.empty();
    const auto port = unit == any_unit ? std::nullopt : std::optional(unit);
    const Wanted weight_wanted = weights_here.field ? wanted_here(*weights_here.field, port) : Wanted{"weight", unit};
    int signs = 0;  // 1: positive seen, 2: negative seen

    const auto columns_fault = [&](bool weights, bool delays) -> std::string {
      if (weights && !has_weights) return fmt::format("synapses of model {} have no weight to be listed", p.synapse->model.name);
      if (weights && weight) return "weights are given in the list and in 'synapse', too";
      if (delays && delay) return "delays are given in the list and in 'synapse', too";
      p.listed_weights = weights;
      p.listed_delays = delays;
      return {};
    };
    const auto add = [&](double s, double t, double w, double ms, double ticks) -> RowFault {
      if (!(s >= 0 && s < sources && s == std::floor(s)))
        return {fmt::format("there is no source {}; there are {}, counted from 0", s, sources), 0};
      if (!(t >= 0 && t < targets && t == std::floor(t)))
        return {fmt::format("there is no target {}; there are {}, counted from 0", t, targets), 1};
      if (p.listed_weights && w != 0) {
        if (auto fault = sign_fault(p, w, signs, unit); !fault.empty()) return {fault, 2};
        if (auto fault = excess(p, w, w, unit); !fault.empty()) return {fault, 2};
        signs |= w < 0 ? 2 : 1;
      }
      if (p.listed_delays)
        if (const auto fault = delay_fault(ms, ticks); !fault.first.empty())
          return {fault.first + (fault.second.empty() ? "" : "; " + fault.second), 3};
      if (!known) return {};
      if ((p.edges.size() + 1) * sizeof(ListedEdge) > r_.memory_limit / 2)
        return {"the list does not fit memory"};
      p.edges.push_back({static_cast<std::uint32_t>(s), static_cast<std::uint32_t>(t), p.listed_weights ? w : 0, p.listed_delays ? static_cast<Tick>(ticks) : 0});
      return {};
    };

    if (rule.from_sonata) {
      sonata(p, rule, weight, delay, weight_wanted, known, add);
    } else if (n.is_list()) {
      rows(p, n, weight_wanted, columns_fault, add);
    } else if (n.is_scalar()) {
      const auto path = r_.data_file(n);
      if (!path || !known) return;
      const Column columns[] = {{"source", "1", true}, {"target", "1", true}, {"weight", unit, false}, {"delay", "ms", false}};
      read_csv(
          r_, *path, n.mark, columns,
          [&](const std::vector<bool>& there) { return columns_fault(there[2], there[3]); },
          [&](std::span<const double> v) -> RowFault {
            if (p.listed_weights)
              if (auto fault = r_.fault(v[2], weight_wanted); !fault.empty()) return {fault, 2};
            return add(v[0], v[1], v[2], v[3], std::round(r_.ticks({v[3], -3, {}})));
          });
    } else {
      r_.errors.error(n.mark, "'list' must be a CSV file or rows [source, target], not " + kind_name(n));
    }
    if (p.listed_weights) {
      weights_here.sign = signs == 3 ? 0 : signs == 2 ? -1 : 1;
      weights_here.failed = false;
    }
    sort_edges(p, [](const ListedEdge& a, const ListedEdge& b) { return a.target < b.target; });
    if (known && p.synapse->draws) check_copies(p, n.mark);
  }

  /// Synapses of one pair and delay are told apart by a byte where their model draws random numbers.
  void check_copies(const Projection& p, Mark where) {
    if (!p.listed_delays && p.delay.kind != Distribution::Kind::constant)
      return;  // drawn: known when they have been
    constexpr std::size_t most = 256;
    auto edges = p.edges;
    const auto ends = [](const ListedEdge& e) { return std::tuple(e.target, e.source, e.delay); };
    std::sort(edges.begin(), edges.end(),
              [&](const ListedEdge& a, const ListedEdge& b) { return ends(a) < ends(b); });
    for (std::size_t i = most; i < edges.size(); ++i) {
      if (ends(edges[i]) != ends(edges[i - most])) continue;
      r_.errors.error(
          where,
          fmt::format("more than {} synapses from source {} to target {} with one delay", most,
                      edges[i].source, edges[i].target),
          fmt::format("model {} draws random numbers and could not tell them apart", p.synapse->model.name));
      return;
    }
  }

  /// Sorts the edges, what a file gives of their variables with them.
  template <class Before>
  static void sort_edges(Projection& p, Before&& before) {
    if (p.listed_state.empty()) {
      std::stable_sort(p.edges.begin(), p.edges.end(), before);
      return;
    }
    std::vector<std::uint32_t> order(p.edges.size());
    std::iota(order.begin(), order.end(), 0u);
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return before(p.edges[a], p.edges[b]); });
    const auto in_order = [&](auto& some) {
      auto old = std::exchange(some, {});
      for (const auto i : order) some.push_back(old[i]);
    };
    in_order(p.edges);
    for (auto& values : p.listed_state)
      if (!values.empty()) in_order(values);
  }

  /// The variables that networks may initialise, in the order of `Projection::state`.
  static std::vector<const Field*> initials(const SynapseTable& t) {
    std::vector<const Field*> all;
    for (std::uint32_t i = 0; i < t.model.variables.count; ++i)
      if (field(t.model.variables, i).flags & Flag::initial) all.push_back(&field(t.model.variables, i));
    return all;
  }
  bool is_weight(const Field& f) const { return f.flags & port_unit; }

  /// Takes what the file's edges hold of the synapses' variables; false after an error.  A first variable that is no
  /// weight takes the place of the weights.
  template <class Refuse>
  bool take_properties(Projection& p, std::vector<FileEdges>& groups, const std::vector<const Field*>& variables, const Refuse& refuse) {
    for (auto& g : groups) {
      if (g.sources.empty() || !p.listed_weights || is_weight(*variables[0])) continue;
      g.weights = std::move(g.properties[0].values), g.weight_unit = g.properties[0].unit;
      if (!g.weights.empty()) continue;
      refuse(fmt::format("edges of {} have no {}", g.group, in_quotes(variables[0]->name)), fmt::format("give it in 'synapse', for example {}: {}", variables[0]->name, variables[0]->preset));
      return false;
    }
    for (std::size_t v = 1; v < variables.size(); ++v) {
      const FileEdges *with = nullptr, *without = nullptr;
      for (const auto& g : groups)
        if (!g.sources.empty()) (g.properties[v].values.empty() ? without : with) = &g;
      if (!with || synapse_->find(variables[v]->name)) continue;
      if (without) {
        refuse(fmt::format("edges of {} have {}, and those of {} have not", with->group, in_quotes(variables[v]->name), without->group));
        return false;
      }
      p.listed_state.resize(variables.size());
      p.listed_state[v].reserve(with->sources.size());
    }
    return true;
  }

  /// The number `x` of a file, whose unit is `unit` if it says so, as the field's; an empty reason if it can be that.
  std::string take_value(double x, const std::string& unit, const Field& f, const std::string& port, double& to) const {
    const Wanted w = wanted(f, port);
    const auto own = parse_unit(w.unit), given = unit.empty() ? own : parse_unit(unit);
    if (!given || given->dimension != own->dimension) return fmt::format("{} is in {}; these synapses take {}", in_quotes(f.name), unit, w.unit);
    to = Quantity{x * given->factor, given->decade, given->dimension}.in(*own);
    return r_.fault(to, w);
  }

  /// The edges of a SONATA file.  Weights and delays that `synapse` gives replace those of the file.
  template <class Add>
  void sonata(Projection& p, const RuleRead& rule, const Node* weight, const Node* delay, const Wanted& weight_wanted, bool known, const Add& add) {
    const Node& n = *rule.edges;
    p.listed_weights = !weight && !p.state.empty();
    p.listed_delays = !delay;
    if (!n.is_scalar()) {
      r_.errors.error(n.mark, "'sonata' must be the name of a file, not " + kind_name(n), "{sonata: edges.h5, population: name}");
      return;
    }
    const auto path = r_.data_file(n);
    const auto name = rule.sonata_name ? r_.text(*rule.sonata_name, "population") : std::optional(p.name);
    if (!path || !name || !known) return;
    if (!r_.options.read_sonata_edges) {
      r_.errors.error(n.mark, "SONATA files cannot be read here", "this program was built without HDF5; use a CSV file");
      return;
    }
    const auto refuse = [&](std::string reason, std::string help = {}) { r_.errors.error(n.mark, fmt::format("{}: {}", in_quotes(path->string()), reason), std::move(help)); };
    const auto variables = initials(*p.synapse);
    std::vector<std::string> properties;
    for (const auto* f : variables) properties.emplace_back(f->name);
    std::vector<FileEdges> groups;
    try {
      const std::uint64_t most = r_.memory_limit / 2 / (sizeof(ListedEdge) + 4 * sizeof(double));
      groups = r_.options.read_sonata_edges(*path, *name, most, properties);
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& e) {
      return refuse(without_name(*path, e.what()));
    }
    if (!take_properties(p, groups, variables, refuse)) return;
    const auto own = parse_unit(weight_wanted.unit);
    for (const auto& g : groups) {
      const bool alone = groups.size() == 1;
      const auto sources = population_of_nodes(p.sources, g.source, alone), targets = population_of_nodes(p.targets, g.target, alone);
      if (!sources || !targets)
        return refuse(fmt::format("edges of {} {} nodes of {}, which {} does not name", g.group, sources ? "end in" : "come from",
                                  (sources ? g.target : g.source).empty() ? "a population without a name" : in_quotes(sources ? g.target : g.source), sources ? "'to'" : "'from'"));
      const bool empty = g.sources.empty();
      if (!empty && p.listed_weights && g.weights.empty()) return refuse(fmt::format("edges of {} have no weights (syn_weight)", g.group), "give a 'weight' in 'synapse'");
      if (!empty && p.listed_delays && g.delays.empty()) return refuse(fmt::format("edges of {} have no delays", g.group), "give a 'delay' in 'synapse'");
      Unit unit = *own;
      if (p.listed_weights && !g.weight_unit.empty()) {
        const auto u = parse_unit(g.weight_unit);
        if (!u || u->dimension != own->dimension) return refuse(fmt::format("the weights of {} are in {}; these synapses take {}", g.group, g.weight_unit, weight_wanted.unit));
        unit = *u;
      }
      const auto index = [&](const std::vector<GidRange>& ends, const Population& of, std::uint64_t id, const char* what, std::size_t e) -> std::optional<double> {
        std::uint64_t before = 0;
        if (id < of.size)
          for (const auto& r : ends) {
            if (of.first + id - r.first < r.count && of.first + id >= r.first) return static_cast<double>(before + (of.first + id - r.first));
            before += r.count;
          }
        refuse(id < of.size ? fmt::format("edge {} of {} has the {} node {}, which is not among those of {} that the projection names", e, g.group, what, id, in_quotes(of.name))
                            : fmt::format("edge {} of {} has the {} node {}, but {} has only {}, counted from 0", e, g.group, what, id, in_quotes(of.name), of.size));
        return std::nullopt;
      };
      for (std::size_t e = 0; e < g.sources.size(); ++e) {
        const auto s = index(p.sources, **sources, g.sources[e], "source", e), t = s ? index(p.targets, **targets, g.targets[e], "target", e) : s;
        if (!s || !t) return;
        double w = 0, ms = 0;
        if (p.listed_weights) {
          w = Quantity{g.weights[e] * unit.factor, unit.decade, unit.dimension}.in(*own);
          if (const auto fault = r_.fault(w, weight_wanted); !fault.empty()) return refuse(fmt::format("edge {} of {}: {}", e, g.group, fault));
        }
        if (p.listed_delays) {
          ms = g.delays[e];
          if (!std::isfinite(ms)) return refuse(fmt::format("edge {} of {} has a delay that is no number", e, g.group));
        }
        for (std::uint64_t k = g.counts.empty() ? 1 : g.counts[e]; k > 0; --k) {
          if (const auto fault = add(*s, *t, w, ms, std::round(r_.ticks({ms, -3, {}}))); !fault.empty())
            return refuse(fmt::format("edge {} of {}: {}", e, g.group, fault.reason));
          for (std::size_t v = 1; v < p.listed_state.size(); ++v) {
            if (g.properties[v].values.empty() || synapse_->find(variables[v]->name)) continue;
            const auto reason = take_value(g.properties[v].values[e], g.properties[v].unit, *variables[v], weight_wanted.unit, p.listed_state[v].emplace_back());
            if (!reason.empty()) return refuse(fmt::format("edge {} of {}: {}", e, g.group, reason));
          }
        }
      }
    }
  }

  /// The population that node ids of a file are of: that of the name, or the only one among `ends`.
  std::optional<const Population*> population_of_nodes(const std::vector<GidRange>& ends, const std::string& name, bool alone) const {
    const Population* only = &population_of(ends[0]);
    for (const auto& r : ends) {
      if (population_of(r).name == name) return &population_of(r);
      if (&population_of(r) != only) only = nullptr;
    }
    // Files from elsewhere have names of their own; those of other populations of this network are not meant.
    const bool known = l_.populations.index.count(name) > 0;
    if (alone && only && !known) return only;
    return std::nullopt;
  }

  /// The state that an earlier run's log has of the synapses, matched with the connections listed here, or left to be
  /// matched with those drawn.
  void read_weights(Projection& p, const Node& n, Weights& weights_here, bool ready) {
    const Node* weight = weights_here.node;
    const std::string& unit = weights_here.unit;
    if (!r_.map(n, from_keys, "'weights'", n.mark)) return;
    const auto variables = initials(*p.synapse);
    if (variables.empty()) {
      r_.errors.error(n.mark, fmt::format("synapses of model {} have no weight to be read", p.synapse->model.name));
      return;
    }
    if (weight || p.listed_weights) {
      r_.errors.error(n.mark, weight ? fmt::format("'{}' and 'weights' are given", variables[0]->name) : "weights are given in the list and in 'weights', too", "one of them");
      return;
    }
    const auto path = r_.data_file(*n.find("from"));
    const Node *values = n.find("values"), *other = n.find("projection");
    const auto which = values ? r_.text(*values, "values") : std::optional<std::string>("frame");
    const auto name = other ? r_.text(*other, "projection") : std::optional(p.name);
    if (which && *which != "frame" && *which != "events" && *which != "edges") {
      r_.errors.error(values->mark, fmt::format("{} are no values of a log", in_quotes(*which)), suggest(*which, {"frame", "events", "edges"}, "values"));
      return;
    }
    if (!path || !which || !name || !ready) return;
    const Mark where = n.find("from")->mark;
    if (!r_.options.read_weights) {
      r_.errors.error(where, "logs cannot be read here", "this program was built without HDF5");
      return;
    }
    const auto fault = [&](const std::string& reason, std::string help = {}) {
      r_.errors.error(where, fmt::format("{}: {}", in_quotes(path->string()), reason), std::move(help));
    };
    WantedState all{*name, *which, {}, field(p.synapse->model.variables, 0).name, is_weight(*variables[0])};
    std::vector<std::size_t> number;  // in Projection::state, of each of them
    for (std::size_t v = 0; v < variables.size(); ++v)
      if (!synapse_->find(variables[v]->name)) all.variables.emplace_back(variables[v]->name), number.push_back(v);
    try {
      const FileWeights file = r_.options.read_weights(*path, all);
      if (take_state(p, file, number, unit, fault)) {
        p.weights_from = path->string();
        const bool negative = std::any_of(p.edges.begin(), p.edges.end(), [](const ListedEdge& e) { return e.weight < 0; });
        const bool positive = std::any_of(p.edges.begin(), p.edges.end(), [](const ListedEdge& e) { return e.weight > 0; });
        weights_here.sign = negative && positive ? 0 : negative ? -1 : 1;
        weights_here.failed = false;
        for (const auto& e : p.edges)
          if (const auto reason = excess(p, e.weight, e.weight, unit); !reason.empty()) {
            fault(reason);
            break;
          }
      }
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& e) {
      fault(without_name(*path, e.what()));
    }
  }

  /// Does a run change variable `v` of these synapses?
  static bool changes(const Projection& p, const Field& f) {
    const SynapseTable& t = *p.synapse;
    if (!t.changes) return true;
    std::vector<double> params(t.params_size / sizeof(double) + 1);
    for (std::uint32_t i = 0; i < t.model.params.count; ++i) put(params.data(), field(t.model.params, i), p.params[i]);
    std::uint32_t v = 0;
    while (&field(t.model.variables, v) != &f) ++v;
    return t.changes(params.data(), v) != 0;
  }

  /// Edges and variables of a log as those of the projection; `number`: of each variable in Projection::state.  What a run
  /// changes must be in the log or in 'synapse'.
  template <class Fault>
  bool take_state(Projection& p, const FileWeights& file, const std::vector<std::size_t>& number, const std::string& unit, const Fault& fault) {
    const auto variables = initials(*p.synapse);
    bool complete = true;
    for (std::size_t k = 1; k < number.size(); ++k) {
      const Field& f = *variables[number[k]];
      if (file.missing[k].empty() || !changes(p, f)) continue;
      fault(file.missing[k], fmt::format("a run changes '{0}' of these synapses: log it as well as '{1}', or give it in 'synapse', for example {0}: {2}", f.name, variables[0]->name, f.preset));
      complete = false;
    }
    if (!complete) return false;
    Projection found;
    found.listed_state.resize(variables.size());
    for (std::size_t i = 0; i < file.rows.size(); ++i) {
      const auto& row = file.rows[i];
      const std::string &from = file.populations.at(row.source_population), &to = file.populations.at(row.target_population);
      const auto source = along(p.sources, from, row.source), target = along(p.targets, to, row.target);
      if (!source || !target) {
        fault(fmt::format("that run connects neuron {} of {} to {} of {}; this projection does not have {}", row.source, from, row.target, to, !source ? "the source" : "the target"));
        return false;
      }
      found.edges.push_back({*source, *target, 0, 0});
      for (std::size_t k = 0; k < number.size(); ++k) {
        if (!file.missing[k].empty()) continue;
        const std::size_t v = number[k];
        double& to_value = v == 0 ? found.edges.back().weight : found.listed_state[v].emplace_back();
        if (const auto reason = take_value(file.values[k].at(i), {}, *variables[v], unit, to_value); !reason.empty()) {
          fault(fmt::format("edge {}: {}", i, reason));
          return false;
        }
      }
    }
    const auto by_ends = [](const ListedEdge& a, const ListedEdge& b) { return a.target != b.target ? a.target < b.target : a.source < b.source; };
    sort_edges(found, by_ends);
    p.listed_weights = true;
    if (p.rule == Rule::listed) return match_listed(p, found, by_ends, fault);
    p.edges = std::move(found.edges);
    p.listed_state = std::move(found.listed_state);
    return true;
  }

  /// Gives the listed edges of `p` what `found`, sorted by `by_ends`, has of the same ends.
  template <class ByEnds, class Fault>
  static bool match_listed(Projection& p, const Projection& found, const ByEnds& by_ends, const Fault& fault) {
    std::vector<std::uint32_t> order(p.edges.size());
    std::iota(order.begin(), order.end(), 0u);
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return by_ends(p.edges[a], p.edges[b]); });
    p.listed_state.resize(found.listed_state.size());
    for (std::size_t v = 0; v < found.listed_state.size(); ++v)
      if (!found.listed_state[v].empty()) p.listed_state[v].resize(p.edges.size());
    for (std::size_t i = 0; i < std::max(order.size(), found.edges.size()); ++i) {
      const ListedEdge* here = i < order.size() ? &p.edges[order[i]] : nullptr;
      const ListedEdge* there = i < found.edges.size() ? &found.edges[i] : nullptr;
      const bool lacks = here && (!there || by_ends(*here, *there));
      if (lacks || !here || by_ends(*there, *here)) {
        const ListedEdge& e = lacks ? *here : *there;
        fault(fmt::format("is of other connections: it {} a synapse from source {} to target {}", lacks ? "lacks" : "has", e.source, e.target));
        return false;
      }
      p.edges[order[i]].weight = there->weight;
      for (std::size_t v = 0; v < found.listed_state.size(); ++v)
        if (!found.listed_state[v].empty()) p.listed_state[v][order[i]] = found.listed_state[v][i];
    }
    return true;
  }
  /// Place of a neuron along the concatenated ranges.
  std::optional<std::uint32_t> along(const std::vector<GidRange>& ranges, std::string_view population, std::uint64_t id) const {
    const auto at = l_.populations.index.find(population);
    if (at == l_.populations.index.end() || id >= l_.net.populations[at->second].size) return {};
    const Gid gid = l_.net.populations[at->second].first + static_cast<Gid>(id);
    std::uint32_t before = 0;
    for (const auto& r : ranges) {
      if (gid - r.first < r.count) return before + (gid - r.first);
      before += r.count;
    }
    return {};
  }

  template <class Columns, class Add>
  void rows(Projection&, const Node& n, const Wanted& weight, const Columns& columns_fault, const Add& add) {
    if (!r_.take(n.items.size(), n.mark)) return;
    const Dimension time{{0, 0, 1, 0, 0}};
    std::size_t length = 0;
    bool third_is_delay = false;
    for (const auto& row : n.items) {
      if (!row.is_list() || row.items.size() < 2 || row.items.size() > 4) {
        r_.errors.error(row.mark, "a row of a list is [source, target], [source, target, weight] or [source, target, weight, delay]");
        continue;
      }
      if (length == 0) {
        length = row.items.size();
        if (length == 3) {
          const auto q = r_.quantity(row.items[2], "weight");
          third_is_delay = q && q->dimension == time && parse_unit(weight.unit).value_or(Unit{}).dimension != time;
        }
        if (auto reason = columns_fault(length == 4 || (length == 3 && !third_is_delay), length == 4 || third_is_delay); !reason.empty()) {
          r_.errors.error(row.mark, std::move(reason));
          return;
        }
      } else if (row.items.size() != length) {
        r_.errors.error(row.mark, fmt::format("a row of {} values after rows of {}", row.items.size(), length));
        continue;
      }
      const auto s = r_.number(row.items[0], {"source"}), t = r_.number(row.items[1], {"target"});
      std::optional<double> w = 0.0, ms = 0.0;
      double ticks = 0;
      if (length == 4 || (length == 3 && !third_is_delay)) w = r_.number(row.items[2], weight);
      if (length == 4 || third_is_delay) {
        const Node& d = row.items[length - 1];
        ms = r_.number(d, {"delay", "ms"});
        if (ms) ticks = std::round(r_.ticks(*r_.quantity(d, "delay")));
      }
      if (!s || !t || !w || !ms) continue;
      if (auto fault = add(*s, *t, *w, *ms, ticks); !fault.empty()) {
        const Node* blamed = fault.column == RowFault::no_column
                                 ? &row
                                 : &row.items[fault.column == 3 ? length - 1 : fault.column];
        r_.errors.error(blamed->mark, std::move(fault.reason));
      }
    }
  }

  // --- can it be drawn? ------------------------------------------------------------------------------------------

  void drawable(const Projection& p, const Node& connect) {
    const std::uint64_t sources = p.source_count(), targets = p.target_count();
    const Mark where = connect.is_map() && !connect.items.empty() ? connect.items[0].mark : connect.mark;
    const std::uint64_t both = common(p.sources, p.targets);
    const bool self = !p.autapses && both > 0;
    switch (p.rule) {
      case Rule::one_to_one:
        if (sources != targets) r_.errors.error(where, fmt::format("one_to_one needs as many sources as targets; there are {} and {}", sources, targets));
        break;
      case Rule::fixed_indegree: {
        const std::uint64_t eligible = self ? sources - 1 : sources;  // of the worst-off target
        if (p.number > 0 && eligible == 0)
          r_.errors.error(where, "fixed_indegree: with 'autapses: false' the only source of a target is the target itself");
        else if (!p.multapses && p.number > eligible)
          r_.errors.error(where, fmt::format("fixed_indegree: {} different sources cannot be drawn from {}", p.number, eligible), "allow multapses, or draw fewer");
        break;
      }
      case Rule::fixed_outdegree: {
        const std::uint64_t eligible = self ? targets - 1 : targets;  // of the worst-off source
        if (p.number > 0 && eligible == 0)
          r_.errors.error(where, "fixed_outdegree: with 'autapses: false' the only target of a source is the source itself");
        else if (!p.multapses && p.number > eligible)
          r_.errors.error(where, fmt::format("fixed_outdegree: {} different targets cannot be drawn from {}", p.number, eligible), "allow multapses, or draw fewer");
        break;
      }
      case Rule::fixed_total_number: {
        const double pairs = static_cast<double>(sources) * static_cast<double>(targets) - (self ? static_cast<double>(both) : 0);
        if (p.number > 0 && pairs <= 0)
          r_.errors.error(where, "fixed_total_number: there is no pair to draw");
        else if (!p.multapses && static_cast<double>(p.number) > pairs)
          r_.errors.error(where, fmt::format("fixed_total_number: {} different pairs cannot be drawn from {}", p.number, pairs), "allow multapses, or draw fewer");
        break;
      }
      default: break;
    }
  }

  Loading& l_;
  Reader& r_;
  bool incomplete_ = false;
  std::optional<int> ports_sign_;  ///< of the port that the present projection names; 0: its weights choose; none: it has none
  bool sources_known_ = false, targets_known_ = false, onto_neurons_ = false;  ///< of the projection being read
  bool port_named_ = true;  ///< its port, if it names one, is one
  const Node* synapse_ = nullptr;  ///< the map being read
  bool listed_ends_ = false;       ///< its connections are, and perhaps their weights
  std::optional<double> most_;     ///< the largest weight of the synapses being read, if they have one
};

}  // namespace

std::span<const Key> projection_keys() { return keys; }
std::span<const Key> synapse_keys() { return synapse_own; }
std::span<const Key> weights_from_keys() { return from_keys; }

void load_projections(Loading& l, const Node& map) {
  l.projections.complete = (map.is_map() || map.kind == Node::Kind::null) && !map.incomplete;
  if (!map.is_map()) {
    if (map.kind != Node::Kind::null)
      l.read.errors.error(map.mark, "'projections' must be a map of names and projections, not " + kind_name(map));
    return;
  }
  Projections(l).all(map);
}

}  // namespace spinet::reading
