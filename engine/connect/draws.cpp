#include "connect/draws.hpp"

#include <algorithm>
#include <cmath>

#include "spinet/math.hpp"

namespace spinet {

double normal_cdf(double x) {
  const double density = math::exp(-0.5 * x * x) * 0.3989422804014327;
  if (std::abs(x) < 5) {  // Phi = 1/2 + phi (x + x^3/3 + x^5/15 + ...)
    double term = x, sum = x;
    for (int k = 3; std::abs(term) > 1e-17 * std::abs(sum) && k < 400; k += 2) sum += term *= x * x / k;
    return std::clamp(0.5 + density * sum, 0.0, 1.0);
  }
  double fraction = 0;  // Laplace's continued fraction of the tail
  for (int k = 60; k > 0; --k) fraction = k / (std::abs(x) + fraction);
  const double tail = density / (std::abs(x) + fraction);
  return x < 0 ? tail : 1 - tail;
}

Sampler::Sampler(const Distribution& d) : d_(d) {
  constant_ = d.kind == Distribution::Kind::constant ||
              (d.kind == Distribution::Kind::uniform && d.a == d.b) ||
              (d.kind == Distribution::Kind::normal && d.b == 0);
  if (!constant_ && !d.clip && d.kind != Distribution::Kind::listed) {
    from_ = raw_cdf(d.low);
    to_ = raw_cdf(d.high);
  }
}

double Sampler::raw_cdf(double x) const {
  if (x == -std::numeric_limits<double>::infinity()) return 0;
  if (x == std::numeric_limits<double>::infinity()) return 1;
  switch (d_.kind) {
    case Distribution::Kind::uniform:
      return std::clamp((x - d_.a) / (d_.b - d_.a), 0.0, 1.0);
    case Distribution::Kind::normal:
      return normal_cdf((x - d_.a) / d_.b);
    case Distribution::Kind::exponential:
      return x <= 0 ? 0 : -math::expm1(-x / d_.a);
    case Distribution::Kind::lognormal:
      return x <= 0 ? 0 : normal_cdf((math::log(x) - d_.a) / d_.b);
    default:
      return x >= d_.a ? 1 : 0;
  }
}

double Sampler::raw_quantile(double u) const {
  switch (d_.kind) {
    case Distribution::Kind::uniform:
      return d_.a + (d_.b - d_.a) * u;
    case Distribution::Kind::normal:
      return d_.a + d_.b * math::normal_quantile(u);
    case Distribution::Kind::exponential:
      return -d_.a * math::log1p(-u);
    case Distribution::Kind::lognormal:
      return math::exp(d_.a + d_.b * math::normal_quantile(u));
    default:
      return d_.a;
  }
}

double Sampler::operator()(double u) const {
  if (constant_) return std::clamp(d_.a, d_.low, d_.high);
  return std::clamp(raw_quantile(from_ + (to_ - from_) * u), d_.low, d_.high);
}

double Sampler::cdf(double x) const {
  if (x < d_.low) return 0;
  if (x >= d_.high) return 1;
  if (constant_) return x >= d_.a ? 1 : 0;
  return std::clamp((raw_cdf(x) - from_) / (to_ - from_), 0.0, 1.0);
}

DelaySampler::DelaySampler(const Distribution& ticks, Tick resolution)
    : sampler_(ticks), resolution_(static_cast<double>(resolution)) {
  const auto step = [&](double t) { return std::clamp(std::floor(t / resolution_ + 0.5), 1.0, 0x1p32 - 1); };
  // Words are 32 bits, so quantiles outside [2^-33, 1 - 2^-33] never occur.
  least_ = static_cast<std::uint32_t>(step(sampler_(0x1p-33)));
  most_ = std::max(least_, static_cast<std::uint32_t>(step(sampler_(1 - 0x1p-33))));
  constexpr std::uint32_t most_tabled = 16384;
  const bool whole = most_ - least_ < most_tabled;
  tabled_ = whole ? most_ - least_ + 1 : most_tabled;
  for (std::uint32_t k = 0; k + 1 < tabled_ + !whole; ++k) upper_.push_back(last_word(k));
  upper_.push_back(0xFFFFFFFFu);
  for (std::uint32_t g = 0, k = 0; g < 256; ++g) {
    while (upper_[k] < g << 24) ++k;
    guide_[g] = k;
  }
}

/// The last word of step `k` above the least; not of the last step, which has all that are left.
std::uint32_t DelaySampler::last_word(std::uint32_t k) const {
  const double share = sampler_.cdf((static_cast<double>(least_ + k) + 0.5) * resolution_);
  return static_cast<std::uint32_t>(std::min(share * 0x1p32, 0x1p32 - 1));
}

/// The step of a word that lies beyond the table: the first whose last word is not before it.
std::uint32_t DelaySampler::beyond(std::uint32_t word) const {
  std::uint32_t low = tabled_, high = most_ - least_;  // it is at least the one and at most the other
  // Near the quantile, if rounding has not moved it; else by halves.
  const double near = std::floor(sampler_((word + 0.5) * 0x1p-32) / resolution_ + 0.5) - least_;
  for (const double offset : {-2.0, 2.0}) {
    const double k = near + offset;
    if (!(k > low && k < high)) continue;
    if (last_word(static_cast<std::uint32_t>(k)) >= word) high = static_cast<std::uint32_t>(k);
    else low = static_cast<std::uint32_t>(k) + 1;
  }
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (last_word(middle) >= word) high = middle;
    else low = middle + 1;
  }
  return low;
}

double log_factorial(double n) {
  if (n < 32) {
    double product = 1;
    for (double k = 2; k <= n; ++k) product *= k;
    return math::log(product);
  }
  const double x = n + 1, r = 1 / (x * x);  // Stirling's series of log Gamma(x)
  return (x - 0.5) * math::log(x) - x + 0.9189385332046727418 +
         (1.0 / 12 - r * (1.0 / 360 - r * (1.0 / 1260 - r * (1.0 / 1680)))) / x;
}

namespace {
/// A law of whole numbers in [low, high] with one mode.
struct Unimodal {
  std::uint64_t low, high, mode;
  double p_mode;
};
/// Its quantile u, by inversion outwards from the mode: `up(k)` = p(k+1)/p(k).
template <class Up>
std::uint64_t invert(const Unimodal& law, double u, Up up) {
  const auto [low, high, mode, p_mode] = law;
  std::uint64_t below = mode, above = mode;
  double p_below = p_mode, p_above = p_mode;
  u -= p_mode;
  while (u > 0) {
    const bool can_rise = above<high, can_fall = below> low;
    if (!can_rise && !can_fall) return mode;  // what rounding has left over
    if (can_rise) {
      p_above *= up(above++);
      u -= p_above;
      if (u <= 0) return above;
    }
    if (can_fall) {
      p_below /= up(--below);
      u -= p_below;
      if (u <= 0) return below;
    }
    if (p_above + p_below < 1e-300) return mode;
  }
  return mode;
}
}  // namespace

std::uint64_t binomial(std::uint64_t n, double p, double u) {
  if (p <= 0 || n == 0) return 0;
  if (p >= 1) return n;
  const double m = static_cast<double>(n);
  const auto mode = std::min(n, static_cast<std::uint64_t>((m + 1) * p));
  const double k = static_cast<double>(mode);
  const double log_p = log_factorial(m) - log_factorial(k) - log_factorial(m - k) + k * math::log(p) +
                       (m - k) * math::log1p(-p);
  const double odds = p / (1 - p);
  return invert({0, n, mode, math::exp(log_p)}, u, [=](std::uint64_t j) {
    return odds * (m - static_cast<double>(j)) / (static_cast<double>(j) + 1);
  });
}

std::uint64_t hypergeometric(std::uint64_t total, std::uint64_t marked, std::uint64_t drawn, double u) {
  const std::uint64_t low = drawn + marked > total ? drawn + marked - total : 0,
                      high = std::min(drawn, marked);
  if (low == high) return low;
  const double t = static_cast<double>(total), s = static_cast<double>(marked),
               d = static_cast<double>(drawn);
  const auto mode = std::clamp(static_cast<std::uint64_t>((d + 1) * (s + 1) / (t + 2)), low, high);
  const double k = static_cast<double>(mode);
  const auto log_choose = [](double a, double b) {
    return log_factorial(a) - log_factorial(b) - log_factorial(a - b);
  };
  const double log_p = log_choose(s, k) + log_choose(t - s, d - k) - log_choose(t, d);
  return invert({low, high, mode, math::exp(log_p)}, u, [=](std::uint64_t j) {
    const double x = static_cast<double>(j);
    return (s - x) * (d - x) / ((x + 1) * (t - s - d + x + 1));
  });
}

}  // namespace spinet
