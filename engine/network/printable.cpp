#include "network/printable.hpp"

#include <algorithm>

namespace spinet {
namespace {

/// Characters that change the order in which others are shown, and Unicode's line ends.
bool is_directional(std::string_view c) {
  static constexpr std::string_view those[] = {"\u200e", "\u200f", "\u2028", "\u2029", "\u202a",
                                               "\u202b", "\u202c", "\u202d", "\u202e", "\u2066",
                                               "\u2067", "\u2068", "\u2069", "\u061c"};
  return std::find(std::begin(those), std::end(those), c) != std::end(those);
}

/// What stands for `text` where the line ends and tabs of `kept` may stay.
std::string clean(std::string_view text, std::string_view kept) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    std::size_t n = c < 0x80                ? 1
                    : c >= 0xc2 && c < 0xe0 ? 2
                    : c >= 0xe0 && c < 0xf0 ? 3
                    : c >= 0xf0 && c < 0xf5 ? 4
                                            : 0;
    if (n > text.size() - i) n = 0;
    for (std::size_t k = 1; k < n; ++k)
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) n = 0;
    // Longer forms of shorter characters, surrogates, past the last character.
    if (n >= 3) {
      const auto d = static_cast<unsigned char>(text[i + 1]);
      if ((c == 0xe0 && d < 0xa0) || (c == 0xed && d > 0x9f) || (c == 0xf0 && d < 0x90) ||
          (c == 0xf4 && d > 0x8f))
        n = 0;
    }
    const bool control = (c < 0x20 && kept.find(text[i]) == std::string_view::npos) || c == 0x7f ||
                         (n == 2 && c == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0) ||
                         (n >= 2 && is_directional(text.substr(i, n)));
    if (n == 0 || control) out += "\xef\xbf\xbd";
    else out.append(text, i, n);
    i += std::max<std::size_t>(n, 1);
  }
  return out;
}

}  // namespace

std::string printable(std::string_view text) { return clean(text, "\n\t"); }

std::string printable_line(std::string_view text) {
  std::string line(text);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\t' || c == '\r'; }, ' ');
  return clean(line, "");
}

}  // namespace spinet
