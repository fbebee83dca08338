#include "layers/curves.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "spinet/random.hpp"

namespace spinet::layers {
namespace {

constexpr double r_low = 1, r_high = 3;
constexpr std::array<double, 2> reference_taus{4, 25};

/// Between r_low and r_high without a field, after n pulses of potentiation; depression is its mirror image.
double potentiated(double n) {
  return r_low +
         (r_high - r_low) * (0.5 * std::exp(-n / reference_taus[0]) + 0.5 * std::exp(-n / reference_taus[1]));
}

double in_field(const EmReference& e, double r, double field) {
  const double x = (r - r_low) / (r_high - r_low), tmr = e.tmr_low + (e.tmr_high - e.tmr_low) * x;
  const double m = 0.25 * (1 + std::tanh((field - 90) / 20)) * (1 - std::tanh((field - 250) / 60));
  return r * (1 + tmr * m);
}

/// A normal number, by Box and Muller, of curve `curve` after `pulses`.
double normal(std::uint32_t seed, std::uint64_t curve, std::uint64_t pulses) {
  const Words w = draw({seed, 0}, curve, pulses);
  const double u = uniform01(w[0], w[1]), v = uniform01(w[2], w[3]);
  return std::sqrt(-2 * std::log(u)) * std::cos(2 * 3.14159265358979323846 * v);
}

}  // namespace

Curve fitted(std::span<const double> pulses, std::span<const double> values, std::span<const double> taus) {
  // Columns made orthogonal one by one (modified Gram and Schmidt), then substitution from the last.
  const std::size_t rows = pulses.size();
  std::array<std::vector<double>, 3> q;
  for (std::size_t k = 0; k < 3; ++k)
    for (const double n : pulses) q[k].push_back(k == 0 ? 1 : std::exp(-n / taus[k - 1]));
  std::vector<double> left(values.begin(), values.end());
  double r[3][3] = {}, along[3] = {};
  const auto dot = [&](const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0;
    for (std::size_t i = 0; i < rows; ++i) sum += a[i] * b[i];
    return sum;
  };
  for (std::size_t k = 0; k < 3; ++k) {
    for (std::size_t j = 0; j < k; ++j) {
      r[j][k] = dot(q[j], q[k]);
      for (std::size_t i = 0; i < rows; ++i) q[k][i] -= r[j][k] * q[j][i];
    }
    r[k][k] = std::sqrt(dot(q[k], q[k]));
    for (double& x : q[k]) x /= r[k][k];
    along[k] = dot(q[k], left);
    for (std::size_t i = 0; i < rows; ++i) left[i] -= along[k] * q[k][i];
  }
  double c[3];
  for (std::size_t k = 3; k-- > 0;) {
    c[k] = along[k];
    for (std::size_t j = k + 1; j < 3; ++j) c[k] -= r[k][j] * c[j];
    c[k] /= r[k][k];
  }
  return {c[0], {c[1], c[2]}};
}

Curve from_zero(const Curve& c, double range) {
  Curve from{0, {}};
  for (const double a : c.amplitudes) {
    from.constant -= a / range;
    from.amplitudes.push_back(a / range);
  }
  return from;
}

Curves em_reference(const EmReference& e) {
  Curves all;
  all.taus.assign(reference_taus.begin(), reference_taus.end());
  std::vector<double> pulses, values;
  for (std::uint32_t n = 0; n <= e.pulses; ++n) pulses.push_back(n);
  for (const double field : e.fields)
    for (std::uint32_t copy = 0; copy <= e.copies; ++copy)
      for (const bool depression : {false, true}) {
        values.clear();
        for (const double n : pulses) {
          const double r = depression ? r_low + r_high - potentiated(n) : potentiated(n);
          const double noise =
              copy == 0 ? 0 : e.noise * normal(e.seed, all.curves.size(), static_cast<std::uint64_t>(n));
          values.push_back(in_field(e, r, field) * (1 + noise));
        }
        all.curves.push_back(from_zero(fitted(pulses, values, reference_taus), r_high - r_low));
      }
  if (e.count > 0 && e.count < all.curves.size()) all.curves.resize(e.count);
  return all;
}

Curves measured(std::span<const double> pulses, std::span<const std::vector<double>> curves,
                std::span<const double> taus) {
  Curves all;
  all.taus.assign(taus.begin(), taus.end());
  double least = curves[0][0], most = least;
  for (const auto& c : curves)
    for (const double x : c) least = std::min(least, x), most = std::max(most, x);
  for (const auto& c : curves) all.curves.push_back(from_zero(fitted(pulses, c, taus), most - least));
  return all;
}

}  // namespace spinet::layers
