#include "core/partition.hpp"

#include <algorithm>
#include <numeric>

namespace spinet {
namespace {

/// Rough cost of one neuron per model second, in deliveries: what arrives if everyone fires at 10 Hz.
std::vector<double> cost_per_neuron(const Network& net) {
  constexpr double guessed_rate = 10;
  std::vector<double> cost(net.populations.size(), 200);
  const auto source_rate = [&](const Population& p) {
    if (!p.source()) return guessed_rate;
    std::vector<std::byte> params(p.source()->params_size);
    for (std::uint32_t f = 0; f < p.model->params.count; ++f)
      put(params.data(), p.model->params.data[f], p.params[f].a);
    return p.source()->rate(params.data()) * 1000;
  };
  const auto population_at = [&](Gid gid) {
    std::size_t p = 0;
    while (gid >= net.populations[p].first + net.populations[p].size) ++p;
    return p;
  };
  for (const auto& projection : net.projections) {
    const double sources = static_cast<double>(projection.source_count()), targets = static_cast<double>(projection.target_count());
    if (sources == 0 || targets == 0) continue;
    double indegree = 1;
    switch (projection.rule) {
      case Rule::one_to_one: indegree = 1; break;
      case Rule::all_to_all: indegree = sources; break;
      case Rule::fixed_indegree: indegree = static_cast<double>(projection.number); break;
      case Rule::fixed_outdegree: indegree = static_cast<double>(projection.number) * sources / targets; break;
      case Rule::fixed_total_number: indegree = static_cast<double>(projection.number) / targets; break;
      case Rule::pairwise_bernoulli: indegree = sources * projection.probability; break;
      case Rule::listed: indegree = static_cast<double>(projection.edges.size()) / targets; break;
    }
    double rate = 0;
    for (const auto& r : projection.sources) rate += source_rate(net.populations[population_at(r.first)]) * r.count / sources;
    for (const auto& r : projection.targets) {
      auto& population = net.populations[population_at(r.first)];
      cost[population_at(r.first)] += indegree * rate * r.count / population.size;
    }
  }
  return cost;
}

}  // namespace

Partition::Partition(const Network& net, int ranks) : block_(net.block) {
  const auto cost = cost_per_neuron(net);
  for (std::uint32_t p = 0; p < net.populations.size(); ++p) {
    const auto& population = net.populations[p];
    first_run_.push_back(static_cast<std::uint32_t>(runs_.size()));
    first_gid_.push_back(population.first);
    together_.push_back(population.neuron() && population.neuron()->environment);
    const std::uint32_t block = together_[p] ? std::max(1u, population.size) : block_;
    for (std::uint32_t i = 0; i < population.size; i += block)
      runs_.push_back({population.first + i, std::min(block, population.size - i), p, 0});
  }
  // Longest processing time first: the costliest runs first, each to the rank with the least so far.
  std::vector<std::size_t> order(runs_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto weight = [&](std::size_t r) { return cost[runs_[r].population] * runs_[r].count; };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return weight(a) > weight(b); });
  std::vector<double> load(static_cast<std::size_t>(ranks), 0);
  for (const auto r : order) {
    const auto least = std::min_element(load.begin(), load.end());
    runs_[r].owner = static_cast<int>(least - load.begin());
    *least += weight(r);
  }
}

std::uint32_t Partition::population_of(Gid gid) const {
  return static_cast<std::uint32_t>(std::upper_bound(first_gid_.begin(), first_gid_.end(), gid) - first_gid_.begin()) - 1;
}

}  // namespace spinet
