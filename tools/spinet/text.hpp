// Numbers for people.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace spinet::tool {

std::string grouped(std::uint64_t n);         ///< "12,500"
std::string time_text(double seconds);        ///< "1.5 ms", "200 ms", "3.25 s", "2 min 5 s", "3 h 12 min"
std::string exact_time_text(double seconds);  ///< "1.5 ms", "20 s", "90.5 s": nothing is left out
std::string rate_text(double hz);             ///< "8 Hz", "30.75 Hz", "3,666,667 Hz"
std::string plural(std::uint64_t n, std::string_view what);  ///< "1 synapse", "12,500 synapses"
std::string count_text(double n);                            ///< "950", "15.6 M", "1.2 G"
std::string loss_text(double loss);                          ///< "0.6931", "1.187e+36"
/// A word of a command to type: `my net.yaml` in quotes.
std::string in_shell(const std::string& word);

}  // namespace spinet::tool
