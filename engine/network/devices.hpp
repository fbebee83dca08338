// Devices of any synapse model without a network: stimuli go in, and what an event finds comes out.  Their
// targets are at rest and never spike.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "network/extended.hpp"
#include "spinet/synapse.hpp"

namespace spinet {

class Devices {
 public:
  static constexpr double ticks_per_second = 1e9;
  /// A parameter flagged `spread`, or an initial value, in which synapses differ.
  struct Own {
    bool is_param = true;
    std::uint32_t index = 0;  ///< in the model's table
    /// Of each synapse; of one of several devices each device's, one after the other.
    std::vector<double> values;
  };
  /// What they are made of: one number per parameter and one per variable, those that the model computes
  /// excepted; `first` and `seed` tell random numbers of devices apart.
  struct Make {
    std::vector<double> params, initial;
    std::uint32_t seed = 1, first = 0, count = 1;
    std::vector<Own> own{};
  };
  Devices(const SynapseTable& table, Make make);
  Devices(Devices&&) noexcept;
  Devices& operator=(Devices&&) noexcept;
  ~Devices();

  std::uint32_t size() const;
  const Model& model() const;
  const std::vector<double>& params() const;
  /// A stimulus, for one or for all.  Times are in seconds and do not go back.
  void apply(double seconds, const Control& control, std::uint32_t device);
  void apply(double seconds, const Control& control);
  /// What an event of one source that arrives then finds: the weight of one, or of all.
  double transmit(double seconds, std::uint32_t device);
  void transmit(double seconds, std::span<double> weights);
  /// The variable as an event at that time would meet it; changes nothing.
  double read(double seconds, std::uint32_t device, std::uint32_t variable) const;
  /// Changes a parameter that is flagged `scheduled`; devices go on as they are.
  void set(double seconds, std::uint32_t param, double value);

  using State = std::vector<std::byte>;
  State save() const;
  void restore(const State&);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// How many devices a synapse with these parameters is.
std::uint32_t devices_of_synapse(const SynapseTable& table, std::span<const double> params);

}  // namespace spinet
