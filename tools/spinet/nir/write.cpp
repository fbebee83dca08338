#include <array>

#include "nir/graph.hpp"
#include "nir/types.hpp"

namespace spinet::nir {

hid_t file_type(Number n) {
  switch (n) {
    case Number::f64:
      return H5T_IEEE_F64LE;
    case Number::f32:
      return H5T_IEEE_F32LE;
    case Number::i64:
      return H5T_STD_I64LE;
    case Number::i32:
      return H5T_STD_I32LE;
    case Number::i16:
      return H5T_STD_I16LE;
    case Number::i8:
      return H5T_STD_I8LE;
    case Number::u64:
      return H5T_STD_U64LE;
    case Number::u32:
      return H5T_STD_U32LE;
    case Number::u16:
      return H5T_STD_U16LE;
    case Number::u8:
      return H5T_STD_U8LE;
  }
  return H5T_IEEE_F64LE;
}

Number stored_as(hid_t type) {
  const std::size_t bytes = H5Tget_size(type);
  if (H5Tget_class(type) == H5T_FLOAT) return bytes == 4 ? Number::f32 : Number::f64;
  const bool is_signed = H5Tget_sign(type) == H5T_SGN_2;
  switch (bytes) {
    case 1:
      return is_signed ? Number::i8 : Number::u8;
    case 2:
      return is_signed ? Number::i16 : Number::u16;
    case 4:
      return is_signed ? Number::i32 : Number::u32;
    default:
      return is_signed ? Number::i64 : Number::u64;
  }
}

namespace {

/// Without time stamps, so that equal graphs give equal files.
h5::Id create(hid_t at, const std::string& name, hid_t type, const h5::Id& space) {
  const h5::Id made(h5::check(H5Pcreate(H5P_DATASET_CREATE), "dataset properties"));
  h5::check(H5Pset_obj_track_times(made, false), "dataset properties");
  return h5::Id(h5::check(H5Dcreate2(at, name.c_str(), type, space, H5P_DEFAULT, made, H5P_DEFAULT),
                          "creating dataset " + name));
}

h5::Id space_of(const Shape& shape) {
  if (shape.empty()) return h5::Id(h5::check(H5Screate(H5S_SCALAR), "a scalar"));
  const std::vector<hsize_t> dims(shape.begin(), shape.end());
  return h5::Id(h5::check(H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr), "a shape"));
}

void write_texts(hid_t at, const std::string& name, const Shape& shape,
                 const std::vector<const char*>& texts) {
  const h5::Id type = h5::utf8();
  const h5::Id d = create(at, name, type, space_of(shape));
  if (!texts.empty())
    h5::check(H5Dwrite(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts.data()), "writing dataset " + name);
}

void write_value(hid_t at, const std::string& name, const Value& v) {
  if (v.kind == Value::Kind::text) return write_texts(at, name, {}, {v.text.c_str()});
  const h5::Id space =
      v.kind == Value::Kind::nothing ? h5::Id(h5::check(H5Screate(H5S_NULL), "no space")) : space_of(v.shape);
  const h5::Id d = create(at, name, file_type(v.stored), space);
  if (!v.numbers.empty())
    h5::check(H5Dwrite(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, v.numbers.data()),
              "writing dataset " + name);
}

void write_metadata(hid_t at, const GraphNode& n) {
  const h5::Id group = h5::create_group(at, "metadata");
  for (const auto& [path, value] : n.metadata) {
    hid_t here = group;
    std::vector<h5::Id> opened;
    std::size_t from = 0;
    for (std::size_t slash; (slash = path.find('/', from)) != std::string::npos; from = slash + 1) {
      const auto part = path.substr(from, slash - from);
      opened.push_back(h5::exists(here, part) ? h5::open_group(here, part) : h5::create_group(here, part));
      here = opened.back();
    }
    write_value(here, path.substr(from), value);
  }
}

void write_node(hid_t at, const GraphNode& n) {
  write_texts(at, "type", {}, {n.type.c_str()});
  for (const auto& [name, value] : n.fields) write_value(at, name, value);
  if (n.has_metadata) write_metadata(at, n);
  if (!n.is_graph()) return;
  const h5::Id group = h5::create_group(at, "nodes");
  for (const auto& child : n.nodes) write_node(h5::create_group(group, child.name), child);
  std::vector<const char*> names;
  for (const auto& [from, to] : n.edges) names.insert(names.end(), {from.c_str(), to.c_str()});
  write_texts(at, "edges", {n.edges.size(), 2}, names);
}

}  // namespace

void write_graph(hid_t at, const GraphFile& f) {
  if (!f.version.empty()) write_texts(at, "version", {}, {f.version.c_str()});
  write_node(h5::create_group(at, "node"), f.graph);
}

}  // namespace spinet::nir
