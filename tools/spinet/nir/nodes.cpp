#include "nir/nodes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "network/suggest.hpp"

namespace spinet::nir {
namespace {

constexpr FieldOf shape_fields[] = {{"shape", Takes::shape}};
constexpr FieldOf linear_fields[] = {{"weight", Takes::weight}};
constexpr FieldOf affine_fields[] = {{"weight", Takes::weight}, {"bias", Takes::bias}};
constexpr FieldOf scale_fields[] = {{"scale", Takes::element}};
constexpr FieldOf delay_fields[] = {{"delay", Takes::element}};
constexpr FieldOf threshold_fields[] = {{"threshold", Takes::element}};
constexpr FieldOf conv_fields[] = {
    {"weight", Takes::weight},           {"bias", Takes::bias},      {"stride", Takes::whole},
    {"padding", Takes::padding},         {"dilation", Takes::whole}, {"groups", Takes::whole},
    {"input_shape", Takes::shape, false}};
constexpr FieldOf pool_fields[] = {
    {"kernel_size", Takes::whole}, {"stride", Takes::whole}, {"padding", Takes::whole}};
constexpr FieldOf flatten_fields[] = {
    {"start_dim", Takes::whole}, {"end_dim", Takes::whole}, {"input_type", Takes::shape, false}};
constexpr FieldOf i_fields[] = {{"r", Takes::element}};
constexpr FieldOf if_fields[] = {
    {"r", Takes::element}, {"v_threshold", Takes::element}, {"v_reset", Takes::element, false}};
constexpr FieldOf li_fields[] = {{"tau", Takes::element}, {"r", Takes::element}, {"v_leak", Takes::element}};
constexpr FieldOf lif_fields[] = {{"tau", Takes::element},
                                  {"r", Takes::element},
                                  {"v_leak", Takes::element},
                                  {"v_threshold", Takes::element},
                                  {"v_reset", Takes::element, false}};
constexpr FieldOf cuba_li_fields[] = {{"tau_mem", Takes::element},
                                      {"tau_syn", Takes::element},
                                      {"r", Takes::element},
                                      {"v_leak", Takes::element},
                                      {"w_in", Takes::element, false}};
constexpr FieldOf cuba_lif_fields[] = {{"tau_mem", Takes::element},     {"tau_syn", Takes::element},
                                       {"r", Takes::element},           {"v_leak", Takes::element},
                                       {"v_threshold", Takes::element}, {"v_reset", Takes::element, false},
                                       {"w_in", Takes::element, false}};

const NodeType types[] = {{Kind::graph, "NIRGraph", {}},
                          {Kind::input, "Input", shape_fields},
                          {Kind::output, "Output", shape_fields},
                          {Kind::linear, "Linear", linear_fields},
                          {Kind::affine, "Affine", affine_fields},
                          {Kind::scale, "Scale", scale_fields},
                          {Kind::delay, "Delay", delay_fields},
                          {Kind::conv1d, "Conv1d", conv_fields},
                          {Kind::conv2d, "Conv2d", conv_fields},
                          {Kind::sum_pool, "SumPool2d", pool_fields},
                          {Kind::average_pool, "AvgPool2d", pool_fields},
                          {Kind::flatten, "Flatten", flatten_fields},
                          {Kind::threshold, "Threshold", threshold_fields},
                          {Kind::integrator, "I", i_fields},
                          {Kind::integrate_fire, "IF", if_fields},
                          {Kind::leaky, "LI", li_fields},
                          {Kind::leaky_fire, "LIF", lif_fields},
                          {Kind::filtered_leaky, "CubaLI", cuba_li_fields},
                          {Kind::filtered_fire, "CubaLIF", cuba_lif_fields}};

void check_whole(const Value& v, const std::string& what) {
  if (v.shape.size() > 1)
    throw Fault(fmt::format("{} has the shape {}; a list is expected", what, text_of(v.shape)));
  for (const double x : v.numbers)
    if (x != std::floor(x) || x > 0x1p31 || x < -0x1p31)
      throw Fault(fmt::format("{} has the value {}; whole numbers are expected", what, x));
}

void check_field(const GraphNode& n, Kind kind, const FieldOf& f, const std::string& path) {
  const Value* v = n.find(f.name);
  const auto what = fmt::format("{} of node {} ({})", in_quotes(f.name), in_quotes(path), n.type);
  if (!v) {
    if (f.required) throw Fault(what + " is missing");
    return;
  }
  if (v->kind == Value::Kind::text) {
    if (f.takes == Takes::padding && (v->text == "same" || v->text == "valid")) return;
    throw Fault(fmt::format("{} is the text {}; {} expected", what, in_quotes(v->text),
                            f.takes == Takes::padding ? "numbers, 'same' or 'valid' are" : "numbers are"));
  }
  if (v->numbers.empty()) throw Fault(what + " is empty");
  if (f.takes == Takes::whole || f.takes == Takes::padding || f.takes == Takes::shape) check_whole(*v, what);
  if (f.takes == Takes::shape)
    for (const double x : v->numbers)
      if (x < 1) throw Fault(fmt::format("{} has the value {}; numbers of at least 1 are expected", what, x));
  const std::size_t rank = kind == Kind::conv2d ? 4 : kind == Kind::conv1d ? 3 : 2;
  if (f.takes == Takes::weight && v->shape.size() != rank)
    throw Fault(
        fmt::format("{} has the shape {}; {} dimensions are expected", what, text_of(v->shape), rank));
  if (f.takes == Takes::bias && v->shape != Shape{n.find("weight") ? n.find("weight")->shape.at(0) : 0})
    throw Fault(fmt::format("{} has the shape {}, and 'weight' {}", what, text_of(v->shape),
                            n.find("weight") ? text_of(n.find("weight")->shape) : "none"));
}

}  // namespace

const NodeType& type_of(const GraphNode& n, const std::string& path) {
  std::vector<std::string> names;
  for (const auto& t : types) {
    if (n.type == t.name) return t;
    names.emplace_back(t.name);
  }
  throw Fault(fmt::format("node {}: unknown type {}; {}", in_quotes(path), in_quotes(n.type),
                          suggest(n.type, names, "types")));
}

void check_fields(const GraphNode& n, const NodeType& type, const std::string& path) {
  std::vector<std::string> names;
  for (const auto& f : type.fields) names.emplace_back(f.name);
  for (const auto& [name, value] : n.fields)
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw Fault(fmt::format("node {} ({}): unknown field {}; {}", in_quotes(path), n.type, in_quotes(name),
                              suggest(name, names, "fields")));
  for (const auto& f : type.fields) check_field(n, type.kind, f, path);
}

namespace {

/// One of the dimensions along which a kernel slides.
struct Axis {
  std::size_t index, count;
};
/// Number `axis` of a field that has one for all or one for each; where it is not there, the least it may be.
std::uint64_t along(const GraphNode& n, const char* field, Axis axis, std::uint64_t least) {
  const Value* v = n.find(field);
  if (!v) return least;
  if (v->numbers.size() != 1 && v->numbers.size() != axis.count)
    throw Fault(fmt::format("{} has {} numbers; 1 or {} are expected", in_quotes(field), v->numbers.size(),
                            axis.count));
  const double x = v->numbers.size() == 1 ? v->numbers[0] : v->numbers[axis.index];
  if (x < static_cast<double>(least))
    throw Fault(fmt::format("{} has the value {}; at least {} is expected", in_quotes(field), x, least));
  return static_cast<std::uint64_t>(x);
}

Shape shape_of_field(const Value& v) { return {v.numbers.begin(), v.numbers.end()}; }

/// Padding, size and output of one dimension.
void slide(Sliding& s, int axis, const std::string& padding) {
  const std::uint64_t reach = s.dilation[axis] * (s.size[axis] - 1) + 1;
  if (padding == "same") {
    if (s.stride[axis] != 1) throw Fault("padding 'same' needs a stride of 1");
    if (reach % 2 == 0)
      throw Fault("padding 'same' of a kernel of even reach is not symmetric; it is not understood");
    s.padding[axis] = (reach - 1) / 2;
  }
  const std::uint64_t room = s.in[1 + axis] + 2 * s.padding[axis];
  if (reach > room)
    throw Fault(
        fmt::format("the kernel reaches over {} elements, and there are {} with padding", reach, room));
  s.out[1 + axis] = (room - reach) / s.stride[axis] + 1;
}

Shape flattened(const GraphNode& n, const Shape& in) {
  const auto rank = static_cast<double>(in.size());
  const auto at = [&](const char* field) {
    const double x = n.find(field)->numbers[0], from_begin = x < 0 ? x + rank : x;
    if (from_begin < 0 || from_begin >= rank)
      throw Fault(fmt::format("{} is {}, and the input has the shape {}", in_quotes(field), x, text_of(in)));
    return static_cast<std::size_t>(from_begin);
  };
  const std::size_t first = at("start_dim"), last = at("end_dim");
  if (last < first) throw Fault("'end_dim' lies before 'start_dim'");
  Shape out(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(first));
  const auto begin = in.begin() + static_cast<std::ptrdiff_t>(first);
  const auto end = in.begin() + static_cast<std::ptrdiff_t>(last) + 1;
  out.push_back(count_of(Shape(begin, end)));
  out.insert(out.end(), end, in.end());
  return out;
}

}  // namespace

Sliding sliding(const GraphNode& n, Kind k, const Shape& in) {
  const bool is_pool = k == Kind::sum_pool || k == Kind::average_pool;
  const std::size_t axes = k == Kind::conv1d ? 1 : 2;
  const int first = axes == 1 ? 1 : 0;  // of the two dimensions
  Shape shape = in;
  if (shape.size() == axes) shape.insert(shape.begin(), 1);
  if (shape.size() != axes + 1)
    throw Fault(fmt::format("gets the shape {}; channels and {} dimensions are expected", text_of(in), axes));
  Sliding s;
  s.in[0] = shape[0];
  for (std::size_t a = 0; a < axes; ++a) s.in[1 + first + a] = shape[1 + a];
  const Value* weight = n.find("weight");
  const Value* padding = n.find("padding");
  const bool named = padding && padding->kind == Value::Kind::text;
  for (std::size_t a = 0; a < axes; ++a) {
    const std::size_t d = static_cast<std::size_t>(first) + a;
    s.size[d] = is_pool ? along(n, "kernel_size", {a, axes}, 1) : weight->shape[2 + a];
    s.stride[d] = along(n, "stride", {a, axes}, 1);
    s.dilation[d] = along(n, "dilation", {a, axes}, 1);
    if (!named) s.padding[d] = along(n, "padding", {a, axes}, 0);
    slide(s, static_cast<int>(d), named ? padding->text : "");
  }
  s.out[0] = is_pool ? s.in[0] : weight->shape[0];
  if (is_pool) return s;
  s.groups = along(n, "groups", {0, 1}, 1);
  if (s.in[0] % s.groups || s.out[0] % s.groups || weight->shape[1] * s.groups != s.in[0])
    throw Fault(fmt::format("gets {} channels in {} groups, and 'weight' has the shape {}", s.in[0], s.groups,
                            text_of(weight->shape)));
  return s;
}

std::optional<Shape> own_shape(const GraphNode& n, Kind k) {
  if (k == Kind::input || k == Kind::output) return shape_of_field(*n.find("shape"));
  if (k == Kind::linear || k == Kind::affine) return Shape{n.find("weight")->shape[0]};
  if (!is_neuron(k) && k != Kind::scale && k != Kind::delay) return std::nullopt;
  std::optional<Shape> shape;
  for (const auto& [name, v] : n.fields) {
    if (v.numbers.size() <= 1) continue;
    if (shape && *shape != v.shape)
      throw Fault(fmt::format("its fields have the shapes {} and {}", text_of(*shape), text_of(v.shape)));
    shape = v.shape;
  }
  if (shape || !is_neuron(k)) return shape;
  for (const auto& [name, v] : n.fields)
    if (v.shape.size() == 1) return v.shape;  // [1]: one neuron, where nothing says otherwise
  return std::nullopt;
}

std::optional<Shape> own_input(const GraphNode& n, Kind k) {
  if (k == Kind::linear || k == Kind::affine) return Shape{n.find("weight")->shape[1]};
  if (k == Kind::flatten)
    return n.find("input_type") ? std::optional(shape_of_field(*n.find("input_type"))) : std::nullopt;
  if (k != Kind::conv1d && k != Kind::conv2d) return own_shape(n, k);
  const Value* shape = n.find("input_shape");
  if (!shape) return std::nullopt;
  Shape in = shape_of_field(*shape);
  const std::size_t axes = k == Kind::conv1d ? 1 : 2;
  if (in.size() != axes)
    throw Fault(
        fmt::format("'input_shape' has {} numbers; {} expected", in.size(), axes == 1 ? "1 is" : "2 are"));
  in.insert(in.begin(), n.find("weight")->shape[1] * along(n, "groups", {0, 1}, 1));
  return in;
}

Shape shape_after(const GraphNode& n, Kind k, const Shape& in) {
  if (k == Kind::flatten) return flattened(n, in);
  if (k != Kind::conv1d && k != Kind::conv2d && k != Kind::sum_pool && k != Kind::average_pool)
    return own_shape(n, k).value_or(in);
  const Sliding s = sliding(n, k, in);
  return k == Kind::conv1d ? Shape{s.out[0], s.out[2]} : Shape{s.out[0], s.out[1], s.out[2]};
}

}  // namespace spinet::nir
