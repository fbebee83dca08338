// Models on disk: what is written is read, and nothing else is.
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>

#include "log/model_file.hpp"
#include "network/suggest.hpp"

namespace {

using namespace spinet;
using Catch::Contains;

struct Folder {
  std::filesystem::path path;
  Folder() : path(std::filesystem::temp_directory_path() / ("spinet-model-" + std::to_string(::getpid()))) {
    std::filesystem::create_directory(path);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path operator/(const char* name) const { return path / name; }
};

layers::Part take(std::size_t& from, std::size_t count) {
  const layers::Part part{from, count};
  from += count;
  return part;
}

/// 1 x 4 x 4 -> [normalised convolution 2 x 2] -> em, 2 x 3 x 3 -> [dense] -> 3
layers::Plan small_plan(std::uint32_t kernel = 2) {
  layers::Plan p;
  const std::uint32_t side = 5 - kernel;
  auto& n = p.parameters;
  p.layers.resize(3);
  p.layers[0] = {.name = "image", .population = 0, .shape = {1, 4, 4}};
  p.layers[1] = {.name = "c1", .population = 1, .shape = {2, side, side}, .answer = layers::Answer::em};
  p.layers[1].bias = take(n, 2);
  p.layers[1].curves.taus = {4, 25};
  p.layers[1].curves.curves = {{1, {0.5, 0.5}}, {-1, {0.5, 0.5}}};
  p.layers[1].read_out = take(n, 3);
  p.layers[2] = {.name = "out", .population = 2, .shape = {3, 1, 1}};
  p.layers[2].bias = take(n, 3);
  p.connections.resize(2);
  auto& conv = p.connections[0];
  conv.name = "conv1";
  conv.target = 1;
  conv.join = layers::Join::convolution;
  conv.window.size[0] = conv.window.size[1] = kernel;
  conv.weights = take(n, std::size_t{2} * kernel * kernel);
  conv.normalisation.on = true;
  conv.normalisation.scale = take(n, 1);
  conv.normalisation.shift = take(n, 1);
  conv.normalisation.mean = take(p.statistics, 1);
  conv.normalisation.variance = take(p.statistics, 1);
  auto& dense = p.connections[1];
  dense.name = "read";
  dense.source = 1;
  dense.target = 2;
  dense.weights = take(n, 3 * p.layers[1].shape.size());
  return p;
}

layers::Model numbers_for(const layers::Plan& p, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> some(0.f, 1.f);
  layers::Model m;
  for (std::size_t i = 0; i < p.parameters; ++i) m.parameters.push_back(some(random) - 0.5f);
  for (std::size_t i = 0; i < p.statistics; ++i) m.statistics.push_back(some(random));
  return m;
}

const ModelOrigin origin{"1.2.3", "small", "small.yaml", "spinet: 1\nname: small\n", {"parameters.k=2"}};

void edit(const std::filesystem::path& path, const std::function<void(hid_t)>& change) {
  const h5::Id file(h5::check(H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT), "opening"));
  change(file);
}

std::string refusal(const std::filesystem::path& path, const layers::Plan& plan) {
  try {
    read_model(path, plan);
  } catch (const InvalidModel& e) {
    return e.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("a model is read as it was written, with what it was made from", "[model_file]") {
  const Folder folder;
  const auto plan = small_plan();
  auto model = numbers_for(plan);
  model.parameters[0] = std::numeric_limits<float>::denorm_min();
  model.parameters[1] = -0.f;
  model.parameters[2] = std::numeric_limits<float>::max();
  write_model(folder / "m.h5", plan, origin, model, [](hid_t file) { h5::create_group(file, "training"); });
  CHECK(is_model(folder / "m.h5"));
  const auto back = read_model(folder / "m.h5", plan);
  CHECK(back == model);
  CHECK(std::signbit(back.parameters[1]));
  const auto from = read_model_origin(folder / "m.h5");
  CHECK(from.version == origin.version);
  CHECK(from.network == origin.network);
  CHECK(from.overrides == origin.overrides);

  // Equal models are equal files.
  write_model(folder / "n.h5", plan, origin, model, [](hid_t file) { h5::create_group(file, "training"); });
  std::ifstream a(folder / "m.h5", std::ios::binary), b(folder / "n.h5", std::ios::binary);
  CHECK(std::string(std::istreambuf_iterator<char>(a), {}) ==
        std::string(std::istreambuf_iterator<char>(b), {}));

  // Datasets have the shapes of what they are.
  const auto file = open_model(folder / "m.h5");
  CHECK(h5::shape_of(h5::open_dataset(file, "connections/conv1/weights")) ==
        std::vector<hsize_t>{2, 1, 2, 2});
  CHECK(h5::shape_of(h5::open_dataset(file, "connections/read/weights")) == std::vector<hsize_t>{3, 18});
  CHECK(h5::shape_of(h5::open_dataset(file, "layers/c1/read_out")) == std::vector<hsize_t>{3});
}

TEST_CASE("a model of another network is refused with the first difference", "[model_file]") {
  const Folder folder;
  const auto plan = small_plan();
  write_model(folder / "m.h5", plan, origin, numbers_for(plan));
  CHECK_THAT(refusal(folder / "m.h5", small_plan(3)),
             Contains("layer c1 is 2 x 3 x 3, em of 2 curves, 2 biases in the model, and 2 x 2 x 2, em of 2 "
                      "curves, 2 biases in the network"));
  auto other = plan;
  other.connections[0].window.stride[1] = 2;
  CHECK_THAT(
      refusal(folder / "m.h5", other),
      Contains("connection conv1 is image (1 x 4 x 4) -> c1 (2 x 3 x 3), convolution 2 x 2, normalised "
               "in the model, and image (1 x 4 x 4) -> c1 (2 x 3 x 3), convolution 2 x 2, stride 1 x 2"));
  other = plan;
  other.layers[1].answer = layers::Answer::relu;
  CHECK_THAT(refusal(folder / "m.h5", other), Contains("em of 2 curves") && Contains("relu"));
  other = plan;
  other.layers[2].name = "answers";
  CHECK_THAT(refusal(folder / "m.h5", other),
             Contains("it has no layer answers (here: 3, linear, 3 biases)"));
  other = plan;
  other.layers.pop_back();
  other.connections.pop_back();
  CHECK_THAT(refusal(folder / "m.h5", other), Contains("it has 'layer out', which the network has not"));
  // What a run may vary is no other network.
  other = plan;
  other.layers[1].curves.gain = 0.3;
  other.layers[1].curves.n_max = 64;
  other.layers[1].curves.curves[0].amplitudes[1] = 0.25;
  CHECK(refusal(folder / "m.h5", other) == "accepted");
}

TEST_CASE("damaged and hostile models are refused by name", "[model_file]") {
  const Folder folder;
  const auto plan = small_plan();
  const auto path = folder / "m.h5";
  const auto fresh = [&] { write_model(path, plan, origin, numbers_for(plan)); };

  CHECK_THAT(refusal(folder / "none.h5", plan), Contains("none.h5: there is no such file"));
  CHECK_THAT(refusal(folder.path, plan), Contains("is no file"));
  std::ofstream(folder / "text.h5") << "spinet: 1\n";
  CHECK_THAT(refusal(folder / "text.h5", plan), Contains("cannot be read as a model"));
  CHECK_FALSE(is_model(folder / "text.h5"));

  fresh();
  edit(path, [](hid_t f) { H5Ldelete(f, "connections/read/weights", H5P_DEFAULT); });
  CHECK_THAT(refusal(path, plan), Contains("connections/read/weights is missing"));

  fresh();
  edit(path, [](hid_t f) {
    H5Ldelete(f, "layers/out/bias", H5P_DEFAULT);
    const std::vector<float> four(4);
    h5::write_dataset<float>(h5::open_group(f, "layers/out"), "bias", four);
  });
  CHECK_THAT(refusal(path, plan), Contains("layers/out/bias has the shape [4], and the network needs [3]"));

  fresh();
  edit(path, [](hid_t f) {
    H5Ldelete(f, "layers/out/bias", H5P_DEFAULT);
    H5Lcreate_external("/etc/passwd", "x", f, "layers/out/bias", H5P_DEFAULT, H5P_DEFAULT);
  });
  CHECK_THAT(refusal(path, plan), Contains("layers/out/bias is a link to elsewhere"));

  for (const double wrong : {std::nan(""), HUGE_VAL, 1e300}) {
    fresh();
    edit(path, [&](hid_t f) {
      H5Ldelete(f, "layers/out/bias", H5P_DEFAULT);
      const std::vector<double> values{0, wrong, 0};
      h5::write_dataset<double>(h5::open_group(f, "layers/out"), "bias", values);
    });
    CHECK_THAT(refusal(path, plan), Contains("layers/out/bias: number 1 is") && Contains("finite numbers"));
  }
  fresh();
  edit(path, [](hid_t f) {
    const std::vector<float> negative{-1};
    const auto d = h5::open_dataset(f, "connections/conv1/variance");
    H5Dwrite(d, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, negative.data());
  });
  CHECK_THAT(refusal(path, plan), Contains("variance: number 0 is -1"));

  fresh();
  edit(path, [](hid_t f) {
    h5::replace_attribute<std::uint32_t>(h5::open_group(f, "model"), "format_version", 7);
  });
  CHECK_THAT(refusal(path, plan), Contains("is a model of format 7, and this version of spinet reads 1"));
}

TEST_CASE("one flipped bit of a model's numbers is found", "[model_file]") {
  const Folder folder;
  const auto plan = small_plan();
  const auto model = numbers_for(plan);
  const auto path = folder / "m.h5";
  write_model(path, plan, origin, model);
  std::string bytes;
  {
    std::ifstream in(path, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(in), {});
  }
  const std::string weights(
      reinterpret_cast<const char*>(&model.parameters[plan.connections[1].weights.first]),
      plan.connections[1].weights.count * sizeof(float));
  const auto at = bytes.find(weights);
  REQUIRE(at != std::string::npos);
  bytes[at + 17] ^= 1;
  std::ofstream(path, std::ios::binary) << bytes;
  CHECK_THAT(refusal(path, plan), Contains("connections/read/weights"));
}
