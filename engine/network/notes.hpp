// What is allowed and yet hardly meant.
#pragma once
#include <string>
#include <vector>

#include "network/checked.hpp"

namespace spinet {

/// One line each: environments that are not connected, or in part; times of a recording that the run does not
/// reach; pulses that disturb the other devices of a crossbar.
std::vector<std::string> notes(const Network& n);

}  // namespace spinet
