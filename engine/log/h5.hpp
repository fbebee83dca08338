// A checked wrapper over the part of the HDF5 1.10 C API that logs need: ids that close themselves, and
// failures as exceptions that carry HDF5's own message.  Nothing here knows what a log looks like. A file may
// come from anybody.  HDF5 can be told by a file to read and write other files (external storage, virtual
// datasets, soft and external links) and to load code (filters); here that is refused before HDF5 acts on it.
#pragma once
#include <hdf5.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace spinet::h5 {

/// What was attempted, and HDF5's reason.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Owns any HDF5 id by reference count.
class Id {
 public:
  Id() = default;
  explicit Id(hid_t id) : id_(id) {}
  Id(Id&& o) noexcept : id_(std::exchange(o.id_, -1)) {}
  Id& operator=(Id&& o) noexcept {
    std::swap(id_, o.id_);
    return *this;
  }
  ~Id() { close(); }
  void close() noexcept;
  hid_t release() { return std::exchange(id_, -1); }
  operator hid_t() const { return id_; }

 private:
  hid_t id_ = -1;
};

/// Before anything else: HDF5 does not print its error stack (errors are thrown instead) and loads no
/// plugins, whatever HDF5_PLUGIN_PATH says.  Idempotent.
void quiet();
/// Throws Error("`what`: HDF5's innermost reason") if `result` is negative; else returns it.
hid_t check(hid_t result, const std::string& what);

template <class T>
hid_t type_of();
template <>
inline hid_t type_of<double>() {
  return H5T_NATIVE_DOUBLE;
}
template <>
inline hid_t type_of<float>() {
  return H5T_NATIVE_FLOAT;
}
template <>
inline hid_t type_of<std::uint64_t>() {
  return H5T_NATIVE_UINT64;
}
template <>
inline hid_t type_of<std::int64_t>() {
  return H5T_NATIVE_INT64;
}
template <>
inline hid_t type_of<std::uint32_t>() {
  return H5T_NATIVE_UINT32;
}
template <>
inline hid_t type_of<std::int32_t>() {
  return H5T_NATIVE_INT32;
}
template <>
inline hid_t type_of<std::uint8_t>() {
  return H5T_NATIVE_UINT8;
}

/// Throws unless `type`, as found in a file, is one of the standard integers or IEEE numbers: HDF5 1.10's
/// conversions of types whose bit fields are damaged write outside their buffers.
void check_number(hid_t type, const std::string& name);

/// Variable-length UTF-8 string, the type of SONATA's text attributes.
Id utf8();
/// UTF-8 string of `bytes` bytes, padded with zeros.
Id utf8(std::size_t bytes);

Id create_group(hid_t at, const std::string& name);
/// Opening throws where a part of the path is a link to elsewhere instead of the thing itself.
Id open_group(hid_t at, const std::string& name);
/// Throws also for data that the file does not hold itself (external storage, virtual datasets), and for
/// filters that are none of HDF5's own.
Id open_dataset(hid_t at, const std::string& name);
bool exists(hid_t at, const std::string& path);  ///< every part of the path; throws as opening does
bool has_attribute(hid_t at, const std::string& name);
std::vector<std::string> names(hid_t group);  ///< children, by name; throws for names that are not printable

std::vector<hsize_t> shape_of(hid_t dataset);

// --- attributes ---
void write_attribute(hid_t at, const std::string& name, hid_t type, hid_t space, const void* value);
template <class T>
void write_attribute(hid_t at, const std::string& name, T value) {
  const Id space(check(H5Screate(H5S_SCALAR), "a scalar"));
  write_attribute(at, name, type_of<T>(), space, &value);
}
/// Scalar text of fixed length, UTF-8, padded with zeros to at least `room` bytes; replaces one of the same
/// room.
void write_text_attribute(hid_t at, const std::string& name, const std::string& text, std::size_t room = 1);
/// Scalar, variable-length UTF-8, where SONATA asks for it.  Elsewhere text has a fixed length, since
/// HDF5 1.10 reads past its buffers when the heap that holds variable-length text is damaged.
void write_vlen_attribute(hid_t at, const std::string& name, const std::string& text);
/// Replaces the value of an existing attribute of the same type.
template <class T>
void replace_attribute(hid_t at, const std::string& name, T value) {
  const Id a(check(H5Aopen(at, name.c_str(), H5P_DEFAULT), "attribute " + name));
  const Id type(check(H5Aget_type(a), "attribute " + name));
  const Id space(check(H5Aget_space(a), "attribute " + name));
  if (H5Tequal(type, type_of<T>()) <= 0 || H5Sget_simple_extent_npoints(space) != 1)
    throw Error("attribute " + name + " has another type");
  check(H5Awrite(a, type, &value), "writing attribute " + name);
}
/// Replaces all values of an existing dataset of the same type and size.
template <class T>
void replace_values(hid_t dataset, const std::string& name, std::span<const T> values) {
  const Id type(check(H5Dget_type(dataset), "dataset " + name));
  if (H5Tequal(type, type_of<T>()) <= 0 || shape_of(dataset) != std::vector<hsize_t>{values.size()})
    throw Error("dataset " + name + " has another type or size");
  check(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), "writing dataset " + name);
}
/// Reads a scalar number; throws if it is missing, not a number or not a scalar.
template <class T>
T read_attribute(hid_t at, const std::string& name) {
  const Id a(check(H5Aopen(at, name.c_str(), H5P_DEFAULT), "attribute " + name));
  const Id space(check(H5Aget_space(a), "attribute " + name));
  check_number(Id(check(H5Aget_type(a), "attribute " + name)), "attribute " + name);
  if (H5Sget_simple_extent_npoints(space) != 1) throw Error("attribute " + name + " is not one number");
  T value{};
  check(H5Aread(a, type_of<T>(), &value), "reading attribute " + name);
  return value;
}
/// Reads scalar text, of fixed or variable length, as one line without control characters.
std::string read_text_attribute(hid_t at, const std::string& name);

// --- datasets ---
/// One-dimensional or two-dimensional, fixed size, written at once.
Id write_dataset(hid_t at, const std::string& name, hid_t type, std::span<const hsize_t> shape,
                 const void* data);
template <class T>
Id write_dataset(hid_t at, const std::string& name, std::span<const T> values) {
  const std::array<hsize_t, 1> shape{values.size()};
  return write_dataset(at, name, type_of<T>(), shape, values.data());
}
/// One text of any length: scalar, fixed length, UTF-8.
void write_text(hid_t at, const std::string& name, const std::string& text);
std::string read_text(hid_t at, const std::string& name);
/// Texts: one-dimensional, fixed length (that of the longest), UTF-8, padded with zeros.
void write_texts(hid_t at, const std::string& name, const std::vector<std::string>& texts);
std::vector<std::string> read_texts(hid_t at, const std::string& name);

/// How a growing dataset is stored.
struct Chunks {
  std::vector<hsize_t> shape;  ///< of one chunk
  bool compressed = true;      ///< with the filters shuffle and deflate
};
/// Starts with no rows; `row` is the shape of one row (empty: a number).  Chunks are not cached: a write of
/// whole chunks goes straight to the file, once.
Id create_growing(hid_t at, const std::string& name, hid_t type, const std::vector<hsize_t>& row,
                  const Chunks& chunks);
/// Appends `count` rows after the first `rows`.
void append_rows(hid_t dataset, std::uint64_t rows, std::uint64_t count, hid_t type, const void* data);
/// Writes one whole chunk as it is in the file, after the dataset's filters; `at` is its first element's
/// position.
void write_chunk(hid_t dataset, std::span<const hsize_t> at, std::span<const std::byte> stored);
/// Makes a growing dataset longer or cuts it to its first `rows` rows.
void set_rows(hid_t dataset, std::uint64_t rows);

/// Throws unless reading the whole dataset is believable: the file holds as many bytes as its shape, type and
/// compression can account for.  Call before allocating for a file that may be damaged.
void check_size(hid_t dataset, const std::string& name);
/// Throws unless every value of a dataset of numbers is a whole number of the type that is described: HDF5
/// itself makes 0 of -1 and 1 of 1.7.
struct WholeType {
  std::size_t bytes;
  bool is_signed;
  template <class T>
  static constexpr WholeType of() {
    return {sizeof(T), std::is_signed_v<T>};
  }
};
void check_whole(hid_t dataset, const std::string& name, WholeType type);
/// Throws unless a dataset is of plain numbers and reading it is believable.
inline void check_stored(hid_t dataset, const std::string& name) {
  check_number(Id(check(H5Dget_type(dataset), "dataset " + name)), "dataset " + name);
  check_size(dataset, name);
}
/// Are its numbers stored as T, in whatever order of bytes?
template <class T>
bool holds(hid_t dataset) {
  const Id type(check(H5Dget_type(dataset), "a dataset's type"));
  return H5Tget_class(type) == H5Tget_class(type_of<T>()) && H5Tget_size(type) == sizeof(T) &&
         (H5Tget_class(type) == H5T_FLOAT || H5Tget_sign(type) == H5Tget_sign(type_of<T>()));
}
/// All of a dataset of any shape that was checked so, the last index changing first; `values` has its size.
template <class T>
void read_values(hid_t dataset, const std::string& name, std::span<T> values) {
  std::uint64_t count = 1;
  for (const auto n : shape_of(dataset)) count *= n;
  if (count != values.size()) throw Error("dataset " + name + " has another size");
  check(H5Dread(dataset, type_of<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()),
        "reading dataset " + name);
}
/// All of a one-dimensional dataset, converted to T; integers only from numbers that are ones.
template <class T>
std::vector<T> read_all(hid_t at, const std::string& name) {
  const Id d = open_dataset(at, name);
  const auto shape = shape_of(d);
  if (shape.size() != 1) throw Error("dataset " + name + " is not one-dimensional");
  check_number(Id(check(H5Dget_type(d), "dataset " + name)), "dataset " + name);
  check_size(d, name);
  if constexpr (std::is_integral_v<T>) check_whole(d, name, WholeType::of<T>());
  std::vector<T> values(shape[0]);
  if (!values.empty())
    check(H5Dread(d, type_of<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), "reading dataset " + name);
  return values;
}

}  // namespace spinet::h5
