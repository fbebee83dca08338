// Populations and parts of them by name.
#include <fmt/format.h>

#include <charconv>

#include "network/parts.hpp"
#include "network/suggest.hpp"

namespace spinet::reading {

std::optional<Selected> select(Loading& l, const std::string& text, Mark where) {
  const auto bracket = text.find('[');
  std::string name = text.substr(0, bracket);
  while (!name.empty() && name.back() == ' ') name.pop_back();
  auto at = l.populations.index.find(name);
  bool sure = true;
  if (at == l.populations.index.end()) {
    if (!l.populations.complete) return std::nullopt;
    std::vector<std::string> known;
    for (const auto& p : l.net.populations) known.push_back(p.name);
    l.read.errors.error(where, fmt::format("unknown population {}", in_quotes(name)),
                        suggest(name, known, "populations"));
    at = l.populations.index.find(meant_surely(name, known));  // a misspelt one is taken for the one meant
    if (at == l.populations.index.end()) return std::nullopt;
    sure = false;
  }
  const Population& p = l.net.populations[at->second];
  sure = sure && !l.populations.unsized[at->second];
  if (bracket == std::string::npos) return Selected{at->second, {p.first, p.size}, true, sure};
  // "[a:b]", "[a:]", "[:b]", "[a]"
  std::string_view inside(text);
  inside.remove_prefix(bracket + 1);
  std::uint64_t first = 0, last = p.size;
  bool good = inside.ends_with(']');
  if (good) {
    inside.remove_suffix(1);
    const auto colon = inside.find(':');
    const auto read = [&](std::string_view s, std::uint64_t& v) {
      while (s.starts_with(' ')) s.remove_prefix(1);
      while (s.ends_with(' ')) s.remove_suffix(1);
      if (s.empty()) return colon != std::string_view::npos;
      const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), v);
      return error == std::errc{} && end == s.data() + s.size();
    };
    good = read(inside.substr(0, colon), first);
    if (colon == std::string_view::npos) last = first + 1;
    else good = good && read(inside.substr(colon + 1), last);
  }
  if (!good) {
    l.read.errors.error(where, fmt::format("{} is no part of a population", in_quotes(text)),
                        fmt::format("for example {}[0:100], the first hundred", name));
    return std::nullopt;
  }
  if (!sure) return Selected{at->second, {p.first, p.size}, false, false};
  if (first >= last || last > p.size) {
    l.read.errors.error(
        where, fmt::format("{} is not within the {} neurons of {}", in_quotes(text), p.size, in_quotes(name)),
        "parts are [first:last], counted from 0, without the last");
    return std::nullopt;
  }
  return Selected{at->second,
                  {static_cast<Gid>(p.first + first), static_cast<std::uint32_t>(last - first)},
                  first == 0 && last == p.size,
                  true};
}

}  // namespace spinet::reading
