// Figures in a terminal.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "look/counts.hpp"

namespace spinet::look {

struct Terminal {
  std::size_t columns = 80;
  bool unicode = true;
  /// What standard output is: its width (COLUMNS, the terminal, or 80), and UTF-8 by the locale.
  static Terminal of_stdout();
};

/// A raster of 2 x 4 dots per character (braille), or one character per cell of 2 x 4: '.' to '#'.  Row 0 is
/// at the bottom.
std::vector<std::string> dots(const Density& density, const Terminal& terminal);

/// Bars of `lines` lines: eighths of a line in UTF-8, whole ones otherwise.
std::vector<std::string> bars(const std::vector<double>& heights, double full, std::size_t lines,
                              const Terminal& terminal);

/// `text` cut or padded to `width` characters; flush left, or right.
std::string fit(const std::string& text, std::size_t width);
std::string fit_right(const std::string& text, std::size_t width);

}  // namespace spinet::look
