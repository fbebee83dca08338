// fixed_indegree: n sources drawn for each target.
#include <fmt/format.h>

#include "connect/rule.hpp"
#include "network/reading.hpp"

namespace spinet {
namespace {

std::uint64_t number_of(const Projection& p) { return static_cast<std::uint64_t>(p.numbers[0]); }

class Drawer final : public EdgeDrawer {
 public:
  Drawer(const Ends& ends, const EdgeKeys& keys)
      : ends_(ends), keys_(keys), number_(number_of(ends.projection)) {}
  void draw(const TargetStretch& stretch, EdgeBatch& to) override {
    // In registers, whatever the batch does.
    const bool autapses = ends_.projection.autapses, multapses = ends_.projection.multapses;
    const std::uint64_t number = number_;
    const std::uint32_t sources = ends_.sources;
    const RandomKey again = keys_.again;
    if (number == 0) return;
    std::vector<std::uint32_t> taken(multapses ? 0 : sources, 0xFFFFFFFFu);
    for (std::uint32_t t = 0; t < stretch.count; ++t) {
      if (!stretch.wanted[t]) continue;
      const std::uint32_t target = stretch.first + t;
      const Gid self = autapses ? 0 : ends_.target_gid(target);
      WordStream words(keys_.first, target);
      for (std::uint64_t k = 0; k < number;) {
        const auto w = words.next();
        const std::uint32_t s = below(sources, w[0], again, target, words.counter());
        if (!autapses && ends_.source_gid(s) == self) continue;
        if (!multapses) {
          if (taken[s] == t) continue;
          taken[s] = t;
        }
        to.add({s, t, w[2], w[3], 0});
        ++k;
      }
    }
  }

 private:
  const Ends ends_;
  const EdgeKeys keys_;
  const std::uint64_t number_;
};

class FixedIndegree final : public ConnectionRule {
 public:
  FixedIndegree()
      : ConnectionRule({"fixed_indegree", "integer", "sources drawn for each target", true, true}) {}
  bool read(reading::Reader& r, const Node& value, Projection& p) const override {
    const auto n = r.integer(value, "fixed_indegree", 0, 0xFFFFFFFFu);
    p.numbers = {static_cast<double>(n.value_or(0))};
    return n.has_value();
  }
  std::string label(const Projection& p) const override { return fmt::format("indegree {}", number_of(p)); }
  Refusal refusal(const Ends& e) const override {
    const bool self = !e.projection.autapses && e.common() > 0;
    const std::uint64_t n = number_of(e.projection),
                        eligible = e.sources - (self ? 1 : 0);  // of the worst-off target
    if (n > 0 && eligible == 0)
      return {"fixed_indegree: with 'autapses: false' the only source of a target is the target itself", ""};
    if (!e.projection.multapses && n > eligible)
      return {fmt::format("fixed_indegree: {} different sources cannot be drawn from {}", n, eligible),
              "allow multapses, or draw fewer"};
    return {};
  }
  double count(const Ends& e) const override { return e.projection.numbers[0] * e.targets; }
  std::unique_ptr<EdgeDrawer> drawer(const Ends& e, const EdgeKeys& k) const override {
    return std::make_unique<Drawer>(e, k);
  }
};

}  // namespace

const ConnectionRule& fixed_indegree_rule() {
  static const FixedIndegree rule;
  return rule;
}

}  // namespace spinet
