// What figures are called and what their axes show: for the page and for files alike.
#pragma once
#include <string>
#include <vector>

#include "look/analysis.hpp"

namespace spinet::look {

struct Title {
  std::string name;         ///< of files
  std::string title, x, y;  ///< x: empty for time, whose unit follows what is shown
  double x_scale = 1;       ///< numbers of the x axis are shown times this
};

/// What the members of a population are.
enum class Members { neurons, sources };
Title raster_title(Members of);
Title rates_title(Members of);
/// Of neurons' rates, intervals, CVs and of pairs' correlations, in this order.
std::vector<Title> distribution_titles(const Analysis& analysis);
Title title_of(const Traces& traces);
Title title_of(const WeightHistory& weights);
Title final_title_of(const WeightHistory& weights);
Title title_of(const WeightChanges& changes);
Title title_of(const MetricHistory& history, std::size_t metric);

}  // namespace spinet::look
