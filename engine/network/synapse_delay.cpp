// `delay` of a synapse.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "network/draft.hpp"

namespace spinet::reading {
namespace {

constexpr double longest_delay = 0x1p60, longest_steps = 0xFFFFFFFFu;  // ticks; steps of delay_resolution

/// The longest delay that can be, in ticks: steps are counted in 32 bits.
double longest(const Loading& l) {
  return std::min(longest_delay, longest_steps * static_cast<double>(l.net.delay_resolution));
}

}  // namespace

double longest_drawn(const Distribution& d) {
  constexpr double deviations = 6.35, means = 22.9;  // of the quantile 1 - 2^-33
  switch (d.kind) {
    case Distribution::Kind::constant: return d.a;
    case Distribution::Kind::uniform: return d.b;
    case Distribution::Kind::normal: return std::min(d.high, std::max(d.low, d.a + deviations * d.b));
    case Distribution::Kind::exponential: return std::min(d.high, std::max(d.low, means * d.a));
    default: return std::min(d.high, std::max(d.low, std::exp(d.a + deviations * d.b)));
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

std::optional<Distribution> read_delay(Loading& l, const Node& given) {
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

}  // namespace spinet::reading
