// What the simulation may rely on, written down as a check of the finished network.
#pragma once
#include <string>

#include "network/checked.hpp"

namespace spinet {

/// The first promise of checked.hpp that the network breaks, or an empty text.  load() never returns a
/// network with a fault; tests and programs that build networks by hand may ask, too.
std::string first_fault(const Network& n);

}  // namespace spinet
