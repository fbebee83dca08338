// Spikes counted in bins of time, and of time and neurons.
#pragma once
#include <cstdint>
#include <vector>

#include "log/log_data.hpp"

namespace spinet::look {

/// Spikes of a population in equal bins of time.
class TimeBins {
 public:
  /// `ticks_per_bin` may be fractional; the last bin may be shorter than the others.
  TimeBins(double ticks_per_bin, std::size_t bins) : per_tick_(1 / ticks_per_bin), counts_(bins) {}
  void add(const SpikePiece& piece);
  const std::vector<std::uint64_t>& counts() const { return counts_; }

 private:
  double per_tick_;
  std::vector<std::uint64_t> counts_;
};

/// A population cut into rows of as equal size as can be, each with one neuron that stands for it.  Needs
/// rows <= size < 2^32.
class EvenSample {
 public:
  EvenSample(std::uint64_t size, std::uint64_t rows) : size_(size), rows_(rows) {}
  std::uint64_t rows() const { return rows_; }
  /// The row that a neuron falls into.
  std::uint64_t row(std::uint64_t node) const { return rows_ == size_ ? node : node * rows_ / size_; }
  /// The neuron in the middle of a row.
  std::uint64_t node(std::uint64_t row) const;

 private:
  std::uint64_t size_, rows_;
};

/// Spikes in cells of a window of time (columns) and of the population (rows).
class Density {
 public:
  struct Window {
    Tick from = 0, to = 1;
  };
  /// Whose spikes a row holds: of all neurons that fall into it, or of EvenSample::node alone.
  enum class RowOf { all, one };
  Density(Window window, std::size_t columns, EvenSample rows, RowOf row_of);
  void add(const SpikePiece& piece);
  std::size_t columns() const { return columns_; }
  std::size_t rows() const { return rows_.rows(); }
  const EvenSample& sample() const { return rows_; }
  std::uint32_t at(std::size_t row, std::size_t column) const { return cells_[row * columns_ + column]; }
  const std::vector<std::uint32_t>& cells() const { return cells_; }  ///< row after row

 private:
  Window window_;
  std::size_t columns_;
  EvenSample rows_;
  RowOf row_of_;
  double per_tick_;
  std::vector<std::uint32_t> cells_;
};

}  // namespace spinet::look
