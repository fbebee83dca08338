#include "circuit/crossbar.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>
#include <string>

#include "circuit/cholesky.hpp"

namespace spinet::circuit {
namespace {

constexpr double most_over_V_0 = 600;  // sinh of more is no number
constexpr double stride = 4;           // V_0 by which voltages are raised at once
constexpr std::uint32_t most_steps = 200;

std::string short_text(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", x);
  return text;
}

void check(const Crossbar& a) {
  const auto wrong = [](const std::string& what) { throw CircuitError("a crossbar " + what); };
  if (a.rows == 0 || a.columns == 0) wrong("has no rows or no columns");
  if (a.conductance.size() != std::size_t{a.rows} * a.columns)
    wrong("of " + std::to_string(a.rows) + " x " + std::to_string(a.columns) + " devices has " +
          std::to_string(a.conductance.size()) + " conductances");
  for (const double g : a.conductance)
    if (!(g >= 0 && std::isfinite(g))) wrong("has a conductance that is negative or no number");
  for (const double r : {a.row_resistance, a.column_resistance})
    if (!(r >= 0 && std::isfinite(r))) wrong("has a line resistance that is negative or no number");
  if (!(a.V_0 > 0)) wrong("needs a V_0 above 0");
}

}  // namespace

/// A node is a number of the unknowns, or a voltage that is held.
struct Node {
  std::int32_t unknown = -1;
  double held = 0;
};

struct Solver::Impl {
  explicit Impl(Crossbar a) : array(std::move(a)) {}

  Crossbar array;
  std::vector<Node> row_nodes, column_nodes;  ///< by crossing; of a line without resistance all the same
  std::vector<Node> row_terminals, column_terminals;
  std::int32_t unknowns = 0;
  Cholesky system;
  std::vector<bool> floats;  ///< rows, then columns: those of the last solution
  bool factored = false;     ///< ... and `system` holds its factors
  double share = 1;          ///< of their voltages by which terminals are held

  std::size_t crossing(std::uint32_t i, std::uint32_t j) const { return std::size_t{i} * array.columns + j; }
  void number(const Terminals& at);
  Node line(double resistance, const Node& terminal, Node& previous);
  void look_for_islands() const;
  double volts(const Node& n, const std::vector<double>& v) const {
    return n.unknown < 0 ? share * n.held : v[static_cast<std::size_t>(n.unknown)];
  }
  /// Calls f(a, b, conductance) for every piece of line that has a resistance.
  template <class F>
  void wires(F&& f) const;
  double current(std::size_t k, double V, bool ohmic) const {
    const double g = array.conductance[k];
    return ohmic ? g * V : g * array.V_0 * std::sinh(V / array.V_0);
  }
  double slope(std::size_t k, double V, bool ohmic) const {
    const double g = array.conductance[k];
    return ohmic ? g : g * std::cosh(V / array.V_0);
  }
  bool linear() const { return std::isinf(array.V_0); }
  std::vector<double> surplus(const std::vector<double>& v, bool ohmic) const;
  void factor(const std::vector<double>& v, bool ohmic);
  /// How close Newton's method comes: steps of at most `enough` end it, or rounding.
  struct Closeness {
    double largest, enough;
  };
  void balance(std::vector<double>& v, const Closeness& to, std::uint32_t& steps);
  std::vector<double> balanced(double largest, double apart, std::uint32_t& steps);
  double scale(const std::vector<double>& v, const std::vector<double>& step) const;
  Solution solution(const std::vector<double>& v) const;
};

/// Numbers the unknown nodes, crossing by crossing.
void Solver::Impl::number(const Terminals& at) {
  const std::size_t n = array.conductance.size();
  const std::vector<Node> none(n);
  row_nodes = column_nodes = none;
  unknowns = 0;
  const auto fresh = [&] { return Node{unknowns++, 0}; };
  const auto terminals = [&](const std::vector<double>& volts, double resistance) {
    std::vector<Node> all;
    for (const double V : volts) {
      if (!std::isnan(V)) all.push_back({-1, V});
      else all.push_back(resistance > 0 ? Node{} : fresh());  // with resistance a loose end, which is none
    }
    return all;
  };
  row_terminals = terminals(at.rows, array.row_resistance);
  column_terminals = terminals(at.columns, array.column_resistance);
  for (std::uint32_t i = 0; i < array.rows; ++i)
    for (std::uint32_t j = 0; j < array.columns; ++j) {
      row_nodes[crossing(i, j)] = array.row_resistance > 0 ? fresh() : row_terminals[i];
      column_nodes[crossing(i, j)] = array.column_resistance > 0 ? fresh() : column_terminals[j];
    }
}

template <class F>
void Solver::Impl::wires(F&& f) const {
  if (array.row_resistance > 0)
    for (std::uint32_t i = 0; i < array.rows; ++i) {
      const double g = 1 / array.row_resistance;
      if (!floats[i]) f(row_terminals[i], row_nodes[crossing(i, 0)], g);
      for (std::uint32_t j = 1; j < array.columns; ++j)
        f(row_nodes[crossing(i, j - 1)], row_nodes[crossing(i, j)], g);
    }
  if (array.column_resistance > 0)
    for (std::uint32_t j = 0; j < array.columns; ++j) {
      const double g = 1 / array.column_resistance;
      for (std::uint32_t i = 1; i < array.rows; ++i)
        f(column_nodes[crossing(i - 1, j)], column_nodes[crossing(i, j)], g);
      if (!floats[array.rows + j]) f(column_nodes[crossing(array.rows - 1, j)], column_terminals[j], g);
    }
}

/// What no terminal holds has no voltage.
void Solver::Impl::look_for_islands() const {
  const std::uint32_t lines = array.rows + array.columns;
  std::vector<std::uint32_t> parent(lines + 1);  // the last: what is held
  std::iota(parent.begin(), parent.end(), 0);
  const auto root = [&](std::uint32_t i) {
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
  };
  for (std::uint32_t k = 0; k < lines; ++k)
    if (!floats[k]) parent[root(k)] = root(lines);
  for (std::uint32_t i = 0; i < array.rows; ++i)
    for (std::uint32_t j = 0; j < array.columns; ++j)
      if (array.conductance[crossing(i, j)] > 0) parent[root(i)] = root(array.rows + j);
  for (std::uint32_t k = 0; k < lines; ++k)
    if (root(k) != root(lines))
      throw CircuitError(
          (k < array.rows ? "row " + std::to_string(k) : "column " + std::to_string(k - array.rows)) +
          " floats, and no device connects it with a line that is held: it has no voltage");
}

/// The sum of the currents that leave each node whose voltage is not known.
std::vector<double> Solver::Impl::surplus(const std::vector<double>& v, bool ohmic) const {
  std::vector<double> out(static_cast<std::size_t>(unknowns), 0.0);
  const auto flows = [&](const Node& a, const Node& b, double I) {
    if (a.unknown >= 0) out[static_cast<std::size_t>(a.unknown)] += I;
    if (b.unknown >= 0) out[static_cast<std::size_t>(b.unknown)] -= I;
  };
  for (std::size_t k = 0; k < array.conductance.size(); ++k)
    flows(row_nodes[k], column_nodes[k],
          current(k, volts(row_nodes[k], v) - volts(column_nodes[k], v), ohmic));
  wires([&](const Node& a, const Node& b, double g) { flows(a, b, g * (volts(a, v) - volts(b, v))); });
  return out;
}

void Solver::Impl::factor(const std::vector<double>& v, bool ohmic) {
  system.begin(unknowns, 3 * array.conductance.size() * 3 + 1);
  const auto joins = [&](const Node& a, const Node& b, double g) {
    if (a.unknown >= 0) system.add(a.unknown, a.unknown, g);
    if (b.unknown >= 0) system.add(b.unknown, b.unknown, g);
    if (a.unknown >= 0 && b.unknown >= 0)
      system.add(std::max(a.unknown, b.unknown), std::min(a.unknown, b.unknown), -g);
  };
  for (std::size_t k = 0; k < array.conductance.size(); ++k) {
    const double V = volts(row_nodes[k], v) - volts(column_nodes[k], v);
    joins(row_nodes[k], column_nodes[k], slope(k, V, ohmic));
  }
  wires(joins);
  system.factor();
}

/// The part of a Newton step to take.  The power that the array turns into heat, summed up as voltages rise
/// (its co-content), is convex and least at the solution: along the step its slope must not have come to the
/// other side.
double Solver::Impl::scale(const std::vector<double>& v, const std::vector<double>& step) const {
  const auto along = [&](double part) {
    std::vector<double> there = v;
    for (std::size_t i = 0; i < v.size(); ++i) there[i] += part * step[i];
    const auto s = surplus(there, false);
    return std::inner_product(s.begin(), s.end(), step.begin(), 0.0);
  };
  const double first = std::fabs(along(0));
  double part = 1;
  while (part > 1e-9) {
    const double slope = along(part);
    if (std::isfinite(slope) && slope <= 0.5 * first) break;
    part /= 2;
  }
  return part;
}

/// From `v` to voltages at which all currents balance, by Newton's method; of an Ohmic array one step, and
/// one that takes away what rounding has left.
void Solver::Impl::balance(std::vector<double>& v, const Closeness& to, std::uint32_t& steps) {
  double before = std::numeric_limits<double>::infinity();
  for (std::uint32_t n = 0; n < most_steps; ++n) {
    // The first step of all is that of the Ohmic array, whose voltages lie within those that are held.
    const bool ohmic = linear() || steps == 0;
    if (!(linear() && factored)) factor(v, ohmic);
    factored = linear();
    std::vector<double> rest = surplus(v, ohmic);
    for (double& x : rest) x = -x;
    std::vector<double> step = system.solve(rest);
    ++steps;
    double most = 0;
    for (const double x : step) most = std::max(most, std::fabs(x));
    const bool small = most <= 1e-6 * to.largest;  // smaller than what a line search can tell from rounding
    const double part = ohmic || small ? 1 : scale(v, step);
    for (std::size_t i = 0; i < v.size(); ++i) v[i] += part * step[i];
    const bool settled = most <= to.enough || (small && most >= before / 2);  // the rest is rounding
    if (settled || (linear() && n == 2)) return;
    before = most;
  }
  throw CircuitError("the currents of a crossbar did not balance in " + std::to_string(most_steps) +
                     " steps");
}

/// Voltages at which all currents balance.  Where those held are many V_0 apart they are raised bit by bit:
/// the Ohmic array would put all of a voltage across a device that in truth leaves most of it to its lines,
/// and its slope there, exp(V / V_0) times too large, would leave no digits for those of the lines.
std::vector<double> Solver::Impl::balanced(double largest, double apart, std::uint32_t& steps) {
  std::vector<double> v(static_cast<std::size_t>(unknowns), 0.0);
  const double strides = linear() ? 1 : std::ceil(apart / (stride * array.V_0));
  for (double k = 1; k < strides; ++k) {
    share = k / strides;
    balance(v, {largest, 0.1 * array.V_0}, steps);
  }
  share = 1;
  balance(v, {largest, 1e-13 * largest}, steps);
  return v;
}

Solution Solver::Impl::solution(const std::vector<double>& v) const {
  Solution s;
  const std::size_t n = array.conductance.size();
  s.into_rows.assign(array.rows, 0);
  s.out_of_columns.assign(array.columns, 0);
  for (std::size_t k = 0; k < n; ++k) {
    s.row_voltage.push_back(volts(row_nodes[k], v));
    s.column_voltage.push_back(volts(column_nodes[k], v));
    s.device_current.push_back(current(k, s.row_voltage[k] - s.column_voltage[k], linear()));
    s.into_rows[k / array.columns] += s.device_current[k];
    s.out_of_columns[k % array.columns] += s.device_current[k];
  }
  return s;
}

Solver::Solver(Crossbar array) : impl_(std::make_unique<Impl>(std::move(array))) { check(impl_->array); }
Solver::~Solver() = default;
Solver::Solver(Solver&&) noexcept = default;
Solver& Solver::operator=(Solver&&) noexcept = default;
const Crossbar& Solver::array() const { return impl_->array; }

Solution Solver::solve(const Terminals& at) {
  Impl& s = *impl_;
  if (at.rows.size() != s.array.rows || at.columns.size() != s.array.columns)
    throw CircuitError("a crossbar has a voltage for each row and each column");
  std::vector<bool> floats;
  double least = 0, most = 0;
  bool any = false;
  for (const auto* const lines : {&at.rows, &at.columns})
    for (const double V : *lines) {
      if (std::isinf(V)) throw CircuitError("a line cannot be held at an infinite voltage");
      floats.push_back(std::isnan(V));
      if (std::isnan(V)) continue;
      least = any ? std::min(least, V) : V;
      most = any ? std::max(most, V) : V;
      any = true;
    }
  if ((most - least) / s.array.V_0 > most_over_V_0)
    throw CircuitError("voltages " + short_text((most - least) / s.array.V_0) +
                       " times V_0 apart are beyond what can be computed; at most " +
                       short_text(most_over_V_0) + " times can be");
  if (floats != s.floats) s.factored = false, s.system.forget();
  s.floats = std::move(floats);
  s.look_for_islands();
  s.number(at);
  std::uint32_t steps = 0;
  std::vector<double> v;
  if (s.unknowns > 0) v = s.balanced(std::max(std::fabs(least), std::fabs(most)), most - least, steps);
  Solution result = s.solution(v);
  result.steps = steps;
  return result;
}

std::vector<double> ideal(const Crossbar& a, const std::vector<double>& voltages) {
  std::vector<double> out(a.columns, 0.0);
  for (std::uint32_t i = 0; i < a.rows; ++i)
    for (std::uint32_t j = 0; j < a.columns; ++j)
      out[j] += voltages[i] * a.conductance[std::size_t{i} * a.columns + j];
  return out;
}

}  // namespace spinet::circuit
