// Figures of merit of a device: curvature of a series, thresholds, retention.
#pragma once
#include <span>

#include "device/record.hpp"

namespace spinet::tool {

/// The curvature alpha of a series of equal pulses, from the least squares fit of
///   x(n) = first + (last - first) (1 - exp(-alpha n / N)) / (1 - exp(-alpha)),
/// n = 0 .. N: the form of P.-Y. Chen, X. Peng, S. Yu, "NeuroSim: A circuit-level macro model for
/// benchmarking neuro-inspired architectures in online learning" (2018), whose A is N / alpha.  0: a straight
/// line, > 0: the first pulses change most, < 0: the last do.  NaN where nothing changes or N < 2.
double curvature(std::span<const double> series);

/// The largest distance of a series from the straight line between its ends, in units of its change.
double non_linearity(std::span<const double> series);

/// What a threshold is.
struct ThresholdSearch {
  std::uint32_t variable = 0;
  double width = 1;   ///< of the one pulse [s]
  double change = 0;  ///< a change that counts, over the size of the variable; 0: any at all
};
/// The least voltage of the sign of `sign` at which a pulse changes the device beyond what it does by itself,
/// by bisection (larger voltages are taken to change it as well); NaN: none up to 100 V.  The device is left
/// as it was.
double threshold(DeviceBench& d, double now, const ThresholdSearch& s, double sign);

/// Time after `now` at which half of the change from `before` to the present has gone; infinite: not within
/// 30 years.  NaN: there was no change.
double retention(DeviceBench& d, double now, std::uint32_t variable, double before);

}  // namespace spinet::tool
