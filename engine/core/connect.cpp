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
      runs_((ends_.targets + target_run - 1) / target_run),
      stop_(stop) {
  const ConnectionRule& rule = *projection.rule;
  if (const auto refusal = rule.refusal(ends_)) throw ProjectionFailure(projection, refusal.reason);
  expected_ = rule.count(ends_);
  drawer_ = rule.drawer(ends_, EdgeKeys(net.projection_identity(index)));
}

void Connector::edges(std::uint32_t run, const bool* wanted, const EdgeTaker& take) const {
  if (stop_ && stop_->load(std::memory_order_relaxed)) throw Stopped();
  if (projection.weights_from.empty() || projection.rule->lists()) draw(run, wanted, take);
  else match(run, wanted, take);
}

void Connector::draw(std::uint32_t run, const bool* wanted, const EdgeTaker& take) const {
  EdgeBatch batch(take);
  drawer_->draw({run, run * target_run, targets_in(run), wanted}, batch);
  batch.flush();
}

/// Finds for every edge drawn its place among those that a file has weights of.  Throws where the two are not
/// the same.
void Connector::match(std::uint32_t run, const bool* wanted, const EdgeTaker& take) const {
  const auto& list = projection.edges;
  const std::uint32_t base = run * target_run;
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
  std::vector<std::uint32_t> used(begin_of(base + targets_in(run)) - first,
                                  0);  // at the first of equals: how many are
  std::vector<std::uint64_t> found(targets_in(run), 0);
  std::vector<DrawnEdge> matched;
  draw(run, wanted, [&](const DrawnEdge* e, std::size_t n) {
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
  for (std::uint32_t t = 0; t < targets_in(run); ++t) {
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

std::string missing_synapse(const Network& net) {
  struct Named {
    const std::vector<SynapseAddress>* synapses;
    const char* who;
  };
  std::map<std::uint32_t, std::vector<Named>> addressed;
  std::map<CrossPoints, std::vector<SynapseAddress>> crossings;
  for (const auto& c : net.schedule)
    for (const Place& place : c.to.places) {
      const auto add = [&](std::uint32_t p, const std::vector<SynapseAddress>& some) {
        addressed[p].push_back({&some, "the schedule addresses"});
      };
      if (const auto* some = std::get_if<Pairs>(&place)) add(some->projection, some->synapses);
      const auto* const points = std::get_if<CrossPoints>(&place);
      if (!points || points->rows.empty() || points->columns.empty()) continue;
      const auto [known, fresh] = crossings.try_emplace(*points);
      if (!fresh) continue;
      known->second = crossings_of(net, *points);
      add(points->projection, known->second);
    }
  for (const auto& r : net.weight_events)
    if (!r.synapses.empty()) addressed[r.projection].push_back({&r.synapses, "`record` names"});
  for (const auto& [p, controls] : addressed) {
    const Connector connector(net, p);
    std::map<std::uint32_t, std::map<std::pair<std::uint32_t, std::uint32_t>, bool>>
        ends;  // by run: (target, source), found
    for (const auto& c : controls)
      for (const auto& a : *c.synapses)
        ends[a.target / target_run][{a.target % target_run, a.source}] = false;
    for (auto& [run, some] : ends) {
      bool wanted[target_run] = {};
      for (const auto& [end, found] : some) wanted[end.first] = true;
      connector.edges(run, wanted, [&, &some = some](const DrawnEdge* e, std::size_t n) {
        for (; n; --n, ++e)
          if (const auto at = some.find({e->target, e->source}); at != some.end()) at->second = true;
      });
    }
    for (const auto& c : controls)
      for (const auto& a : *c.synapses)
        if (!ends[a.target / target_run][{a.target % target_run, a.source}])
          return std::string(c.who) + " a synapse from source " + std::to_string(a.source) + " to target " +
                 std::to_string(a.target) + " of projection '" + net.projections[p].name +
                 "', but none was drawn between them; `record: {edges: [" + net.projections[p].name +
                 "]}` logs those that were";
  }
  return {};
}

}  // namespace spinet
