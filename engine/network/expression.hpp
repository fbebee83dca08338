// Arithmetic over named quantities: "-g*J", "sqrt(scale)", "round(0.8 * n)", "J * C / 0.5 ms".
// Numbers and dimensions are carried together, so adding a voltage to a current is an error with a place.
#pragma once
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "network/units.hpp"

namespace spinet {

/// What is wrong with an expression, and where in it.
struct ExpressionError : std::runtime_error {
  std::size_t position, length;
  std::string help;
  ExpressionError(std::size_t position, std::size_t length, const std::string& reason, std::string help = {})
      : std::runtime_error(reason), position(position), length(length), help(std::move(help)) {}
};

/// Value of a name; throws ExpressionError (its position is replaced) for a name there is not.
using Lookup = std::function<Quantity(std::string_view name)>;

/// Evaluates `text` (without the '=').  + - * / ^ ( ), the functions of function_names(), pi and e, numbers
/// with a unit ("1.5 ms").  Throws ExpressionError.
Quantity evaluate(std::string_view text, const Lookup& lookup);

std::vector<std::string> function_names();

/// A number so near 0 that there is no floating-point number for it but 0.
bool too_small(std::string_view number);

/// Reads "1.5 ms", "-70", "5 %".  Throws ExpressionError if it is no number, not finite, or its unit is
/// unknown; `wanted` helps to guess the unit meant.
Quantity parse_quantity(std::string_view text, const Dimension& wanted = {});

}  // namespace spinet
