// Entries of the schedule while they are read.  Private to engine/network.
#pragma once
#include <cstddef>
#include <vector>

#include "network/going.hpp"
#include "network/parts.hpp"

namespace spinet::reading {

struct Entry {
  ScheduledControl control;
  Mark mark;
  std::size_t number;  ///< which entry of the file made it
};

/// The field that says how long a stimulus lasts; their number if none does.
std::uint32_t lasting_field(const Stimulus& s);

/// Entries that are good, with all their times.
class Entries {
 public:
  explicit Entries(Loading& l) : l_(l), r_(l.read) {}
  struct From {
    Mark mark;
    std::size_t number;
  };
  /// A ramp goes over the pulses of a train, or else over the repeats; a waveform has times of its own.
  void add(ScheduledControl c, From from, const Going& value, const Times& train, const Times& repeat);
  /// How often something happens that begins at `tick`.
  std::uint64_t before_end(Tick tick, const Times& t) const;
  /// All of them by their first time, then in the order of the file.
  std::vector<Entry> sorted();

 private:
  struct Repeated {
    ScheduledControl control;
    From from;
    Times repeat;
  };
  void settle();
  void add_times(ScheduledControl c, From from, const Going& value, Times train, Times repeat);
  void add_waveform(ScheduledControl c, From from, const Going& value, const Times& train,
                    const Times& repeat);
  bool push(ScheduledControl c, From from, std::uint64_t times);
  bool has_follower(const ScheduledControl& c) const;

  Loading& l_;
  Reader& r_;
  std::vector<Entry> all_;
  std::vector<Repeated> repeated_;  ///< settings of one value, whose times are not known before all are
  std::uint64_t events_ = 0;
  bool full_ = false;
};

/// Looks through all entries, sorted by time, for what only shows together: parameters that contradict each
/// other, and waveforms that drive one thing at one time.
void check_schedule(Loading& l, const std::vector<Entry>& all);

}  // namespace spinet::reading
