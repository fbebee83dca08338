#include "network/scheduled.hpp"

#include <algorithm>
#include <iterator>

namespace spinet {
namespace {

/// A stimulus that is over by itself, such as a pulse, leaves no value that would stay at a waveform's end.
bool is_over_by_itself(const ScheduledControl& c) {
  if (c.kind != ScheduledControl::Kind::stimulus) return false;
  const Stimulus& s = *c.stimulus;
  return std::any_of(s.fields, s.fields + s.count, [](const Field& f) { return f.flags & lasting; });
}

}  // namespace

Tick ScheduledControl::after(Tick t, Whom whom) const {
  if (const Waveform* const w = waveform()) {
    if (t >= w->until) return never;
    const Tick next = whom == Whom::followers ? w->next_segment(t - tick) : w->next_change(t - tick);
    const Tick then = next == never ? w->until : std::min(tick + next, w->until);
    return then == w->until && is_over_by_itself(*this) ? never : then;
  }
  if (count == 1 || (t - tick) / every + 1 >= static_cast<Tick>(count)) return never;
  return t + every;
}

Tick ScheduledControl::last_before(Tick end, Whom whom) const {
  if (const Waveform* const w = waveform()) {
    if (end > w->until && !is_over_by_itself(*this)) return w->until;
    end = std::min(end, w->until);
    // Changes come at multiples of the resolution and at corners: the last of either.
    Tick last = tick;
    if (const Tick step = w->resolution; step > 0 && (whom == Whom::all || !w->chirps.empty()))
      last = tick + (end - 1 - tick) / step * step;
    for (Tick t = w->next_corner(last - tick); t != never && tick + t < end; t = w->next_corner(t))
      last = tick + t;
    return last;
  }
  return count == 1 ? tick : tick + std::min<Tick>(count - 1, (end - 1 - tick) / every) * every;
}

double ScheduledControl::value_at(Tick t) const {
  const double from = value[course_of];
  if (const Waveform* const w = waveform()) return w->at(t - tick);
  const Ramp* const ramp = std::get_if<Ramp>(&course);
  if (!ramp || count == 1) return from;
  const Tick i = (t - tick) / every;
  if (i == 0 || i + 1 == static_cast<Tick>(count)) return i == 0 ? from : ramp->to;
  return from + (ramp->to - from) * static_cast<double>(i) / static_cast<double>(count - 1);
}

Control ScheduledControl::control_at(Tick t) const {
  Control c;
  std::copy(std::begin(value), std::end(value), c.value);
  c.value[course_of] = value_at(t);
  return c;
}

bool is_switched(const std::vector<ScheduledControl>& schedule, std::uint32_t p) {
  return std::any_of(schedule.begin(), schedule.end(), [p](const ScheduledControl& c) {
    return c.kind == ScheduledControl::Kind::transmission && c.to.names(p);
  });
}

bool is_set(const std::vector<ScheduledControl>& schedule, std::uint32_t p) {
  return std::any_of(schedule.begin(), schedule.end(),
                     [p](const ScheduledControl& c) { return c.sets() && c.to.names(p); });
}

bool is_driven(const std::vector<ScheduledControl>& schedule, std::uint32_t field, GidRange who) {
  return std::any_of(schedule.begin(), schedule.end(), [&](const ScheduledControl& c) {
    if (!c.sets() || c.field != field || !c.waveform()) return false;
    return std::any_of(c.to.places.begin(), c.to.places.end(), [&](const Place& place) {
      const auto* r = std::get_if<GidRange>(&place);
      return r && r->first < who.first + who.count && who.first < r->first + r->count;
    });
  });
}

}  // namespace spinet
