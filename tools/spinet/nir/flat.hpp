// A graph without graphs in it: every node with its neighbours and shapes.
#pragma once
#include "nir/nodes.hpp"

namespace spinet::nir {

struct Vertex {
  const GraphNode* node;
  std::string path;  ///< names of the graphs that it lies in and its own, joined by points
  Kind kind;
  bool outermost;                           ///< Input and Output of graphs within are but wires
  std::vector<std::uint32_t> from{}, to{};  ///< sorted
  Shape in{}, out{};
  std::uint64_t size() const { return count_of(out); }
  /// Is it a population, or a port of the whole graph?
  bool is_end() const {
    return is_neuron(kind) || (outermost && (kind == Kind::input || kind == Kind::output));
  }
};

/// Checks nodes, edges and shapes.  The graph must outlive it.  Throws Fault.
std::vector<Vertex> flatten(const GraphFile& file);

}  // namespace spinet::nir
