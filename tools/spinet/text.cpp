#include "text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>

#include "network/numbers.hpp"

namespace spinet::tool {

std::string grouped(std::uint64_t n) { return spinet::grouped(n); }

std::string time_text(double seconds) { return spinet::time_text(seconds); }

std::string exact_time_text(double seconds) { return spinet::exact_time_text(seconds); }

std::string rate_text(double hz) { return spinet::rate_text(hz); }

std::string plural(std::uint64_t n, std::string_view what) { return spinet::plural(n, what); }

std::string count_text(double n) {
  if (n >= 1e9) return fmt::format("{:.3g} G", n / 1e9);
  if (n >= 1e6) return fmt::format("{:.3g} M", n / 1e6);
  if (n >= 1e4) return fmt::format("{:.3g} k", n / 1e3);
  return fmt::format("{:.0f}", n);
}

std::string loss_text(double loss) {
  return loss < 1e6 ? fmt::format("{:.4f}", loss) : fmt::format("{:.3e}", loss);
}

std::string in_shell(const std::string& word) {
  constexpr std::string_view plain = "_-./=:,@%+";
  const auto is_plain = [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || plain.find(c) != std::string_view::npos;
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), is_plain)) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace spinet::tool
