// dense: every pair, with a weight of its own that training may change.
#include <fmt/format.h>

#include <limits>

#include "connect/rule.hpp"
#include "connect/window.hpp"

namespace spinet {
namespace {

class Drawer final : public EdgeDrawer {
 public:
  Drawer(const Ends& ends, const EdgeKeys& keys) : ends_(ends), keys_(keys) {}
  void draw(const TargetStretch& stretch, EdgeBatch& to) override {
    const bool numbered = !ends_.projection.shared_weights.empty();
    for (std::uint32_t t = 0; t < stretch.count; ++t) {
      if (!stretch.wanted[t]) continue;
      WordStream words(keys_.first, stretch.first + t);
      for (std::uint32_t s = 0; s < ends_.sources; ++s) {
        const auto w = words.next();
        to.add({s, t, w[2], numbered ? (stretch.first + t) * ends_.sources + s : w[3], 0});
      }
    }
  }

 private:
  const Ends ends_;
  const EdgeKeys keys_;
};

class Dense final : public ConnectionRule {
 public:
  Dense() : ConnectionRule({"dense", "", "every pair, with weights that training changes"}) {}
  std::string label(const Projection&) const override { return "dense"; }
  double count(const Ends& e) const override { return e.pairs(); }
  Refusal refusal(const Ends& e) const override {
    if (std::uint64_t{e.sources} * e.targets <= std::numeric_limits<std::uint32_t>::max()) return {};
    return {fmt::format("dense from {} to {} has more than 4294967295 weights",
                        sliding::described(e.network, e.projection.sources),
                        sliding::described(e.network, e.projection.targets)),
            "all_to_all, whose weights are not trained"};
  }
  std::size_t weights(const Ends& e) const override { return std::size_t{e.sources} * e.targets; }
  bool learns() const override { return true; }
  std::unique_ptr<EdgeDrawer> drawer(const Ends& e, const EdgeKeys& k) const override {
    return std::make_unique<Drawer>(e, k);
  }
};

}  // namespace

const ConnectionRule& dense_rule() {
  static const Dense rule;
  return rule;
}

}  // namespace spinet
