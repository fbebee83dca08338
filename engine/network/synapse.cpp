// `synapse` of a projection: model, parameters, state at t = 0.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "connect/rule.hpp"
#include "network/draft.hpp"
#include "network/edge_list.hpp"
#include "network/extended.hpp"
#include "network/preset.hpp"
#include "network/spellings.hpp"
#include "network/structs.hpp"
#include "network/suggest.hpp"

namespace spinet::reading {
namespace {

constexpr Key synapse_own[] = {
    {"model", true, "synapse_model", "name of a synapse model (`spinet models` lists them)"},
    {"preset", false, "name", "a named set of the model's parameters; those that are given come before it"},
    {"delay", false, "delay", "from emission to arrival; a time, a distribution, or by distance"},
    {"port", false, "name",
     "input of the target; chosen by the sign of the weight if not given; a port with a sign gives it to its "
     "weights"},
    {"sign", false, "integer",
     "-1: weights without a sign of their own (stdp, istdp) are negative, at a port without one"},
    {"weights", false, "weights_from",
     "weights from the log of an earlier run of these connections, in place of 'weight'"},
    {"program", false, "program",
     "trained weights are written onto devices of this model, and are numbers until then"},
    {"pair", false, "integer", "with 'program': 1: a weight is two devices, one for either sign (1); 0: one"},
};

/// +1, -1, 0: both signs.  A weight of 0 counts as positive.
int sign_of(const Distribution& d) {
  switch (d.kind) {
    case Distribution::Kind::constant:
      return d.a < 0 ? -1 : 1;
    case Distribution::Kind::uniform:
      return d.a >= 0 ? 1 : d.b <= 0 ? -1 : 0;
    case Distribution::Kind::exponential:
    case Distribution::Kind::lognormal:
      return 1;
    default:
      return d.low >= 0 ? 1 : d.high <= 0 ? -1 : 0;
  }
}

class SynapseReader {
 public:
  explicit SynapseReader(Draft& d) : d_(d), l_(d.l), r_(d.r), p_(d.p) {}

  bool read(const Node& given, Mark where, const RuleRead& rule) {
    const Node& n = r_.resolved(given);
    if (!n.is_map()) {
      r_.errors.error(n.mark, "'synapse' must be a map, not " + kind_name(n),
                      "for example {model: static, weight: 0.1 mV, delay: 1.5 ms}");
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
      r_.errors.error(n.mark.line ? n.mark : where, "the synapse has no 'model'",
                      suggest("", model_names(), "models"));
    }
    if (model) check_keys(n, *model);
    bool timed = true;
    if (const Node* delay = n.find("delay")) timed = read_delay(d_, *delay);
    const auto port = port_unit_of(d_, n);
    d_.port_known = port.has_value();
    if (!model) return false;
    p_.synapse = reinterpret_cast<const SynapseTable*>(model);
    if (!guessed) check_reads(m->mark);
    const std::size_t before_params = r_.errors.count();
    read_params(n, port, guessed);
    d_.most = port && r_.errors.count() == before_params ? most_weight(*p_.synapse, p_.params) : std::nullopt;
    d_.sign_sure = r_.errors.count() == before_params && !guessed;
    extend();
    const std::size_t before_weights = r_.errors.count();
    Weights w = read_state(n, port);
    d_.listed_ends = rule.edges != nullptr;
    check_most(n, w);

    d_.ports_sign = d_.onto_neurons && d_.port_named ? sign_of_port(d_, n) : std::nullopt;
    d_.synapse = &n;
    if (rule.edges) {
      EdgeList list(d_, w);
      p_.rule->read_edges(*rule.edges, *rule.beside, list);
      list.finish(rule.edges->mark);
    }
    if (const Node* from = n.find("weights")) read_weights(d_, r_.resolved(*from), w);
    d_.sign_sure = d_.sign_sure && r_.errors.count() == before_weights;
    // A list that could not be read may have delays.
    if (!n.find("delay") && !p_.listed_delays && !misspelt(n, "delay") &&
        (!rule.edges || r_.errors.count() == before))
      r_.errors.error(m->mark, "the synapse has no 'delay'",
                      "delay: a time such as 1.5 ms, at least one delay_resolution");
    if (port && d_.port_named && d_.onto_neurons && (!w.failed || n.find("port"))) choose_port(d_, n, w);
    return timed && port && r_.errors.count() == before;
  }

 private:
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
    if (const Node* const pair = n.find("pair"); pair && unit_of(model.params, "pair").empty())
      r_.errors.error(pair->mark,
                      "'pair' is of trained weights that are written onto devices, and there is no 'program'",
                      "program: {up: [2 V, 1 ms], down: [-2 V, 1 ms]}");
    for (const auto& k : n.keys)
      if (std::find(allowed.begin(), allowed.end(), k.name) == allowed.end() && k.meant != "model")
        r_.unknown_key(n, k, {allowed, "keys", unit},
                       fmt::format("unknown key {} of a synapse of model {}", in_quotes(k.name), model.name));
  }
  void check_reads(Mark where) {
    for (std::uint32_t k = 0; k < p_.synapse->read_count; ++k)
      for (const auto* target : d_.target_models())
        if (const auto known = names(target->model.variables);
            std::find(known.begin(), known.end(), p_.synapse->reads[k]) == known.end())
          r_.errors.error(where,
                          fmt::format("synapses of model {} read the variable '{}' of their targets, which "
                                      "model {} does not have",
                                      p_.synapse->model.name, p_.synapse->reads[k], target->model.name));
  }

  Weights read_state(const Node& n, const std::optional<std::string>& port) {
    Weights w;
    w.unit = port.value_or(std::string(any_unit));
    const Fields& variables = p_.synapse->model.variables;
    for (std::uint32_t i = 0; i < variables.count; ++i) {
      const Field& f = field(variables, i);
      if (!(f.flags & Flag::initial)) continue;
      Distribution d{Distribution::Kind::constant, f.preset};
      const Node* v = n.find(f.name);
      bool failed = false;
      if (const Distribution* const drawn = drawn_as(i)) {
        d = *drawn;
      } else if (v) {
        const Node& value = r_.resolved(*v);
        auto read = p_.state.empty() && asks_fan_in(value)
                        ? by_fan_in(r_, value, wanted_here(f, port), fan_in())
                        : r_.distribution(*v, wanted_here(f, port), 0);
        failed = !read;
        if (read) d = std::move(*read);
      }
      if (p_.state.empty()) {
        w.node = v, w.field = &f;
        w.failed = failed;
        w.sign = sign_of(d);
      }
      p_.state.push_back(std::move(d));
    }
    return w;
  }
  /// 1 where it is not known, for reasons that are errors of their own.
  double fan_in() const {
    if (!d_.sources_known || !d_.targets_known || !p_.rule || (p_.rule->spatial() && !d_.placed())) return 1;
    const Ends ends(l_.net, p_);
    return p_.rule->refusal(ends) ? 1 : std::max(p_.rule->fan_in(ends), 1.0);
  }
  void read_params(const Node& n, const std::optional<std::string>& port, bool guessed) {
    const Model& model = p_.synapse->model;
    const Preset* const preset = read_preset(r_, n, model);
    std::set<std::string> bad;  // no values, or in a unit that is not known
    for (std::uint32_t i = 0; i < model.params.count; ++i) {
      const Field& f = field(model.params, i);
      double x = value_without(f, preset);
      if (const Node* v = n.find(f.name)) {
        const Node& value = r_.resolved(*v);
        bad.insert(f.name);
        if (value.is_map() && f.flags & Flag::spread) {
          if (auto d = r_.distribution(value, wanted_here(f, port), 0))
            take_drawn(i, value, std::move(*d), x), bad.erase(f.name);
        } else if (value.is_list() && f.flags & Flag::spread) {
          r_.errors.error(value.mark,
                          fmt::format("'{}' must be one number, or drawn for each synapse", f.name),
                          "a distribution: {normal: {mean: ..., sd: ...}}");
        } else if (value.is_map() || value.is_list()) {
          r_.errors.error(
              value.mark,
              fmt::format("'{}' is a parameter of all synapses of the projection and must be one number",
                          f.name));
        } else if (const auto y = f.choices ? r_.choice(value, f) : r_.number(value, wanted_here(f, port))) {
          const bool unit_known = port || !(f.flags & Flag::port_unit);
          if (unit_known) x = *y + 0.0, bad.erase(f.name);  // a zero without a sign
        }
      }
      p_.params.push_back(x);
    }
    const auto c = check_params(model, params_of(p_));
    if (!c.reason) return;
    const auto named = fields_named(model.params, c.reason);
    if (named.empty() && (guessed || !port || !bad.empty())) return;
    if (std::any_of(named.begin(), named.end(),
                    [&](const std::string& name) { return bad.count(name) || (guessed && !n.find(name)); }))
      return;
    const auto first =
        std::find_if(named.begin(), named.end(), [&](const std::string& name) { return n.find(name); });
    const char* const drawn =
        c.blamed < 0 ? nullptr : field(model.params, static_cast<std::uint32_t>(c.blamed)).name;
    const Node* const from = drawn ? n.find(drawn) : nullptr;
    r_.errors.error(
        from                   ? from->mark
        : first != named.end() ? n.find(*first)->mark
                               : n.mark,
        c.reason,
        from      ? fmt::format("some devices would draw such values of '{}': give it 'min' or 'max'", drawn)
        : c.drawn ? middle_of_drawn()
                  : "");
  }
  /// What the projection as a whole has of parameters that are drawn.
  std::string middle_of_drawn() const {
    std::string all;
    for (const auto& [parameter, from] : p_.drawn_params) {
      const Field& f = field(p_.synapse->model.params, parameter);
      const std::string_view unit = f.unit;
      all += fmt::format("{}{} = {:.6g}{}{}", all.empty() ? "" : ", ", f.name, p_.params[parameter],
                         unit == "1" ? "" : " ", unit == "1" ? "" : unit);
    }
    return "so it is in the middle of what is drawn: " + all;
  }
  /// Each device has its own; the projection as a whole has the middle.  {constant: x}: a file may have
  /// others.
  void take_drawn(std::uint32_t parameter, const Node& given, Distribution d, double& middle) {
    middle = typical(d);
    if (d.kind == Distribution::Kind::constant && !given.find("constant")) return;
    middle = middle_of(middle);
    p_.drawn_params.emplace_back(parameter, std::move(d));
  }
  /// The table of the projection's own, where parameters are drawn or ask for parts.
  void extend() {
    model_ = p_.synapse;
    std::vector<std::uint32_t> drawn;
    for (const auto& [parameter, d] : p_.drawn_params) drawn.push_back(parameter);
    p_.extended = extended(*p_.synapse, p_.params, drawn);
    if (p_.extended) p_.synapse = &p_.extended->table();
  }
  /// What variable `v` of the projection is drawn from, if it is a drawn parameter.
  const Distribution* drawn_as(std::uint32_t v) const {
    const std::uint32_t own = model_->model.variables.count;
    return v < own ? nullptr : &p_.drawn_params[(v - own) % p_.drawn_params.size()].second;
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
    r_.errors.error(where,
                    other ? fmt::format("{} is no synapse model", in_quotes(name))
                          : fmt::format("unknown synapse model {}", in_quotes(name)),
                    meant(Spelling::Of::synapse_model, name, model_names(), "models"));
    if (other) return nullptr;
    const bool known = spelling(Spelling::Of::synapse_model, name, model_names()) != nullptr;
    return r_.catalogue.find(Kind::synapse, known
                                                ? right_name(Spelling::Of::synapse_model, name, model_names())
                                                : meant_surely(name, model_names()));
  }

  /// The largest weight of synapses that have one: the parameter `w_max` of models whose first variable is
  /// `weight`.
  static std::optional<double> most_weight(const SynapseTable& t, const std::vector<double>& params) {
    const auto first = initials(t);
    if (first.empty() || first[0]->name != std::string_view("weight") || !(first[0]->low >= 0)) return {};
    for (std::uint32_t i = 0; i < t.model.params.count; ++i)
      if (const Field& f = field(t.model.params, i);
          f.name == std::string_view("w_max") && (f.flags & port_unit))
        return params[i];
    return {};
  }
  void check_most(const Node& n, const Weights& w) {
    if (w.failed || p_.state.empty() || n.find("weights") || (!w.node && d_.listed_ends)) return;
    const Distribution& d = p_.state[0];
    const bool fixed = d.kind == Distribution::Kind::constant;
    const double most = fixed ? d.a : longest_drawn(d);
    const auto reason = excess(d_, fixed ? most : -INFINITY, most, w.unit);
    if (reason.empty()) return;
    const Node* limit = n.find("w_max");
    r_.errors.error(w.node  ? w.node->mark
                    : limit ? limit->mark
                            : n.mark,
                    reason,
                    fixed
                        ? "a larger 'w_max', or a smaller weight"
                        : fmt::format("give the distribution 'max: {}': what is larger is drawn again, with "
                                      "'clip: true' cut",
                                      with_unit(*d_.most, w.unit)));
  }
  Draft& d_;
  Loading& l_;
  Reader& r_;
  Projection& p_;
  const SynapseTable* model_ = nullptr;  ///< of the catalogue
};

}  // namespace

const Preset* read_preset(Reader& r, const Node& n, const Model& m) {
  const Node* const given = n.find("preset");
  const auto name = given ? r.text(*given, "preset") : std::nullopt;
  if (!name) return nullptr;
  const Preset* const found = find_preset(m, *name);
  if (!found) {
    const auto [reason, help] = no_preset(m, *name);
    r.errors.error(given->mark, reason, help);
  }
  return found;
}

std::span<const Key> synapse_keys() { return synapse_own; }

bool read_synapse(Draft& d, const Node& given, Mark where, const RuleRead& rule) {
  const Node& n = d.r.resolved(given);
  if (!n.is_map() || !n.find("program")) return SynapseReader(d).read(given, where, rule);
  const bool mapped = read_mapped(d, n), read = SynapseReader(d).read(*d.plain, where, rule);
  return mapped && read;
}

Wanted wanted_here(const Field& f, const std::optional<std::string>& port) {
  if (port || !(f.flags & Flag::port_unit)) return wanted(f, port.value_or(""));
  return {f.name, std::string(any_unit)};
}

std::vector<const Field*> initials(const SynapseTable& t) {
  std::vector<const Field*> all;
  for (std::uint32_t i = 0; i < t.model.variables.count; ++i)
    if (field(t.model.variables, i).flags & Flag::initial) all.push_back(&field(t.model.variables, i));
  return all;
}

bool gives(const Draft& d, const Field& f) {
  return !is_drawn_parameter(*d.p.synapse, f) && d.synapse->find(f.name);
}

std::string excess(const Draft& d, double least, double most, const std::string& unit) {
  if (!d.most || unit == any_unit || !(static_cast<float>(most) > static_cast<float>(*d.most))) return {};
  const std::string limit =
      fmt::format("the largest of these synapses, 'w_max', is {}", with_unit(*d.most, unit));
  if (least == most) return fmt::format("a weight of {}, and {}", with_unit(most, unit), limit);
  return fmt::format("weights of up to {:.4g} {} may be drawn for synapses of model {}, and {}", most, unit,
                     d.p.synapse->model.name, limit);
}

std::string take_value(const Reader& r, const FileValue& value, const Field& f, std::string_view port,
                       double& to) {
  const Wanted w = wanted(f, port);
  const auto own = parse_unit(w.unit), given = value.unit.empty() ? own : parse_unit(value.unit);
  if (!given || given->dimension != own->dimension)
    return fmt::format("{} is in {}; these synapses take {}", in_quotes(f.name), value.unit, w.unit);
  to = Quantity{value.x * given->factor, given->decade, given->dimension}.in(*own);
  return r.fault(to, w);
}

}  // namespace spinet::reading
