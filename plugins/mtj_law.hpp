// The probability that a voltage pulse switches a tunnel junction: the macrospin of one axis with noise.
// With z the cosine of the angle to the axis, i = V / V_c and time in tau_D, its density obeys
//     dp/dt = d/dz [(1 - z^2) ((i - z) p + p' / (2 Delta))],
// begins as exp(Delta z^2) on z > 0, and the junction has switched where z < 0 at the end of the pulse.
//
// `Law` solves it once, of one Delta, and keeps the hazard -ln(1 - P) as a table over x = (i - 1) sqrt(Delta)
// and ln v, v = w / sqrt(Delta), in which it is smooth.  P is within 0.002 of an exact solution there, and
// within 3 % of itself where that is from 0.02 to 0.2.  Beyond the table:
// - below x = -3.5, where switching is exponential in time, by the rate of H. A. Kramers (1940) and the first
//   term of what it lacks, from the table's end on;
// - above x = 16, where only the begin is a matter of chance, P is a function of A exp(-2 (i - 1) w), with
//   A = 2 Delta 2^((i-1)/(i+1)) ((i-1)/i)^((i+3)/(i+1)): within 0.005;
// - of another Delta at the same x: v is longer or shorter by these two.  Within 0.006 where Delta differs by
//   up to a quarter.
#pragma once
#include <cstdint>

#include "spinet/math.hpp"
#include "spinet/simd.hpp"

namespace spinet::mtj {

inline constexpr int lanes = 8;
typedef double Lanes __attribute__((vector_size(8 * lanes)));

/// Some voltages side by side: densities in cells of one angle, `upper` of them down to z = 0.  Fluxes are by
/// central differences downhill, which smear least, else by D. L. Scharfetter and H. K. Gummel (1969), which
/// have the right equilibrium; steps by TR-BDF2 (R. E. Bank et al., 1985).
template <int upper>
class Densities {
 public:
  Densities(double Delta, const double (&i)[lanes]) {
    double z = 1, all = 0, begin[cells], centre[cells];
    for (int k = 0; k < cells; ++k) {
      const double next = cosine((k + 1) * width);
      volume_[k] = z - next, z = next;
      centre[k] = cosine((k + 0.5) * width);
      begin[k] = k < upper ? math::exp(Delta * (centre[k] * centre[k] - 1)) : 0;
      all += begin[k] * volume_[k];
      up_[k] = down_[k] = Lanes{};
    }
    for (int k = 0; k < cells; ++k) p_[k] = Lanes{} + begin[k] / all;
    for (int k = 0; k + 1 < cells; ++k) {
      const double a = centre[k], b = centre[k + 1], edge = cosine((k + 1) * width);
      const double rate = (1 - edge * edge) / (2 * Delta * (a - b));
      for (int n = 0; n < lanes; ++n) {
        const double rise = Delta * (a - b) * (a + b - 2 * i[n]);  // of the potential from here to there
        const bool central = rise < 0 && rise > -1.9;
        up_[k][n] = rate * (central ? 1 - rise / 2 : bernoulli(rise));
        if (k + 2 < cells)  // from the last nothing returns
          down_[k + 1][n] = rate * (central ? 1 + rise / 2 : bernoulli(-rise));
      }
    }
  }
  void step(double dt) {
    constexpr double g = 2 - 1.41421356237309504880, c = 1 / (g * (2 - g)), half = g / 2;
    Lanes right[cells], before[cells];
    for (int k = 0; k < cells; ++k) {
      Lanes change = -(up_[k] + down_[k]) * p_[k];
      if (k > 0) change += up_[k - 1] * p_[k - 1];
      if (k + 1 < cells) change += down_[k + 1] * p_[k + 1];
      before[k] = p_[k];
      right[k] = volume_[k] * p_[k] + half * dt * change;
    }
    solve(half * dt, right);
    for (int k = 0; k < cells; ++k) right[k] = c * volume_[k] * (p_[k] - (1 - g) * (1 - g) * before[k]);
    solve((1 - g) / (2 - g) * dt, right);
  }
  /// -ln(1 - P), from whichever of the two is the smaller.
  double hazard(int n) const {
    double left = 0, switched = 0;
    for (int k = 0; k < cells; ++k) (k < upper ? left : switched) += p_[k][n] * volume_[k];
    return switched < 0.5 ? -math::log1p(-(switched > 0 ? switched : 0)) : -math::log(left > 0 ? left : 0);
  }

 private:
  static constexpr int cells = upper + upper / 8;  ///< to where nothing returns from
  static constexpr double quarter = 1.57079632679489661923, width = quarter / upper;
  double volume_[cells];
  Lanes p_[cells], up_[cells], down_[cells];  ///< rates to the next and to the cell before, times volume

  static double cosine(double angle) {
    return math::sin_cos(static_cast<std::uint64_t>(angle * (0x1p62 / quarter))).cos;
  }
  static double bernoulli(double x) { return math::abs(x) < 1e-8 ? 1 - x / 2 : x / math::expm1(x); }
  /// (volume - h A) p = right.
  void solve(double h, const Lanes (&right)[cells]) {
    Lanes gain[cells], pivot = 1 / (volume_[0] + h * up_[0]);
    p_[0] = right[0] * pivot;
    for (int k = 1; k < cells; ++k) {
      const Lanes arrives = h * up_[k - 1];
      gain[k] = h * down_[k] * pivot;
      pivot = 1 / (volume_[k] + h * (up_[k] + down_[k]) - arrives * gain[k]);
      p_[k] = (right[k] + arrives * p_[k - 1]) * pivot;
    }
    for (int k = cells - 1; k > 0; --k) p_[k - 1] += gain[k] * p_[k];
  }
};

/// The cubic through four numbers at 0, 1, 2, 3.
inline double cubic(const double (&y)[4], double x) {
  const double a = x - 1, b = x - 2, c = x - 3;
  return (-y[0] * a * b * c / 3 + y[1] * x * b * c - y[2] * x * a * c + y[3] * x * a * b / 3) / 2;
}

/// The table of one Delta: ln of the hazard.
class Sheet {
 public:
  static constexpr int voltages = 24, times = 250;
  static constexpr double lowest = -3.5, highest = 16,             ///< x
      first = -3, step = 0.06, last = first + step * (times - 1);  ///< ln(w / sqrt(Delta))

  void make(double Delta) {
    for (int k = 0; k < voltages; k += lanes) (spinet::detail::wide() ? group_wide : group)(*this, Delta, k);
  }
  double operator()(double x, double ln_v) const {
    const double u = math::log((x + shift) / (lowest + shift)) / spacing, v = (ln_v - first) / step;
    const int k = begin(u, voltages), m = begin(v, times);
    double along[4];
    for (int n = 0; n < 4; ++n) {
      const float* const from = &ln_[k + n][m];
      double four[4];
      for (int l = 0; l < 4; ++l) four[l] = static_cast<double>(from[l]);
      along[n] = cubic(four, v - m);
    }
    return cubic(along, u - k);
  }

 private:
  static constexpr int fine = 16;  ///< from here on more cells
  /// Voltages are even in ln(x + shift).
  static constexpr double shift = 5.5, spacing = 0.10325677193798573;
  float ln_[voltages][times];

  static int begin(double x, int count) {
    return x < 1 ? 0 : x > count - 3 ? count - 4 : static_cast<int>(x) - 1;
  }
  /// `lanes` voltages from number `k` on, in steps of so little of a hazard at once.  Hazards that grow
  /// evenly with time, or of which P is 1, go on as they did.
  template <int cells>
  void march(double Delta, int k) {
    constexpr double most = 14, little = 0.4, none = 1e-30, some = 1e-9, even = 1e-5;
    const double root = math::sqrt(Delta);
    double i[lanes], H[lanes] = {}, rate[lanes] = {}, t = 0;
    bool done[lanes] = {};
    for (int n = 0; n < lanes; ++n)
      i[n] = 1 + ((lowest + shift) * math::exp((k + n) * spacing) - shift) / root;
    Densities<cells> d(Delta, i);
    int parts = 16;  // of a step
    for (int m = 0; m < times; ++m) {
      const double next = root * math::exp(first + step * m);
      for (int j = 0; j < parts; ++j) d.step((next - t) / parts);
      parts = 0;
      for (int n = 0; n < lanes; ++n) {
        if (done[n]) {
          H[n] += rate[n] * (next - t);
        } else {
          const double before = H[n], past = rate[n];
          H[n] = d.hazard(n);
          rate[n] = (H[n] - before) / (next - t);
          done[n] = H[n] > most || (H[n] > some && math::abs(rate[n] - past) < even * rate[n]);
          const int wanted = 1 + static_cast<int>((H[n] - before) / little);
          if (!done[n] && wanted > parts) parts = wanted;
        }
        ln_[k + n][m] = static_cast<float>(math::log(H[n] > none ? H[n] : none));
      }
      t = next;
    }
  }
  static void group(Sheet& s, double Delta, int k) {
    k < fine ? s.march<112>(Delta, k) : s.march<200>(Delta, k);
  }
  [[SPINET_WIDE]] static void group_wide(Sheet& s, double Delta, int k) { group(s, Delta, k); }
};

class Law {
 public:
  void make(double Delta) { sheet_.make(Delta), Delta_ = Delta; }
  /// -ln(1 - P) of a pulse of i = V / V_c that lasts w tau_D, on a junction that it would switch.
  double hazard(double Delta, double i, double w) const {
    if (!(i > 0 && w > 0)) return 0;
    const double root = math::sqrt(Delta), x = (i - 1) * root;
    if (x < Sheet::lowest) {
      const double end = 1 + Sheet::lowest / root;
      return table(Delta, Sheet::lowest, w / root) * kramers(Delta, i) / kramers(Delta, end);
    }
    if (x <= Sheet::highest) return table(Delta, x, w / root);
    const double end = 1 + Sheet::highest / root;
    return table(Delta, Sheet::highest, ((i - 1) * w + (ln_A(end) - ln_A(i)) / 2) / (end - 1) / root);
  }

 private:
  Sheet sheet_;
  double Delta_;

  static double kramers(double Delta, double i) {
    const double barrier = Delta * (1 - i) * (1 - i);
    return (1 - i * i) * (1 - i) * math::exp(-barrier) / (1 + 1 / barrier);
  }
  /// ln(A / (2 Delta)).
  static double ln_A(double i) {
    return ((i - 1) * 0.69314718055994530942 + (i + 3) * math::log((i - 1) / i)) / (i + 1);
  }
  double table(double Delta, double x, double v) const {
    constexpr double none = 1e-300;
    if (Delta != Delta_) {
      const double here = 1 / math::sqrt(Delta), there = 1 / math::sqrt(Delta_), y = x > 1 ? x : 1;
      if (x < 0) v *= (2 + x * here) / (2 + x * there);
      v += (ln_A(1 + y * there) + math::log(Delta_) - ln_A(1 + y * here) - math::log(Delta)) / (2 * y);
    }
    const double ln_v = math::log(v > none ? v : none);
    if (ln_v < Sheet::first) return math::exp(sheet_(x, Sheet::first) - Sheet::first) * v;
    if (ln_v > Sheet::last) return math::exp(sheet_(x, Sheet::last) - Sheet::last) * v;
    return math::exp(sheet_(x, ln_v));
  }
};

}  // namespace spinet::mtj
