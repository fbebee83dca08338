#include "look/json.hpp"

#include <fmt/format.h>

#include <cmath>

namespace spinet::look {

void Json::separate() {
  if (!first_) out_ += ',';
  first_ = false;
}

Json& Json::open(char c) {
  separate();
  out_ += c;
  open_ += c == '{' ? '}' : ']';
  first_ = true;
  return *this;
}

Json& Json::end() {
  out_ += open_.back();
  open_.pop_back();
  first_ = false;
  return *this;
}

Json& Json::key(std::string_view name) {
  value(name);
  out_ += ':';
  first_ = true;
  return *this;
}

Json& Json::value(std::string_view text) {
  separate();
  out_ += '"';
  for (const char c : printable(text)) {
    if (c == '"' || c == '\\') (out_ += '\\') += c;
    else if (c == '\n') out_ += "\\n";
    else if (c == '\t') out_ += "\\t";
    else if (c == '<' || c == '>' || c == '&')
      out_ +=
          fmt::format("\\u{:04x}", static_cast<unsigned>(c));  // "</script>" in a network's text ends nothing
    else out_ += c;
  }
  out_ += '"';
  return *this;
}

Json& Json::value(double x, int digits) {
  separate();
  if (!std::isfinite(x)) out_ += "null";
  else if (digits >= 17) out_ += fmt::format("{}", x);
  else out_ += fmt::format("{:.{}g}", x, digits);
  return *this;
}

Json& Json::value(std::uint64_t n) {
  separate();
  out_ += std::to_string(n);
  return *this;
}

Json& Json::value(bool b) {
  separate();
  out_ += b ? "true" : "false";
  return *this;
}

Json& Json::base64(std::span<const std::uint8_t> bytes) {
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  separate();
  out_ += '"';
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t x = 0;
    for (std::size_t k = 0; k < 3; ++k) x = x << 8 | (k < n ? bytes[i + k] : 0);
    for (std::size_t k = 0; k < 4; ++k) out_ += k <= n ? digits[x >> (18 - 6 * k) & 63] : '=';
  }
  out_ += '"';
  return *this;
}

}  // namespace spinet::look
