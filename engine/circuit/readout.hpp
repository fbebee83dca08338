// What stands between a crossbar and numbers: converters, differences of columns, amplifiers that saturate.
// SI units.  Everything is off unless it is given.
#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "spinet/converter.hpp"

namespace spinet::circuit {

struct ReadOut {
  Converter dac;  ///< of the rows' voltages
  Converter adc;  ///< of each output's current
  /// The most that the amplifier at the input of a column's read-out takes up [A]; of more it shows this
  /// much.
  double current_limit = std::numeric_limits<double>::infinity();
  bool pairs = false;  ///< outputs are differences of columns 2k and 2k + 1: weights of either sign
  std::optional<std::uint32_t> reference{};  ///< the column that is subtracted from all others
};

/// The voltages that come out of the converters of the rows.
std::vector<double> inputs(const ReadOut& chain, const std::vector<double>& voltages);
/// The outputs, from the currents of all columns.  Throws CircuitError: a number of columns that makes no
/// pairs, a reference that does not exist.
std::vector<double> outputs(const ReadOut& chain, const std::vector<double>& currents);

}  // namespace spinet::circuit
