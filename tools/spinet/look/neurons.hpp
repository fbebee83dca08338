// What each neuron did: number of spikes, interspike intervals (ISI) and their coefficient of variation (CV).
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "log/log_data.hpp"

namespace spinet::look {

/// A histogram with equal bins from `from`; what is past the last bin is in `above`.
struct Histogram {
  double from = 0, width = 1;
  std::vector<std::uint64_t> counts;
  std::uint64_t above = 0;
  void add(double x, std::uint64_t n = 1);
};

/// A mean with its spread.
struct Moments {
  std::uint64_t n = 0;
  double sum = 0, squares = 0;
  void add(double x) { ++n, sum += x, squares += x * x; }
  double mean() const { return n ? sum / static_cast<double>(n) : 0; }
  double sd() const;
};

class Neurons {
 public:
  static constexpr int per_decade = 20;         ///< ISI bins are equal in log10
  static constexpr int first_decade = -7;       ///< of 1 ms: intervals of less are in the first bin
  static constexpr std::size_t isi_bins = 340;  ///< up to 10^10 ms
  static constexpr std::uint64_t cv_intervals =
      5;  ///< a CV is computed for neurons with at least so many intervals

  Neurons(std::uint64_t size, double ticks_per_ms)
      : ms_per_tick_(1 / ticks_per_ms), pages_((size + page - 1) / page) {}
  void add(const SpikePiece& piece);

  std::uint64_t active() const;  ///< neurons with at least one spike
  /// Number of spikes -> number of neurons; of `all` neurons those that never fired are included.
  std::map<std::uint64_t, std::uint64_t> neurons_with(std::uint64_t all) const;
  const std::vector<std::uint64_t>& isi() const { return isi_; }
  std::uint64_t intervals() const { return intervals_; }
  double median_isi_ms() const;  ///< middle of its bin
  std::vector<double> cvs() const;

 private:
  struct Neuron {
    Tick last;
    std::uint64_t spikes;
    double sum, squares;  ///< of the intervals, in ticks
  };
  // Pages come into being when one of their neurons fires, so that memory is bounded by the spikes in the
  // file, whatever size a damaged log claims for a population.
  static constexpr std::uint64_t page = 4096;
  double ms_per_tick_;
  std::vector<std::unique_ptr<std::array<Neuron, page>>> pages_;
  std::vector<std::uint64_t> isi_ = std::vector<std::uint64_t>(isi_bins);
  std::uint64_t intervals_ = 0;
  template <class F>
  void each(F&& f) const;
};

}  // namespace spinet::look
