// Numbers for people.
#pragma once
#include <cstdint>
#include <string>

namespace spinet::tool {

std::string grouped(std::uint64_t n);            ///< "12,500"
std::string time_text(double seconds);           ///< "1.5 ms", "200 ms", "3.25 s", "2 min 5 s", "3 h 12 min"
std::string count_text(double n);                ///< "950", "15.6 M", "1.2 G"

}  // namespace spinet::tool
