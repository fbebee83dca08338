#include "network/source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "network/printable.hpp"

namespace spinet {
namespace {

constexpr std::size_t shown_columns = 100;

bool continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// Characters (UTF-8 code points) in the first `bytes` of s.
std::size_t characters(std::string_view s, std::size_t bytes) {
  return static_cast<std::size_t>(std::count_if(s.begin(), s.begin() + std::min(bytes, s.size()),
                                                [](char c) { return !continuation(c); }));
}

/// Bytes of the first `n` characters.
std::size_t bytes_of(std::string_view s, std::size_t n) {
  std::size_t i = 0;
  for (; i < s.size(); ++i)
    if (!continuation(s[i]) && n-- == 0) break;
  return i;
}

}  // namespace

std::uint32_t Texts::add(std::string name, std::string text, std::uint32_t first_line) {
  Text t{std::move(name), std::move(text), first_line, {0}};
  for (std::size_t i = 0; i < t.text.size(); ++i)
    if (t.text[i] == '\n') t.begin.push_back(i + 1);
  texts_.push_back(std::move(t));
  return static_cast<std::uint32_t>(texts_.size() - 1);
}

std::string_view Texts::line(std::uint32_t i, std::uint32_t number) const {
  const auto& t = texts_[i];
  if (number < t.first_line || number - t.first_line >= t.begin.size()) return {};
  number -= t.first_line - 1;
  const std::size_t b = t.begin[number - 1];
  std::size_t e = number < t.begin.size() ? t.begin[number] - 1 : t.text.size();
  if (e > b && t.text[e - 1] == '\r') --e;
  return std::string_view(t.text).substr(b, e - b);
}

std::uint32_t Texts::last_line(std::uint32_t i) const {
  std::uint32_t n = texts_[i].first_line + static_cast<std::uint32_t>(texts_[i].begin.size()) - 1;
  while (n > texts_[i].first_line && line(i, n).empty()) --n;
  return n;
}

void Diagnostics::error(Mark where, std::string reason, std::string help) {
  ++calls_;
  for (const auto& e : entries_)
    if (e.where.line == where.line && e.where.column == where.column && e.reason == reason &&
        texts_.name(e.where.text) == texts_.name(where.text))
      return;
  if (entries_.size() >= most) throw TooMany{};
  entries_.push_back({where, std::move(reason), std::move(help)});
}

std::vector<Diagnostic> Diagnostics::sorted() const {
  auto entries = entries_;
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.where.text, a.where.line, a.where.column) <
           std::tie(b.where.text, b.where.line, b.where.column);
  });
  std::vector<Diagnostic> out;
  for (auto& e : entries) {
    Diagnostic d{texts_.name(e.where.text), e.where.line, 0, e.reason, e.help, {}, 0, 1};
    if (e.where.line > 0) {
      const auto line = texts_.line(e.where.text, e.where.line);
      const std::size_t before = characters(line, e.where.column - 1);
      d.column = static_cast<std::uint32_t>(before + 1);
      d.length = static_cast<std::uint32_t>(
          std::max<std::size_t>(1, characters(line, e.where.column - 1 + e.where.length) - before));
      // A long line is cut so that the place stays in view.
      const std::size_t all = characters(line, line.size());
      std::size_t first = 0, count = all;
      if (all > shown_columns) {
        first = before > shown_columns / 2 ? std::min(before - shown_columns / 2, all - shown_columns) : 0;
        count = shown_columns;
      }
      const std::size_t b = bytes_of(line, first);
      std::string shown = printable_line(line.substr(b, bytes_of(line.substr(b), count)));
      d.caret = static_cast<std::uint32_t>(before - std::min(before, first));
      if (first > 0) {
        shown = "..." + shown;
        d.caret += 3;
      }
      d.length = static_cast<std::uint32_t>(std::min<std::size_t>(
          d.length, std::max<std::size_t>(1, first + count - std::min(before, first + count))));
      if (first + count < all) shown += "...";
      d.source_line = std::move(shown);
    }
    out.push_back(std::move(d));
  }
  return out;
}

std::string render(const Diagnostic& d) {
  std::string s = d.line > 0 ? fmt::format("{}:{}:{}: error: {}\n", d.file, d.line, d.column, d.reason)
                             : fmt::format("{}: error: {}\n", d.file, d.reason);
  if (d.line > 0) {
    const auto number = std::to_string(d.line);
    s += fmt::format(" {} | {}\n", number, d.source_line);
    s += fmt::format(" {:{}} | {:{}}{:^<{}}\n", "", number.size(), "", d.caret, "^", d.length);
  }
  if (!d.help.empty()) s += fmt::format("   help: {}\n", d.help);
  return s;
}

}  // namespace spinet
