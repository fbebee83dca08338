// all_to_all: every pair.
#include "connect/rule.hpp"

namespace spinet {
namespace {

class Drawer final : public EdgeDrawer {
 public:
  Drawer(const Ends& ends, const EdgeKeys& keys) : ends_(ends), keys_(keys) {}
  void draw(const TargetStretch& stretch, EdgeBatch& to) override {
    const bool autapses = ends_.projection.autapses;
    for (std::uint32_t t = 0; t < stretch.count; ++t) {
      if (!stretch.wanted[t]) continue;
      const Gid self = autapses ? 0 : ends_.target_gid(stretch.first + t);
      WordStream words(keys_.first, stretch.first + t);
      for (std::uint32_t s = 0; s < ends_.sources; ++s) {
        const auto w = words.next();
        if (!autapses && ends_.source_gid(s) == self) continue;
        to.add({s, t, w[2], w[3], 0});
      }
    }
  }

 private:
  const Ends ends_;
  const EdgeKeys keys_;
};

class AllToAll final : public ConnectionRule {
 public:
  AllToAll() : ConnectionRule({"all_to_all", "", "every pair"}) {}
  std::string label(const Projection&) const override { return "all to all"; }
  double count(const Ends& e) const override { return e.pairs(); }
  std::string absent(const Ends& e, SynapseAddress a) const override {
    const bool self = !e.projection.autapses && e.source_gid(a.source) == e.target_gid(a.target);
    return self ? "has no autapses" : "";
  }
  std::unique_ptr<EdgeDrawer> drawer(const Ends& e, const EdgeKeys& k) const override {
    return std::make_unique<Drawer>(e, k);
  }
};

}  // namespace

const ConnectionRule& all_to_all_rule() {
  static const AllToAll rule;
  return rule;
}

}  // namespace spinet
