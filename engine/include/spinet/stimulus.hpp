// What reaches models from outside beside events: voltage pulses, fields, reads, rewards, whatever a model
// declares. The table drives keys, units, ranges and messages of schedules, `spinet models` and the JSON
// schema; the engine knows none of them.
//
//   static constexpr Stimulus stimuli[] = {device::pulse, device::read};   // Control::stimulus counts these
//   enum { pulse, read };
#pragma once
#include <cstdint>

#include "spinet/field.hpp"

namespace spinet {

/// The most numbers that a stimulus has.
inline constexpr std::uint32_t most_stimulus_values = 4;

/// Properties of a stimulus; combined with |.
enum StimulusFlag : std::uint32_t {
  /// Reaches the synapses of projections that are named, all or some of them; never neurons, never everyone.
  wired = 1,
  scored = 2,   ///< posted by an environment: its numbers are the environment's metrics
  batched = 4,  ///< posted by an environment at the end of a batch, whose number it holds
};

struct Stimulus {
  const char* name;     ///< its key in schedules; all models that share a name share the rest
  const char* does;     ///< what synapses and neurons with it do, for messages: "respond to voltage pulses"
  const char* doc;      ///< one line
  const Field* fields;  ///< of the numbers in `Control::value`; null where there are none
  std::uint32_t count;
  std::uint32_t flags;
  const char* logs;  ///< of synapses: the variable that is logged each time it has come, or null
};

/// A number of a stimulus.  `required` and `lasting` are for these fields alone.
constexpr Field stimulus_value(const char* name, const char* unit, const char* doc, Range range = any(),
                               std::uint32_t flags = 0) {
  return {name, unit, doc, 0, range.low, range.high, flags | range.flags, Type::f64, no_place, 0, nullptr};
}
/// One of some names, separated by spaces; the number counts them from 0, and 0 is what stands where none is
/// given.
constexpr Field stimulus_choice(const char* name, const char* choices, const char* doc) {
  double last = 0;
  for (const char* c = choices; *c; ++c) last += *c == ' ';
  Field f = stimulus_value(name, "1", doc, between(0, last), integer);
  f.choices = choices;
  return f;
}
template <std::uint32_t N>
constexpr Stimulus stimulus(const char* name, const char* does, const char* doc, const Field (&fields)[N],
                            std::uint32_t flags = 0) {
  static_assert(N <= most_stimulus_values);
  return {name, does, doc, fields, N, flags, nullptr};
}

/// One stimulus as models see it: network-wide or addressed, known to all ranks before its window.
struct Control {
  std::uint32_t stimulus = 0;  ///< which of the model's own `stimuli`; of a posting: of its `posts`
  std::uint32_t reserved = 0;
  double value[most_stimulus_values] = {0, 0, 0, 0};  ///< one for each of its fields
};

}  // namespace spinet
