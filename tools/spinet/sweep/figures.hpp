// The two SVG figures of spinet sweep --report.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "sweep/results.hpp"

namespace spinet::tool {

/// The metric of each combination against the first axis of numbers: means with a band of one standard
/// deviation.  Empty where there is nothing to draw.
std::string figure_of_means(const Sweep& sweep, const std::string& metric);
/// Learning curves of some combinations: thin ones of all trials, thick means.  Empty where there are none.
std::string figure_of_curves(const Sweep& sweep, const std::vector<std::uint64_t>& combinations);
inline constexpr std::size_t most_curves = 8;  ///< combinations in one figure

}  // namespace spinet::tool
