// Construction of superposed input: which block draws which units, and whose neurons take it without order.
#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "core/input_builder.hpp"

namespace spinet {
namespace {

/// From this mean number of events of a neuron in a slab on, order costs more than to do without it.
constexpr double dense = 0.25;

}  // namespace

Simulation::Impl::InputBuilder::InputBuilder(Impl& s, const std::vector<bool>& superposed)
    : s_(s), superposed_(superposed), is_read_(s.net.populations.size(), false) {
  const auto each_population = [&](const Projection& p, auto&& f) {
    for (const GidRange& r : p.targets)
      for (std::uint32_t q = 0; q < s_.net.populations.size(); ++q) {
        const Population& target = s_.net.populations[q];
        if (target.first < r.first + r.count && r.first < target.first + target.size) f(q);
      }
  };
  for (std::uint32_t p = 0; p < s_.net.projections.size(); ++p) {
    const Projection& projection = s_.net.projections[p];
    if (projection.synapse->read_count)
      each_population(projection, [&](std::uint32_t q) { is_read_[q] = true; });
    if (!superposed[p]) continue;
    each_population(projection, [&](std::uint32_t q) {
      way_of_group_.try_emplace(s_.group_of_population.at(q), way(p));
    });
  }
  for (std::uint32_t q = 0; q < s_.net.populations.size(); ++q)
    is_dense_.push_back(s_.net.populations[q].source() &&
                        Source::peak_rate(s_.net, q) * static_cast<double>(s_.slab) >= dense);
}

std::vector<SuperposedInput> Simulation::Impl::InputBuilder::make(Order order) {
  sources_of_.resize(s_.blocks.size());
  for (std::size_t b = 0; b < s_.blocks.size(); ++b) sources_of_[b].assign(s_.blocks[b]->gids().size(), 0);
  for (std::uint32_t p = 0; p < s_.net.projections.size(); ++p)
    if (superposed_[p]) find_units(p);
  std::vector<SuperposedInput> input(s_.blocks.size());
  for (auto& u : units_) {
    Unit free = u;
    for (std::uint32_t m = 0; m < source_unit; ++m) {
      const bool is_free =
          order == Order::where_needed && u.free[m] && sources_of_[u.block][u.targets[m]] == 1;
      (is_free ? u : free).targets[m] = nowhere;
    }
    const auto any = [](const Unit& x) {
      return std::count(x.targets.begin(), x.targets.end(), nowhere) != source_unit;
    };
    const auto [delay, port] = way(u.projection);
    if (any(u)) add_train(std::move(u), input[u.block].trains);
    if (!any(free)) continue;
    auto& to = input[free.block].unordered;
    if (!to) to.emplace(delay, port, s_.slab);
    to->add(Source(s_.net, free.population, free.number), std::move(free.targets), free.weights);
  }
  for (auto& i : input)
    for (auto& t : i.trains) t.finish();
  return input;
}

/// The units of one projection: of its pairs of this rank, in their order, as many for a block and unit as a
/// neuron has targets.
void Simulation::Impl::InputBuilder::find_units(std::uint32_t p) {
  const Projection& projection = s_.net.projections[p];
  const Connector& connector = s_.wirings[p]->connector;
  bool wanted[target_stretch];
  std::fill(std::begin(wanted), std::end(wanted), true);
  using Key =
      std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>;  // block, population of sources, number
  std::map<Key, std::vector<Unit>> found;
  const auto add = [&](Gid source, Gid target, const Locator::Place& place, double weight) {
    const std::uint32_t population = s_.partition.population_of(source);
    const std::uint32_t index = source - s_.net.populations[population].first;
    const std::uint32_t number = index / source_unit, member = index % source_unit;
    auto& list = found[{place.block, population, number}];
    const auto has_room = [&](const Unit& u) { return u.targets[member] == nowhere; };
    auto unit = std::find_if(list.begin(), list.end(), has_room);
    if (unit == list.end()) unit = list.insert(list.end(), {place.block, p, population, number});
    const std::uint32_t j = s_.locator.in_block(target, place.block);
    unit->targets[member] = static_cast<std::uint16_t>(j);
    unit->weights[member] = weight;
    unit->free[member] =
        weight >= 0 && is_dense_[population] && may_be_free(p, s_.partition.population_of(target));
    std::uint8_t& sources = sources_of_[place.block][j];
    sources = static_cast<std::uint8_t>(std::min(sources + 1, 2));
  };
  for (std::uint32_t stretch = 0; stretch < connector.stretch_count(); ++stretch)
    connector.edges(stretch, wanted, [&](const DrawnEdge* e, std::size_t n) {
      for (std::size_t i = 0; i < n; ++i) {
        const Gid target = connector.target_gid(stretch, e[i].target);
        const auto place = s_.locator.of_stretch(s_.partition.stretch_of(target));
        if (place.block == Locator::nowhere) continue;
        ++s_.stats.synapses;
        const double weight = static_cast<double>(static_cast<float>(s_.wirings[p]->weight_of(e[i])));
        add(connector.source_gid(e[i].source), target, place, projection.sign * weight);
      }
    });
  for (auto& [where, list] : found) std::move(list.begin(), list.end(), std::back_inserter(units_));
}

/// May neurons of population `target` take what comes of projection `p` without order, as far as the network
/// tells?  The same whatever the partition.
bool Simulation::Impl::InputBuilder::may_be_free(std::uint32_t p, std::uint32_t target) const {
  const std::uint32_t group = s_.group_of_population.at(target);
  const NeuronTable& table = *s_.groups[group]->table;
  return table.take_slab && !table.ports[s_.net.projections[p].port].evaluates && !is_read_[target] &&
         way_of_group_.at(group) == way(p);
}

void Simulation::Impl::InputBuilder::add_train(Unit u, std::vector<TrainGroup>& trains) {
  const auto [delay, port] = way(u.projection);
  auto group = std::find_if(trains.begin(), trains.end(),
                            [&](const TrainGroup& g) { return g.fits(delay, port, s_.slab, u.targets); });
  if (group == trains.end()) group = trains.emplace(trains.end(), delay, port, s_.slab, s_.buckets);
  group->add(Source(s_.net, u.population, u.number), std::move(u.targets), u.weights);
}

Simulation::Impl::InputBuilder::Way Simulation::Impl::InputBuilder::way(std::uint32_t p) const {
  return {s_.net.delay_resolution * s_.wirings[p]->delay.least(), s_.net.projections[p].port};
}

}  // namespace spinet
