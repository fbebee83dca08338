#include "sweep/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace spinet::tool {
namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

/// The continued fraction of the incomplete beta function, by Lentz's method; converges fast for x <
/// (a+1)/(a+b+2).
double fraction(double a, double b, double x) {
  constexpr double tiny = 1e-300;
  const auto off_zero = [](double v) { return std::fabs(v) < tiny ? tiny : v; };
  double c = 1, d = 1 / off_zero(1 - (a + b) * x / (a + 1)), h = d;
  for (int m = 1; m < 100'000; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / off_zero(1 + even * d);
    c = off_zero(1 + even / c);
    h *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / off_zero(1 + odd * d);
    c = off_zero(1 + odd / c);
    h *= d * c;
    if (std::fabs(d * c - 1) < 1e-16) break;
  }
  return h;
}

}  // namespace

double incomplete_beta(double a, double b, double x) {
  if (!(a > 0 && b > 0) || std::isnan(x)) return undefined;
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x));
  return x < (a + 1) / (a + b + 2) ? front * fraction(a, b, x) / a : 1 - front * fraction(b, a, 1 - x) / b;
}

double student_two_sided(double t, double df) {
  if (!(df > 0) || std::isnan(t)) return undefined;
  if (std::isinf(t)) return 0;
  return incomplete_beta(df / 2, 0.5, df / (df + t * t));
}

double quantile(std::span<const double> sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const auto above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

Summary summarise(std::span<const double> values) {
  Summary s{values.size(), undefined, undefined, undefined, undefined};
  if (values.empty()) return s;
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  double sum = 0, squares = 0;
  for (const double x : sorted) sum += x;
  s.mean = sum / static_cast<double>(s.n);
  for (const double x : sorted) squares += (x - s.mean) * (x - s.mean);
  if (s.n > 1) s.sd = std::sqrt(squares / static_cast<double>(s.n - 1));
  s.median = quantile(sorted, 0.5);
  s.p90 = quantile(sorted, 0.9);
  return s;
}

Welch welch(const Summary& a, const Summary& b) {
  if (a.n < 2 || b.n < 2) return {undefined, undefined, undefined};
  const double na = static_cast<double>(a.n), nb = static_cast<double>(b.n);
  const double va = a.sd * a.sd / na, vb = b.sd * b.sd / nb;
  if (!(va + vb > 0)) return {undefined, undefined, undefined};
  Welch w{};
  w.t = (a.mean - b.mean) / std::sqrt(va + vb);
  w.df = (va + vb) * (va + vb) / (va * va / (na - 1) + vb * vb / (nb - 1));
  w.p = student_two_sided(w.t, w.df);
  return w;
}

}  // namespace spinet::tool
