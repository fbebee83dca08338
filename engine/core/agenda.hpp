// What models have asked for, in order of (tick, phase, neuron): a calendar queue.  Requests lie unsorted in buckets of
// some ticks; only the present bucket, a few entries, is a heap.  A handful of requests in all is a heap without buckets.
#pragma once
#include <algorithm>
#include <cassert>
#include <cstdint>
#include <functional>
#include <vector>

#include "spinet/neuron.hpp"

namespace spinet {

class Agenda {
 public:
  struct Entry {
    Tick tick;
    Ask phase;
    std::uint32_t neuron;
    bool operator>(const Entry& o) const {
      if (tick != o.tick) return tick > o.tick;
      return phase != o.phase ? phase > o.phase : neuron > o.neuron;
    }
  };

  /// `window`: ticks of a window of the simulation; buckets are about a thousandth of it.
  explicit Agenda(Tick window) {
    while (shift_ < 40 && (Tick{1024} << shift_) < window) ++shift_;
  }
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  /// The first entry's tick; `never` if there is none.
  Tick next() {
    if (now_.empty() && !refill()) return never;
    return now_.front().tick;
  }
  const Entry& front() const { return now_.front(); }  ///< after a `next` that found one
  void pop() {
    std::pop_heap(now_.begin(), now_.end(), std::greater<>{});
    now_.pop_back();
    --size_;
  }
  /// Everything in it, in no order.
  std::vector<Entry> entries() const {
    std::vector<Entry> all(now_);
    all.insert(all.end(), far_.begin(), far_.end());
    for (const auto& bucket : ring_) all.insert(all.end(), bucket.begin(), bucket.end());
    return all;
  }
  /// `e` is not before the last entry popped.
  void push(const Entry& e) {
    ++size_;
    const Tick bucket = e.tick >> shift_;
    if (size_ == now_.size() + 1) {  // all others are in the heap, of whatever bucket
      if (now_.size() < handful) {
        later_ |= bucket > present_;
        return push_now(e);
      }
      if (later_) spread();
    }
    if (bucket <= present_) push_now(e);
    else put_later(bucket, e);
  }

 private:
  static constexpr Tick buckets = 4096;
  static constexpr std::size_t handful = 24;
  void push_now(const Entry& e) {
    now_.push_back(e);
    std::push_heap(now_.begin(), now_.end(), std::greater<>{});
  }
  void put_later(Tick bucket, const Entry& e) {
    if (bucket - present_ < buckets) {
      put(bucket, e);
    } else {
      far_.push_back(e);
      far_first_ = std::min(far_first_, bucket);
    }
  }
  /// From a heap of everything to one of the first bucket.
  void spread() {
    later_ = false;
    present_ = now_.front().tick >> shift_;
    const auto later = std::partition(now_.begin(), now_.end(), [this](const Entry& e) { return e.tick >> shift_ <= present_; });
    for (auto e = later; e != now_.end(); ++e) put_later(e->tick >> shift_, *e);
    now_.erase(later, now_.end());
    std::make_heap(now_.begin(), now_.end(), std::greater<>{});
  }
  void put(Tick bucket, const Entry& e) {
    const auto b = static_cast<std::size_t>(bucket % buckets);
    ring_[b].push_back(e);
    used_[b / 64] |= std::uint64_t{1} << (b % 64);
  }
  /// Makes the next bucket with anything in it the present one.
  bool refill() {
    if (size_ == 0) return false;
    later_ = false;
    Tick next = far_first_;
    const auto begin = static_cast<std::size_t>((present_ + 1) % buckets);
    for (std::size_t k = 0; k <= used_.size(); ++k) {
      const std::size_t word = (begin / 64 + k) % used_.size();
      std::uint64_t bits = used_[word];
      if (k == 0) bits &= ~std::uint64_t{0} << (begin % 64);
      if (k == used_.size()) bits &= ~(~std::uint64_t{0} << (begin % 64));
      if (!bits) continue;
      const std::size_t b = word * 64 + static_cast<std::size_t>(__builtin_ctzll(bits));
      next = std::min(next, present_ + 1 + static_cast<Tick>((b + static_cast<std::size_t>(buckets) - begin) % static_cast<std::size_t>(buckets)));
      break;
    }
    present_ = next;
    if (far_first_ < present_ + buckets) {  // what has come into reach
      std::vector<Entry> rest;
      far_first_ = never;
      for (const Entry& e : far_) {
        const Tick bucket = e.tick >> shift_;
        if (bucket - present_ < buckets) {
          put(bucket, e);
        } else {
          rest.push_back(e);
          far_first_ = std::min(far_first_, bucket);
        }
      }
      far_.swap(rest);
    }
    const auto b = static_cast<std::size_t>(present_ % buckets);
    now_.swap(ring_[b]);
    used_[b / 64] &= ~(std::uint64_t{1} << (b % 64));
    std::make_heap(now_.begin(), now_.end(), std::greater<>{});
    return true;
  }

  int shift_ = 0;
  std::size_t size_ = 0;
  bool later_ = false;  ///< the heap holds entries of later buckets, as it may while it holds all
  Tick present_ = 0, far_first_ = never;
  std::vector<Entry> now_, far_;
  std::vector<std::vector<Entry>> ring_{static_cast<std::size_t>(buckets)};
  std::vector<std::uint64_t> used_ = std::vector<std::uint64_t>(static_cast<std::size_t>(buckets) / 64, 0);
};

}  // namespace spinet
