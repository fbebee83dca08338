// Projections laid out as crossbars.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "network/reading.hpp"

namespace spinet {

/// What is allowed and yet hardly meant: pulses of which devices that are not addressed feel more than their
/// threshold.
void crossbar_notes(const Network& n, std::vector<std::string>& all);

namespace reading {

struct Draft;
/// `layout` of a projection; errors of sizes and connections only where both could be read.
void read_layout(Draft& d, const Node& given);
/// half, third or none; nothing after an error.
std::optional<Scheme> read_scheme(Reader& r, const Node& given);
std::span<const Key> crossbar_keys();

}  // namespace reading
}  // namespace spinet
