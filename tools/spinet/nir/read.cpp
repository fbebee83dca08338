#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>

#include "log/open_log.hpp"
#include "network/printable.hpp"
#include "network/suggest.hpp"
#include "nir/graph.hpp"
#include "nir/types.hpp"

namespace spinet::nir {

std::string text_of(const Shape& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

std::uint64_t count_of(const Shape& shape) {
  std::uint64_t n = 1;
  for (const auto s : shape) {
    if (s != 0 && n > (std::uint64_t{1} << 32) / s)
      throw Fault(fmt::format("the shape {} has too many elements", text_of(shape)));
    n *= s;
  }
  return n;
}

namespace {

constexpr int most_levels = 16;  ///< of graphs within graphs
constexpr std::size_t most_nodes = 100'000;
constexpr std::size_t most_rank = 8;

std::string line_of(const std::string& text, const std::string& what) {
  if (printable_line(text) != text)
    throw Fault(
        fmt::format("{}: the text {} has control characters, or is not UTF-8", what, in_quotes(text)));
  return text;
}

/// All texts of a dataset, of fixed or variable length.
std::vector<std::string> texts_of(hid_t dataset, hid_t type, std::uint64_t count, const std::string& what) {
  std::vector<std::string> all;
  if (count == 0) return all;
  if (h5::check(H5Tis_variable_str(type), what) > 0) {
    const h5::Id space(h5::check(H5Dget_space(dataset), what));
    std::vector<char*> pointers(count, nullptr);
    h5::check(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, pointers.data()), "reading " + what);
    for (const char* p : pointers) all.emplace_back(p ? p : "");
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, pointers.data());
  } else {
    const std::size_t room = H5Tget_size(type);
    if (room == 0 || room > 1u << 20) throw Fault(what + " is a text of a senseless length");
    std::string buffer(room * count, '\0');
    h5::check(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer.data()), "reading " + what);
    for (std::uint64_t i = 0; i < count; ++i)
      all.emplace_back(buffer.data() + i * room, ::strnlen(buffer.data() + i * room, room));
  }
  for (auto& text : all) text = line_of(text, what);
  return all;
}

struct Opened {
  h5::Id dataset, type;
  bool nothing = false;  ///< has no elements by its kind, as h5py.Empty
  Shape shape;
};

Opened open_value(hid_t at, const std::string& name, const std::string& what) {
  H5O_info_t info;
  if (h5::exists(at, name) && H5Oget_info_by_name(at, name.c_str(), &info, H5P_DEFAULT) >= 0 &&
      info.type != H5O_TYPE_DATASET)
    throw Fault(what + " is a group; a dataset is expected");
  Opened o;
  o.dataset = h5::open_dataset(at, name);
  o.type = h5::Id(h5::check(H5Dget_type(o.dataset), what));
  const h5::Id space(h5::check(H5Dget_space(o.dataset), what));
  o.nothing = H5Sget_simple_extent_type(space) == H5S_NULL;
  if (o.nothing) return o;
  for (const auto n : h5::shape_of(o.dataset)) o.shape.push_back(n);
  if (o.shape.size() > most_rank) throw Fault(fmt::format("{} has {} dimensions", what, o.shape.size()));
  h5::check_size(o.dataset, what);
  return o;
}

Value read_value(hid_t at, const std::string& name, const std::string& what) {
  const Opened o = open_value(at, name, what);
  Value v;
  if (o.nothing) {
    if (H5Tget_class(o.type) != H5T_STRING) h5::check_number(o.type, what), v.stored = stored_as(o.type);
    return v;
  }
  v.shape = o.shape;
  if (H5Tget_class(o.type) == H5T_STRING) {
    if (!v.shape.empty()) throw Fault(what + " is a list of texts; numbers or one text are expected");
    v.kind = Value::Kind::text;
    v.text = texts_of(o.dataset, o.type, 1, what)[0];
    return v;
  }
  h5::check_number(o.type, what);
  v.kind = Value::Kind::numbers;
  v.stored = stored_as(o.type);
  v.numbers.resize(count_of(v.shape));
  if (!v.numbers.empty())
    h5::check(H5Dread(o.dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, v.numbers.data()),
              "reading " + what);
  const bool is_whole = v.stored != Number::f64 && v.stored != Number::f32;
  for (const double x : v.numbers)
    if (!(x - x == 0)) throw Fault(fmt::format("{} has the value {}, which is no number", what, x));
    else if (is_whole && (x > 0x1p53 || x < -0x1p53))
      throw Fault(fmt::format("{} has the value {:g}", what, x));
  return v;
}

std::string read_text(hid_t at, const std::string& name, const std::string& what) {
  Value v = read_value(at, name, what);
  if (v.kind != Value::Kind::text) throw Fault(what + " is not a text");
  return v.text;
}

bool is_group(hid_t at, const std::string& name) {
  H5O_info_t info;
  return h5::exists(at, name) && H5Oget_info_by_name(at, name.c_str(), &info, H5P_DEFAULT) >= 0 &&
         info.type == H5O_TYPE_GROUP;
}

class Reader {
 public:
  GraphNode node(hid_t at, std::string name, const std::string& path, int level) {
    const std::string what = path.empty() ? "the graph" : "node " + in_quotes(path);
    if (level > most_levels) throw Fault(what + " lies more than 16 graphs deep");
    if (++nodes_ > most_nodes) throw Fault("there are more than 100,000 nodes");
    GraphNode n;
    n.name = std::move(name);
    if (!h5::exists(at, "type")) throw Fault(what + " has no 'type'");
    n.type = read_text(at, "type", "'type' of " + what);
    for (const auto& child : h5::names(at)) {
      if (child == "type" || (n.is_graph() && (child == "nodes" || child == "edges"))) continue;
      if (child == "metadata") {
        n.has_metadata = true;
        metadata(n, at, "metadata", "", what);
      } else {
        n.fields[child] = read_value(at, child, in_quotes(child) + " of " + what);
      }
    }
    if (n.is_graph()) parts(n, at, path, level, what);
    return n;
  }

 private:
  void parts(GraphNode& n, hid_t at, const std::string& path, int level, const std::string& what) {
    for (const char* part : {"nodes", "edges"})
      if (!h5::exists(at, part)) throw Fault(fmt::format("{} has no '{}'", what, part));
    if (!is_group(at, "nodes")) throw Fault("'nodes' of " + what + " is no group");
    const h5::Id group = h5::open_group(at, "nodes");
    for (const auto& name : h5::names(group)) {
      const auto inner = path.empty() ? name : path + "." + name;
      if (!is_group(group, name)) throw Fault("node " + in_quotes(inner) + " is no group");
      n.nodes.push_back(node(h5::open_group(group, name), name, inner, level + 1));
    }
    edges(n, at, what);
  }
  static void edges(GraphNode& n, hid_t at, const std::string& what) {
    const std::string name = "'edges' of " + what;
    const Opened o = open_value(at, "edges", name);
    if (o.nothing || count_of(o.shape) == 0) return;
    if (H5Tget_class(o.type) != H5T_STRING || o.shape.size() != 2 || o.shape[1] != 2)
      throw Fault(name + " is not a list of pairs of names");
    const auto texts = texts_of(o.dataset, o.type, count_of(o.shape), name);
    for (std::size_t i = 0; i < texts.size(); i += 2) n.edges.emplace_back(texts[i], texts[i + 1]);
  }
  void metadata(GraphNode& n, hid_t at, const std::string& name, const std::string& path,
                const std::string& what) {
    if (!is_group(at, name)) {
      n.metadata[path] = read_value(at, name, "metadata " + in_quotes(path) + " of " + what);
      return;
    }
    const h5::Id group = h5::open_group(at, name);
    if (path.size() > 1000 || ++nodes_ > most_nodes) throw Fault("the metadata of " + what + " do not end");
    for (const auto& child : h5::names(group))
      metadata(n, group, child, path.empty() ? child : path + "/" + child, what);
  }

  std::size_t nodes_ = 0;
};

}  // namespace

GraphFile read_graph(hid_t at) {
  if (!h5::exists(at, "node") || !is_group(at, "node"))
    throw Fault("has no group /node: it is not a NIR graph");
  GraphFile f;
  if (h5::exists(at, "version")) f.version = read_text(at, "version", "'version'");
  f.graph = Reader().node(h5::open_group(at, "node"), "", "", 0);
  if (!f.graph.is_graph())
    throw Fault(fmt::format("/node is a {}; a NIRGraph is expected", in_quotes(f.graph.type)));
  for (const auto& [name, value] : f.graph.fields)
    throw Fault(fmt::format("the graph has {}, which has no meaning here", in_quotes(name)));
  return f;
}

GraphFile read_graph(const std::filesystem::path& file) {
  return logging::readable(file, [&] {
    const auto open = logging::open_whole(file);
    try {
      return read_graph(open->file);
    } catch (const Fault& e) {
      throw LogError(file, e.what());
    }
  });
}

}  // namespace spinet::nir
