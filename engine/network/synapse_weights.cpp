// `weights` of a synapse: state from the log of an earlier run.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "connect/rule.hpp"
#include "network/draft.hpp"
#include "network/edge_list.hpp"
#include "network/extended.hpp"
#include "network/structs.hpp"
#include "network/suggest.hpp"

namespace spinet::reading {
namespace {

constexpr Key from_keys[] = {
    {"from", true, "path", "the log, OUT.h5"},
    {"values", false, "name",
     "frame: the last of `record: weights` (if not given); events: the last weight events; edges: those of "
     "`record: edges`"},
    {"projection", false, "name", "its name in the log, if another"},
};

class StateReader {
 public:
  explicit StateReader(Draft& d) : d_(d), r_(d.r), p_(d.p) {}

  void read(const Node& n, Weights& weights_here) {
    const Node* weight = weights_here.node;
    const std::string& unit = weights_here.unit;
    if (!r_.map(n, from_keys, "'weights'", n.mark)) return;
    const auto variables = initials(*p_.synapse);
    if (variables.empty()) {
      r_.errors.error(n.mark,
                      fmt::format("synapses of model {} have no weight to be read", p_.synapse->model.name));
      return;
    }
    if (weight || p_.listed_weights) {
      r_.errors.error(n.mark,
                      weight ? fmt::format("'{}' and 'weights' are given", variables[0]->name)
                             : "weights are given in the list and in 'weights', too",
                      "one of them");
      return;
    }
    const auto path = r_.data_file(*n.find("from"));
    const Node *values = n.find("values"), *other = n.find("projection");
    const auto which = values ? r_.text(*values, "values") : std::optional<std::string>("frame");
    const auto name = other ? r_.text(*other, "projection") : std::optional(p_.name);
    if (which && *which != "frame" && *which != "events" && *which != "edges") {
      r_.errors.error(values->mark, fmt::format("{} are no values of a log", in_quotes(*which)),
                      suggest(*which, {"frame", "events", "edges"}, "values"));
      return;
    }
    const bool ready =
        d_.rule_good && !weights_here.failed && d_.sources_known && d_.onto_neurons && d_.port_known;
    if (!path || !which || !name || !ready) return;
    const Mark where = n.find("from")->mark;
    if (!r_.options.read_weights) {
      r_.errors.error(where, "logs cannot be read here", "this program was built without HDF5");
      return;
    }
    const auto fault = [&](const std::string& reason, std::string help = {}) {
      r_.errors.error(where, fmt::format("{}: {}", in_quotes(path->string()), reason), std::move(help));
    };
    WantedState all{*name, *which, {}, field(p_.synapse->model.variables, 0).name, is_weight(*variables[0])};
    std::vector<std::size_t> number;  // in Projection::state, of each of them
    for (std::size_t v = 0; v < variables.size(); ++v)
      if (!gives(d_, *variables[v])) all.variables.emplace_back(variables[v]->name), number.push_back(v);
    try {
      const FileWeights file = r_.options.read_weights(*path, all);
      if (take_state(file, number, unit, fault)) {
        p_.weights_from = path->string();
        const bool negative =
            std::any_of(p_.edges.begin(), p_.edges.end(), [](const ListedEdge& e) { return e.weight < 0; });
        const bool positive =
            std::any_of(p_.edges.begin(), p_.edges.end(), [](const ListedEdge& e) { return e.weight > 0; });
        weights_here.sign = negative && positive ? 0 : negative ? -1 : 1;
        weights_here.failed = false;
        for (const auto& e : p_.edges)
          if (const auto reason = excess(d_, e.weight, e.weight, unit); !reason.empty()) {
            fault(reason);
            break;
          }
      }
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& e) {
      fault(without_name(*path, e.what()));
    }
  }

 private:
  /// Does a run change variable `v` of these synapses?
  bool changes(const Field& f) {
    const SynapseTable& t = *p_.synapse;
    if (is_drawn_parameter(t, f)) return false;
    if (!t.changes) return true;
    std::vector<double> params(t.params_size / sizeof(double) + 1);
    for (std::uint32_t i = 0; i < t.model.params.count; ++i)
      put(params.data(), field(t.model.params, i), p_.params[i]);
    std::uint32_t v = 0;
    while (&field(t.model.variables, v) != &f) ++v;
    return t.changes(params.data(), v) != 0;
  }

  /// Edges and variables of a log as those of the projection; `number`: of each variable in
  /// Projection::state.  What a run changes must be in the log or in 'synapse'.
  template <class Fault>
  bool take_state(const FileWeights& file, const std::vector<std::size_t>& number, const std::string& unit,
                  const Fault& fault) {
    const auto variables = initials(*p_.synapse);
    bool complete = true;
    for (std::size_t k = 1; k < number.size(); ++k) {
      const Field& f = *variables[number[k]];
      if (file.missing[k].empty() || !changes(f)) continue;
      fault(file.missing[k], fmt::format("a run changes '{0}' of these synapses: log it as well as '{1}', or "
                                         "give it in 'synapse', for example {0}: {2}",
                                         f.name, variables[0]->name, f.preset));
      complete = false;
    }
    if (!complete) return false;
    Projection found;
    found.listed_state.resize(variables.size());
    for (std::size_t i = 0; i < file.rows.size(); ++i) {
      const auto& row = file.rows[i];
      const std::string &from = file.populations.at(row.source_population),
                        &to = file.populations.at(row.target_population);
      const auto source = d_.along(p_.sources, from, row.source),
                 target = d_.along(p_.targets, to, row.target);
      if (!source || !target) {
        fault(fmt::format("that run connects neuron {} of {} to {} of {}; this projection does not have {}",
                          row.source, from, row.target, to, !source ? "the source" : "the target"));
        return false;
      }
      found.edges.push_back({*source, *target, 0, 0});
      for (std::size_t k = 0; k < number.size(); ++k) {
        if (!file.missing[k].empty()) continue;
        const std::size_t v = number[k];
        double& to_value = v == 0 ? found.edges.back().weight : found.listed_state[v].emplace_back();
        if (const auto reason = take_value(r_, {file.values[k].at(i)}, *variables[v], unit, to_value);
            !reason.empty()) {
          fault(fmt::format("edge {}: {}", i, reason));
          return false;
        }
      }
    }
    const auto by_ends = [](const ListedEdge& a, const ListedEdge& b) {
      return a.target != b.target ? a.target < b.target : a.source < b.source;
    };
    sort_edges(found, by_ends);
    p_.listed_weights = true;
    if (p_.rule->lists()) return match_listed(found, by_ends, fault);
    p_.edges = std::move(found.edges);
    p_.listed_state = std::move(found.listed_state);
    return true;
  }

  /// Gives the listed edges of `p` what `found`, sorted by `by_ends`, has of the same ends.
  template <class ByEnds, class Fault>
  bool match_listed(const Projection& found, const ByEnds& by_ends, const Fault& fault) {
    std::vector<std::uint32_t> order(p_.edges.size());
    std::iota(order.begin(), order.end(), 0u);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return by_ends(p_.edges[a], p_.edges[b]); });
    p_.listed_state.resize(found.listed_state.size());
    for (std::size_t v = 0; v < found.listed_state.size(); ++v)
      if (!found.listed_state[v].empty()) p_.listed_state[v].resize(p_.edges.size());
    for (std::size_t i = 0; i < std::max(order.size(), found.edges.size()); ++i) {
      const ListedEdge* here = i < order.size() ? &p_.edges[order[i]] : nullptr;
      const ListedEdge* there = i < found.edges.size() ? &found.edges[i] : nullptr;
      const bool lacks = here && (!there || by_ends(*here, *there));
      if (lacks || !here || by_ends(*there, *here)) {
        const ListedEdge& e = lacks ? *here : *there;
        fault(fmt::format("is of other connections: it {} a synapse from source {} to target {}",
                          lacks ? "lacks" : "has", e.source, e.target));
        return false;
      }
      p_.edges[order[i]].weight = there->weight;
      for (std::size_t v = 0; v < found.listed_state.size(); ++v)
        if (!found.listed_state[v].empty()) p_.listed_state[v][order[i]] = found.listed_state[v][i];
    }
    return true;
  }
  Draft& d_;
  Reader& r_;
  Projection& p_;
};

}  // namespace

std::span<const Key> weights_from_keys() { return from_keys; }

void read_weights(Draft& d, const Node& n, Weights& w) { StateReader(d).read(n, w); }

std::optional<std::uint32_t> Draft::along(const std::vector<GidRange>& ranges, std::string_view population,
                                          std::uint64_t id) const {
  const auto at = l.populations.index.find(population);
  if (at == l.populations.index.end() || id >= l.net.populations[at->second].size) return {};
  const Gid gid = l.net.populations[at->second].first + static_cast<Gid>(id);
  std::uint32_t before = 0;
  for (const auto& r : ranges) {
    if (gid - r.first < r.count) return before + (gid - r.first);
    before += r.count;
  }
  return {};
}

}  // namespace spinet::reading
