#include "network/suggest.hpp"

#include <algorithm>
#include <cctype>

#include "network/printable.hpp"

namespace spinet {
namespace {
constexpr std::size_t longest = 64;  // longer names are nobody's misspelling, and the table is quadratic
constexpr std::size_t most_listed = 40;
constexpr std::size_t most_compared = 10'000;

char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }
}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i)
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

std::string nearest(std::string_view given, const std::vector<std::string>& allowed) {
  if (given.empty() || given.size() > longest || allowed.size() > most_compared) return {};
  std::string best;
  std::size_t least = std::max<std::size_t>(1, given.size() / 3) + 1;
  for (const auto& name : allowed) {
    if (name.size() > longest) continue;
    const std::size_t d = edit_distance(given, name);
    if (d < least && d < name.size()) {
      least = d;
      best = name;
    }
  }
  return best;
}

std::string meant_surely(std::string_view given, const std::vector<std::string>& allowed) {
  const std::string best = nearest(given, allowed);
  if (best.empty()) return {};
  const auto distance = edit_distance(given, best);
  const auto ties = std::count_if(allowed.begin(), allowed.end(), [&](const std::string& name) {
    return name.size() <= longest && edit_distance(given, name) == distance;
  });
  return ties == 1 ? best : std::string();
}

std::string suggest(std::string_view given, const std::vector<std::string>& allowed, std::string_view kind) {
  return suggest_one(nearest(given, allowed), allowed, kind);
}

std::string suggest_one(std::string_view best, const std::vector<std::string>& allowed,
                        std::string_view kind) {
  std::string s;
  if (!best.empty()) s = "did you mean '" + std::string(best) + "'?";
  if (!allowed.empty() && allowed.size() <= most_listed) {
    if (!s.empty()) s += ' ';
    s += std::string(kind) + ": " + joined(allowed);
  } else if (s.empty() && !allowed.empty()) {
    const auto last = allowed.begin() + static_cast<std::ptrdiff_t>(most_listed);
    s = std::string(kind) + ": " + joined({allowed.begin(), last}) + " and " +
        std::to_string(allowed.size() - most_listed) + " more";
  }
  return s;
}

std::string joined(const std::vector<std::string>& names) {
  std::string s;
  for (const auto& n : names) {
    if (!s.empty()) s += ", ";
    s += n;
  }
  return s;
}

std::string in_quotes(std::string_view text) {
  std::string s(text.substr(0, longest));
  while (text.size() > longest && !s.empty() && (static_cast<unsigned char>(s.back()) & 0xC0) == 0x80)
    s.pop_back();
  if (text.size() > longest && !s.empty() && static_cast<unsigned char>(s.back()) >= 0x80) s.pop_back();
  s = printable_line(s);
  return "'" + s + (text.size() > longest ? "...'" : "'");
}

}  // namespace spinet
