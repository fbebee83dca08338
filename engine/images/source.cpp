#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "images/parts.hpp"

namespace spinet::images {

void fail(const std::filesystem::path& file, const std::string& reason) {
  throw Error(file.string() + ": " + reason);
}

std::uint64_t product(const std::filesystem::path& file, std::span<const std::uint64_t> shape) {
  constexpr std::uint64_t most = std::uint64_t{1} << 44;
  std::uint64_t n = 1;
  for (const auto extent : shape) {
    if (extent == 0) fail(file, fmt::format("announces {} numbers: it is empty", text_of(shape)));
    if (extent > most / n)
      fail(file, fmt::format("announces {} numbers, more than any file holds", text_of(shape)));
    n *= extent;
  }
  return n;
}

std::vector<float> as_floats(const std::filesystem::path& file, std::span<const std::uint64_t> shape,
                             std::span<const double> numbers) {
  constexpr double most = std::numeric_limits<float>::max();
  std::vector<float> all(numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const double x = numbers[i];
    if (std::isfinite(x) && std::fabs(x) > most) {
      const std::uint64_t of_image =
          shape.empty() || shape[0] == 0 ? numbers.size() : numbers.size() / shape[0];
      fail(file, fmt::format("pixel {} of image {} is {:g}, and pixels may be {:g} at most, which is what a "
                             "4-byte float holds",
                             i % of_image, i / of_image, x, most));
    }
    all[i] = static_cast<float>(x);
  }
  return all;
}

std::string text_of(std::span<const std::uint64_t> shape) {
  return fmt::format("{}", fmt::join(shape, " x "));
}

Source::Source(const std::filesystem::path& file) : file_(file) {
  std::error_code error;
  if (!std::filesystem::exists(file, error)) fail(file, "there is no such file");
  if (!std::filesystem::is_regular_file(file, error)) fail(file, "is no file");
  size_ = std::filesystem::file_size(file, error);
  gz_ = error ? nullptr : gzopen(file.c_str(), "rb");
  if (!gz_) fail(file, "cannot be opened");
  gzbuffer(gz_, 1u << 17);
}

Source::~Source() {
  if (gz_) gzclose(gz_);
}

/// Reads as much as there is.
std::size_t Source::some(std::span<std::byte> to) {
  std::size_t done = 0;
  while (done < to.size()) {
    const auto piece = static_cast<unsigned>(std::min<std::size_t>(to.size() - done, 1u << 26));
    const int n = gzread(gz_, to.data() + done, piece);
    int code = Z_OK;
    const char* const reason = gzerror(gz_, &code);
    if (n < 0 || (code != Z_OK && code != Z_BUF_ERROR))
      fail(file_, fmt::format("is damaged: {}", code == Z_ERRNO ? "it cannot be read" : reason));
    if (code == Z_BUF_ERROR) fail(file_, "is truncated: the gzipped data end too early");
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

void Source::read(std::span<std::byte> to, const std::string& what) {
  if (some(to) < to.size()) fail(file_, fmt::format("is truncated: it ends before its {}", what));
}

/// Memory is taken only for what the file may hold: deflate cannot shrink by more than 1032.
void Source::require_room(std::uint64_t count, std::size_t bytes, const std::string& what) const {
  const long double announced = static_cast<long double>(count) * static_cast<long double>(bytes);
  const long double most = static_cast<long double>(size_) * (gzdirect(gz_) ? 1 : 1032);
  if (announced > most)
    fail(file_, fmt::format("is truncated: it announces {} ({:.0f} bytes), and has {} bytes", what, announced,
                            size_));
}

void Source::fill(std::span<std::byte> to, const std::string& what) {
  if (const auto n = some(to); n < to.size())
    fail(file_, fmt::format("is truncated: it announces {} ({} bytes), and only {} bytes follow", what,
                            to.size(), n));
  std::byte more;
  if (some(std::span(&more, 1)))
    fail(file_, fmt::format("announces {} ({} bytes), and goes on after them", what, to.size()));
}

}  // namespace spinet::images
