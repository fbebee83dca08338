#include "device/figures.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "network/lookup.hpp"

namespace spinet::tool {
namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

/// (1 - exp(-a x)) / (1 - exp(-a)), a straight line at a = 0.
double bent(double a, double x) {
  return std::fabs(a) < 1e-9 ? x * (1 + 0.5 * a * (1 - x)) : std::expm1(-a * x) / std::expm1(-a);
}

/// The least of f between a and b by golden sections, where it falls and then rises.
template <class F>
double least(double a, double b, F&& f) {
  const double part = (std::sqrt(5.0) - 1) / 2;
  double x = b - part * (b - a), y = a + part * (b - a), fx = f(x), fy = f(y);
  for (int i = 0; i < 200 && b - a > 1e-10 * (1 + std::fabs(a)); ++i) {
    if (fx < fy) b = y, y = x, fy = fx, x = b - part * (b - a), fx = f(x);
    else a = x, x = y, fx = fy, y = a + part * (b - a), fy = f(y);
  }
  return 0.5 * (a + b);
}

}  // namespace

double curvature(std::span<const double> s) {
  const double first = s.front(), change = s.back() - first;
  if (s.size() < 3 || !(change != 0)) return none;
  const double pulses = static_cast<double>(s.size() - 1);
  const auto squares = [&](double a) {
    double sum = 0;
    for (std::size_t n = 0; n < s.size(); ++n) {
      const double off = (s[n] - first) / change - bent(a, static_cast<double>(n) / pulses);
      sum += off * off;
    }
    return sum;
  };
  // A coarse search first, since beyond a few hundred the form is a step and flat in alpha.
  constexpr double widest = 500;
  double best = 0, best_squares = squares(0);
  for (double size = 0.01; size <= widest; size *= 1.3)
    for (const double a : {size, -size})
      if (const double q = squares(a); q < best_squares) best = a, best_squares = q;
  const double reach = std::max(0.02, 0.35 * std::fabs(best));
  return least(best - reach, best + reach, squares);
}

double non_linearity(std::span<const double> s) {
  const double first = s.front(), change = s.back() - first;
  const auto count = static_cast<double>(s.size() - 1);
  double most = 0;
  for (std::size_t i = 0; i < s.size(); ++i)
    most = std::max(most, std::fabs(s[i] - first - change * static_cast<double>(i) / count));
  return change == 0 ? 0 : most / std::fabs(change);
}

double threshold(DeviceBench& d, double now, const ThresholdSearch& s, double sign) {
  const auto before = d.save();
  constexpr double rest = 1e-3, most = 100;
  const double then = now + s.width + rest, alone = d.read(then, s.variable);
  const double wanted = s.change * std::fabs(alone);
  // Which value of the plain stimulus is the amplitude, and which the width, is told by their flags.
  const auto changes = [&](double V, const Control& form, std::uint32_t place) {
    Control c = form;
    c.value[place] = sign * V;
    d.apply(now, c);
    const double off = std::fabs(d.read(then, s.variable) - alone);
    d.restore(before);
    return off > wanted;
  };
  const Model& m = d.model();
  const std::uint32_t index = plain_stimulus(m);
  const Stimulus& stimulus = m.stimuli[index];
  Control form;
  form.stimulus = index;
  std::uint32_t place = stimulus.count;
  for (std::uint32_t i = 0; i < stimulus.count; ++i) {
    if (stimulus.fields[i].flags & lasting) form.value[i] = s.width;
    else if (place == stimulus.count) place = i;
  }
  if (place == stimulus.count) return none;
  double low = 0, high = 1e-3;
  while (high <= most && !changes(high, form, place)) low = high, high *= 1.1;
  if (high > most) return none;
  for (int i = 0; i < 60 && high - low > 1e-9 * high; ++i) {
    const double middle = 0.5 * (low + high);
    (changes(middle, form, place) ? high : low) = middle;
  }
  return high;
}

double retention(DeviceBench& d, double now, std::uint32_t variable, double before) {
  const double at_once = d.read(now, variable), half = 0.5 * (at_once - before);
  if (!(half != 0)) return none;
  const auto gone = [&](double t) {
    const double left = d.read(now + t, variable) - before;
    return half > 0 ? left <= half : left >= half;
  };
  constexpr double longest = 30 * 365.25 * 86400, first = 1e-6;
  double low = 0, high = first;
  while (high < longest && !gone(high)) low = high, high *= 1.05;
  if (high >= longest) return std::numeric_limits<double>::infinity();
  for (int i = 0; i < 60 && high - low > 1e-9 * high; ++i) {
    const double middle = low == 0 ? 0.5 * high : std::sqrt(low * high);
    (gone(middle) ? high : low) = middle;
  }
  return high;
}

}  // namespace spinet::tool
