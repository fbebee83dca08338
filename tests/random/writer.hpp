// Networks at random, as text: every model, rule, synapse and schedule entry of the format has its turn.
#pragma once
#include <cstdint>
#include <string>

namespace spinet::test {

/// The text of network `number` of `seed`: valid, small (under 400 neurons), 40 to 120 ms of model time.
std::string random_network(std::uint64_t seed, std::uint64_t number);

}  // namespace spinet::test
