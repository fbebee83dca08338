#include "network/going.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "network/suggest.hpp"

namespace spinet::reading {
namespace {

constexpr Key repeat_entry_keys[] = {
    {"every", true, "quantity", "time from one to the next"},
    {"count", false, "integer", "number of times in all; until the end of the run if not given"},
};
constexpr Key ramp_entry_keys[] = {
    {"from", true, "quantity", "the first value"},
    {"to", true, "quantity", "the last value, reached in equal steps"},
};
constexpr Key wave_keys[] = {
    {"waveform", true, "waveform", "a form, or a list of forms and numbers that are added"},
    {"until", false, "quantity",
     "time at which it ends, and the value stays; the end of the run if not given"},
    {"resolution", false, "quantity",
     "time from one change to the next where it is followed in steps; a hundredth of the shortest period or "
     "line if not given"},
};
constexpr Key sine_keys[] = {
    {"amplitude", true, "quantity", "from the middle to the top"},
    {"period", false, "quantity", "of a turn"},
    {"frequency", false, "quantity", "turns per time, in place of the period"},
    {"phase", false, "number", "where in its turn it begins, from 0 to 1; 0.25 is the top"},
    {"offset", false, "quantity", "the middle"},
};
constexpr Key steps_keys[] = {
    {"values", true, "quantities", "one after the other"},
    {"every", true, "quantity", "how long each lasts; the last stays"},
    {"period", false, "quantity", "after which they begin again"},
    {"phase", false, "number", "where in the period it begins, from 0 to 1"},
    {"offset", false, "quantity", "added to all"},
};
constexpr Key line_keys[] = {
    {"from", true, "quantity", "the first value"},
    {"to", true, "quantity", "the last value, which stays"},
    {"over", true, "quantity", "the time between them"},
    {"period", false, "quantity", "after which it begins again: a saw-tooth"},
    {"phase", false, "number", "where in the period it begins, from 0 to 1"},
    {"offset", false, "quantity", "added to all"},
};
constexpr Key chirp_keys[] = {
    {"amplitude", true, "quantity", "from the middle to the top"},
    {"from", true, "quantity", "frequency at its begin"},
    {"to", true, "quantity", "frequency at its end, to which it goes linearly"},
    {"over", true, "quantity", "how long it takes; then it begins again"},
    {"phase", false, "number", "where in its turn it begins, from 0 to 1"},
    {"offset", false, "quantity", "the middle"},
};
constexpr Key csv_keys[] = {
    {"file", true, "path", "a CSV file with the columns time and value"},
    {"between", false, "name",
     "steps: a value stays until the next (if not given); lines: values are joined by lines"},
    {"period", false, "quantity", "after which it begins again"},
    {"phase", false, "number", "where in the period it begins, from 0 to 1"},
    {"offset", false, "quantity", "added to all"},
};
constexpr Named forms[] = {{"sine", sine_keys},
                           {"steps", steps_keys},
                           {"ramp", line_keys},
                           {"chirp", chirp_keys},
                           {"csv", csv_keys}};

/// A waveform of values as `wanted`.
class WaveformReader {
 public:
  WaveformReader(Loading& l, const Wanted& wanted) : l_(l), r_(l.read), wanted_(wanted) {
    plain_.what = wanted.what, plain_.unit = wanted.unit;
  }

  bool all(const Node& n, Tick begin, Waveform& w) {
    bool good = r_.map(n, wave_keys, "a value that has a waveform", n.mark);
    if (const Node* until = n.find("until")) {
      const auto t = r_.time(*until, "until");
      good = good && t;
      if (t && *t <= begin) {
        r_.errors.error(until->mark, fmt::format("the waveform begins at {}, and ends before",
                                                 r_.time_text(static_cast<double>(begin))));
        good = false;
      }
      w.until = t.value_or(never);
    }
    const Node* given = n.find("waveform");
    if (!given) return false;
    const Node& list = r_.resolved(*given);
    if (list.is_list() && list.items.empty())
      r_.errors.error(list.mark, "a waveform of no forms"), good = false;
    if (list.is_list())
      for (const auto& i : list.items) good = form(i, w) && good;
    else good = form(list, w) && good;
    if (good && w.sines.size() > Followed::most_sines) {
      r_.errors.error(list.mark, fmt::format("a waveform is the sum of {} sines at most; these are {}",
                                             Followed::most_sines, w.sines.size()));
      good = false;
    }
    return good && resolution(n, w) && bounds(list, w);
  }

 private:
  bool form(const Node& given, Waveform& w) {
    const Node& n = r_.resolved(given);
    if (!n.is_map()) {
      const auto x = r_.number(given, plain_);
      w.offset += x.value_or(0);
      return x.has_value();
    }
    std::vector<std::string> known;
    for (const auto& f : forms) known.emplace_back(f.name);
    if (n.keys.size() != 1) {
      r_.errors.error(n.mark, "a form of a waveform has one name",
                      "for example {sine: {amplitude: ..., period: 100 ms}}; forms: " + joined(known));
      return false;
    }
    const auto at = std::find(known.begin(), known.end(), n.keys[0].name);
    if (at == known.end()) {
      r_.errors.error(n.keys[0].mark, fmt::format("unknown form {} of a waveform", in_quotes(n.keys[0].name)),
                      suggest(n.keys[0].name, known, "forms"));
      return false;
    }
    const Node& args = r_.resolved(n.items[0]);
    bool good = r_.map(args, forms[at - known.begin()].keys, fmt::format("'{}'", *at), args.mark);
    if (!args.is_map()) return false;
    if (const Node* offset = args.find("offset")) {
      const auto x = r_.number(*offset, named("offset"));
      good = good && x;
      w.offset += x.value_or(0);
    }
    if (*at == "sine") return sine(args, w) && good;
    if (*at == "chirp") return chirp(args, w) && good;
    Points p;
    good = (*at == "steps" ? steps(args, p) : *at == "ramp" ? line(args, p) : csv(args, p)) && good;
    good = period(args, p) && good;
    if (good) w.points.push_back(std::move(p));
    return good;
  }
  Wanted named(const char* name) const {
    Wanted w = plain_;
    w.what = name;
    return w;
  }
  std::optional<double> value(const Node& args, const char* name) {
    const Node* n = args.find(name);
    return n ? r_.number(*n, named(name)) : std::nullopt;
  }
  double phase(const Node& args, bool& good) {
    const Node* n = args.find("phase");
    if (!n) return 0;
    const auto x = r_.number(*n, {"phase", "1", 0, 1});
    good = good && x;
    return x.value_or(0);
  }
  double ticks_per_s() const { return 1 / l_.net.seconds_per_tick; }
  /// Ticks of a turn, at least two.
  std::optional<double> turn(double ticks, Mark where) {
    if (ticks >= 2 && ticks < 0x1p62) return ticks;
    r_.errors.error(where, fmt::format("a turn must take two ticks at least; {} is one", r_.time_text(1)));
    return std::nullopt;
  }
  std::optional<double> turns_per_tick(const Node& args, const char* name) {
    const Node* n = args.find(name);
    const auto hz =
        n ? r_.number(*n, {name, "Hz", 0, std::numeric_limits<double>::infinity(), low_open}) : std::nullopt;
    const auto ticks = hz ? turn(ticks_per_s() / *hz, n->mark) : std::nullopt;
    return ticks ? std::optional(1 / *ticks) : std::nullopt;
  }

  bool sine(const Node& args, Waveform& w) {
    const Node *period = args.find("period"), *frequency = args.find("frequency");
    if (!period == !frequency && !misspelt(args, "period") && !misspelt(args, "frequency")) {
      r_.errors.error(
          frequency ? frequency->mark : args.mark,
          frequency ? "'period' and 'frequency' say the same" : "'sine' needs a 'period' or a 'frequency'");
      return false;
    }
    bool good = true;
    std::optional<double> ticks;
    if (period) {
      const auto t = r_.time(*period, "period", 1);
      if (t) ticks = turn(static_cast<double>(*t), period->mark);
    } else if (frequency) {
      // Not by way of turns per tick: 10 Hz are 100 ms to the last bit.
      const auto hz =
          r_.number(*frequency, {"frequency", "Hz", 0, std::numeric_limits<double>::infinity(), low_open});
      if (hz) ticks = turn(ticks_per_s() / *hz, frequency->mark);
    }
    const auto amplitude = value(args, "amplitude");
    const double begin = phase(args, good);
    if (!good || !ticks || !amplitude) return false;
    const double whole =
        std::round(*ticks);  // 1e9 / 1e1 and the like, whatever the clock's tick has been rounded to
    w.sines.push_back(
        make_sine(*amplitude, std::abs(*ticks - whole) <= 1e-12 * whole ? whole : *ticks, begin));
    return true;
  }

  bool chirp(const Node& args, Waveform& w) {
    bool good = true;
    const auto amplitude = value(args, "amplitude");
    const auto from = turns_per_tick(args, "from"), to = turns_per_tick(args, "to");
    const Node* n = args.find("over");
    const auto over = n ? r_.time(*n, "over", 1) : std::nullopt;
    const double begin = phase(args, good);
    if (!good || !amplitude || !from || !to || !over) return false;
    w.chirps.push_back({*amplitude, begin, *from, *to, *over});
    return true;
  }

  bool steps(const Node& args, Points& p) {
    const Node *values = args.find("values"), *interval = args.find("every");
    const auto every = interval ? r_.time(*interval, "every", 1) : std::nullopt;
    if (!values) return false;
    const Node& list = r_.resolved(*values);
    if (!list.is_list() || list.items.empty()) {
      r_.errors.error(list.mark, fmt::format("'values' must be a list of values, not {}",
                                             list.is_list() ? "an empty one" : kind_name(list)));
      return false;
    }
    if (!r_.take(list.items.size(), list.mark)) return false;
    bool good = every.has_value();
    for (const auto& i : list.items) {
      const auto x = r_.number(i, named("values"));
      good = good && x;
      p.at.push_back(static_cast<Tick>(p.at.size()) * every.value_or(1));
      p.values.push_back(x.value_or(0));
    }
    return good;
  }

  bool line(const Node& args, Points& p) {
    const auto from = value(args, "from"), to = value(args, "to");
    const Node* n = args.find("over");
    const auto over = n ? r_.time(*n, "over", 1) : std::nullopt;
    if (!from || !to || !over) return false;
    p.between = Points::Between::lines;
    p.at = {0, *over};
    p.values = {*from, *to};
    return true;
  }

  bool csv(const Node& args, Points& p) {
    bool good = true;
    if (const Node* n = args.find("between")) {
      const auto s = r_.text(*n, "between");
      good = s && (*s == "steps" || *s == "lines");
      if (s && !good)
        r_.errors.error(n->mark, fmt::format("'between' cannot be {}", in_quotes(*s)),
                        suggest(*s, {"steps", "lines"}, "values"));
      if (good && *s == "lines") p.between = Points::Between::lines;
    }
    const Node* file = args.find("file");
    const auto path = file ? r_.data_file(*file) : std::nullopt;
    if (!path) return false;
    const Column columns[] = {{"time", "s", true}, {"value", wanted_.unit, true}};
    const std::size_t before = r_.errors.count();
    read_csv(
        r_, {*path, file->mark}, columns, [](const std::vector<bool>&) { return std::string{}; },
        [&](std::span<const double> row) -> RowFault {
          const double ticks = row[0] * ticks_per_s();
          if (!(ticks >= 0 && ticks < 0x1p60)) return {"a time must lie between 0 and 2^60 ticks", 0};
          const Tick t = std::llround(ticks);
          if (!p.at.empty() && t < p.at.back()) return {"times must not go back", 0};
          if (p.at.size() > 1 && t == p.at.back() && t == p.at[p.at.size() - 2])
            return {"three values at one time", 0};
          p.at.push_back(t);
          p.values.push_back(row[1]);
          return {};
        });
    if (r_.errors.count() != before) return false;
    if (p.at.empty())
      r_.errors.error(file->mark, fmt::format("{} holds no values", in_quotes(path->string())));
    return good && !p.at.empty();
  }

  bool period(const Node& args, Points& p) {
    bool good = true;
    const double begin = phase(args, good);
    const Node* n = args.find("period");
    if (!n) {
      if (args.find("phase") && good)
        r_.errors.error(args.find("phase")->mark, "a 'phase' is a part of the 'period', which is not given");
      return good && !args.find("phase");
    }
    const auto t = r_.time(*n, "period", 1);
    if (!t) return false;
    if (!p.at.empty() && *t <= p.at.back() && !(*t == p.at.back() && p.between == Points::Between::lines)) {
      r_.errors.error(n->mark, fmt::format("a period of {} is over before the last value, at {}",
                                           r_.time_text(static_cast<double>(*t)),
                                           r_.time_text(static_cast<double>(p.at.back()))));
      return false;
    }
    p.period = *t;
    p.ahead = static_cast<Tick>(begin * static_cast<double>(*t));
    return good;
  }

  bool resolution(const Node& n, Waveform& w) {
    const double shortest = shortest_part(w);
    const Node* given = n.find("resolution");
    if (!given) {
      w.resolution = std::isfinite(shortest) ? std::max<Tick>(1, std::llround(shortest / 100)) : 0;
      return true;
    }
    const auto t = r_.time(*given, "resolution", 1);
    if (!t) return false;
    w.resolution = *t;
    if (static_cast<double>(*t) <= shortest / 2) return true;
    r_.errors.error(given->mark,
                    fmt::format("steps of {} cannot follow a waveform whose shortest period or line is {}",
                                r_.time_text(static_cast<double>(*t)), r_.time_text(std::round(shortest))),
                    "the resolution may be half of it at most");
    return false;
  }

  bool bounds(const Node& n, const Waveform& w) {
    const auto [low, high] = w.bounds();
    for (const double x : {low, high}) {
      const std::string why = r_.fault(x, wanted_);
      if (why.empty()) continue;
      r_.errors.error(n.mark, fmt::format("the waveform goes from {} to {}: {}", with_unit(low, wanted_.unit),
                                          with_unit(high, wanted_.unit), why));
      return false;
    }
    return true;
  }

  Loading& l_;
  Reader& r_;
  const Wanted& wanted_;
  Wanted plain_;  ///< of any size
};

}  // namespace

bool load_going(Loading& l, const Node& given, const Wanted& w, Tick begin, Going& value) {
  Reader& r = l.read;
  const Node& n = r.resolved(given);
  if (n.is_map() && n.find("waveform")) {
    Waveform wave;
    if (!WaveformReader(l, w).all(n, begin, wave)) return false;
    value = {wave.at(0), std::move(wave), &n};
    return true;
  }
  if (n.is_map() && is_going(n)) {
    r.map(n, ramp_entry_keys, "a ramp", n.mark);
    const Node *first = n.find("from"), *last = n.find("to");
    const auto from = first ? r.number(*first, w) : std::nullopt,
               to = last ? r.number(*last, w) : std::nullopt;
    if (from && to) value = {*from, Ramp{*to}, &n};
    return from && to;
  }
  const auto x = r.number(given, w);
  value.from = x.value_or(0);
  return x.has_value();
}

bool load_times(Loading& l, const Node& n, Times& t) {
  Reader& r = l.read;
  r.map(n, repeat_entry_keys, "'repeat'", n.mark);
  const Node* interval = n.find("every");
  const auto every = interval ? r.time(*interval, "every", 1) : std::nullopt;
  const Node* given = n.find("count");
  const auto count =
      given ? r.integer(*given, "count", 1, 0xFFFFFFFFu) : std::optional<std::uint64_t>(0xFFFFFFFFu);
  if (every && count) t = {*count, *every, !given};
  return every && count;
}

std::span<const Key> repeat_keys() { return repeat_entry_keys; }
std::span<const Key> ramp_keys() { return ramp_entry_keys; }
std::span<const Key> waveform_keys() { return wave_keys; }
std::span<const Named> waveform_forms() { return forms; }

}  // namespace spinet::reading
