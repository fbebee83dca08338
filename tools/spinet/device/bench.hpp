// One synapse of any model on a bench, without a network: stimuli go in, its variables are read.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/block/history.hpp"
#include "core/buffer.hpp"
#include "network/extended.hpp"
#include "spinet/synapse.hpp"

namespace spinet::tool {

class DeviceBench {
 public:
  static constexpr double ticks_per_second = 1e9;
  /// What a device is made of: one number per parameter and one per variable, those that the model computes
  /// excepted; `number` tells the random numbers of devices apart.
  struct Make {
    std::vector<double> params, initial;
    std::uint32_t seed = 1, number = 0;
  };
  DeviceBench(const SynapseTable& table, Make make);
  void apply(double seconds, const Control& control);
  /// Changes a parameter that is flagged `scheduled`; the device goes on as it is.
  void set(double seconds, std::uint32_t param, double value);
  /// The variable as an event at that time would meet it; changes nothing.
  double read(double seconds, std::uint32_t variable);
  const Model& model() const { return t_.model; }
  const std::vector<double>& params() const { return make_.params; }

  using State = std::vector<std::byte>;
  State save() const;
  void restore(const State& s);

 private:
  Slice at(double seconds);
  void prepare(Buffer<std::byte>& shared, std::vector<double>& raw) const;
  Make make_;
  std::shared_ptr<const ExtendedTable> extended_;  ///< where the parameters ask for more than the `State`
  const SynapseTable& t_;
  std::vector<double> raw_;  ///< the model's `Params`
  Buffer<std::byte> shared_, state_, slice_state_;
  std::vector<std::uint32_t> reads_;
  NeuronTable neuron_{};
  NeuronBlock block_{};
  Gid gid_;
  PostHistories silent_{1, 0, 0, 1};
};

}  // namespace spinet::tool
