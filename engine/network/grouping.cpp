#include "network/grouping.hpp"

#include <unistd.h>

#include <algorithm>

#include "connect/draws.hpp"
#include "connect/rule.hpp"
#include "network/lookup.hpp"

namespace spinet {

bool is_superposed(const Network& net, const Projection& p) {
  if (!p.rule->pairs_in_order() || !p.shared_weights.empty() || p.synapse->on_pre || p.synapse->on_control)
    return false;
  if (p.delay.kind != Distribution::Kind::constant) return false;
  const auto index = static_cast<std::uint32_t>(&p - net.projections.data());
  if (is_switched(net.schedule, index) || is_set(net.schedule, index)) return false;
  for (const auto& r : p.sources) {
    const SourceTable* source = net.populations[population_of(net, r.first)].source();
    if (!source || !source->superposable) return false;
  }
  return true;
}

Kernel kernel_of(const Network& net, std::uint32_t population) {
  const Population& p = net.populations[population];
  Kernel k{p.neuron(), {}, {}};
  const Fields& fields = k.table->model.params;
  bool alike = true;
  for (std::uint32_t f = 0; f < fields.count; ++f) {
    if (!(fields.data[f].flags & shared)) continue;
    alike &= Sampler(p.params[f]).constant();
    k.key.push_back(p.params[f].a);
  }
  if (const NeuronTable* const follower = following(net, p)) {
    k.table = follower;
    k.key.clear();
  } else if (!alike) {
    if (!k.table->per_neuron) k.fault = "time constants must be the same for all neurons of this model";
    else k.table = k.table->per_neuron;
    k.key.clear();
  }
  k.params.resize(k.table->params_size);
  for (std::uint32_t f = 0; f < fields.count; ++f)
    put(k.params.data(), k.table->model.params.data[f], nominal(p.params[f]));
  if (k.table->choose) {
    if (const NeuronTable* const chosen = k.table->choose(k.params.data())) k.table = chosen;
    else k.fault = "its `choose` returned no table";
  }
  // An environment shares no block with another population.
  if (k.table->environment) k.key.assign(1, static_cast<double>(population));
  return k;
}

std::uint64_t usual_block_bytes() {
  const long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
  return (bytes > 0 ? static_cast<std::uint64_t>(bytes) : std::uint64_t{1} << 20) / 4 * 3;
}

std::uint64_t most_in_block(const Network& net, const NeuronTable& table, std::uint64_t l2_bytes) {
  constexpr std::uint64_t most = 65535;
  if (table.environment) return most;
  return std::clamp<std::uint64_t>(l2_bytes / std::max(1u, table.state_size), net.block, most);
}

bool has_uniform_weight(const Network& net, std::uint32_t projection) {
  const Projection& p = net.projections[projection];
  return !p.synapse->on_pre && !p.synapse->on_control && !p.listed_weights && p.shared_weights.empty() &&
         Sampler(p.state[0]).constant() && !is_set(net.schedule, projection);
}

bool share_store(const Network& net, std::uint32_t p, std::uint32_t q) {
  const Projection &a = net.projections[p], &b = net.projections[q];
  if (a.synapse != b.synapse || a.synapse->on_pre || a.synapse->on_control || a.port != b.port ||
      a.sign != b.sign || a.params != b.params || !a.shared_weights.empty() || !b.shared_weights.empty())
    return false;
  const bool uniform = has_uniform_weight(net, p);
  if (uniform != has_uniform_weight(net, q) || (uniform && a.state[0].a != b.state[0].a)) return false;
  const auto changes = [&](std::uint32_t i) {
    return is_switched(net.schedule, i) || is_set(net.schedule, i);
  };
  return !changes(p) && !changes(q);
}

}  // namespace spinet
