// Layered networks: gradients against differences, outputs against plain loops, the same bits however it is
// cut.
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "comm/loopback.hpp"
#include "comm/serial.hpp"
#include "layers/kernels/plain_lanes.hpp"
#include "layers/kernels/table.hpp"
#include "layers/pass.hpp"
#include "layers/trainer.hpp"

namespace {
using namespace spinet::layers;
using spinet::SerialTransport;
using spinet::Transport;

/// Plans, put together part by part.
struct Made {
  Plan plan;

  Part take(std::size_t n) {
    plan.parameters += n;
    return {plan.parameters - n, n};
  }
  std::uint32_t layer(const Shape& shape, Answer answer = Answer::linear, std::size_t biases = 0) {
    Layer l;
    l.name = "layer" + std::to_string(plan.layers.size());
    l.shape = shape;
    l.answer = answer;
    if (biases) l.bias = take(biases);
    plan.layers.push_back(l);
    return static_cast<std::uint32_t>(plan.layers.size() - 1);
  }
  /// From the layer before the last, unless said; its weights follow from its kind.
  Connection& join(Join kind, const Window& window = {}, int source = -1) {
    Connection c;
    c.target = static_cast<std::uint32_t>(plan.layers.size() - 1);
    c.source = source < 0 ? c.target - 1 : static_cast<std::uint32_t>(source);
    c.join = kind;
    c.window = window;
    const Shape &from = plan.layers[c.source].shape, &to = plan.layers[c.target].shape;
    if (kind == Join::dense) c.weights = take(from.size() * to.size());
    if (kind == Join::convolution)
      c.weights =
          take(std::size_t{to.channels} * from.channels / window.groups * window.size[0] * window.size[1]);
    if (kind == Join::max_pool) plan.layers[c.target].maximum = true;
    plan.connections.push_back(c);
    return plan.connections.back();
  }
  void normalise(std::size_t units) {
    Normalisation& n = plan.connections.back().normalisation;
    n.on = true;
    n.scale = take(units), n.shift = take(units);
    n.mean = {plan.statistics, units}, n.variance = {plan.statistics + units, units};
    plan.statistics += 2 * units;
  }
  void curves(bool bounded) {
    Layer& l = plan.layers.back();
    l.curves.taus = {4, 25};
    l.curves.curves = {{0.1, {0.5, -0.4}}, {-0.3, {0.2, 0.7}}, {0.05, {-1, 0.3}}};
    if (bounded) l.curves.n_max = 6;
    l.read_out = take(4);
  }
};

struct Data {
  std::vector<float> images;
  std::vector<std::uint32_t> labels;
};
Data some_data(const Plan& plan, std::size_t count, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> pixel(0, 1);
  Data d;
  for (std::size_t i = 0; i < count * plan.input().size(); ++i) d.images.push_back(pixel(random));
  for (std::size_t i = 0; i < count; ++i) d.labels.push_back(random() % plan.classes());
  return d;
}
template <class T>
std::vector<T> some_parameters(const Plan& plan, unsigned seed = 2) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> weight(-0.5, 0.5);
  std::vector<T> p;
  for (std::size_t i = 0; i < plan.parameters; ++i) p.push_back(static_cast<T>(weight(random)));
  for (const Connection& c : plan.connections)
    for (std::size_t i = 0; i < c.normalisation.scale.count; ++i) p[c.normalisation.scale.first + i] += T(1);
  return p;
}
template <class T>
std::vector<T> fresh_statistics(const Plan& plan) {
  std::vector<T> s(plan.statistics, T(0));
  for (const Connection& c : plan.connections)
    for (std::size_t i = 0; i < c.normalisation.variance.count; ++i)
      s[c.normalisation.variance.first + i] = T(1);
  return s;
}
Model some_model(const Plan& plan, unsigned seed = 2) {
  return {some_parameters<float>(plan, seed), fresh_statistics<float>(plan)};
}

/// Largest |gradient - difference| / (1e-5 |gradient| + 1e-8) over all parameters.
double worst_gradient(const Plan& plan, std::size_t images) {
  SerialTransport serial;
  Pass<double> pass(plan, table_of<PlainLanes<double>>, serial, 8);
  const Data d = some_data(plan, images);
  auto p = some_parameters<double>(plan);
  const auto statistics = fresh_statistics<double>(plan);
  const auto loss = [&] {
    return pass.train(p, statistics, {d.images, d.labels}, {1, 0}).loss / static_cast<double>(images);
  };
  const auto result = pass.train(p, statistics, {d.images, d.labels}, {1, 0});
  REQUIRE(result.bad_layer == -1);
  const std::vector<double> gradient(result.gradient.begin(), result.gradient.end());
  double worst = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double kept = p[i], h = 1e-4;
    const auto at = [&](double by) {
      p[i] = kept + by;
      return loss();
    };
    const double difference = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
    p[i] = kept;
    const double error = std::abs(gradient[i] - difference) / (1e-5 * std::abs(gradient[i]) + 1e-8);
    if (error > 1) UNSCOPED_INFO("parameter " << i << ": " << gradient[i] << " beside " << difference);
    worst = std::max(worst, error);
  }
  return worst;
}

Made dense_net(Answer answer) {
  Made m;
  m.layer({7, 1, 1});
  m.layer({5, 1, 1}, answer, 5);
  m.join(Join::dense);
  m.normalise(7);
  if (answer == Answer::em) m.curves(false);
  m.layer({3, 1, 1}, Answer::linear, 3);
  m.join(Join::dense);
  m.normalise(5);
  return m;
}
}  // namespace

TEST_CASE("layers: gradients of dense layers are those of differences") {
  for (const Answer a : {Answer::linear, Answer::relu, Answer::em}) {
    CAPTURE(int(a));
    CHECK(worst_gradient(dense_net(a).plan, 11) < 1);
  }
}

TEST_CASE("layers: gradients of convolutions are those of differences") {
  struct Case {
    Window window;
    Shape in, out;
  };
  const Case cases[] = {
      {{{3, 2}, {1, 1}, {0, 0}, {1, 1}, 1}, {2, 6, 5}, {4, 4, 4}},
      {{{3, 3}, {2, 1}, {1, 2}, {1, 1}, 1}, {3, 7, 5}, {2, 4, 7}},
      {{{2, 3}, {1, 2}, {3, 0}, {2, 1}, 2}, {4, 5, 7}, {6, 9, 3}},
      {{{1, 6}, {3, 1}, {0, 1}, {1, 1}, 1}, {1, 7, 7}, {5, 3, 4}},
      {{{3, 3}, {2, 2}, {2, 2}, {2, 2}, 3}, {3, 6, 6}, {3, 3, 3}},
  };
  for (const Case& c : cases) {
    for (const bool normal : {false, true}) {
      Made m;
      m.layer({2, c.in.height, c.in.width});
      m.layer(c.in, Answer::em, c.in.channels);
      m.join(Join::convolution);  // 1 x 1: so that the next one has a gradient to give on
      m.curves(true);
      m.layer(c.out, Answer::linear, c.out.channels);
      m.join(Join::convolution, c.window);
      if (normal) m.normalise(c.in.channels);
      m.layer({3, 1, 1}, Answer::linear, 3);
      m.join(Join::dense);
      CAPTURE(c.in.channels, c.out.channels, normal);
      CHECK(worst_gradient(m.plan, 5) < 1);
    }
  }
}

TEST_CASE("layers: gradients of pools and of what skips layers are those of differences") {
  for (const Join pool : {Join::average_pool, Join::sum_pool, Join::max_pool}) {
    Made m;
    m.layer({1, 4, 4});
    m.layer({2, 4, 4}, Answer::em, 2);
    m.join(Join::convolution, {{3, 3}, {1, 1}, {1, 1}, {1, 1}, 1});
    m.curves(false);
    m.layer({2, 2, 3});
    m.join(pool, {{3, 2}, {2, 2}, {1, 1}, {1, 1}, 1});
    m.layer({12, 1, 1}, Answer::relu, 12);
    m.join(Join::one_to_one);
    m.normalise(12);
    m.join(Join::dense, {}, 0);
    m.join(Join::dense, {}, 1);
    m.normalise(32);
    m.layer({4, 1, 1}, Answer::linear, 4);
    m.join(Join::dense);
    m.plan.connections.back().dropout = 0.3;
    std::swap(m.plan.connections[2], m.plan.connections[3]);
    std::swap(m.plan.connections[3], m.plan.connections[4]);  // by source
    CAPTURE(int(pool));
    CHECK(worst_gradient(m.plan, 9) < 1);
  }
}
