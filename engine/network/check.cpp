#include "network/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstring>

#include "connect/rule.hpp"
#include "network/reading.hpp"

namespace spinet {
namespace {

using reading::field;

bool allowed(double x, const Field& f) {
  if (is_auto(x)) return f.flags & derived;
  return std::isfinite(x) && (f.flags & low_open ? x > f.low : x >= f.low) &&
         (f.flags & high_open ? x < f.high : x <= f.high) &&
         (f.type == Type::f64 || std::fabs(x) <= FLT_MAX) && (!(f.flags & integer) || x == std::floor(x));
}

/// Every value that can be drawn is allowed.
bool sound(const Distribution& d, const Field& f, std::uint64_t listed) {
  using Kind = Distribution::Kind;
  if (d.kind == Kind::constant && is_auto(d.a)) return allowed(d.a, f);
  if (std::isnan(d.low) || std::isnan(d.high) || !std::isfinite(d.a) || !std::isfinite(d.b)) return false;
  switch (d.kind) {
    case Kind::constant:
      return allowed(d.a, f);
    case Kind::uniform:
      return d.a < d.b && allowed(d.a, f) && allowed(d.b, f);
    case Kind::listed:
      return d.values.size() == listed &&
             std::all_of(d.values.begin(), d.values.end(), [&](double x) { return allowed(x, f); });
    default:
      break;
  }
  const bool low = f.flags & low_open ? d.low > f.low : d.low >= f.low;
  const bool high = f.flags & high_open ? d.high < f.high : d.high <= f.high;
  return d.b >= 0 && d.low <= d.high && (low || !std::isfinite(f.low)) && (high || !std::isfinite(f.high));
}

std::uint32_t initial_count(const Model& m) {
  std::uint32_t n = 0;
  for (std::uint32_t i = 0; i < m.variables.count; ++i) n += (field(m.variables, i).flags & initial) != 0;
  return n;
}

std::string fault_of(const Population& p, std::uint64_t first) {
  if (!p.model) return "has no model";
  if (p.model->kind != Kind::neuron && p.model->kind != Kind::source) return "has a model of the wrong kind";
  if (p.size == 0 || p.first != first) return "has wrong gids";
  if (p.params.size() != p.model->params.count) return "lacks parameters";
  for (std::uint32_t i = 0; i < p.params.size(); ++i)
    if (!sound(p.params[i], field(p.model->params, i), p.size))
      return fmt::format("parameter {} is out of range", field(p.model->params, i).name);
  if (p.initial.size() != initial_count(*p.model)) return "lacks initial values";
  const Positions& at = p.positions;
  if (at.kind != Positions::Kind::none && at.dimensions != 2 && at.dimensions != 3)
    return "has positions in no space";
  if (at.kind == Positions::Kind::grid && std::uint64_t{at.grid[0]} * at.grid[1] * at.grid[2] != p.size)
    return "has a grid of another size";
  if (at.kind == Positions::Kind::listed && at.listed.size() != std::size_t{p.size} * at.dimensions)
    return "lists other positions";
  for (std::uint32_t i = 0, k = 0; i < p.model->variables.count; ++i)
    if ((field(p.model->variables, i).flags & initial) &&
        !sound(p.initial[k++], field(p.model->variables, i), p.size))
      return "has an initial value out of range";
  for (std::size_t i = 0; i < p.listed.size(); ++i) {
    if (p.listed[i].index >= p.size || p.listed[i].tick < 0) return "lists a spike of no neuron";
    if (i > 0 && (p.listed[i].tick < p.listed[i - 1].tick ||
                  (p.listed[i].tick == p.listed[i - 1].tick && p.listed[i].index < p.listed[i - 1].index)))
      return "lists spikes out of order";
  }
  return {};
}

/// Index of the population that holds the whole range, or -1.
std::ptrdiff_t owner(const Network& n, const GidRange& r) {
  const auto at = std::upper_bound(n.populations.begin(), n.populations.end(), r.first,
                                   [](Gid g, const Population& p) { return g < p.first; });
  if (at == n.populations.begin() || r.count == 0) return -1;
  const auto& p = *(at - 1);
  if (std::uint64_t{r.first} + r.count > std::uint64_t{p.first} + p.size) return -1;
  return at - 1 - n.populations.begin();
}

/// Whether what arrives has the sign of the port, as far as that is known without drawing.
bool fits(const Projection& p, const Port& port) {
  if (p.sign != 1 && p.sign != -1) return false;
  if (port.sign == 0) return true;
  const auto same = [&](double x) { return x * p.sign * static_cast<double>(port.sign) >= 0; };
  const Sign s = sign_of(*p.synapse, p.params);
  if (s != Sign::given) return s != Sign::either && same(static_cast<double>(s));
  if (p.listed_weights)
    return std::all_of(p.edges.begin(), p.edges.end(), [&](const ListedEdge& e) { return same(e.weight); });
  const Distribution& d = p.state[0];
  return d.kind != Distribution::Kind::constant || same(d.a);
}

std::string fault_of_ends(const Network& n, const Projection& p) {
  if (p.sources.empty() || p.targets.empty()) return "connects nothing";
  const char* unit = nullptr;
  for (const auto& r : p.sources)
    if (owner(n, r) < 0) return "has sources outside the populations";
  for (const auto& r : p.targets) {
    const auto i = owner(n, r);
    if (i < 0) return "has targets outside the populations";
    const auto* m = n.populations[static_cast<std::size_t>(i)].neuron();
    if (!m || p.port >= m->port_count) return "has targets without the port";
    if (unit && std::string_view(unit) != m->ports[p.port].unit) return "has ports of different units";
    unit = m->ports[p.port].unit;
    for (std::uint32_t k = 0; k < p.synapse->read_count; ++k) {
      const Fields& v = m->model.variables;
      std::uint32_t i = 0;
      while (i < v.count && std::strcmp(v.data[i].name, p.synapse->reads[k])) ++i;
      if (i == v.count) return "reads a variable that its targets do not have";
    }
  }
  return {};
}

/// Of parameters and initial values, and of what is listed of them.
std::string fault_of_values(const Network& n, const Projection& p) {
  const auto& m = p.synapse->model;
  if (p.params.size() != m.params.count || p.state.size() != initial_count(m)) return "lacks parameters";
  for (std::uint32_t i = 0; i < p.params.size(); ++i)
    if (!allowed(p.params[i], field(m.params, i))) return "has a parameter out of range";
  for (std::uint32_t i = 0, k = 0; i < m.variables.count; ++i) {
    const Field& f = field(m.variables, i);
    if (!(f.flags & initial)) continue;
    const auto& d = p.state[k];
    if (d.kind == Distribution::Kind::listed || !sound(d, f, 0)) return "has an initial value out of range";
    if (p.listed_weights && k == 0)
      for (const auto& e : p.edges)
        if (!allowed(e.weight, f)) return "lists a weight out of range";
    if (k > 0 && p.lists(k)) {
      if (p.listed_state[k].size() != p.edges.size()) return "lists values of other edges";
      for (const double x : p.listed_state[k])
        if (!allowed(x, f)) return "lists a value out of range";
    }
    ++k;
  }
  for (const auto& r : p.targets)
    if (!fits(p, n.populations[static_cast<std::size_t>(owner(n, r))].neuron()->ports[p.port]))
      return "has weights that do not have the sign of the port";
  return {};
}

bool whole_steps(double ticks, const Network& n) {
  const auto step = static_cast<double>(n.delay_resolution);
  return ticks >= step && std::fmod(ticks, step) == 0;
}

std::string fault_of_delay(const Network& n, const Projection& p) {
  const auto step = static_cast<double>(n.delay_resolution);
  const auto& d = p.delay;
  if (p.listed_delays) return {};
  if (!std::isfinite(d.a) || !std::isfinite(d.b) || std::isnan(d.low) || std::isnan(d.high))
    return "has a delay that is no number";
  if (d.kind == Distribution::Kind::constant ? !whole_steps(d.a, n)
      : d.kind == Distribution::Kind::uniform
          ? !(d.a >= step && d.a < d.b)
          : d.kind == Distribution::Kind::listed || !(d.low >= step && d.low <= d.high && d.b >= 0))
    return "has a delay under one step";
  return {};
}

std::string fault_of_shared_weights(const Projection& p) {
  if (!p.shared_weights.empty() && (p.synapse->on_pre || p.synapse->on_control))
    return "shares weights of synapses that have states";
  for (const double w : p.shared_weights)
    if (!(std::fabs(w) <= FLT_MAX)) return "shares a weight out of range";
  if (!p.weight_index.empty() &&
      (p.weight_index.size() != p.edges.size() ||
       *std::max_element(p.weight_index.begin(), p.weight_index.end()) >= p.shared_weights.size()))
    return "lists shared weights that there are not";
  return {};
}

std::string fault_of_edges(const Network& n, const Projection& p) {
  if (!p.rule) return "has no rule";
  if (const auto refusal = p.rule->refusal(Ends(n, p))) return "cannot be drawn: " + refusal.reason;
  if (!p.rule->lists() && p.weights_from.empty() && (!p.edges.empty() || p.listed_weights || p.listed_delays))
    return "lists edges beside its rule";
  const std::uint64_t sources = p.source_count(), targets = p.target_count();
  for (std::size_t i = 0; i < p.edges.size(); ++i) {
    const auto& e = p.edges[i];
    if (e.source >= sources || e.target >= targets) return "lists an edge outside its ends";
    if (i > 0 && e.target < p.edges[i - 1].target) return "lists edges out of order";
    if (p.listed_delays && !whole_steps(static_cast<double>(e.delay), n))
      return "lists a delay under one step";
  }
  return {};
}

std::string fault_of(const Network& n, const Projection& p) {
  if (!p.synapse || p.synapse->model.kind != Kind::synapse) return "has no synapse model";
  for (const auto look : {fault_of_ends, fault_of_values, fault_of_delay})
    if (std::string fault = look(n, p); !fault.empty()) return fault;
  if (std::string fault = fault_of_shared_weights(p); !fault.empty()) return fault;
  return fault_of_edges(n, p);
}

bool sorted_within(const std::vector<std::uint32_t>& ids, std::uint32_t size) {
  return std::is_sorted(ids.begin(), ids.end()) && std::adjacent_find(ids.begin(), ids.end()) == ids.end() &&
         (ids.empty() || ids.back() < size);
}

/// What is wrong with a place that the schedule names.
std::string fault_of(const Network& n, const Place& place) {
  if (const auto* r = std::get_if<GidRange>(&place)) return owner(n, *r) < 0 ? "names no neurons" : "";
  const std::uint32_t q = *projection_of(place);
  if (q >= n.projections.size()) return "names no projection";
  const std::uint64_t sources = n.projections[q].source_count(), targets = n.projections[q].target_count();
  const auto* row = std::get_if<Row>(&place);
  const auto* column = std::get_if<Column>(&place);
  if ((row && row->source >= sources) || (column && column->target >= targets))
    return "names no row or column";
  if (const auto* some = std::get_if<Pairs>(&place))
    for (const auto& a : some->synapses)
      if (a.source >= sources || a.target >= targets) return "names no synapse";
  if (const auto* some = std::get_if<CrossPoints>(&place)) {
    if (!n.projections[q].crossbar) return "names lines of what is no crossbar";
    if (!sorted_within(some->rows, static_cast<std::uint32_t>(sources)) ||
        !sorted_within(some->columns, static_cast<std::uint32_t>(targets)))
      return "names no row or column";
  }
  return {};
}

std::string fault_of(const Network& n, const ScheduledControl& c) {
  for (const Place& place : c.to.places)
    if (auto f = fault_of(n, place); !f.empty()) return f;
  for (const double v : c.value)
    if (!std::isfinite(v)) return "holds a value that is no number";
  if (c.count == 0 || (c.count > 1 && c.every <= 0)) return "repeats without a period";
  const Waveform* const w = c.waveform();
  if (w && (w->until <= c.tick || w->resolution < 0 || w->sines.size() > Followed::most_sines))
    return "has a waveform without times";
  if (w && !(std::isfinite(w->bounds().first) && std::isfinite(w->bounds().second)))
    return "has a waveform that is no number";
  if (c.kind == ScheduledControl::Kind::stimulus) return c.stimulus ? "" : "has no stimulus";
  if (c.kind == ScheduledControl::Kind::transmission)
    return c.to.everyone() || c.to.names_neurons() ? "switches no projection" : "";
  if (c.to.places.size() != 1) return "sets no parameter";
  const auto* r = std::get_if<GidRange>(&c.to.places[0]);
  const auto* p = std::get_if<WholeProjection>(&c.to.places[0]);
  if (!r && !p) return "sets parameters of single synapses";
  const Model& m = r ? *n.populations[static_cast<std::size_t>(owner(n, *r))].model
                     : n.projections[p->projection].synapse->model;
  if (c.field >= m.params.count) return "sets no parameter";
  if (c.drawn() && m.kind != Kind::neuron) return "draws a parameter of no neuron";
  const Field& f = field(m.params, c.field);
  const auto* ramp = std::get_if<Ramp>(&c.course);
  const bool good = c.drawn() ? sound(*c.drawn(), f, 0) && c.drawn()->kind != Distribution::Kind::listed
                    : w       ? allowed(w->bounds().first, f) && allowed(w->bounds().second, f)
                              : allowed(c.value[0], f) && (!ramp || allowed(ramp->to, f));
  return (f.flags & scheduled) && good ? "" : "sets a parameter to what it may not be";
}

}  // namespace

Sign sign_of(const SynapseTable& t, const std::vector<double>& params) {
  if (t.sign) {
    std::vector<std::byte> bytes(t.params_size);
    for (std::uint32_t f = 0; f < t.model.params.count; ++f)
      put(bytes.data(), field(t.model.params, f), params[f]);
    return t.sign(bytes.data());
  }
  for (std::uint32_t i = 0; i < t.model.variables.count; ++i) {
    const Field& f = field(t.model.variables, i);
    if (f.flags & initial)
      return !(f.flags & port_unit) ? Sign::either
             : f.low >= 0           ? Sign::positive
             : f.high <= 0          ? Sign::negative
                                    : Sign::given;
  }
  return Sign::either;
}

std::string first_fault(const Network& n) {
  if (!(n.seconds_per_tick > 0) || n.duration <= 0 || n.delay_resolution <= 0 || n.block == 0)
    return "a time or size is not positive";
  if (n.populations.empty()) return "there is no population";
  std::uint64_t gid = 0;
  for (const auto& p : n.populations) {
    if (auto f = fault_of(p, gid); !f.empty()) return "population " + p.name + " " + f;
    gid += p.size;
  }
  if (gid > 0xFFFFFFFFu) return "there are more neurons than gids";
  for (const auto& p : n.projections)
    if (auto f = fault_of(n, p); !f.empty()) return "projection " + p.name + " " + f;
  Tick last = 0;
  for (const auto& c : n.schedule) {
    if (c.tick < last) return "the schedule is not in time order";
    last = c.tick;
    if (auto f = fault_of(n, c); !f.empty()) return "the schedule " + f;
  }
  for (const auto& s : n.spikes)
    if (s.population >= n.populations.size() || !sorted_within(s.ids, n.populations[s.population].size) ||
        s.from < 0 || s.to <= s.from)
      return "a recording of spikes is of nothing";
  for (const auto& r : n.reports) {
    if (r.population >= n.populations.size() || r.ids.empty() ||
        !sorted_within(r.ids, n.populations[r.population].size))
      return "report " + r.name + " is of nothing";
    const auto& variables = n.populations[r.population].model->variables;
    if (r.variable >= variables.count || !(field(variables, r.variable).flags & recorded))
      return "report " + r.name + " has no variable";
    if (r.every <= 0 || r.from < 0 || r.to <= r.from) return "report " + r.name + " has no times";
  }
  for (const auto e : n.edge_recordings)
    if (e >= n.projections.size()) return "edges of no projection are recorded";
  return {};
}

}  // namespace spinet
