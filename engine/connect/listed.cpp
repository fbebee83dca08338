#include "connect/listed.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace spinet {
namespace {

/// The first edge of a target from `target` on, in a list sorted by target.
std::size_t begin_of(const std::vector<ListedEdge>& edges, std::uint64_t target) {
  const auto before = [&](const ListedEdge& e) { return e.target < target; };
  return static_cast<std::size_t>(std::partition_point(edges.begin(), edges.end(), before) - edges.begin());
}

class Drawer final : public EdgeDrawer {
 public:
  Drawer(const Ends& ends, const EdgeKeys& keys) : ends_(ends), keys_(keys) {}
  void draw(const TargetStretch& stretch, EdgeBatch& to) override {
    const Projection& p = ends_.projection;
    const std::size_t end = begin_of(p.edges, std::uint64_t{stretch.first} + stretch.count);
    for (std::size_t e = begin_of(p.edges, stretch.first); e < end; ++e) {
      const std::uint32_t s = p.edges[e].source, t = p.edges[e].target - stretch.first;
      if (!stretch.wanted[t] || (!p.autapses && ends_.source_gid(s) == ends_.target_gid(stretch.first + t)))
        continue;
      const auto w = spinet::draw(keys_.first, e, 0);
      to.add({s, t, w[2], p.weight_index.empty() ? w[3] : p.weight_index[e], static_cast<std::uint32_t>(e)});
    }
  }

 private:
  const Ends ends_;
  const EdgeKeys keys_;
};

}  // namespace

std::string ListedRule::label(const Projection& p) const { return fmt::format("{} listed", p.edges.size()); }

void ListedRule::known(const Ends& e, const Pair& f) const {
  for (const auto& edge : e.projection.edges) f(edge.source, edge.target);
}

std::string ListedRule::absent(const Ends& e, SynapseAddress a) const {
  const auto& edges = e.projection.edges;
  for (std::size_t i = begin_of(edges, a.target); i < edges.size() && edges[i].target == a.target; ++i)
    if (edges[i].source == a.source) return {};
  return "does not list it";
}

std::unique_ptr<EdgeDrawer> ListedRule::drawer(const Ends& e, const EdgeKeys& k) const {
  return std::make_unique<Drawer>(e, k);
}

}  // namespace spinet
