#include "core/actions.hpp"

#include <algorithm>

namespace spinet {
namespace {

/// The first of first, first + every, ... from `from` on.
Tick from_on(Tick first, Tick every, Tick from) {
  return first >= from || every <= 0 ? first : first + (from - first + every - 1) / every * every;
}

}  // namespace

Actions::Actions(const Network& net, Tick from) : network_(&net) {
  std::size_t order = net.schedule.size();
  const auto sampled = [&](const auto& r, std::int32_t report, std::int32_t weights) {
    const Action a{from_on(r.from, r.every, from), nullptr, report, weights};
    add({a, order++, r.every, std::min(r.to, net.duration), nullptr});
  };
  for (std::size_t r = 0; r < net.reports.size(); ++r) sampled(net.reports[r], static_cast<std::int32_t>(r), -1);
  for (std::size_t w = 0; w < net.weights.size(); ++w) sampled(net.weights[w], -1, static_cast<std::int32_t>(w));
  for (std::uint32_t w = 0; w < net.weight_events.size(); ++w, order += 2) add_weight_events(w, order, from);
  // Entries of the schedule that began before `from` and go on.
  for (; next_scheduled_ < net.schedule.size() && net.schedule[next_scheduled_].tick < from; ++next_scheduled_) start_scheduled(from);
}

void Actions::add_weight_events(std::uint32_t w, std::size_t order, Tick from) {
  const WeightEventRecording& r = network_->weight_events[w];
  Action a{0, nullptr, -1, -1, static_cast<std::int32_t>(w), true};
  Series at{a, order, 0, network_->duration, &r.at};
  while (at.next_at < r.at.size() && r.at[at.next_at] < from) ++at.next_at;
  if (at.next_at < r.at.size() && !r.reads) {  // reads log what they have read when they act
    at.action.tick = r.at[at.next_at];
    add(at);
  }
  if (!r.on_change) return;
  // What postsynaptic spikes alone have changed shows every second of model time, where a catch-up would write it: at
  // `from`, with all values, and then at whole seconds.
  const Tick second = std::max<Tick>(1, static_cast<Tick>(1000 * network_->ticks_per_ms()));
  a.tick = r.from >= from ? r.from : (from + second - 1) / second * second;
  a.all = a.tick == r.from;
  Series s{a, order + 1, second, std::min(r.to, network_->duration), nullptr};
  while (s.action.tick < s.end && std::binary_search(r.at.begin(), r.at.end(), s.action.tick))
    if (!advance(s)) return;
  add(s);
}

void Actions::start_scheduled(Tick from) {
  const ScheduledControl& s = network_->schedule[next_scheduled_];
  const Tick first = from_on(s.tick, s.count > 1 ? s.every : 0, from);
  if (first < from) return;
  Tick end = network_->duration;
  if (s.count == 1 || s.count - 1 <= (end - s.tick) / s.every) end = std::min(end, s.tick + (s.count - 1) * s.every + 1);
  add({{first, &s, -1, -1}, next_scheduled_, s.count > 1 ? s.every : 0, end, nullptr});
}

void Actions::add(const Series& s) {
  if (s.action.tick >= s.end) return;
  series_.push_back(s);
  std::push_heap(series_.begin(), series_.end(), later);
}

/// To its next time; says whether there is one.
bool Actions::advance(Series& s) const {
  Action& a = s.action;
  if (s.at) {
    if (++s.next_at == s.at->size()) return false;
    a.tick = (*s.at)[s.next_at];
  } else if (a.events >= 0) {
    const auto& at = network_->weight_events[static_cast<std::size_t>(a.events)].at;
    a.all = false;
    do a.tick = (a.tick / s.every + 1) * s.every;
    while (a.tick < s.end && std::binary_search(at.begin(), at.end(), a.tick));
  } else {
    if (s.every <= 0) return false;
    a.tick += s.every;
  }
  return a.tick < s.end;
}

Tick Actions::next() const {
  const Tick begun = series_.empty() ? never : series_.front().action.tick;
  if (!network_ || next_scheduled_ == network_->schedule.size()) return begun;
  const Tick scheduled = network_->schedule[next_scheduled_].tick;
  return std::min(begun, scheduled < network_->duration ? scheduled : never);
}

void Actions::take(Tick to, std::vector<Action>& out) {
  for (Tick now = next(); now < to; now = next()) {
    const auto& schedule = network_->schedule;
    for (; next_scheduled_ < schedule.size() && schedule[next_scheduled_].tick <= now; ++next_scheduled_) start_scheduled(now);
    while (!series_.empty() && series_.front().action.tick == now) {
      std::pop_heap(series_.begin(), series_.end(), later);
      out.push_back(series_.back().action);
      if (advance(series_.back())) std::push_heap(series_.begin(), series_.end(), later);
      else series_.pop_back();
    }
  }
}

}  // namespace spinet
