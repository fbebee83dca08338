// one_to_one: source i to target i.
#include <fmt/format.h>

#include "connect/rule.hpp"
#include "connect/window.hpp"

namespace spinet {
namespace {

class Drawer final : public EdgeDrawer {
 public:
  Drawer(const Ends& ends, const EdgeKeys& keys) : ends_(ends), keys_(keys) {}
  void draw(const TargetStretch& stretch, EdgeBatch& to) override {
    for (std::uint32_t t = 0; t < stretch.count; ++t) {
      const std::uint32_t i = stretch.first + t;
      if (!stretch.wanted[t] || (!ends_.projection.autapses && ends_.source_gid(i) == ends_.target_gid(i)))
        continue;
      const auto w = spinet::draw(keys_.first, i, 0);
      to.add({i, t, w[2], w[3], 0});
    }
  }

 private:
  const Ends ends_;
  const EdgeKeys keys_;
};

class OneToOne final : public ConnectionRule {
 public:
  OneToOne() : ConnectionRule({"one_to_one", "", "source i to target i; as many of each", false}) {}
  std::string label(const Projection&) const override { return "one to one"; }
  Refusal refusal(const Ends& e) const override {
    if (e.sources == e.targets) return {};
    return {fmt::format("one_to_one needs as many sources as targets, not from {} to {}",
                        sliding::described(e.network, e.projection.sources),
                        sliding::described(e.network, e.projection.targets)),
            ""};
  }
  double count(const Ends& e) const override {
    double n = e.targets;
    for (std::uint32_t i = 0; !e.projection.autapses && i < std::min(e.sources, e.targets); ++i)
      n -= e.source_gid(i) == e.target_gid(i);
    return n;
  }
  bool pairs_in_order() const override { return true; }
  void known(const Ends& e, const Pair& f) const override {
    for (std::uint32_t i = 0; i < e.targets; ++i)
      if (e.projection.autapses || e.source_gid(i) != e.target_gid(i)) f(i, i);
  }
  std::string absent(const Ends&, SynapseAddress a) const override {
    return a.source == a.target ? "" : "connects one to one";
  }
  std::unique_ptr<EdgeDrawer> drawer(const Ends& e, const EdgeKeys& k) const override {
    return std::make_unique<Drawer>(e, k);
  }
};

}  // namespace

const ConnectionRule& one_to_one_rule() {
  static const OneToOne rule;
  return rule;
}

}  // namespace spinet
