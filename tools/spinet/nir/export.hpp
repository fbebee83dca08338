// An imported network as a graph again.
#pragma once
#include <functional>
#include <string>

#include "network/checked.hpp"
#include "nir/beside.hpp"

namespace spinet::nir {

/// The graph that `beside` holds, with what has since been changed in the network.  `load` makes a network of
/// a text.  Throws Fault where the network has become one that the graph cannot say.
GraphFile as_graph(const Network& network, Beside beside,
                   const std::function<Network(const std::string& text)>& load);

}  // namespace spinet::nir
