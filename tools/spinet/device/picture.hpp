// A record as a picture, as a page and as an HDF5 file.
#pragma once
#include <hdf5.h>

#include <map>
#include <string>
#include <vector>

#include "device/record.hpp"

namespace spinet::tool {

/// What is shown of a record, and how.
struct View {
  std::vector<std::uint32_t> variables;     ///< indices; `current` stands for the current
  std::string against;                      ///< "step", "time", or the name of what changes; empty: chosen
  std::map<std::string, bool> logarithmic;  ///< by name of a variable, or "x"; absent: chosen
  static constexpr std::uint32_t current = ~0u;
};
/// Reads the texts of --variable, --against and --axis; throws UserError.
View read_view(const SynapseTable& t, const std::vector<std::string>& variables, const std::string& against,
               const std::vector<std::string>& axes);
/// Is this variable shown, and fitted, by its logarithm?
bool is_logarithmic(const View& v, const std::string& name, const std::vector<double>& values);

/// "G", "I"
std::string name_of(const SynapseTable& t, std::uint32_t variable);
/// " uS"; empty for a plain number and for the unit of a port.
std::string unit_suffix(const SynapseTable& t, std::uint32_t variable);
/// Over devices at each reading; the current is the voltage of a step times G after it [uA], 0 elsewhere.
std::vector<double> series_of(const Record& r, std::uint32_t variable, double quantile);
/// Does the model have what a current is made of: the variable G, a conductance, and a voltage?
bool has_current(const SynapseTable& t);

std::string svg_of(const Record& r, const View& v, const std::string& title);
/// One file, without scripts and without the network: the picture, what was printed, parameters, readings.
std::string html_of(const Record& r, const View& v, const std::string& title, const std::string& printed);
/// `attributes`: texts of the command line, by name.
void write_record(hid_t out, const Record& r, const std::vector<DrawnValues>& drawn,
                  const std::map<std::string, std::string>& attributes);

}  // namespace spinet::tool
