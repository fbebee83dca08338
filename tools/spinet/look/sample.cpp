#include "look/sample.hpp"

#include <algorithm>
#include <cmath>

namespace spinet::look {
namespace {

constexpr std::uint64_t most_rows = 1 << 16;

void append(std::string& out, std::uint64_t n) {
  for (; n >= 0x80; n >>= 7) out += static_cast<char>(0x80 | (n & 0x7f));
  out += static_cast<char>(n);
}

std::vector<std::uint64_t> evenly(std::uint64_t size, std::uint64_t rows) {
  const EvenSample sample(size, rows);
  std::vector<std::uint64_t> nodes(rows);
  for (std::uint64_t k = 0; k < rows; ++k) nodes[k] = sample.node(k);
  return nodes;
}

/// Samples have a power of two of rows (or the whole population): every second row of one makes the next
/// smaller one.
std::uint64_t power_of_two(double at_most) {
  std::uint64_t p = 1;
  while (static_cast<double>(2 * p) <= at_most && 2 * p <= most_rows) p *= 2;
  return at_most < 1 ? 0 : p;
}

}  // namespace

PointSample::PointSample(std::uint64_t size, std::uint64_t expected, std::uint64_t room)
    : size_(size), room_(room) {
  if (expected <= room && size <= most_rows) nodes_ = evenly(size, size);
  else
    nodes_ = evenly(
        size,
        std::max<std::uint64_t>(
            1, power_of_two(static_cast<double>(size) *
                            std::min(0.999, static_cast<double>(room) /
                                                static_cast<double>(std::max<std::uint64_t>(expected, 1))))));
}

void PointSample::add(const SpikePiece& piece) {
  if (nodes_.empty()) return;
  for (std::size_t i = 0; i < piece.ticks.size(); ++i) {
    const auto node = piece.nodes[i];
    const auto row = EvenSample(size_, rows()).row(node);
    if (nodes_[row] != node) continue;
    points_.push_back({piece.ticks[i], static_cast<std::uint32_t>(row)});
    if (points_.size() > room_) thin();
    if (nodes_.empty()) return;
  }
}

void PointSample::thin() {
  const bool from_all = whole();
  const auto fewer =
      rows() <= 1 ? std::uint64_t{0} : power_of_two(static_cast<double>(rows()) * (from_all ? 0.999 : 0.5));
  std::vector<std::uint64_t> kept;
  std::vector<std::uint32_t> new_row(rows(), ~std::uint32_t{0});
  if (from_all) {
    kept = evenly(size_, fewer);
    for (std::uint32_t k = 0; k < kept.size(); ++k) new_row[kept[k]] = k;
  } else {
    for (std::uint32_t k = 0; k < fewer; ++k) kept.push_back(nodes_[2 * k]), new_row[2 * k] = k;
  }
  nodes_ = std::move(kept);
  std::erase_if(points_, [&](const Point& p) { return new_row[p.row] == ~std::uint32_t{0}; });
  for (auto& p : points_) p.row = new_row[p.row];
}

std::string PointSample::encoded() const {
  std::string out;
  Tick last = 0;
  for (const auto& p : points_) {
    append(out, static_cast<std::uint64_t>(p.tick - last));
    append(out, p.row);
    last = p.tick;
  }
  return out;
}

std::vector<std::uint64_t> share(const std::vector<std::uint64_t>& spikes, std::uint64_t room) {
  std::vector<std::uint64_t> shares(spikes.size());
  std::vector<bool> settled(spikes.size());
  auto left = static_cast<double>(room);
  for (bool again = true; again;) {
    again = false;
    double weights = 0;
    for (std::size_t i = 0; i < spikes.size(); ++i)
      if (!settled[i]) weights += std::sqrt(static_cast<double>(spikes[i]));
    const double unit = weights > 0 ? left / weights : 0;
    for (std::size_t i = 0; i < spikes.size(); ++i) {
      if (settled[i]) continue;
      const double mine = unit * std::sqrt(static_cast<double>(spikes[i]));
      if (static_cast<double>(spikes[i]) <= mine) {
        shares[i] = spikes[i];
        left -= static_cast<double>(spikes[i]);
        settled[i] = again = true;
      } else {
        shares[i] = static_cast<std::uint64_t>(mine);
      }
    }
  }
  return shares;
}

}  // namespace spinet::look
