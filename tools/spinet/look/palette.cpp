#include "look/palette.hpp"

#include <fmt/format.h>

#include <array>

namespace spinet::look {
namespace {

constexpr std::array<Colour, 8> lines = {{{"c0", "#1f5fa8", "#6fb0f5"},
                                          {"c1", "#c4432b", "#ff8f73"},
                                          {"c2", "#23824f", "#62cf93"},
                                          {"c3", "#7b52ab", "#c1a0f0"},
                                          {"c4", "#9a6f00", "#e2ba4b"},
                                          {"c5", "#0f7c8a", "#55cad8"},
                                          {"c6", "#a33a78", "#ee8fc6"},
                                          {"c7", "#5b6670", "#a9b5c0"}}};
using Family = std::array<Colour, 4>;
constexpr Family inhibitory = {{{"i0", "#c4432b", "#ff8f73"},
                                {"i1", "#c77400", "#f0b04b"},
                                {"i2", "#a33a78", "#ee8fc6"},
                                {"i3", "#8a2f1d", "#e0806a"}}};
constexpr Family neither = {{{"n0", "#5b6670", "#a9b5c0"},
                             {"n1", "#8a7440", "#cdbb8a"},
                             {"n2", "#8a949e", "#7f8b96"},
                             {"n3", "#4d6b58", "#9cc0a8"}}};
constexpr Family excitatory = {{{"e0", "#1f5fa8", "#6fb0f5"},
                                {"e1", "#0f7c8a", "#55cad8"},
                                {"e2", "#5a55c9", "#a9a5ff"},
                                {"e3", "#3f93d8", "#9fcdf8"}}};
constexpr std::array<const char*, 4> dashes = {"", "7 3", "2 2", "9 2 2 2"};

}  // namespace

constexpr Colour ink = {"ink", "#16202a", "#e6ebf0"};

const Colour& line_colour(std::size_t k) { return lines[k % lines.size()]; }

std::vector<Look> looks_of(std::span<const int> signs) {
  std::array<std::size_t, 3> used{};
  std::vector<Look> all;
  for (const int sign : signs) {
    const std::size_t family = sign < 0 ? 0 : sign > 0 ? 2 : 1, k = used[family]++;
    const Family& of = family == 0 ? inhibitory : family == 1 ? neither : excitatory;
    all.push_back({&of[k % of.size()], dashes[k / of.size() % dashes.size()]});
  }
  return all;
}

std::string palette_css(Ground ground) {
  std::string css;
  const auto add = [&](const Colour& c) {
    css += fmt::format("--{}: {}; ", c.name, ground == Ground::black ? c.dark : c.light);
  };
  add(ink);
  for (const auto& c : lines) add(c);
  for (const auto* family : {&excitatory, &inhibitory, &neither})
    for (const auto& c : *family) add(c);
  return css;
}

}  // namespace spinet::look
