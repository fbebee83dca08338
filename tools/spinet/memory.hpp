// Whether a run fits: what the ranks of one machine need, held against that machine's memory.
#pragma once
#include <string>

#include "comm/transport.hpp"
#include "network/memory.hpp"

namespace spinet::tool {

/// Throws UserError, on all ranks alike, where the ranks of some machine need more than it has.
void check_memory(Transport& t, const Network& n);
/// The same for a run that is yet to be started here, all ranks on this machine.
void check_memory(const Network& n, int ranks);
/// The same where each of the ranks runs the whole network for itself, `copies` times side by side.
void check_memory_of_each(const Network& n, int ranks, double copies);

/// What fits where, for `spinet validate`: lines for people.
std::string where_it_fits(const Network& n);

}  // namespace spinet::tool
