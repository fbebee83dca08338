// Least squares over what a protocol gives: the search for parameters, on scales without ends.
#pragma once
#include <algorithm>
#include <cmath>
#include <vector>

#include "device/fit.hpp"

namespace spinet::tool {

/// A parameter on a scale without ends: its logarithm where it is positive, what is between two ends as a
/// logit, else itself.
struct Scale {
  const Field* field = nullptr;
  double unit = 1;  ///< the start's size
  /// An end far beyond the start, such as 1e15 ms of a time constant, is none.
  bool bounded() const {
    return std::isfinite(field->low) && std::isfinite(field->high) &&
           !(field->low >= 0 && field->high > 1e3 * unit);
  }
  /// Do its ends lie at infinity?
  bool endless() const { return bounded() || positive(); }
  bool positive() const { return !bounded() && field->low >= 0; }
  double to(double x) const {
    if (bounded()) {
      const double part = std::clamp((x - field->low) / (field->high - field->low), 1e-6, 1 - 1e-6);
      return std::log(part / (1 - part));
    }
    return positive() ? std::log(std::max(x, 1e-300) - (field->low > 0 ? field->low : 0)) : x / unit;
  }
  double from(double q) const {
    if (bounded()) return field->low + (field->high - field->low) / (1 + std::exp(-q));
    return positive() ? std::min(field->low + std::exp(std::clamp(q, -690.0, 690.0)), field->high) : q * unit;
  }
};

class FitSearch {
 public:
  static constexpr double refused = 1e12;  ///< sum of squares of a device that cannot be
  struct Solution {
    std::vector<double> q;
    double squares = 0;
  };

  /// Throws UserError where what is free cannot be searched.
  FitSearch(const FitRequest& r, const Measured& m);

  std::size_t size() const { return index_.size(); }
  std::size_t points() const { return m_.count(); }
  std::uint32_t index(std::size_t i) const { return index_[i]; }
  const Scale& scale(std::size_t i) const { return scales_[i]; }
  const std::vector<double>& start() const { return q_; }
  /// May the parameter have this value where the others are those of `q`?
  bool can_be(const std::vector<double>& q, std::size_t i, double value) const;

  std::vector<double> residuals(const std::vector<double>& q);
  double squares(const std::vector<double>& q);
  /// Derivatives of the residuals by each of q: differences over an interval `h` that is the same for all, so
  /// that parameters which do the same have the same.
  std::vector<std::vector<double>> derivatives(const std::vector<double>& q, double h);
  /// From a start to where it leads.  Devices may keep their state in few bits: it answers small changes of a
  /// parameter by steps, and differences over less than these say nothing.  So the search begins with
  /// differences that are coarse, of both sides, and goes on with finer ones as far as these lead on.
  Solution solve(const std::vector<double>& start) { return solve(start, {3e-2, 1e-2, 1e-3, 1e-4}); }
  /// The same from close by, with the parameters `held` where they are.
  Solution solve_others(const std::vector<double>& start, const std::vector<std::size_t>& held);

 private:
  Solution solve(const std::vector<double>& start, std::initializer_list<double> widths);
  Solution coarse(const std::vector<double>& q, double apart);
  Solution fine(const std::vector<double>& q);
  void fill(const double* q, double* out);
  std::vector<double> moving(const std::vector<double>& q) const;
  std::vector<double> whole(const double* part) const;
  friend struct MinpackCalls;

  const FitRequest& r_;
  const Measured& m_;
  Devices::Make make_;
  std::vector<std::uint32_t> index_;
  std::vector<Scale> scales_;
  std::vector<double> q_;            ///< the start
  std::vector<double> base_;         ///< where those are that are held
  std::vector<std::size_t> moving_;  ///< those that MINPACK moves
  double apart_ = 0;                 ///< over which coarse_call takes differences
};

}  // namespace spinet::tool
