#include "sweep/axis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <set>

#include "exits.hpp"
#include "network/suggest.hpp"

namespace spinet::tool {
namespace {

constexpr std::size_t most_values = 100'000;
const char* const example =
    "for example --vary parameters.rate=0.40:1.25:0.05 or --vary \"parameters.rule=[linear, power]\"";

std::string trimmed(std::string_view s) {
  const auto begin = s.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return std::string(s.substr(begin, s.find_last_not_of(" \t") - begin + 1));
}

[[noreturn]] void refuse(const std::string& given, const std::string& reason, const std::string& help = {}) {
  throw UserError(fmt::format("--vary {}: {}{}", given, reason, help.empty() ? "" : "\n   help: " + help));
}

/// Parts between separators that stand outside brackets and quotes.
std::vector<std::string> split(std::string_view s, char separator) {
  std::vector<std::string> parts(1);
  int depth = 0;
  char quote = 0;
  for (const char c : s) {
    if (quote) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '[' || c == '{' || c == '(') {
      ++depth;
    } else if (c == ']' || c == '}' || c == ')') {
      --depth;
    } else if (c == separator && depth == 0) {
      parts.emplace_back();
      continue;
    }
    parts.back() += c;
  }
  for (auto& p : parts) p = trimmed(p);
  return parts;
}

struct Number {
  double value;
  std::string unit;
};
std::optional<Number> number_in(const std::string& s) {
  // strtod would take "inf" and "0x10", which networks do not.
  if (s.empty() || s.find_first_of("0123456789") > 2 || s.find_first_of("xX") == 1) return std::nullopt;
  char* end = nullptr;
  const double x = std::strtod(s.c_str(), &end);
  if (end == s.c_str() || !std::isfinite(x)) return std::nullopt;
  const auto unit = trimmed(end);
  if (!unit.empty() && !std::isalpha(static_cast<unsigned char>(unit[0])) && unit[0] != '%' &&
      static_cast<unsigned char>(unit[0]) < 0x80 && unit != "1/s")
    return std::nullopt;
  return Number{x, unit};
}

std::vector<std::string> range(const std::string& given, const std::vector<std::string>& parts) {
  std::vector<Number> n;
  for (const auto& p : parts) {
    const auto x = number_in(p);
    if (!x) refuse(given, fmt::format("{} is no number", in_quotes(p)), example);
    n.push_back(*x);
  }
  std::string unit;
  for (const auto& x : n)
    if (unit.empty()) unit = x.unit;
  for (const auto& x : n)
    if (x.unit != unit && !(x.unit.empty() && x.value == 0))
      refuse(given,
             fmt::format("begin, end and step must be written in one unit; here are {} and {}",
                         in_quotes(unit), x.unit.empty() ? "none" : in_quotes(x.unit)),
             fmt::format("for example {0}{3}:{1}{3}:{2}{3}", n[0].value, n[1].value, n[2].value, unit));
  const double begin = n[0].value, end = n[1].value, step = n[2].value;
  if (step == 0) refuse(given, "the step is 0");
  if (begin != end && (end > begin) != (step > 0))
    refuse(given, fmt::format("the range is empty: steps of {} do not lead from {} to {}", step, begin, end));
  const double steps = std::floor((end - begin) / step * (1 + 1e-12) +
                                  1e-6);  // the end belongs to the range, roundings or not
  if (steps + 1 > static_cast<double>(most_values))
    refuse(given, fmt::format("the range has {:.4g} values; {} are allowed", steps + 1, most_values));
  std::vector<std::string> values;
  for (double i = 0; i <= steps; ++i) {
    double x = begin + i * step;
    if (std::fabs(x) < 1e-9 * std::fabs(step)) x = 0;
    values.push_back(fmt::format("{:.12g}{}{}", x, unit.empty() ? "" : " ",
                                 unit));  // twelve digits: 0.45, not 0.45000000000000001
  }
  return values;
}

}  // namespace

std::string SweepAxis::name() const {
  std::string s;
  for (const auto& p : paths) s += (s.empty() ? "" : ",") + p;
  return s;
}

double SweepAxis::number(std::size_t i) const { return std::strtod(values[i].c_str(), nullptr); }

SweepAxis parse_axis(const std::string& given) {
  const auto equals = given.find('=');
  if (equals == std::string::npos || equals == 0) refuse(given, "values are given as PATH=VALUES", example);
  SweepAxis axis;
  axis.paths = split(given.substr(0, equals), ',');
  for (const auto& p : axis.paths)
    if (p.empty()) refuse(given, "a path is empty", example);
  const std::string text = trimmed(given.substr(equals + 1));
  if (text.empty()) refuse(given, "no values", example);
  if (text.front() == '[') {
    if (text.back() != ']') refuse(given, "this '[' is not closed");
    const auto inside = trimmed(std::string_view(text).substr(1, text.size() - 2));
    if (inside.empty()) refuse(given, "the list is empty", example);
    axis.values = split(inside, ',');
    for (const auto& v : axis.values)
      if (v.empty()) refuse(given, "a value of the list is empty");
  } else if (const auto parts = split(text, ':'); parts.size() == 3) {
    axis.values = range(given, parts);
  } else {
    refuse(given, fmt::format("{} is neither a range begin:end:step nor a list", in_quotes(text)),
           parts.size() == 1 ? "one value for all runs is given with --set" : example);
  }
  std::set<std::string> seen;
  for (const auto& v : axis.values)
    if (!seen.insert(v).second) refuse(given, fmt::format("the value {} is there twice", in_quotes(v)));
  axis.numbers = true;
  for (const auto& v : axis.values) {
    const auto x = number_in(v);
    if (!x || (&v != &axis.values[0] && x->unit != axis.unit)) axis.numbers = false;
    if (x && &v == &axis.values[0]) axis.unit = x->unit;
  }
  if (!axis.numbers) axis.unit.clear();
  return axis;
}

void check_axes(const std::vector<SweepAxis>& axes) {
  std::vector<std::string> seen;
  double combinations = 1;
  for (const auto& a : axes) {
    combinations *= static_cast<double>(a.values.size());
    for (const auto& p : a.paths) {
      for (const auto& q : seen) {
        if (p == q) refuse(a.name(), fmt::format("{} is varied twice", in_quotes(p)));
        if (p.starts_with(q + ".") || q.starts_with(p + "."))
          refuse(a.name(), fmt::format("{} is a part of {}, which is varied too", in_quotes(std::max(p, q)),
                                       in_quotes(std::min(p, q))));
      }
      seen.push_back(p);
      if (p == "seed")
        refuse(a.name(), "every run has a seed of its own",
               "trial k of every combination has the seed of the network + k: --trials N --seed S");
      if (p == "spinet" || p == "name" || p == "description" || p == "record")
        refuse(a.name(), fmt::format("{} has no effect on a run", in_quotes(p)));
    }
  }
  if (combinations > 1e6)
    throw UserError(fmt::format("spinet sweep: {:.4g} combinations; at most a million", combinations));
}

std::uint64_t Plan::combinations() const {
  std::uint64_t n = 1;
  for (const auto& a : axes) n *= a.values.size();
  return n;
}

std::vector<std::size_t> Plan::values_of(std::uint64_t combination) const {
  std::vector<std::size_t> v(axes.size());
  for (std::size_t i = axes.size(); i-- > 0;) {
    v[i] = combination % axes[i].values.size();
    combination /= axes[i].values.size();
  }
  return v;
}

std::vector<std::pair<std::string, std::string>> Plan::overrides(std::uint64_t combination) const {
  std::vector<std::pair<std::string, std::string>> all;
  const auto v = values_of(combination);
  for (std::size_t i = 0; i < axes.size(); ++i)
    for (const auto& p : axes[i].paths) all.emplace_back(p, axes[i].values[v[i]]);
  return all;
}

std::string Plan::text(std::uint64_t combination) const {
  std::string s;
  const auto v = values_of(combination);
  for (std::size_t i = 0; i < axes.size(); ++i)
    s += fmt::format("{}{}={}", s.empty() ? "" : ", ", axes[i].name(), axes[i].values[v[i]]);
  return s;
}

}  // namespace spinet::tool
