// What the readers of this folder share.
#pragma once
#include <zlib.h>

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "images/images.hpp"

namespace spinet::images {

/// Throws Error("FILE: reason").
[[noreturn]] void fail(const std::filesystem::path& file, const std::string& reason);

/// What is behind one of the two names of a part: numbers in some shape, before they are looked at.
struct Array {
  std::vector<std::uint64_t> shape;
  std::vector<std::uint8_t> bytes;  ///< of uint8
  std::vector<float> numbers;       ///< of floats
  std::vector<std::int64_t> whole;  ///< of labels, whatever their type
};
enum class Wanted : std::uint8_t { pixels, labels };

/// A file from its front to its end, gzipped or plain.  All throw Error.
class Source {
 public:
  explicit Source(const std::filesystem::path& file);
  ~Source();
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  const std::filesystem::path& file() const { return file_; }
  /// Throws if the file ends before; `what` is missing then.
  void read(std::span<std::byte> to, const std::string& what);
  /// `count` numbers of type T, which is what the file announced as `what`, and nothing after them.
  template <class T>
  std::vector<T> rest(std::uint64_t count, const std::string& what) {
    require_room(count, sizeof(T), what);
    std::vector<T> all(count);
    fill(std::as_writable_bytes(std::span(all)), what);
    return all;
  }

 private:
  std::size_t some(std::span<std::byte> to);
  void require_room(std::uint64_t count, std::size_t bytes, const std::string& what) const;
  void fill(std::span<std::byte> to, const std::string& what);

  std::filesystem::path file_;
  std::uint64_t size_;  ///< on the disk
  gzFile gz_ = nullptr;
};

/// Numbers of all dimensions multiplied; throws where that is more than any machine has.
std::uint64_t product(const std::filesystem::path& file, std::span<const std::uint64_t> shape);
std::string text_of(std::span<const std::uint64_t> shape);  ///< "60000 x 28 x 28"

Array read_idx(const std::filesystem::path&, Wanted);
Array read_npy(const std::filesystem::path&, Wanted);
/// Numbers of a file as they are kept.  Throws where one is beyond what a 4-byte float holds.
std::vector<float> as_floats(const std::filesystem::path&, std::span<const std::uint64_t> shape,
                             std::span<const double>);
/// A table of files of recorded spikes, and what they are of.
void read_events(const std::filesystem::path& table, std::uint32_t classes, Images& to);
/// A dataset of an HDF5 file.
Array read_dataset(const std::filesystem::path&, const char* name, Wanted);

}  // namespace spinet::images
