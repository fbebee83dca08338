#include "connect/window.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "network/lookup.hpp"
#include "network/reading.hpp"

namespace spinet::sliding {

std::string text(const layers::Shape& s) {
  if (s.height == 1 && s.width == 1) return fmt::format("{}", s.channels);
  return fmt::format("{} x {} x {}", s.channels, s.height, s.width);
}

const Population* shaped(const Network& n, const std::vector<GidRange>& ends) {
  if (ends.size() != 1) return nullptr;
  const Population& p = n.populations[population_of(n, ends[0].first)];
  return p.shape && p.first == ends[0].first && p.size == ends[0].count ? &p : nullptr;
}

std::string described(const Network& n, const std::vector<GidRange>& ends) {
  const Population& p = n.populations[population_of(n, ends[0].first)];
  std::uint64_t count = 0;
  bool all = true;  // of them lie in p
  for (const GidRange& r : ends) {
    count += r.count;
    all = all && r.first - p.first < p.size;
  }
  const auto size = p.shape ? fmt::format("shape {}", text(*p.shape)) : fmt::format("{} neurons", p.size);
  const auto name = fmt::format("'{}' ({}){}", p.name, size, all ? "" : " and others");
  return all && count == p.size ? name : fmt::format("{} neurons of {}", count, name);
}

bool read_pair(reading::Reader& r, const Node& map, const Pair& key, std::uint32_t (&to)[2]) {
  const Node* const given = map.find(key.name);
  if (!given) return true;
  const Node& n = r.resolved(*given);
  constexpr std::uint32_t most = 1u << 16;
  if (!n.is_list()) {
    const auto x = r.integer(n, key.name, key.least, most);
    if (x) to[0] = to[1] = static_cast<std::uint32_t>(*x);
    return x.has_value();
  }
  if (n.items.size() != 2) {
    r.errors.error(n.mark, fmt::format("'{}' lists {} numbers", key.name, n.items.size()),
                   fmt::format("one number, or rows and columns: {}: [3, 5]", key.name));
    return false;
  }
  bool good = true;
  for (std::size_t i = 0; i < 2; ++i) {
    const auto x = r.integer(n.items[i], key.name, key.least, most);
    good = good && x;
    if (x) to[i] = static_cast<std::uint32_t>(*x);
  }
  return good;
}

void keep(const layers::Window& w, Projection& p) {
  p.numbers.clear();
  for (const auto* pair : {w.size, w.stride, w.padding, w.dilation})
    p.numbers.insert(p.numbers.end(), pair, pair + 2);
  p.numbers.push_back(w.groups);
}

layers::Window window_of(const Projection& p) {
  layers::Window w;
  const double* from = p.numbers.data();
  for (auto* pair : {w.size, w.stride, w.padding, w.dilation})
    for (std::size_t i = 0; i < 2; ++i) pair[i] = static_cast<std::uint32_t>(*from++);
  w.groups = static_cast<std::uint32_t>(*from);
  return w;
}

namespace {
/// Rows from the first of the window to its last, both included.
std::uint64_t extent(const layers::Window& w, std::uint32_t axis) {
  return std::uint64_t{w.dilation[axis]} * (w.size[axis] - 1) + 1;
}
}  // namespace

std::uint32_t places(const layers::Window& w, std::uint32_t axis, std::uint32_t n) {
  const std::uint64_t padded = n + 2 * std::uint64_t{w.padding[axis]}, of_window = extent(w, axis);
  return padded < of_window ? 0 : static_cast<std::uint32_t>((padded - of_window) / w.stride[axis] + 1);
}

std::optional<std::uint32_t> under(const layers::Window& w, std::uint32_t axis, std::uint32_t at,
                                   std::uint32_t k, std::uint32_t n) {
  const std::uint64_t row = std::uint64_t{at} * w.stride[axis] + std::uint64_t{k} * w.dilation[axis];
  if (row < w.padding[axis] || row - w.padding[axis] >= n) return {};
  return static_cast<std::uint32_t>(row - w.padding[axis]);
}

double covered(const layers::Window& w, std::uint32_t axis, std::uint32_t of, std::uint32_t n) {
  // Row k lies on one of the n where 0 <= place * stride + k * dilation - padding < n.
  double sum = 0;
  const std::int64_t stride = w.stride[axis], padding = w.padding[axis];
  for (std::uint32_t k = 0; k < w.size[axis]; ++k) {
    const std::int64_t ahead = padding - std::int64_t{k} * w.dilation[axis];
    const std::int64_t first = ahead > 0 ? (ahead + stride - 1) / stride : 0;
    const std::int64_t last = std::int64_t{n} - 1 + ahead < 0 ? -1 : (std::int64_t{n} - 1 + ahead) / stride;
    sum += static_cast<double>(
        std::max<std::int64_t>(0, std::min<std::int64_t>(last, std::int64_t{of} - 1) - first + 1));
  }
  return sum;
}

Refusal refusal(const Ends& e, std::string_view rule) {
  for (const auto* ends : {&e.projection.sources, &e.projection.targets})
    if (!shaped(e.network, *ends)) {
      const Population& p = e.network.populations[population_of(e.network, ends->front().first)];
      const auto from = described(e.network, e.projection.sources),
                 to = described(e.network, e.projection.targets);
      if (p.shape)
        return {
            fmt::format("{} goes from one whole population to another, not from {} to {}", rule, from, to),
            ""};
      return {fmt::format("{} from {} to {} needs to know channels, rows and columns of '{}'", rule, from, to,
                          p.name),
              "in place of 'size': shape: [channels, height, width]"};
    }
  const Population &from = *shaped(e.network, e.projection.sources),
                   &to = *shaped(e.network, e.projection.targets);
  const layers::Window w = window_of(e.projection);
  const layers::Shape &s = *from.shape, &t = *to.shape;
  const std::uint32_t high = places(w, 0, s.height), wide = places(w, 1, s.width);
  if (high == 0 || wide == 0)
    return {fmt::format("a window of {} x {} is larger than its input: '{}' has shape {}, '{}' {}",
                        extent(w, 0), extent(w, 1), from.name, text(s), to.name, text(t)),
            "a smaller window, or 'padding'"};
  if (high != t.height || wide != t.width)
    return {fmt::format("{} of '{}' (shape {}) makes {} x {} in rows and columns, but '{}' has shape {}",
                        rule, from.name, text(s), high, wide, to.name, text(t)),
            fmt::format("shape: [{}, {}, {}]", t.channels, high, wide)};
  return {};
}

}  // namespace spinet::sliding
