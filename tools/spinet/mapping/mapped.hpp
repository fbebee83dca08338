// Weights on devices: written by write and verify, read by events.  Whatever the device, all that is known of
// it is that a pulse up raises what an event finds and a pulse down lowers it.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "network/devices.hpp"
#include "spinet/write_verify.hpp"

namespace spinet::mapping {

/// Readings between which devices are used, in the unit of what they transmit.
struct Range {
  double low = 0, high = 0;
  double span() const { return high - low; }
};

/// One pulse each way, of one stimulus: the first of its values is its amplitude, the second its width.
struct Pulses {
  Control up, down;
  double period = 20e-3;  ///< from read to read, with a pulse half way [s]
};

/// These devices, but none stuck or worn: what a pulse does to one that works.
Devices::Make in_order(const SynapseTable&, Devices::Make);

/// A range as it was found, and what as many pulses up again raise the mean by, with its standard error:
/// devices drift and have noise, which may look like a range, too.
struct FoundRange : Range {
  double rise = 0, error = 0;
};
/// Where `most` pulses up and then down bring devices of these parameters that do not differ and are in
/// order: means over 64, less 5 % at either end.
FoundRange range_of(const SynapseTable&, const Devices::Make& common, const Pulses&, std::uint32_t most);

/// How weights become readings, for all projections alike.
struct Scheme {
  Pulses pulses;
  WriteVerify rule;  ///< amplitudes and widths are those of `pulses`
  Range range;
  /// Two devices are a weight, one for either sign; else one is, and the middle of the range is a weight of
  /// 0.
  bool pairs = true;
};
/// `tolerance`: share of the range.
Scheme scheme_of(const Pulses&, const Range&, double tolerance, std::uint32_t most);

struct Written {
  std::uint64_t devices = 0, reached = 0;  ///< within the tolerance
  double pulses = 0;                       ///< mean number
  /// Root of the mean square of what is off, read without noise, over the range: of each device as it was
  /// done, and of all when the last one was.
  double error = 0, error_at_end = 0;
  double seconds = 0;  ///< when all were done
};
/// Brings each device's reading to what is wanted of it, all side by side, from `seconds` on.
Written write(Devices&, const Scheme&, std::span<const double> wanted, double seconds);

/// What these devices have spent [nJ]; 0 where they do not count it.
double spent(const Devices&, const SynapseTable&, double seconds);

/// Devices that have been written, as they are at some time: all that reads of them depend on.
struct Kept {
  Devices::Make make;  ///< its `own`: drawn parameters, and variables that networks may initialise
  Range range;
  bool pairs = true;
  double greatest = 0;  ///< weight of the whole range
  double sum = 0;       ///< of all readings as they were written, with which later ones are compensated
  /// Where these variables do not say all (of a device that relaxes, its past; of noise, how far it has
  /// come): everything, as the model itself has it at `seconds`.  The same build of the model alone can make
  /// something of it.
  Devices::State state{};
  double seconds = 0;
};

/// The weights of one projection.  A weight of the greatest size takes the whole range.
class Mapped {
 public:
  /// `make.count` must be `devices_of(weights, scheme)`.
  Mapped(const SynapseTable&, Devices::Make make, const Scheme&, std::span<const float> weights);
  static std::uint32_t devices_of(std::size_t weights, const Scheme&);

  Written write();
  /// Weights as events find them so long after `write`.  With `compensated`, times the ratio of all readings
  /// together after writing to those now.
  enum class Reading : std::uint8_t { plain, compensated };
  void read(double seconds, Reading, std::span<float> weights);
  /// The same at the time of the last read, in the mean of the noise of reads; nothing is drawn.
  void in_mean(Reading, std::span<float> weights) const;
  /// Devices that were written earlier; time 0 is that for which they were kept.  Throws
  /// std::invalid_argument: states of another size.
  Mapped(const SynapseTable&, Kept);
  /// As they are at the last time of `read`: by the variables that networks may initialise, where these say
  /// all that reads depend on, now and an hour later, else (what relaxes, what is noisy) by their states.
  Kept kept() const;
  /// What is off at the last time of `read`, as Written has it.
  double error() const;
  std::size_t size() const { return devices_.size() / (scheme_.pairs ? 2 : 1); }  ///< weights
  /// What a read of each weight costs [nJ], by one read now; nothing where devices do not count it.
  std::vector<double> cost_of_read(double seconds);
  /// What all devices have spent by the end of `write` [nJ]; 0 where they do not count it.
  double spent() const;

 private:
  double wanted(std::uint32_t device) const;
  static double sum(std::span<const double> readings);
  void put(std::span<const double> readings, Reading, std::span<float> weights) const;
  bool same_reads(const Kept&) const;
  Kept with_states(Kept) const;
  const SynapseTable& table_;
  Devices::Make make_;
  Devices devices_;
  Scheme scheme_;
  std::vector<float> weights_;
  std::vector<double> found_;
  double greatest_ = 0, end_ = 0, sum_ = 0;
  double now_ = 0;  ///< of the last read
};

}  // namespace spinet::mapping
