// Physical units.  A quantity keeps its number as written and a power of ten, so that "87.8 pA" read in pA is
// exactly 87.8 and "1.5 ms" in ticks of 1 ns is exactly 1,500,000.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace spinet {

/// Exponents of m, kg, s, A, K.
struct Dimension {
  std::array<std::int8_t, 5> of{};
  bool operator==(const Dimension&) const = default;
  bool none() const { return *this == Dimension{}; }
};
Dimension operator+(Dimension a, Dimension b);  ///< of a product
Dimension operator-(Dimension a, Dimension b);  ///< of a quotient

/// A unit: factor * 10^decade in SI base units.  1 Oe counts as 1e-4 T (the flux density it causes in
/// vacuum).
struct Unit {
  Dimension dimension;
  int decade = 0;
  double factor = 1;
};

/// Without blanks and tabs at its ends.
std::string_view trimmed(std::string_view text);
/// Reads "ms", "pA/ms", "1/s", "mV^2", "%", "1", "".  Empty if it is no unit.
std::optional<Unit> parse_unit(std::string_view text);

/// number * 10^decade in SI base units.
struct Quantity {
  double number = 0;
  int decade = 0;
  Dimension dimension{};
  /// The number of `u`s; the dimensions must agree.  One rounding unless the unit has a factor.
  double in(const Unit& u) const;
  double si() const;
};

/// number * 10^decade with one rounding for |decade| <= 22.
double scaled(double number, int decade);

/// "a time", "a voltage"; "a quantity in m^2 kg / s" for what has no name; "a plain number" for none.
std::string dimension_name(const Dimension& d);

/// The unit of the same dimension nearest to a misspelt one, case and order of letters forgiven; may be
/// empty.
std::string nearest_unit(std::string_view misspelt, const Dimension& wanted);

}  // namespace spinet
