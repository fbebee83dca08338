// The colours of all figures, in the page and in files: here and nowhere else.
#pragma once
#include <span>
#include <string>
#include <vector>

namespace spinet::look {

/// A colour on white and on black; `name` is that of its CSS variable.
struct Colour {
  const char *name, *light, *dark;
};
/// Of text, and of lines that stand for no population.
extern const Colour ink;
/// Of the k-th line of a figure whose lines are not populations.
const Colour& line_colour(std::size_t k);

/// How the lines and marks of a population look.  Dashes (as in SVG) tell those apart that share a colour.
struct Look {
  const Colour* colour = nullptr;
  std::string dashes;
};
/// Of populations whose synapses have these signs: cold colours excite, warm ones inhibit, greys and browns
/// do neither, both or cannot be told.
std::vector<Look> looks_of(std::span<const int> signs);

/// "--c0: #1f5fa8; ...": all colours as CSS variables, as they are on white or on black.
enum class Ground { white, black };
std::string palette_css(Ground ground);

}  // namespace spinet::look
