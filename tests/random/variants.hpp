// One network run in ways that must not matter.
#pragma once
#include <string>

#include "network/checked.hpp"

namespace spinet::test {

/// What differs, for people; empty if all runs gave the same bytes.  `spikes` becomes the number of the
/// network's spikes.
std::string compare_variants(const Network& net, std::uint64_t choice, std::uint64_t& spikes);

}  // namespace spinet::test
