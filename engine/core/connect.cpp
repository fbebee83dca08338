#include "core/connect.hpp"

#include <algorithm>
#include <map>

#include "connect/rule.hpp"
#include "core/errors.hpp"
#include "core/failure.hpp"

namespace spinet {
namespace {

bool by_ends(const ListedEdge& a, const ListedEdge& b) {
  return a.target != b.target ? a.target < b.target : a.source < b.source;
}

/// The crossings that an entry names by its rows and columns, without those that the rule is known to leave
/// out (of a list of synapses they are on the lines, but nobody feels it there).
std::vector<SynapseAddress> crossings_of(const Network& net, const CrossPoints& points) {
  constexpr std::size_t most = 1'000'000;  // are looked at of one entry
  const Projection& p = net.projections[points.projection];
  const Ends ends(net, p);
  std::vector<SynapseAddress> all;
  for (const std::uint32_t row : points.rows)
    for (const std::uint32_t column : points.columns)
      if (all.size() < most && p.rule->absent(ends, {row, column}).empty()) all.push_back({row, column});
  return all;
}

}  // namespace

Connector::Connector(const Network& net, std::uint32_t index, const std::atomic<bool>* stop)
    : projection(net.projections[index]),
      ends_(net, projection),
      stretches_((ends_.targets + target_stretch - 1) / target_stretch),
      stop_(stop) {
  const ConnectionRule& rule = *projection.rule;
  if (const auto refusal = rule.refusal(ends_)) throw ProjectionFailure(projection, refusal.reason);
  expected_ = rule.count(ends_);
  drawer_ = rule.drawer(ends_, EdgeKeys(net.projection_identity(index)));
}

void Connector::edges(std::uint32_t stretch, const bool* wanted, const EdgeTaker& take) const {
  if (stop_ && stop_->load(std::memory_order_relaxed)) throw Stopped();
  if (projection.weights_from.empty() || projection.rule->lists()) draw(stretch, wanted, take);
  else match(stretch, wanted, take);
}

void Connector::draw(std::uint32_t stretch, const bool* wanted, const EdgeTaker& take) const {
  EdgeBatch batch(take);
  drawer_->draw({stretch, stretch * target_stretch, targets_in(stretch), wanted}, batch);
  batch.flush();
}

/// Finds for every edge drawn its place among those that a file has weights of.  Throws where the two are not
/// the same.
void Connector::match(std::uint32_t stretch, const bool* wanted, const EdgeTaker& take) const {
  const auto& list = projection.edges;
  const std::uint32_t base = stretch * target_stretch;
  const auto place_of = [&](std::uint32_t target, std::uint32_t source) {
    const auto at = std::lower_bound(list.begin(), list.end(), ListedEdge{source, target, 0, 0}, by_ends);
    return static_cast<std::size_t>(at - list.begin());
  };
  const auto begin_of = [&](std::uint32_t target) { return place_of(target, 0); };
  const auto refuse = [&](std::uint32_t source, std::uint32_t target, const char* file_has) {
    throw ProjectionFailure(projection, "takes its weights from '" + projection.weights_from +
                                            "', but that run had other connections: it has " + file_has +
                                            " synapse from source " + std::to_string(source) + " to target " +
                                            std::to_string(target) + " than are drawn now");
  };
  const std::size_t first = begin_of(base);
  std::vector<std::uint32_t> used(begin_of(base + targets_in(stretch)) - first,
                                  0);  // at the first of equals: how many are
  std::vector<std::uint64_t> found(targets_in(stretch), 0);
  std::vector<DrawnEdge> matched;
  draw(stretch, wanted, [&](const DrawnEdge* e, std::size_t n) {
    matched.assign(e, e + n);
    for (auto& edge : matched) {
      const std::uint32_t target = base + edge.target;
      const auto at = place_of(target, edge.source);
      const std::size_t place = at < first + used.size() ? at + used[at - first]++ : list.size();
      if (place >= list.size() || list[place].source != edge.source || list[place].target != target)
        refuse(edge.source, target, "fewer");
      edge.listed = static_cast<std::uint32_t>(place);
      ++found[edge.target];
    }
    take(matched.data(), n);
  });
  for (std::uint32_t t = 0; t < targets_in(stretch); ++t) {
    if (!wanted[t]) continue;
    const std::size_t begin = begin_of(base + t);
    if (begin_of(base + t + 1) - begin == found[t]) continue;
    for (std::size_t i = begin;; ++i) {  // the first that was not drawn
      std::size_t equals = i;
      while (equals > begin && list[equals - 1].source == list[i].source) --equals;
      if (i - equals >= used[equals - first]) refuse(list[i].source, base + t, "more");
    }
  }
}

namespace {

/// What is asked of one projection, and which of it has been drawn.
struct Asked {
  using InStretch =
      std::map<std::pair<std::uint32_t, std::uint32_t>, bool>;  // (target in the stretch, source)
  std::map<std::uint32_t, InStretch> pairs;
  std::map<std::uint32_t, bool> rows, columns;

  void ask(const SynapseAddress& a) {
    pairs[a.target / target_stretch][{a.target % target_stretch, a.source}] = false;
  }
  bool has(const SynapseAddress& a) const {
    return pairs.at(a.target / target_stretch).at({a.target % target_stretch, a.source});
  }
  bool rows_left() const {
    return std::any_of(rows.begin(), rows.end(), [](const auto& row) { return !row.second; });
  }
  void draw(const Connector& connector);

 private:
  void draw(const Connector& connector, std::uint32_t stretch, bool all);
};

void Asked::draw(const Connector& connector) {
  for (const auto& [column, found] : columns) pairs[column / target_stretch];
  for (const auto& [stretch, some] : pairs) draw(connector, stretch, false);
  for (std::uint32_t stretch = 0; stretch < connector.stretch_count() && rows_left(); ++stretch)
    draw(connector, stretch, true);
}

void Asked::draw(const Connector& connector, std::uint32_t stretch, bool all) {
  bool wanted[target_stretch] = {};
  if (all) std::fill(std::begin(wanted), std::end(wanted), true);
  const auto in_stretch = pairs.find(stretch);
  if (in_stretch != pairs.end())
    for (const auto& [end, found] : in_stretch->second) wanted[end.first] = true;
  const std::uint32_t first = stretch * target_stretch;
  for (auto c = columns.lower_bound(first); c != columns.end() && c->first < first + target_stretch; ++c)
    wanted[c->first - first] = true;
  connector.edges(stretch, wanted, [&](const DrawnEdge* e, std::size_t n) {
    for (; n; --n, ++e) {
      if (const auto row = rows.find(e->source); row != rows.end()) row->second = true;
      if (const auto c = columns.find(first + e->target); c != columns.end()) c->second = true;
      if (in_stretch == pairs.end()) continue;
      const auto pair = in_stretch->second.find({e->target, e->source});
      if (pair != in_stretch->second.end()) pair->second = true;
    }
  });
}

}  // namespace

std::vector<std::string> not_drawn(const Network& net, const std::vector<Place>& places) {
  std::map<std::uint32_t, Asked> asked;
  std::map<CrossPoints, std::vector<SynapseAddress>> crossings;
  for (const Place& place : places) {
    Asked& of = asked[*projection_of(place)];
    if (const auto* row = std::get_if<Row>(&place)) of.rows[row->source] = false;
    if (const auto* column = std::get_if<Column>(&place)) of.columns[column->target] = false;
    if (const auto* some = std::get_if<Pairs>(&place))
      for (const auto& a : some->synapses) of.ask(a);
    const auto* const points = std::get_if<CrossPoints>(&place);
    if (!points || crossings.count(*points)) continue;
    for (const auto& a : crossings[*points] = crossings_of(net, *points)) of.ask(a);
  }
  for (auto& [p, of] : asked) of.draw(Connector(net, p));
  std::vector<std::string> missing;
  for (const Place& place : places) {
    const Asked& of = asked.at(*projection_of(place));
    std::string& what = missing.emplace_back();
    const auto first_of = [&](const std::vector<SynapseAddress>& some, const char* text, const char* then) {
      const auto lost = std::find_if(some.begin(), some.end(), [&](const auto& a) { return !of.has(a); });
      if (lost != some.end())
        what = text + std::to_string(lost->source) + then + std::to_string(lost->target);
    };
    if (const auto* row = std::get_if<Row>(&place); row && !of.rows.at(row->source))
      what = "synapse in row " + std::to_string(row->source);
    if (const auto* column = std::get_if<Column>(&place); column && !of.columns.at(column->target))
      what = "synapse in column " + std::to_string(column->target);
    if (const auto* some = std::get_if<Pairs>(&place))
      first_of(some->synapses, "synapse from source ", " to target ");
    if (const auto* points = std::get_if<CrossPoints>(&place))
      first_of(crossings.at(*points), "device at the crossing of row ", " and column ");
  }
  return missing;
}

}  // namespace spinet
