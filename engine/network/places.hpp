// Whom an entry of the schedule names.  Private to engine/network.
#pragma once
#include "network/parts.hpp"

namespace spinet::reading {

/// The parts of an entry that say it.
struct PlacesRead {
  const Node* to = nullptr;  ///< names of populations and projections
  const Node *rows = nullptr, *columns = nullptr, *synapses = nullptr;  ///< of the one projection among them
  const Node* scheme = nullptr;                                         ///< of a crossbar
  bool across = false;  ///< is it a voltage between rows and columns?
  const Node* some() const { return rows ? rows : columns ? columns : synapses; }
};

/// Reads them into `address`.  False after an error.
bool load_places(Loading& l, const PlacesRead& read, Address& address);
/// A population, a part of one, or a projection.
bool load_place(Loading& l, const std::string& name, Mark where, Address& address);
/// Index of the population that a gid belongs to.
std::uint32_t population_with(const Network& n, Gid gid);

}  // namespace spinet::reading
