// A parameter that follows a waveform.  Part of spinet/neuron.hpp.
#pragma once
#include <cstdint>

#include "spinet/time.hpp"

namespace spinet {

/// A sine of time, without loss over any run: its phase is counted in 2^-64 of a turn, its frequency in
/// 2^-128 turns a tick.
struct Sine {
  double amplitude;
  std::uint64_t phase;     ///< at tick 0
  std::uint64_t turns[2];  ///< per tick: the upper and the lower 64 bits behind the point
  double per_tick;         ///< the same as a number
  bool operator==(const Sine&) const = default;
  /// Where in its turn it is, in 2^-64 of one.
  std::uint64_t at(Tick tick) const noexcept {
    const auto t = static_cast<std::uint64_t>(tick);
    return phase + t * turns[0] +
           static_cast<std::uint64_t>(static_cast<unsigned __int128>(t) * turns[1] >> 64);
  }
};
/// What a parameter is from tick `from` on, until the model hears of the next:
///   value + slope (t - from) + sum of the sines
struct Followed {
  static constexpr std::uint32_t most_sines = 4;
  Tick from;
  double value, slope;  ///< in the unit of the parameter, and per tick
  std::uint32_t sine_count;
  Sine sines[most_sines];
};

}  // namespace spinet
