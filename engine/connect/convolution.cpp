// convolution: kernels that slide over the rows and columns of channels; each weight is shared by all places.
#include <fmt/format.h>

#include "connect/window.hpp"
#include "network/reading.hpp"

namespace spinet {
namespace {

using reading::Key;
using sliding::shaped;
using sliding::window_of;

constexpr Key keys[] = {
    {"kernel", true, "rows_and_columns", "rows and columns of the kernel"},
    {"stride", false, "rows_and_columns", "from place to place (1)"},
    {"padding", false, "rows_and_columns", "rows and columns of zeros on each side (0)"},
    {"dilation", false, "rows_and_columns", "from one row of the kernel to the next (1)"},
    {"groups", false, "integer", "parts of the channels that are only connected within (1)"},
};

struct Geometry {
  layers::Window window;
  layers::Shape from, to;
  std::uint32_t channels;  ///< that a kernel sees
  explicit Geometry(const Ends& e)
      : window(window_of(e.projection)),
        from(*shaped(e.network, e.projection.sources)->shape),
        to(*shaped(e.network, e.projection.targets)->shape),
        channels(from.channels / window.groups) {}
  std::size_t of_kernel() const { return std::size_t{channels} * window.size[0] * window.size[1]; }
};

class Drawer final : public EdgeDrawer {
 public:
  Drawer(const Ends& ends, const EdgeKeys& keys) : ends_(ends), keys_(keys), geometry_(ends) {}
  void draw(const TargetStretch& stretch, EdgeBatch& to) override {
    const layers::Window& window = geometry_.window;
    const layers::Shape &from = geometry_.from, &target = geometry_.to;
    const std::uint32_t channels = geometry_.channels;
    const bool shared = !ends_.projection.shared_weights.empty();
    const std::uint32_t area = window.size[0] * window.size[1];
    for (std::uint32_t t = 0; t < stretch.count; ++t) {
      if (!stretch.wanted[t]) continue;
      const std::uint32_t i = stretch.first + t, place = i % static_cast<std::uint32_t>(target.area()),
                          channel = i / static_cast<std::uint32_t>(target.area()),
                          group = channel / (target.channels / window.groups);
      WordStream words(keys_.first, i);
      for (std::uint32_t c = 0; c < channels; ++c)
        sliding::each_covered(window, from, group * channels + c,
                              {place / target.width, place % target.width},
                              [&](std::uint32_t source, std::uint32_t k) {
                                const auto w = words.next();
                                const std::uint32_t number = (channel * channels + c) * area + k;
                                to.add({source, t, w[2], shared ? number : w[3], 0});
                              });
    }
  }

 private:
  const Ends ends_;
  const EdgeKeys keys_;
  const Geometry geometry_;
};

class Convolution final : public ConnectionRule {
 public:
  Convolution()
      : ConnectionRule({"convolution",
                        "convolution",
                        "kernels that slide over rows and columns",
                        false,
                        false,
                        {},
                        {},
                        keys}) {}
  bool read(reading::Reader& r, const Node& given, Projection& p) const override {
    const Node& n = r.resolved(given);
    layers::Window w;
    bool good = r.map(n, keys, "'convolution'", given.mark) && n.is_map();
    if (n.is_map()) {
      good = sliding::read_pair(r, n, {"kernel", 1}, w.size) && good;
      good = sliding::read_pair(r, n, {"stride", 1}, w.stride) && good;
      good = sliding::read_pair(r, n, {"padding", 0}, w.padding) && good;
      good = sliding::read_pair(r, n, {"dilation", 1}, w.dilation) && good;
      if (const Node* groups = n.find("groups")) {
        const auto g = r.integer(*groups, "groups", 1, 1u << 16);
        good = good && g;
        if (g) w.groups = static_cast<std::uint32_t>(*g);
      }
    }
    sliding::keep(w, p);
    return good;
  }
  std::string label(const Projection& p) const override {
    const auto w = window_of(p);
    return fmt::format("convolution {} x {}", w.size[0], w.size[1]);
  }
  Refusal refusal(const Ends& e) const override {
    if (auto fault = sliding::refusal(e, "convolution")) return fault;
    const Population &from = *shaped(e.network, e.projection.sources),
                     &to = *shaped(e.network, e.projection.targets);
    const std::uint32_t groups = window_of(e.projection).groups;
    if (from.shape->channels % groups || to.shape->channels % groups)
      return {fmt::format("{} groups do not divide the channels of '{}' (shape {}) and '{}' (shape {})",
                          groups, from.name, sliding::text(*from.shape), to.name, sliding::text(*to.shape)),
              ""};
    return {};
  }
  double count(const Ends& e) const override {
    const Geometry g(e);
    return double{1} * g.to.channels * g.channels *
           sliding::covered(g.window, 0, g.to.height, g.from.height) *
           sliding::covered(g.window, 1, g.to.width, g.from.width);
  }
  std::size_t weights(const Ends& e) const override {
    const Geometry g(e);
    return g.to.channels * g.of_kernel();
  }
  bool learns() const override { return true; }
  double fan_in(const Ends& e) const override { return static_cast<double>(Geometry(e).of_kernel()); }
  std::unique_ptr<EdgeDrawer> drawer(const Ends& e, const EdgeKeys& k) const override {
    return std::make_unique<Drawer>(e, k);
  }
};

}  // namespace

const ConnectionRule& convolution_rule() {
  static const Convolution rule;
  return rule;
}

}  // namespace spinet
