// What plastic synapses may still ask of their targets: the postsynaptic spikes of one block's neurons, with a trace.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>
#include <vector>

#include "spinet/math.hpp"
#include "spinet/synapse.hpp"

namespace spinet {

/// Histories of all neurons of a block for one time constant of the trace.
class PostHistories {
 public:
  /// `tau` in ticks; 0: the trace is always 1.
  PostHistories(std::uint32_t neurons, double tau) : tau_(tau), heads_(neurons) {}
  PostHistories(PostHistories&& o) noexcept : tau_(o.tau_), heads_(std::move(o.heads_)), excess_(o.excess_) { o.heads_.clear(); }
  PostHistories& operator=(PostHistories&&) = delete;
  ~PostHistories() {
    for (auto& h : heads_) std::free(const_cast<PostSpike*>(h.spikes));
  }
  double tau() const { return tau_; }
  const PostHistory* heads() const { return heads_.data(); }

  void add(std::uint32_t j, Tick tick) {
    const PostHistory& h = heads_[j];
    double trace = 1;
    if (h.count && tau_ > 0) {
      const PostSpike& last = h.spikes[h.count - 1];
      trace += last.trace * math::exp(-static_cast<double>(tick - last.tick) / tau_);
    }
    append(j, {tick, trace});
  }
  void append(std::uint32_t j, PostSpike s) {
    PostHistory& h = heads_[j];
    if (h.count == h.capacity) {
      h.capacity = h.capacity ? 2 * h.capacity : 4;
      void* const grown = std::realloc(const_cast<PostSpike*>(h.spikes), h.capacity * sizeof(PostSpike));
      if (!grown) throw std::bad_alloc();
      h.spikes = static_cast<PostSpike*>(grown);
    }
    const_cast<PostSpike*>(h.spikes)[h.count++] = s;
    if (h.count > 1) ++excess_;
  }
  /// Is there anything that `forget` could ever drop?
  bool excess() const { return excess_ > 0; }
  /// Drops what was emitted up to `tick`, but for each neuron's last, whose trace goes on.
  void forget(Tick tick) {
    excess_ = 0;
    for (auto& h : heads_) {
      const std::uint32_t n = h.upto(tick);
      if (n > 1) {
        auto* const spikes = const_cast<PostSpike*>(h.spikes);
        for (std::uint32_t k = n - 1; k < h.count; ++k) spikes[k - (n - 1)] = spikes[k];
        h.count -= n - 1;
      }
      excess_ += h.count > 1 ? h.count - 1 : 0;
    }
  }
  void clear() {
    for (auto& h : heads_) h.count = 0;
    excess_ = 0;
  }
  std::uint64_t bytes() const {
    std::uint64_t n = heads_.size() * sizeof(PostHistory);
    for (const auto& h : heads_) n += h.capacity * sizeof(PostSpike);
    return n;
  }

 private:
  double tau_;
  std::vector<PostHistory> heads_;
  std::uint64_t excess_ = 0;  ///< spikes beyond one per neuron
};

}  // namespace spinet
