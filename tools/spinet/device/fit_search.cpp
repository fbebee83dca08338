#include "device/fit_search.hpp"

#include <cminpack-1/cminpack.h>
#include <fmt/core.h>

#include <numeric>

#include "commands.hpp"
#include "network/suggest.hpp"

namespace spinet::tool {
namespace {

/// What MINPACK works with.
struct Room {
  Room(std::size_t points, std::size_t n)
      : off(points), diag(n), jacobian(points * n), qtf(n), w1(n), w2(n), w3(n), w4(points), pivot(n) {}
  std::vector<double> off, diag, jacobian, qtf, w1, w2, w3, w4;
  std::vector<int> pivot;
};

}  // namespace

FitSearch::FitSearch(const FitRequest& r, const Measured& m)
    : r_(r), m_(m), make_(common_make(*r.table, r.choice)) {
  const Fields& f = r.table->model.params;
  std::vector<std::string> known;
  for (std::uint32_t i = 0; i < f.count; ++i)
    if (!(f.data[i].flags & integer)) known.emplace_back(f.data[i].name);
  for (const auto& name : r.free) {
    std::uint32_t i = 0;
    while (i < f.count && (name != f.data[i].name || f.data[i].flags & integer)) ++i;
    if (i == f.count)
      throw UserError(fmt::format("--free: model {} has no parameter {} that can be fitted; {}",
                                  r.table->model.name, in_quotes(name), suggest(name, known, "parameters")));
    if (std::find(index_.begin(), index_.end(), i) != index_.end())
      throw UserError(fmt::format("--free: {} is named twice", in_quotes(name)));
    if (is_auto(make_.params[i]))
      throw UserError(
          fmt::format("--free: {0} is worked out by the model unless it is given; give the fit a "
                      "value to start from: --param {0}=...",
                      name));
    index_.push_back(i);
    scales_.push_back({&f.data[i], std::max(std::fabs(make_.params[i]), 1e-12)});
    if (scales_.back().positive() && make_.params[i] <= f.data[i].low)
      throw UserError(
          fmt::format("--free: {0} starts from {1:g} and is searched by factors; give the fit a value above "
                      "{2:g} to start from: --param {0}=...",
                      name, make_.params[i], f.data[i].low));
    q_.push_back(scales_.back().to(make_.params[i]));
  }
  if (m.count() < index_.size())
    throw UserError(
        fmt::format("--fit: {} parameters cannot be fitted to {} measured value{}: there are more "
                    "parameters than points",
                    index_.size(), m.count(), m.count() == 1 ? "" : "s"));
  for (std::size_t i = 0; i < index_.size(); ++i) moving_.push_back(i);
}

bool FitSearch::can_be(const std::vector<double>& q, std::size_t i, double value) const {
  std::vector<double> params = make_.params;
  for (std::size_t k = 0; k < q.size(); ++k) params[index_[k]] = k == i ? value : scales_[k].from(q[k]);
  return !problem_of(*r_.table, params);
}

void FitSearch::fill(const double* q, double* out) {
  Devices::Make make = make_;
  bool can_be = true;
  for (std::size_t i = 0; i < index_.size(); ++i) {
    make.params[index_[i]] = scales_[i].from(q[i]);
    can_be = can_be && std::isfinite(make.params[index_[i]]);
  }
  const auto all = [&](double x) { std::fill(out, out + m_.count(), x); };
  if (!can_be || problem_of(*r_.table, make.params)) return all(std::sqrt(refused));
  std::vector<DeviceBench> one;
  one.emplace_back(*r_.table, std::move(make));
  const Record record = characterise(*r_.table, *r_.protocol, one);
  for (const auto& c : m_.columns) {
    double largest = 0;
    for (const double x : c.values) largest = std::max(largest, std::fabs(x));
    for (std::size_t k = 0; k < m_.readings.size(); ++k) {
      const double x = record.at(c.variable, m_.readings[k]);
      *out++ = c.logarithmic ? std::log(std::max(x, 1e-300) / c.values[k])
                             : (x - c.values[k]) / (largest > 0 ? largest : 1);
    }
  }
}

std::vector<double> FitSearch::residuals(const std::vector<double>& q) {
  std::vector<double> off(m_.count());
  fill(q.data(), off.data());
  return off;
}

double FitSearch::squares(const std::vector<double>& q) {
  const std::vector<double> off = residuals(q);
  return std::inner_product(off.begin(), off.end(), off.begin(), 0.0);
}

std::vector<std::vector<double>> FitSearch::derivatives(const std::vector<double>& q, double h) {
  const auto at = [&](std::size_t i, double by) {
    std::vector<double> there = q;
    there[i] += by;
    return residuals(there);
  };
  const auto can_be = [](const std::vector<double>& off) { return off[0] != std::sqrt(refused); };
  const std::vector<double> here = residuals(q);
  std::vector<std::vector<double>> all;
  for (std::size_t i = 0; i < q.size(); ++i) {
    std::vector<double> up = at(i, h), down = at(i, -h);
    const double apart = can_be(up) && can_be(down) ? 2 * h : h;
    if (!can_be(up)) up = here;
    if (!can_be(down)) down = here;
    for (std::size_t k = 0; k < up.size(); ++k) up[k] = (up[k] - down[k]) / apart;
    all.push_back(std::move(up));
  }
  return all;
}

std::vector<double> FitSearch::moving(const std::vector<double>& q) const {
  std::vector<double> part;
  for (const std::size_t i : moving_) part.push_back(q[i]);
  return part;
}

std::vector<double> FitSearch::whole(const double* part) const {
  std::vector<double> q = base_;
  for (const std::size_t i : moving_) q[i] = *part++;
  return q;
}

/// What MINPACK calls.
struct MinpackCalls {
  static int fine_call(void* self, int, int, const double* q, double* out, int) {
    auto& f = *static_cast<FitSearch*>(self);
    f.fill(f.whole(q).data(), out);
    return 0;
  }
  static int coarse_call(void* self, int m, int n, const double* q, double* out, double* jacobian, int,
                         int what) {
    auto& f = *static_cast<FitSearch*>(self);
    if (what == 1) return fine_call(self, m, n, q, out, 0);
    const auto all = f.derivatives(f.whole(q), f.apart_);
    for (const std::size_t i : f.moving_) {
      std::copy(all[i].begin(), all[i].end(), jacobian);
      jacobian += m;
    }
    return 0;
  }
};

FitSearch::Solution FitSearch::solve(const std::vector<double>& start, std::initializer_list<double> widths) {
  base_ = start;
  Solution best{start, squares(start)};
  const auto better = [&](Solution other) {
    if (other.squares < best.squares) best = std::move(other);
  };
  if (moving_.empty()) return best;
  for (const double apart : widths) better(coarse(best.q, apart));
  better(fine(best.q));
  return best;
}

FitSearch::Solution FitSearch::solve_others(const std::vector<double>& start,
                                            const std::vector<std::size_t>& held) {
  std::vector<std::size_t> all = moving_;
  std::erase_if(moving_, [&](std::size_t i) { return std::find(held.begin(), held.end(), i) != held.end(); });
  Solution found = solve(start, {1e-2, 1e-3});
  moving_ = std::move(all);
  return found;
}

FitSearch::Solution FitSearch::coarse(const std::vector<double>& from, double apart) {
  std::vector<double> q = moving(from);
  const int m = static_cast<int>(m_.count()), n = static_cast<int>(q.size());
  Room r(m_.count(), q.size());
  int calls = 0, jacobians = 0;
  constexpr double tolerance = 1e-8;
  apart_ = apart;
  lmder(MinpackCalls::coarse_call, this, m, n, q.data(), r.off.data(), r.jacobian.data(), m, tolerance,
        tolerance, 0, 200, r.diag.data(), 1, 1.0, 0, &calls, &jacobians, r.pivot.data(), r.qtf.data(),
        r.w1.data(), r.w2.data(), r.w3.data(), r.w4.data());
  std::vector<double> there = whole(q.data());
  const double found = squares(there);
  return {std::move(there), found};
}

FitSearch::Solution FitSearch::fine(const std::vector<double>& from) {
  std::vector<double> q = moving(from);
  const int m = static_cast<int>(m_.count()), n = static_cast<int>(q.size());
  Room r(m_.count(), q.size());
  int calls = 0;
  constexpr double tolerance = 1e-14, step = 1e-10;
  lmdif(MinpackCalls::fine_call, this, m, n, q.data(), r.off.data(), tolerance, tolerance, 0, 400 * (n + 1),
        step, r.diag.data(), 1, 1.0, 0, &calls, r.jacobian.data(), m, r.pivot.data(), r.qtf.data(),
        r.w1.data(), r.w2.data(), r.w3.data(), r.w4.data());
  std::vector<double> there = whole(q.data());
  const double found = squares(there);
  return {std::move(there), found};
}

}  // namespace spinet::tool
