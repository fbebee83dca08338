// `preset: NAME` beside a model: one of the named sets of parameters that the model carries.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "spinet/model.hpp"

namespace spinet {

/// The model's preset of that name, or null.
const Preset* find_preset(const Model& m, std::string_view name);
std::vector<std::string> preset_names(const Model& m);
/// What a network finds in `f` that gives it no value: the preset's, or without one (null) the model's own.
double value_without(const Field& f, const Preset* preset);
/// Why `name` is none of the model's, and what to do, for people.
struct NoPreset {
  std::string reason, help;
};
NoPreset no_preset(const Model& m, std::string_view name);

}  // namespace spinet
