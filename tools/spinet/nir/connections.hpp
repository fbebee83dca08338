// What lies between the populations of a graph: weights, delays and constants.
#pragma once
#include <cstdint>
#include <vector>

#include "nir/flat.hpp"

namespace spinet::nir {

/// A connection of element `from` of one population with element `to` of another.
struct Connection {
  std::uint32_t from, to;
  double weight;
  std::int64_t delay;  ///< of Delay nodes on the way [ns]
};

/// All that one population or Input sends to another one or Output.
struct Bundle {
  std::uint32_t source, target;  ///< vertices
  /// Sorted by source, then target; weights 0 are left out.
  std::vector<Connection> connections{};
  /// Element i is element i: nothing but wires, Flatten nodes and weights of 1 lie between.
  bool is_identity = false;
};

struct Connected {
  std::vector<Bundle> bundles;
  /// By vertex: the constant that each element of an end gets (of Affine and convolution nodes); empty: none.
  std::vector<std::vector<double>> constants;
};

/// Throws Fault for a circle without a population in it, and for more connections than memory should hold.
Connected connect(const std::vector<Vertex>& all);

}  // namespace spinet::nir
