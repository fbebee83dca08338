#include "network/read_outs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "connect/rule.hpp"
#include "network/structs.hpp"
#include "network/suggest.hpp"

namespace spinet::reading {
namespace {

/// Of one projection: all its synapses, or some of them.
struct Some {
  bool all = false;
  std::vector<SynapseAddress> synapses;
};

std::vector<std::uint32_t> numbers_below(std::uint64_t n) {
  std::vector<std::uint32_t> all(n);
  std::iota(all.begin(), all.end(), 0u);
  return all;
}

/// Those at the crossings of rows and columns; none of either: all.
void add_crossings(const Ends& ends, std::vector<std::uint32_t> rows, std::vector<std::uint32_t> columns,
                   Some& some) {
  const Projection& p = ends.projection;
  if (!p.rule) return;  // an error of its own
  if (rows.empty()) rows = numbers_below(p.source_count());
  if (columns.empty()) columns = numbers_below(p.target_count());
  for (const std::uint32_t r : rows)
    for (const std::uint32_t c : columns)
      if (p.rule->absent(ends, {r, c}).empty()) some.synapses.push_back({r, c});
}

/// Does it depend on the draw whether there is a synapse?
bool is_drawn(const Ends& ends) {
  const Projection& p = ends.projection;
  if (!p.rule || p.rule->lists() || p.rule->pairs_in_order()) return false;
  return p.rule->count(ends) < ends.pairs();
}

/// By projection.
std::map<std::uint32_t, Some> reached(const Network& net, const Address& to) {
  std::map<std::uint32_t, Some> all;
  for (const Place& place : to.places) {
    const std::uint32_t q = *projection_of(place);
    Some& some = all[q];
    const Ends ends(net, net.projections[q]);
    if (std::holds_alternative<WholeProjection>(place)) some.all = true;
    else if (const auto* pairs = std::get_if<Pairs>(&place))
      some.synapses.insert(some.synapses.end(), pairs->synapses.begin(), pairs->synapses.end());
    else if (const auto* row = std::get_if<Row>(&place)) add_crossings(ends, {row->source}, {}, some);
    else if (const auto* column = std::get_if<spinet::Column>(&place))
      add_crossings(ends, {}, {column->target}, some);
    else if (const auto* points = std::get_if<CrossPoints>(&place))
      add_crossings(ends, points->rows, points->columns, some);
  }
  for (auto& [q, some] : all) {
    if (some.all) some.synapses.clear();
    std::sort(some.synapses.begin(), some.synapses.end(),
              [](const SynapseAddress& a, const SynapseAddress& b) {
                return a.target != b.target ? a.target < b.target : a.source < b.source;
              });
  }
  return all;
}

bool names_lines(const Address& to) {
  return std::any_of(to.places.begin(), to.places.end(), [](const Place& p) {
    return std::holds_alternative<Row>(p) || std::holds_alternative<spinet::Column>(p);
  });
}

/// The network's recording of what `r` records of that projection; null after an error.
WeightEventRecording* recording_for(Loading& l, WeightEventRecording r, Mark where) {
  auto& all = l.net.weight_events;
  const auto at = std::find_if(all.begin(), all.end(), [&](const auto& x) {
    return x.projection == r.projection && x.variable == r.variable;
  });
  if (at == all.end()) return &all.emplace_back(std::move(r));
  if (at->synapses == r.synapses) return &*at;
  l.read.errors.error(where,
                      fmt::format("another entry reads other synapses of {}",
                                  in_quotes(l.net.projections[r.projection].name)),
                      "all reads of a projection name the same synapses: its read-outs are logged together");
  return nullptr;
}

}  // namespace

bool log_read_outs(Loading& l, const ScheduledControl& c, Mark where, std::uint64_t expected) {
  for (auto& [q, some] : reached(l.net, c.to)) {
    const Projection& p = l.net.projections[q];
    if (names_lines(c.to) && is_drawn(Ends(l.net, p))) {
      l.read.errors.error(where,
                          fmt::format("the synapses in rows and columns of {} are drawn: which there are is "
                                      "not known before the run",
                                      in_quotes(p.name)),
                          fmt::format("'{}' is logged: it reaches whole projections, the 'synapses' that it "
                                      "names, or lines whose rule connects all",
                                      c.stimulus->name));
      return false;
    }
    WeightEventRecording r{};
    r.projection = q;
    const Fields& variables = p.synapse->model.variables;
    while (r.variable < variables.count &&
           field(variables, r.variable).name != std::string_view(c.stimulus->logs))
      ++r.variable;
    r.synapses = std::move(some.synapses);
    WeightEventRecording* const kept = recording_for(l, std::move(r), where);
    if (!kept) return false;
    kept->logs = c.stimulus;
    kept->expected += expected;
  }
  return true;
}

}  // namespace spinet::reading
