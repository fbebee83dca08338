// Parameters that a network may give a model: defaults, ends of ranges, and others between.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "bench/fences.hpp"
#include "dice.hpp"
#include "spinet/model.hpp"

namespace spinet {

struct ParameterSet {
  std::string name;  ///< for people: how it differs from the defaults
  std::vector<double> values;
  bool spreads = false;  ///< parameters that may be drawn are
  /// The model's struct.
  Fenced bytes(const Fields& fields, std::size_t size) const;
};

/// The defaults; each parameter at each closed end of its range and at each of a few whole numbers, the
/// others at their defaults; and some that are drawn.  What `check` refuses is left out.
std::vector<ParameterSet> parameter_sets(const Fields& fields, std::size_t size,
                                         const char* (*check)(const void*) noexcept, std::uint32_t seed);

/// The closed ends of a parameter's range, or all of a few whole numbers; not the default.
std::vector<double> special_values(const Field& field);

/// A value inside the range, not far from the default.
double drawn_in_range(const Field& field, Dice& dice);

}  // namespace spinet
