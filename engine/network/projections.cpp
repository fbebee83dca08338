// `projections` of a network: what is connected; their synapses are read by synapse.cpp, their rules in
// engine/connect.
#include <fmt/format.h>

#include <algorithm>

#include "connect/rule.hpp"
#include "network/crossbar.hpp"
#include "network/draft.hpp"
#include "network/spellings.hpp"
#include "network/suggest.hpp"

namespace spinet::reading {
namespace {

constexpr Key projection_entry_keys[] = {
    {"from", true, "populations",
     "source population, a part such as exc[0:100], or a list that is concatenated"},
    {"to", true, "populations", "target population, a part, or a list"},
    {"connect", true, "connect", "which pairs are connected"},
    {"synapse", true, "synapse", "model, weight, delay, port and parameters of the synapses"},
    {"layout", false, "layout", "crossbar: a row for each source, a column for each target"},
    {"normalise", false, "normalise",
     "batch: what the sources send is normalised over each batch of training"},
    {"dropout", false, "number", "share of what the sources send that a step of training leaves out (0)"},
};

class Projections {
 public:
  explicit Projections(Loading& l) : l_(l), r_(l.read) {}

  void all(const Node& map) {
    for (std::size_t i = 0; i < map.keys.size(); ++i) {
      const auto& key = map.keys[i];
      const std::size_t before = r_.errors.count();
      check_name(key);
      Projection p;
      p.name = key.name;
      p.named_at = {key.mark.line, key.mark.column};
      const bool complete = load(p, r_.resolved(map.items[i]), key);
      l_.projections.index[p.name] = static_cast<std::uint32_t>(l_.net.projections.size());
      l_.projections.marks.push_back(key.mark);
      l_.projections.flawed.push_back(r_.errors.count() != before || !complete || !p.synapse);
      l_.net.projections.push_back(std::move(p));
    }
  }

 private:
  void check_name(const Node::Key& key) {
    const auto& s = key.name;
    const bool name =
        !s.empty() && s.size() <= 64 && (std::isalpha(static_cast<unsigned char>(s[0])) || s[0] == '_') &&
        std::all_of(s.begin(), s.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; });
    if (!name)
      r_.errors.error(key.mark, fmt::format("{} is no name for a projection", in_quotes(s)),
                      "letters, digits and '_', a letter first");
    else if (l_.populations.index.count(s))
      r_.errors.error(key.mark, fmt::format("{} is the name of a population, too", in_quotes(s)),
                      "the schedule could mean either");
  }

  /// False if not everything could be read; populations with errors leave it so without a message.
  bool load(Projection& p, const Node& n, const Node::Key& key) {
    const std::string what = fmt::format("projection {}", in_quotes(p.name));
    for (std::size_t i = 0; i < n.keys.size(); ++i) {
      const Spelling* s = spelling(Spelling::Of::key, n.keys[i].name, names(projection_entry_keys));
      if (!s || s->right != "connect: @") continue;
      r_.errors.error(n.keys[i].mark, fmt::format("unknown key {} of {}", in_quotes(n.keys[i].name), what),
                      answer(*s, rule_line(n.items[i], n)));
      n.keys[i].meant = "connect";
    }
    r_.map(n, projection_entry_keys, what, key.mark);
    if (!n.is_map()) return false;
    const Node *from = n.find("from"), *to = n.find("to"), *connect = n.find("connect"),
               *synapse = n.find("synapse"), *layout = n.find("layout");
    // All is read, whatever is wrong with the rest, so that its own errors show.
    Draft d{l_, r_, p};
    d.sources_known = from && ends(*from, "from", p.sources);
    d.targets_known = to && ends(*to, "to", p.targets);
    d.onto_neurons = check_targets(to, d) && d.targets_known;
    const RuleRead rule = connect ? load_rule(l_, p, *connect, key.mark) : RuleRead{false};
    d.rule_good = rule.good;
    const bool prepared = read_preparation(r_, n, p.preparation);
    const bool read = synapse && read_synapse(d, *synapse, key.mark, rule);
    if (d.sources_known && d.targets_known && rule.good && check_rule(d, *connect) && read)
      share_weights(d, *connect);
    d.connected = rule.good && read;
    if (layout) read_layout(d, *layout);
    return d.sources_known && d.onto_neurons && d.connected && prepared;
  }

  /// False if not all of the ends are known.
  bool ends(const Node& given, std::string_view what, std::vector<GidRange>& out) {
    const Node& n = r_.resolved(given);
    std::vector<const Node*> items;
    if (n.is_list())
      for (const auto& i : n.items) items.push_back(&i);
    else items.push_back(&n);
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
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const auto& a, const auto& b) { return a.first.first < b.first.first; });
    for (std::size_t i = 1; i < sorted.size(); ++i)
      if (std::uint64_t{sorted[i - 1].first.first} + sorted[i - 1].first.count > sorted[i].first.first) {
        r_.errors.error(
            sorted[i].second->mark,
            fmt::format("{} names neurons that {} has named already in '{}'",
                        in_quotes(sorted[i].second->text), in_quotes(sorted[i - 1].second->text), what));
        good = false;
      }
    return good;
  }

  /// Can the rule be drawn between these ends?
  bool check_rule(const Draft& d, const Node& connect) {
    if (d.p.rule->spatial() && !d.placed()) return false;
    auto refusal = d.p.rule->refusal(Ends(l_.net, d.p));
    if (!refusal) return true;
    const Mark where = connect.is_map() && !connect.items.empty() ? connect.items[0].mark : connect.mark;
    r_.errors.error(where, std::move(refusal.reason), std::move(refusal.help));
    return false;
  }

  /// Plain weights of a rule that numbers them are kept once; a synapse of an average transmits its part.
  void share_weights(const Draft& d, const Node& connect) {
    Projection& p = d.p;
    if (p.synapse->on_pre || p.synapse->on_control || p.state.empty() || p.listed_weights) return;
    if (const double share = p.rule->share(p); share != 1) p.state[0].a *= share, p.state[0].b *= share;
    const std::size_t weights = p.rule->weights(Ends(l_.net, p));
    if (weights > most_weights)
      r_.errors.error(connect.mark,
                      fmt::format("{} weights are shared, more than {}", weights, most_weights));
    else p.shared_weights.resize(weights);
  }
  static constexpr std::size_t most_weights = 1u << 28;

  bool check_targets(const Node* to, const Draft& d) {
    bool good = true;
    for (std::size_t i = 0; i < d.p.targets.size(); ++i) {
      const auto& target = d.population_of(d.p.targets[i]);
      good = good && target.model;
      if (!target.model || target.neuron()) continue;
      r_.errors.error(to->is_list() && to->items.size() == d.p.targets.size() ? to->items[i].mark : to->mark,
                      fmt::format("{} is a source (model {}); sources send and receive nothing",
                                  in_quotes(target.name), target.model->name),
                      "swap 'from' and 'to'?");
      good = false;
    }
    return good;
  }
  Loading& l_;
  Reader& r_;
};

}  // namespace

std::span<const Key> projection_keys() { return projection_entry_keys; }

void load_projections(Loading& l, const Node& map) {
  l.projections.complete = (map.is_map() || map.kind == Node::Kind::null) && !map.incomplete;
  if (!map.is_map()) {
    if (map.kind != Node::Kind::null)
      l.read.errors.error(map.mark,
                          "'projections' must be a map of names and projections, not " + kind_name(map));
    return;
  }
  Projections(l).all(map);
}

}  // namespace spinet::reading
