// Which windows from the present one on have arrivals, and where they are kept: the places of a ring.  It
// reaches as far as the longest delay, but no further than some thousand windows; what lies beyond waits in a
// second level (core/queue/far.hpp).
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>
#include <utility>
#include <vector>

#include "spinet/time.hpp"

namespace spinet {

class Ring {
 public:
  Ring() = default;
  /// `resolution`: ticks of a step of delay; no delay has more than `most_steps`.  Nothing arrives at `end`
  /// or later.
  Ring(Tick window, Tick resolution, std::uint32_t most_steps, Tick end = never)
      : window_(window), resolution_(resolution), end_(end), inverse_(1.0 / static_cast<double>(window)) {
    const double windows =
        static_cast<double>(most_steps) * static_cast<double>(resolution) / static_cast<double>(window);
    whole_ = windows < longest && most_steps < most_tabled;
    if (whole_) {
      size_ = std::bit_ceil(static_cast<std::uint64_t>(most_steps * resolution / window) + 2);
      for (std::uint32_t steps = 0; steps <= most_steps; ++steps)
        ahead_.push_back(
            {static_cast<std::uint64_t>(steps * resolution / window), steps * resolution % window});
    } else {
      size_ = longest / 4;
    }
    filled_.resize((size_ + 63) / 64);
  }
  /// Does it reach as far as any delay?  Then `arrival` says where an event goes, else `any_arrival`.
  bool whole() const { return whole_; }
  std::size_t size() const { return size_; }
  Tick window() const { return window_; }
  /// Ticks of a step of delay.
  Tick resolution() const { return resolution_; }
  /// Place of the window that `t` lies in, and of a window.
  std::uint64_t place(Tick t) const { return window_of(t).first & (size_ - 1); }
  std::uint64_t place_of(std::uint64_t window) const { return window & (size_ - 1); }
  struct Arrival {
    std::uint64_t place;
    Tick begin, offset;  ///< of the window, and in it
  };
  /// Where an event goes that is emitted at `tick` and takes `steps`.
  Arrival arrival(Tick tick, std::uint32_t steps) const {
    auto [window, offset] = window_of(tick);
    window += ahead_[steps].windows;
    offset += ahead_[steps].rest;
    if (offset >= window_) offset -= window_, ++window;
    return {window & (size_ - 1), static_cast<Tick>(window) * window_, offset};
  }
  struct AnyArrival {
    std::uint64_t window;
    Tick offset;
    bool far;    ///< beyond the ring
    bool never;  ///< after the end of the run
  };
  /// The same for any delay.
  AnyArrival any_arrival(Tick tick, std::uint32_t steps) const {
    const auto at = static_cast<std::uint64_t>(tick) + static_cast<std::uint64_t>(resolution_) * steps;
    const auto length = static_cast<std::uint64_t>(window_);
    const std::uint64_t window = at / length;
    return {window, static_cast<Tick>(at % length),
            window - static_cast<std::uint64_t>(tick) / length >= size_,
            at >= static_cast<std::uint64_t>(end_)};
  }
  /// Marks a place that had no arrivals, one that had some, and all.
  void fill(std::uint64_t place) { ++count_, filled_[place / 64] |= std::uint64_t{1} << place % 64; }
  void empty(std::uint64_t place) { --count_, filled_[place / 64] &= ~(std::uint64_t{1} << place % 64); }
  void empty_all() { count_ = 0, filled_.assign(filled_.size(), 0); }
  /// Begin of the first window from that of `from` on that has arrivals; `never` if there is none.
  Tick next(Tick from) const {
    if (count_ == 0) return never;
    // From the present place to the end of the ring, then from its begin.
    const std::uint64_t mask = size_ - 1, now = window_of(from).first, at = now & mask;
    std::uint64_t word = at / 64, bits = filled_[word] & ~std::uint64_t{0} << at % 64;
    while (!bits) bits = filled_[word = word + 1 == filled_.size() ? 0 : word + 1];
    const std::uint64_t found = word * 64 + static_cast<std::uint64_t>(std::countr_zero(bits));
    return static_cast<Tick>(now + ((found - at) & mask)) * window_;
  }
  /// Number of the window that `t` lies in, and where; t >= 0, below 2^52.
  std::pair<std::uint64_t, Tick> window_of(Tick t) const {
    const auto window = static_cast<Tick>(static_cast<double>(t) * inverse_);
    const Tick offset = t - window * window_;
    if (offset < 0) return {window - 1, offset + window_};  // the reciprocal may be off by one
    if (offset >= window_) return {window + 1, offset - window_};
    return {window, offset};
  }
  /// Number of the window that `place` stands for, seen from the window of `now`.
  std::uint64_t window_at(std::uint64_t place, Tick now) const {
    const std::uint64_t present = window_of(now).first;
    return present + ((place - present) & (size_ - 1));
  }

 private:
  static constexpr std::uint64_t longest = 4096;  ///< windows; places take 50 bytes in every block, steps 16
  static constexpr std::uint32_t most_tabled = 65536;
  struct Ahead {
    std::uint64_t windows;
    Tick rest;
  };
  Tick window_ = 1, resolution_ = 1, end_ = never;
  double inverse_ = 1;
  bool whole_ = true;
  std::uint64_t size_ = 1, count_ = 0;
  std::vector<std::uint64_t> filled_;  ///< a bit per place
  std::vector<Ahead> ahead_;           ///< by steps of delay: whole windows, and ticks beyond them
};

}  // namespace spinet
