#include "nir/flat.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "network/suggest.hpp"

namespace spinet::nir {
namespace {

constexpr std::uint64_t most_elements = 1 << 24;  ///< of what a node gets or sends

class Flattening {
 public:
  std::vector<Vertex> all;

  /// Where what is sent to a node goes in, and where what it sends comes out.
  struct Gates {
    std::int64_t in = -1, out = -1;
  };

  Gates add(const GraphNode& graph, const std::string& prefix) {
    const auto path_of = [&](const std::string& name) { return prefix.empty() ? name : prefix + "." + name; };
    std::map<std::string, Gates> gates;
    Gates own;
    std::set<std::string> inputs, outputs;
    for (const auto& n : graph.nodes) {
      const auto path = path_of(n.name);
      const NodeType& type = type_of(n, path);
      check_fields(n, type, path);
      if (type.kind == Kind::graph) {
        gates[n.name] = add(n, path);
        continue;
      }
      const auto i = static_cast<std::int64_t>(all.size());
      all.push_back({&n, path, type.kind, prefix.empty()});
      gates[n.name] = {i, i};
      if (type.kind == Kind::input) inputs.insert(path), own.in = i;
      if (type.kind == Kind::output) outputs.insert(path), own.out = i;
    }
    if (!prefix.empty() && (inputs.size() > 1 || outputs.size() > 1))
      throw Fault(fmt::format("graph {} has {} inputs and {} outputs; one of each is understood",
                              in_quotes(prefix), inputs.size(), outputs.size()));
    connect(graph, gates, prefix);
    return own;
  }

 private:
  void connect(const GraphNode& graph, const std::map<std::string, Gates>& gates, const std::string& prefix) {
    const auto where = prefix.empty() ? "the graph" : "graph " + in_quotes(prefix);
    std::vector<std::string> names;
    for (const auto& [name, g] : gates) names.push_back(name);
    std::set<std::pair<std::string, std::string>> seen;
    for (const auto& edge : graph.edges) {
      const auto text =
          fmt::format("edge from {} to {} of {}", in_quotes(edge.first), in_quotes(edge.second), where);
      for (const auto& end : {edge.first, edge.second})
        if (!gates.count(end))
          throw Fault(
              fmt::format("{}: there is no node {}; {}", text, in_quotes(end), suggest(end, names, "nodes")));
      if (!seen.insert(edge).second) throw Fault(text + " is listed twice");
      const auto out = gates.at(edge.first).out, in = gates.at(edge.second).in;
      if (out < 0) throw Fault(fmt::format("{}: graph {} has no Output", text, in_quotes(edge.first)));
      if (in < 0) throw Fault(fmt::format("{}: graph {} has no Input", text, in_quotes(edge.second)));
      all[static_cast<std::size_t>(out)].to.push_back(static_cast<std::uint32_t>(in));
      all[static_cast<std::size_t>(in)].from.push_back(static_cast<std::uint32_t>(out));
    }
  }
};

/// Runs f, which does not know whose fault it is.
template <class F>
auto of(const Vertex& v, F&& f) {
  try {
    return f();
  } catch (const Fault& e) {
    throw Fault(fmt::format("node {} ({}): {}", in_quotes(v.path), v.node->type, e.what()));
  }
}

void infer_shapes(std::vector<Vertex>& all) {
  for (auto& v : all) {
    of(v, [&] {
      v.in = own_input(*v.node, v.kind).value_or(Shape{});
      v.out = own_shape(*v.node, v.kind).value_or(Shape{});
      if (v.out.empty() && !v.in.empty()) v.out = shape_after(*v.node, v.kind, v.in);
      return 0;
    });
  }
  for (bool changed = true; std::exchange(changed, false);)
    for (auto& v : all) {
      if (!v.out.empty()) continue;
      for (const auto p : v.from)
        if (v.in.empty()) v.in = all[p].out;
      if (v.in.empty()) continue;
      v.out = of(v, [&] { return shape_after(*v.node, v.kind, v.in); });
      changed = true;
    }
}

void check_shapes(const std::vector<Vertex>& all) {
  for (const auto& v : all) {
    if (v.out.empty())
      throw Fault(
          fmt::format("node {} ({}): its shape cannot be told: its fields are single numbers, and nothing "
                      "of a known shape comes in",
                      in_quotes(v.path), v.node->type));
    if (of(v, [&] { return std::max(count_of(v.in), count_of(v.out)); }) > most_elements)
      throw Fault(fmt::format("node {} ({}) has more than {} elements", in_quotes(v.path), v.node->type,
                              most_elements));
    for (const auto p : v.from)
      if (count_of(all[p].out) != of(v, [&] { return count_of(v.in); }))
        throw Fault(fmt::format("node {} ({}) sends the shape {}, and {} ({}) takes {}",
                                in_quotes(all[p].path), all[p].node->type, text_of(all[p].out),
                                in_quotes(v.path), v.node->type, text_of(v.in)));
    if (v.outermost && v.kind == Kind::input && !v.from.empty())
      throw Fault(fmt::format("node {} is an Input, and gets something from {}", in_quotes(v.path),
                              in_quotes(all[v.from[0]].path)));
    if (v.outermost && v.kind == Kind::output && !v.to.empty())
      throw Fault(fmt::format("node {} is an Output, and sends something to {}", in_quotes(v.path),
                              in_quotes(all[v.to[0]].path)));
  }
}

}  // namespace

std::vector<Vertex> flatten(const GraphFile& file) {
  Flattening f;
  f.add(file.graph, "");
  for (auto& v : f.all) {
    std::sort(v.from.begin(), v.from.end());
    std::sort(v.to.begin(), v.to.end());
  }
  infer_shapes(f.all);
  check_shapes(f.all);
  return std::move(f.all);
}

}  // namespace spinet::nir
