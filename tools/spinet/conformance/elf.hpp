// What a shared library imports and keeps, read from its ELF file (no binutils needed).
#pragma once
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace spinet {

struct NotElf : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Undefined symbols of the dynamic symbol table, without versions, sorted.  64-bit little-endian ELF only.
/// Throws NotElf with a reason; a damaged file is an error, never a crash.
std::vector<std::string> imported_symbols(const std::filesystem::path& file);

/// Names of the variables that the library can write to while it runs, without those of compiler and C
/// library; sorted. Empty for a library without a symbol table (`strip`).  Throws as above.
std::vector<std::string> writable_variables(const std::filesystem::path& file);

}  // namespace spinet
