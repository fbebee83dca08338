// Pairwise correlation of spike counts.
#pragma once
#include <cstdint>
#include <vector>

#include "log/log_data.hpp"
#include "look/counts.hpp"

namespace spinet::look {

/// Pearson's correlation of the spike counts of pairs of neurons, in equal bins from `start` on.  Of up to
/// 100 evenly spaced neurons the first 60 that fired at least 10 times make 1,770 pairs at most.
class Correlation {
 public:
  static constexpr std::uint64_t candidates = 100, most = 60, least_spikes = 10;
  Correlation(std::uint64_t size, Tick start, double ticks_per_bin, std::size_t bins);
  void add(const SpikePiece& piece);

  struct Result {
    std::uint64_t neurons = 0;
    std::vector<double> of_pairs;
  };
  Result result() const;

 private:
  EvenSample sample_;
  std::vector<std::uint64_t> nodes_;  ///< the candidates
  Tick start_;
  double per_tick_;
  std::size_t bins_;
  std::vector<std::vector<std::uint32_t>> spikes_;  ///< of each candidate: the bin of every spike
};

}  // namespace spinet::look
