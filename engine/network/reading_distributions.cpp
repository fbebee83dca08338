// Distributions: their YAML and their bounds.
#include "network/reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "network/suggest.hpp"

namespace spinet::reading {
namespace {

constexpr Key constant_keys[] = {{"constant", true, "number", "the value"}};
constexpr Key uniform_keys[] = {{"low", true, "number", "lower end"}, {"high", true, "number", "upper end"}};
constexpr Key normal_keys[] = {{"mean", true, "number", "mean before bounds"},
                               {"sd", true, "number", "standard deviation before bounds"},
                               {"min", false, "number", "least value"},
                               {"max", false, "number", "greatest value"},
                               {"clip", false, "boolean", "true: cut at the bounds; false: draw again"}};
constexpr Key exponential_keys[] = {{"mean", true, "number", "mean before bounds"},
                                    {"min", false, "number", "least value"},
                                    {"max", false, "number", "greatest value"},
                                    {"clip", false, "boolean", "true: cut at the bounds; false: draw again"}};
constexpr Key lognormal_keys[] = {
    {"mean", false, "number", "mean, given with sd"},
    {"sd", false, "number", "standard deviation, given with mean"},
    {"median", false, "number", "median, given with sigma"},
    {"sigma", false, "number", "standard deviation of the logarithm, given with median"},
    {"min", false, "number", "least value"},
    {"max", false, "number", "greatest value"},
    {"clip", false, "boolean", "true: cut at the bounds; false: draw again"}};

}  // namespace

std::span<const Named> distribution_keys() {
  static constexpr Named all[] = {{"uniform", uniform_keys},
                                  {"normal", normal_keys},
                                  {"exponential", exponential_keys},
                                  {"lognormal", lognormal_keys}};
  return all;
}

std::optional<Distribution> Reader::distribution(const Node& given, const Wanted& w, std::uint64_t listed) {
  const Node& n = resolved(given);
  if (n.is_list()) {
    if (listed == 0) {
      errors.error(n.mark, fmt::format("'{}' cannot be a list here", w.what),
                   "a number or a distribution; for connections one by one: connect: {list: ...}");
      return std::nullopt;
    }
    return values(n, w, listed);
  }
  if (n.is_map()) {
    Wanted drawn = w;
    drawn.flags &= ~std::uint32_t{derived};  // numbers only
    return named_distribution(n, drawn);
  }
  const auto x = number(n, w);
  if (!x) return std::nullopt;
  return Distribution{Distribution::Kind::constant, *x};
}

std::optional<Distribution> Reader::values(const Node& list, const Wanted& w, std::uint64_t count) {
  if (list.items.size() != count && count != any_number) {
    errors.error(list.mark,
                 fmt::format("'{}' lists {} values for {} neurons", w.what, list.items.size(), count));
    return std::nullopt;
  }
  if (!take(list.items.size(), list.mark)) return std::nullopt;
  Distribution d{Distribution::Kind::listed};
  d.values.reserve(list.items.size());
  bool good = true;
  for (const auto& i : list.items) {
    const auto x = number(i, w);
    good = good && x;
    if (x) d.values.push_back(*x);
  }
  if (!good) return std::nullopt;
  return d;
}

bool Reader::bounds(const Node& map, const Wanted& given, Distribution& d) {
  const Wanted w = limited(given);
  bool good = true;
  const auto get = [&](const char* name, double& x) {
    const Node* n = map.find(name);
    if (!n) return false;
    Wanted v = w;
    v.what = fmt::format("{} of {}", name, w.what);
    const auto y = number(*n, v);
    good = good && y;
    if (y) x = *y;
    return true;
  };
  const bool low = get("min", d.low), high = get("max", d.high);
  if (const Node* n = map.find("clip")) {
    const auto b = boolean(*n, "clip");
    good = good && b;
    d.clip = b.value_or(false);
    if (!low && !high) {
      errors.error(n->mark, "'clip' needs 'min' or 'max'");
      good = false;
    }
  }
  if (!good) return false;
  if (low && high && !(d.low < d.high)) {
    errors.error(map.find("max")->mark, fmt::format("'max' of '{}' must be above 'min'", w.what));
    return false;
  }
  if (d.clip && ((!low && (w.flags & low_open)) || (!high && (w.flags & high_open)))) {
    errors.error(map.mark, fmt::format("'clip' of '{}' needs a '{}': '{}' must be {}", w.what,
                                       !low && (w.flags & low_open) ? "min" : "max", w.what, range_text(w)));
    return false;
  }
  // The field's own range holds for draws, too, so that no draw can be out of it.  An open end is excluded.
  if (!low && std::isfinite(w.low)) d.low = w.flags & low_open ? std::nextafter(w.low, INFINITY) : w.low;
  if (!high && std::isfinite(w.high))
    d.high = w.flags & high_open ? std::nextafter(w.high, -INFINITY) : w.high;
  return true;
}

bool Reader::drawable(const Distribution& d, const Node& n, const Wanted& w) {
  if (d.clip) return true;
  const auto below = [&](double x) -> double {  // cumulative probability
    switch (d.kind) {
      case Distribution::Kind::normal:
        return d.b > 0 ? 0.5 * std::erfc((d.a - x) / d.b * std::sqrt(0.5)) : x >= d.a;
      case Distribution::Kind::exponential:
        return x <= 0 ? 0 : -std::expm1(-x / d.a);
      case Distribution::Kind::lognormal:
        return x <= 0    ? 0
               : d.b > 0 ? 0.5 * std::erfc((d.a - std::log(x)) / d.b * std::sqrt(0.5))
                         : std::log(x) >= d.a;
      default:
        return x >= d.a;
    }
  };
  const double inside_bounds =
      (std::isfinite(d.high) ? below(d.high) : 1) - (std::isfinite(d.low) ? below(d.low) : 0);
  if (inside_bounds >= 1e-4) return true;
  const Wanted limits{w.what, w.unit, d.low, d.high};
  errors.error(n.mark,
               fmt::format("hardly any draw of '{}' lies within its bounds ({})", w.what, range_text(limits)),
               "widen 'min' and 'max', or move the distribution");
  return false;
}

std::optional<Distribution> Reader::named_distribution(const Node& n, const Wanted& w) {
  std::vector<std::string> known{"constant"};
  for (const auto& k : distribution_keys()) known.emplace_back(k.name);
  if (n.keys.size() != 1) {
    errors.error(n.mark, fmt::format("'{}' must be a number or one distribution", w.what),
                 "for example {normal: {mean: ..., sd: ...}}; distributions: " + joined(known));
    return std::nullopt;
  }
  const auto& key = n.keys[0];
  const Node& args = n.items[0];
  const bool is_known = std::find(known.begin(), known.end(), key.name) != known.end();
  const std::string name = is_known ? key.name : nearest(key.name, known);  // a misspelt one is read, too
  if (!is_known)
    errors.error(key.mark, fmt::format("unknown distribution {}", in_quotes(key.name)),
                 suggest(key.name, known, "distributions"));
  if (name == "constant") {
    const auto x = number(args, w);
    return x && is_known ? std::optional(Distribution{Distribution::Kind::constant, *x}) : std::nullopt;
  }
  const auto found = std::find_if(distribution_keys().begin(), distribution_keys().end(),
                                  [&](const Named& k) { return k.name == name; });
  if (found == distribution_keys().end()) return std::nullopt;
  if (w.flags & Flag::integer) {
    errors.error(key.mark,
                 fmt::format("'{}' is a whole number and cannot be drawn from a distribution", w.what),
                 "give a number or a list");
    return std::nullopt;
  }
  const bool complete = map(args, found->keys, fmt::format("the {} distribution", name), key.mark);
  if (!args.is_map()) return std::nullopt;

  auto read = name == "uniform"     ? uniform(args, w)
              : name == "lognormal" ? lognormal(args, key.mark, w)
              : name == "normal"    ? normal(args, w)
                                    : exponential(args, w);
  if (name == "uniform") return is_known && complete ? read : std::nullopt;
  Distribution d = read.value_or(Distribution{});
  if (!bounds(args, w, d) || !read || !complete || !is_known) return std::nullopt;
  if (d.kind == Distribution::Kind::lognormal && d.b == 0) {
    const double centre = argument(args, "median", w).value_or(argument(args, "mean", w).value_or(NAN));
    if (centre >= d.low && centre <= d.high) return Distribution{Distribution::Kind::constant, centre};
  }
  if (!drawable(d, n, w)) return std::nullopt;
  if (d.kind == Distribution::Kind::normal && d.b == 0 && !d.clip)
    return Distribution{Distribution::Kind::constant, d.a};
  return d;
}

std::optional<double> Reader::argument(const Node& args, const char* name, Wanted w) {
  w.what = fmt::format("{} of {}", name, w.what);
  const Node* n = args.find(name);
  return n ? number(*n, w) : std::nullopt;
}

/// What an argument must be: it has the unit of the value, but only ends and bounds have its range.
static Wanted argument_range(const Wanted& w, double low, std::uint32_t flags) {
  Wanted a = w;
  a.low = low, a.high = INFINITY, a.flags = flags;
  return a;
}

std::optional<Distribution> Reader::uniform(const Node& args, const Wanted& w) {
  const auto low = argument(args, "low", w), high = argument(args, "high", w);
  if (!low || !high) return std::nullopt;
  if (*low < *high) return Distribution{Distribution::Kind::uniform, *low, *high};
  errors.error(args.find("high")->mark, fmt::format("'high' of '{}' must be above 'low'", w.what));
  return std::nullopt;
}

std::optional<Distribution> Reader::exponential(const Node& args, const Wanted& w) {
  const auto mean = argument(args, "mean", argument_range(w, 0, low_open));
  return mean ? std::optional(Distribution{Distribution::Kind::exponential, *mean, 0}) : std::nullopt;
}

std::optional<Distribution> Reader::normal(const Node& args, const Wanted& w) {
  const auto mean = argument(args, "mean", argument_range(w, -INFINITY, 0));
  const auto sd = argument(args, "sd", argument_range(w, 0, 0));
  if (!mean || !sd) return std::nullopt;
  // The same value, but drawn from nothing.
  if (*sd == 0 && !in_range(*mean, w, args.find("mean")->mark)) return std::nullopt;
  return Distribution{Distribution::Kind::normal, *mean, *sd};
}

std::optional<Distribution> Reader::lognormal(const Node& args, Mark where, const Wanted& w) {
  Wanted plain = argument_range(w, 0, 0);
  plain.unit = "1";
  const auto mean = argument(args, "mean", argument_range(w, 0, low_open)),
             sd = argument(args, "sd", argument_range(w, 0, 0));
  const auto median = argument(args, "median", argument_range(w, 0, low_open)),
             sigma = argument(args, "sigma", plain);
  const bool by_mean = args.find("mean") && args.find("sd") && !args.find("median") && !args.find("sigma");
  const bool by_median = args.find("median") && args.find("sigma") && !args.find("mean") && !args.find("sd");
  if (!by_mean && !by_median) {
    errors.error(where, "the lognormal distribution takes either 'mean' and 'sd', or 'median' and 'sigma'");
    return std::nullopt;
  }
  if (by_mean ? !mean || !sd : !median || !sigma) return std::nullopt;
  Distribution d{Distribution::Kind::lognormal};
  if (by_mean) {
    const long double m = *mean, s2 = std::log1p((*sd / m) * (*sd / m));
    d.a = static_cast<double>(std::log(m) - s2 / 2);
    d.b = static_cast<double>(std::sqrt(s2));
  } else {
    d.a = static_cast<double>(std::log(static_cast<long double>(*median)));
    d.b = *sigma;
  }
  if (std::isfinite(d.a) && std::isfinite(d.b)) return d;
  errors.error(args.mark, fmt::format("the distribution of '{}' is not finite", w.what));
  return std::nullopt;
}

}  // namespace spinet::reading
