#include "device/fit.hpp"

#include <cminpack-1/cminpack.h>
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "commands.hpp"
#include "network/suggest.hpp"
#include "sweep/statistics.hpp"

namespace spinet::tool {
namespace {

constexpr int other_starts = 24;

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

class Fitting {
 public:
  Fitting(const FitRequest& r, const Measured& m) : r_(r), m_(m), make_(common_make(*r.table, r.choice)) {
    const Fields& f = r.table->model.params;
    std::vector<std::string> known;
    for (std::uint32_t i = 0; i < f.count; ++i)
      if (!(f.data[i].flags & integer)) known.emplace_back(f.data[i].name);
    for (const auto& name : r.free) {
      std::uint32_t i = 0;
      while (i < f.count && (name != f.data[i].name || f.data[i].flags & integer)) ++i;
      if (i == f.count)
        throw UserError(fmt::format("--free: model {} has no parameter {} that can be fitted; {}",
                                    r.table->model.name, in_quotes(name),
                                    suggest(name, known, "parameters")));
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
        throw UserError(fmt::format(
            "--free: {0} starts from {1:g} and is searched by factors; give the fit a value above "
            "{2:g} to start from: --param {0}=...",
            name, make_.params[i], f.data[i].low));
      q_.push_back(scales_.back().to(make_.params[i]));
    }
    if (m.count() < index_.size())
      throw UserError(
          fmt::format("--fit: {} parameters cannot be fitted to {} measured value{}: there are more "
                      "parameters than points",
                      index_.size(), m.count(), m.count() == 1 ? "" : "s"));
  }

  Fit run() {
    Solution best = solve(q_);
    others_ = {best};
    for (int k = 1; k <= other_starts && best.squares > 1e-20; ++k) {
      std::vector<double> start = q_;
      for (std::size_t i = 0; i < start.size(); ++i) start[i] += 2 * std::log(4.0) * (halton(k, i) - 0.5);
      others_.push_back(solve(start));
      if (others_.back().squares < best.squares) best = others_.back();
    }
    if (!(best.squares < refused))
      throw UserError("--fit: no parameters around the start give a device that can be: a better start?");
    return described(best);
  }

 private:
  static constexpr double refused = 1e12;  ///< sum of squares of a device that cannot be
  struct Solution {
    std::vector<double> q;
    double squares = 0;
  };
  /// What the values say of the parameters around a solution.
  struct Told {
    std::vector<double> variance;  ///< of each, without that of the residuals; infinite: nothing
    std::vector<bool> acts;        ///< does it change anything that was measured?
  };

  /// The k-th number of Halton's sequence in one of its dimensions.
  static double halton(int k, std::size_t dimension) {
    static constexpr int primes[] = {2, 3, 5, 7, 11, 13, 17, 19};
    const int base = primes[dimension % std::size(primes)];
    double x = 0, part = 1;
    for (; k > 0; k /= base) x += (part /= base) * (k % base);
    return x;
  }
  void residuals(const double* q, double* out) {
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
  double squares(const std::vector<double>& q) {
    std::vector<double> off(m_.count());
    residuals(q.data(), off.data());
    return std::inner_product(off.begin(), off.end(), off.begin(), 0.0);
  }
  static int fine_call(void* self, int, int, const double* q, double* out, int) {
    static_cast<Fitting*>(self)->residuals(q, out);
    return 0;
  }
  static int coarse_call(void* self, int m, int n, const double* q, double* out, double* jacobian, int,
                         int what) {
    auto& f = *static_cast<Fitting*>(self);
    if (what == 1) {
      f.residuals(q, out);
      return 0;
    }
    const auto all = f.derivatives({q, q + n}, f.apart_);
    for (std::size_t i = 0; i < all.size(); ++i)
      std::copy(all[i].begin(), all[i].end(), jacobian + i * static_cast<std::size_t>(m));
    return 0;
  }
  /// What MINPACK works with.
  struct Room {
    Room(std::size_t points, std::size_t n)
        : off(points), diag(n), jacobian(points * n), qtf(n), w1(n), w2(n), w3(n), w4(points), pivot(n) {}
    std::vector<double> off, diag, jacobian, qtf, w1, w2, w3, w4;
    std::vector<int> pivot;
  };
  /// From a start to where it leads.  Devices may keep their state in few bits: it answers small changes of a
  /// parameter by steps, and differences over less than these say nothing.  So the search begins with
  /// differences that are coarse, of both sides, and goes on with finer ones as far as these lead on.
  Solution solve(const std::vector<double>& start) {
    Solution best{start, squares(start)};
    for (const double apart : {3e-2, 1e-2, 1e-3, 1e-4}) better(best, coarse(best.q, apart));
    better(best, fine(best.q));
    return best;
  }
  static void better(Solution& best, Solution other) {
    if (other.squares < best.squares) best = std::move(other);
  }
  Solution coarse(std::vector<double> q, double apart) {
    const int m = static_cast<int>(m_.count()), n = static_cast<int>(q.size());
    Room r(m_.count(), q.size());
    int calls = 0, jacobians = 0;
    constexpr double tolerance = 1e-8;
    apart_ = apart;
    lmder(coarse_call, this, m, n, q.data(), r.off.data(), r.jacobian.data(), m, tolerance, tolerance, 0, 200,
          r.diag.data(), 1, 1.0, 0, &calls, &jacobians, r.pivot.data(), r.qtf.data(), r.w1.data(),
          r.w2.data(), r.w3.data(), r.w4.data());
    const double found = squares(q);
    return {std::move(q), found};
  }
  Solution fine(std::vector<double> q) {
    const int m = static_cast<int>(m_.count()), n = static_cast<int>(q.size());
    Room r(m_.count(), q.size());
    int calls = 0;
    constexpr double tolerance = 1e-14, step = 1e-10;
    lmdif(fine_call, this, m, n, q.data(), r.off.data(), tolerance, tolerance, 0, 400 * (n + 1), step,
          r.diag.data(), 1, 1.0, 0, &calls, r.jacobian.data(), m, r.pivot.data(), r.qtf.data(), r.w1.data(),
          r.w2.data(), r.w3.data(), r.w4.data());
    const double found = squares(q);
    return {std::move(q), found};
  }
  /// Derivatives of the residuals by each of q: differences over an interval `h` that is the same for all, so
  /// that parameters which do the same have the same.
  std::vector<std::vector<double>> derivatives(const std::vector<double>& q, double h) {
    const auto at = [&](std::size_t i, double by) {
      std::vector<double> there = q, off(m_.count());
      there[i] += by;
      residuals(there.data(), off.data());
      return off;
    };
    const auto can_be = [](const std::vector<double>& off) { return off[0] != std::sqrt(refused); };
    const std::vector<double> here = at(0, 0);
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
  /// Derivatives, each over the smallest interval at which that over three times as much is the same to a
  /// tenth; a parameter of which no interval is wide enough has none.
  std::vector<std::vector<double>> settled_derivatives(const std::vector<double>& q) {
    std::vector<std::vector<double>> all(q.size());
    const auto same = [](const std::vector<double>& a, const std::vector<double>& b) {
      double off = 0, size = 0;
      for (std::size_t k = 0; k < a.size(); ++k) off += (a[k] - b[k]) * (a[k] - b[k]), size += b[k] * b[k];
      return off <= 0.01 * size;
    };
    for (const double h : {1e-4, 1e-3, 1e-2, 1e-1}) {
      if (std::none_of(all.begin(), all.end(), [](const auto& d) { return d.empty(); })) break;
      auto narrow = derivatives(q, h);
      const auto wide = derivatives(q, 3 * h);
      for (std::size_t i = 0; i < all.size(); ++i)
        if (all[i].empty() && same(narrow[i], wide[i])) all[i] = std::move(narrow[i]);
    }
    return all;
  }
  /// By how much residuals move, root mean square, when parameters hardly do: where a device keeps its state
  /// in few bits it cannot follow a table more closely.
  double resolution(const std::vector<double>& q) {
    const auto at = [&](std::size_t i, double by) {
      std::vector<double> there = q, off(m_.count());
      there[i] += by;
      residuals(there.data(), off.data());
      return off;
    };
    const auto here = at(0, 0);
    double most = 0;
    for (std::size_t i = 0; i < q.size(); ++i)
      for (const double h : {3e-5, 1e-4}) {
        const auto up = at(i, h), down = at(i, -h);
        double sum = 0;
        for (std::size_t k = 0; k < here.size(); ++k) {
          const double bend = up[k] - 2 * here[k] + down[k];
          sum += bend * bend / 6;
        }
        most = std::max(most, sum / static_cast<double>(here.size()));
      }
    return most < 1 ? std::sqrt(most) : 0;  // else a neighbour cannot be
  }
  /// How alike neighbours of the residuals are, of each column by itself: the correlation; noise has none.
  double alike(const std::vector<double>& q) {
    std::vector<double> off(m_.count());
    residuals(q.data(), off.data());
    const std::size_t n = m_.readings.size();
    double together = 0, alone = 0;
    for (std::size_t c = 0; c < m_.columns.size(); ++c)
      for (std::size_t k = 0; k < n; ++k) {
        const double x = off[c * n + k];
        alone += x * x;
        if (k > 0) together += x * off[c * n + k - 1];
      }
    return alone > 0 && n > 1 ? together / alone : 0;
  }
  /// Diagonal of the inverse of the normal matrix.  A parameter of which less than `least` is left once all
  /// others have explained what they can is not told apart from them.
  Told told(const std::vector<double>& q) {
    constexpr double least = 1e-8;
    auto J = settled_derivatives(q);
    const std::size_t n = q.size();
    std::vector<bool> known(n);
    for (std::size_t i = 0; i < n; ++i) known[i] = !J[i].empty(), J[i].resize(m_.count(), 0.0);
    const auto product = [](const std::vector<double>& a, const std::vector<double>& b) {
      return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
    };
    Told t;
    for (std::size_t i = 0; i < n; ++i) {
      const double length = std::sqrt(product(J[i], J[i]));
      t.acts.push_back(!known[i] || length > 1e-9);  // residuals are parts of what was measured
      // What is left of its derivatives without their parts along all others (Gram and Schmidt, twice).
      std::vector<std::vector<double>> basis;
      for (std::size_t k = 0; k <= n; ++k) {
        const std::size_t j = k < n ? k : i;  // itself last
        if (k == i) continue;
        std::vector<double> rest = J[j];
        const double whole = std::sqrt(product(rest, rest));
        for (int twice = 0; twice < 2; ++twice)
          for (const auto& e : basis) {
            const double part = product(rest, e);
            for (std::size_t l = 0; l < rest.size(); ++l) rest[l] -= part * e[l];
          }
        const double left = std::sqrt(product(rest, rest));
        if (k == n) {
          const bool apart = known[i] && t.acts[i] && left > std::sqrt(least) * length;
          t.variance.push_back(apart ? 1 / (left * left) : std::numeric_limits<double>::infinity());
        } else if (left > std::sqrt(least) * whole) {
          for (double& x : rest) x /= left;
          basis.push_back(std::move(rest));
        }
      }
    }
    return t;
  }
  /// |t| that Student's t with so many degrees of freedom exceeds in 5 % of cases.
  static double student95(double df) {
    double low = 0, high = 1000;
    for (int i = 0; i < 100; ++i) {
      const double middle = 0.5 * (low + high);
      (student_two_sided(middle, df) > 0.05 ? low : high) = middle;
    }
    return high;
  }
  Fit described(const Solution& s) {
    Fit f;
    f.points = m_.count();
    const double points = static_cast<double>(f.points), n = static_cast<double>(s.q.size()), df = points - n;
    f.rms = std::sqrt(s.squares / points);
    f.resolution = resolution(s.q);
    f.alike = alike(s.q);
    const Told t = told(s.q);
    constexpr double widest = 20;  // of logarithms: of more than e^20 to either side nothing is known
    // Of residuals that go together so many fewer count, and none is known better than the model answers.
    const double chance = 2 / std::sqrt(points), r = f.alike > chance ? std::min(f.alike, 0.99) : 0;
    const double factor = df > 0 ? student95(df) * std::sqrt((1 + r) / (1 - r)) : 0;
    const double variance = std::max(df > 0 ? s.squares / df : 0, f.resolution * f.resolution);
    // Where another start has led, and fits as well.
    const double as_well = s.squares + variance * n * factor * factor;
    for (std::size_t i = 0; i < s.q.size(); ++i) {
      const double infinite = std::numeric_limits<double>::infinity();
      double half = infinite;
      if (df > 0) half = factor * std::sqrt(t.variance[i] * variance);
      const Scale& scale = scales_[i];
      if (!(half < widest) && (scale.positive() || scale.bounded())) half = infinite;
      double low = s.q[i] - half, high = s.q[i] + half;
      for (const Solution& other : others_)
        if (df > 0 && other.squares <= as_well)
          low = std::min(low, other.q[i]), high = std::max(high, other.q[i]);
      f.parameters.push_back({index_[i], t.acts[i], scale.from(s.q[i]),
                              half < infinite ? scale.from(low) : -infinite,
                              half < infinite ? scale.from(high) : infinite});
    }
    return f;
  }

  const FitRequest& r_;
  const Measured& m_;
  Devices::Make make_;
  std::vector<std::uint32_t> index_;
  std::vector<Scale> scales_;
  std::vector<double> q_;         ///< the start
  std::vector<Solution> others_;  ///< where each start has led
  double apart_ = 0;              ///< over which coarse_call takes differences
};

}  // namespace

Fit fit(const FitRequest& request, const Measured& measured) {
  const std::size_t readings = request.protocol->steps.size() + 1;
  for (const auto k : measured.readings)
    if (k >= readings)
      throw UserError(
          fmt::format("--fit: the table has a reading {}, and the protocol makes {} (0, before the "
                      "first step, to {})",
                      k, readings, readings - 1));
  return Fitting(request, measured).run();
}

}  // namespace spinet::tool
