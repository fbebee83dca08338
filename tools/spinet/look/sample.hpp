// Spikes kept one by one: all of a population, or all of evenly spaced neurons of it.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "log/log_data.hpp"
#include "look/counts.hpp"

namespace spinet::look {

/// Keeps every spike of a neuron or none, so that intervals can be seen; takes fewer neurons as the room
/// fills.
class PointSample {
 public:
  /// `expected`: spikes of the population; `room`: spikes that may be kept.
  PointSample(std::uint64_t size, std::uint64_t expected, std::uint64_t room);
  void add(const SpikePiece& piece);

  std::uint64_t size() const { return size_; }
  std::uint64_t rows() const { return nodes_.size(); }  ///< neurons in the sample
  bool whole() const { return rows() == size_; }
  const std::vector<std::uint64_t>& nodes() const { return nodes_; }  ///< ascending
  std::uint64_t points() const { return points_.size(); }
  /// Calls f(tick, row) for every spike, in the order of time.
  template <class F>
  void each(F&& f) const {
    for (const auto& p : points_) f(p.tick, p.row);
  }
  /// Pairs of LEB128 numbers: ticks since the point before, row.
  std::string encoded() const;

 private:
  struct Point {
    Tick tick;
    std::uint32_t row;
  };
  void thin();
  std::uint64_t size_, room_;
  std::vector<std::uint64_t> nodes_;
  std::vector<Point> points_;
};

/// Shares `room` among populations with so many spikes: none gets more than it needs, the others in the ratio
/// of the square roots, so that small populations are not lost beside large ones.
std::vector<std::uint64_t> share(const std::vector<std::uint64_t>& spikes, std::uint64_t room);

}  // namespace spinet::look
