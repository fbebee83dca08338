// How often images of one label were taken for another, as a figure.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "look/pictures.hpp"

namespace spinet::look {

struct Named {
  const char *name, *title;
};
inline constexpr Named confusion_figure{"confusion", "Labels and answers"};

/// [label][answer] as a square; nothing where there are no classes, or more than 100.
std::optional<Picture> confusion_picture(const std::string& network, std::span<const std::uint64_t> all);

}  // namespace spinet::look
