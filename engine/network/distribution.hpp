// Numbers that are drawn.
#pragma once
#include <cstdint>
#include <limits>
#include <vector>

namespace spinet {

/// A number drawn once per neuron or per synapse, in the unit of its field.
/// Bounds mean the conditional distribution (as if redrawn until inside), or clipping where `clip` is set.
struct Distribution {
  enum class Kind : std::uint8_t {
    constant,     ///< a
    uniform,      ///< [a, b)
    normal,       ///< mean a, standard deviation b
    exponential,  ///< mean a
    lognormal,    ///< exp(normal(a, b))
    listed,       ///< `values`, one per neuron
  };
  Kind kind = Kind::constant;
  double a = 0, b = 0;
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool clip = false;
  std::vector<double> values{};
  bool operator==(const Distribution&) const = default;
};

}  // namespace spinet
