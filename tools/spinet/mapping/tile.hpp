// A tile of devices that learns by their own pulses: T. Gokmen, Y. Vlasov, "Acceleration of deep neural
// network training with resistive cross-point devices: design considerations" (2016).  Rows (sources) and
// columns (targets) send trains of pulses at random; where two meet, the device between them gets one.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "mapping/mapped.hpp"
#include "spinet/random.hpp"

namespace spinet::mapping {

struct TileShape {
  std::uint32_t sources = 0, targets = 0;
  std::uint32_t size() const { return sources * targets; }
};

/// What changes weights: the target's number times the source's, times `rate`.
struct Outer {
  std::span<const double> sources, targets;
  double rate = 0;
};

/// A device for each weight, [target][source], and one that it is compared with: of the same kind, as old,
/// and never pulsed while the other learns, so that what both do by themselves is no change of the weight.
struct TileDevices {
  Devices::Make weights, references;
};

/// Trains of pulses so far.  One that ought to have more pulses than slots is saturated: it has one in each,
/// and weights change by less than they should.
struct Trains {
  std::uint64_t sent = 0, saturated = 0;
  double wanted = 0, made = 0;  ///< sums of the sizes of changes, as asked for and in the mean
};

class Tile {
 public:
  /// A device's range is 2 `reach` of weight.  References are written to its middle.
  Tile(const SynapseTable&, const TileDevices&, const Scheme&, const TileShape&, double reach);

  /// Writes and verifies, from the present time on.
  Written write(std::span<const float> weights);
  /// Pulses every device up and down in turn, so many times, and makes what it then reads a weight of 0:
  /// there one pulse up and one down undo each other.
  void balance(std::uint32_t pulses);
  /// The weights as one read of all devices finds them.
  void read(std::span<float> weights);
  /// Trains of `slots` pulses, at most 32, of such probabilities that weights change by `outer` in the mean,
  /// if every pulse changes one by `step()`.  `draw` tells updates apart.
  void update(const Outer& outer, std::uint32_t slots, RandomKey draw);
  /// Mean change of a weight by a pulse, of either sign, at the middle of the range.
  double step() const { return step_; }
  std::uint64_t pulses() const { return pulses_; }  ///< on all devices, by update()
  const Trains& trains() const { return trains_; }  ///< by update()
  /// What all devices have spent so far [nJ]; 0 where they do not count it.
  double spent() const;

 private:
  void measure_step(const SynapseTable&, Devices::Make make);
  const SynapseTable& table_;
  Devices devices_, references_;
  Scheme scheme_;
  TileShape shape_;
  double reach_, step_ = 0, now_ = 0;
  std::uint64_t pulses_ = 0;
  Trains trains_;
  std::vector<double> found_, zero_;  ///< the last readings
};

}  // namespace spinet::mapping
