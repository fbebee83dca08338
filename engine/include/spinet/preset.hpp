// Named sets of parameters: what a certain device or cell of the literature has.  Networks write `preset:
// NAME` beside the model's name; a parameter that they give themselves comes before the preset's.
//
//   static constexpr Setting lsmo_alq3_co[] = {{"G_min", 0.64}, {"G_max", 89}};
//   static constexpr Preset presets[] = {preset("lsmo_alq3_co", "A. Author, \"Title\" (2019)",
//   lsmo_alq3_co)};
#pragma once
#include <cstdint>

namespace spinet {

/// A parameter of the model and its value, in the unit of the parameter; none in the unit of a port.
struct Setting {
  const char* name;
  double value;
};
struct Preset {
  const char* name;
  const char* source;  ///< where the values are from: authors and title of the paper
  const Setting* settings;
  std::uint32_t count;
  std::uint32_t reserved;
};
template <std::uint32_t N>
constexpr Preset preset(const char* name, const char* source, const Setting (&settings)[N]) {
  return {name, source, settings, N, 0};
}

}  // namespace spinet
