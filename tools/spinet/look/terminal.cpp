#include "look/terminal.hpp"

#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <cmath>
#include <cstdlib>
#include <string_view>

namespace spinet::look {
namespace {

void append_utf8(std::string& out, unsigned code) {
  out += static_cast<char>(0xe0 | code >> 12);
  out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
  out += static_cast<char>(0x80 | (code & 0x3f));
}

}  // namespace

Terminal Terminal::of_stdout() {
  Terminal t;
  winsize size{};
  const char* columns = std::getenv("COLUMNS");
  if (columns && std::atoi(columns) > 0) t.columns = static_cast<std::size_t>(std::atoi(columns));
  else if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) t.columns = size.ws_col;
  t.columns = std::clamp<std::size_t>(t.columns, 30, 400);
  std::setlocale(LC_CTYPE, "");
  t.unicode = std::string_view(nl_langinfo(CODESET)) == "UTF-8";
  std::setlocale(LC_CTYPE, "C");
  return t;
}

std::vector<std::string> dots(const Density& d, const Terminal& terminal) {
  // Bits of the dots of a braille character, row by row from the top.
  static constexpr unsigned bit[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
  std::vector<std::string> lines;
  const std::size_t rows = d.rows(), high = (rows + 3) / 4, wide = d.columns() / 2;
  for (std::size_t line = 0; line < high; ++line) {
    std::string text;
    for (std::size_t c = 0; c < wide; ++c) {
      unsigned set = 0, on = 0, possible = 0;
      for (std::size_t y = 0; y < 4; ++y) {
        const std::size_t from_top = line * 4 + y;
        if (from_top >= rows) continue;
        for (std::size_t x = 0; x < 2; ++x) {
          ++possible;
          if (d.at(rows - 1 - from_top, 2 * c + x) > 0) set |= bit[y][x], ++on;
        }
      }
      if (terminal.unicode) append_utf8(text, 0x2800 + set);
      else
        text += on == 0                  ? ' '
                : 8 * on <= 2 * possible ? '.'
                : 8 * on <= 4 * possible ? ':'
                : 8 * on <= 6 * possible ? '+'
                                         : '#';
    }
    lines.push_back(std::move(text));
  }
  return lines;
}

std::vector<std::string> bars(const std::vector<double>& heights, double full, std::size_t lines,
                              const Terminal& terminal) {
  std::vector<std::string> out(lines);
  for (const double h : heights) {
    const double part = full > 0 ? std::clamp(h / full, 0.0, 1.0) * static_cast<double>(lines) : 0;
    for (std::size_t line = 0; line < lines; ++line) {
      const double here = part - static_cast<double>(lines - 1 - line);
      if (terminal.unicode) {
        // The smallest bar stands for anything but zero.
        int eighths = std::clamp(static_cast<int>(std::lround(here * 8)), 0, 8);
        if (eighths == 0 && line == lines - 1 && h > 0) eighths = 1;
        if (eighths == 0) out[line] += ' ';
        else append_utf8(out[line], 0x2580u + static_cast<unsigned>(eighths));
      } else {
        out[line] += here >= 0.75 ? '#' : here >= 0.25 ? ':' : line == lines - 1 && h > 0 ? '.' : ' ';
      }
    }
  }
  return out;
}

namespace {
/// The first `width` characters of a text, and the spaces that it lacks.
struct Cut {
  std::string shown, space;
};
Cut cut(const std::string& text, std::size_t width) {
  std::size_t characters = 0, at = 0;
  for (; at < text.size() && characters < width; ++characters) do
      ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80);
  return {text.substr(0, at), std::string(width - characters, ' ')};
}
}  // namespace

std::string fit(const std::string& text, std::size_t width) {
  const Cut c = cut(text, width);
  return c.shown + c.space;
}
std::string fit_right(const std::string& text, std::size_t width) {
  const Cut c = cut(text, width);
  return c.space + c.shown;
}

}  // namespace spinet::look
