#include "log/model_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "log/new_file.hpp"
#include "network/digest.hpp"
#include "network/suggest.hpp"

namespace spinet {
namespace {

using layers::Answer, layers::Join, layers::Plan;

constexpr std::uint32_t model_magic = 0x4C4D5053, model_format = 1;  // "SPML"

// --- what must agree
// -----------------------------------------------------------------------------------------------

std::string shape_text(const layers::Shape& s) {
  return s.area() == 1 ? fmt::format("{}", s.channels)
                       : fmt::format("{} x {} x {}", s.channels, s.height, s.width);
}

std::string answer_text(const layers::Layer& l) {
  switch (l.answer) {
    case Answer::linear:
      return l.maximum ? "maximum" : "linear";
    case Answer::relu:
      return "relu";
    case Answer::em:
      return fmt::format("em of {} curve{}", l.curves.curves.size(), l.curves.curves.size() == 1 ? "" : "s");
    case Answer::lif:
      return "lif";
  }
  return "?";
}

std::string pair_text(const char* what, const std::uint32_t (&n)[2], std::uint32_t usual) {
  if (n[0] == usual && n[1] == usual) return {};
  return fmt::format(", {} {} x {}", what, n[0], n[1]);
}

std::string join_text(const layers::Connection& c) {
  const auto window = [&](const char* what) {
    return fmt::format("{} {} x {}", what, c.window.size[0], c.window.size[1]) +
           pair_text("stride", c.window.stride, 1) + pair_text("padding", c.window.padding, 0) +
           pair_text("dilation", c.window.dilation, 1) +
           (c.window.groups == 1 ? "" : fmt::format(", {} groups", c.window.groups));
  };
  switch (c.join) {
    case Join::dense:
      return "dense";
    case Join::convolution:
      return window("convolution");
    case Join::average_pool:
      return window("average pool");
    case Join::sum_pool:
      return window("sum pool");
    case Join::max_pool:
      return window("max pool");
    case Join::one_to_one:
      return "one to one";
  }
  return "?";
}

std::string layer_line(const layers::Layer& l) {
  auto line = fmt::format("layer {}: {}, {}", l.name, shape_text(l.shape), answer_text(l));
  if (l.bias.count) line += fmt::format(", {} bias{}", l.bias.count, l.bias.count == 1 ? "" : "es");
  return line;
}

std::string connection_line(const Plan& plan, const layers::Connection& c) {
  const auto end = [&](std::uint32_t l) {
    return fmt::format("{} ({})", plan.layers[l].name, shape_text(plan.layers[l].shape));
  };
  return fmt::format("connection {}: {} -> {}, {}{}", c.name, end(c.source), end(c.target), join_text(c),
                     c.normalisation.on ? ", normalised" : "");
}

/// "layer c1" of "layer c1: 6 x 24 x 24, relu".
std::string what_of(const std::string& line) { return line.substr(0, line.find(':')); }

const std::string* find_line(const std::vector<std::string>& lines, const std::string& what) {
  const auto at =
      std::find_if(lines.begin(), lines.end(), [&](const auto& line) { return what_of(line) == what; });
  return at == lines.end() ? nullptr : &*at;
}

/// How the model differs from the network; empty where they agree.
std::string difference_of(const std::vector<std::string>& model, const std::vector<std::string>& network) {
  for (const auto& line : network) {
    const auto what = what_of(line);
    const auto* there = find_line(model, what);
    if (!there) return fmt::format("it has no {} (here{})", what, line.substr(what.size()));
    if (*there != line)
      return fmt::format("{} is{} in the model, and{} in the network", what,
                         there->substr(std::min(there->size(), what.size() + 1)),
                         line.substr(what.size() + 1));
  }
  for (const auto& line : model)
    if (!find_line(network, what_of(line)))
      return fmt::format("it has {}, which the network has not", in_quotes(what_of(line)));
  return {};
}

std::string digest_of_parts(const std::vector<std::string>& parts) {
  Sha256 hash;
  for (const auto& line : parts) hash.add(line + '\n');
  return hex(hash.finish());
}

// --- numbers by name
// -----------------------------------------------------------------------------------------------

/// A dataset and where its numbers are.
struct Stored {
  std::string group, name;
  std::vector<hsize_t> shape;
  layers::Part part;
  bool statistics = false, variance = false;
  std::string path() const { return group + "/" + name; }
};

std::vector<hsize_t> weights_shape(const Plan& plan, const layers::Connection& c) {
  const auto &from = plan.layers[c.source].shape, &to = plan.layers[c.target].shape;
  std::vector<hsize_t> shape{to.size(), from.size()};
  if (c.join == Join::convolution)
    shape = {to.channels, from.channels / std::max(1u, c.window.groups), c.window.size[0], c.window.size[1]};
  const auto all = std::accumulate(shape.begin(), shape.end(), hsize_t{1}, std::multiplies<>());
  return all == c.weights.count ? shape : std::vector<hsize_t>{c.weights.count};
}

std::vector<Stored> stored_parts(const Plan& plan) {
  std::vector<Stored> all;
  const auto add = [&](Stored s) {
    if (s.part.count) all.push_back(std::move(s));
  };
  const auto row = [](const layers::Part& p) { return std::vector<hsize_t>{p.count}; };
  for (const auto& l : plan.layers) {
    const auto group = "layers/" + l.name;
    add({group, "bias", row(l.bias), l.bias});
    add({group, "read_out", row(l.read_out), l.read_out});
  }
  for (const auto& c : plan.connections) {
    const auto group = "connections/" + c.name;
    const auto& n = c.normalisation;
    add({group, "weights", weights_shape(plan, c), c.weights});
    if (!n.on) continue;
    add({group, "scale", row(n.scale), n.scale});
    add({group, "shift", row(n.shift), n.shift});
    add({group, "mean", row(n.mean), n.mean, true});
    add({group, "variance", row(n.variance), n.variance, true, true});
  }
  return all;
}

/// One chunk with a checksum: damage is found when it is read.
void write_numbers(hid_t at, const Stored& s, std::span<const float> values) {
  const h5::Id properties(h5::check(H5Pcreate(H5P_DATASET_CREATE), "dataset properties"));
  h5::check(H5Pset_obj_track_times(properties, false), "dataset properties");
  const int rank = static_cast<int>(s.shape.size());
  auto chunk = s.shape;
  for (std::size_t d = 0; d < chunk.size(); ++d) {  // of at most some megabytes
    const auto rest = std::accumulate(chunk.begin() + static_cast<std::ptrdiff_t>(d) + 1, chunk.end(),
                                      hsize_t{1}, std::multiplies<>());
    chunk[d] = std::clamp<hsize_t>((hsize_t{1} << 20) / std::max<hsize_t>(rest, 1), 1, chunk[d]);
  }
  h5::check(H5Pset_chunk(properties, rank, chunk.data()), "dataset properties");
  h5::check(H5Pset_fletcher32(properties), "dataset properties");
  const h5::Id space(h5::check(H5Screate_simple(rank, s.shape.data(), nullptr), "a shape"));
  const h5::Id d(
      h5::check(H5Dcreate2(at, s.name.c_str(), H5T_IEEE_F32LE, space, H5P_DEFAULT, properties, H5P_DEFAULT),
                "creating " + s.path()));
  h5::check(H5Dwrite(d, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()),
            "writing " + s.path());
}

void read_numbers(hid_t at, const Stored& s, std::span<float> values) {
  const h5::Id d = h5::open_dataset(at, s.path());
  const auto shape = h5::shape_of(d);
  if (shape != s.shape)
    throw h5::Error(fmt::format("{} has the shape [{}], and the network needs [{}]", s.path(),
                                fmt::join(shape, ", "), fmt::join(s.shape, ", ")));
  h5::check_number(h5::Id(h5::check(H5Dget_type(d), "dataset " + s.path())), "dataset " + s.path());
  h5::check_size(d, s.path());
  h5::check(H5Dread(d, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()),
            "reading dataset " + s.path());
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i]) || (s.variance && values[i] < 0))
      throw h5::Error(fmt::format("{}: number {} is {}; {} are expected", s.path(), i, values[i],
                                  s.variance ? "variances of at least 0" : "finite numbers"));
}

template <class Floats>
std::span<Floats> span_of(std::span<Floats> all, const layers::Part& part) {
  if (part.first > all.size() || part.count > all.size() - part.first)
    throw h5::Error("the model has fewer numbers than its plan");
  return all.subspan(part.first, part.count);
}

h5::Id child(hid_t at, const std::string& name) {
  return h5::exists(at, name) ? h5::open_group(at, name) : h5::create_group(at, name);
}

/// Calls `read` with the open file; what it throws becomes InvalidModel.
template <class Read>
auto with_model(const std::filesystem::path& path, Read&& read) {
  const h5::Id file = open_model(path);
  try {
    return read(file);
  } catch (const h5::Error& e) {
    throw InvalidModel(path, std::string("is damaged, or no model that fits: ") + e.what());
  }
}

}  // namespace

std::vector<std::string> parts_of(const Plan& plan) {
  std::vector<std::string> lines;
  for (const auto& l : plan.layers) lines.push_back(layer_line(l));
  for (const auto& c : plan.connections) lines.push_back(connection_line(plan, c));
  return lines;
}

void write_parts(hid_t at, const Plan& plan, const layers::Model& model) {
  for (const char* name : {"layers", "connections"}) child(at, name);
  for (const auto& s : stored_parts(plan)) {
    const auto group = child(at, s.group);
    const std::span<const float> all(s.statistics ? model.statistics : model.parameters);
    write_numbers(group, s, span_of(all, s.part));
  }
}

layers::Model read_parts(hid_t at, const Plan& plan) {
  layers::Model model{std::vector<float>(plan.parameters), std::vector<float>(plan.statistics)};
  for (const auto& s : stored_parts(plan)) {
    const std::span<float> all(s.statistics ? model.statistics : model.parameters);
    read_numbers(at, s, span_of(all, s.part));
  }
  return model;
}

void write_model(const std::filesystem::path& path, const Plan& plan, const ModelOrigin& origin,
                 const layers::Model& model, const std::function<void(hid_t)>& more) {
  h5::quiet();
  logging::write_hdf5(path, [&](hid_t file) {
    const auto parts = parts_of(plan);
    const auto group = h5::create_group(file, "model");
    h5::write_attribute(group, "model", model_magic);
    h5::write_attribute(group, "format_version", model_format);
    h5::write_text_attribute(group, "version", origin.version);
    h5::write_text_attribute(group, "network_name", origin.network_name);
    h5::write_text_attribute(group, "network_path", origin.network_path);
    h5::write_text_attribute(group, "digest", digest_of_parts(parts));
    h5::write_attribute<std::uint64_t>(group, "parameters", plan.parameters);
    h5::write_text(group, "network", origin.network);
    h5::write_texts(group, "overrides", origin.overrides);
    h5::write_texts(group, "parts", parts);
    write_parts(file, plan, model);
    if (more) more(file);
  });
}

bool is_model(const std::filesystem::path& path) {
  h5::quiet();
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return false;
  const h5::Id file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
  try {
    return file >= 0 && h5::exists(file, "model") && h5::exists(file, "layers");
  } catch (const h5::Error&) {
    return false;
  }
}

h5::Id open_model(const std::filesystem::path& path) {
  h5::quiet();
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) throw InvalidModel(path, "there is no such file");
  if (!std::filesystem::is_regular_file(path, ignored)) throw InvalidModel(path, "is no file");
  try {
    h5::Id file(h5::check(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), "opening it as HDF5"));
    if (!h5::exists(file, "model")) throw InvalidModel(path, "is no model: `spinet train` writes them");
    const auto group = h5::open_group(file, "model");
    if (h5::read_attribute<std::uint32_t>(group, "model") != model_magic)
      throw InvalidModel(path, "is no model: `spinet train` writes them");
    const auto format = h5::read_attribute<std::uint32_t>(group, "format_version");
    if (format != model_format)
      throw InvalidModel(path, fmt::format("is a model of format {}, and this version of spinet reads {}",
                                           format, model_format));
    return file;
  } catch (const h5::Error& e) {
    throw InvalidModel(path, std::string("cannot be read as a model: ") + e.what());
  }
}

layers::Model read_model(const std::filesystem::path& path, const Plan& plan) {
  return with_model(path, [&](hid_t file) {
    const auto group = h5::open_group(file, "model");
    const auto here = parts_of(plan);
    if (h5::read_text_attribute(group, "digest") != digest_of_parts(here)) {
      const auto difference = difference_of(h5::read_texts(group, "parts"), here);
      throw InvalidModel(path, difference.empty() ? "is damaged: its digest is not that of its parts"
                                                  : "is a model of another network: " + difference);
    }
    return read_parts(file, plan);
  });
}

std::vector<std::string> read_model_parts(const std::filesystem::path& path) {
  return with_model(path, [&](hid_t file) { return h5::read_texts(h5::open_group(file, "model"), "parts"); });
}

ModelOrigin read_model_origin(const std::filesystem::path& path) {
  return with_model(path, [&](hid_t file) {
    const auto group = h5::open_group(file, "model");
    ModelOrigin o;
    o.version = h5::read_text_attribute(group, "version");
    o.network_name = h5::read_text_attribute(group, "network_name");
    o.network_path = h5::read_text_attribute(group, "network_path");
    o.network = h5::read_text(group, "network");
    o.overrides = h5::read_texts(group, "overrides");
    return o;
  });
}

}  // namespace spinet
