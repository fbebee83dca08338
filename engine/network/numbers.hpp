// Numbers and times for people, the same in every message, table and summary.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace spinet {

/// The shortest text that is read as this number again: a bound is never rounded past itself.
std::string exact_text(double x);
/// To 15 digits, which is every number that somebody wrote, without the noise of a computed one.
std::string number_text(double x);
/// "12,500"
std::string grouped(std::uint64_t n);
/// "1 synapse", "12,500 synapses"
std::string plural(std::uint64_t n, std::string_view what);
/// "8 Hz", "30.75 Hz", "0.0125 Hz", "3,666,667 Hz": to 4 digits, or whole.
std::string rate_text(double hz);
/// The same for a number that need not be whole, or is more than that: "2.5", "12,500", "1.2e+21".
std::string amount_text(double x);
/// "1.5 ms", "200 ms", "3.25 s", "2 min 5 s", "3 h 12 min"; rounded to `digits` where it is below a
/// minute, to the smaller unit above.  For times that are given, not measured, `exact_time_text`.
std::string time_text(double seconds, int digits = 4);
/// "1.5 ms", "20 s", "20 min", "90.5 s": nothing is left out.
std::string exact_time_text(double seconds);

}  // namespace spinet
