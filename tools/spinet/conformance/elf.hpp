// The names a shared library imports, read from its ELF file (no binutils needed).
#pragma once
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace spinet {

struct NotElf : std::runtime_error { using std::runtime_error::runtime_error; };

/// Undefined symbols of the dynamic symbol table, without versions, sorted.  64-bit little-endian ELF only.
/// Throws NotElf with a reason; a damaged file is an error, never a crash.
std::vector<std::string> imported_symbols(const std::filesystem::path& file);

}  // namespace spinet
