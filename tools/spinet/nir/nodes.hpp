// The kinds of nodes that are understood: what fields they have, and what shapes they make of shapes.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "nir/graph.hpp"

namespace spinet::nir {

enum class Kind : std::uint8_t {
  graph,
  input,
  output,
  linear,
  affine,
  scale,
  delay,
  conv1d,
  conv2d,
  sum_pool,
  average_pool,
  flatten,
  threshold,
  integrator,
  integrate_fire,
  leaky,
  leaky_fire,
  filtered_leaky,
  filtered_fire,
};

enum class Takes : std::uint8_t {
  element,  ///< a number for each element, or one for all
  weight,   ///< an array of weights
  bias,     ///< one for each row or channel of the weights
  whole,    ///< whole numbers, one or one a dimension
  padding,  ///< the same, or "same" or "valid"
  shape,    ///< whole numbers above 0
};

struct FieldOf {
  const char* name;
  Takes takes;
  bool required = true;
};

struct NodeType {
  Kind kind;
  const char* name;  ///< NIR's
  std::span<const FieldOf> fields;
};

/// Throws Fault for a type that is not known.
const NodeType& type_of(const GraphNode& n, const std::string& path);
/// Throws Fault for fields that are missing, unknown, or of a wrong kind or number of dimensions.
void check_fields(const GraphNode& n, const NodeType& type, const std::string& path);

/// Is it a population of neurons (or of units that answer), and not a map of signals?
constexpr bool is_neuron(Kind k) { return k >= Kind::threshold; }
/// Does it send a potential, which changes all the time?
constexpr bool is_continuous(Kind k) {
  return k == Kind::integrator || k == Kind::leaky || k == Kind::filtered_leaky;
}

/// A sliding window: rows and columns; of Conv1d rows of one.
struct Sliding {
  std::uint64_t size[2] = {1, 1}, stride[2] = {1, 1}, padding[2] = {0, 0}, dilation[2] = {1, 1};
  std::uint64_t groups = 1;
  std::uint64_t in[3] = {1, 1, 1}, out[3] = {1, 1, 1};  ///< channels, height, width
};

/// The shape that a node has by itself of what it sends; nothing where that depends on what it gets.
std::optional<Shape> own_shape(const GraphNode& n, Kind k);
/// The shape of what it gets, where the node itself tells.
std::optional<Shape> own_input(const GraphNode& n, Kind k);
/// The shape of what it sends.  Throws Fault, without the node's name, where `in` does not fit.
Shape shape_after(const GraphNode& n, Kind k, const Shape& in);
/// Of a convolution or pool that gets `in`.  Throws as above.
Sliding sliding(const GraphNode& n, Kind k, const Shape& in);

}  // namespace spinet::nir
