#include "network/numbers.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

namespace spinet {

std::string exact_text(double x) { return fmt::format("{}", x); }

std::string number_text(double x) { return exact_text(std::strtod(fmt::format("{:.15g}", x).c_str(), nullptr)); }

std::string grouped(std::uint64_t n) {
  std::string text = std::to_string(n);
  for (std::size_t i = text.size(); i > 3;) text.insert(i -= 3, 1, ',');
  return text;
}

std::string amount_text(double x) {
  if (x >= 1e15) return fmt::format("{:.4g}", x);
  return x < 100 ? fmt::format("{:.3g}", x) : grouped(static_cast<std::uint64_t>(std::llround(x)));
}

std::string time_text(double seconds, int digits) {
  const auto two = [&](double larger, double smaller, const char* one, const char* other) {
    const double a = std::floor(seconds / larger), b = std::floor(std::fmod(seconds, larger) / smaller);
    return fmt::format("{:.0f} {}", a, one) + (b > 0 ? fmt::format(" {:.0f} {}", b, other) : "");
  };
  if (seconds >= 3600) return two(3600, 60, "h", "min");
  if (seconds >= 60) return two(60, 1, "min", "s");
  if (seconds >= 1 || seconds == 0) return fmt::format("{:.{}g} s", seconds, digits);
  if (seconds >= 1e-3) return fmt::format("{:.{}g} ms", seconds * 1e3, digits);
  if (seconds >= 1e-6) return fmt::format("{:.{}g} us", seconds * 1e6, digits);
  return fmt::format("{:.{}g} ns", seconds * 1e9, digits);
}

std::string exact_time_text(double seconds) {
  if (seconds < 60) return time_text(seconds, 12);
  const bool whole = seconds == std::floor(seconds);
  if (whole && (seconds < 3600 || std::fmod(seconds, 60) == 0)) return time_text(seconds);
  return number_text(seconds) + " s";
}

}  // namespace spinet
