// Values of the schedule that may go their own way: ramps over the times of an entry, and waveforms.  Private
// to engine/network.
#pragma once
#include "network/parts.hpp"

namespace spinet::reading {

/// A value as it is written.
struct Going {
  double from = 0;
  ValueCourse course{};
  const Node* node = nullptr;  ///< where it is written, if it is a ramp or a waveform
  const Waveform* waveform() const { return std::get_if<Waveform>(&course); }
  bool ramps() const { return std::holds_alternative<Ramp>(course); }
};

/// A number, {from: a, to: b} or {waveform: ...}.  False after an error.  A waveform has times from `begin`
/// on.
bool load_going(Loading& l, const Node& n, const Wanted& w, Tick begin, Going& value);
/// Does a map say how a value goes, rather than what it is drawn from?
inline bool is_going(const Node& n) { return n.find("from") || n.find("to") || n.find("waveform"); }

/// How often an entry happens.
struct Times {
  std::uint64_t count = 1;
  Tick every = 0;
  bool endless = false;  ///< `count` is but a bound
};
/// `repeat: {every: 10 ms, count: 50}`
bool load_times(Loading& l, const Node& n, Times& t);

std::span<const Key> repeat_keys();
std::span<const Key> ramp_keys();
std::span<const Key> waveform_keys();
/// The forms of a waveform, each with its keys.
std::span<const Named> waveform_forms();

}  // namespace spinet::reading
