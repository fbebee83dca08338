// What plastic synapses may still ask of their targets: the postsynaptic spikes of one block's neurons, with
// a trace.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>
#include <vector>

#include "spinet/math.hpp"
#include "spinet/synapse.hpp"

namespace spinet {

/// Histories of all neurons of a block for one pair of time constants.
///
/// `raised` and `lowered` count from a base that is a function of the tick at which a slice is worked on (its
/// last multiple of `turn`), never of what else lies in the block: with a trim at each turn, taken relative
/// to the old base, every synapse takes in every spike relative to the same base whatever the partition.
class PostHistories {
 public:
  /// Time constants in ticks.  `post_tau` 0: the trace is always 1; `pre_tau` 0: `lowered` is 1.  `longest`:
  /// of turns.
  PostHistories(std::uint32_t neurons, double post_tau, double pre_tau, Tick longest)
      : post_tau_(post_tau), pre_tau_(pre_tau), heads_(neurons, {never_were() + PostHistory::spare, 0, 0}) {
    const double shortest = std::min(post_tau > 0 ? post_tau : 1e18, pre_tau > 0 ? pre_tau : 1e18);
    turn_ = std::max<Tick>(1, static_cast<Tick>(std::min(256 * shortest, static_cast<double>(longest))));
  }
  PostHistories(PostHistories&& o) noexcept
      : post_tau_(o.post_tau_),
        pre_tau_(o.pre_tau_),
        turn_(o.turn_),
        base_(o.base_),
        latest_(o.latest_),
        due_(o.due_),
        heads_(std::move(o.heads_)) {
    o.heads_.clear();
  }
  PostHistories& operator=(PostHistories&&) = delete;
  ~PostHistories() {
    for (auto& h : heads_) std::free(memory(h));
  }
  double post_tau() const { return post_tau_; }
  double pre_tau() const { return pre_tau_; }
  const PostHistory* heads() const { return heads_.data(); }
  Tick base() const { return base_; }
  /// When the next trim is due: at each turn until all synapses have seen the latest spike.
  Tick due() const { return due_; }

  /// Called before anything is done at `tick` but a trim that is due.
  void rebase(Tick tick) {
    if (static_cast<std::uint64_t>(tick - base_) >= static_cast<std::uint64_t>(turn_))
      rebase_to(tick / turn_ * turn_);
  }
  void add(std::uint32_t j, Tick tick) {
    const PostHistory& h = heads_[j];
    double trace = 1;
    if (h.count && post_tau_ > 0)
      trace += h.end[-1].trace * math::exp(-static_cast<double>(tick - h.end[-1].tick) / post_tau_);
    append(j, tick, trace);
  }
  void append(std::uint32_t j, Tick tick, double trace) {
    PostHistory& h = heads_[j];
    if (h.count == h.capacity) grow(h);
    auto* const at = const_cast<PostSpike*>(h.end++);
    *at = {tick, 1, 1, trace};
    place(*at);
    ++h.count;
    latest_ = std::max(latest_, tick);
    if (due_ == never) due_ = (tick / turn_ + 1) * turn_;
  }
  /// After a trim at `tick`, `delay` being the longest of the synapses: drops what all have seen, but for
  /// each neuron's last before, whose trace goes on.
  void trimmed(Tick tick, Tick delay) {
    // An event that arrives at this very tick still asks for the last spike before its own time.
    const Tick seen = tick - 2 * delay - 1;
    for (auto& h : heads_) {
      const std::uint32_t n = h.upto(seen);
      if (n < 2) continue;
      auto* const first = const_cast<PostSpike*>(h.end - h.count);
      std::copy(first + (n - 1), first + h.count, first);
      h.count -= n - 1;
      h.end -= n - 1;
    }
    due_ = latest_ > seen ? tick + turn_ : never;
    rebase(tick);
  }
  /// As at the begin of tick `at`, without spikes; `append` brings them back.
  void restart(Tick at) {
    for (auto& h : heads_) h.end -= h.count, h.count = 0;
    latest_ = long_ago;
    base_ = std::max<Tick>(0, at - 1) / turn_ * turn_;
    due_ = never;
  }
  /// All is back: what is due at `at` or later.
  void restarted(Tick at) { due_ = latest_ == long_ago ? never : (at + turn_ - 1) / turn_ * turn_; }
  std::uint64_t bytes() const {
    std::uint64_t n = heads_.size() * sizeof(PostHistory);
    for (const auto& h : heads_)
      if (h.capacity) n += (h.capacity + PostHistory::spare) * sizeof(PostSpike);
    return n;
  }

 private:
  static const PostSpike* never_were() {
    static const auto none = [] {
      std::array<PostSpike, PostHistory::spare> all;
      all.fill({long_ago, 0, 0, 0});
      return all;
    }();
    return none.data();
  }
  static PostSpike* memory(const PostHistory& h) {
    return h.capacity ? const_cast<PostSpike*>(h.end - h.count - PostHistory::spare) : nullptr;
  }
  static void grow(PostHistory& h) {
    const std::uint32_t capacity = h.capacity ? 2 * h.capacity : 4;
    auto* const room = static_cast<PostSpike*>(
        std::aligned_alloc(alignof(PostSpike), (capacity + PostHistory::spare) * sizeof(PostSpike)));
    if (!room) throw std::bad_alloc();
    std::copy(h.end - h.count - PostHistory::spare, h.end, room);
    std::free(memory(h));
    h.capacity = capacity;
    h.end = room + PostHistory::spare + h.count;
  }
  void place(PostSpike& s) const {
    // Far enough from 0 and infinity to be multiplied with what undoes it; beyond lie only spikes that are
    // not yet seen.
    const auto power = [&](double tau) {
      return std::clamp(static_cast<double>(s.tick - base_) / tau, -700.0, 700.0);
    };
    if (pre_tau_ > 0) s.lowered = math::exp(-power(pre_tau_));
    if (post_tau_ > 0) s.raised = s.trace * math::exp(power(post_tau_));
  }
  void rebase_to(Tick base) {
    base_ = base;
    for (auto& h : heads_)
      for (auto* s = const_cast<PostSpike*>(h.end - h.count); s != h.end; ++s) place(*s);
  }

  double post_tau_, pre_tau_;
  Tick turn_ = 1, base_ = 0, latest_ = long_ago, due_ = never;
  std::vector<PostHistory> heads_;
};

}  // namespace spinet
