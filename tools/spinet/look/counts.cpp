#include "look/counts.hpp"

#include <algorithm>

namespace spinet::look {

void TimeBins::add(const SpikePiece& piece) {
  const auto last = counts_.size() - 1;
  for (const Tick t : piece.ticks)
    ++counts_[std::min(static_cast<std::size_t>(static_cast<double>(t) * per_tick_), last)];
}

std::uint64_t EvenSample::node(std::uint64_t row) const {
  if (rows_ == size_) return row;
  const auto first = [&](std::uint64_t r) { return (r * size_ + rows_ - 1) / rows_; };
  return first(row) + (first(row + 1) - first(row) - 1) / 2;
}

Density::Density(Window window, std::size_t columns, EvenSample rows, RowOf row_of)
    : window_(window),
      columns_(columns),
      rows_(rows),
      row_of_(row_of),
      per_tick_(static_cast<double>(columns) /
                std::max(1.0, static_cast<double>(window.to) - static_cast<double>(window.from))),
      cells_(columns * rows.rows()) {}

void Density::add(const SpikePiece& piece) {
  if (cells_.empty()) return;
  const auto last = columns_ - 1;
  std::vector<std::uint64_t> nodes(row_of_ == RowOf::one ? rows() : 0);
  for (std::size_t r = 0; r < nodes.size(); ++r) nodes[r] = rows_.node(r);
  for (std::size_t i = 0; i < piece.ticks.size(); ++i) {
    const Tick t = piece.ticks[i];
    if (t < window_.from || t >= window_.to) continue;
    const auto row = rows_.row(piece.nodes[i]);
    if (row_of_ == RowOf::one && nodes[row] != piece.nodes[i]) continue;
    ++cells_[row * columns_ +
             std::min(static_cast<std::size_t>(static_cast<double>(t - window_.from) * per_tick_), last)];
  }
}

}  // namespace spinet::look
