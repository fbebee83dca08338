#include "network/graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/connected_components.hpp>
#include <boost/graph/graphviz.hpp>
#include <boost/graph/strong_components.hpp>
#include <cmath>
#include <set>
#include <sstream>

#include "connect/rule.hpp"
#include "connect/window.hpp"
#include "network/layer_numbers.hpp"
#include "network/numbers.hpp"

namespace spinet {
namespace {

struct Vertex {
  const Population* population = nullptr;
};
struct Connection {
  const Projection* projection = nullptr;
};
using Directed = boost::adjacency_list<boost::vecS, boost::vecS, boost::bidirectionalS, Vertex, Connection>;
using Undirected = boost::adjacency_list<boost::vecS, boost::vecS, boost::undirectedS>;

/// Indices of the populations that ranges lie in, each once, in file order.
std::set<std::uint32_t> populations_of(const Network& n, const std::vector<GidRange>& ranges) {
  std::set<std::uint32_t> found;
  for (const auto& r : ranges)
    found.insert(
        static_cast<std::uint32_t>(std::upper_bound(n.populations.begin(), n.populations.end(), r.first,
                                                    [](Gid g, const Population& p) { return g < p.first; }) -
                                   n.populations.begin() - 1));
  return found;
}

template <class Graph>
Graph build(const Network& n) {
  Graph g(n.populations.size());
  for (const auto& p : n.projections)
    for (const auto s : populations_of(n, p.sources))
      for (const auto t : populations_of(n, p.targets)) {
        const auto e = add_edge(s, t, g).first;
        if constexpr (std::is_same_v<Graph, Directed>) g[e].projection = &p;
      }
  if constexpr (std::is_same_v<Graph, Directed>)
    for (std::size_t i = 0; i < n.populations.size(); ++i) g[i].population = &n.populations[i];
  return g;
}

double to_ms(const Network& n, double ticks) { return ticks / n.ticks_per_ms(); }

bool inhibitory(const Projection& p) {
  if (p.listed_weights) return !p.edges.empty() && p.edges.front().weight < 0;
  if (p.state.empty() || !p.shared_weights.empty()) return false;
  const auto& w = p.state.front();
  return w.kind == Distribution::Kind::lognormal || w.kind == Distribution::Kind::exponential ? false
                                                                                              : w.a < 0;
}

}  // namespace

Tick shortest_delay(const Network& n, const Projection& p) {
  if (p.listed_delays) {
    Tick least = never;
    for (const auto& e : p.edges) least = std::min(least, e.delay);
    return least;
  }
  using Kind = Distribution::Kind;
  const double low =
      p.delay.kind == Kind::constant || p.delay.kind == Kind::uniform ? p.delay.a : p.delay.low;
  const double step = static_cast<double>(n.delay_resolution);
  return std::max(n.delay_resolution, static_cast<Tick>(std::floor(low / step + 0.5)) * n.delay_resolution);
}

Tick lookahead(const Network& n) {
  Tick least = never;
  for (const auto& p : n.projections)
    if (expected_synapses(n, p) > 0) least = std::min(least, shortest_delay(n, p));
  return least;
}

std::vector<std::uint32_t> components(const Network& n) {
  const auto g = build<Undirected>(n);
  std::vector<std::uint32_t> component(num_vertices(g));
  boost::connected_components(g, component.data());
  return component;
}

std::vector<bool> recurrent(const Network& n) {
  const auto g = build<Directed>(n);
  std::vector<std::uint32_t> component(num_vertices(g));
  const std::uint32_t count = static_cast<std::uint32_t>(boost::strong_components(
      g, boost::make_iterator_property_map(component.begin(), get(boost::vertex_index, g))));
  std::vector<std::uint32_t> size(count);
  for (const auto c : component) ++size[c];
  std::vector<bool> on_cycle(component.size());
  for (std::size_t i = 0; i < component.size(); ++i)
    on_cycle[i] = size[component[i]] > 1 || edge(i, i, g).second;
  return on_cycle;
}

std::string dot(const Network& n) {
  const auto g = build<Directed>(n);
  std::ostringstream out;
  const auto trained = [](const Trained& t) {
    return t.all() ? "\\n" + plural(t.all(), "parameter") : std::string();
  };
  const auto node = [&](std::ostream& o, auto v) {
    const Population& p = *g[v].population;
    o << "[label=\"" << p.name << "\\n"
      << (p.shape ? sliding::text(*p.shape) : std::to_string(p.size) + " x") << " " << p.model->name
      << trained(trained_of_population(n, static_cast<std::uint32_t>(v)))
      << "\", shape=" << (p.source() ? "box" : "ellipse") << "]";
  };
  const auto arrow = [&](std::ostream& o, auto e) {
    const Projection& p = *g[e].projection;
    const std::string delay =
        p.delay.kind == Distribution::Kind::constant && !p.listed_delays
            ? fmt::format("{} ms", to_ms(n, p.delay.a))
            : fmt::format("from {} ms", to_ms(n, static_cast<double>(shortest_delay(n, p))));
    o << "[label=\"" << p.name << "\\n"
      << p.synapse->model.name << ", " << p.rule->label(p) << "\\n"
      << delay << trained(trained_of_projection(n, static_cast<std::uint32_t>(&p - n.projections.data())))
      << "\", arrowhead=" << (inhibitory(p) ? "dot" : "normal") << "]";
  };
  const auto whole = [&](std::ostream& o) {
    o << "label=\"" << n.name << "\";\nnode [fontname=\"sans-serif\"]; edge [fontname=\"sans-serif\"];\n";
  };
  boost::write_graphviz(out, g, node, arrow, whole);
  return out.str();
}

}  // namespace spinet
