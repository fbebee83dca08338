// What the schedule has happen, one entry for all the times that it does.
#pragma once
#include <cstdint>
#include <variant>
#include <vector>

#include "network/address.hpp"
#include "network/distribution.hpp"
#include "network/waveform.hpp"
#include "spinet/stimulus.hpp"

namespace spinet {

/// Equal steps from `value[course_of]` to `to` over the times of an entry.
struct Ramp {
  double to;
  bool operator==(const Ramp&) const = default;
};
/// What becomes of one of the values of an entry over its times: nothing; drawn anew by every neuron each
/// time (`set`); a ramp; a waveform, which begins at `tick` and has times of its own.
using ValueCourse = std::variant<std::monostate, Distribution, Ramp, Waveform>;

/// Sorted by tick, file order within a tick.
struct ScheduledControl {
  enum class Kind : std::uint8_t {
    set,           ///< `value[0]` is a parameter's, of one population or projection
    transmission,  ///< `value[0]` multiplies what synapses of the projections transmit
    stimulus,      ///< `value` is handed to models that have `stimulus`
  };
  Tick tick = 0;
  Kind kind = Kind::set;
  std::uint32_t field = 0;             ///< set: index of the parameter in `Model::params`
  const Stimulus* stimulus = nullptr;  ///< stimulus: as some model of the network declares it
  double value[most_stimulus_values] = {0, 0, 0, 0};
  Address to{};
  Tick every = 0;  ///< it happens `count` times, at tick, tick + every, ...
  std::uint32_t count = 1;
  ValueCourse course{};
  std::uint32_t course_of = 0;  ///< index in `value`

  const Distribution* drawn() const { return std::get_if<Distribution>(&course); }
  const Waveform* waveform() const { return std::get_if<Waveform>(&course); }
  bool sets() const { return kind == Kind::set; }
  /// The time at which it happens next, after it has at `t`; `never` after the last.  `follows`: those whom
  /// it concerns follow its waveform by themselves.
  enum class Whom : std::uint8_t { all, followers };
  Tick after(Tick t, Whom whom = Whom::all) const;
  /// The last time before `end` at which it happens; at least one is.
  Tick last_before(Tick end, Whom whom = Whom::all) const;
  /// `value[course_of]` at one of its times, where it is not drawn.
  double value_at(Tick t) const;
  /// For models: all values at one of its times.
  Control control_at(Tick t) const;
};

/// Does the schedule change what projection `p` transmits?
bool is_switched(const std::vector<ScheduledControl>& schedule, std::uint32_t p);
/// Does the schedule set parameters of projection `p`?
bool is_set(const std::vector<ScheduledControl>& schedule, std::uint32_t p);
/// Does a waveform drive parameter `field` of any of these neurons?
bool is_driven(const std::vector<ScheduledControl>& schedule, std::uint32_t field, GidRange who);

}  // namespace spinet
