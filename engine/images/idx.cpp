// IDX, the format of MNIST: two zero bytes, the type, the number of dimensions, each as a big-endian word.
#include <fmt/format.h>

#include "images/parts.hpp"

namespace spinet::images {

Array read_idx(const std::filesystem::path& file, Wanted wanted) {
  Source source(file);
  std::uint8_t head[4];
  source.read(std::as_writable_bytes(std::span(head)), "first four bytes");
  if (head[0] || head[1])
    fail(file, fmt::format("is no IDX file: it begins with {:02x} {:02x} {:02x} {:02x}, not with 00 00 08",
                           head[0], head[1], head[2], head[3]));
  if (head[2] != 8)
    fail(file,
         fmt::format("has numbers of IDX type {:#04x}; those of unsigned bytes (0x08) are read", head[2]));
  const unsigned least = wanted == Wanted::pixels ? 2 : 1, most = wanted == Wanted::pixels ? 4 : 1;
  if (head[3] < least || head[3] > most)
    fail(file, wanted == Wanted::pixels
                   ? fmt::format("has {} dimensions; images have 2 to 4: number, rows, columns", head[3])
                   : fmt::format("has {} dimensions; labels have one{}", head[3],
                                 head[3] == 3 ? ": these are images" : ""));
  Array a;
  for (unsigned d = 0; d < head[3]; ++d) {
    std::uint8_t word[4];
    source.read(std::as_writable_bytes(std::span(word)), "dimensions");
    a.shape.push_back(std::uint64_t{word[0]} << 24 | std::uint64_t{word[1]} << 16 |
                      std::uint64_t{word[2]} << 8 | word[3]);
  }
  const auto what = fmt::format("{} {}", text_of(a.shape), wanted == Wanted::pixels ? "pixels" : "labels");
  a.bytes = source.rest<std::uint8_t>(product(file, a.shape), what);
  if (wanted == Wanted::labels) {
    a.whole.assign(a.bytes.begin(), a.bytes.end());
    a.bytes.clear();
  }
  return a;
}

}  // namespace spinet::images
