#include "network/numbers.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <string_view>

namespace spinet {

namespace {
constexpr double beyond_hours = 1e15;  // [s]; from there on nobody counts hours
}

std::string exact_text(double x) { return fmt::format("{}", x); }

std::string number_text(double x) {
  return exact_text(std::strtod(fmt::format("{:.15g}", x).c_str(), nullptr));
}

std::string grouped(std::uint64_t n) {
  std::string text = std::to_string(n);
  for (std::size_t i = text.size(); i > 3;) text.insert(i -= 3, 1, ',');
  return text;
}

std::string plural(std::uint64_t n, std::string_view what) {
  return fmt::format("{} {}{}", grouped(n), what, n == 1 ? "" : "s");
}

std::string rate_text(double hz) {
  const auto text = fmt::format("{:.4g}", hz);
  const bool large = hz < 1e15 && std::strtod(text.c_str(), nullptr) >= 1000;
  return (large ? grouped(static_cast<std::uint64_t>(std::llround(hz))) : text) + " Hz";
}

std::string amount_text(double x) {
  if (x >= 1e15) return fmt::format("{:.4g}", x);
  return x < 100 ? fmt::format("{:.3g}", x) : grouped(static_cast<std::uint64_t>(std::llround(x)));
}

std::string time_text(double seconds, int digits) {
  if (seconds < 0) return fmt::format("-{}", time_text(-seconds, digits));
  if (seconds >= beyond_hours) return fmt::format("{:.{}g} s", seconds, digits);
  const auto two = [](double larger, double smaller, const char* one, const char* other) {
    return fmt::format("{:.0f} {}", larger, one) +
           (smaller > 0 ? fmt::format(" {:.0f} {}", smaller, other) : "");
  };
  // Rounded first, so that no unit is filled: 999.99 us is 1 ms, 59 min 59.7 s is 1 h.
  if (const double minutes = std::round(seconds / 60); std::round(seconds) >= 3600)
    return two(std::floor(minutes / 60), std::fmod(minutes, 60), "h", "min");
  const double shown = std::strtod(fmt::format("{:.{}g}", seconds, digits).c_str(), nullptr);
  if (const double whole = std::round(seconds); shown >= 60)
    return two(std::floor(whole / 60), std::fmod(whole, 60), "min", "s");
  if (shown >= 1 || shown == 0) return fmt::format("{:.{}g} s", seconds, digits);
  double size = 1e3;
  for (const char* unit : {"ms", "us", "ns", "ps", "fs"}) {
    const auto text = fmt::format("{:.{}g}", seconds * size, digits);
    if (std::strtod(text.c_str(), nullptr) >= 1 || unit == std::string_view("fs")) return text + " " + unit;
    size *= 1e3;
  }
  return {};
}

std::string exact_time_text(double seconds) {
  if (seconds < 0) return fmt::format("-{}", exact_time_text(-seconds));
  if (seconds < 60) return time_text(seconds, 12);
  if (seconds >= beyond_hours) return number_text(seconds) + " s";
  const bool whole = seconds == std::floor(seconds);
  if (whole && (seconds < 3600 || std::fmod(seconds, 60) == 0)) return time_text(seconds);
  return number_text(seconds) + " s";
}

}  // namespace spinet
