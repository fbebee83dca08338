// A file of the operating system, with every failure an exception that names file, operation and reason.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <vector>

#include "log/error.hpp"

namespace spinet::logging {

/// The seam where tests make the disk fail.  Asked before every write (`data`) and resize (`data` empty,
/// `offset` the new size) of a log or its journal.  May lower `bytes`, so that only so many are written, and
/// returns 0 or the errno to fail with after them.
using WriteFault = std::function<int(const std::filesystem::path&, std::uint64_t offset,
                                     std::span<const std::byte> data, std::size_t& bytes)>;

/// What commits outlast: a kill of the process, or a power cut too, for which they wait for the disk.
enum class Survives : bool { kill, power_cut };

/// Owns a file descriptor.  All members throw LogError; offsets and sizes are in bytes.
class File {
 public:
  enum class Mode { read, write, create };  ///< create: read and write, refused if it exists
  File(std::filesystem::path path, Mode mode, WriteFault fault = {});
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  ~File();

  std::uint64_t size() const;
  /// Fills `into` from `offset`; what lies past the end of the file is zero.  Returns the bytes that were
  /// there.
  std::size_t read(std::uint64_t offset, std::span<std::byte> into) const;
  void write(std::uint64_t offset, std::span<const std::byte> bytes);
  void resize(std::uint64_t bytes);
  /// Waits until contents and size are on the disk.
  void sync();
  /// Takes the whole-file lock that HDF5 takes too (flock), alone or with other readers, or returns false if
  /// another process holds it.  A file system without locks counts as success.
  bool lock_exclusive();
  bool lock_shared();
  const std::filesystem::path& path() const { return path_; }
  /// After the file has been renamed: the name for messages.
  void renamed(std::filesystem::path path) { path_ = std::move(path); }

 private:
  [[noreturn]] void fail(const char* doing, int error) const;
  bool lock(int how);
  int fd_ = -1;
  std::filesystem::path path_;
  WriteFault fault_;
};

/// Throws LogError, saying what it is, unless the file begins as an HDF5 file does (at 0, 512, 1024, 2048,
/// ...).
void require_hdf5(const File& file);
/// The same by name; also where there is no such file or it cannot be read.
void require_hdf5(const std::filesystem::path& path);

/// Makes a rename or removal in the folder of `path` durable (best effort).
void sync_folder(const std::filesystem::path& path);

}  // namespace spinet::logging
