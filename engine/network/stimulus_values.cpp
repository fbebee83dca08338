#include "network/stimulus_values.hpp"

#include <fmt/format.h>

#include "network/structs.hpp"
#include "network/suggest.hpp"

namespace spinet::reading {
namespace {

constexpr Key train_keys[] = {
    {"count", false, "integer", "number of them, 1 if not given"},
    {"period", false, "quantity", "from the begin of one to the begin of the next"},
};

}  // namespace

bool StimulusValues::read(const Node& n, Going& value, Times& train) {
  const Stimulus& s = *c_.stimulus;
  std::uint32_t needed = 0;
  for (std::uint32_t i = 0; i < s.count; ++i) needed += (s.fields[i].flags & required) != 0;
  const bool first_alone = needed == 0 || (needed == 1 && s.fields[0].flags & required);
  const auto named = [&](const Node& at) {
    for (std::uint32_t i = 0; i < s.count; ++i)
      if (at.find(s.fields[i].name)) return true;
    return false;
  };
  if (first_alone && (!n.is_map() || (is_going(n) && !named(n)))) return number(0, n, s.name, value);
  const std::uint32_t duration = lasting_field(s);
  std::vector<Key> keys;
  for (std::uint32_t i = 0; i < s.count; ++i)
    keys.push_back({s.fields[i].name, (s.fields[i].flags & required) != 0,
                    s.fields[i].choices ? "name" : "going", s.fields[i].doc});
  if (duration < s.count) keys.insert(keys.end(), std::begin(train_keys), std::end(train_keys));
  if (n.is_map() && first_alone && is_going(n)) {
    r_.errors.error(
        n.mark, fmt::format("beside other values, the one that goes its own way has its name: {}: {{...}}",
                            s.fields[0].name));
    return false;
  }
  bool good = r_.map(n, keys, fmt::format("'{}'", s.name), n.mark);
  if (!n.is_map()) return false;
  if (good && !named(n)) {
    r_.errors.error(n.mark, fmt::format("'{}' has no value", s.name), "values: " + joined(names(keys)));
    good = false;
  }
  for (std::uint32_t i = 0; i < s.count; ++i)
    if (const Node* given = n.find(s.fields[i].name))
      good = number(i, *given, s.fields[i].name, value) && good;
  if (duration < s.count) good = train_of(n, c_.value[duration], train) && good;
  return good;
}

bool StimulusValues::number(std::uint32_t i, const Node& given, const char* what, Going& going) {
  const Field& f = c_.stimulus->fields[i];
  if (f.choices) {
    const auto x = r_.choice(given, f);
    c_.value[i] = x.value_or(0);
    return x.has_value();
  }
  Wanted w = wanted(f);
  w.what = what;
  w.flags &= ~std::uint32_t{required | lasting};
  Going read;
  if (!load_going(l_, given, w, c_.tick, read)) return false;
  c_.value[i] = read.from;
  if (!read.node) return going.node || (going.from = read.from, true);
  const bool twice = going.node != nullptr;
  if (twice || f.flags & lasting) {
    r_.errors.error(read.node->mark, twice ? "one value of an entry may go its own way, not two"
                                           : fmt::format("'{}' stays the same over an entry", what));
    return false;
  }
  c_.course_of = i;
  going = read;
  return true;
}

bool StimulusValues::train_of(const Node& n, double width, Times& train) {
  const Node *count = n.find("count"), *period = n.find("period");
  if (count) {
    const auto x = r_.integer(*count, "count", 1, 0xFFFFFFFFu);
    if (!x && period) r_.time(*period, "period", 1);
    if (!x) return false;
    train.count = *x;
  }
  if (period && !count) {
    r_.errors.error(period->mark, "a 'period' needs a 'count'",
                    "how many there are, for example count: 50; for one, leave the period out");
    return false;
  }
  if (train.count > 1 && !period) {
    r_.errors.error(count->mark, fmt::format("a train of {} needs a 'period'", train.count),
                    "from the begin of one to the begin of the next, for example period: 10 ms");
    return false;
  }
  if (!period) return true;
  const auto every = r_.time(*period, "period", 1);
  if (!every) return false;
  train.every = *every;
  if (train.count > 1 && width > seconds(*every) * (1 + 1e-9)) {
    r_.errors.error(period->mark,
                    fmt::format("what lasts {} overlaps with a period of {}", with_unit(1e3 * width, "ms"),
                                with_unit(1e3 * seconds(*every), "ms")),
                    "a period must not be shorter than the pulse");
    return false;
  }
  return true;
}

bool StimulusValues::fit(const Times& train, const Times& repeat, Mark where) const {
  const std::uint32_t duration = lasting_field(*c_.stimulus);
  if (duration == c_.stimulus->count || repeat.count == 1) return true;
  const double length = seconds(train.every) * static_cast<double>(train.count - 1) + c_.value[duration],
               every = seconds(repeat.every);
  if (length <= every * (1 + 1e-9)) return true;
  r_.errors.error(where, fmt::format("what lasts {} in all cannot be repeated every {}: it would overlap",
                                     with_unit(1e3 * length, "ms"), with_unit(1e3 * every, "ms")));
  return false;
}

}  // namespace spinet::reading
