#include "look/correlation.hpp"

#include <algorithm>
#include <cmath>

namespace spinet::look {

Correlation::Correlation(std::uint64_t size, Tick start, double ticks_per_bin, std::size_t bins)
    : sample_(size, std::min(size, candidates)),
      start_(start),
      per_tick_(1 / ticks_per_bin),
      bins_(bins),
      spikes_(sample_.rows()) {
  for (std::uint64_t r = 0; r < sample_.rows(); ++r) nodes_.push_back(sample_.node(r));
}

void Correlation::add(const SpikePiece& piece) {
  if (spikes_.size() < 2) return;
  for (std::size_t i = 0; i < piece.ticks.size(); ++i) {
    const auto row = sample_.row(piece.nodes[i]);
    if (nodes_[row] != piece.nodes[i] || piece.ticks[i] < start_) continue;
    spikes_[row].push_back(static_cast<std::uint32_t>(std::min<std::size_t>(
        static_cast<std::size_t>(static_cast<double>(piece.ticks[i] - start_) * per_tick_), bins_ - 1)));
  }
}

Correlation::Result Correlation::result() const {
  Result r;
  std::vector<const std::vector<std::uint32_t>*> chosen;
  for (const auto& s : spikes_)
    if (s.size() >= least_spikes && chosen.size() < most) chosen.push_back(&s);
  r.neurons = chosen.size();
  const auto n = static_cast<double>(bins_);
  std::vector<std::uint32_t> counts(bins_);
  std::vector<double> mean, sd;
  for (const auto* s : chosen) {
    for (const auto b : *s) ++counts[b];
    double squares = 0;
    for (const auto b : *s) squares += counts[b];  // every spike of a bin adds the bin's count: its square
    for (const auto b : *s) counts[b] = 0;
    mean.push_back(static_cast<double>(s->size()) / n);
    sd.push_back(std::sqrt(std::max(0.0, squares / n - mean.back() * mean.back())));
  }
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    for (const auto b : *chosen[i]) ++counts[b];
    for (std::size_t j = i + 1; j < chosen.size(); ++j) {
      if (sd[i] <= 0 || sd[j] <= 0) continue;
      double both = 0;
      for (const auto b : *chosen[j]) both += counts[b];
      r.of_pairs.push_back((both / n - mean[i] * mean[j]) / (sd[i] * sd[j]));
    }
    for (const auto b : *chosen[i]) counts[b] = 0;
  }
  return r;
}

}  // namespace spinet::look
