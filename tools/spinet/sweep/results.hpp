// The results of a sweep: one row per run, in memory and in HDF5.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sweep/axis.hpp"

namespace spinet::tool {

/// What a run has come to.
struct Row {
  std::uint64_t run = 0;
  bool failed = false;
  bool until_met = false;
  std::string message;                                  ///< why it failed
  double reached = 0;                                   ///< model time, s
  double spikes = 0;                                    ///< of all neurons
  std::vector<std::pair<std::string, double>> metrics;  ///< last values, by column name
  std::vector<std::pair<std::string, double>> rates;    ///< Hz per neuron, by population
  std::vector<float> x, y;                              ///< learning curve
  double seconds = 0;  ///< wall time: the one thing that differs between repetitions
};

/// A sweep: what was asked for, and the rows there are, by run.
struct Sweep {
  // What makes it this sweep and no other.
  std::string version, network_text;
  std::vector<std::string> set;    ///< "path=value"
  std::vector<std::string> vary;   ///< as given
  std::vector<std::string> files;  ///< data files of all combinations, as "SHA-256  NAME"
  std::uint64_t trials = 1;
  std::uint32_t seed = 1;  ///< of trial 0

  std::string network_name, until;                ///< `until` empty: no stop condition
  std::vector<std::string> metrics, populations;  ///< columns
  std::string x_name, y_name;                     ///< of the curves; empty: none
  std::map<std::uint64_t, Row> rows;

  Plan plan() const;
  std::uint64_t runs() const { return plan().runs(); }
};

/// Columns that every sweep has, and what its report calls so.
const std::set<std::string>& fixed_columns();

/// "" or what is different.
std::string difference(const Sweep& a, const Sweep& b);

/// Writes the whole file anew beside the old one and puts it in its place: at any moment there is a whole
/// file. Throws std::runtime_error.
void write_sweep(const std::filesystem::path& path, const Sweep& sweep);
/// Is this an HDF5 file with a sweep's results (and no log)?
bool is_sweep(const std::filesystem::path& path);
/// Throws UserError where `path` is no file of a sweep.
Sweep read_sweep(const std::filesystem::path& path);

}  // namespace spinet::tool
