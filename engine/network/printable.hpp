// Text of unknown origin (a log, a network, a file's name) as it may go to a terminal or into a page.
#pragma once
#include <string>
#include <string_view>

namespace spinet {

/// The text as valid UTF-8 without control characters, which would move a terminal's cursor or change its
/// settings, and without those of Unicode that change the order of what is shown or end a line: a U+FFFD
/// stands for each, and for each byte that is no UTF-8.  Line ends and tabs stay.
std::string printable(std::string_view text);
/// The same in one line: spaces stand for line ends and tabs.
std::string printable_line(std::string_view text);

}  // namespace spinet
