// Weights that training finds as numbers and that devices are to hold: what a network says of both.  A run
// knows nothing of it; `spinet program` and `spinet learn` do.
#pragma once
#include <cstdint>
#include <vector>

#include "spinet/synapse.hpp"

namespace spinet {

/// What each device has of its own: a parameter or initial value that is drawn about the common one.
struct DeviceSpread {
  bool is_param = true;
  std::uint32_t index = 0;  ///< in the model's table
  double relative = 0;      ///< standard deviation over the value, lognormal; or
  double absolute = 0;      ///< in the field's unit, normal
  bool operator==(const DeviceSpread&) const = default;
};

/// `program` of a projection's synapses.
struct DeviceMapping {
  const SynapseTable* table = nullptr;
  std::vector<double> params, initial;  ///< of devices that do not differ, one per field
  std::vector<DeviceSpread> spreads{};
  bool pairs = true;         ///< a weight is two devices, one for either sign; else one
  Control up{}, down{};      ///< a pulse that raises what an event finds, and one that lowers it
  double tolerance = 0.01;   ///< distance from the wanted reading, over the range
  std::uint32_t most = 100;  ///< pulses after which a device is given up; as many find the range
  double period = 20e-3;     ///< from one read of writing to the next, with a pulse half way [s]
  /// Are these the same devices, written alike?
  bool operator==(const DeviceMapping& o) const;
};

/// The section `devices`: how programmed devices are read, and when.
struct DeviceReading {
  std::uint32_t seed = 1;       ///< of the devices' spread and noise
  std::vector<double> after{};  ///< when images are shown again [s], ascending
  bool compensate = false, recalibrate = false;
  std::uint32_t adc_bits = 0;  ///< 0: sums are exact
  double adc_range = 1;        ///< over the greatest sum of training images
  std::uint32_t images_per_read = 250;
  double read_period = 1e-3;  ///< [s]
};

/// The stimulus that a value without a name belongs to, a pulse if the model answers it; the number of
/// stimuli if it answers none that reaches single devices.
std::uint32_t plain_stimulus(const Model& m);

}  // namespace spinet
