// Parameters of a device from a measured table: least squares over what the protocol gives.
#pragma once
#include <string>
#include <vector>

#include "device/picture.hpp"
#include "device/record.hpp"

namespace spinet::tool {

/// A measured table: a row per reading, named by its number in the column `reading` or in their order from 0.
struct Measured {
  struct Column {
    std::uint32_t variable;
    bool logarithmic;            ///< residuals are of the logarithm, as the variable is shown
    std::vector<double> values;  ///< in the unit of the variable
  };
  std::vector<std::size_t> readings;
  std::vector<Column> columns;
  std::size_t count() const { return readings.size() * columns.size(); }
};
/// Reads a CSV file: a header of names of variables, each with its unit or without ("G [uS]"), then numbers.
/// Throws UserError, naming file and line.
Measured read_measured(const std::string& file, const SynapseTable& t, const View& view);

struct FitRequest {
  const SynapseTable* table;
  const Protocol* protocol;
  DeviceChoice choice;              ///< the start, and what is not free
  std::vector<std::string> free{};  ///< names of parameters
};
struct FittedParameter {
  std::uint32_t index = 0;
  bool acts = true;                     ///< do values around it change what was measured?
  double value = 0, low = 0, high = 0;  ///< 95 % interval; infinite where the table does not tell
  std::vector<std::uint32_t> partners;  ///< parameters that it is not told apart from
};
struct Fit {
  std::vector<FittedParameter> parameters;
  std::size_t points = 0;
  double rms = 0;         ///< of the residuals: of logarithms, or over the largest value of the column
  double resolution = 0;  ///< by how much they move where parameters hardly do: the packing of states
  double alike = 0;       ///< correlation of neighbours among them; of noise about 0
  /// Is it something else than noise that the model does not follow?
  bool misses() const { return points >= 10 && alike > 0.5 && rms > 5 * resolution && rms > 1e-6; }
};
/// Levenberg and Marquardt's method (MINPACK) from the given start and, since it may end beside the best,
/// from others around it.  Throws UserError: unknown parameters, more of them than points, no start.
Fit fit(const FitRequest& request, const Measured& measured);

}  // namespace spinet::tool
