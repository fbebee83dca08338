#include "core/actions.hpp"

#include <algorithm>
#include <set>

#include "network/lookup.hpp"

namespace spinet {
namespace {

/// The first of first, first + every, ... from `from` on.
Tick from_on(Tick first, Tick every, Tick from) {
  return first >= from || every <= 0 ? first : first + (from - first + every - 1) / every * every;
}

}  // namespace

void mark_complete(std::span<Action> actions) {
  const auto less = [](const Address* a, const Address* b) { return *a < *b; };
  std::set<const Address*, decltype(less)> later(less);  // of those that follow in the same run of settings
  for (std::size_t i = actions.size(); i-- > 0;) {
    Action& a = actions[i];
    if (!a.sets() || (i + 1 < actions.size() && actions[i + 1].tick != a.tick)) later.clear();
    if (!a.sets()) continue;
    auto& here = std::get<Ordered>(a.what);
    here.complete = later.insert(&here.entry->to).second;
  }
}

Actions::Actions(const Network& net, Tick from) : network_(&net) {
  std::size_t order = net.schedule.size();
  const auto sampled = [&](const auto& r, auto what) {
    add({{from_on(r.from, r.every, from), what}, order++, r.every, std::min(r.to, net.duration)});
  };
  for (std::uint32_t r = 0; r < net.reports.size(); ++r) sampled(net.reports[r], SampleReport{r});
  for (std::uint32_t w = 0; w < net.weights.size(); ++w) sampled(net.weights[w], SampleWeights{w});
  for (std::uint32_t w = 0; w < net.weight_events.size(); ++w, order += 2) add_weight_events(w, order, from);
  // Entries of the schedule that began before `from` and go on.
  for (; next_scheduled_ < net.schedule.size() && net.schedule[next_scheduled_].tick < from;
       ++next_scheduled_)
    start_scheduled(from);
}

void Actions::add_weight_events(std::uint32_t w, std::size_t order, Tick from) {
  const WeightEventRecording& r = network_->weight_events[w];
  const auto first = std::lower_bound(r.at.begin(), r.at.end(), from);
  if (first != r.at.end())
    add({{*first, SampleEvents{w, true}},
         order,
         0,
         network_->duration,
         static_cast<std::size_t>(first - r.at.begin()) + 1});
  if (!r.on_change) return;
  // What postsynaptic spikes alone have changed shows every second of model time, where a catch-up would
  // write it: at `from`, with all values, and then at whole seconds.
  const Tick second = std::max<Tick>(1, static_cast<Tick>(1000 * network_->ticks_per_ms()));
  const Tick begin = r.from >= from ? r.from : (from + second - 1) / second * second;
  Series s{{begin, SampleEvents{w, begin == r.from}}, order + 1, second, std::min(r.to, network_->duration)};
  while (s.action.tick < s.end && std::binary_search(r.at.begin(), r.at.end(), s.action.tick))
    if ((s.action.tick = after(s)) == never) return;
  add(s);
}

void Actions::start_scheduled(Tick from) {
  const ScheduledControl& c = network_->schedule[next_scheduled_];
  const auto whom =
      c.waveform() && follows(*network_, c) ? ScheduledControl::Whom::followers : ScheduledControl::Whom::all;
  Tick first = c.tick;
  if (first < from) {
    const Tick last = c.last_before(from, whom);
    first = last < from ? c.after(last, whom) : last;
  }
  add({{first, Ordered{&c}}, next_scheduled_, 0, network_->duration, 0, whom});
}

void Actions::add(const Series& s) {
  if (s.action.tick >= s.end) return;
  series_.push_back(s);
  std::push_heap(series_.begin(), series_.end(), later);
}

/// Its next time; `never` if there is none.
Tick Actions::after(Series& s) const {
  const Tick now = s.action.tick;
  if (const Ordered* const o = s.action.ordered()) return o->entry->after(now, s.whom);
  if (auto* const e = std::get_if<SampleEvents>(&s.action.what)) {
    const auto& at = network_->weight_events[e->recording].at;
    if (s.next_at > 0) return s.next_at < at.size() ? at[s.next_at++] : never;
    e->all = false;
    Tick next = now;
    do next = (next / s.every + 1) * s.every;
    while (next < s.end && std::binary_search(at.begin(), at.end(), next));
    return next;
  }
  return now + s.every;
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
    for (; next_scheduled_ < schedule.size() && schedule[next_scheduled_].tick <= now; ++next_scheduled_)
      start_scheduled(now);
    while (!series_.empty() && series_.front().action.tick == now) {
      std::pop_heap(series_.begin(), series_.end(), later);
      Series& s = series_.back();
      out.push_back(s.action);
      s.action.tick = after(s);
      if (s.action.tick < s.end) std::push_heap(series_.begin(), series_.end(), later);
      else series_.pop_back();
    }
  }
}

}  // namespace spinet
