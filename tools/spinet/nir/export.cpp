#include "nir/export.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "network/suggest.hpp"
#include "nir/text.hpp"

namespace spinet::nir {
namespace {

/// A number for each neuron, or one for all.
std::vector<double> numbers_of(const Distribution& d, const std::string& what) {
  if (d.kind == Distribution::Kind::constant) return {d.a};
  if (d.kind == Distribution::Kind::listed) return d.values;
  throw Fault(what + " is drawn: a graph has numbers");
}

class Comparison {
 public:
  Comparison(const Network& now, Beside& beside, const std::function<Network(const std::string&)>& load)
      : now_(now),
        beside_(beside),
        draft_(draft(beside.graph, beside.reading)),
        then_(load(populations_text(draft_, beside.reading))) {}

  void work() {
    compare_names();
    for (std::size_t i = 0; i < draft_.populations.size(); ++i) population(i);
    for (const auto& p : draft_.projections) projection(p);
  }

 private:
  /// The node of a vertex, to be changed.
  GraphNode& node(std::uint32_t vertex) { return const_cast<GraphNode&>(*draft_.vertices[vertex].node); }

  template <class A, class B>
  static void same_names(const A& now, const B& then, const char* what) {
    std::vector<std::string> names;
    for (const auto& t : then) names.push_back(t.name);
    for (const auto& n : now)
      if (std::find(names.begin(), names.end(), n.name) == names.end())
        throw Fault(fmt::format("{} {} is not one of the graph; {}", what, in_quotes(n.name),
                                suggest(n.name, names, fmt::format("{}s", what))));
    for (const auto& t : then)
      if (std::none_of(now.begin(), now.end(), [&](const auto& n) { return n.name == t.name; }))
        throw Fault(fmt::format("{} {} of the graph is not there any more", what, in_quotes(t.name)));
  }
  void compare_names() const {
    same_names(now_.populations, draft_.populations, "population");
    same_names(now_.projections, draft_.projections, "projection");
  }
  const Population& population_now(const std::string& name) const {
    return *std::find_if(now_.populations.begin(), now_.populations.end(),
                         [&](const auto& p) { return p.name == name; });
  }

  void population(std::size_t i) {
    const PopulationDraft& d = draft_.populations[i];
    const Population &now = population_now(d.name), &then = then_.populations[i];
    if (draft_.vertices[d.vertex].kind == Kind::input) {
      if (now.size != then.size)
        throw Fault(fmt::format("population {} has another size", in_quotes(d.name)));
      return;  // what it plays is no part of the graph
    }
    if (std::strcmp(now.model->name, then.model->name) || now.size != then.size)
      throw Fault(fmt::format("population {} has {} neurons of {}; the node has {} of {}", in_quotes(d.name),
                              now.size, now.model->name, then.size, then.model->name));
    for (std::size_t f = 0; f < now.params.size(); ++f)
      if (!(now.params[f] == then.params[f])) parameter(d, now.model->params.data[f], now.params[f]);
    if (!(now.initial == then.initial))
      throw Fault(
          fmt::format("population {} has other initial values, and a graph has none", in_quotes(d.name)));
  }

  void parameter(const PopulationDraft& d, const ::spinet::Field& f, const Distribution& value) {
    const auto what = fmt::format("{} of population {}", in_quotes(f.name), in_quotes(d.name));
    const auto s =
        std::find_if(d.settings.begin(), d.settings.end(), [&](const auto& x) { return x.name == f.name; });
    const auto numbers = numbers_of(value, what);
    if (s != d.settings.end() && s->from == Setting::From::sum) return bias(d, numbers, what);
    const std::string field = s != d.settings.end() ? s->field : node_field(d, f.name);
    if (field.empty()) throw Fault(what + " was changed, and the node has no field that says it");
    Value& v = node(d.vertex).fields[field];
    const bool is_time = s != d.settings.end() && s->from == Setting::From::time;
    std::vector<double> changed;
    for (const double x : numbers) changed.push_back(is_time ? time_of_file(x * 1e-3, beside_.reading) : x);
    put(v, changed, node(d.vertex).find("r") ? *node(d.vertex).find("r") : v, d.size);
  }
  /// Of a field that the file has left out, and that the network gives now.
  std::string node_field(const PopulationDraft& d, const std::string& parameter) const {
    const Kind k = draft_.vertices[d.vertex].kind;
    const bool fires = k == Kind::integrate_fire || k == Kind::leaky_fire || k == Kind::filtered_fire;
    if (parameter == "v_reset" && fires) return "v_reset";
    if (parameter == "gain" && (k == Kind::filtered_leaky || k == Kind::filtered_fire)) return "w_in";
    return {};
  }
  /// Numbers into a field, in its shape; a new one is shaped as `like`.
  static void put(Value& v, const std::vector<double>& numbers, const Value& like, std::uint32_t size) {
    if (v.kind != Value::Kind::numbers) v = like;
    if (numbers.size() == 1) std::fill(v.numbers.begin(), v.numbers.end(), numbers[0]);
    else if (v.numbers.size() == numbers.size()) v.numbers = numbers;
    else v.shape = {size}, v.numbers = numbers;
  }

  /// The only node before it has the constants, if nothing else adds to them.
  void bias(const PopulationDraft& d, const std::vector<double>& numbers, const std::string& what) {
    const Vertex& v = draft_.vertices[d.vertex];
    const std::uint32_t before = v.from.size() == 1 ? v.from[0] : 0;
    const Vertex& b = draft_.vertices[before];
    const bool is_alone =
        v.from.size() == 1 && b.kind == Kind::affine && b.to.size() == 1 &&
        std::all_of(b.from.begin(), b.from.end(), [&](auto p) { return draft_.vertices[p].is_end(); });
    if (!is_alone)
      throw Fault(what +
                  " was changed, and it is not the bias of one Affine node that only this population hears");
    Value& bias = node(before).fields.at("bias");
    put(bias, numbers, bias, d.size);
  }

  void projection(const ProjectionDraft& d) {
    const Projection& now = *std::find_if(now_.projections.begin(), now_.projections.end(),
                                          [&](const auto& p) { return p.name == d.name; });
    const auto is_whole = [&](const std::vector<GidRange>& ends, std::uint32_t population) {
      const auto& p = population_now(draft_.populations[population].name);
      return ends.size() == 1 && ends[0].first == p.first && ends[0].count == p.size;
    };
    if (!is_whole(now.sources, d.source) || !is_whole(now.targets, d.target) || !now.listed_weights ||
        population_now(draft_.populations[d.target].name).neuron()->ports[now.port].name != d.port)
      throw Fault(fmt::format("projection {} has other ends, another port or weights that are not listed",
                              in_quotes(d.name)));
    if (std::string_view(now.synapse->model.name) != "static")
      throw Fault(fmt::format("projection {} has synapses of model {}, and a graph has weights that stay",
                              in_quotes(d.name), now.synapse->model.name));
    std::vector<Row> then = rows(draft_, d, beside_.reading), is;
    for (const auto& e : now.edges) is.push_back({e.source, e.target, e.weight, delay_of(now, e)});
    const auto by_ends = [](const Row& a, const Row& b) {
      return std::pair(a.target, a.source) < std::pair(b.target, b.source);
    };
    std::stable_sort(then.begin(), then.end(), by_ends);
    std::stable_sort(is.begin(), is.end(), by_ends);
    const bool are_same =
        std::equal(then.begin(), then.end(), is.begin(), is.end(), [](const Row& a, const Row& b) {
          return a.source == b.source && a.target == b.target && a.weight == b.weight;
        });
    if (!are_same) weights(d, is);
    else if (!std::equal(then.begin(), then.end(), is.begin(),
                         [](const Row& a, const Row& b) { return a.delay == b.delay; }))
      throw Fault(
          fmt::format("projection {} has other delays than the graph was read with", in_quotes(d.name)));
  }
  /// In ns.
  std::int64_t delay_of(const Projection& p, const ListedEdge& e) const {
    const double ticks = p.listed_delays ? static_cast<double>(e.delay) : p.delay.a;
    return std::llround(ticks * now_.seconds_per_tick * 1e9);
  }

  void weights(const ProjectionDraft& d, const std::vector<Row>& is) {
    const Bundle& b = draft_.connected.bundles[d.bundle];
    const auto& froms = draft_.vertices[b.target].from;
    const auto one = std::find_if(froms.begin(), froms.end(), [&](std::uint32_t v) {
      const Vertex& x = draft_.vertices[v];
      return (x.kind == Kind::linear || x.kind == Kind::affine) && x.to.size() == 1 &&
             x.from == std::vector{b.source};
    });
    const bool has_other_way = std::any_of(froms.begin(), froms.end(), [&](std::uint32_t v) {
      return one == froms.end() || (v != *one && !draft_.vertices[v].is_end());
    });
    if (has_other_way || std::count(froms.begin(), froms.end(), b.source))
      throw Fault(
          fmt::format("the weights of projection {} were changed, and they are not those of one Linear or "
                      "Affine node",
                      in_quotes(d.name)));
    Value& w = node(*one).fields.at("weight");
    std::fill(w.numbers.begin(), w.numbers.end(), 0);
    const double charge = charge_of(d, beside_.reading);
    const std::size_t step = d.lasts ? 2 : 1;
    for (std::size_t i = 0; i + step <= is.size(); i += step) {
      if (step == 2 && (is[i].weight != -is[i + 1].weight || is[i].target != is[i + 1].target ||
                        is[i].source != is[i + 1].source))
        throw Fault(fmt::format("projection {} has a step that is not taken back, from {} to {}",
                                in_quotes(d.name), is[i].source, is[i].target));
      w.numbers[std::size_t{is[i].target} * w.shape[1] + is[i].source] += is[i].weight / charge;
    }
  }

  const Network& now_;
  Beside& beside_;
  const Draft draft_;
  const Network then_;
};

}  // namespace

GraphFile as_graph(const Network& network, Beside beside,
                   const std::function<Network(const std::string& text)>& load) {
  Comparison(network, beside, load).work();
  return std::move(beside.graph);
}

}  // namespace spinet::nir
