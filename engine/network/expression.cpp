#include "network/expression.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "network/spellings.hpp"
#include "network/suggest.hpp"

namespace spinet {
namespace {

bool letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; }
bool digit(char c) { return std::isdigit(static_cast<unsigned char>(c)); }
/// Bytes a unit's symbol may hold: letters, %, and the UTF-8 of Ohm and micro signs.
bool unit_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) || c == '%' || static_cast<unsigned char>(c) >= 0x80;
}

std::optional<int> halved(int i) { return i % 2 == 0 ? std::optional(i / 2) : std::nullopt; }

// The x87 functions of long double have one implementation on every CPU; glibc's double ones are chosen by
// CPU.
double exact(long double x) { return static_cast<double>(x); }

struct Function {
  std::string_view name;
  double (*f)(double);
};
constexpr Function plain_functions[] = {
    {"exp", [](double x) { return exact(std::exp(static_cast<long double>(x))); }},
    {"ln", [](double x) { return exact(std::log(static_cast<long double>(x))); }},
    {"log", [](double x) { return exact(std::log(static_cast<long double>(x))); }},
    {"log10", [](double x) { return exact(std::log10(static_cast<long double>(x))); }},
    {"sin", [](double x) { return exact(std::sin(static_cast<long double>(x))); }},
    {"cos", [](double x) { return exact(std::cos(static_cast<long double>(x))); }},
    {"tan", [](double x) { return exact(std::tan(static_cast<long double>(x))); }},
    {"tanh", [](double x) { return exact(std::tanh(static_cast<long double>(x))); }},
    {"round", [](double x) { return std::round(x); }},
    {"floor", [](double x) { return std::floor(x); }},
    {"ceil", [](double x) { return std::ceil(x); }},
};

class Evaluator {
 public:
  Evaluator(std::string_view text, const Lookup& lookup) : text_(text), lookup_(lookup) {}

  Quantity all() {
    const Quantity q = sum();
    skip();
    if (at_ < text_.size())
      throw ExpressionError(at_, 1,
                            fmt::format("unexpected {} in the expression", in_quotes(text_.substr(at_, 1))),
                            "operators: + - * / ^ ( )");
    return q;
  }

 private:
  static constexpr int deepest = 100;

  void skip() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }
  bool take(char c) {
    skip();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  [[noreturn]] void fail(std::size_t from, const std::string& reason, std::string help = {}) const {
    throw ExpressionError(from, std::max<std::size_t>(1, at_ - std::min(at_, from)), reason, std::move(help));
  }
  Quantity finite(Quantity q, std::size_t from) const {
    if (!std::isfinite(q.number) || std::abs(q.decade) > 300) fail(from, "the value is not a finite number");
    return q;
  }

  Quantity sum() {
    skip();
    const std::size_t from = at_;
    if (++depth_ > deepest) fail(from, "the expression is nested too deeply");
    Quantity a = product();
    while (true) {
      skip();
      const std::size_t op = at_;
      if (take('+')) a = add(a, product(), 1, op);
      else if (take('-')) a = add(a, product(), -1, op);
      else break;
      finite(a, from);
    }
    --depth_;
    return a;
  }
  Quantity add(Quantity a, Quantity b, int sign, std::size_t op) const {
    align(a, b, op, sign > 0 ? "added to" : "subtracted from");
    a.number += sign * b.number;
    return a;
  }
  /// Brings both to the finer scale, so that 1 s + 1 ms is 1001 ms without a rounding.  0 goes with any
  /// dimension.
  void align(Quantity& a, Quantity& b, std::size_t op, const char* verb) const {
    if (a.dimension != b.dimension) {
      if (b.number == 0 && b.dimension.none()) b = {0, a.decade, a.dimension};
      else if (a.number == 0 && a.dimension.none()) a = {0, b.decade, b.dimension};
      else
        throw ExpressionError(op, 1,
                              fmt::format("{} cannot be {} {}", dimension_name(b.dimension), verb,
                                          dimension_name(a.dimension)));
    }
    const int finer = std::min(a.decade, b.decade);
    a = {scaled(a.number, a.decade - finer), finer, a.dimension};
    b = {scaled(b.number, b.decade - finer), finer, b.dimension};
  }
  Quantity product() {
    skip();
    const std::size_t from = at_;
    Quantity a = signed_power();
    while (true) {
      if (take('*')) {
        const Quantity b = signed_power();
        a = {a.number * b.number, a.decade + b.decade, a.dimension + b.dimension};
      } else if (skip(), at_ < text_.size() && text_[at_] == '/') {
        const std::size_t op = at_++;
        const Quantity b = signed_power();
        if (b.number == 0) throw ExpressionError(op, 1, "division by zero");
        a = {a.number / b.number, a.decade - b.decade, a.dimension - b.dimension};
      } else {
        return a;
      }
      finite(a, from);
    }
  }
  Quantity signed_power() {
    int sign = 1;
    while (true) {
      if (take('-')) sign = -sign;
      else if (!take('+')) break;
    }
    Quantity q = power();
    q.number *= sign;
    return q;
  }
  Quantity power() {
    skip();
    const std::size_t from = at_;
    Quantity a = primary();
    if (!take('^')) return a;
    if (++depth_ > deepest) fail(from, "the expression is nested too deeply");
    const Quantity b = signed_power();
    --depth_;
    return raise(a, b, from);
  }
  Quantity raise(const Quantity& a, const Quantity& b, std::size_t from) const {
    if (!b.dimension.none()) fail(from, "an exponent must be a plain number");
    const double n = b.si();
    if (n == std::round(n) && std::abs(n) <= 8) {  // whole powers carry dimensions
      Quantity q{1, 0, {}};
      for (int k = 0; k < std::abs(static_cast<int>(n)); ++k)
        q = {q.number * a.number, q.decade + a.decade, q.dimension + a.dimension};
      if (n < 0) {
        if (q.number == 0) fail(from, "division by zero");
        q = {1 / q.number, -q.decade, Dimension{} - q.dimension};
      }
      return finite(q, from);
    }
    if (n == 0.5) return root(a, from);
    if (!a.dimension.none()) fail(from, dimension_name(a.dimension) + " can only be raised to a whole power");
    return finite({exact(std::pow(static_cast<long double>(a.si()), static_cast<long double>(n))), 0, {}},
                  from);
  }
  Quantity root(Quantity a, std::size_t from) const {
    if (a.number < 0) fail(from, "the root of a negative number");
    if (a.decade % 2 != 0) a = {a.number * 10, a.decade - 1, a.dimension};
    Dimension d;
    for (std::size_t i = 0; i < d.of.size(); ++i) {
      const auto h = halved(a.dimension.of[i]);
      if (!h) fail(from, "the root of " + dimension_name(a.dimension) + " has no unit");
      d.of[i] = static_cast<std::int8_t>(*h);
    }
    return {std::sqrt(a.number), a.decade / 2, d};
  }
  Quantity primary() {
    skip();
    const std::size_t from = at_;
    if (at_ >= text_.size()) fail(from, "the expression ends where a value is expected");
    if (take('(')) {
      const Quantity q = sum();
      if (!take(')')) fail(from, "this '(' is not closed");
      return q;
    }
    if (digit(text_[at_]) || text_[at_] == '.') return number();
    if (text_[at_] == '$') ++at_;  // "$J" and "J" are the same inside an expression
    if (at_ < text_.size() && letter(text_[at_])) {
      const std::size_t begin = at_;
      while (at_ < text_.size() && (letter(text_[at_]) || digit(text_[at_]))) ++at_;
      const auto name = text_.substr(begin, at_ - begin);
      if (take('(')) return call(name, from);
      if (name == "pi") return {3.14159265358979323846, 0, {}};
      if (name == "e") return {2.71828182845904523536, 0, {}};
      try {
        return lookup_(name);
      } catch (const ExpressionError& e) {
        throw ExpressionError(from, begin + name.size() - from, e.what(), e.help);
      }
    }
    throw ExpressionError(from, 1,
                          fmt::format("a value is expected, not {}", in_quotes(text_.substr(at_, 1))));
  }
  Quantity number() {
    const std::size_t from = at_;
    double x = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), x);
    if (error != std::errc{}) fail(from, "this number cannot be read");
    at_ = static_cast<std::size_t>(end - text_.data());
    // A unit may follow the number; one symbol, since "/" is division here.
    std::size_t k = at_;
    while (k < text_.size() && text_[k] == ' ') ++k;
    std::size_t end_of_unit = k;
    while (end_of_unit < text_.size() && unit_letter(text_[end_of_unit])) ++end_of_unit;
    if (end_of_unit == k) return {x, 0, {}};
    // "4 mV^2" is four square millivolts, not the square of 4 mV.
    if (end_of_unit + 1 < text_.size() && text_[end_of_unit] == '^' && digit(text_[end_of_unit + 1]))
      end_of_unit += 2;
    const auto u = parse_unit(text_.substr(k, end_of_unit - k));
    if (!u) {
      const auto symbol = unit_symbol(text_.substr(k, end_of_unit - k));
      throw ExpressionError(
          k, end_of_unit - k, fmt::format("unknown unit {}", in_quotes(text_.substr(k, end_of_unit - k))),
          symbol.empty() ? "a product needs a '*'"
                         : fmt::format("here: {} {}", text_.substr(from, at_ - from), symbol));
    }
    at_ = end_of_unit;
    return {x * u->factor, u->decade, u->dimension};
  }
  Quantity call(std::string_view name, std::size_t from) {
    std::vector<Quantity> args;
    skip();
    if (!take(')')) {
      do args.push_back(sum());
      while (take(','));
      if (!take(')')) fail(from, "this '(' is not closed");
    }
    const auto needs = [&](std::size_t n) {
      if (args.size() != n)
        fail(from, fmt::format("{}() takes {} argument{}, not {}", name, n, n == 1 ? "" : "s", args.size()));
    };
    if (name == "sqrt") return needs(1), root(args[0], from);
    if (name == "abs")
      return needs(1), Quantity{std::fabs(args[0].number), args[0].decade, args[0].dimension};
    if (name == "pow") return needs(2), raise(args[0], args[1], from);
    if (name == "min" || name == "max") {
      if (args.empty()) needs(2);
      Quantity best = args[0];
      for (std::size_t i = 1; i < args.size(); ++i) {
        Quantity other = args[i];
        align(best, other, from, "compared with");
        if (name == "min" ? other.number < best.number : other.number > best.number) best = other;
      }
      return best;
    }
    for (const auto& f : plain_functions)
      if (f.name == name) {
        needs(1);
        if (!args[0].dimension.none())
          fail(from,
               fmt::format("{}() takes a plain number; this is {}", name, dimension_name(args[0].dimension)),
               "divide by a quantity of the same kind first");
        return finite({f.f(args[0].si()), 0, {}}, from);
      }
    throw ExpressionError(from, name.size(), fmt::format("unknown function {}", in_quotes(name)),
                          suggest(name, function_names(), "functions"));
  }

  std::string_view text_;
  const Lookup& lookup_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

/// "nan", "-.inf mV": the ways to write what is no number.
bool not_finite(std::string_view s) {
  while (!s.empty() && (s[0] == '+' || s[0] == '-' || s[0] == '.')) s.remove_prefix(1);
  std::string head(s.substr(0, 3));
  std::transform(head.begin(), head.end(), head.begin(), [](unsigned char c) { return std::tolower(c); });
  return head == "nan" || head == "inf";
}

}  // namespace

std::vector<std::string> function_names() {
  std::vector<std::string> names{"sqrt", "abs", "pow", "min", "max"};
  for (const auto& f : plain_functions) names.emplace_back(f.name);
  std::sort(names.begin(), names.end());
  return names;
}

bool too_small(std::string_view number) {
  if (number.starts_with('+')) number.remove_prefix(1);
  double x = 0;
  if (std::from_chars(number.data(), number.data() + number.size(), x).ec != std::errc::result_out_of_range)
    return false;
  return std::fabs(std::strtod(std::string(number).c_str(), nullptr)) < 1;
}

Quantity evaluate(std::string_view text, const Lookup& lookup) { return Evaluator(text, lookup).all(); }

Quantity parse_quantity(std::string_view text, const Dimension& wanted) {
  const std::size_t size = text.size();
  std::string_view rest = text;
  if (rest.starts_with('+') && rest.size() > 1 && rest[1] != '-') rest.remove_prefix(1);
  double x = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), x);
  if (error != std::errc::result_out_of_range && (error != std::errc{} || !std::isfinite(x)) &&
      not_finite(text))
    throw ExpressionError(0, size, fmt::format("{} is not a finite number", in_quotes(text)));
  if (error == std::errc::result_out_of_range && too_small(text))
    throw ExpressionError(
        0, size, fmt::format("{} is too small for a floating-point number", in_quotes(text)), "write 0");
  if (error == std::errc::result_out_of_range)
    throw ExpressionError(0, size, fmt::format("{} does not fit a floating-point number", in_quotes(text)));
  if (error != std::errc{})
    throw ExpressionError(0, size, fmt::format("{} is not a number", in_quotes(text)));
  std::size_t k = static_cast<std::size_t>(end - text.data());
  while (k < size && text[k] == ' ') ++k;
  const auto unit = text.substr(k);
  const auto u = parse_unit(unit);
  if (!u) {
    if (unit.starts_with(',') || unit.starts_with('_'))
      throw ExpressionError(k, size - k, fmt::format("{} is not a number", in_quotes(text)),
                            "write digits without separators: 10000");
    const auto number = text.substr(0, static_cast<std::size_t>(end - text.data()));
    const auto name = unit.starts_with('*') ? unit.substr(1) : unit;  // Brian2's way: 5*ms
    if (const auto symbol = unit_symbol(name); !symbol.empty() || (name != unit && parse_unit(name)))
      throw ExpressionError(k, size - k, fmt::format("unknown unit {}", in_quotes(unit)),
                            fmt::format("here: {} {}", number, symbol.empty() ? name : symbol));
    const auto best = nearest_unit(unit, wanted);
    throw ExpressionError(k, size - k, fmt::format("unknown unit {}", in_quotes(unit)),
                          best.empty() ? std::string{} : fmt::format("did you mean '{}'?", best));
  }
  return {x * u->factor, u->decade, u->dimension};
}

}  // namespace spinet
