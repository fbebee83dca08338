// Numbers on the command line: CLI::Range takes `nan`, and prints small bounds as 0.
#pragma once
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string>

namespace spinet::tool {

/// Only numbers from `low` to `high`.
inline CLI::Validator number_range(double low, double high) {
  const auto fault = [low, high](const std::string& text) {
    double x = 0;
    const bool number = CLI::detail::lexical_cast(text, x);
    return number && x >= low && x <= high
               ? std::string()
               : fmt::format("{}: not a number from {:g} to {:g}", text, low, high);
  };
  return CLI::Validator(fault, fmt::format("FROM {:g} TO {:g}", low, high));
}

}  // namespace spinet::tool
