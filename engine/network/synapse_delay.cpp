// `delay` of a synapse.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "connect/positions.hpp"
#include "connect/rule.hpp"
#include "network/draft.hpp"

namespace spinet::reading {
namespace {

constexpr Key by_distance_keys[] = {
    {"offset", false, "quantity", "at distance 0 (0)"},
    {"per_distance", false, "quantity", "added for each length: 1 ms/mm"},
    {"velocity", false, "quantity", "or the length that a spike goes in a time: 0.3 m/s"},
};

constexpr double longest_delay = 0x1p60, longest_steps = 0xFFFFFFFFu;  // ticks; steps of delay_resolution

/// The longest delay that can be, in ticks: steps are counted in 32 bits.
double longest(const Loading& l) {
  return std::min(longest_delay, longest_steps * static_cast<double>(l.net.delay_resolution));
}

}  // namespace

double longest_drawn(const Distribution& d) {
  constexpr double deviations = 6.35, means = 22.9;  // of the quantile 1 - 2^-33
  switch (d.kind) {
    case Distribution::Kind::constant:
      return d.a;
    case Distribution::Kind::uniform:
      return d.b;
    case Distribution::Kind::normal:
      return std::min(d.high, std::max(d.low, d.a + deviations * d.b));
    case Distribution::Kind::exponential:
      return std::min(d.high, std::max(d.low, means * d.a));
    default:
      return std::min(d.high, std::max(d.low, std::exp(d.a + deviations * d.b)));
  }
}

std::pair<std::string, std::string> delay_fault(const Loading& l, double ms, double t) {
  const Reader& r = l.read;
  const double step = static_cast<double>(l.net.delay_resolution);
  if (!(ms > 0)) return {fmt::format("a delay must be above 0 ms; it is {}", with_unit(ms, "ms")), ""};
  if (t > longest(l))
    return {fmt::format("a delay of {} is too long", with_unit(ms, "ms")),
            fmt::format("at most {}; or give a longer `delay_resolution`", r.time_text(longest(l)))};
  const double below = std::floor(t / step) * step;
  if (t == below && t > 0) return {};
  const std::string above = r.time_text(below + step);
  return {fmt::format("a delay must be a multiple of delay_resolution ({}); it is {}", r.time_text(step),
                      with_unit(ms, "ms")),
          below > 0 ? fmt::format("nearest: {} and {}; or give another `delay_resolution`",
                                  r.time_text(below), above)
                    : fmt::format("nearest: {}; or give another `delay_resolution`", above)};
}

/// A number or a distribution.
static std::optional<Distribution> plain_delay(Loading& l, const Node& given) {
  Reader& r = l.read;
  const Node& n = r.resolved(given);
  const double step = static_cast<double>(l.net.delay_resolution);
  const double step_ms = scaled(step * r.tick.number, r.tick.decade + 3);
  if (!n.is_map() && !n.is_list()) {
    const auto ms = r.number(n, {"delay", "ms"});
    if (!ms) return std::nullopt;
    const double t = std::round(r.ticks(*r.quantity(n, "delay")));
    if (const auto reason = delay_fault(l, *ms, t); !reason.first.empty()) {
      r.errors.error(n.mark, reason.first, reason.second);
      return std::nullopt;
    }
    return Distribution{Distribution::Kind::constant, t};
  }
  auto d = r.distribution(n, {"delay", "ms", step_ms}, 0);
  if (!d) return std::nullopt;
  if (d->kind == Distribution::Kind::constant) {
    const double t = std::round(r.ticks({d->a, -3, {}}));
    if (const auto reason = delay_fault(l, d->a, t); !reason.first.empty()) {
      r.errors.error(n.mark, reason.first, reason.second);
      return std::nullopt;
    }
    return Distribution{Distribution::Kind::constant, t};
  }
  const double per_ms = r.ticks({1, -3, {}});
  if (d->kind == Distribution::Kind::lognormal)
    d->a += static_cast<double>(std::log(static_cast<long double>(per_ms)));
  else d->a = r.ticks({d->a, -3, {}}), d->b = r.ticks({d->b, -3, {}});
  d->low = std::max(step, std::round(r.ticks({d->low, -3, {}})));
  d->high = std::min(longest_delay, std::round(r.ticks({d->high, -3, {}})));
  if (const double most = longest_drawn(*d); most > longest(l)) {
    r.errors.error(n.mark,
                   fmt::format("delays of up to {:.3g} s may be drawn; the longest that can be is {}",
                               most * r.tick.si(), r.time_text(longest(l))),
                   "give a 'max', or a longer `delay_resolution`");
    return std::nullopt;
  }
  return d;
}

/// {velocity: 0.3 m/s, offset: 0.5 ms}: between what it is at distance 0 and at the longest distance that can
/// be.
static bool distance_delay(Draft& d, const Node& n) {
  Reader& r = d.r;
  if (!r.map(n, by_distance_keys, "a delay by distance", n.mark)) return false;
  const Node *offset = n.find("offset"), *per = n.find("per_distance"), *velocity = n.find("velocity");
  if (!per == !velocity) {
    r.errors.error(n.mark,
                   per ? "'per_distance' and 'velocity' are given"
                       : "a delay by distance needs 'per_distance' or 'velocity'",
                   "one of them: {velocity: 0.3 m/s}, {per_distance: 1 ms/mm, offset: 0.5 ms}");
    return false;
  }
  const auto ms = offset ? r.number(*offset, {"offset", "ms", 0}) : std::optional(0.0);
  const auto x = per ? r.number(*per, {"per_distance", "ms/um", 0})
                     : r.number(*velocity, {"velocity", "um/ms", 0, INFINITY, low_open});
  if (!ms || !x) return false;
  const double step = static_cast<double>(d.l.net.delay_resolution);
  d.p.delay = {Distribution::Kind::constant, step};
  if (!d.sources_known || !d.targets_known || !d.placed()) return true;
  const Ends ends(d.l.net, d.p);
  if (const auto fault = Space::fault(ends); !fault.empty()) {
    const bool said = d.p.rule && d.p.rule->spatial();
    if (!said) r.errors.error(n.mark, "a delay by distance: " + fault, "give the population 'positions'");
    return said;
  }
  const DistanceDelay by{r.ticks({*ms, -3, {}}), r.ticks({per ? *x : 1 / *x, -3, {}})};
  const double reach = d.p.rule ? d.p.rule->reach(d.p) : INFINITY;
  const double least = std::max(step, by.offset);
  const double most = by.offset + by.per_um * std::min(reach, Space(ends).longest(ends));
  if (!(most <= longest(d.l))) {
    r.errors.error(n.mark,
                   fmt::format("delays of up to {:.3g} s; the longest that can be is {}", most * r.tick.si(),
                               r.time_text(longest(d.l))),
                   "a longer `delay_resolution`, or a shorter delay");
    return false;
  }
  const double first = std::floor(least / step + 0.5), last = std::floor(most / step + 0.5);
  if (last <= first) {
    d.p.delay.a = first * step;
    return true;
  }
  d.p.delay = {Distribution::Kind::uniform, least, most};
  d.p.delay_by_distance = by;
  return true;
}

bool read_delay(Draft& d, const Node& given) {
  const Node& n = d.r.resolved(given);
  if (n.is_map() && (n.find("velocity") || n.find("per_distance") || n.find("offset")))
    return distance_delay(d, n);
  auto delay = plain_delay(d.l, given);
  if (delay) d.p.delay = std::move(*delay);
  return delay.has_value();
}

bool Draft::placed() const {
  const auto sound = [&](const GidRange& range) {
    const auto first = spinet::population_of(l.net, range.first);
    return first >= l.populations.unplaced.size() || !l.populations.unplaced[first];
  };
  return std::all_of(p.sources.begin(), p.sources.end(), sound) &&
         std::all_of(p.targets.begin(), p.targets.end(), sound);
}

std::span<const Key> delay_keys() { return by_distance_keys; }

}  // namespace spinet::reading
