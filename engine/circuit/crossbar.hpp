// Voltages and currents of a crossbar by nodal analysis: line resistance, sneak paths, lines that are held
// and lines that float, devices whose current grows as sinh(V).  SI units.
#pragma once
#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <vector>

namespace spinet::circuit {

/// What cannot be solved, and why.
struct CircuitError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Rows end outside, in a terminal, before their first crossing, columns after their last.
struct Crossbar {
  std::uint32_t rows = 0, columns = 0;
  std::vector<double> conductance;  ///< of each device at small voltages, row by row [S]; 0: there is none
  /// Of a line from one crossing to the next, and from its terminal to the crossing beside it [Ohm].
  double row_resistance = 0, column_resistance = 0;
  /// V_0 of I = G V_0 sinh(V / V_0) [V]; infinite: I = G V.
  double V_0 = std::numeric_limits<double>::infinity();
};

/// The voltage of a terminal of which nothing holds any.
inline constexpr double floating = std::numeric_limits<double>::quiet_NaN();

/// Voltages that hold the terminals of all lines [V], or `floating`.  A virtual ground is 0.
struct Terminals {
  std::vector<double> rows, columns;
};

struct Solution {
  std::vector<double> row_voltage, column_voltage;  ///< at each crossing, row by row [V]
  std::vector<double> device_current;               ///< from row to column [A]
  std::vector<double> into_rows, out_of_columns;    ///< at the terminals [A]
  std::uint32_t steps = 0;                          ///< linear systems that were solved
};

/// Keeps the order of elimination from one solution to the next, and the factors of a linear array as long as
/// the same lines float.
class Solver {
 public:
  /// Throws CircuitError where sizes do not fit, or a number is none or negative.
  explicit Solver(Crossbar array);
  ~Solver();
  Solver(Solver&&) noexcept;
  Solver& operator=(Solver&&) noexcept;
  /// Throws CircuitError where a part of the array is held by no terminal, or the voltages are too large for
  /// V_0.
  Solution solve(const Terminals& at);
  const Crossbar& array() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The product of voltages and conductances: what the columns would deliver without line resistance, linear,
/// into virtual grounds [A].
std::vector<double> ideal(const Crossbar& array, const std::vector<double>& voltages);

}  // namespace spinet::circuit
