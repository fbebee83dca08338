#include "parameters.hpp"

#include <algorithm>
#include <cmath>

namespace spinet {
namespace {

std::string number(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", x);
  return text;
}

bool inside(const Field& f, double x) {
  return (f.flags & low_open ? x > f.low : x >= f.low) && (f.flags & high_open ? x < f.high : x <= f.high);
}

}  // namespace

std::vector<double> special_values(const Field& f) {
  std::vector<double> all;
  if ((f.flags & integer) && f.high - f.low <= 8) {
    for (double x = std::ceil(f.low); x <= f.high; ++x) all.push_back(x);
  } else {
    if (std::isfinite(f.low) && !(f.flags & low_open)) all.push_back(f.low);
    if (std::isfinite(f.high) && !(f.flags & high_open)) all.push_back(f.high);
  }
  std::erase(all, f.preset);
  return all;
}

Fenced ParameterSet::bytes(const Fields& fields, std::size_t size) const {
  Fenced p(size);
  for (std::uint32_t i = 0; i < fields.count; ++i) put(p.data(), fields.data[i], values[i]);
  return p;
}

double drawn_in_range(const Field& f, Dice& dice) {
  const double u = dice.uniform(), size = f.preset == 0 ? 1 : std::abs(f.preset);
  double x;
  if (f.high - f.low <= 1000 * size) x = f.low + u * (f.high - f.low);
  else if (f.low >= 0 && f.preset != 0) x = f.preset * std::pow(10, 2 * u - 1);
  else if (f.low >= 0) x = u;
  else x = f.preset + 0.2 * size * (2 * u - 1);
  if (f.flags & integer) x = std::round(x);
  return inside(f, x) ? x : f.preset;
}

std::vector<ParameterSet> parameter_sets(const Fields& fields, std::size_t size,
                                         const char* (*check)(const void*) noexcept, std::uint32_t seed) {
  constexpr int drawn = 8, tries = 30;
  ParameterSet defaults{"the default parameters", {}, false};
  for (std::uint32_t i = 0; i < fields.count; ++i) defaults.values.push_back(fields.data[i].preset);
  const auto allowed = [&](const ParameterSet& s) {
    const Fenced p = s.bytes(fields, size);
    return !check || !check(p.data());
  };
  std::vector<ParameterSet> all{defaults};
  for (std::uint32_t i = 0; i < fields.count; ++i)
    for (const double x : special_values(fields.data[i])) {
      ParameterSet s = defaults;
      s.values[i] = x;
      s.name = std::string(fields.data[i].name) + " = " + number(x);
      if (allowed(s)) all.push_back(std::move(s));
    }
  Dice dice(seed + 1000);
  for (int k = 0; k < drawn && fields.count; ++k)
    for (int attempt = 0; attempt < tries; ++attempt) {
      ParameterSet s{"", defaults.values, false};
      for (std::uint32_t i = 0; i < fields.count; ++i)
        if (dice.uniform() < 0.5) {
          s.values[i] = drawn_in_range(fields.data[i], dice);
          if (s.values[i] != fields.data[i].preset)
            s.name +=
                (s.name.empty() ? "" : ", ") + std::string(fields.data[i].name) + " = " + number(s.values[i]);
        }
      if (s.name.empty() || !allowed(s)) continue;
      s.spreads = k % 2 != 0;
      all.push_back(std::move(s));
      break;
    }
  return all;
}

}  // namespace spinet
