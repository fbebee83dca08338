// A graph of the Neuromorphic Intermediate Representation (NIR) as its file has it, HDF5 in the layout of the
// package `nir`: /version; /node/{type, nodes/NAME/{type, fields}, edges[n, 2]}, graphs within graphs.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "log/h5.hpp"

namespace spinet::nir {

/// What is wrong with a graph, for people: names the node, not the file.
struct Fault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

using Shape = std::vector<std::uint64_t>;

/// "[16, 8, 8]"
std::string text_of(const Shape& shape);
/// Number of elements; 1 of a scalar.  Throws Fault where it is beyond 2^32.
std::uint64_t count_of(const Shape& shape);

/// A plain number as files store it.
enum class Number : std::uint8_t { f64, f32, i64, i32, i16, i8, u64, u32, u16, u8 };

struct Value {
  enum class Kind : std::uint8_t { numbers, text, nothing } kind = Kind::nothing;
  Number stored = Number::f64;
  Shape shape{};  ///< empty: a scalar
  std::vector<double> numbers{};
  std::string text{};
};

struct GraphNode {
  std::string name, type;
  std::map<std::string, Value> fields{};
  std::map<std::string, Value> metadata{};  ///< by path; nothing that has a meaning here
  bool has_metadata = false;
  std::vector<GraphNode> nodes{};  ///< of a graph
  std::vector<std::pair<std::string, std::string>> edges{};
  bool is_graph() const { return type == "NIRGraph"; }
  const Value* find(const std::string& field) const {
    const auto f = fields.find(field);
    return f == fields.end() || f->second.kind == Value::Kind::nothing ? nullptr : &f->second;
  }
};

struct GraphFile {
  std::string version;
  GraphNode graph;
};

/// Reads the graph below `at`, which has /version and /node.  Throws Fault and h5::Error.
GraphFile read_graph(hid_t at);
/// The same of a file.  Throws LogError, which names the file.
GraphFile read_graph(const std::filesystem::path& file);

void write_graph(hid_t at, const GraphFile& graph);

}  // namespace spinet::nir
