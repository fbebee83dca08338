#include "log/h5.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "network/printable.hpp"
#include "network/suggest.hpp"

namespace spinet::h5 {

void Id::close() noexcept {
  // H5Idec_ref fits every kind of id; a file that is already gone makes it fail, which is of no interest
  // here.
  if (id_ >= 0 && H5Iis_valid(id_) > 0) H5Idec_ref(id_);
  id_ = -1;
}

void quiet() {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  H5PLset_loading_state(0);
}

hid_t check(hid_t result, const std::string& what) {
  if (result >= 0) return result;
  std::string reason;
  // The stack is walked from the innermost failure, which says most.
  H5Ewalk2(
      H5E_DEFAULT, H5E_WALK_UPWARD,
      [](unsigned n, const H5E_error2_t* e, void* out) -> herr_t {
        if (n == 0 && e->desc) *static_cast<std::string*>(out) = e->desc;
        return 0;
      },
      &reason);
  H5Eclear2(H5E_DEFAULT);
  throw Error(reason.empty() ? what : what + ": " + reason);
}

void check_number(hid_t type, const std::string& name) {
  const hid_t known[] = {H5T_IEEE_F64LE, H5T_IEEE_F32LE, H5T_STD_U64LE, H5T_STD_I64LE, H5T_STD_U32LE,
                         H5T_STD_I32LE,  H5T_STD_U16LE,  H5T_STD_I16LE, H5T_STD_U8LE,  H5T_STD_I8LE,
                         H5T_IEEE_F64BE, H5T_IEEE_F32BE, H5T_STD_U64BE, H5T_STD_I64BE, H5T_STD_U32BE,
                         H5T_STD_I32BE,  H5T_STD_U16BE,  H5T_STD_I16BE};
  for (const hid_t k : known)
    if (H5Tequal(type, k) > 0) return;
  throw Error(name + " is not of a plain number type");
}

namespace {

template <class Stored>
void check_whole(hid_t dataset, const std::string& name, long double low, long double high) {
  std::vector<Stored> values(shape_of(dataset)[0]);
  if (values.empty()) return;
  check(H5Dread(dataset, type_of<Stored>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()),
        "reading dataset " + name);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const long double x = values[i];
    if (x >= low && x <= high && x == std::floor(x)) continue;
    throw Error(fmt::format("entry {} of {} is {}; whole numbers from {:.0f} to {:.0f} are expected", i, name,
                            values[i], low, high));
  }
}

}  // namespace

void check_whole(hid_t dataset, const std::string& name, WholeType expected) {
  const auto [bytes, is_signed] = expected;
  const Id type(check(H5Dget_type(dataset), "dataset " + name));
  const int bits = static_cast<int>(8 * bytes) - (is_signed ? 1 : 0);
  const long double high = std::ldexp(1.0L, bits) - 1, low = is_signed ? -std::ldexp(1.0L, bits) : 0.0L;
  if (H5Tget_class(type) == H5T_FLOAT) return check_whole<double>(dataset, name, low, high);
  const bool stored_signed = H5Tget_sign(type) == H5T_SGN_2;
  if (stored_signed == is_signed ? H5Tget_size(type) <= bytes : !stored_signed && H5Tget_size(type) < bytes)
    return;  // every value fits
  if (stored_signed) check_whole<std::int64_t>(dataset, name, low, high);
  else check_whole<std::uint64_t>(dataset, name, low, high);
}

Id utf8() {
  Id t(check(H5Tcopy(H5T_C_S1), "a text type"));
  check(H5Tset_size(t, H5T_VARIABLE), "a text type");
  check(H5Tset_cset(t, H5T_CSET_UTF8), "a text type");
  return t;
}

Id utf8(std::size_t bytes) {
  Id t(check(H5Tcopy(H5T_C_S1), "a text type"));
  check(H5Tset_size(t, std::max<std::size_t>(bytes, 1)), "a text type");
  check(H5Tset_cset(t, H5T_CSET_UTF8), "a text type");
  check(H5Tset_strpad(t, H5T_STR_NULLPAD), "a text type");
  return t;
}

namespace {

Id scalar() { return Id(check(H5Screate(H5S_SCALAR), "a scalar")); }

/// Properties of a new dataset: no time stamps, so that equal runs give equal files.
Id creation() {
  Id p(check(H5Pcreate(H5P_DATASET_CREATE), "dataset properties"));
  check(H5Pset_obj_track_times(p, false), "dataset properties");
  return p;
}

}  // namespace

Id create_group(hid_t at, const std::string& name) {
  return Id(
      check(H5Gcreate2(at, name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), "creating group " + name));
}

bool exists(hid_t at, const std::string& path) {
  // H5Lexists wants every part but the last to exist, and would follow links in them.
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const auto part = path.substr(0, end);
    if (check(H5Lexists(at, part.c_str(), H5P_DEFAULT), "looking for " + part) == 0) return false;
    H5L_info_t link;
    check(H5Lget_info(at, part.c_str(), &link, H5P_DEFAULT), "looking for " + part);
    if (link.type != H5L_TYPE_HARD)
      throw Error(part + " is a link to elsewhere, and only what the file holds itself is read");
    if (end == std::string::npos) return true;
  }
}

namespace {

void require(hid_t at, const std::string& path, const char* kind) {
  if (!exists(at, path)) throw Error(std::string(kind) + " " + path + " is missing");
}

/// Throws unless reading and writing the dataset touches nothing but its file.
void require_own_data(hid_t dataset, const std::string& name) {
  const Id made(check(H5Dget_create_plist(dataset), "dataset " + name));
  const auto layout = H5Pget_layout(made);
  if (layout != H5D_COMPACT && layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED)
    throw Error("dataset " + name + " takes its data from other files (a virtual dataset), and is not read");
  if (check(H5Pget_external_count(made), "dataset " + name) != 0)
    throw Error("dataset " + name + " has its data in another file (external storage), and is not read");
  const int filters = static_cast<int>(check(H5Pget_nfilters(made), "dataset " + name));
  for (int i = 0; i < filters; ++i) {
    std::size_t none = 0;
    unsigned flags = 0;
    const auto filter =
        H5Pget_filter2(made, static_cast<unsigned>(i), &flags, &none, nullptr, 0, nullptr, nullptr);
    if (filter < 0 || filter >= H5Z_FILTER_RESERVED)
      throw Error("dataset " + name +
                  " needs a filter that is not part of HDF5, and such code is not loaded");
  }
}

}  // namespace

Id open_group(hid_t at, const std::string& name) {
  require(at, name, "group");
  return Id(check(H5Gopen2(at, name.c_str(), H5P_DEFAULT), "group " + name));
}
Id open_dataset(hid_t at, const std::string& name) {
  require(at, name, "dataset");
  Id dataset(check(H5Dopen2(at, name.c_str(), H5P_DEFAULT), "dataset " + name));
  require_own_data(dataset, name);
  return dataset;
}

bool has_attribute(hid_t at, const std::string& name) {
  return check(H5Aexists(at, name.c_str()), "looking for attribute " + name) > 0;
}

std::vector<std::string> names(hid_t group) {
  std::vector<std::string> found;
  hsize_t at = 0;
  check(H5Literate(
            group, H5_INDEX_NAME, H5_ITER_INC, &at,
            [](hid_t, const char* name, const H5L_info_t*, void* out) -> herr_t {
              static_cast<std::vector<std::string>*>(out)->emplace_back(name);
              return 0;
            },
            &found),
        "listing a group");
  for (const auto& name : found)
    if (printable_line(name) != name)
      throw Error("the name " + in_quotes(name) + " has control characters, or is not UTF-8");
  return found;
}

void write_attribute(hid_t at, const std::string& name, hid_t type, hid_t space, const void* value) {
  const Id a(check(H5Acreate2(at, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT),
                   "creating attribute " + name));
  check(H5Awrite(a, type, value), "writing attribute " + name);
}

void write_vlen_attribute(hid_t at, const std::string& name, const std::string& text) {
  const char* pointer = text.c_str();
  write_attribute(at, name, utf8(), scalar(), &pointer);
}

void write_text_attribute(hid_t at, const std::string& name, const std::string& text, std::size_t room) {
  auto padded = text;
  padded.resize(std::max(room, text.size()));
  const Id type = utf8(padded.size());
  if (has_attribute(at, name)) {
    const Id a(check(H5Aopen(at, name.c_str(), H5P_DEFAULT), "attribute " + name));
    if (H5Tequal(Id(H5Aget_type(a)), type) <= 0) throw Error("attribute " + name + " has another type");
    check(H5Awrite(a, type, padded.c_str()), "writing attribute " + name);
  } else {
    write_attribute(at, name, type, scalar(), padded.c_str());
  }
}

std::string read_text_attribute(hid_t at, const std::string& name) {
  const Id a(check(H5Aopen(at, name.c_str(), H5P_DEFAULT), "attribute " + name));
  const Id type(check(H5Aget_type(a), "attribute " + name));
  const Id space(check(H5Aget_space(a), "attribute " + name));
  if (H5Tget_class(type) != H5T_STRING || H5Sget_simple_extent_npoints(space) != 1)
    throw Error("attribute " + name + " is not one text");
  if (check(H5Tis_variable_str(type), "attribute " + name) > 0) {
    char* text = nullptr;
    check(H5Aread(a, type, &text), "reading attribute " + name);
    const std::string result = printable_line(text ? text : "");
    H5free_memory(text);
    return result;
  }
  const std::size_t bytes = H5Tget_size(type);
  if (bytes == 0 || bytes > (1u << 20)) throw Error("attribute " + name + " has a senseless length");
  std::string text(bytes, '\0');
  check(H5Aread(a, type, text.data()), "reading attribute " + name);
  return printable_line(std::string_view(text).substr(0, ::strnlen(text.data(), bytes)));
}

Id write_dataset(hid_t at, const std::string& name, hid_t type, std::span<const hsize_t> shape,
                 const void* data) {
  const Id space(check(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), "a shape"));
  Id d(check(H5Dcreate2(at, name.c_str(), type, space, H5P_DEFAULT, creation(), H5P_DEFAULT),
             "creating dataset " + name));
  if (H5Sget_simple_extent_npoints(space) > 0)
    check(H5Dwrite(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), "writing dataset " + name);
  return d;
}

void write_text(hid_t at, const std::string& name, const std::string& text) {
  const Id type = utf8(text.size());
  const Id d(check(H5Dcreate2(at, name.c_str(), type, scalar(), H5P_DEFAULT, creation(), H5P_DEFAULT),
                   "creating dataset " + name));
  check(H5Dwrite(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text.c_str()), "writing dataset " + name);
}

std::string read_text(hid_t at, const std::string& name) {
  const Id d = open_dataset(at, name);
  const Id type(check(H5Dget_type(d), "dataset " + name));
  const Id space(check(H5Dget_space(d), "dataset " + name));
  if (H5Tget_class(type) != H5T_STRING || check(H5Tis_variable_str(type), name) > 0 ||
      H5Sget_simple_extent_npoints(space) != 1)
    throw Error("dataset " + name + " is not one text of fixed length");
  check_size(d, name);
  std::string text(H5Tget_size(type), '\0');
  check(H5Dread(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text.data()), "reading dataset " + name);
  text.resize(::strnlen(text.data(), text.size()));
  return text;
}

void write_texts(hid_t at, const std::string& name, const std::vector<std::string>& texts) {
  std::size_t room = 1;
  for (const auto& t : texts) room = std::max(room, t.size());
  std::string all;
  for (const auto& t : texts) {
    all += t;
    all.append(room - t.size(), '\0');
  }
  const std::array<hsize_t, 1> shape{texts.size()};
  write_dataset(at, name, utf8(room), shape, all.data());
}

std::vector<std::string> read_texts(hid_t at, const std::string& name) {
  const Id d = open_dataset(at, name);
  const Id type(check(H5Dget_type(d), "dataset " + name));
  const auto shape = shape_of(d);
  if (H5Tget_class(type) != H5T_STRING || check(H5Tis_variable_str(type), name) > 0 || shape.size() != 1)
    throw Error("dataset " + name + " is not a list of texts of fixed length");
  check_size(d, name);
  const std::size_t room = H5Tget_size(type);
  std::string all(room * shape[0], '\0');
  std::vector<std::string> texts;
  if (all.empty()) return texts;
  check(H5Dread(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, all.data()), "reading dataset " + name);
  for (std::size_t i = 0; i < all.size(); i += room)
    texts.emplace_back(all.data() + i, ::strnlen(all.data() + i, room));
  return texts;
}

Id create_growing(hid_t at, const std::string& name, hid_t type, const std::vector<hsize_t>& row,
                  const Chunks& chunks) {
  std::vector<hsize_t> shape{0}, most{H5S_UNLIMITED};
  shape.insert(shape.end(), row.begin(), row.end());
  most.insert(most.end(), row.begin(), row.end());
  const Id space(
      check(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), most.data()), "a shape"));
  const Id properties = creation();
  check(H5Pset_chunk(properties, static_cast<int>(chunks.shape.size()), chunks.shape.data()),
        "chunks of " + name);
  if (chunks.compressed) {
    check(H5Pset_shuffle(properties), "shuffling " + name);
    check(H5Pset_deflate(properties, 1), "compressing " + name);
  }
  const Id access(check(H5Pcreate(H5P_DATASET_ACCESS), "dataset access"));
  check(H5Pset_chunk_cache(access, 0, 0, 1.0), "dataset access");
  return Id(check(H5Dcreate2(at, name.c_str(), type, space, H5P_DEFAULT, properties, access),
                  "creating dataset " + name));
}

void append_rows(hid_t dataset, std::uint64_t rows, std::uint64_t count, hid_t type, const void* data) {
  auto shape = shape_of(dataset);
  shape[0] = rows + count;
  check(H5Dset_extent(dataset, shape.data()), "growing a dataset");
  const Id file(check(H5Dget_space(dataset), "a dataset's shape"));
  std::vector<hsize_t> start(shape.size(), 0), block = shape;
  start[0] = rows;
  block[0] = count;
  check(H5Sselect_hyperslab(file, H5S_SELECT_SET, start.data(), nullptr, block.data(), nullptr),
        "selecting rows");
  const Id memory(check(H5Screate_simple(static_cast<int>(block.size()), block.data(), nullptr), "a shape"));
  check(H5Dwrite(dataset, type, memory, file, H5P_DEFAULT, data), "writing rows");
}

void write_chunk(hid_t dataset, std::span<const hsize_t> at, std::span<const std::byte> stored) {
  check(H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, at.data(), stored.size(), stored.data()), "writing a chunk");
}

void set_rows(hid_t dataset, std::uint64_t rows) {
  auto shape = shape_of(dataset);
  shape[0] = rows;
  check(H5Dset_extent(dataset, shape.data()), "resizing a dataset");
}

std::vector<hsize_t> shape_of(hid_t dataset) {
  const Id space(check(H5Dget_space(dataset), "a dataset's shape"));
  const int rank = static_cast<int>(check(H5Sget_simple_extent_ndims(space), "a dataset's shape"));
  std::vector<hsize_t> shape(static_cast<std::size_t>(rank));
  if (rank > 0) check(H5Sget_simple_extent_dims(space, shape.data(), nullptr), "a dataset's shape");
  return shape;
}

void check_size(hid_t dataset, const std::string& name) {
  const Id type(check(H5Dget_type(dataset), "dataset " + name));
  const long double element = static_cast<long double>(H5Tget_size(type));
  long double bytes = element;
  for (const auto n : shape_of(dataset)) bytes *= static_cast<long double>(n);
  // Deflate cannot shrink by more than 1032; 1 MiB lets small and never-written datasets through.
  const auto stored = static_cast<long double>(H5Dget_storage_size(dataset));
  if (bytes > (1u << 20) && bytes > stored * 1100)
    throw Error("dataset " + name + " claims more data than the file holds");
}

}  // namespace spinet::h5
