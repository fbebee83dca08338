#include "look/confusion.hpp"

#include "look/palette.hpp"
#include "look/sheet.hpp"

namespace spinet::look {

std::optional<Picture> confusion_picture(const std::string& network, std::span<const std::uint64_t> all) {
  const auto n = static_cast<std::size_t>(std::sqrt(static_cast<double>(all.size())) + 0.5);
  if (n == 0 || n > 100) return std::nullopt;
  const double size = std::clamp(560.0 / static_cast<double>(n), 6.0, 46.0), left = 70, top = 64;
  Sheet sheet(fmt::format("{}: {}", network, confusion_figure.title),
              left + static_cast<double>(n) * size + 90);
  sheet.text(left, 42, "answer");
  sheet.text(10, top + 12, "label");
  for (std::size_t k = 0; k < n; ++k) {
    double of = 0;
    for (std::size_t i = 0; i < n; ++i) of += static_cast<double>(all[k * n + i]);
    const double y = top + static_cast<double>(k) * size;
    if (size >= 12) {
      sheet.text(left + (static_cast<double>(k) + 0.4) * size, top - 6, std::to_string(k));
      sheet.text(left - 20, y + size / 2 + 4, std::to_string(k));
    }
    for (std::size_t i = 0; i < n; ++i) {
      const auto count = all[k * n + i];
      const double part = of > 0 ? std::pow(static_cast<double>(count) / of, 0.6) : 0,
                   x = left + static_cast<double>(i) * size;
      sheet.rect(x, y, size - 1, size - 1, mixed(line_colour(k == i ? 0 : 1).light, 0.04 + 0.96 * part));
      if (size >= 24 && count)
        sheet.text(x + size / 2, y + size / 2 + 4, std::to_string(count),
                   part > 0.55 ? "font-size=\"11\" text-anchor=\"middle\" fill=\"#ffffff\""
                               : "font-size=\"11\" text-anchor=\"middle\"");
    }
  }
  return Picture{fmt::format("{}.svg", confusion_figure.name), picture_mark + sheet.svg()};
}

}  // namespace spinet::look
