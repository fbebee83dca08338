// pairwise_bernoulli: each pair with one probability.
#include <fmt/format.h>

#include "connect/rule.hpp"
#include "network/reading.hpp"
#include "spinet/math.hpp"

namespace spinet {
namespace {

double probability_of(const Projection& p) { return p.numbers[0]; }

class Drawer final : public EdgeDrawer {
 public:
  Drawer(const Ends& ends, const EdgeKeys& keys)
      : ends_(ends), keys_(keys), p_(probability_of(ends.projection)) {}
  void draw(const TargetStretch& stretch, EdgeBatch& to) override {
    if (p_ <= 0) return;
    const bool autapses = ends_.projection.autapses;
    const double scale = p_ < 1 ? 1 / math::log1p(-p_) : 0;
    for (std::uint32_t t = 0; t < stretch.count; ++t) {
      if (!stretch.wanted[t]) continue;
      const Gid self = autapses ? 0 : ends_.target_gid(stretch.first + t);
      WordStream words(keys_.first, stretch.first + t);
      std::uint64_t s = 0;
      for (;; ++s) {  // geometric gaps between successes
        const auto w = words.next();
        const double gap = math::log(uniform01(w[0], w[1])) * scale;
        if (gap >= static_cast<double>(ends_.sources)) break;
        s += static_cast<std::uint64_t>(gap);
        if (s >= ends_.sources) break;
        if (!autapses && ends_.source_gid(static_cast<std::uint32_t>(s)) == self) continue;
        to.add({static_cast<std::uint32_t>(s), t, w[2], w[3], 0});
      }
    }
  }

 private:
  const Ends ends_;
  const EdgeKeys keys_;
  const double p_;
};

class PairwiseBernoulli final : public ConnectionRule {
 public:
  PairwiseBernoulli() : ConnectionRule({"pairwise_bernoulli", "number", "probability of each pair"}) {}
  bool read(reading::Reader& r, const Node& value, Projection& p) const override {
    const auto x = r.number(value, {"pairwise_bernoulli", "1", 0, 1});
    p.numbers = {x.value_or(0)};
    return x.has_value();
  }
  std::string label(const Projection& p) const override { return fmt::format("p = {}", probability_of(p)); }
  Refusal refusal(const Ends& e) const override {
    const double p = probability_of(e.projection);
    if (p >= 0 && p <= 1) return {};
    return {fmt::format("pairwise_bernoulli: {} is no probability", p), ""};
  }
  double count(const Ends& e) const override { return probability_of(e.projection) * e.pairs(); }
  std::unique_ptr<EdgeDrawer> drawer(const Ends& e, const EdgeKeys& k) const override {
    return std::make_unique<Drawer>(e, k);
  }
};

}  // namespace

const ConnectionRule& pairwise_bernoulli_rule() {
  static const PairwiseBernoulli rule;
  return rule;
}

}  // namespace spinet
