// One synapse of any model on a bench, without a network: stimuli go in, its variables are read.
#pragma once
#include <utility>
#include <vector>

#include "network/devices.hpp"

namespace spinet::tool {

class DeviceBench {
 public:
  /// What a device is made of: one number per parameter and one per variable, those that the model computes
  /// excepted; `number` tells the random numbers of devices apart.
  struct Make {
    std::vector<double> params, initial;
    std::uint32_t seed = 1, number = 0;
  };
  DeviceBench(const SynapseTable& table, Make make)
      : device_(table, {std::move(make.params), std::move(make.initial), make.seed, make.number, 1, {}}) {}
  void apply(double seconds, const Control& control) { device_.apply(seconds, control, 0); }
  /// Changes a parameter that is flagged `scheduled`; the device goes on as it is.
  void set(double seconds, std::uint32_t param, double value) { device_.set(seconds, param, value); }
  /// The variable as an event at that time would meet it; changes nothing.
  double read(double seconds, std::uint32_t variable) { return device_.read(seconds, 0, variable); }
  const Model& model() const { return device_.model(); }
  const std::vector<double>& params() const { return device_.params(); }

  using State = Devices::State;
  State save() const { return device_.save(); }
  void restore(const State& s) { device_.restore(s); }

 private:
  Devices device_;
};

}  // namespace spinet::tool
