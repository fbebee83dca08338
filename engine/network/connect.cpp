// `connect`: the rule of a projection, one of those in engine/connect.
#include <fmt/format.h>

#include <algorithm>

#include "connect/rule.hpp"
#include "network/parts.hpp"
#include "network/spellings.hpp"
#include "network/suggest.hpp"

namespace spinet::reading {
namespace {

/// All keys of `connect`: the rules that have a value, what they take beside it, and the options.
const std::vector<Key>& all_keys() {
  static const std::vector<Key> all = [] {
    std::vector<Key> keys;
    for (const auto* rule : connection_rules()) {
      const auto& f = rule->format;
      if (!f.schema.empty()) keys.push_back({f.name, false, f.schema, f.doc});
      keys.insert(keys.end(), f.beside.begin(), f.beside.end());
    }
    keys.push_back({"rule", false, "rule", "a rule that has no value"});
    keys.push_back({"autapses", false, "boolean", "whether a neuron may connect to itself (true)"});
    keys.push_back({"multapses", false, "boolean", "whether a pair may be drawn more than once (true)"});
    return keys;
  }();
  return all;
}

/// The rule that takes a key beside its value, or null.
const ConnectionRule* owner_of(std::string_view key) {
  for (const auto* rule : connection_rules())
    for (const auto& k : rule->format.beside)
      if (k.name == key) return rule;
  return nullptr;
}

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
      if (right_key(numbers.keys[i].name, names(all_keys())) == rule) number = written(numbers.items[i]);
    return fmt::format("{{{}: {}}}", rule, number);
  }

  RuleRead read(const Node& n, Mark where) {
    if (!n.is_map()) return {plain(n), {}, {}};
    const Node::Key* chosen = choose(n, where);
    if (!chosen) {
      option(n, "autapses", p_.autapses);
      option(n, "multapses", p_.multapses);
      return {false, {}, {}};
    }
    const std::string& rule = chosen->taken ? chosen->meant : chosen->name;
    const Node& value = *n.find(rule);
    if (rule == "rule") {
      good_ = plain(value, number_) && good_;
    } else {
      p_.rule = connection_rule(rule);
      good_ = p_.rule->read(r_, value, p_) && good_;
    }
    check_options(n, rule == "rule" && value.is_scalar() ? value.text : rule);
    const bool lists = p_.rule && p_.rule->lists();
    return {good_, lists ? &r_.resolved(value) : nullptr, &n};
  }

 private:
  static std::vector<std::string> all() {
    std::vector<std::string> names;
    for (const auto* rule : connection_rules()) names.emplace_back(rule->format.name);
    return names;
  }
  /// A rule that has no value.
  static bool bare(const std::string& name) {
    const auto* rule = connection_rule(name);
    return rule && rule->format.schema.empty();
  }
  /// The rule of a name, perhaps another simulator's; empty: there is none.
  static std::string rule_of(const std::string& name) {
    return connection_rule(name) ? name : right_name(Spelling::Of::rule, name);
  }
  static bool is_option(const std::string& name) {
    return name == "autapses" || name == "multapses" || owner_of(name);
  }

  /// A rule by its name alone.
  bool plain(const Node& given, const std::string& number = {}) {
    const auto name = r_.text(given, "connect");
    if (!name) return false;
    if (bare(*name)) {
      p_.rule = connection_rule(*name);
      return p_.rule->read(r_, given, p_);
    }
    const Spelling* other = spelling(Spelling::Of::rule, *name);
    if (connection_rule(*name))
      r_.errors.error(given.mark, fmt::format("rule {} needs a value", in_quotes(*name)),
                      fmt::format("here: connect: {{{}: {}}}", *name, number.empty() ? "..." : number));
    else
      r_.errors.error(given.mark, fmt::format("unknown rule {}", in_quotes(*name)),
                      other ? answer(*other, number) : suggest(*name, all(), "rules"));
    return false;
  }

  /// The key that names the rule, or is taken for one; null after an error.
  const Node::Key* choose(const Node& n, Mark where) {
    const auto allowed = names(all_keys());
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
        if (bare(k.name))
          r_.errors.error(
              k.mark, reason,
              fmt::format("write connect: {0}, or connect: {{rule: {0}, autapses: false}}", k.name));
        else if (const Spelling* other = spelling(Spelling::Of::rule, k.name))
          other_rule(n, i, *other, reason);
        else r_.unknown_key(n, k, {allowed, "rules and options"}, reason);
        unknown = unknown || !is_option(k.meant);
        if (!k.taken || is_option(k.meant)) continue;
      } else if (is_option(k.name)) {
        continue;
      }
      if (chosen) {
        r_.errors.error(k.mark, fmt::format("two rules, {} and {}; one can be meant", in_quotes(chosen->name),
                                            in_quotes(k.name)));
        good_ = false;
      } else {
        chosen = &k;
      }
    }
    if (!chosen && !unknown)
      r_.errors.error(n.keys.empty() ? where : n.keys[0].mark, "'connect' names no rule",
                      "rules: " + joined(all()));
    return chosen;
  }

  /// Another simulator's rule with its number: {FixedProbabilityConnector: 0.1}.
  void other_rule(const Node& n, std::size_t i, const Spelling& other, const std::string& reason) {
    const auto& k = n.keys[i];
    r_.errors.error(k.mark, reason, answer(other, written(n.items[i])));
    k.meant = right_name(Spelling::Of::rule, k.name);
    k.taken = !k.meant.empty() && !bare(k.meant) && !n.find(k.meant);
  }

  void check_options(const Node& n, const std::string& name) {
    const auto none = [&](std::string_view key, bool means, std::string help = {}) {
      const Node* o = n.find(key);
      if (!o || means || !good_) return;
      r_.errors.error(o->mark, fmt::format("'{}' means nothing for rule {}", key, name), std::move(help));
      good_ = false;
    };
    for (const auto& k : all_keys())
      if (const auto* owner = owner_of(k.name))
        none(k.name, owner == p_.rule, fmt::format("{}: {}", k.name, k.doc));
    none("autapses", p_.rule && p_.rule->format.autapses);
    none("multapses", p_.rule && p_.rule->format.multapses);
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

std::span<const Key> connect_keys() { return all_keys(); }

std::string rule_line(const Node& value, const Node& beside) { return Connect::line(value, beside); }

RuleRead load_rule(Loading& l, Projection& p, const Node& connect, Mark where) {
  return Connect(l, p).read(connect, where);
}

}  // namespace spinet::reading
