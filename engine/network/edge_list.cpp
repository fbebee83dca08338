#include "network/edge_list.hpp"

#include <fmt/format.h>

#include <cmath>
#include <tuple>

namespace spinet::reading {
namespace {

Wanted wanted_weight(const Weights& w) {
  if (!w.field) return {"weight", w.unit};
  return wanted_here(*w.field, w.unit == any_unit ? std::nullopt : std::optional(w.unit));
}

}  // namespace

bool is_weight(const Field& f) { return f.flags & port_unit; }

EdgeList::EdgeList(Draft& d, Weights& w)
    : draft(d),
      weights(w),
      weight(wanted_weight(w)),
      known(d.sources_known && d.onto_neurons && w.unit != any_unit),
      sources_(d.sources_known ? static_cast<double>(d.p.source_count()) : INFINITY),
      targets_(d.targets_known ? static_cast<double>(d.p.target_count()) : INFINITY) {}

std::string EdgeList::columns(const ListedColumns& there) {
  Projection& p = draft.p;
  if (there.weights && p.state.empty())
    return fmt::format("synapses of model {} have no weight to be listed", p.synapse->model.name);
  if (there.weights && weights.node) return "weights are given in the list and in 'synapse', too";
  if (there.delays && draft.synapse->find("delay"))
    return "delays are given in the list and in 'synapse', too";
  p.listed_weights = there.weights;
  p.listed_delays = there.delays;
  return {};
}

RowFault EdgeList::add(const ListedRow& row) {
  Projection& p = draft.p;
  const auto [s, t, w, ms, ticks] = row;
  if (!(s >= 0 && s < sources_ && s == std::floor(s)))
    return {fmt::format("there is no source {}; there are {}, counted from 0", s, sources_), 0};
  if (!(t >= 0 && t < targets_ && t == std::floor(t)))
    return {fmt::format("there is no target {}; there are {}, counted from 0", t, targets_), 1};
  if (p.listed_weights && w != 0) {
    if (auto fault = sign_fault(w); !fault.empty()) return {fault, 2};
    if (auto fault = excess(draft, w, w, weights.unit); !fault.empty()) return {fault, 2};
    (w < 0 ? negative_ : positive_) = true;
  }
  if (p.listed_delays)
    if (const auto fault = delay_fault(draft.l, ms, ticks); !fault.first.empty())
      return {fault.first + (fault.second.empty() ? "" : "; " + fault.second), 3};
  if (!known) return {};
  if ((p.edges.size() + 1) * sizeof(ListedEdge) > draft.r.memory_limit / 2)
    return {"the list does not fit memory"};
  p.edges.push_back({static_cast<std::uint32_t>(s), static_cast<std::uint32_t>(t), p.listed_weights ? w : 0,
                     p.listed_delays ? static_cast<Tick>(ticks) : 0});
  return {};
}

/// Why a weight cannot follow those before.
std::string EdgeList::sign_fault(double w) const {
  const Projection& p = draft.p;
  if (!draft.ports_sign || sign_of(*p.synapse, p.params) != Sign::given) return {};
  if (w < 0 && *draft.ports_sign > 0)
    return fmt::format("the port takes positive weights; this is {}", with_unit(w, weights.unit));
  if (w < 0 ? positive_ : negative_)
    return fmt::format(
        "this weight is {}, those before are {}; a port has one sign: make a projection for each",
        with_unit(w, weights.unit), positive_ ? "positive" : "negative");
  return {};
}

void EdgeList::finish(Mark where) {
  Projection& p = draft.p;
  if (p.listed_weights) {
    weights.sign = positive_ && negative_ ? 0 : negative_ ? -1 : 1;
    weights.failed = false;
  }
  sort_edges(p, [](const ListedEdge& a, const ListedEdge& b) { return a.target < b.target; });
  if (known && p.synapse->draws) check_copies(where);
}

/// Synapses of one pair and delay are told apart by a byte where their model draws random numbers.
void EdgeList::check_copies(Mark where) {
  const Projection& p = draft.p;
  if (!p.listed_delays && p.delay.kind != Distribution::Kind::constant)
    return;  // drawn: known when they have been
  constexpr std::size_t most = 256;
  auto edges = p.edges;
  const auto ends = [](const ListedEdge& e) { return std::tuple(e.target, e.source, e.delay); };
  std::sort(edges.begin(), edges.end(),
            [&](const ListedEdge& a, const ListedEdge& b) { return ends(a) < ends(b); });
  for (std::size_t i = most; i < edges.size(); ++i) {
    if (ends(edges[i]) != ends(edges[i - most])) continue;
    draft.r.errors.error(
        where,
        fmt::format("more than {} synapses from source {} to target {} with one delay", most, edges[i].source,
                    edges[i].target),
        fmt::format("model {} draws random numbers and could not tell them apart", p.synapse->model.name));
    return;
  }
}

}  // namespace spinet::reading
