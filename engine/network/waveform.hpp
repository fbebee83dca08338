// Values that go their own way in time: sums of sines, chirps, and points that are joined by steps or lines.
// A waveform is a function of the tick: nothing of it is listed, and nothing is kept from one tick to the
// next.
#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include "spinet/neuron.hpp"
#include "spinet/time.hpp"

namespace spinet {

/// amplitude sin(2 pi (t / period + phase)); `period` in ticks, 2 or more, `phase` in turns.
Sine make_sine(double amplitude, double period, double phase);

/// A sine whose frequency goes linearly from `from` to `to` (per tick) in `over` ticks, again and again.
struct Chirp {
  double amplitude, phase, from, to;
  Tick over;
  bool operator==(const Chirp&) const = default;
};
/// Values at times; between them the last (steps) or a line.  The first holds before the first time, the last
/// after the last one.
struct Points {
  enum class Between : std::uint8_t { steps, lines } between = Between::steps;
  Tick period = 0;         ///< begins again after it, if above 0; all times lie below it
  Tick ahead = 0;          ///< where in the period it begins
  std::vector<Tick> at{};  ///< ascending (two alike: a jump), the first 0 or later
  std::vector<double> values{};
  bool operator==(const Points&) const = default;
};

struct Waveform {
  double offset = 0;
  std::vector<Sine> sines{};  ///< as if it began at tick 0
  std::vector<Chirp> chirps{};
  std::vector<Points> points{};
  Tick until = never;  ///< its last change is there
  Tick resolution =
      0;  ///< ticks from one change to the next, for those who cannot follow it; 0: it has steps alone
  bool operator==(const Waveform&) const = default;

  /// At `t` ticks after the begin.
  double at(Tick t) const;
  /// Between which it stays for sure: for one sine, or points alone, no more than that.
  std::pair<double, double> bounds() const;
  /// First tick after `t` at which its points have a corner or a jump; `never` after the last.
  Tick next_corner(Tick t) const;
  /// First tick after `t` at which those change who cannot follow it.
  Tick next_change(Tick t) const;
  /// The same for those who can: corners, and, where it has chirps, what is joined by lines.
  Tick next_segment(Tick t) const;
  /// From `t` ticks after tick `begin` on, until the next segment.
  Followed followed(Tick begin, Tick t) const;
};

/// The shortest part of a waveform that means something, in ticks: a period, a step, a line.
double shortest_part(const Waveform& w);

}  // namespace spinet
