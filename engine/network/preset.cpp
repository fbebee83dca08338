#include "network/preset.hpp"

#include <fmt/format.h>

#include "network/suggest.hpp"

namespace spinet {

const Preset* find_preset(const Model& m, std::string_view name) {
  for (std::uint32_t i = 0; i < m.preset_count; ++i)
    if (name == m.presets[i].name) return &m.presets[i];
  return nullptr;
}

std::vector<std::string> preset_names(const Model& m) {
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < m.preset_count; ++i) names.emplace_back(m.presets[i].name);
  return names;
}

double value_without(const Field& f, const Preset* preset) {
  for (std::uint32_t i = 0; preset && i < preset->count; ++i)
    if (std::string_view(preset->settings[i].name) == f.name) return preset->settings[i].value;
  return f.preset;
}

NoPreset no_preset(const Model& m, std::string_view name) {
  if (m.preset_count == 0)
    return {fmt::format("model {} has no presets", m.name),
            fmt::format("`spinet models {}` lists its parameters", m.name)};
  return {fmt::format("model {} has no preset {}", m.name, in_quotes(name)),
          suggest(name, preset_names(m), "presets")};
}

}  // namespace spinet
