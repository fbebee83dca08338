// Devices of one model on the bench, what is done to them, and what they show.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "device/bench.hpp"
#include "device/protocol.hpp"
#include "network/catalogue.hpp"
#include "network/mapping.hpp"

namespace spinet::tool {

/// Texts of the command line that say which devices.
struct DeviceChoice {
  std::string preset;                ///< of the model; empty: none
  std::vector<std::string> params;   ///< NAME=VALUE
  std::vector<std::string> spreads;  ///< NAME=10% or NAME=0.1 V
  std::uint32_t devices = 1, seed = 1;
};

/// The synapse model `name`; throws UserError if there is none or if nothing can be done to it.
const SynapseTable& device_named(const Catalogue& c, const std::string& name);

/// Numbers of one device before spread: the model's, those of --preset, and what --param gives.
Devices::Make common_make(const SynapseTable& t, const DeviceChoice& c);
/// What --param gives, in place of what stands there: one number per parameter and one per variable.
void take_params(const SynapseTable& t, const DeviceChoice& c, std::vector<double>& params,
                 std::vector<double>& initial);
/// What --spread gives, for devices of these parameters.
std::vector<DeviceSpread> spreads_of(const SynapseTable& t, const DeviceChoice& c,
                                     const std::vector<double>& params);
/// A number with a unit as the field's; `option`: for the message, "--param G_max=3 mV".  Throws UserError.
double value_of(const std::string& option, const std::string& text, const Field& f);
/// Why these parameters do not fit together, or null.
const char* problem_of(const SynapseTable& t, const std::vector<double>& params);
/// Has the devices `make.first` to before `make.first + make.count` draw their own of what is spread, as the
/// synapses of a projection do: what a model works out of the parameters, such as k_up of V_th, stays that of
/// the middle. Throws UserError.
void spread_over(const SynapseTable& t, std::span<const DeviceSpread> spreads, Devices::Make& make);
/// All devices, one by one.  Throws UserError.
std::vector<DeviceBench> devices_of(const SynapseTable& t, const DeviceChoice& c);
/// What they have drawn: as many values as synapses, in the unit of the field.
struct DrawnValues {
  std::string name;  ///< of the second device of a synapse `V_th2`
  const Field* field;
  std::vector<double> values;
};
std::vector<DrawnValues> drawn_values(const SynapseTable& t, std::span<const DeviceBench> devices);

/// Readings of every variable of every device: number 0 before the first step, one just before the end of
/// each.
struct Record {
  const SynapseTable* table = nullptr;
  Protocol protocol;
  std::size_t devices = 1;
  std::vector<double> begin;                ///< of each step [s]
  double end = 0;                           ///< of the last [s]
  std::vector<std::vector<double>> values;  ///< [variable][reading * devices + device]

  std::size_t readings() const { return protocol.steps.size() + 1; }
  double at(std::uint32_t variable, std::size_t reading, std::size_t device = 0) const {
    return values[variable][reading * devices + device];
  }
  /// The quantile of a variable over the devices at each reading.
  std::vector<double> over_devices(std::uint32_t variable, double q) const;
};
/// Carries out the protocol; throws UserError where the record would not fit into memory.
Record characterise(const SynapseTable& t, Protocol protocol, std::vector<DeviceBench>& devices);

}  // namespace spinet::tool
