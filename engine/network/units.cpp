#include "network/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "network/suggest.hpp"

namespace spinet {
namespace {

struct Symbol {
  std::string_view name;
  std::array<std::int8_t, 5> of;  // m, kg, s, A, K
  int decade;
  double factor;
  bool prefixed;  // takes SI prefixes
};

constexpr Symbol symbols[] = {
    {"s", {0, 0, 1, 0, 0}, 0, 1, true},        {"min", {0, 0, 1, 0, 0}, 0, 60, false},
    {"h", {0, 0, 1, 0, 0}, 0, 3600, false},    {"d", {0, 0, 1, 0, 0}, 0, 86400, false},
    {"V", {2, 1, -3, -1, 0}, 0, 1, true},      {"A", {0, 0, 0, 1, 0}, 0, 1, true},
    {"F", {-2, -1, 4, 2, 0}, 0, 1, true},      {"S", {-2, -1, 3, 2, 0}, 0, 1, true},
    {"Ohm", {2, 1, -3, -2, 0}, 0, 1, true},    {"ohm", {2, 1, -3, -2, 0}, 0, 1, true},
    {"\u03A9", {2, 1, -3, -2, 0}, 0, 1, true}, {"\u2126", {2, 1, -3, -2, 0}, 0, 1, true},
    {"Hz", {0, 0, -1, 0, 0}, 0, 1, true},      {"m", {1, 0, 0, 0, 0}, 0, 1, true},
    {"g", {0, 1, 0, 0, 0}, -3, 1, true},       {"T", {0, 1, -2, -1, 0}, 0, 1, true},
    {"G", {0, 1, -2, -1, 0}, -4, 1, true},     {"Oe", {0, 1, -2, -1, 0}, -4, 1, true},
    {"J", {2, 1, -2, 0, 0}, 0, 1, true},       {"eV", {2, 1, -2, 0, 0}, 0, 1.602176634e-19, true},
    {"W", {2, 1, -3, 0, 0}, 0, 1, true},       {"C", {0, 0, 1, 1, 0}, 0, 1, true},
    {"K", {0, 0, 0, 0, 1}, 0, 1, true},        {"%", {0, 0, 0, 0, 0}, -2, 1, false},
    {"1", {0, 0, 0, 0, 0}, 0, 1, false},       {"rad", {0, 0, 0, 0, 0}, 0, 1, false},
};

struct Prefix {
  std::string_view name;
  int decade;
};
constexpr Prefix prefixes[] = {{"a", -18},     {"f", -15},     {"p", -12}, {"n", -9}, {"u", -6},
                               {"\u00B5", -6}, {"\u03BC", -6}, {"m", -3},  {"c", -2}, {"k", 3},
                               {"M", 6},       {"G", 9},       {"T", 12}};

struct Named {
  std::string_view unit, noun;
};
constexpr Named nouns[] = {
    {"1", "a plain number"}, {"s", "a time"},        {"V", "a voltage"},        {"A", "a current"},
    {"F", "a capacitance"},  {"S", "a conductance"}, {"Ohm", "a resistance"},   {"Hz", "a rate"},
    {"m", "a length"},       {"g", "a mass"},        {"T", "a magnetic field"}, {"J", "an energy"},
    {"W", "a power"},        {"C", "a charge"},      {"K", "a temperature"},    {"m^2", "an area"},
};

/// One symbol with its prefix.
std::optional<Unit> parse_symbol(std::string_view s) {
  for (const auto& y : symbols)  // a whole symbol goes before a prefix: "min", "T", "Pa" is no "p"
    if (s == y.name) return Unit{{y.of}, y.decade, y.factor};
  for (const auto& p : prefixes)
    if (s.starts_with(p.name))
      for (const auto& y : symbols)
        if (y.prefixed && s.substr(p.name.size()) == y.name)
          return Unit{{y.of}, y.decade + p.decade, y.factor};
  return std::nullopt;
}

}  // namespace

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

Dimension operator+(Dimension a, Dimension b) {
  for (std::size_t i = 0; i < a.of.size(); ++i)
    a.of[i] = static_cast<std::int8_t>(std::clamp(a.of[i] + b.of[i], -100, 100));
  return a;
}
Dimension operator-(Dimension a, Dimension b) {
  for (std::size_t i = 0; i < a.of.size(); ++i)
    a.of[i] = static_cast<std::int8_t>(std::clamp(a.of[i] - b.of[i], -100, 100));
  return a;
}

std::optional<Unit> parse_unit(std::string_view text) {
  text = trimmed(text);
  Unit all;
  if (text.empty()) return all;
  if (text.size() > 64) return std::nullopt;
  bool divide = false;
  while (true) {
    const auto end = text.find_first_of("*/");
    auto part = trimmed(text.substr(0, end));
    int power = 1;
    if (const auto hat = part.find('^'); hat != std::string_view::npos) {
      auto digits = part.substr(hat + 1);
      const bool minus = digits.starts_with('-');
      if (minus) digits.remove_prefix(1);
      if (digits.size() != 1 || digits[0] < '1' || digits[0] > '9') return std::nullopt;
      power = minus ? '0' - digits[0] : digits[0] - '0';
      part = part.substr(0, hat);
    }
    const auto u = parse_symbol(part);
    if (!u) return std::nullopt;
    if (divide) power = -power;
    for (int k = 0; k < std::abs(power); ++k) {
      all.dimension = power > 0 ? all.dimension + u->dimension : all.dimension - u->dimension;
      all.decade += power > 0 ? u->decade : -u->decade;
      all.factor = power > 0 ? all.factor * u->factor : all.factor / u->factor;
    }
    if (end == std::string_view::npos) return all;
    divide = text[end] == '/';
    text.remove_prefix(end + 1);
  }
}

double scaled(double number, int decade) {
  static constexpr double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  for (; decade > 22; decade -= 22) number *= 1e22;
  for (; decade < -22; decade += 22) number /= 1e22;
  return decade >= 0 ? number * tens[decade] : number / tens[-decade];
}

double Quantity::in(const Unit& u) const {
  const double n = scaled(number, decade - u.decade);
  return u.factor == 1 ? n : n / u.factor;
}
double Quantity::si() const { return scaled(number, decade); }

std::string dimension_name(const Dimension& d) {
  for (const auto& n : nouns)
    if (parse_unit(n.unit)->dimension == d) return std::string(n.noun);
  static constexpr const char* base[] = {"m", "kg", "s", "A", "K"};
  std::string s;
  for (std::size_t i = 0; i < d.of.size(); ++i)
    if (d.of[i] == 1) s += fmt::format("{}{}", s.empty() ? "" : " ", base[i]);
    else if (d.of[i] != 0) s += fmt::format("{}{}^{}", s.empty() ? "" : " ", base[i], d.of[i]);
  return "a quantity in " + s;
}

std::string nearest_unit(std::string_view misspelt, const Dimension& wanted) {
  std::vector<std::string> all;
  for (const auto& y : symbols) {
    if (Dimension{y.of} == wanted && y.name != "1") all.emplace_back(y.name);
    if (Dimension{y.of} == wanted && y.prefixed)
      for (const auto& p : prefixes) all.push_back(std::string(p.name) + std::string(y.name));
  }
  if (misspelt.empty() || misspelt.size() > 16) return {};
  // Units are short: accept one edit of the letters, and prefer those that differ in case only.
  std::string best;
  std::size_t least = misspelt.size() > 1 ? 2 : 1;
  for (const auto& u : all)
    if (const auto e = edit_distance(misspelt, u); e < least) {
      least = e;
      best = u;
    }
  return best;
}

}  // namespace spinet
