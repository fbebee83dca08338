#include "device/fit.hpp"

#include <cminpack-1/cminpack.h>
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>

#include "commands.hpp"
#include "network/suggest.hpp"
#include "network/units.hpp"
#include "sweep/statistics.hpp"

namespace spinet::tool {
namespace {

constexpr std::size_t most_rows = 1'000'000;
constexpr int other_starts = 24;

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::stringstream in(line + (line.ends_with(',') ? "," : ""));
  for (std::string cell; std::getline(in, cell, ',');) {
    const auto from = cell.find_first_not_of(" \t\r\""), to = cell.find_last_not_of(" \t\r\"");
    cells.push_back(from == std::string::npos ? "" : cell.substr(from, to - from + 1));
  }
  return cells;
}

/// One column of the table: which variable, and what its numbers are times.
struct Header {
  bool is_reading = false;
  std::uint32_t variable = 0;
  double factor = 1;
};
Header header_of(const std::string& text, const SynapseTable& t, const std::string& where) {
  const auto open = text.find_first_of("[(");
  std::string name = text.substr(0, open);
  while (name.ends_with(' ')) name.pop_back();
  Header h;
  if (name == "reading") {
    h.is_reading = true;
    return h;
  }
  std::vector<std::string> known{"reading"};
  for (std::uint32_t v = 0; v < t.model.variables.count; ++v)
    known.emplace_back(t.model.variables.data[v].name);
  while (h.variable < t.model.variables.count && name != t.model.variables.data[h.variable].name)
    ++h.variable;
  if (h.variable == t.model.variables.count)
    throw UserError(fmt::format("{}: {} is no variable of model {}; {}", where, in_quotes(name), t.model.name,
                                suggest(name, known, "columns")));
  if (open == std::string::npos) return h;
  const Field& f = t.model.variables.data[h.variable];
  const auto close = text.find_last_of("])");
  const std::string unit = text.substr(open + 1, close == std::string::npos ? close : close - open - 1);
  const auto u = parse_unit(unit), own = parse_unit(f.flags & port_unit ? "1" : f.unit);
  if (!u || u->dimension != own->dimension)
    throw UserError(fmt::format("{}: {} is in {}; a unit of {} is wanted, for example {}", where,
                                in_quotes(name), in_quotes(unit), dimension_name(own->dimension), f.unit));
  h.factor = Quantity{u->factor, u->decade, u->dimension}.in(*own);
  return h;
}

double number_of(const std::string& cell, const std::string& where) {
  char* end = nullptr;
  const double x = std::strtod(cell.c_str(), &end);
  if (end == cell.c_str() || *end || !std::isfinite(x))
    throw UserError(fmt::format("{}: {} is no number", where, in_quotes(cell)));
  return x;
}

/// A parameter on a scale without ends: its logarithm where it is positive, what is between two ends as a
/// logit, else itself.
struct Scale {
  const Field* field = nullptr;
  double unit = 1;
  bool bounded() const { return std::isfinite(field->low) && std::isfinite(field->high); }
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
    return positive() ? field->low + std::exp(std::clamp(q, -690.0, 690.0)) : q * unit;
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
    for (int k = 1; k <= other_starts && best.squares > 1e-20; ++k) {
      std::vector<double> start = q_;
      for (std::size_t i = 0; i < start.size(); ++i) start[i] += 2 * std::log(4.0) * (halton(k, i) - 0.5);
      Solution other = solve(start);
      if (other.squares < best.squares) best = std::move(other);
    }
    if (!(best.squares < refused))
      throw UserError("--fit: no parameters around the start give a device that can be: a better start?");
    return described(best);
  }

 private:
  static constexpr double refused = 1e12;  ///< sum of squares of a device that cannot be
  struct Solution {
    std::vector<double> q, covariance;  ///< of q, without the variance of the residuals
    double squares = 0;
    bool told_apart = true;  ///< do the values tell the parameters apart?
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
    DeviceBench::Make make = make_;
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
  static int call(void* self, int, int, const double* q, double* out, int) {
    static_cast<Fitting*>(self)->residuals(q, out);
    return 0;
  }
  Solution solve(std::vector<double> q) {
    const int m = static_cast<int>(m_.count()), n = static_cast<int>(q.size());
    const std::size_t points = m_.count();
    std::vector<double> off(points), diag(q.size()), jacobian(points * q.size()), qtf(q.size());
    std::vector<double> w1(q.size()), w2(q.size()), w3(q.size()), w4(points);
    std::vector<int> pivot(q.size());
    int calls = 0;
    constexpr double tolerance = 1e-14, step = 1e-10;
    lmdif(call, this, m, n, q.data(), off.data(), tolerance, tolerance, 0, 400 * (n + 1), step, diag.data(),
          1, 1.0, 0, &calls, jacobian.data(), m, pivot.data(), qtf.data(), w1.data(), w2.data(), w3.data(),
          w4.data());
    Solution s{q, {}, 0};
    for (const double x : off) s.squares += x * x;
    // The triangle that lmdif leaves in the upper part of the Jacobian becomes the covariance,
    // with zeros for parameters that the values do not determine.
    covar(n, jacobian.data(), m, pivot.data(), 1e-9, w1.data());
    s.covariance.resize(q.size() * q.size());
    for (std::size_t i = 0; i < q.size(); ++i)
      for (std::size_t k = 0; k < q.size(); ++k) s.covariance[i * q.size() + k] = jacobian[i + k * points];
    for (std::size_t i = 0; i < q.size(); ++i)
      s.told_apart = s.told_apart && s.covariance[i * q.size() + i] > 0;
    return s;
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
  Fit described(const Solution& s) const {
    Fit f;
    f.points = m_.count();
    const double df = static_cast<double>(f.points) - static_cast<double>(s.q.size());
    f.rms = std::sqrt(s.squares / static_cast<double>(f.points));
    for (std::size_t i = 0; i < s.q.size(); ++i) {
      const double infinite = std::numeric_limits<double>::infinity();
      double half = infinite;
      if (s.told_apart && df > 0)
        half = student95(df) * std::sqrt(s.covariance[i * s.q.size() + i] * s.squares / df);
      const Scale& scale = scales_[i];
      f.parameters.push_back({index_[i], scale.from(s.q[i]),
                              half < infinite ? scale.from(s.q[i] - half) : -infinite,
                              half < infinite ? scale.from(s.q[i] + half) : infinite});
    }
    return f;
  }

  const FitRequest& r_;
  const Measured& m_;
  DeviceBench::Make make_;
  std::vector<std::uint32_t> index_;
  std::vector<Scale> scales_;
  std::vector<double> q_;  ///< the start
};

}  // namespace

Measured read_measured(const std::string& file, const SynapseTable& t, const View& view) {
  std::ifstream in(file);
  if (!in) throw UserError(fmt::format("--fit: {} cannot be read", file));
  std::string line;
  std::size_t number = 0;
  const auto where = [&] { return fmt::format("{}:{}", file, std::max<std::size_t>(number, 1)); };
  while (std::getline(in, line) && (++number, line.find_first_not_of(" \t\r") == std::string::npos)) {
  }
  std::vector<Header> headers;
  for (const auto& cell : cells_of(line)) headers.push_back(header_of(cell, t, where()));
  Measured m;
  for (const auto& h : headers)
    if (!h.is_reading) m.columns.push_back({h.variable, false, {}});
  if (m.columns.empty())
    throw UserError(
        fmt::format("{}: no column is a variable of model {}; the first line names them, for "
                    "example: reading,{}",
                    where(), t.model.name, t.model.variables.data[0].name));
  while (std::getline(in, line)) {
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const auto cells = cells_of(line);
    if (cells.size() != headers.size())
      throw UserError(
          fmt::format("{}: {} values where the header has {}", where(), cells.size(), headers.size()));
    if (m.readings.size() == most_rows)
      throw UserError(fmt::format("{}: more than {} rows", where(), most_rows));
    std::size_t reading = m.readings.size(), column = 0;
    for (std::size_t k = 0; k < cells.size(); ++k) {
      const double x = number_of(cells[k], where());
      if (!headers[k].is_reading) m.columns[column++].values.push_back(x * headers[k].factor);
      else if (x >= 0 && x < 1e9 && x == std::floor(x)) reading = static_cast<std::size_t>(x);
      else throw UserError(fmt::format("{}: {} is no number of a reading (0, 1, ...)", where(), cells[k]));
    }
    m.readings.push_back(reading);
  }
  if (m.readings.empty()) throw UserError(fmt::format("{}: there are no measured values", file));
  for (auto& c : m.columns) {
    const std::string name = t.model.variables.data[c.variable].name;
    c.logarithmic = is_logarithmic(view, name, c.values);
    if (c.logarithmic && !(*std::min_element(c.values.begin(), c.values.end()) > 0))
      throw UserError(fmt::format("--fit: {}: {} has values that are not above 0, and --axis {}=log", file,
                                  in_quotes(name), name));
  }
  return m;
}

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
