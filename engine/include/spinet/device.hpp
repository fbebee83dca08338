// What synapse models of conductive devices share, whatever the device: reads with noise and their price, the
// price of pulses, scatter from pulse to pulse.  Conductances in uS, voltages in V, energies in nJ.
#pragma once
#include "spinet/field.hpp"
#include "spinet/math.hpp"
#include "spinet/random.hpp"
#include "spinet/stimulus.hpp"

namespace spinet::device {

// --- what reaches devices ---

inline constexpr Field pulse_values[] = {
    stimulus_value("amplitude", "V", "voltage", any(), required),
    stimulus_value("width", "s", "duration of a pulse", above(0), required | lasting),
};
inline constexpr Stimulus pulse =
    stimulus("pulse", "respond to voltage pulses", "voltage pulses for the devices of a projection",
             pulse_values, wired);

inline constexpr Field field_values[] = {
    stimulus_value("value", "T", "flux density in T or G, or field in Oe (1 Oe counts as 1 G)"),
    stimulus_choice("state", "unchanged parallel antiparallel", "state of the electrodes"),
};
enum Magnetic { unchanged, parallel, antiparallel };  ///< the numbers of `state`
inline constexpr Stimulus field = stimulus("field", "respond to a magnetic field",
                                           "a magnetic field: a value, or {state: parallel}", field_values);

/// The model makes the reading, and keeps it in its variable `reading`.
inline constexpr Stimulus read = {
    "read", "answer reads", "projections whose devices are read, and the readings logged", nullptr, 0,
    wired,  "reading"};

// --- how they are read ---

/// A standard normal number from two words of `Slice::draw`.
inline double normal(std::uint32_t a, std::uint32_t b) { return math::normal_quantile(uniform01(a, b)); }
/// A factor of mean 1 whose logarithm has the standard deviation `sigma`, from a standard normal number.
inline double factor(double sigma, double z) { return math::exp(sigma * (z - sigma / 2)); }
/// The standard deviation of the logarithm of such a factor whose own standard deviation is `relative`.
inline double log_sd(double relative) {
  return math::sqrt(relative < 1e8 ? math::log1p(relative * relative) : 2 * math::log(relative));
}

/// Parameters of reads, as networks give them; a model's `Params` derives from it.
struct Reading {
  double read_noise, energy, read_voltage, read_width;
};
/// Adds them to the model's table.  `energy`: what is counted.
template <class Params>
void add_reading(FieldTable<Params>& t, const char* energy) {
  t.add(&Params::read_noise, "read_noise", "1", 0, at_least(0), 0,
        "relative sd of the conductance from read to read, lognormal of mean 1 (not in the paper)")
      .add(&Params::energy, "energy", "1", 0, between(0, 1), integer, energy)
      .add(&Params::read_voltage, "read_voltage", "V", 0.1, at_least(0), 0,
           "of a read, by an event or by the schedule")
      .add(&Params::read_width, "read_width", "ms", 1, at_least(0), 0,
           "of a read, by an event or by the schedule (not in the paper)");
}

/// How a device is read and what that costs; part of a model's `Shared`.
struct Reader {
  double sigma;  ///< of the logarithm of what noise makes of a conductance; 0: no noise
  double price;  ///< of a read, over the conductance [nJ/uS]
  bool counts;   ///< is energy added up?

  Reader() = default;
  explicit Reader(const Reading& p)
      : sigma(log_sd(p.read_noise)),
        price(p.read_voltage * p.read_voltage * p.read_width),
        counts(p.energy != 0) {}
  bool noisy() const { return sigma > 0; }
  /// The conductance that a read of a device of conductance `G` finds, never below 0 and `G` in the mean;
  /// `z`: a standard normal number.  Adds to `energy` what a read of G costs, in the mean of the noise.
  double operator()(double G, double z, double& energy) const {
    if (counts) energy += price * G;
    return noisy() ? G * factor(sigma, z) : G;
  }
  /// Adds what a pulse of `V` costs, over which the conductance has the integral `charge` [uS s].
  void pulse(double V, double charge, double& energy) const {
    if (counts) energy += 1e3 * V * V * charge;  // uJ to nJ
  }
};

}  // namespace spinet::device
