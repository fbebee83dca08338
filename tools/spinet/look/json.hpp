// JSON text, safe inside an HTML script element.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "network/printable.hpp"

namespace spinet::look {

/// Writes values in order; commas are put where they belong.  Numbers that are not finite become null.
class Json {
 public:
  Json& object() { return open('{'); }
  Json& array() { return open('['); }
  Json& end();
  Json& key(std::string_view name);

  Json& value(std::string_view text);
  Json& value(const char* text) { return value(std::string_view(text)); }
  Json& value(double x, int digits = 17);
  Json& value(std::uint64_t n);
  Json& value(bool b);
  template <class T>
  Json& values(const std::vector<T>& all, int digits = 17) {
    array();
    for (const auto& x : all) {
      if constexpr (std::is_floating_point_v<T>) value(static_cast<double>(x), digits);
      else value(static_cast<std::uint64_t>(x));
    }
    return end();
  }
  Json& base64(std::span<const std::uint8_t> bytes);
  template <class T>
  Json& entry(std::string_view name, const T& x) {
    return key(name).value(x);
  }

  const std::string& text() const { return out_; }

 private:
  Json& open(char c);
  void separate();
  std::string out_;
  std::string open_;
  bool first_ = true;
};

using spinet::printable;

}  // namespace spinet::look
