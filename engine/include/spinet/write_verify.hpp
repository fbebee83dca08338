// Write and verify: what to do with a device after each read, until its reading is what is wanted.
#pragma once
#include "spinet/math.hpp"

namespace spinet {

/// A device whose reading is below what is wanted by more than `tolerance` gets a pulse up, one above it a
/// pulse down, until it lies within the tolerance or has had `most` pulses.  The k-th pulse of a device has
/// `step` k more than the first, away from 0.
struct WriteVerify {
  double tolerance;                   ///< in the unit of the reading
  double up_amplitude, up_width;      ///< V and s, or what else the stimulus has
  double down_amplitude, down_width;  ///< the same
  double step, most;

  struct Decision {
    bool reached;             ///< the reading lies within the tolerance
    bool finished;            ///< it does, or pulses are used up; else the next pulse is
    double amplitude, width;  ///< this one
  };
  /// After a reading of a device that has had so many pulses.
  Decision operator()(double reading, double wanted, double pulses) const {
    const double off = reading - wanted;
    const bool reached = math::abs(off) <= tolerance, up = off < 0;
    const double amplitude = up ? up_amplitude : down_amplitude, more = step * pulses;
    return {reached, reached || pulses >= most, amplitude < 0 ? amplitude - more : amplitude + more,
            up ? up_width : down_width};
  }
};

}  // namespace spinet
