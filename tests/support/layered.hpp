// Layered networks put together part by part, images of noise, and models to begin with.
#pragma once
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "layers/plan.hpp"

namespace spinet::test {
using namespace spinet::layers;
using layers::Model;  // and not the engine's

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
  void bounded_curves() {
    curves();
    plan.layers.back().curves.n_max = 6;
  }
  void curves() {
    Layer& l = plan.layers.back();
    l.curves.taus = {4, 25};
    l.curves.curves = {{0.1, {0.5, -0.4}}, {-0.3, {0.2, 0.7}}, {0.05, {-1, 0.3}}};
    l.read_out = take(4);
  }
};

struct Data {
  std::vector<float> images;
  std::vector<std::uint32_t> labels;
};
inline Data some_data(const Plan& plan, std::size_t count, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> pixel(0, 1);
  Data d;
  for (std::size_t i = 0; i < count * plan.input().size(); ++i) d.images.push_back(pixel(random));
  for (std::size_t i = 0; i < count; ++i) d.labels.push_back(random() % plan.classes());
  return d;
}
template <class T>
inline std::vector<T> some_parameters(const Plan& plan, unsigned seed = 2) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> weight(-0.5, 0.5);
  std::vector<T> p;
  for (std::size_t i = 0; i < plan.parameters; ++i) p.push_back(static_cast<T>(weight(random)));
  for (const Connection& c : plan.connections)
    for (std::size_t i = 0; i < c.normalisation.scale.count; ++i) p[c.normalisation.scale.first + i] += T(1);
  return p;
}
template <class T>
inline std::vector<T> fresh_statistics(const Plan& plan) {
  std::vector<T> s(plan.statistics, T(0));
  for (const Connection& c : plan.connections)
    for (std::size_t i = 0; i < c.normalisation.variance.count; ++i)
      s[c.normalisation.variance.first + i] = T(1);
  return s;
}
inline Model some_model(const Plan& plan, unsigned seed = 2) {
  return {some_parameters<float>(plan, seed), fresh_statistics<float>(plan)};
}

inline Made dense_net(Answer answer) {
  Made m;
  m.layer({7, 1, 1});
  m.layer({5, 1, 1}, answer, 5);
  m.join(Join::dense);
  m.normalise(7);
  if (answer == Answer::em) m.curves();
  m.layer({3, 1, 1}, Answer::linear, 3);
  m.join(Join::dense);
  m.normalise(5);
  return m;
}

}  // namespace spinet::test
