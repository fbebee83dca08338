#include "network/scheduling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "network/places.hpp"

namespace spinet::reading {
namespace {

constexpr std::size_t most_entries = 1'000'000, most_events = 10'000'000;

}  // namespace

std::uint32_t lasting_field(const Stimulus& s) {
  std::uint32_t i = 0;
  while (i < s.count && !(s.fields[i].flags & lasting)) ++i;
  return i;
}

void Entries::add(ScheduledControl c, From from, const Going& value, const Times& train,
                  const Times& repeat) {
  c.course = value.course;
  if (value.waveform()) add_waveform(std::move(c), from, value, train, repeat);
  else if (c.sets() && repeat.count > 1 && std::holds_alternative<std::monostate>(c.course))
    repeated_.push_back({std::move(c), from, repeat});
  else add_times(std::move(c), from, value, train, repeat);
}

/// A value that is set again and again is one setting if nothing else sets it in between.
void Entries::settle() {
  using Value = std::tuple<bool, std::uint32_t, std::uint32_t>;  // projection or population, number, field
  std::map<Value, std::size_t> setters;
  const auto value_of = [&](const ScheduledControl& c) {
    const auto* const p = projection_of(c.to.places[0]);
    return p ? Value{true, *p, c.field}
             : Value{false, population_with(l_.net, std::get<GidRange>(c.to.places[0]).first), c.field};
  };
  for (const auto& e : all_)
    if (e.control.sets()) ++setters[value_of(e.control)];
  for (const auto& r : repeated_) ++setters[value_of(r.control)];
  for (const auto& r : repeated_)
    add_times(r.control, r.from, {}, {}, setters[value_of(r.control)] > 1 ? r.repeat : Times{});
  repeated_.clear();
}

void Entries::add_times(ScheduledControl c, From from, const Going& value, Times train, Times repeat) {
  if (value.ramps() && train.count == 1 && (repeat.count == 1 || repeat.endless)) {
    r_.errors.error(
        value.node->mark,
        repeat.endless ? "a value that goes from one to another needs a 'count' of the repeats"
                       : "a value that goes from one to another needs several events",
        repeat.endless ? "" : "for example repeat: {every: 10 ms, count: 50}, or a pulse with a count");
    return;
  }
  if (train.count == 1) std::swap(train, repeat);
  // A train that repeats is kept as as many trains as there are repeats, or as repeats of each of its values.
  const bool of_values = value.ramps() && repeat.count > 1;
  const Times outer = of_values ? train : repeat, inner = of_values ? repeat : train;
  const Tick first = c.tick;
  for (std::uint64_t i = 0; i < outer.count; ++i) {
    ScheduledControl one = c;
    one.tick = first + static_cast<Tick>(i) * outer.every;
    one.every = inner.every;
    one.count =
        static_cast<std::uint32_t>(value.ramps() && !of_values ? inner.count : before_end(one.tick, inner));
    if (of_values) {
      ScheduledControl step = c;  // the i-th of its values
      step.every = 1;
      step.count = static_cast<std::uint32_t>(outer.count);
      one.value[one.course_of] = step.value_at(step.tick + static_cast<Tick>(i));
      one.course = std::monostate();
    }
    const Tick begin = one.tick;
    if (!push(std::move(one), from, before_end(begin, inner))) return;
    if (outer.every == 0 || l_.net.duration - begin <= outer.every) return;  // and no sum can overflow
  }
}

void Entries::add_waveform(ScheduledControl c, From from, const Going& value, const Times& train,
                           const Times& repeat) {
  if (train.count > 1 || repeat.count > 1) {
    r_.errors.error(value.node->mark,
                    "a waveform goes on by itself: its forms have a 'period', and it has 'until'");
    return;
  }
  auto& w = std::get<Waveform>(c.course);
  const std::uint32_t duration = c.stimulus ? lasting_field(*c.stimulus) : 0;
  if (c.stimulus && duration < c.stimulus->count) {
    // What lasts follows without a gap, unless the resolution says otherwise.
    const double exact = c.value[duration] / l_.net.seconds_per_tick;
    const auto width = static_cast<Tick>(std::ceil(std::min(exact, 0x1p60) * (1 - 1e-9)));
    if (!value.node->find("resolution")) w.resolution = std::max<Tick>(1, width);
    if (w.resolution < width) {
      const auto text = [&](Tick t) { return r_.time_text(static_cast<double>(t)); };
      r_.errors.error(value.node->mark,
                      fmt::format("what lasts {} cannot come every {}: it would overlap", text(width),
                                  text(w.resolution)),
                      "a longer resolution");
      return;
    }
  }
  const double length = static_cast<double>(std::max<Tick>(std::min(w.until, l_.net.duration) - c.tick, 0));
  const bool steps = w.resolution > 0 && !(c.sets() && has_follower(c));
  push(std::move(c), from,
       1 + (steps ? static_cast<std::uint64_t>(length / static_cast<double>(w.resolution)) : 0));
}

/// Is it neurons or sources that know what to do with a waveform?
bool Entries::has_follower(const ScheduledControl& c) const {
  const auto* const r = std::get_if<GidRange>(&c.to.places[0]);
  if (!r) return false;
  const Population& p = l_.net.populations[population_with(l_.net, r->first)];
  return p.source() || (p.neuron()->following && p.neuron()->following->followed == c.field);
}

std::uint64_t Entries::before_end(Tick tick, const Times& t) const {
  if (t.count <= 1 || tick >= l_.net.duration) return 1;
  return std::min<std::uint64_t>(t.count,
                                 static_cast<std::uint64_t>((l_.net.duration - tick - 1) / t.every) + 1);
}

bool Entries::push(ScheduledControl c, From from, std::uint64_t times) {
  events_ += times;
  if (all_.size() >= most_entries || events_ > most_events) {
    const bool events = events_ > most_events;
    if (!full_)
      r_.errors.error(from.mark,
                      fmt::format("more than {} {}", events ? most_events : most_entries,
                                  events ? "scheduled events" : "entries"),
                      events ? "" : "a repeat or train is one entry, however long it is");
    full_ = true;
    return false;
  }
  if (c.count == 1) c.every = 0;
  all_.push_back({std::move(c), from.mark, from.number});
  return true;
}

std::vector<Entry> Entries::sorted() {
  settle();
  const auto earlier = [](const Entry& a, const Entry& b) {
    return std::tie(a.control.tick, a.number) < std::tie(b.control.tick, b.number);
  };
  std::stable_sort(all_.begin(), all_.end(), earlier);
  return std::move(all_);
}

}  // namespace spinet::reading
