// One synapse of any model on a bench, without a network: pulses and fields go in, its variables are read.
#pragma once
#include <string>
#include <vector>

#include "core/block/history.hpp"
#include "core/buffer.hpp"
#include "spinet/synapse.hpp"

namespace spinet::tool {

class DeviceBench {
 public:
  static constexpr double ticks_per_second = 1e9;
  /// `params`: one per parameter; `initial`: one per variable, those that the model computes excepted.
  DeviceBench(const SynapseTable& table, const std::vector<double>& params,
              const std::vector<double>& initial, std::uint32_t seed);
  void apply(double seconds, const Control& control);
  double read(double seconds, std::uint32_t variable);

 private:
  Slice at(double seconds);
  const SynapseTable& t_;
  Buffer<std::byte> shared_, state_, slice_state_;
  std::uint32_t seed_;
  std::vector<std::uint32_t> reads_;
  NeuronTable neuron_{};
  NeuronBlock block_{};
  PostHistories silent_{1, 0, 0, 1};
};

/// "2.5 V 5 ms", "50 x -2.35 V 5 ms every 10 ms"
struct PulseSeries {
  std::uint64_t count = 1;
  double amplitude = 0, width = 0, period = 0;  ///< V, s, s; period 0: none given
};
/// Series separated by commas; throws UserError.
std::vector<PulseSeries> read_pulses(const std::string& text);

}  // namespace spinet::tool
