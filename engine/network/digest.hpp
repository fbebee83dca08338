// SHA-256 (FIPS 180-4) of files and bytes: whether two ranks, or a run and its resumption, have read the
// same.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace spinet {

using Digest = std::array<std::uint8_t, 32>;

/// Hashes what it is given, piece by piece.  All members throw std::runtime_error if libcrypto has no
/// SHA-256.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void add(std::span<const std::byte> bytes);
  void add(std::string_view text) { add(std::as_bytes(std::span(text))); }
  /// The digest of all that was added; nothing may be added any more.
  Digest finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

Digest sha256(std::span<const std::byte> bytes);
/// Of a file's contents, read in pieces.  Throws std::runtime_error with file and reason: it cannot be read.
Digest sha256_of_file(const std::filesystem::path& file);
/// 64 hexadecimal digits, as `sha256sum` prints them.
std::string hex(const Digest& digest);

}  // namespace spinet
