// Read-outs that the schedule orders, as recordings of the network.  Private to engine/network.
#pragma once
#include <cstdint>

#include "network/parts.hpp"

namespace spinet::reading {

/// What an entry's stimulus leaves in a variable of the synapses that it reaches is logged each time,
/// `expected` times about.  False after an error.
bool log_read_outs(Loading& l, const ScheduledControl& c, Mark where, std::uint64_t expected);

}  // namespace spinet::reading
