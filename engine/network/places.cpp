#include "network/places.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <set>

#include "connect/rule.hpp"
#include "network/crossbar.hpp"
#include "network/lookup.hpp"
#include "network/suggest.hpp"

namespace spinet::reading {
namespace {

/// A projection whose synapses are named.
struct NamedProjection {
  Loading& l;
  std::uint32_t q;
  const Projection& p;
  bool sure;
  using Make = std::function<void(std::uint32_t)>;
  explicit NamedProjection(Loading& loading, std::uint32_t index)
      : l(loading), q(index), p(loading.net.projections[index]), sure(!loading.projections.flawed[index]) {}
  bool rows(const Node& given, const Make& make) const { return lines(given, true, make); }
  bool columns(const Node& given, const Make& make) const { return lines(given, false, make); }
  /// What only drawing can tell of is looked for once all has been read.
  void name(Mark where, Place place) const {
    if (sure && p.rule && !p.rule->lists()) l.named.push_back({where, std::move(place)});
  }

 private:
  bool lines(const Node& given, bool are_rows, const Make& make) const;
  /// By number: which rows or columns have a synapse, as far as it is known before anything is drawn.
  std::vector<bool> taken(bool are_rows, std::uint64_t count) const {
    if (!sure) return {};  // there may be no rule
    std::vector<bool> have(count, !p.rule->lists());
    if (p.rule->lists())
      for (const auto& e : p.edges) have[are_rows ? e.source : e.target] = true;
    return have;
  }
};

/// `rows: 3` or `rows: [0, 3]`
bool NamedProjection::lines(const Node& given, bool are_rows, const Make& make) const {
  const char* const what = are_rows ? "row" : "column";
  const std::uint64_t count = are_rows ? p.source_count() : p.target_count();
  const auto have = taken(are_rows, count);
  Reader& r = l.read;
  const Node& n = r.resolved(given);
  std::vector<const Node*> items;
  if (n.is_list())
    for (const auto& i : n.items) items.push_back(&i);
  else items.push_back(&given);
  bool good = !items.empty();
  if (!good) r.errors.error(n.mark, fmt::format("'{}s' is an empty list", what));
  std::set<std::uint64_t> seen;
  for (const Node* i : items) {
    const auto x = r.integer(*i, fmt::format("{}s", what), 0, 0xFFFFFFFFu);
    good = good && x;
    if (!x) continue;
    if (sure && *x >= count) {
      r.errors.error(i->mark,
                     fmt::format("there is no {} {}; projection {} has {}, counted from 0", what, *x,
                                 in_quotes(p.name), count),
                     are_rows ? "a row is one source" : "a column is one target");
      good = false;
    } else if (!seen.insert(*x).second) {
      r.errors.error(i->mark, fmt::format("{} {} is named twice", what, *x));
      good = false;
    } else if (sure && !have[*x]) {
      r.errors.error(i->mark,
                     fmt::format("there is no synapse in {} {}: {} lists none", what, *x, in_quotes(p.name)));
      good = false;
    } else {
      const auto line = static_cast<std::uint32_t>(*x);
      if (are_rows) name(i->mark, Row{q, line});
      else name(i->mark, spinet::Column{q, line});
      make(line);
    }
  }
  return good;
}

/// The rows and columns of the synapses named; false after an error.
bool lines_of(const NamedProjection& of, const Node& given, CrossPoints& points) {
  std::vector<SynapseAddress> synapses;
  if (!synapse_list(of.l, of.q, of.l.read.resolved(given), synapses)) return false;
  std::set<std::uint32_t> rows, columns;
  for (const auto& a : synapses) rows.insert(a.source), columns.insert(a.target);
  points.rows.assign(rows.begin(), rows.end());
  points.columns.assign(columns.begin(), columns.end());
  if (rows.size() * columns.size() == synapses.size()) return true;
  for (const std::uint32_t r : rows)
    for (const std::uint32_t c : columns) {
      if (std::count(synapses.begin(), synapses.end(), SynapseAddress{r, c})) continue;
      if (of.sure && !of.p.rule->absent(Ends(of.l.net, of.p), {r, c}).empty()) continue;  // nobody to feel it
      of.l.read.errors.error(
          given.mark,
          fmt::format("one voltage on the rows and columns of these devices is on [{}, {}], too", r, c),
          "several entries, one after the other; or scheme: none");
      return false;
    }
  return true;
}

/// At the crossings of rows and columns of a crossbar.
bool load_cross_points(const NamedProjection& of, const PlacesRead& read, Scheme scheme, Address& address) {
  CrossPoints points{of.q, {}, {}, scheme};
  bool good = true;
  if (read.synapses) {
    good = lines_of(of, *read.synapses, points);
  } else {
    if (read.rows) good = of.rows(*read.rows, [&](std::uint32_t i) { points.rows.push_back(i); });
    if (read.columns)
      good = of.columns(*read.columns, [&](std::uint32_t i) { points.columns.push_back(i); }) && good;
    std::sort(points.rows.begin(), points.rows.end());
    std::sort(points.columns.begin(), points.columns.end());
    constexpr std::size_t few = 10'000;
    const Ends ends(of.l.net, of.p);
    for (std::size_t i = 0; good && of.sure && i < points.rows.size() * points.columns.size() && i < few;
         ++i) {
      const SynapseAddress a{points.rows[i / points.columns.size()],
                             points.columns[i % points.columns.size()]};
      const std::string why = of.p.rule->absent(ends, a);
      if (why.empty()) continue;
      of.l.read.errors.error(read.columns->mark,
                             fmt::format("there is no device at the crossing of row {} and column {}: {} {}",
                                         a.source, a.target, in_quotes(of.p.name), why));
      good = false;
    }
    if (good && read.rows && read.columns) of.name(read.columns->mark, points);
  }
  address.places.emplace_back(std::move(points));
  return good;
}

/// The scheme of an entry; none after an error.
std::optional<Scheme> scheme_of(const NamedProjection& of, const PlacesRead& read) {
  if (!read.scheme) return of.p.crossbar && read.across ? *of.p.crossbar : Scheme::none;
  if (of.p.crossbar) return read_scheme(of.l.read, *read.scheme);
  if (of.sure)
    of.l.read.errors.error(
        read.scheme->mark,
        fmt::format("projection {} is no crossbar: its devices share no lines", in_quotes(of.p.name)),
        "a projection that is one has layout: crossbar");
  return std::nullopt;
}

/// Some synapses of the one projection that the address names.
bool load_some(Loading& l, const PlacesRead& read, Address& address) {
  const char* const what = read.rows       ? "rows"
                           : read.columns  ? "columns"
                           : read.synapses ? "synapses"
                                           : "scheme";
  auto& errors = l.read.errors;
  const Node& some = read.some() ? *read.some() : *read.scheme;
  if (address.places.size() != 1) {
    errors.error(some.mark, fmt::format("'{}' are those of one projection; 'to' names several", what));
    return false;
  }
  const auto* const whole = std::get_if<WholeProjection>(&address.places[0]);
  if (!whole) {
    errors.error(some.mark, fmt::format("'{}' are those of a projection; 'to' names neurons", what));
    return false;
  }
  const NamedProjection of(l, whole->projection);
  const bool lines = of.p.crossbar.has_value();  // rows and columns are crossings
  if (!read.rows + !read.columns + !read.synapses < 2 && !(lines && !read.synapses)) {
    errors.error((read.synapses ? read.synapses : read.columns)->mark,
                 "an entry names rows, columns or synapses; for several, make several entries",
                 read.synapses ? "" : "on a crossbar (layout: crossbar) it may name rows and columns");
    return false;
  }
  const auto scheme = scheme_of(of, read);
  if (!scheme) return false;
  if (!read.some()) return true;
  address.places.clear();
  if (lines && (*scheme != Scheme::none || (read.rows && read.columns)))
    return load_cross_points(of, read, *scheme, address);
  if (read.rows) return of.rows(some, [&](std::uint32_t i) { address.places.push_back(Row{of.q, i}); });
  if (read.columns)
    return of.columns(some, [&](std::uint32_t i) { address.places.push_back(spinet::Column{of.q, i}); });
  Pairs pairs{of.q, {}};
  const bool good = synapse_list(l, of.q, l.read.resolved(some), pairs.synapses);
  address.places.push_back(std::move(pairs));
  return good;
}

}  // namespace

std::uint32_t population_with(const Network& n, Gid gid) { return population_of(n, gid); }

bool load_place(Loading& l, const std::string& name, Mark where, Address& address) {
  if (const auto p = l.projections.index.find(name); p != l.projections.index.end()) {
    address.places.push_back(WholeProjection{p->second});
    return true;
  }
  if (!l.populations.index.count(name.substr(0, name.find('[')))) {
    if (!l.populations.complete || !l.projections.complete) return false;
    std::vector<std::string> known;
    for (const auto& p : l.net.populations) known.push_back(p.name);
    for (const auto& p : l.net.projections) known.push_back(p.name);
    l.read.errors.error(where, fmt::format("unknown population or projection {}", in_quotes(name)),
                        suggest(name, known, "names"));
    const auto best = meant_surely(name, known);  // a misspelt one is taken for the one meant
    if (!best.empty() && best != name) load_place(l, best, where, address);
    return false;
  }
  const auto s = select(l, name, where);
  if (s) address.places.push_back(s->range);
  return s.has_value();
}

bool load_places(Loading& l, const PlacesRead& read, Address& address) {
  bool good = true;
  if (read.to) {
    std::vector<const Node*> items;
    if (read.to->is_list())
      for (const auto& i : read.to->items) items.push_back(&i);
    else items.push_back(read.to);
    good = !items.empty();
    if (!good) l.read.errors.error(read.to->mark, "'to' is an empty list");
    for (const Node* i : items) {
      const auto name = l.read.text(*i, "to");
      good = name && load_place(l, *name, i->mark, address) && good;
    }
  }
  if (!read.some() && !read.scheme) return good;
  return !address.everyone() && load_some(l, read, address) && good;
}

bool synapse_list(Loading& l, std::uint32_t projection, const Node& list,
                  std::vector<SynapseAddress>& synapses) {
  Reader& r = l.read;
  const Projection& p = l.net.projections[projection];
  const bool sure = !l.projections.flawed[projection];
  if (!list.is_list() || list.items.empty()) {
    r.errors.error(
        list.mark,
        "'synapses' must be a list of pairs, not " + (list.is_list() ? "an empty one" : kind_name(list)),
        "for example synapses: [[0, 3], [1, 3]]");
    return false;
  }
  if (!r.take(list.items.size(), list.mark)) return false;
  bool good = true;
  std::set<std::pair<std::uint32_t, std::uint32_t>> seen;
  for (const auto& item : list.items) {
    const Node& pair = r.resolved(item);
    if (!pair.is_list() || pair.items.size() != 2) {
      r.errors.error(pair.mark, "a synapse is a pair [source, target]");
      good = false;
      continue;
    }
    const auto end = [&](const Node& n, const char* what,
                         std::uint64_t count) -> std::optional<std::uint64_t> {
      const auto x = r.integer(n, what, 0, 0xFFFFFFFFu);
      if (!x || *x < count || !sure) return x;
      r.errors.error(n.mark, fmt::format("there is no {} {}; projection {} has {}, counted from 0", what, *x,
                                         in_quotes(p.name), count));
      return std::nullopt;
    };
    const auto s = end(pair.items[0], "source", p.source_count()),
               t = end(pair.items[1], "target", p.target_count());
    good = good && s && t;
    if (!s || !t) continue;
    const SynapseAddress a{static_cast<std::uint32_t>(*s), static_cast<std::uint32_t>(*t)};
    if (const std::string why = sure && p.rule ? p.rule->absent(Ends(l.net, p), a) : std::string();
        !why.empty()) {
      r.errors.error(pair.mark, fmt::format("there is no synapse from source {} to target {}: {} {}",
                                            a.source, a.target, in_quotes(p.name), why));
      good = false;
    } else if (!seen.emplace(a.source, a.target).second) {
      r.errors.error(pair.mark, fmt::format("the synapse from source {} to target {} is named twice",
                                            a.source, a.target));
      good = false;
    }
    if (sure && p.rule && !p.rule->lists()) l.named.push_back({pair.mark, Pairs{projection, {a}}});
    synapses.push_back(a);
  }
  return good;
}

}  // namespace spinet::reading
