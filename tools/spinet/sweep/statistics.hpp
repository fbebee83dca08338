// The statistics of `spinet sweep --report`.
#pragma once
#include <span>

namespace spinet::tool {

/// The regularised incomplete beta function I_x(a, b), to about 1e-14.
double incomplete_beta(double a, double b, double x);
/// Two-sided p of Student's t with `df` degrees of freedom, which need not be whole.
double student_two_sided(double t, double df);

struct Summary {
  std::size_t n = 0;
  double mean = 0, sd = 0;     ///< sd with n - 1; NaN where it is not defined
  double median = 0, p90 = 0;  ///< with linear interpolation between order statistics
};
Summary summarise(std::span<const double> values);
/// With linear interpolation between order statistics; `sorted` is not empty.
double quantile(std::span<const double> sorted, double q);

struct Welch {
  double t, df, p;  ///< NaN where a group has fewer than two values or neither varies
};
Welch welch(const Summary& a, const Summary& b);

}  // namespace spinet::tool
