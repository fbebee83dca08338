#include "network/crossbar.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "connect/rule.hpp"
#include "network/draft.hpp"
#include "network/numbers.hpp"
#include "network/suggest.hpp"

namespace spinet {
namespace reading {
namespace {

constexpr Key keys[] = {
    {"rows", false, "integer", "number of sources, to be sure"},
    {"columns", false, "integer", "number of targets, to be sure"},
    {"scheme", false, "scheme", "of pulses that name none: half (if not given), third or none"},
};

/// Is there a device at most at each crossing?
void check_connections(Draft& d, Mark where) {
  const Projection& p = d.p;
  if (p.rule->format.multapses && p.multapses)
    return d.r.errors.error(
        where,
        fmt::format("a crossbar has one device at a crossing; {} may connect a pair several "
                    "times",
                    p.rule->format.name),
        "all_to_all, or multapses: false");
  std::vector<SynapseAddress> pairs;
  for (const auto& e : p.edges) pairs.push_back({e.source, e.target});
  std::sort(pairs.begin(), pairs.end());
  const auto twice = std::adjacent_find(pairs.begin(), pairs.end());
  if (twice != pairs.end())
    d.r.errors.error(where,
                     fmt::format("a crossbar has one device at a crossing; source {} and target {} are "
                                 "connected twice",
                                 twice->source, twice->target));
}

}  // namespace

std::span<const Key> crossbar_keys() { return keys; }

std::optional<Scheme> read_scheme(Reader& r, const Node& given) {
  static constexpr Field scheme = stimulus_choice("scheme", "none half third", "");
  const auto x = r.choice(given, scheme);
  if (!x) return std::nullopt;
  return static_cast<Scheme>(*x);
}

void read_layout(Draft& d, const Node& given) {
  Reader& r = d.r;
  const Node& n = r.resolved(given);
  const char* const example = "layout: crossbar, or layout: {crossbar: {rows: 4, columns: 3}}";
  if (n.is_list() || (n.is_map() && n.keys.size() > 1))
    return r.errors.error(n.mark, "a projection has one layout", example);
  if (!n.is_scalar() && !(n.is_map() && n.keys.size() == 1))
    return r.errors.error(n.mark, fmt::format("'layout' must name one, not {}", kind_name(n)), example);
  const std::string name = n.is_map() ? n.keys[0].name : n.text;
  if (name != "crossbar")
    return r.errors.error(n.is_map() ? n.keys[0].mark : n.mark,
                          fmt::format("unknown layout {}", in_quotes(name)),
                          suggest(name, {"crossbar"}, "layouts"));
  d.p.crossbar = Scheme::half;
  if (n.is_map()) {
    const Node& args = r.resolved(n.items[0]);
    r.map(args, keys, "'crossbar'", args.mark);
    if (!args.is_map()) return;
    const auto size = [&](const char* what, bool known, std::uint64_t there, const char* ends) {
      const Node* const lines = args.find(what);
      const auto x = lines ? r.integer(*lines, what, 1, 0xFFFFFFFFu) : std::nullopt;
      if (x && known && *x != there)
        r.errors.error(
            lines->mark,
            fmt::format("a crossbar of {} {} does not fit projection {}, which has {}", *x, what,
                        in_quotes(d.p.name), plural(there, ends)),
            fmt::format("a {} is one {}", std::string(what, std::string_view(what).size() - 1), ends));
    };
    size("rows", d.sources_known, d.p.source_count(), "source");
    size("columns", d.targets_known, d.p.target_count(), "target");
    if (const Node* const scheme = args.find("scheme"))
      d.p.crossbar = read_scheme(r, *scheme).value_or(Scheme::half);
  }
  if (d.connected && d.sources_known && d.targets_known) check_connections(d, n.mark);
}

}  // namespace reading

namespace {

/// The least and the greatest of a value of an entry.
std::pair<double, double> bounds(const ScheduledControl& c, std::uint32_t i) {
  if (i == c.course_of) {
    if (const Waveform* const w = c.waveform()) return w->bounds();
    if (const auto* const ramp = std::get_if<Ramp>(&c.course)) return std::minmax(c.value[i], ramp->to);
  }
  return {c.value[i], c.value[i]};
}

constexpr double least_share = 1e-4;  // of the devices that a voltage disturbs: of fewer nothing is said

/// The threshold of a model for one sign of voltages.  No field: it has none, or works it out.
struct Threshold {
  const Field* field = nullptr;
  double size = 0;
  const Distribution* drawn = nullptr;          ///< each device has its own; `size` is the middle
  const std::vector<double>* listed = nullptr;  ///< those that a file gives
};
const Distribution* drawn_param(const Projection& p, std::uint32_t i) {
  for (const auto& [parameter, d] : p.drawn_params)
    if (parameter == i && d.kind != Distribution::Kind::constant) return &d;
  return nullptr;
}

/// The share of a distribution that is below x, as it is drawn: what lies outside its bounds is cut or drawn
/// again.
double share_below(const Distribution& d, double x) {
  const auto plain = [&](double y) {
    using Kind = Distribution::Kind;
    switch (d.kind) {
      case Kind::uniform:
        return std::clamp((y - d.a) / (d.b - d.a), 0.0, 1.0);
      case Kind::normal:
        return 0.5 * std::erfc((d.a - y) / (d.b * std::sqrt(2.0)));
      case Kind::lognormal:
        return y > 0 ? 0.5 * std::erfc((d.a - std::log(y)) / (d.b * std::sqrt(2.0))) : 0.0;
      case Kind::exponential:
        return y > 0 ? 1 - std::exp(-y / d.a) : 0.0;
      default:
        return y > d.a ? 1.0 : 0.0;
    }
  };
  if (x <= d.low) return 0;
  if (x > d.high) return 1;
  const double before = std::isfinite(d.low) ? plain(d.low) : 0,
               end = std::isfinite(d.high) ? plain(d.high) : 1;
  if (d.clip || !(end > before)) return plain(x);
  return (plain(x) - before) / (end - before);
}

const std::vector<double>* listed_param(const Projection& p, std::string_view name) {
  const auto variables = reading::initials(*p.synapse);
  for (std::size_t v = 1; v < variables.size(); ++v)
    if (name == variables[v]->name) return p.lists(v) ? &p.listed_state[v] : nullptr;
  return nullptr;
}

/// By the name of the parameter: V_th for both signs, V_up or V_pos, V_down or V_neg.
Threshold threshold_of(const Projection& p, bool positive) {
  const Fields& fields = p.synapse->model.params;
  for (std::uint32_t i = 0; i < fields.count && i < p.params.size(); ++i) {
    const Field& f = reading::field(fields, i);
    if (std::string_view(f.unit) != "V" || is_auto(p.params[i])) continue;
    for (const std::string_view name : {"V_th", positive ? "V_up" : "V_down", positive ? "V_pos" : "V_neg"})
      if (f.name == name) return {&f, std::fabs(p.params[i]), drawn_param(p, i), listed_param(p, name)};
  }
  return {};
}

/// The share of devices that a voltage lies beyond the threshold of.
double share_beyond(const Threshold& t, double V) {
  const double size = std::fabs(V);
  if (!t.field || V == 0) return 0;
  if (t.listed) {
    const auto beyond =
        std::count_if(t.listed->begin(), t.listed->end(), [&](double x) { return std::fabs(x) < size; });
    return static_cast<double>(beyond) / static_cast<double>(t.listed->size());
  }
  if (!t.drawn) return size > t.size ? 1 : 0;
  // Thresholds of negative voltages may be negative numbers.
  return t.drawn->kind != Distribution::Kind::lognormal && t.drawn->a < 0 ? 1 - share_below(*t.drawn, -size)
                                                                          : share_below(*t.drawn, size);
}

/// The voltage furthest beyond the threshold that devices feel which an entry does not address.
struct Disturb {
  double V, share;  ///< share of the devices whose threshold it passes
  Tick tick;
  const Stimulus* stimulus;
};
void look(const ScheduledControl& c, const CrossPoints& at, const Projection& p, Disturb (&worst)[2]) {
  const bool some_share = !at.rows.empty() || !at.columns.empty();
  for (std::uint32_t i = 0; i < c.stimulus->count && some_share; ++i) {
    if (!lies_across(*c.stimulus, i)) continue;
    const auto [least, most] = bounds(c, i);
    for (const double V : {least, most})
      for (const Lines lines : {Lines::one, Lines::neither}) {
        const double here = felt(at.scheme, lines, V);
        const Threshold t = threshold_of(p, here > 0);
        const double share = share_beyond(t, here);
        Disturb& w = worst[here > 0];
        if (share >= least_share &&
            (share > w.share || (share == w.share && std::fabs(here) > std::fabs(w.V))))
          w = {here, share, c.tick, c.stimulus};
      }
  }
}

}  // namespace

void crossbar_notes(const Network& n, std::vector<std::string>& all) {
  for (std::uint32_t q = 0; q < n.projections.size(); ++q) {
    const Projection& p = n.projections[q];
    if (!p.crossbar) continue;
    Disturb worst[2] = {};
    for (const ScheduledControl& c : n.schedule)
      for (const Place& place : c.to.places)
        if (const auto* const at = std::get_if<CrossPoints>(&place); at && at->projection == q && c.stimulus)
          look(c, *at, p, worst);
    for (const Disturb& d : worst) {
      if (!(d.share > 0)) continue;
      const Threshold t = threshold_of(p, d.V > 0);
      std::string note =
          fmt::format("a {} on {} at {} disturbs devices that it does not address: they feel {}, beyond ",
                      d.stimulus->name, in_quotes(p.name),
                      exact_time_text(static_cast<double>(d.tick) / n.ticks_per_ms() / 1e3),
                      reading::with_unit(d.V, t.field->unit));
      const std::string size = reading::with_unit(d.V > 0 ? t.size : -t.size, t.field->unit);
      if (t.listed)
        note += fmt::format("the threshold ({}) of {:.2g} % of them", t.field->name, 100 * d.share);
      else if (t.drawn)
        note += fmt::format("the threshold ({}, drawn around {}) of {:.2g} % of them", t.field->name, size,
                            100 * d.share);
      else note += fmt::format("their threshold ({}) of {}", t.field->name, size);
      all.push_back(std::move(note));
    }
  }
}

}  // namespace spinet
