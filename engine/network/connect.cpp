// `connect`: the rule of a projection.
#include <fmt/format.h>

#include <algorithm>

#include "network/parts.hpp"
#include "network/spellings.hpp"
#include "network/suggest.hpp"

namespace spinet::reading {
namespace {

constexpr std::uint64_t most_synapses = std::uint64_t{1} << 53;

constexpr Key rules[] = {
    {"fixed_indegree", false, "integer", "sources drawn for each target"},
    {"fixed_outdegree", false, "integer", "targets drawn for each source"},
    {"fixed_total_number", false, "integer", "pairs drawn in all"},
    {"pairwise_bernoulli", false, "number", "probability of each pair"},
    {"list", false, "edges", "a CSV file, or rows [source, target, weight, delay]"},
    {"sonata", false, "text", "a SONATA edges file (.h5), such as the log of a run that recorded edges"},
    {"population", false, "name", "for sonata: the edge population of the file; the projection's own name if not given"},
    {"rule", false, "rule", "a rule without a number: one_to_one or all_to_all"},
    {"autapses", false, "boolean", "whether a neuron may connect to itself (true)"},
    {"multapses", false, "boolean", "whether a pair may be drawn more than once (true)"},
};

class Connect {
 public:
  Connect(Loading& l, Projection& p) : r_(l.read), p_(p) {}

  /// `rule` and what is beside it, as NEST has them, in one line: "{fixed_indegree: 3}".
  static std::string line(const Node& value, const Node& beside) {
    const Node* name = value.is_map() ? value.find("rule") : &value;
    const Node& numbers = value.is_map() ? value : beside;
    const std::string rule = name && name->is_scalar() ? rule_of(name->text) : std::string();
    if (rule.empty() || bare(rule)) return rule.empty() ? "..." : rule;
    std::string number = "...";
    for (std::size_t i = 0; i < numbers.keys.size(); ++i)
      if (right_key(numbers.keys[i].name, names(rules)) == rule) number = written(numbers.items[i]);
    return fmt::format("{{{}: {}}}", rule, number);
  }

  RuleRead read(const Node& n, Mark where) {
    if (!n.is_map()) return {plain(n)};
    const Node::Key* chosen = choose(n, where);
    if (!chosen) {
      option(n, "autapses", p_.autapses);
      option(n, "multapses", p_.multapses);
      return {false};
    }
    const std::string& rule = chosen->taken ? chosen->meant : chosen->name;
    const Node& value = *n.find(rule);
    RuleRead read;
    read_value(rule, value, n, read);
    check_options(n, rule == "rule" && value.is_scalar() ? value.text : rule);
    read.good = good_;
    return read;
  }

 private:
  static const std::vector<std::string>& all() {
    static const std::vector<std::string> names{"one_to_one", "all_to_all", "fixed_indegree", "fixed_outdegree", "fixed_total_number", "pairwise_bernoulli", "list", "sonata"};
    return names;
  }
  static bool is_one(const std::string& name) { return std::find(all().begin(), all().end(), name) != all().end(); }
  static bool bare(const std::string& name) { return name == "one_to_one" || name == "all_to_all"; }
  /// The rule of a name, perhaps another simulator's; empty: there is none.
  static std::string rule_of(const std::string& name) {
    return is_one(name) ? name : right_name(Spelling::Of::rule, name);
  }
  static bool is_option(const std::string& name) { return name == "autapses" || name == "multapses" || name == "population"; }

  /// A rule by its name alone.
  bool plain(const Node& given, const std::string& number = {}) {
    const auto name = r_.text(given, "connect");
    if (!name) return false;
    if (bare(*name)) {
      p_.rule = *name == "one_to_one" ? Rule::one_to_one : Rule::all_to_all;
      return true;
    }
    const Spelling* other = spelling(Spelling::Of::rule, *name);
    if (is_one(*name))
      r_.errors.error(given.mark, fmt::format("rule {} needs a value", in_quotes(*name)),
                      fmt::format("here: connect: {{{}: {}}}", *name, number.empty() ? "..." : number));
    else
      r_.errors.error(given.mark, fmt::format("unknown rule {}", in_quotes(*name)),
                      other ? answer(*other, number) : suggest(*name, all(), "rules"));
    return false;
  }

  /// The key that names the rule, or is taken for one; null after an error.
  const Node::Key* choose(const Node& n, Mark where) {
    const auto allowed = names(rules);
    // Another simulator's way: {rule: fixed_indegree, indegree: 100}.
    const Node* named = n.find("rule");
    const std::string rule = named && named->is_scalar() ? rule_of(named->text) : std::string();
    const bool apart = !rule.empty() && !bare(rule);
    // One that there is not here has numbers of its own: nothing follows from them.
    const Spelling* other = named && named->is_scalar() ? spelling(Spelling::Of::rule, named->text) : nullptr;
    const bool none = other && other->right.empty();
    const Node::Key* chosen = nullptr;
    bool unknown = false;
    for (std::size_t i = 0; i < n.keys.size(); ++i) {
      const auto& k = n.keys[i];
      if (std::find(allowed.begin(), allowed.end(), k.name) == allowed.end()) {
        good_ = false;
        if (none && spelling(Spelling::Of::key, k.name, allowed)) continue;
        if (apart && right_key(k.name, allowed) == rule) {
          number_ = written(n.items[i]);
          continue;
        }
        const auto reason = fmt::format("unknown rule {}", in_quotes(k.name));
        if (bare(k.name)) r_.errors.error(k.mark, reason, fmt::format("write connect: {0}, or connect: {{rule: {0}, autapses: false}}", k.name));
        else if (const Spelling* other = spelling(Spelling::Of::rule, k.name))
          other_rule(n, i, *other, reason);
        else
          r_.unknown_key(n, k, {allowed, "rules and options"}, reason);
        unknown = unknown || !is_option(k.meant);
        if (!k.taken || is_option(k.meant)) continue;
      } else if (is_option(k.name)) {
        continue;
      }
      if (chosen) {
        r_.errors.error(k.mark, fmt::format("two rules, {} and {}; one can be meant", in_quotes(chosen->name), in_quotes(k.name)));
        good_ = false;
      } else {
        chosen = &k;
      }
    }
    if (!chosen && !unknown) r_.errors.error(n.keys.empty() ? where : n.keys[0].mark, "'connect' names no rule", "rules: " + joined(all()));
    return chosen;
  }

  /// Another simulator's rule with its number: {FixedProbabilityConnector: 0.1}.
  void other_rule(const Node& n, std::size_t i, const Spelling& other, const std::string& reason) {
    const auto& k = n.keys[i];
    r_.errors.error(k.mark, reason, answer(other, written(n.items[i])));
    k.meant = right_name(Spelling::Of::rule, k.name);
    k.taken = !k.meant.empty() && !bare(k.meant) && !n.find(k.meant);
  }

  void read_value(const std::string& rule, const Node& value, const Node& n, RuleRead& read) {
    if (rule == "rule") {
      good_ = plain(value, number_) && good_;
    } else if (rule == "list" || rule == "sonata") {
      p_.rule = Rule::listed;
      read = {true, &r_.resolved(value), rule == "sonata", n.find("population")};
    } else if (rule == "pairwise_bernoulli") {
      p_.rule = Rule::pairwise_bernoulli;
      const auto x = r_.number(value, {"pairwise_bernoulli", "1", 0, 1});
      good_ = good_ && x;
      p_.probability = x.value_or(0);
    } else {
      p_.rule = rule == "fixed_indegree" ? Rule::fixed_indegree : rule == "fixed_outdegree" ? Rule::fixed_outdegree : Rule::fixed_total_number;
      const auto x = r_.integer(value, rule, 0, p_.rule == Rule::fixed_total_number ? most_synapses : 0xFFFFFFFFu);
      good_ = good_ && x;
      p_.number = x.value_or(0);
    }
  }

  void check_options(const Node& n, const std::string& rule) {
    const bool draws = p_.rule == Rule::fixed_indegree || p_.rule == Rule::fixed_outdegree || p_.rule == Rule::fixed_total_number;
    const auto none = [&](const char* name, bool means, std::string help = {}) {
      const Node* o = n.find(name);
      if (!o || means || !good_) return;
      r_.errors.error(o->mark, fmt::format("'{}' means nothing for rule {}", name, rule), std::move(help));
      good_ = false;
    };
    none("population", rule == "sonata", "it names the edge population of a SONATA file: {sonata: edges.h5, population: name}");
    none("autapses", p_.rule != Rule::listed && p_.rule != Rule::one_to_one);
    none("multapses", draws);
    option(n, "autapses", p_.autapses);
    option(n, "multapses", p_.multapses);
  }
  void option(const Node& n, const char* name, bool& flag) {
    const Node* o = n.find(name);
    if (!o) return;
    const auto b = r_.boolean(*o, name);
    good_ = good_ && b;
    flag = b.value_or(true);
  }

  Reader& r_;
  Projection& p_;
  bool good_ = true;
  std::string number_;  ///< of a rule whose number has a key of its own
};

}  // namespace

std::span<const Key> connect_keys() { return rules; }

std::string rule_line(const Node& value, const Node& beside) { return Connect::line(value, beside); }

RuleRead load_rule(Loading& l, Projection& p, const Node& connect, Mark where) { return Connect(l, p).read(connect, where); }

}  // namespace spinet::reading
