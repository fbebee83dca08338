#include "core/partition.hpp"

#include "connect/rule.hpp"
#include "core/input/source.hpp"
#include "network/grouping.hpp"
#include "network/lookup.hpp"

#include <metis.h>

#include <algorithm>
#include <mutex>
#include <numeric>
#include <stdexcept>

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
  for (const auto& projection : net.projections) {
    const double sources = static_cast<double>(projection.source_count()),
                 targets = static_cast<double>(projection.target_count());
    if (sources == 0 || targets == 0) continue;
    const double indegree = expected_synapses(net, projection) / targets;
    double rate = 0;
    for (const auto& r : projection.sources)
      rate += source_rate(net.populations[population_of(net, r.first)]) * r.count / sources;
    for (const auto& r : projection.targets) {
      auto& population = net.populations[population_of(net, r.first)];
      cost[population_of(net, r.first)] += indegree * rate * r.count / population.size;
    }
  }
  return cost;
}

/// By population, how far into a stretch of `block` its first neuron stands, so that a stretch ends where a
/// unit of its drive ends: sources of one unit that drive neurons of two ranks are drawn on both.
std::vector<std::uint32_t> leads(const Network& net, std::uint32_t block) {
  std::vector<std::uint32_t> lead(net.populations.size(), 0);
  if (block % source_unit != 0) return lead;
  std::vector<bool> known(lead.size(), false);
  for (const auto& p : net.projections) {
    if (!is_superposed(net, p)) continue;
    const Ends ends(net, p);
    std::uint32_t at = 0;  // among the projection's pairs
    for (const auto& r : p.targets) {
      for (std::uint32_t q = population_of(net, r.first); q < lead.size(); ++q) {
        const Gid first = std::max(r.first, net.populations[q].first);
        if (first >= r.first + r.count) break;
        const Gid source = ends.source_gid(at + (first - r.first));
        const Gid into = source - net.populations[population_of(net, source)].first;  // its population
        const Gid before = first - net.populations[q].first;
        if (!known[q]) lead[q] = (into + block - before % block) % block;
        known[q] = true;
      }
      at += r.count;
    }
  }
  return lead;
}

/// Number of connections between each two stretches as far as they are known before anything is drawn.  A key
/// holds the lower stretch in its upper half; sorted.
std::vector<std::pair<std::uint64_t, std::uint64_t>> links(const Network& net, const Partition& partition) {
  std::vector<std::uint64_t> keys;
  const auto add = [&](Gid a, Gid b) {
    const std::uint64_t x = partition.stretch_of(a), y = partition.stretch_of(b);
    if (x != y) keys.push_back(std::min(x, y) << 32 | std::max(x, y));
  };
  for (const auto& p : net.projections) {
    const Ends ends(net, p);
    p.rule->known(ends,
                  [&](std::uint32_t s, std::uint32_t t) { add(ends.source_gid(s), ends.target_gid(t)); });
  }
  std::sort(keys.begin(), keys.end());
  std::vector<std::pair<std::uint64_t, std::uint64_t>> counted;
  for (const auto k : keys) {
    if (counted.empty() || counted.back().first != k) counted.emplace_back(k, 0);
    ++counted.back().second;
  }
  return counted;
}

/// Owners of the stretches so that few connections cross ranks and loads are equal to about 3 %, by
/// multilevel k-way partitioning (G. Karypis, V. Kumar, "Multilevel k-way partitioning scheme for irregular
/// graphs", 1998).  The same on every rank: METIS is serial and its random numbers start from a fixed seed.
std::vector<idx_t> cut(std::size_t stretches, int ranks, const std::vector<double>& weight,
                       const std::vector<std::pair<std::uint64_t, std::uint64_t>>& links) {
  std::vector<idx_t> begin(stretches + 1, 0), neighbour(2 * links.size()), strength(2 * links.size()), load,
      owner(stretches, 0);
  for (const auto& [key, n] : links) ++begin[(key >> 32) + 1], ++begin[(key & 0xFFFFFFFFu) + 1];
  std::partial_sum(begin.begin(), begin.end(), begin.begin());
  auto at = begin;
  double all = 0;
  for (const auto& [key, n] : links) all += static_cast<double>(n);
  const double scale = std::min(1.0, 1e9 / all);  // METIS adds them up in 32 bits
  const auto link = [&](std::uint64_t from, std::uint64_t to, std::uint64_t n) {
    const auto i = static_cast<std::size_t>(at[from]++);
    neighbour[i] = static_cast<idx_t>(to);
    strength[i] = std::max<idx_t>(1, static_cast<idx_t>(scale * static_cast<double>(n)));
  };
  for (const auto& [key, n] : links) {
    link(key >> 32, key & 0xFFFFFFFFu, n);
    link(key & 0xFFFFFFFFu, key >> 32, n);
  }
  const double total = std::accumulate(weight.begin(), weight.end(), 0.0);
  for (const double w : weight) load.push_back(1 + static_cast<idx_t>(1e8 * w / total));
  idx_t vertices = static_cast<idx_t>(stretches), constraints = 1, parts = ranks, crossing = 0,
        options[METIS_NOPTIONS];
  METIS_SetDefaultOptions(options);
  options[METIS_OPTION_SEED] = 1;
  static std::mutex alone;  // METIS draws from the C library's generator; ranks may be threads
  const std::lock_guard lock(alone);
  if (METIS_PartGraphKway(&vertices, &constraints, begin.data(), neighbour.data(), load.data(), nullptr,
                          strength.data(), &parts, nullptr, nullptr, options, &crossing,
                          owner.data()) != METIS_OK)
    throw std::runtime_error("METIS could not partition the network; use `partition: cost`");
  return owner;
}

}  // namespace

Partition::Partition(const Network& net, int ranks) : lead_(leads(net, net.block)), block_(net.block) {
  const auto cost = cost_per_neuron(net);
  for (std::uint32_t p = 0; p < net.populations.size(); ++p) {
    const auto& population = net.populations[p];
    first_stretch_.push_back(static_cast<std::uint32_t>(stretches_.size()));
    first_gid_.push_back(population.first);
    together_.push_back(population.neuron() && population.neuron()->environment);
    const std::uint32_t block = together_[p] ? std::max(1u, population.size) : block_;
    std::uint32_t count = together_[p] ? block : block - lead_[p];  // of the first one
    for (std::uint32_t i = 0; i < population.size; i += count, count = block) {
      count = std::min(count, population.size - i);
      stretches_.push_back({population.first + i, count, p, 0});
    }
  }
  if (net.partition == Sharing::round_robin) {
    for (std::size_t r = 0; r < stretches_.size(); ++r)
      stretches_[r].owner = static_cast<int>(r % static_cast<std::size_t>(ranks));
    return;
  }
  if (net.partition == Sharing::graph && ranks > 1 && stretches_.size() > static_cast<std::size_t>(ranks)) {
    if (const auto known = links(net, *this); !known.empty()) {
      std::vector<double> load;
      for (const auto& r : stretches_) load.push_back(cost[r.population] * r.count);
      const auto owner = cut(stretches_.size(), ranks, load, known);
      for (std::size_t r = 0; r < stretches_.size(); ++r) stretches_[r].owner = static_cast<int>(owner[r]);
      return;
    }
  }
  // Longest processing time first: the costliest stretches first, each to the rank with the least so far.
  std::vector<std::size_t> order(stretches_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto weight = [&](std::size_t r) { return cost[stretches_[r].population] * stretches_[r].count; };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return weight(a) > weight(b); });
  std::vector<double> load(static_cast<std::size_t>(ranks), 0);
  for (const auto r : order) {
    const auto least = std::min_element(load.begin(), load.end());
    stretches_[r].owner = static_cast<int>(least - load.begin());
    *least += weight(r);
  }
}

std::uint32_t Partition::population_of(Gid gid) const {
  return static_cast<std::uint32_t>(std::upper_bound(first_gid_.begin(), first_gid_.end(), gid) -
                                    first_gid_.begin()) -
         1;
}

}  // namespace spinet
