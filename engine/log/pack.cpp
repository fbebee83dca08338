#include "log/pack.hpp"

#include <zlib.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <stdexcept>

namespace spinet::logging {
namespace {

std::vector<std::byte> shuffled(std::span<const std::byte> chunk, std::size_t element_bytes) {
  const std::size_t n = chunk.size() / element_bytes;
  std::vector<std::byte> planes(chunk.size());
  for (std::size_t b = 0; b < element_bytes; ++b)
    for (std::size_t i = 0; i < n; ++i) planes[b * n + i] = chunk[i * element_bytes + b];
  return planes;
}

/// True if neither byte frequencies nor runs of equal bytes, judged by a sample, leave much to gain.
bool looks_like_noise(std::span<const std::byte> plane) {
  constexpr std::size_t stride = 16;
  std::array<unsigned, 256> count{};
  unsigned samples = 0, equal = 0;
  for (std::size_t i = 0; i + 1 < plane.size(); i += stride) {
    ++count[static_cast<std::uint8_t>(plane[i])];
    equal += plane[i] == plane[i + 1];
    ++samples;
  }
  if (samples < 1024) return false;
  double bits = 0;
  for (const unsigned c : count)
    if (c) bits -= c * std::log2(static_cast<double>(c) / samples);
  return bits > 7.5 * samples && equal < samples / 4;
}

/// zlib's stream, which must be ended.
struct Deflate {
  z_stream z{};
  Deflate() {
    if (deflateInit2(&z, 1, Z_DEFLATED, 15, 9, Z_RLE) != Z_OK) throw std::runtime_error("zlib cannot start");
  }
  Deflate(const Deflate&) = delete;
  ~Deflate() { deflateEnd(&z); }
};

void require(bool ok) {
  if (!ok) throw std::runtime_error("zlib cannot compress a chunk");
}

}  // namespace

std::vector<std::byte> pack(std::span<const std::byte> chunk, std::size_t element_bytes) {
  const auto planes = shuffled(chunk, element_bytes);
  const std::size_t n = chunk.size() / element_bytes;
  Deflate d;
  // Each change of level may end a block, which costs a few bytes.
  std::vector<std::byte> out(deflateBound(&d.z, planes.size()) + 64 * element_bytes + 64);
  d.z.next_out = reinterpret_cast<Bytef*>(out.data());
  d.z.avail_out = static_cast<uInt>(out.size());
  int level = 1;
  for (std::size_t b = 0; b < element_bytes; ++b) {
    const auto plane = std::span(planes).subspan(b * n, n);
    const int wanted = looks_like_noise(plane) ? 0 : 1;
    if (wanted != level) require(deflateParams(&d.z, level = wanted, Z_RLE) == Z_OK);
    // zlib's interface lacks a const; it does not write to its input.
    d.z.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(plane.data()));
    d.z.avail_in = static_cast<uInt>(n);
    require(deflate(&d.z, Z_NO_FLUSH) == Z_OK && d.z.avail_in == 0);
  }
  require(deflate(&d.z, Z_FINISH) == Z_STREAM_END);
  out.resize(d.z.total_out);
  return out;
}

}  // namespace spinet::logging
