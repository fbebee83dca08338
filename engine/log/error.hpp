// What a log throws.
#pragma once
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>

#include "spinet/time.hpp"

namespace spinet {

/// A log that cannot be written, read or repaired.  The message names the file, the operation, the reason
/// and, for a log that was being written, how far it is valid.
struct LogError : std::runtime_error {
  std::filesystem::path path;
  std::optional<Tick> valid_until;  ///< writing: everything before this tick can be read back
  LogError(std::filesystem::path file, const std::string& message, std::optional<Tick> valid = std::nullopt)
      : std::runtime_error(file.string() + ": " + message), path(std::move(file)), valid_until(valid) {}
};

/// The log that a run continues cannot be read, where the new one can be written.
struct DamagedSource : LogError {
  using LogError::LogError;
};

/// Something that stands where a file of ours would (a lock, a journal, a checkpoint), and is none: it is not
/// touched.
struct ForeignFile : LogError {
  using LogError::LogError;
};

}  // namespace spinet
