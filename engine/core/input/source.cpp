#include "core/input/source.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "connect/draws.hpp"
#include "core/failure.hpp"
#include "core/finite.hpp"
#include "spinet/math.hpp"

namespace spinet {
namespace {

/// Of a unit in a slab: beyond it something is wrong, and memory would end.
constexpr std::size_t most_events = std::size_t{1} << 28;

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
  for (const auto& c : net.schedule) {
    if (c.control.kind != Control::Kind::set_parameter) continue;
    for (const auto& r : c.who)
      if (r.first < p.first + p.size && p.first < r.first + r.count) {
        fill();
        put(params.data(), p.model->params.data[c.control.field], c.control.value[0]);
        rate = std::max(rate, table->rate(params.data()));
      }
  }
  if (!std::isfinite(rate) || rate < 0)
    throw ModelFailure(net, population, 0, 0, "the rate is " + shortest(rate) + " per ms");
  return rate / net.ticks_per_ms();
}

Tick Source::slab(const Network& net, Tick shortest_frame) {
  double rate = 0;  // events of a unit per tick, at most
  for (std::uint32_t p = 0; p < net.populations.size(); ++p)
    if (net.populations[p].source())
      rate = std::max(rate, peak_rate(net, p) * source_unit);
  Tick length = 65536;
  while (length > 256 && rate * static_cast<double>(length) > 384) length /= 2;
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
  for (const auto& c : net.schedule) {
    if (c.control.kind != Control::Kind::set_parameter) continue;
    for (const auto& r : c.who) {
      const Gid from = std::max(r.first, unit_first),
                to = std::min(r.first + r.count, unit_first + unit_.size);
      if (from < to)
        changes_.push_back({c.tick, from - unit_first, to - from, &p.model->params.data[c.control.field],
                            c.control.value[0]});
    }
  }
  std::stable_sort(changes_.begin(), changes_.end(),
                   [](const Change& a, const Change& b) { return a.tick < b.tick; });
  keys_.resize(64);  // grows with the first slabs
  apply({0, 0, 0, nullptr, 0});
}

void Source::apply(const Change& c) {
  for (std::uint32_t i = c.first; i < c.first + c.count; ++i)
    put(params_.data() + std::size_t{i} * table_->params_size, *c.field, c.value);
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
    while (next_change_ < changes_.size() && changes_[next_change_].tick <= at)
      apply(changes_[next_change_++]);
    const Tick to =
        next_change_ < changes_.size() ? std::min(from + length, changes_[next_change_].tick) : from + length;
    const std::uint32_t before = sink.size;
    generate(at, to - at, sink);
    if (at > from)
      for (std::uint32_t i = before; i < sink.size; ++i)
        sink.data[i] += static_cast<std::uint32_t>(at - from) << 16;
    at = to;
  }
  return {sink.data, sink.size};
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
  std::uint32_t bits = 0;  // below a power of two together, if each is
  for (std::uint32_t i = before; i < sink.size; ++i) bits |= sink.data[i];
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
  return std::min(listed,
                  next_change_ < changes_.size() ? std::max(from, changes_[next_change_].tick) : never);
}

}  // namespace spinet
