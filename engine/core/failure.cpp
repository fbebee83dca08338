#include "core/failure.hpp"

#include <charconv>

namespace spinet {
namespace {

std::string message(const Network& net, std::uint32_t population, std::uint32_t neuron, Tick tick,
                    std::string_view why) {
  const Population& p = net.populations[population];
  char ms[32];
  const auto end = std::to_chars(ms, ms + sizeof ms, static_cast<double>(tick) / net.ticks_per_ms()).ptr;
  return "population '" + p.name + "', neuron " + std::to_string(neuron) + " (" + p.model->name + "), at " +
         std::string(ms, end) + " ms: " + std::string(why);
}

}  // namespace

ModelFailure::ModelFailure(const Network& network, std::uint32_t population_index, std::uint32_t neuron_index,
                           Tick when, std::string_view why)
    : std::runtime_error(message(network, population_index, neuron_index, when, why)),
      population(network.populations[population_index].name),
      neuron(neuron_index),
      tick(when),
      reason(why) {}

ModelFailure ModelFailure::of(const Network& network, Gid gid, Tick when, std::string_view why) {
  const std::uint32_t p = population_of(network, gid);
  return {network, p, gid - network.populations[p].first, when, why};
}

}  // namespace spinet
