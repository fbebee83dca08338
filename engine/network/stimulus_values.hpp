// The values of a stimulus in the schedule: numbers, one that goes its own way, pulses in a train.
#pragma once
#include "network/going.hpp"
#include "network/parts.hpp"
#include "network/scheduling.hpp"

namespace spinet::reading {

class StimulusValues {
 public:
  /// Of an entry whose stimulus and time are known; its values are put into it.
  StimulusValues(Loading& l, ScheduledControl& c) : l_(l), r_(l.read), c_(c) {}
  /// One number, or a map of them, of which one may go its own way: that is left in `value`.  False after an
  /// error.
  bool read(const Node& n, Going& value, Times& train);
  /// Does the next begin when the one before is over?
  bool fit(const Times& train, const Times& repeat, Mark where) const;

 private:
  /// Value `i`; what goes its own way is left in `going`.
  bool number(std::uint32_t i, const Node& given, const char* what, Going& going);
  bool train_of(const Node& n, double width, Times& train);
  double seconds(Tick ticks) const { return static_cast<double>(ticks) * l_.net.seconds_per_tick; }

  Loading& l_;
  Reader& r_;
  ScheduledControl& c_;
};

}  // namespace spinet::reading
