// The population graph of a network: what `spinet graph` draws and what the lookahead follows from.
#pragma once
#include <string>
#include <vector>

#include "network/checked.hpp"

namespace spinet {

/// Shortest delay the projection can draw, in ticks, after rounding to the network's delay_resolution.
Tick shortest_delay(const Network& n, const Projection& p);

/// Shortest delay of any connection in ticks; `never` if there is none.
Tick lookahead(const Network& n);

/// For each population the number of its weakly connected component, counted from 0 in file order.
std::vector<std::uint32_t> components(const Network& n);

/// Populations that lie on a directed cycle (recurrence), as flags.
std::vector<bool> recurrent(const Network& n);

/// The graph in the DOT language: a node per population, an edge per pair of populations of a projection.
std::string dot(const Network& n);

}  // namespace spinet
