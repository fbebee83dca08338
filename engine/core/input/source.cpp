#include "core/input/source.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "connect/draws.hpp"
#include "core/failure.hpp"
#include "core/finite.hpp"
#include "spinet/math.hpp"
#include "spinet/random_batch.hpp"

namespace spinet {
namespace {

/// Of a unit in a slab: beyond it something is wrong, and memory would end.
constexpr std::size_t most_events = std::size_t{1} << 28;

/// Calls f(entry, gids) for each setting of the schedule that concerns some of these neurons.
template <class F>
void for_settings(const Network& net, GidRange who, F&& f) {
  for (const auto& c : net.schedule) {
    if (!c.sets()) continue;
    for (const Place& place : c.to.places) {
      const auto* const r = std::get_if<GidRange>(&place);
      const Gid from = r ? std::max(r->first, who.first) : 0,
                to = r ? std::min(r->first + r->count, who.first + who.count) : 0;
      if (from < to) f(c, GidRange{from, to - from});
    }
  }
}

/// What events are drawn with where a waveform drives them; most of them stay.
double greatest(const Waveform& w) { return w.bounds().second; }

/// All bits that are set in some of the keys.
inline std::uint32_t bits_of_any(std::span<const std::uint32_t> keys) {
  std::uint32_t bits = 0;
  for (const std::uint32_t key : keys) bits |= key;
  return bits;
}
[[SPINET_WIDE]] std::uint32_t bits_of_wide(std::span<const std::uint32_t> keys) { return bits_of_any(keys); }

}  // namespace

// Over the whole run: of all that the parameters can be.
double Source::peak_rate(const Network& net, std::uint32_t population) {
  const Population& p = net.populations[population];
  const SourceTable* table = p.source();
  std::vector<std::byte> params(table->params_size);
  const auto fill = [&] {
    for (std::uint32_t f = 0; f < p.model->params.count; ++f) {
      const Distribution& d = p.params[f];
      double x = d.a;
      if (d.kind == Distribution::Kind::uniform) x = d.b;
      if (d.kind == Distribution::Kind::normal || d.kind == Distribution::Kind::exponential)
        x = d.a + std::abs(d.b);
      if (d.kind == Distribution::Kind::lognormal) x = math::exp(d.a + d.b);
      if (d.kind == Distribution::Kind::listed)
        for (const double v : d.values) x = std::max(x, v);
      put(params.data(), p.model->params.data[f], x);
    }
  };
  fill();
  double rate = table->rate(params.data());
  for_settings(net, {p.first, p.size}, [&](const ScheduledControl& c, GidRange) {
    const auto* const ramp = std::get_if<Ramp>(&c.course);
    for (const double x :
         {c.waveform() ? greatest(*c.waveform()) : c.value[0], ramp ? ramp->to : c.value_at(c.tick)}) {
      fill();
      put(params.data(), p.model->params.data[c.field], x);
      rate = std::max(rate, table->rate(params.data()));
    }
  });
  if (!std::isfinite(rate) || rate < 0)
    throw ModelFailure(net, population, 0, 0, "the rate is " + shortest(rate) + " per ms");
  return rate / net.ticks_per_ms();
}

Tick Source::slab(const Network& net, Tick shortest_frame) {
  double rate = 0;  // events of a unit per tick, at most
  for (std::uint32_t p = 0; p < net.populations.size(); ++p)
    if (net.populations[p].source()) rate = std::max(rate, peak_rate(net, p) * source_unit);
  Tick length = 65536;  // the longer, the less a pass over the neurons of a unit weighs
  while (length > 256 && rate * static_cast<double>(length) > 768) length /= 2;
  while (length > shortest_frame) length /= 2;
  return length;
}

Source::Source(const Network& net, std::uint32_t population, std::uint32_t unit)
    : network_(&net),
      population_(population),
      first_(unit * source_unit),
      table_(net.populations[population].source()) {
  const Population& p = net.populations[population];
  const std::uint32_t first = unit * source_unit;
  const Network::Identity who = net.population_identity(population);
  const Gid unit_first = p.first + first;
  unit_.first = who.first + first;
  unit_.size = std::min(source_unit, p.size - first);
  unit_.random = stream_key(who, Purpose::source);
  unit_.run = RunInfo{net.ticks_per_ms()};
  params_.resize(std::size_t{table_->params_size} * unit_.size);
  for (std::uint32_t f = 0; f < p.model->params.count; ++f) {
    const Sampler sampler(p.params[f]);
    const RandomKey key = stream_key(who, Purpose::parameter);
    for (std::uint32_t i = 0; i < unit_.size; ++i) {
      const auto w = draw(key, unit_.first + i, f);
      const double x = p.params[f].kind == Distribution::Kind::listed ? p.params[f].values[first + i]
                                                                      : sampler(uniform01(w[0], w[1]));
      put(params_.data() + std::size_t{i} * table_->params_size, p.model->params.data[f], x);
    }
  }
  const auto own = [&](const ListedSpike& s) { return s.index >= first && s.index < first + unit_.size; };
  listed_.reserve(static_cast<std::size_t>(std::count_if(p.listed.begin(), p.listed.end(), own)));
  for (const auto& s : p.listed)
    if (own(s)) listed_.push_back({s.tick, s.index - first});
  for_settings(net, {unit_first, unit_.size}, [&](const ScheduledControl& c, GidRange some) {
    settings_.push_back({&c, some.first - unit_first, some.count, c.tick});
  });
  thinning_ = stream_key(who, Purpose::thinning);
  keys_.resize(64);  // grows with the first slabs
  compare();
}

/// The setting that changes something next, or null.
Source::Setting* Source::next_setting() {
  const auto first = std::min_element(settings_.begin(), settings_.end(),
                                      [](const Setting& a, const Setting& b) { return a.next < b.next; });
  return first == settings_.end() || first->next == never ? nullptr : &*first;
}

/// While a waveform drives neurons, their events are drawn as if the value were its greatest all the time,
/// and thinned.
void Source::apply(Setting& s) {
  const ScheduledControl& c = *s.entry;
  const Waveform* const w = c.waveform();
  const bool begins = w && s.next < w->until;
  if (w && driven_.empty()) driven_.resize(unit_.size);
  const double x = begins ? greatest(*w) : c.value_at(s.next);
  for (std::uint32_t i = s.first; i < s.first + s.count; ++i) {
    put(params_.data() + std::size_t{i} * table_->params_size,
        network_->populations[population_].model->params.data[c.field], x);
    if (!driven_.empty()) driven_[i] = begins ? &c : nullptr;
  }
  s.next = begins ? w->until : c.after(s.next);
  compare();
}

/// Do the neurons of the unit have the same parameters?
void Source::compare() {
  unit_.params_alike = 1;
  for (std::uint32_t i = 1; i < unit_.size; ++i)
    if (std::memcmp(params_.data(), params_.data() + std::size_t{i} * table_->params_size,
                    table_->params_size))
      unit_.params_alike = 0;
}

std::span<const std::uint32_t> Source::events(Tick from, Tick length) {
  unit_.params = params_.data();
  unit_.listed = listed_.data();
  unit_.listed_count = listed_.size();
  EventSink sink{keys_.data(), 0, static_cast<std::uint32_t>(keys_.size())};
  for (Tick at = from; at < from + length;) {
    Setting* next = next_setting();
    for (; next && next->next <= at; next = next_setting()) apply(*next);
    const Tick to = next ? std::min(from + length, next->next) : from + length;
    const std::uint32_t before = sink.size;
    generate(at, to - at, sink);
    if (!driven_.empty()) thin(at, std::span(sink.data + before, sink.size - before), sink);
    if (at > from)
      for (std::uint32_t i = before; i < sink.size; ++i)
        sink.data[i] += static_cast<std::uint32_t>(at - from) << 16;
    at = to;
  }
  return {sink.data, sink.size};
}

/// Keeps of the events drawn last, those of the slab at `from`, as many as the waveforms have there.  An
/// event at t stays with probability rate(t) / greatest rate, which makes a Poisson process of that rate: P.
/// A. W. Lewis and G. S. Shedler, "Simulation of nonhomogeneous Poisson processes by thinning" (1979).  The
/// k-th event of a slab has draws of its own, whoever draws them.
void Source::thin(Tick from, std::span<std::uint32_t> drawn, EventSink& sink) {
  constexpr std::uint32_t blocks = 64;
  alignas(64) std::uint32_t words[philox_words(blocks)];
  const std::uint64_t entity = (static_cast<std::uint64_t>(from) >> 32 << 32) | unit_.first;
  std::vector<std::byte> params(table_->params_size);
  std::uint32_t* kept = drawn.data();
  for (std::uint32_t i = 0; i < drawn.size(); ++i) {
    const std::uint32_t block = i / 2 % blocks, word = i % 2 * 2;
    if (i % (2 * blocks) == 0)
      philox_fill(thinning_, entity, (static_cast<std::uint64_t>(from) << 32) + i / 2, words, blocks);
    const std::uint32_t j = drawn[i] & 0xFFFF;
    if (const ScheduledControl* const c = driven_[j]) {
      const std::byte* const most = params_.data() + std::size_t{j} * table_->params_size;
      std::memcpy(params.data(), most, params.size());
      put(params.data(), network_->populations[population_].model->params.data[c->field],
          c->value_at(from + (drawn[i] >> 16)));
      const double u = uniform01(words[philox_place(block, word)], words[philox_place(block, word + 1)]);
      if (u * table_->rate(most) >= table_->rate(params.data())) continue;
    }
    *kept++ = drawn[i];
  }
  sink.size -= static_cast<std::uint32_t>(drawn.data() + drawn.size() - kept);
}

/// Adds the events of [from, from + length) to `sink`.
void Source::generate(Tick from, Tick length, EventSink& sink) {
  const auto fail = [&](std::uint32_t i, const std::string& reason) {
    throw ModelFailure(*network_, population_, first_ + i, from, reason);
  };
  const std::uint32_t before = sink.size;
  while (!table_->generate(&unit_, from, static_cast<std::uint32_t>(length), &sink)) {
    if (sink.failure) break;
    if (keys_.size() >= most_events) fail(0, "more than 268 million events are to be drawn at once");
    keys_.resize(2 * keys_.size());
    sink = {keys_.data(), before, static_cast<std::uint32_t>(keys_.size())};
  }
  if (sink.failure) fail(sink.failed, sink.failure);
  if (sink.size < before || sink.size > sink.capacity)
    fail(0, "the unit has written more events than there was room for");
  const std::span<const std::uint32_t> fresh(sink.data + before, sink.size - before);
  const std::uint32_t bits = detail::wide() ? bits_of_wide(fresh) : bits_of_any(fresh);
  // Below a power of two together, if each is.
  if ((bits & 0xFFFF) < unit_.size && static_cast<Tick>(bits >> 16) < length) return;
  for (std::uint32_t i = before; i < sink.size; ++i) {
    const std::uint32_t j = sink.data[i] & 0xFFFF, offset = sink.data[i] >> 16;
    if (j >= unit_.size)
      fail(0, "an event of neuron " + std::to_string(j) + " of a unit of " + std::to_string(unit_.size));
    if (static_cast<Tick>(offset) >= length)
      fail(j, "an event " + std::to_string(offset) + " ticks after the begin of " + std::to_string(length));
  }
}

Tick Source::next(Tick from) const {
  const auto at = std::lower_bound(listed_.begin(), listed_.end(), from,
                                   [](const ListedSpike& s, Tick t) { return s.tick < t; });
  const Tick listed = at == listed_.end() ? never : at->tick;
  for (std::uint32_t i = 0; i < (unit_.params_alike ? std::min(1u, unit_.size) : unit_.size); ++i)
    if (table_->rate(params_.data() + std::size_t{i} * table_->params_size) > 0) return from;
  Tick changes = never;
  for (const Setting& s : settings_) changes = std::min(changes, s.next);
  return std::min(listed, changes == never ? never : std::max(from, changes));
}

}  // namespace spinet
