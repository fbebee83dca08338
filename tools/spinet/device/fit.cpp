#include "device/fit.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "commands.hpp"
#include "device/fit_search.hpp"
#include "sweep/statistics.hpp"

namespace spinet::tool {
namespace {

using Solution = FitSearch::Solution;
constexpr int other_starts = 24;
constexpr double infinite = std::numeric_limits<double>::infinity();
constexpr double seen = 1e-6;    // nobody measures less than that part of a value
constexpr double twofold = 0.7;  // of logarithms, about 2: a parameter that is known has no valley so long
constexpr double widest = 20;    // of logarithms: of more than e^20 to either side nothing is known

bool is_in(const std::vector<std::size_t>& list, std::size_t i) {
  return std::find(list.begin(), list.end(), i) != list.end();
}

class Fitting {
 public:
  Fitting(const FitRequest& r, const Measured& m) : m_(m), s_(r, m) {}

  Fit run() {
    Solution best = s_.solve(s_.start());
    others_ = {best};
    for (int k = 1; k <= other_starts && best.squares > 1e-20; ++k) {
      std::vector<double> start = s_.start();
      for (std::size_t i = 0; i < start.size(); ++i) start[i] += 2 * std::log(4.0) * (halton(k, i) - 0.5);
      others_.push_back(s_.solve(start));
      if (others_.back().squares < best.squares) best = others_.back();
    }
    if (!(best.squares < FitSearch::refused))
      throw UserError("--fit: no parameters around the start give a device that can be: a better start?");
    return described(std::move(best));
  }

 private:
  /// What the values say of the parameters around a solution.
  struct Told {
    std::vector<double> variance;  ///< of each, without that of the residuals; infinite: nothing
    std::vector<bool> acts;        ///< does it change anything that was measured?
  };
  /// What is found out about one parameter, on its scale.
  struct Known {
    double half = infinite;  ///< of the 95 % interval where the model is linear
    double low = -infinite, high = infinite;
    bool acts = true, open = false;     ///< open: the table does not bound it
    std::vector<std::size_t> partners;  ///< what makes up for its changes
    bool told() const { return !open && partners.empty() && half < infinite; }
  };

  /// The k-th number of Halton's sequence in one of its dimensions.
  static double halton(int k, std::size_t dimension) {
    static constexpr int primes[] = {2, 3, 5, 7, 11, 13, 17, 19};
    const int base = primes[dimension % std::size(primes)];
    double x = 0, part = 1;
    for (; k > 0; k /= base) x += (part /= base) * (k % base);
    return x;
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
      auto narrow = s_.derivatives(q, h);
      const auto wide = s_.derivatives(q, 3 * h);
      for (std::size_t i = 0; i < all.size(); ++i)
        if (all[i].empty() && same(narrow[i], wide[i])) all[i] = std::move(narrow[i]);
    }
    return all;
  }
  /// By how much residuals move, root mean square, when parameters hardly do: where a device keeps its state
  /// in few bits it cannot follow a table more closely.
  double resolution(const std::vector<double>& q) {
    const auto at = [&](std::size_t i, double by) {
      std::vector<double> there = q;
      there[i] += by;
      return s_.residuals(there);
    };
    const auto here = s_.residuals(q);
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
    const std::vector<double> off = s_.residuals(q);
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
    for (std::size_t i = 0; i < n; ++i) {
      if (is_in(held_, i)) J[i].assign(s_.points(), 0.0);
      known[i] = !J[i].empty(), J[i].resize(s_.points(), 0.0);
    }
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
  /// How far residuals may rise, as a sum of squares, with a parameter that is at the end of its interval.
  void weigh(Fit& f) {
    const double points = static_cast<double>(f.points);
    const double df = points - static_cast<double>(s_.size() - held_.size());
    f.rms = std::sqrt(best_.squares / points);
    f.resolution = resolution(best_.q);
    f.alike = alike(best_.q);
    // Of residuals that go together so many fewer count, and none is known better than the model answers.
    const double chance = 2 / std::sqrt(points), r = f.alike > chance ? std::min(f.alike, 0.99) : 0;
    factor_ = df > 0 ? student95(df) * std::sqrt((1 + r) / (1 - r)) : 0;
    variance_ = std::max(df > 0 ? best_.squares / df : 0, f.resolution * f.resolution);
    rise_ = variance_ * factor_ * factor_ + seen * seen * points;
  }
  /// Intervals from the derivatives at the best.
  void linear() {
    const Told t = told(best_.q);
    known_.assign(s_.size(), {});
    for (std::size_t i = 0; i < known_.size(); ++i) {
      Known& k = known_[i];
      k.acts = t.acts[i];
      if (factor_ > 0) k.half = factor_ * std::sqrt(t.variance[i] * variance_);
      if (!(k.half < widest) && s_.scale(i).endless()) k.half = infinite;
      k.low = best_.q[i] - k.half, k.high = best_.q[i] + k.half;
    }
  }
  bool as_well(const Solution& other, double part = 1) const {
    return other.squares <= best_.squares + part * rise_;
  }
  /// The best with parameter i at another place, from where the best is and from the start of all.
  Solution held(std::size_t i, double place, const std::vector<double>& near) {
    std::vector<std::size_t> all = held_;
    all.push_back(i);
    Solution found;
    found.squares = infinite;
    for (std::vector<double> from : {near, s_.start()}) {
      for (const std::size_t h : held_) from[h] = best_.q[h];
      from[i] = place;
      Solution there = s_.solve_others(from, all);
      if (there.squares < found.squares) found = std::move(there);
      if (as_well(found, 0.3)) break;
    }
    return found;
  }
  /// Those that have moved, beyond what is known of them, between the best and a solution that fits as well.
  std::vector<std::size_t> moved(const Solution& other, std::size_t but) const {
    std::vector<std::size_t> all;
    for (std::size_t j = 0; j < known_.size(); ++j) {
      const double least = std::max(known_[j].half < infinite ? known_[j].half : 0.1, 0.02);
      if (j != but && std::fabs(other.q[j] - best_.q[j]) > least) all.push_back(j);
    }
    return all;
  }
  void open(std::size_t i, const Solution& other) {
    known_[i].open = true;
    for (const std::size_t j : moved(other, i)) {
      if (!is_in(known_[i].partners, j)) known_[i].partners.push_back(j);
      if (!is_in(known_[j].partners, i)) known_[j].partners.push_back(i);
    }
  }
  /// Of a parameter with an interval: do the residuals rise at its ends, whatever the others do?  Where they
  /// do not, it is wider, or there is none: others make up for the parameter.
  void check_ends(std::size_t i) {
    Known& k = known_[i];
    for (const double sign : {-1.0, 1.0}) {
      double by = std::max(k.half, 0.05);
      Solution there = held(i, best_.q[i] + sign * by, best_.q);
      if (!as_well(there, 0.3)) continue;
      double yes = 0;
      for (int twice = 0; (twice < 3 || by < twofold) && as_well(there); ++twice)
        yes = by, there = held(i, best_.q[i] + sign * (by *= 2), there.q);
      if (as_well(there)) open(i, there);
      for (int step = 0; step < 3 && !k.open; ++step) {
        const double middle = 0.5 * (yes + by);
        (as_well(held(i, best_.q[i] + sign * middle, best_.q)) ? yes : by) = middle;
      }
      double& end = sign < 0 ? k.low : k.high;
      end = sign < 0 ? std::min(end, best_.q[i] - by) : std::max(end, best_.q[i] + by);
    }
  }
  /// Of a parameter that nothing is told of where the search has ended: has it run away along a valley, in
  /// which its start does as well, or is the best at an end of its range?  True: it has run away far, and the
  /// best is now that with the parameter at its start.
  bool ran_away(std::size_t i) {
    const double start = s_.start()[i], away = best_.q[i] - start;
    const bool near = std::fabs(away) < 0.5;
    const Solution there = held(i, near ? best_.q[i] + 0.7 : start, best_.q);
    if (!as_well(there)) {
      if (!near && s_.scale(i).endless()) bound(i, away > 0 ? 1 : -1);
      return false;
    }
    if (known_[i].acts || differ(there)) open(i, there);
    if (!known_[i].open || std::fabs(away) < 0.5 * widest) return false;
    best_ = there;
    held_.push_back(i);
    return true;
  }
  /// Does it give other values than the best?
  bool differ(const Solution& other) {
    const auto a = s_.residuals(best_.q), b = s_.residuals(other.q);
    double most = 0;
    for (std::size_t k = 0; k < a.size(); ++k) most = std::max(most, std::fabs(a[k] - b[k]));
    return most > seen;
  }
  /// The other bound of a parameter whose best is at an end of its range, by bisection towards its start.
  void bound(std::size_t i, double sign) {
    Known& k = known_[i];
    const double start = s_.start()[i];
    Solution end = held(i, start + sign * 2 * widest, best_.q);
    if (!as_well(end)) return;
    double yes = start + sign * 2 * widest, no = start;
    for (int step = 0; step < 12; ++step) {
      const double middle = 0.5 * (yes + no);
      (as_well(held(i, middle, end.q)) ? yes : no) = middle;
    }
    k.acts = true;
    k.half = std::fabs(best_.q[i] - no);
    k.low = sign > 0 ? no : -infinite, k.high = sign > 0 ? infinite : no;
  }
  /// Where other starts have led: intervals take it in; what is a factor away, and far beyond the interval,
  /// is along a valley.
  void others_that_fit_as_well() {
    const double limit = best_.squares + variance_ * static_cast<double>(known_.size()) * factor_ * factor_;
    for (const Solution& other : others_)
      for (std::size_t i = 0; i < known_.size() && factor_ > 0 && other.squares <= limit; ++i) {
        Known& k = known_[i];
        if (is_in(held_, i) || !(k.half < infinite)) continue;
        const double off = std::fabs(other.q[i] - best_.q[i]);
        if (as_well(other) && off > std::max(8 * k.half, twofold) && std::isfinite(k.low) &&
            std::isfinite(k.high))
          open(i, other);
        k.low = std::min(k.low, other.q[i]), k.high = std::max(k.high, other.q[i]);
      }
  }
  /// Holds what has run away at its start, one after the other.  What was found out of them.
  std::vector<Known> settle(Fit& f) {
    std::vector<Known> valleys(s_.size());
    for (bool again = true; again;) {
      again = false;
      weigh(f);
      linear();
      for (std::size_t i = 0; i < known_.size() && factor_ > 0 && !again; ++i)
        if (!is_in(held_, i) && !(known_[i].half < infinite)) again = ran_away(i);
      for (std::size_t i = 0; i < known_.size() && again; ++i) join(valleys[i], known_[i]);
    }
    return valleys;
  }
  static void join(Known& a, const Known& b) {
    a.open = a.open || b.open;
    for (const std::size_t p : b.partners)
      if (!is_in(a.partners, p)) a.partners.push_back(p);
  }
  Fit described(Solution best) {
    best_ = std::move(best);
    Fit f;
    f.points = m_.count();
    const std::vector<Known> valleys = settle(f);
    others_that_fit_as_well();
    for (std::size_t i = 0; i < known_.size(); ++i) join(known_[i], valleys[i]);
    for (std::size_t i = 0; i < known_.size() && factor_ > 0; ++i)
      if (known_[i].told() && std::isfinite(known_[i].low) && std::isfinite(known_[i].high)) check_ends(i);
    for (std::size_t i = 0; i < known_.size(); ++i) f.parameters.push_back(parameter(i));
    return f;
  }
  FittedParameter parameter(std::size_t i) const {
    const Known& k = known_[i];
    const Scale& scale = s_.scale(i);
    FittedParameter p{
        s_.index(i), k.acts || k.open || !k.partners.empty(), scale.from(best_.q[i]), -infinite, infinite,
        {}};
    for (const std::size_t j : k.partners) p.partners.push_back(s_.index(j));
    if (!k.told()) return p;
    p.low = scale.from(k.low), p.high = scale.from(k.high);
    const Field& f = *scale.field;
    // At an end, which is no number on its scale.
    if (!(k.low > -infinite) && !(f.flags & low_open) && s_.can_be(best_.q, i, f.low))
      p.value = p.low = f.low;
    if (!(k.high < infinite) && std::isfinite(f.high) && !(f.flags & high_open) &&
        s_.can_be(best_.q, i, f.high))
      p.value = p.high = f.high;
    return p;
  }

  const Measured& m_;
  FitSearch s_;
  Solution best_;
  std::vector<Solution> others_;   ///< where each start has led
  std::vector<std::size_t> held_;  ///< at their start: these have run away
  std::vector<Known> known_;
  double factor_ = 0, variance_ = 0, rise_ = 0;
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
