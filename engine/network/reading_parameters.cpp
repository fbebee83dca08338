// The network's own parameters, and scalars that are expressions over them.
#include "network/reading.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "network/expression.hpp"
#include "network/suggest.hpp"

namespace spinet::reading {
namespace {

constexpr std::size_t longest_chain = 200;  // of parameters that refer to one another

bool name_like(std::string_view s) {
  if (s.empty() || !(std::isalpha(static_cast<unsigned char>(s[0])) || s[0] == '_')) return false;
  return std::all_of(s.begin(), s.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; });
}

/// Text that is meant as text: it begins with a letter, a '.' or a '/' and is no number.
bool word_like(std::string_view s) {
  if (s.empty()) return false;
  std::string lower(s.substr(0, 8));
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  if (lower == "nan" || lower == "inf" || lower == "infinity" || lower == ".nan" || lower == ".inf")
    return false;
  return std::isalpha(static_cast<unsigned char>(s[0])) || s[0] == '_' || s[0] == '/' ||
         s.starts_with("./") || s.starts_with("../");
}

}  // namespace

void Reader::set_parameters(const Node& map) {
  if (!map.is_map()) {
    errors.error(map.mark, "'parameters' must be a map of names and values, not " + kind_name(map),
                 "for example: parameters: {g: 5, J: 0.1 mV}");
    return;
  }
  for (std::size_t i = 0; i < map.keys.size(); ++i) {
    const auto& key = map.keys[i];
    const auto functions = function_names();
    if (!name_like(key.name))
      errors.error(key.mark, fmt::format("{} is no name for a parameter", in_quotes(key.name)),
                   "letters, digits and '_', a letter first");
    else if (key.name == "e" || key.name == "pi" || std::count(functions.begin(), functions.end(), key.name))
      errors.error(key.mark, fmt::format("{} has a meaning in expressions; give the parameter another name",
                                         in_quotes(key.name)));
    Parameter p;
    p.node = &map.items[i];
    if (map.items[i].kind == Node::Kind::null) {
      errors.error(key.mark, fmt::format("parameter {} has no value", in_quotes(key.name)));
      p.state = Parameter::State::failed;
    }
    parameters_[key.name] = p;
  }
  for (auto& [name, p] : parameters_) {  // so that mistakes in parameters nobody uses are reported, too
    if (!p.node->is_scalar()) continue;
    try {
      parameter(name);
    } catch (const AlreadyReported&) {
    } catch (const ExpressionError&) {  // a text: fine as long as it is not used as a number
    }
  }
}

Quantity Reader::parameter(std::string_view name) {
  const auto at = parameters_.find(name);
  if (at == parameters_.end()) {
    std::vector<std::string> known;
    for (const auto& [k, p] : parameters_) known.push_back(k);
    throw ExpressionError(
        0, name.size(), fmt::format("unknown parameter {}", in_quotes(name)),
        known.empty() ? "the network defines no parameters" : suggest(name, known, "parameters"));
  }
  Parameter& p = at->second;
  switch (p.state) {
    case Parameter::State::number:
      return p.value;
    case Parameter::State::failed:
      throw AlreadyReported{};
    case Parameter::State::other:
      break;
    case Parameter::State::reading: {
      std::string path;
      for (auto i = std::find(path_.begin(), path_.end(), name); i != path_.end(); ++i) path += *i + " -> ";
      errors.error(p.node->mark, fmt::format("parameter {} depends on itself", in_quotes(name)),
                   path + std::string(name));
      throw AlreadyReported{};
    }
    case Parameter::State::unread:
      if (p.node->is_scalar() && !word_like(p.node->text)) {
        if (path_.size() >= longest_chain) {
          errors.error(
              p.node->mark,
              fmt::format("a chain of more than {} parameters that refer to one another", longest_chain));
          throw AlreadyReported{};
        }
        p.state = Parameter::State::reading;
        path_.emplace_back(name);
        try {
          p.value = evaluate_scalar(*p.node, {});
          p.state = Parameter::State::number;
        } catch (const AlreadyReported&) {
          p.state = Parameter::State::failed;
        } catch (const ExpressionError& e) {
          // "$x" where x is a list or a text is an alias of it.
          if (p.node->text.starts_with('$') && &resolved(*p.node) != p.node) {
            p.state = Parameter::State::other;
          } else {
            errors.error(inside(*p.node, e.position, e.length), e.what(), e.help);
            p.state = Parameter::State::failed;
          }
        }
        path_.pop_back();
        if (p.state == Parameter::State::failed) throw AlreadyReported{};
        if (p.state == Parameter::State::number) return p.value;
      } else {
        p.state = Parameter::State::other;
      }
      break;
  }
  throw ExpressionError(0, name.size(),
                        fmt::format("parameter {} is {}, not a number", in_quotes(name), kind_name(*p.node)));
}

const Node& Reader::resolved(const Node& n) const {
  const Node* at = &n;
  for (std::size_t steps = 0; steps < longest_chain && at->is_scalar() && at->text.starts_with('$');
       ++steps) {
    const auto p = parameters_.find(std::string_view(at->text).substr(1));
    if (p == parameters_.end()) return n;
    at = p->second.node;
  }
  // Numbers are left to quantity(), which knows where they are used.
  return at->is_scalar() && !word_like(at->text) ? n : *at;
}

Quantity Reader::evaluate_scalar(const Node& n, const Dimension& hint) {
  const std::string_view s = n.text;
  const Lookup lookup = [this](std::string_view name) { return parameter(name); };
  const bool expression = s.starts_with('=');
  if (!expression && !s.starts_with('$')) return parse_quantity(s, hint);
  try {
    if (expression) return evaluate(s.substr(1), lookup);
    if (!name_like(s.substr(1)))
      throw ExpressionError(0, s.size() - 1,
                            fmt::format("{} is no name of a parameter", in_quotes(s.substr(1))),
                            "an expression begins with '=', for example =2*J");
    return parameter(s.substr(1));
  } catch (const ExpressionError& e) {
    throw ExpressionError(e.position + 1, e.length, e.what(), e.help);
  }
}

}  // namespace spinet::reading
