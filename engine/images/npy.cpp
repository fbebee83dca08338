// NPY, numpy's format of one array: magic, version, a Python dictionary as text, the numbers.
#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <cstring>
#include <string_view>

#include "images/parts.hpp"
#include "network/printable.hpp"

namespace spinet::images {
namespace {

static_assert(std::endian::native == std::endian::little, "arrays are read as they lie in the file");

/// What the header says.
struct NpyHead {
  std::string type;  ///< "<f4"
  bool columns_first = false;
  std::vector<std::uint64_t> shape;
};

/// What follows 'key': in the dictionary; numpy writes it with these spaces and quotes.
std::string_view npy_value(const std::filesystem::path& file, std::string_view dictionary,
                           std::string_view key) {
  const auto at = dictionary.find(fmt::format("'{}':", key));
  if (at == std::string_view::npos) fail(file, fmt::format("is no NPY file: its header has no '{}'", key));
  auto value = dictionary.substr(at + key.size() + 3);
  while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  return value;
}

NpyHead npy_head(const std::filesystem::path& file, std::string_view dictionary) {
  NpyHead head;
  auto type = npy_value(file, dictionary, "descr");
  const auto end = type.find('\'', 1);
  if (type.empty() || type.front() != '\'' || end == std::string_view::npos)
    fail(file, "has structures, not numbers, as elements");
  head.type = type.substr(1, end - 1);
  head.columns_first = npy_value(file, dictionary, "fortran_order").starts_with("True");
  auto shape = npy_value(file, dictionary, "shape");
  const auto close = shape.find(')');
  if (shape.empty() || shape.front() != '(' || close == std::string_view::npos)
    fail(file, "is no NPY file: its header has no shape");
  shape = shape.substr(1, close - 1);
  while (!shape.empty()) {
    std::uint64_t n = 0;
    const auto [rest, error] = std::from_chars(shape.data(), shape.data() + shape.size(), n);
    if (error == std::errc::result_out_of_range)
      fail(file, fmt::format("announces {} numbers in a dimension, more than any file holds",
                             printable_line(shape.substr(0, static_cast<std::size_t>(rest - shape.data())))));
    if (error != std::errc()) fail(file, "has a shape that is not made of whole numbers from 0 up");
    head.shape.push_back(n);
    shape.remove_prefix(static_cast<std::size_t>(rest - shape.data()));
    while (!shape.empty() && (shape.front() == ',' || shape.front() == ' ')) shape.remove_prefix(1);
  }
  return head;
}

std::string npy_dictionary(Source& source) {
  std::uint8_t begin[8];
  source.read(std::as_writable_bytes(std::span(begin)), "header");
  if (std::memcmp(begin, "\x93NUMPY", 6) != 0) fail(source.file(), "is no NPY file");
  std::uint8_t size[4] = {};
  const std::size_t bytes = begin[6] == 1 ? 2 : 4;
  if (begin[6] < 1 || begin[6] > 3)
    fail(source.file(), fmt::format("is of NPY version {}; 1 to 3 are read", begin[6]));
  source.read(std::as_writable_bytes(std::span(size, bytes)), "header");
  const std::uint32_t length = size[0] | size[1] << 8 | size[2] << 16 | std::uint32_t{size[3]} << 24;
  if (length > (1u << 16)) fail(source.file(), "is no NPY file: its header is too long");
  std::string dictionary(length, '\0');
  source.read(std::as_writable_bytes(std::span(dictionary)), "header");
  return dictionary;
}

/// Numbers of the type T in the file as To.
template <class T, class To>
std::vector<To> npy_numbers(Source& source, std::uint64_t count, const std::string& what) {
  const auto all = source.rest<T>(count, what);
  std::vector<To> converted(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) converted[i] = static_cast<To>(all[i]);
  return converted;
}

void npy_pixels(Source& source, const NpyHead& head, std::uint64_t count, Array& a) {
  const auto what = fmt::format("{} pixels", text_of(head.shape));
  if (head.type == "|u1") a.bytes = source.rest<std::uint8_t>(count, what);
  else if (head.type == "<f4") a.numbers = source.rest<float>(count, what);
  else if (head.type == "<f8")
    a.numbers = as_floats(source.file(), head.shape, source.rest<double>(count, what));
  else
    fail(source.file(), fmt::format("has numbers of type '{}'; images are uint8 ('|u1', 0 to 255), float32 "
                                    "('<f4') or float64 ('<f8')",
                                    printable_line(head.type)));
}

void npy_labels(Source& source, const NpyHead& head, std::uint64_t count, Array& a) {
  const auto what = fmt::format("{} labels", text_of(head.shape));
  const auto read = [&]<class T>(T) { a.whole = npy_numbers<T, std::int64_t>(source, count, what); };
  if (head.type == "|u1") read(std::uint8_t{});
  else if (head.type == "|i1") read(std::int8_t{});
  else if (head.type == "<u2") read(std::uint16_t{});
  else if (head.type == "<i2") read(std::int16_t{});
  else if (head.type == "<u4") read(std::uint32_t{});
  else if (head.type == "<i4") read(std::int32_t{});
  else if (head.type == "<i8" || head.type == "<u8")
    read(std::int64_t{});  // what is too large becomes negative
  else
    fail(source.file(), fmt::format("has labels of type '{}'; they are whole numbers, little-endian",
                                    printable_line(head.type)));
}

}  // namespace

Array read_npy(const std::filesystem::path& file, Wanted wanted) {
  Source source(file);
  const auto head = npy_head(file, npy_dictionary(source));
  if (head.columns_first && head.shape.size() > 1)
    fail(file, "is in Fortran order; numpy.ascontiguousarray gives the order that is read");
  if (head.shape.empty()) fail(file, "is one number and no array of them: its shape is ()");
  Array a;
  a.shape = head.shape;
  const auto count = product(file, a.shape);
  if (wanted == Wanted::pixels) npy_pixels(source, head, count, a);
  else npy_labels(source, head, count, a);
  return a;
}

}  // namespace spinet::images
