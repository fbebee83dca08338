// sonata: the connections of a SONATA edges file.
#include <fmt/format.h>

#include <cmath>

#include "connect/listed.hpp"
#include "network/edge_list.hpp"
#include "network/suggest.hpp"

namespace spinet {
namespace {

using namespace reading;

constexpr Key beside_keys[] = {
    {"population", false, "name",
     "for sonata: the edge population of the file; the projection's own name if not given"},
};

/// A file that cannot be taken; what is wrong with it, and what would help.
struct Refused {
  std::string reason, help = {};
};

/// Takes the edges of a file.  Weights, delays and state that `synapse` gives replace those of the file.
class FileReader {
 public:
  FileReader(EdgeList& to, std::size_t groups)
      : to_(to), p_(to.draft.p), alone_(groups == 1), variables_(initials(*p_.synapse)) {}

  /// What the file's edges hold of the synapses' variables.  A first variable that is no weight takes the
  /// place of the weights.
  void take_properties(std::vector<FileEdges>& groups) {
    for (auto& g : groups) {
      if (g.sources.empty() || !p_.listed_weights || is_weight(*variables_[0])) continue;
      g.weights = std::move(g.properties[0].values), g.weight_unit = g.properties[0].unit;
      const Field& f = *variables_[0];
      if (g.weights.empty())
        throw Refused{fmt::format("edges of {} have no {}", g.group, in_quotes(f.name)),
                      fmt::format("give it in 'synapse', for example {}: {}", f.name, f.preset)};
    }
    for (std::size_t v = 1; v < variables_.size(); ++v) {
      const FileEdges *with = nullptr, *without = nullptr;
      for (const auto& g : groups)
        if (!g.sources.empty()) (g.properties[v].values.empty() ? without : with) = &g;
      if (!with || given(v)) continue;
      if (without)
        throw Refused{fmt::format("edges of {} have {}, and those of {} have not", with->group,
                                  in_quotes(variables_[v]->name), without->group)};
      p_.listed_state.resize(variables_.size());
      p_.listed_state[v].reserve(with->sources.size());
    }
  }

  void take(const FileEdges& g) {
    const auto sources = population_of_nodes(p_.sources, g.source),
               targets = population_of_nodes(p_.targets, g.target);
    if (!sources || !targets) {
      const std::string& unknown = sources ? g.target : g.source;
      throw Refused{fmt::format(
          "edges of {} {} nodes of {}, which {} does not name", g.group, sources ? "end in" : "come from",
          unknown.empty() ? "a population without a name" : in_quotes(unknown), sources ? "'to'" : "'from'")};
    }
    const Unit unit = weight_unit(g);
    for (std::size_t e = 0; e < g.sources.size(); ++e) {
      const double s = place(p_.sources, *sources, {g, e, g.sources[e], "source"});
      take_edge(g, e, {s, place(p_.targets, *targets, {g, e, g.targets[e], "target"})}, unit);
    }
  }

 private:
  struct FileNode {
    const FileEdges& group;
    std::size_t edge;
    std::uint64_t id;
    const char* what;
  };

  /// Does `synapse` give the variable, so that the file does not?
  bool given(std::size_t v) const { return gives(to_.draft, *variables_[v]); }

  /// The unit of a group's weights, once it is sure that it has what is wanted of it.
  Unit weight_unit(const FileEdges& g) const {
    const bool empty = g.sources.empty();
    if (!empty && p_.listed_weights && g.weights.empty())
      throw Refused{fmt::format("edges of {} have no weights (syn_weight)", g.group),
                    "give a 'weight' in 'synapse'"};
    if (!empty && p_.listed_delays && g.delays.empty())
      throw Refused{fmt::format("edges of {} have no delays", g.group), "give a 'delay' in 'synapse'"};
    const Unit own = *parse_unit(to_.weight.unit);
    if (!p_.listed_weights || g.weight_unit.empty()) return own;
    const auto u = parse_unit(g.weight_unit);
    if (!u || u->dimension != own.dimension)
      throw Refused{fmt::format("the weights of {} are in {}; these synapses take {}", g.group, g.weight_unit,
                                to_.weight.unit)};
    return *u;
  }

  /// Place of a node along the ends of the projection.
  static double place(const std::vector<GidRange>& ends, const Population& of, const FileNode& n) {
    std::uint64_t before = 0;
    const std::uint64_t gid = of.first + n.id;
    for (const auto& r : ends) {
      if (n.id < of.size && gid >= r.first && gid - r.first < r.count)
        return static_cast<double>(before + (gid - r.first));
      before += r.count;
    }
    const std::string edge =
        fmt::format("edge {} of {} has the {} node {}", n.edge, n.group.group, n.what, n.id);
    if (n.id < of.size)
      throw Refused{fmt::format("{}, which is not among those of {} that the projection names", edge,
                                in_quotes(of.name))};
    throw Refused{fmt::format("{}, but {} has only {}, counted from 0", edge, in_quotes(of.name), of.size)};
  }

  void take_edge(const FileEdges& g, std::size_t e, ListedRow row, const Unit& unit) {
    const auto refuse = [&](const std::string& reason) {
      if (!reason.empty()) throw Refused{fmt::format("edge {} of {}: {}", e, g.group, reason)};
    };
    if (p_.listed_weights) {
      const Quantity weight{g.weights[e] * unit.factor, unit.decade, unit.dimension};
      row.weight = weight.in(*parse_unit(to_.weight.unit));
      refuse(to_.draft.r.fault(row.weight, to_.weight));
    }
    if (p_.listed_delays) {
      row.ms = g.delays[e];
      if (!std::isfinite(row.ms))
        throw Refused{fmt::format("edge {} of {} has a delay that is no number", e, g.group)};
    }
    row.ticks = std::round(to_.draft.r.ticks({row.ms, -3, {}}));
    for (std::uint64_t k = g.counts.empty() ? 1 : g.counts[e]; k > 0; --k) {
      refuse(to_.add(row).reason);
      for (std::size_t v = 1; v < p_.listed_state.size(); ++v) {
        const auto& values = g.properties[v];
        if (values.values.empty() || given(v)) continue;
        double& x = p_.listed_state[v].emplace_back();
        refuse(take_value(to_.draft.r, {values.values[e], values.unit}, *variables_[v], to_.weight.unit, x));
      }
    }
  }

  /// The population that node ids of a file are of: that of the name, or the only one among `ends`.
  const Population* population_of_nodes(const std::vector<GidRange>& ends, const std::string& name) const {
    const Population* only = &to_.draft.population_of(ends[0]);
    for (const auto& r : ends) {
      const Population& population = to_.draft.population_of(r);
      if (population.name == name) return &population;
      if (&population != only) only = nullptr;
    }
    // Files from elsewhere have names of their own; those of other populations of this network are not meant.
    const bool known = to_.draft.l.populations.index.count(name) > 0;
    return alone_ && !known ? only : nullptr;
  }

  EdgeList& to_;
  Projection& p_;
  const bool alone_;  ///< there is one group
  const std::vector<const Field*> variables_;
};

void read_file(const std::filesystem::path& path, const std::string& name, EdgeList& to) {
  const Reader& r = to.draft.r;
  std::vector<std::string> properties;
  for (const auto* f : initials(*to.draft.p.synapse)) properties.emplace_back(f->name);
  const std::uint64_t most = r.memory_limit / 2 / (sizeof(ListedEdge) + 4 * sizeof(double));
  auto groups = r.options.read_sonata_edges(path, name, most, properties);
  FileReader reader(to, groups.size());
  reader.take_properties(groups);
  for (const auto& g : groups) reader.take(g);
}

class Sonata final : public ListedRule {
 public:
  Sonata()
      : ListedRule({"sonata", "text",
                    "a SONATA edges file (.h5), such as the log of a run that recorded edges", false, false,
                    beside_keys}) {}
  void read_edges(const Node& n, const Node& beside, EdgeList& to) const override {
    Reader& r = to.draft.r;
    Projection& p = to.draft.p;
    p.listed_weights = !to.weights.node && !p.state.empty();
    p.listed_delays = !to.draft.synapse->find("delay");
    if (!n.is_scalar()) {
      r.errors.error(n.mark, "'sonata' must be the name of a file, not " + kind_name(n),
                     "{sonata: edges.h5, population: name}");
      return;
    }
    const auto path = r.data_file(n);
    const Node* population = beside.find("population");
    const auto name = population ? r.text(*population, "population") : std::optional(p.name);
    if (!path || !name || !to.known) return;
    const auto refuse = [&](std::string_view reason, std::string help = {}) {
      r.errors.error(n.mark, fmt::format("{}: {}", in_quotes(path->string()), reason), std::move(help));
    };
    if (!r.options.read_sonata_edges) {
      r.errors.error(n.mark, "SONATA files cannot be read here",
                     "this program was built without HDF5; use a CSV file");
      return;
    }
    try {
      read_file(*path, *name, to);
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const Refused& e) {
      refuse(e.reason, e.help);
    } catch (const std::exception& e) {
      refuse(without_name(*path, e.what()));
    }
  }
};

}  // namespace

const ConnectionRule& sonata_rule() {
  static const Sonata rule;
  return rule;
}

}  // namespace spinet
