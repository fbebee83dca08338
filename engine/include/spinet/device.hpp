// What reaches devices, whatever the device, and the factors of mean 1 that noise is made of.
#pragma once
#include <bit>
#include <cstdint>

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

// --- knobs: parameters that do nothing at 0 ---

/// What a projection has of a parameter that differs between its devices and is 0 in the middle: 0 to all
/// arithmetic, but some devices may have more.
inline constexpr double some_have_more = -0.0;
/// May any device of a projection with this value have more than 0?
constexpr bool is_on(double knob) { return std::bit_cast<std::uint64_t>(knob) != 0; }

// --- noise ---

/// A standard normal number from two words of `Slice::draw`.
inline double normal(std::uint32_t a, std::uint32_t b) { return math::normal_quantile(uniform01(a, b)); }
/// A factor of mean 1 whose logarithm has the standard deviation `sigma`, from a standard normal number.
inline double factor(double sigma, double z) { return math::exp(sigma * (z - sigma / 2)); }
/// The standard deviation of the logarithm of such a factor whose own standard deviation is `relative`.
inline double log_sd(double relative) {
  return math::sqrt(relative < 1e8 ? math::log1p(relative * relative) : 2 * math::log(relative));
}

}  // namespace spinet::device
