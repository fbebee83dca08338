#include "log/pack.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <stdexcept>

namespace spinet::logging {
namespace {

/// Byte b of all elements becomes plane b.  Goes by parts that stay in the first-level cache.
void shuffle(std::span<const std::byte> chunk, std::size_t element_bytes, std::byte* planes) {
  const std::size_t n = chunk.size() / element_bytes;
  constexpr std::size_t part = 2048;
  for (std::size_t begin = 0; begin < n; begin += part) {
    const std::size_t end = std::min(n, begin + part);
    for (std::size_t b = 0; b < element_bytes; ++b)
      for (std::size_t i = begin; i < end; ++i) planes[b * n + i] = chunk[i * element_bytes + b];
  }
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

void require(bool ok) {
  if (!ok) throw std::runtime_error("zlib cannot compress a chunk");
}

}  // namespace

Packer::Packer() {
  if (deflateInit2(&z_, 1, Z_DEFLATED, 15, 9, Z_RLE) != Z_OK) throw std::runtime_error("zlib cannot start");
}
Packer::~Packer() { deflateEnd(&z_); }

std::span<const std::byte> Packer::pack(std::span<const std::byte> chunk, std::size_t element_bytes) {
  const std::size_t n = chunk.size() / element_bytes;
  if (planes_.size() < chunk.size()) planes_.resize(chunk.size());
  shuffle(chunk, element_bytes, planes_.data());

  require(deflateReset(&z_) == Z_OK && deflateParams(&z_, 1, Z_RLE) == Z_OK);
  // Each change of level may end a block, which costs a few bytes.
  const std::size_t room = deflateBound(&z_, chunk.size()) + 64 * element_bytes + 64;
  if (out_.size() < room) out_.resize(room);
  z_.next_out = reinterpret_cast<Bytef*>(out_.data());
  z_.avail_out = static_cast<uInt>(out_.size());
  int level = 1;
  for (std::size_t b = 0; b < element_bytes; ++b) {
    const auto plane = std::span(planes_).subspan(b * n, n);
    const int wanted = looks_like_noise(plane) ? 0 : 1;
    if (wanted != level) require(deflateParams(&z_, level = wanted, Z_RLE) == Z_OK);
    z_.next_in = reinterpret_cast<Bytef*>(plane.data());
    z_.avail_in = static_cast<uInt>(n);
    require(deflate(&z_, Z_NO_FLUSH) == Z_OK && z_.avail_in == 0);
  }
  require(deflate(&z_, Z_FINISH) == Z_STREAM_END);
  return std::span<const std::byte>(out_).first(z_.total_out);
}

}  // namespace spinet::logging
