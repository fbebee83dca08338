// pool: a window that slides over the rows and columns of each channel; the average, the sum or the greatest.
#include <fmt/format.h>

#include <algorithm>

#include "connect/window.hpp"
#include "network/reading.hpp"
#include "network/suggest.hpp"

namespace spinet {
namespace {

using reading::Key;
using sliding::shaped;
using sliding::window_of;

constexpr Key keys[] = {
    {"kind", true, "pool_kind", "average, sum or max"},
    {"size", true, "rows_and_columns", "rows and columns of the window"},
    {"stride", false, "rows_and_columns", "from place to place (the size)"},
    {"padding", false, "rows_and_columns",
     "rows and columns on each side that count as 0, for max not at all (0)"},
};
constexpr std::size_t kind_at = 9;  // in Projection::numbers, behind the window
const std::vector<std::string>& kinds() {
  static const std::vector<std::string> all{"average", "sum", "max"};
  return all;
}

class Drawer final : public EdgeDrawer {
 public:
  Drawer(const Ends& ends, const EdgeKeys& keys)
      : ends_(ends),
        keys_(keys),
        window_(window_of(ends.projection)),
        from_(*shaped(ends.network, ends.projection.sources)->shape),
        to_(*shaped(ends.network, ends.projection.targets)->shape) {}
  void draw(const TargetStretch& stretch, EdgeBatch& to) override {
    const bool shared = !ends_.projection.shared_weights.empty();
    const auto area = static_cast<std::uint32_t>(to_.area());
    for (std::uint32_t t = 0; t < stretch.count; ++t) {
      if (!stretch.wanted[t]) continue;
      const std::uint32_t i = stretch.first + t, channel = i / area, place = i % area;
      WordStream words(keys_.first, i);
      sliding::each_covered(window_, from_, channel, {place / to_.width, place % to_.width},
                            [&](std::uint32_t source, std::uint32_t) {
                              const auto w = words.next();
                              to.add({source, t, w[2], shared ? channel : w[3], 0});
                            });
    }
  }

 private:
  const Ends ends_;
  const EdgeKeys keys_;
  const layers::Window window_;
  const layers::Shape from_, to_;
};

class Pool final : public ConnectionRule {
 public:
  Pool()
      : ConnectionRule({"pool",
                        "pool",
                        "the average, sum or greatest of a window that slides over each channel",
                        false,
                        false,
                        {},
                        {},
                        keys}) {}
  bool read(reading::Reader& r, const Node& given, Projection& p) const override;
  std::string label(const Projection& p) const override {
    const auto w = window_of(p);
    return fmt::format("{} pool {} x {}", kinds()[static_cast<std::size_t>(p.numbers[kind_at])], w.size[0],
                       w.size[1]);
  }
  Refusal refusal(const Ends& e) const override {
    if (auto fault = sliding::refusal(e, "pool")) return fault;
    const Population &from = *shaped(e.network, e.projection.sources),
                     &to = *shaped(e.network, e.projection.targets);
    if (from.shape->channels != to.shape->channels)
      return {fmt::format("a pool keeps the channels: '{}' has shape {}, '{}' {}", from.name,
                          sliding::text(*from.shape), to.name, sliding::text(*to.shape)),
              fmt::format("shape: [{}, {}, {}]", from.shape->channels, to.shape->height, to.shape->width)};
    const auto w = window_of(e.projection);
    if (w.padding[0] >= w.size[0] || w.padding[1] >= w.size[1])
      return {fmt::format("the padding of {} x {} is not smaller than the window of {} x {}", w.padding[0],
                          w.padding[1], w.size[0], w.size[1]),
              "some places would see nothing but padding"};
    return {};
  }
  double count(const Ends& e) const override {
    const auto w = window_of(e.projection);
    const layers::Shape &s = *shaped(e.network, e.projection.sources)->shape,
                        &t = *shaped(e.network, e.projection.targets)->shape;
    return t.channels * sliding::covered(w, 0, t.height, s.height) * sliding::covered(w, 1, t.width, s.width);
  }
  /// One a channel where what comes in is normalised.
  std::size_t weights(const Ends& e) const override {
    return e.projection.preparation.normalise ? shaped(e.network, e.projection.targets)->shape->channels : 0;
  }
  double share(const Projection& p) const override {
    const auto w = window_of(p);
    return p.numbers[kind_at] == 0 ? 1.0 / (double{1} * w.size[0] * w.size[1]) : 1.0;
  }
  bool greatest(const Projection& p) const override { return p.numbers[kind_at] == 2; }
  std::unique_ptr<EdgeDrawer> drawer(const Ends& e, const EdgeKeys& k) const override {
    return std::make_unique<Drawer>(e, k);
  }
};

bool Pool::read(reading::Reader& r, const Node& given, Projection& p) const {
  const Node& n = r.resolved(given);
  layers::Window w;
  bool good = r.map(n, keys, "'pool'", given.mark) && n.is_map();
  double kind = 0;
  if (n.is_map()) {
    good = sliding::read_pair(r, n, {"size", 1}, w.size) && good;
    std::copy_n(w.size, 2, w.stride);
    good = sliding::read_pair(r, n, {"stride", 1}, w.stride) && good;
    good = sliding::read_pair(r, n, {"padding", 0}, w.padding) && good;
    if (const Node* k = n.find("kind")) {
      const auto name = r.text(*k, "kind");
      const auto at = name ? std::find(kinds().begin(), kinds().end(), *name) : kinds().end();
      if (name && at == kinds().end())
        r.errors.error(k->mark, fmt::format("there is no pool of kind {}", in_quotes(*name)),
                       suggest(*name, kinds(), "kinds"));
      good = good && at != kinds().end();
      if (at != kinds().end()) kind = static_cast<double>(at - kinds().begin());
    }
  }
  sliding::keep(w, p);
  p.numbers.push_back(kind);
  return good;
}

}  // namespace

const ConnectionRule& pool_rule() {
  static const Pool rule;
  return rule;
}

}  // namespace spinet
