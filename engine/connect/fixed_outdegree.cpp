// fixed_outdegree: n targets drawn for each source.  A source's synapses are split over the stretches of
// targets by a tree of binomial (or hypergeometric) draws keyed by (node, source); in a stretch, targets are
// drawn evenly.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "connect/rule.hpp"
#include "network/reading.hpp"

namespace spinet {
namespace {

constexpr std::uint64_t most_kept_counts = std::uint64_t{8} << 20;  // 32 MB

std::uint64_t number_of(const Projection& p) { return static_cast<std::uint64_t>(p.numbers[0]); }

class Drawer final : public EdgeDrawer {
 public:
  Drawer(const Ends& ends, const EdgeKeys& keys)
      : ends_(ends),
        keys_(keys),
        number_(number_of(ends.projection)),
        stretches_((ends.targets + target_stretch - 1) / target_stretch) {}

  void draw(const TargetStretch& stretch, EdgeBatch& to) override {
    if (number_ == 0) return;
    const bool autapses = ends_.projection.autapses, multapses = ends_.projection.multapses;
    const auto& counts = outgoing(stretch.number);
    WordStream words(keys_.first, stretch.number);
    std::uint32_t taken[target_stretch];  // 1 + the source that took the target
    std::fill(std::begin(taken), std::end(taken), 0);
    for (std::uint32_t s = 0; s < ends_.sources; ++s) {
      if (!counts[s]) continue;
      const std::uint32_t self = autapses ? ends_.targets : ends_.target_index(ends_.source_gid(s));
      const bool here = self >= stretch.first && self < stretch.first + stretch.count;
      const std::uint32_t eligible = stretch.count - here;
      for (std::uint32_t k = 0; k < counts[s]; ++k) {
        const auto w = words.next();
        // Without multapses: Floyd's sampling, one word per target (J. Bentley, R. Floyd, "A sample of
        // brilliance", 1987).
        const std::uint32_t range = multapses ? eligible : eligible - counts[s] + k + 1;
        std::uint32_t t =
            below(range, w[0], keys_.again, (std::uint64_t{3} << 32) + stretch.number, words.counter());
        if (!multapses) {
          if (taken[t] == s + 1) t = range - 1;
          taken[t] = s + 1;
        }
        if (here && t >= self - stretch.first) ++t;
        if (stretch.wanted[t]) to.add({s, t, w[2], w[3], 0});
      }
    }
  }

 private:
  /// A node of the tree of stretches, with the number of synapses that every source has there.
  struct Node {
    std::uint32_t first, last;
    std::uint64_t number;  ///< of the node, 1 at the root
    std::vector<std::uint32_t> counts;
    bool holds(std::uint32_t stretch) const { return first <= stretch && stretch < last; }
  };

  /// How many synapses of each source end in `stretch`.
  const std::vector<std::uint32_t>& outgoing(std::uint32_t stretch) {
    // Edges are drawn at least twice, the tree need not be.
    const bool keep = std::uint64_t{ends_.sources} * stretches_ <= most_kept_counts;
    if (keep) {
      kept_.resize(stretches_);
      if (!kept_[stretch].empty()) return kept_[stretch];
    }
    leave(stretch);
    if (path_.empty())
      path_.push_back(
          {0, stretches_, 1, std::vector<std::uint32_t>(ends_.sources, static_cast<std::uint32_t>(number_))});
    while (path_.back().last - path_.back().first > 1) path_.push_back(half(path_.back(), stretch));
    if (keep) return kept_[stretch] = path_.back().counts;
    return path_.back().counts;
  }
  /// Goes up to a node that holds `stretch`.  A right half that comes next is what the left one has left
  /// over.
  void leave(std::uint32_t stretch) {
    while (!path_.empty() && !path_.back().holds(stretch)) {
      Node done = std::move(path_.back());
      path_.pop_back();
      if (path_.empty()) break;
      const Node& parent = path_.back();
      if (!parent.holds(stretch) || done.first != parent.first || stretch < done.last) continue;
      for (std::uint32_t s = 0; s < ends_.sources; ++s) done.counts[s] = parent.counts[s] - done.counts[s];
      path_.push_back({done.last, parent.last, 2 * parent.number + 1, std::move(done.counts)});
    }
  }
  /// The half of `n` that holds `stretch`.
  Node half(const Node& n, std::uint32_t stretch) const {
    const auto& p = ends_.projection;
    const std::uint32_t middle = n.first + (n.last - n.first) / 2;
    const std::uint32_t begin = n.first * target_stretch, cut = middle * target_stretch;
    const std::uint32_t end = std::min(n.last * target_stretch, ends_.targets);
    const bool left = stretch < middle;
    Node next{left ? n.first : middle, left ? middle : n.last, 2 * n.number + (left ? 0 : 1),
              std::vector<std::uint32_t>(ends_.sources)};
    for (std::uint32_t s = 0; s < ends_.sources; ++s) {
      if (!n.counts[s]) continue;
      const std::uint32_t self = p.autapses ? ends_.targets : ends_.target_index(ends_.source_gid(s));
      const std::uint64_t all = end - begin - (self >= begin && self < end);
      const std::uint64_t here = cut - begin - (self >= begin && self < cut);
      const auto w = spinet::draw(keys_.split, (n.number << 32) | s, 0);
      const double u = uniform01(w[0], w[1]), share = static_cast<double>(here) / static_cast<double>(all);
      const auto to_left = static_cast<std::uint32_t>(
          p.multapses ? binomial(n.counts[s], share, u) : hypergeometric(all, here, n.counts[s], u));
      next.counts[s] = left ? to_left : n.counts[s] - to_left;
    }
    return next;
  }

  const Ends ends_;
  const EdgeKeys keys_;
  const std::uint64_t number_;
  const std::uint32_t stretches_;
  /// From the root to the stretch asked for last.  Stretches are asked for in order, so a node is drawn once
  /// or twice.
  std::vector<Node> path_;
  /// Counts of the stretches asked for so far, where all together are few.
  std::vector<std::vector<std::uint32_t>> kept_;
};

class FixedOutdegree final : public ConnectionRule {
 public:
  FixedOutdegree()
      : ConnectionRule({"fixed_outdegree", "integer", "targets drawn for each source", true, true}) {}
  bool read(reading::Reader& r, const spinet::Node& value, Projection& p) const override {
    const auto n = r.integer(value, "fixed_outdegree", 0, 0xFFFFFFFFu);
    p.numbers = {static_cast<double>(n.value_or(0))};
    return n.has_value();
  }
  std::string label(const Projection& p) const override { return fmt::format("outdegree {}", number_of(p)); }
  Refusal refusal(const Ends& e) const override {
    const bool self = !e.projection.autapses && e.common() > 0;
    const std::uint64_t n = number_of(e.projection),
                        eligible = e.targets - (self ? 1 : 0);  // of the worst-off source
    if (n > 0 && eligible == 0)
      return {"fixed_outdegree: with 'autapses: false' the only target of a source is the source itself", ""};
    if (!e.projection.multapses && n > eligible)
      return {fmt::format("fixed_outdegree: {} different targets cannot be drawn from {}", n, eligible),
              "allow multapses, or draw fewer"};
    return {};
  }
  double count(const Ends& e) const override { return e.projection.numbers[0] * e.sources; }
  /// Counts of every source in each level of the tree, and in the stretches if they are few.
  double bytes(const Ends& e) const override {
    const double sources = e.sources,
                 stretches = std::max(1.0, static_cast<double>(e.targets) / target_stretch);
    const double kept = sources * stretches <= most_kept_counts ? sources * stretches : 0;
    return sizeof(std::uint32_t) * (sources * (2 + std::log2(stretches)) + kept);
  }
  std::unique_ptr<EdgeDrawer> drawer(const Ends& e, const EdgeKeys& k) const override {
    return std::make_unique<Drawer>(e, k);
  }
};

}  // namespace

const ConnectionRule& fixed_outdegree_rule() {
  static const FixedOutdegree rule;
  return rule;
}

}  // namespace spinet
