// fixed_total_number: n pairs in all.  They are split over the stretches of targets by a binary tree of
// draws; in a stretch, each is drawn evenly.
#include <fmt/format.h>

#include <unordered_set>

#include "connect/rule.hpp"
#include "network/reading.hpp"

namespace spinet {
namespace {

constexpr std::uint64_t most = std::uint64_t{1} << 53;

std::uint64_t number_of(const Projection& p) { return static_cast<std::uint64_t>(p.numbers[0]); }

class Drawer final : public EdgeDrawer {
 public:
  Drawer(const Ends& ends, const EdgeKeys& keys) : ends_(ends), keys_(keys) {
    const std::uint32_t stretches = (ends.targets + target_stretch - 1) / target_stretch;
    pairs_before_.assign(stretches + 1, 0);
    for (std::uint32_t r = 0; r < stretches; ++r) pairs_before_[r + 1] = pairs_before_[r] + pairs_in(r);
    number_of_stretch_.assign(stretches, 0);
    if (stretches) split(0, stretches, number_of(ends.projection), 1);
  }

  void draw(const TargetStretch& stretch, EdgeBatch& to) override {
    const bool autapses = ends_.projection.autapses, multapses = ends_.projection.multapses;
    WordStream words(keys_.first, stretch.number);
    std::unordered_set<std::uint64_t> taken;
    for (std::uint64_t k = 0; k < number_of_stretch_[stretch.number];) {
      const auto w = words.next();
      const auto again = [&](std::uint64_t which) { return (which << 32) + stretch.number; };
      const std::uint32_t s = below(ends_.sources, w[0], keys_.again, again(1), words.counter());
      const std::uint32_t t = below(stretch.count, w[1], keys_.again, again(2), words.counter());
      if (!autapses && ends_.source_gid(s) == ends_.target_gid(stretch.first + t)) continue;
      if (!multapses && !taken.insert(std::uint64_t{s} * target_stretch + t).second) continue;
      if (stretch.wanted[t]) to.add({s, t, w[2], w[3], 0});
      ++k;
    }
  }

 private:
  /// Pairs that are allowed in a stretch.
  std::uint64_t pairs_in(std::uint32_t stretch) const {
    const std::uint32_t first = stretch * target_stretch,
                        last = std::min(first + target_stretch, ends_.targets);
    std::uint64_t pairs = std::uint64_t{last - first} * ends_.sources;
    for (std::uint32_t t = first; !ends_.projection.autapses && t < last; ++t)
      for (const auto& s : ends_.projection.sources) pairs -= ends_.target_gid(t) - s.first < s.count;
    return pairs;
  }
  /// Splits `number` synapses over the stretches [first, last): one draw per inner node.
  void split(std::uint32_t first, std::uint32_t last, std::uint64_t number, std::uint64_t node) {
    if (last - first == 1) {
      number_of_stretch_[first] = number;
      return;
    }
    const std::uint32_t middle = first + (last - first) / 2;
    const std::uint64_t all = pairs_before_[last] - pairs_before_[first];
    const std::uint64_t left = pairs_before_[middle] - pairs_before_[first];
    const auto w = spinet::draw(keys_.split, node, 0);
    const double u = uniform01(w[0], w[1]), share = static_cast<double>(left) / static_cast<double>(all);
    const std::uint64_t to_left =
        ends_.projection.multapses ? binomial(number, share, u) : hypergeometric(all, left, number, u);
    split(first, middle, to_left, 2 * node);
    split(middle, last, number - to_left, 2 * node + 1);
  }

  const Ends ends_;
  const EdgeKeys keys_;
  std::vector<std::uint64_t> pairs_before_;       ///< allowed ones, in the stretches before
  std::vector<std::uint64_t> number_of_stretch_;  ///< synapses
};

class FixedTotalNumber final : public ConnectionRule {
 public:
  FixedTotalNumber() : ConnectionRule({"fixed_total_number", "integer", "pairs drawn in all", true, true}) {}
  bool read(reading::Reader& r, const Node& value, Projection& p) const override {
    const auto n = r.integer(value, "fixed_total_number", 0, most);
    p.numbers = {static_cast<double>(n.value_or(0))};
    return n.has_value();
  }
  std::string label(const Projection& p) const override { return fmt::format("{} in all", number_of(p)); }
  Refusal refusal(const Ends& e) const override {
    const double pairs = e.pairs();
    const std::uint64_t n = number_of(e.projection);
    if (n > 0 && pairs <= 0) return {"fixed_total_number: there is no pair to draw", ""};
    if (!e.projection.multapses && static_cast<double>(n) > pairs)
      return {fmt::format("fixed_total_number: {} different pairs cannot be drawn from {}", n, pairs),
              "allow multapses, or draw fewer"};
    return {};
  }
  double count(const Ends& e) const override { return e.projection.numbers[0]; }
  std::unique_ptr<EdgeDrawer> drawer(const Ends& e, const EdgeKeys& k) const override {
    return std::make_unique<Drawer>(e, k);
  }
};

}  // namespace

const ConnectionRule& fixed_total_number_rule() {
  static const FixedTotalNumber rule;
  return rule;
}

}  // namespace spinet
