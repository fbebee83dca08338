#include "network/delays.hpp"

#include <algorithm>
#include <cmath>

#include "network/graph.hpp"

namespace spinet {
namespace {

double normal_below(double z) { return 0.5 * std::erfc(-z * std::sqrt(0.5)); }

}  // namespace

Delays::Delays(const Network& n, const Projection& p)
    : d_(p.delay), step_(static_cast<double>(n.delay_resolution)) {
  using Kind = Distribution::Kind;
  const auto steps_of = [&](double ticks) {
    return std::clamp(std::floor(ticks / step_ + 0.5), 1.0, 0x1p32 - 1);
  };
  constant_ = d_.kind == Kind::constant || p.listed_delays ||
              (d_.b == 0 && d_.kind != Kind::uniform && d_.kind != Kind::exponential);
  if (d_.kind == Kind::uniform) constant_ |= d_.a == d_.b;
  if (d_.kind == Kind::lognormal && constant_ && !p.listed_delays) d_.a = std::exp(d_.a);
  if (p.listed_delays && !p.edges.empty()) {
    const auto shorter = [](const ListedEdge& x, const ListedEdge& y) { return x.delay < y.delay; };
    const auto [least, most] = std::minmax_element(p.edges.begin(), p.edges.end(), shorter);
    double sum = 0;
    for (const auto& e : p.edges) sum += static_cast<double>(e.delay);
    d_.a = sum / static_cast<double>(p.edges.size());
    least_ = steps_of(static_cast<double>(least->delay));
    most_ = steps_of(static_cast<double>(most->delay));
  } else if (constant_) {
    least_ = most_ = steps_of(std::clamp(d_.a, d_.low, d_.high));
  }
  if (constant_) {
    tail_ = d_.a = std::max(d_.a, step_);
    return;
  }
  if (!d_.clip) first_ = raw_below(d_.low), last_ = raw_below(d_.high);
  least_ = static_cast<double>(shortest_delay(n, p)) / step_;
  most_ = std::max(least_, steps_of(quantile(1 - 0x1p-33)));
  tail_ = std::max(step_, quantile(0.9999));
}

double Delays::raw_below(double x) const {
  using Kind = Distribution::Kind;
  switch (d_.kind) {
    case Kind::uniform:
      return std::clamp((x - d_.a) / (d_.b - d_.a), 0.0, 1.0);
    case Kind::normal:
      return normal_below((x - d_.a) / d_.b);
    case Kind::exponential:
      return x <= 0 ? 0 : -std::expm1(-x / d_.a);
    case Kind::lognormal:
      return x <= 0 ? 0 : normal_below((std::log(x) - d_.a) / d_.b);
    default:
      return x >= d_.a;
  }
}

double Delays::below(double x) const {
  if (constant_) return x >= d_.a;
  if (x < d_.low) return 0;
  if (x >= d_.high) return 1;
  return last_ > first_ ? std::clamp((raw_below(x) - first_) / (last_ - first_), 0.0, 1.0) : 1;
}

double Delays::quantile(double share) const {
  double low = 0, high = step_;
  while (below(high) < share && high < 0x1p32 * step_) low = high, high *= 2;
  for (int k = 0; k < 60; ++k) {
    const double middle = 0.5 * (low + high);
    (below(middle) < share ? low : high) = middle;
  }
  return high;
}

std::vector<double> Delays::shares() const {
  if (constant_) return {1.0};
  std::vector<double> shares;
  double before = below((least_ - 0.5) * step_), sum = 0;
  for (int k = 0; k < 10'000 && before < 1 - 1e-6; ++k) {
    const double after = below((least_ + k + 0.5) * step_);
    shares.push_back(after - before);
    sum += shares.back();
    before = after;
  }
  for (double rest = 1 - before; rest > 1e-4 && sum > 0 && shares.size() < 20'000;) {
    const double part = std::min(rest, 1e-4);
    shares.push_back(part);
    sum += part;
    rest -= part;
  }
  if (!(sum > 0)) return {1.0};
  for (auto& s : shares) s /= sum;
  return shares;
}

double Delays::integral(double a, double b) const {
  b = std::min(b, tail_);
  if (a >= b) return 0;
  if (constant_) return b - a;  // all of it below the one delay
  constexpr int pieces = 200;
  double sum = 0;
  for (int k = 0; k < pieces; ++k) sum += 1 - below(a + (b - a) * (k + 0.5) / pieces);
  return sum * (b - a) / pieces;
}

Delays::Flight Delays::flight(double reach, double end) const {
  Flight most{0, 0};
  for (int k = 1; k <= 8; ++k) {
    const double t = end * k / 9,
                 left = end - t;  // of those emitted u ago are on their way: u < delay < u + left
    const double all = integral(0, t) - integral(left, left + t);
    const double far = left > reach ? integral(reach, reach + t) - integral(left, left + t) : 0;
    if (all > most.near + most.far) most = {all - far, far};
  }
  return most;
}

}  // namespace spinet
