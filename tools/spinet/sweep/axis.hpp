// What a sweep varies: --vary PATH[,PATH...]=VALUES, and the runs that follow from it.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace spinet::tool {

/// One --vary: paths as --set takes them, all of which get the same value.
struct SweepAxis {
  std::vector<std::string> paths;
  std::vector<std::string> values;     ///< as --set takes them
  std::string unit;                    ///< of all values, where they are numbers with one unit
  bool numbers = false;                ///< all values are numbers, in `unit`
  std::string name() const;            ///< the paths, joined by commas
  double number(std::size_t i) const;  ///< of value i, where `numbers` is set
};

/// Throws UserError with what is wrong.
SweepAxis parse_axis(const std::string& given);
/// Refuses paths that are varied twice, or that a sweep sets itself.
void check_axes(const std::vector<SweepAxis>& axes);

/// Runs are numbered: the first axis changes slowest, trials fastest.
struct Plan {
  std::vector<SweepAxis> axes;
  std::uint64_t trials = 1;
  std::uint64_t combinations() const;
  std::uint64_t runs() const { return combinations() * trials; }
  /// Index of each axis' value in a combination.
  std::vector<std::size_t> values_of(std::uint64_t combination) const;
  /// What replaces the file's values.
  std::vector<std::pair<std::string, std::string>> overrides(std::uint64_t combination) const;
  /// "parameters.rate=0.4, parameters.rule=linear"
  std::string text(std::uint64_t combination) const;
};

/// Seed of trial k of every combination: trials of different combinations are paired.
inline std::uint32_t seed_of(std::uint32_t base, std::uint64_t trial) {
  return base + static_cast<std::uint32_t>(trial);
}

}  // namespace spinet::tool
