#include "look/neurons.hpp"

#include <algorithm>
#include <cmath>

namespace spinet::look {

void Histogram::add(double x, std::uint64_t n) {
  const double bin = std::floor((x - from) / width + 1e-9);
  if (!(bin < static_cast<double>(counts.size()))) above += n;
  else counts[bin > 0 ? static_cast<std::size_t>(bin) : 0] += n;
}

double Moments::sd() const {
  if (n < 2) return 0;
  const double m = mean();
  return std::sqrt(std::max(0.0, squares / static_cast<double>(n) - m * m) * static_cast<double>(n) /
                   static_cast<double>(n - 1));
}

void Neurons::add(const SpikePiece& piece) {
  for (std::size_t i = 0; i < piece.ticks.size(); ++i) {
    auto& p = pages_[piece.nodes[i] / page];
    if (!p) p = std::make_unique<std::array<Neuron, page>>();
    auto& n = (*p)[piece.nodes[i] % page];
    const Tick t = piece.ticks[i];
    if (n.spikes++ > 0) {
      const auto interval = static_cast<double>(t - n.last);
      n.sum += interval;
      n.squares += interval * interval;
      const double bin = (std::log10(interval * ms_per_tick_) - first_decade) * per_decade;
      ++isi_[bin > 0 ? std::min(static_cast<std::size_t>(bin), isi_bins - 1) : 0];
      ++intervals_;
    }
    n.last = t;
  }
}

template <class F>
void Neurons::each(F&& f) const {
  for (const auto& p : pages_)
    if (p)
      for (const auto& n : *p)
        if (n.spikes) f(n);
}

std::uint64_t Neurons::active() const {
  std::uint64_t k = 0;
  each([&](const Neuron&) { ++k; });
  return k;
}

std::map<std::uint64_t, std::uint64_t> Neurons::neurons_with(std::uint64_t all) const {
  std::map<std::uint64_t, std::uint64_t> n;
  std::uint64_t active = 0;
  each([&](const Neuron& x) { ++n[x.spikes], ++active; });
  if (all > active) n[0] = all - active;
  return n;
}

double Neurons::median_isi_ms() const {
  std::uint64_t below = 0;
  for (std::size_t b = 0; b < isi_bins; ++b)
    if ((below += isi_[b]) * 2 >= intervals_ && intervals_ > 0)
      return std::pow(10, first_decade + (static_cast<double>(b) + 0.5) / per_decade);
  return 0;
}

std::vector<double> Neurons::cvs() const {
  std::vector<double> cvs;
  each([&](const Neuron& n) {
    if (n.spikes <= cv_intervals || n.sum <= 0) return;
    const auto k = static_cast<double>(n.spikes - 1);
    const double mean = n.sum / k, variance = std::max(0.0, n.squares / k - mean * mean) * k / (k - 1);
    cvs.push_back(std::sqrt(variance) / mean);
  });
  return cvs;
}

}  // namespace spinet::look
