// Curves of electrical-magnetic neurons: the state of a device after n pulses.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "network/layered.hpp"

namespace spinet::layers {

/// A + B exp(-n / taus[0]) + C exp(-n / taus[1]) with the least sum of squares at these numbers of pulses, of
/// which at least three differ.
Curve fitted(std::span<const double> pulses, std::span<const double> values, std::span<const double> taus);

/// The same curve less its value at n = 0, over `range`.
Curve from_zero(const Curve& c, double range);

/// Resistances of a memristor under voltage pulses and a magnetic field.  The forms are read off the figures
/// of T. Chen et al., "Magnetic-field controlled organic spintronic memristor for neural network
/// computation"; the numbers, but for tmr_low, are not in the paper.
///   long-term potentiation  R - R_L = 2 (0.5 exp(-n / 4) + 0.5 exp(-n / 25)), R_L = 1, R_H = 3
///   long-term depression    R_H - R the same
///   in a field              R (1 + T m(H)), T going evenly from `tmr_low` at R_L to `tmr_high` at R_H,
///                           m(H) = (1 + tanh((H - 90) / 20)) (1 - tanh((H - 250) / 60)) / 4
struct EmReference {
  std::vector<double> fields{0, 50, 100, 150, 200, 250, 300, 350};  ///< [G]
  double tmr_low = -0.439, tmr_high = 0.15;
  std::uint32_t copies = 0;  ///< of each curve, beside it
  double noise = 0.01;       ///< of these: standard deviation over the resistance, at each number of pulses
  std::uint32_t pulses = 64;
  std::uint32_t count = 0;  ///< of the curves, as many from the first; 0: all
  std::uint32_t seed = 1;   ///< of the noise
};
/// For each field, and then each copy, potentiation and depression, each fitted at 0 .. `pulses` and taken
/// from_zero over R_H - R_L.
Curves em_reference(const EmReference& e);

/// Measured curves, each at these numbers of pulses: fitted, and taken from_zero over the range of all
/// values.
Curves measured(std::span<const double> pulses, std::span<const std::vector<double>> curves,
                std::span<const double> taus);

}  // namespace spinet::layers
