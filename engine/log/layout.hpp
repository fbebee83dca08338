// Names and rules of the file that its writer and its readers share.  FORMAT.md is the normative text.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "log/h5.hpp"
#include "spinet/time.hpp"

namespace spinet::layout {

inline constexpr std::uint32_t sonata_magic = 0x0A7A;
inline constexpr std::uint32_t format_version = 1;  ///< of what Spinet adds to SONATA
inline constexpr std::size_t status_bytes = 16;     ///< room of the attribute `status`

/// Values of the attribute `status`.
namespace status {
inline constexpr const char* running = "running";
inline constexpr const char* complete = "complete";
inline constexpr const char* stopped = "stopped";
inline constexpr const char* interrupted = "interrupted";
inline constexpr const char* killed = "killed";
}  // namespace status

/// Times in double milliseconds give the tick back, llround(ms * ticks_per_ms), for every tick under this:
/// the two roundings (division, product) move the result by at most 2^-52 of itself, which must stay under
/// one half.
inline constexpr Tick exact_in_ms = Tick{1} << 51;

/// SONATA's enumeration of how spikes are sorted.
h5::Id sorting_type();

}  // namespace spinet::layout
