// Curves of electrical-magnetic neurons, measured on a device.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "network/devices.hpp"

namespace spinet {

/// What is done to a device of which curves are made.
struct CurvesOnDevice {
  Devices::Make make;                ///< one device
  Control potentiation, depression;  ///< a pulse that lowers the resistance, and one that raises it
  double period = 20e-3;             ///< from pulse to pulse [s]
  std::uint32_t pulses = 64;
  std::vector<double> fields{0};  ///< [G]
};

/// The stimulus of that name among those that the model answers.
std::optional<std::uint32_t> stimulus_named(const Model& m, const char* name);

/// Resistance over that of a conductance of 1, after 0, 1, ... `pulses` pulses of potentiation and then of
/// depression, for each field.  A fresh device is brought to -2 kG and from there to the field, and gets as
/// many pulses of depression first.  The model has a variable G; without a stimulus `field` it is given none.
std::vector<std::vector<double>> curves_on_device(const SynapseTable& table, const CurvesOnDevice& what);

}  // namespace spinet
