// A JSON schema of the network format, for editors.
#pragma once
#include <string>

#include "network/catalogue.hpp"

namespace spinet {

/// JSON Schema (draft 7) of a network whose models are those of the catalogue, made from the tables that the
/// loader checks with and from the models' field tables.  An editor completes keys by it; the loader knows
/// more.
std::string json_schema(const Catalogue& catalogue);

}  // namespace spinet
