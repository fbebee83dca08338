// One synapse of any model on a bench, without a network: stimuli go in, its variables are read.
#pragma once
#include <utility>
#include <vector>

#include "network/devices.hpp"

namespace spinet::tool {

class DeviceBench {
 public:
  /// Of one device: `make.count` is 1, `make.first` its number, `make.own` what it has drawn.
  DeviceBench(const SynapseTable& table, Devices::Make make)
      : own_(make.own), device_(table, std::move(make)) {}
  void apply(double seconds, const Control& control) { device_.apply(seconds, control, 0); }
  /// Changes a parameter that is flagged `scheduled`; the device goes on as it is.
  void set(double seconds, std::uint32_t param, double value) { device_.set(seconds, param, value); }
  /// The variable as an event at that time would meet it; changes nothing.
  double read(double seconds, std::uint32_t variable) { return device_.read(seconds, 0, variable); }
  const Model& model() const { return device_.model(); }
  /// Of all devices that differ from this one in what they have drawn only.
  const std::vector<double>& params() const { return device_.params(); }
  const std::vector<Devices::Own>& own() const { return own_; }

  using State = Devices::State;
  State save() const { return device_.save(); }
  void restore(const State& s) { device_.restore(s); }

 private:
  std::vector<Devices::Own> own_;
  Devices device_;
};

}  // namespace spinet::tool
