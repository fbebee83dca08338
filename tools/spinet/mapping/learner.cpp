#include "mapping/learner.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "comm/serial.hpp"
#include "layers/best_kernels.hpp"
#include "layers/pass.hpp"
#include "layers/trainer.hpp"
#include "train/order.hpp"

namespace spinet::mapping {
namespace {

constexpr std::uint32_t update_stream = 0x70756C73;  // of random numbers; tiles count on from it

/// The gradient of one image, target by source, is a number of each target times one of each source.
struct Factors {
  std::vector<double> sources, targets;
};
Factors factors_of(std::span<const float> gradient, const TileShape& shape) {
  Factors f{std::vector<double>(shape.sources, 0), std::vector<double>(shape.targets, 0)};
  const auto at = static_cast<std::size_t>(
      std::max_element(gradient.begin(), gradient.end(),
                       [](float a, float b) { return std::fabs(a) < std::fabs(b); }) -
      gradient.begin());
  const double most = static_cast<double>(gradient[at]);
  if (most == 0) return f;
  const std::size_t row = at / shape.sources, column = at % shape.sources;
  for (std::size_t i = 0; i < shape.sources; ++i)
    f.sources[i] = static_cast<double>(gradient[row * shape.sources + i]) / most;
  for (std::size_t j = 0; j < shape.targets; ++j)
    f.targets[j] = static_cast<double>(gradient[j * shape.sources + column]);
  return f;
}

/// A connection whose weights are learnt on devices.
struct Learnt {
  layers::Part weights;
  TileShape shape;
  Tile answers;
  std::unique_ptr<Tile> gradients{};  ///< of tiki_taka
  std::vector<float> read{};          ///< of `gradients`
  std::uint64_t updates = 0;
};

}  // namespace

std::string not_learnable(const layers::Plan& plan) {
  if (plan.steps > 1)
    return "images come in " + std::to_string(plan.steps) +
           " steps, and pulses meet once for an image; `spinet train`, then `spinet program`";
  for (const layers::Connection& c : plan.connections) {
    if (c.normalisation.on) return "'" + c.name + "' is normalised over batches, and images come one by one";
    if (c.dropout > 0) return "'" + c.name + "' has dropout";
    if (c.weights.count > 0 && c.join != layers::Join::dense)
      return "'" + c.name + "' is a convolution; devices learn the weights of dense projections";
  }
  return {};
}

struct Learner::Impl {
  const layers::Plan& plan;
  layers::Model model;  ///< all that is no device's, and room for what is read
  const Learning learning;
  SerialTransport alone;
  layers::Pass<float> pass;
  std::vector<Learnt> learnt;
  std::vector<bool> is_number;  ///< by parameter: one that descends, as it is neither a device's nor fixed
  std::uint64_t step = 0, epochs = 0;

  Impl(const layers::Plan& p, layers::Model start, const Learning& l, const Material& material)
      : plan(p),
        model(std::move(start)),
        learning(l),
        pass(p, layers::best_kernels(1, 1), alone, 1),
        is_number(p.parameters, true) {
    const auto leave = [&](const layers::Part& part) {
      std::fill_n(is_number.begin() + static_cast<std::ptrdiff_t>(part.first), part.count, false);
    };
    std::uint32_t first = 0;
    for (const layers::Connection& c : plan.connections) {
      if (c.weights.count == 0 || learning.rule == Rule::exact || c.fixed) continue;
      learn(c, material, first);
      leave(c.weights);
    }
    for (const layers::Part& part : layers::fixed_parts(plan)) leave(part);
  }
  Tile tile(const Material& material, const TileShape& shape, std::uint32_t& first) const {
    const TileDevices devices{material.make(first, shape.size()),
                              material.make(first + shape.size(), shape.size())};
    Tile made(*material.table, devices, material.scheme, shape, learning.reach);
    first += 2 * shape.size();
    return made;
  }
  void learn(const layers::Connection& c, const Material& material, std::uint32_t& first) {
    const TileShape shape{static_cast<std::uint32_t>(plan.layers[c.source].shape.size()),
                          static_cast<std::uint32_t>(plan.layers[c.target].shape.size())};
    learnt.push_back({c.weights, shape, tile(material, shape, first)});
    Learnt& one = learnt.back();
    one.answers.write(std::span<const float>(model.parameters).subspan(c.weights.first, c.weights.count));
    if (learning.rule != Rule::tiki_taka) return;
    one.gradients = std::make_unique<Tile>(tile(material, shape, first));
    one.gradients->balance(learning.balancing);
    one.read.resize(shape.size());
  }

  void read() {
    for (Learnt& l : learnt)
      l.answers.read(std::span(model.parameters).subspan(l.weights.first, l.weights.count));
  }
  RandomKey key(std::size_t tile) const {
    return {learning.seed + 0x9E3779B9u * static_cast<std::uint32_t>(step),
            update_stream + static_cast<std::uint32_t>(tile)};
  }

  void update(std::span<const float> gradient) {
    for (std::size_t i = 0; i < gradient.size(); ++i)
      if (is_number[i])
        model.parameters[i] -= static_cast<float>(learning.rate * static_cast<double>(gradient[i]));
    for (std::size_t t = 0; t < learnt.size(); ++t) {
      Learnt& l = learnt[t];
      const Factors f = factors_of(gradient.subspan(l.weights.first, l.weights.count), l.shape);
      Tile& to = l.gradients ? *l.gradients : l.answers;
      to.update({f.sources, f.targets, -learning.rate}, learning.slots, key(2 * t));
      if (l.gradients && ++l.updates % learning.every == 0) transfer(l, key(2 * t + 1));
    }
  }
  /// One source's weights on the tile of gradients go to the other.
  void transfer(Learnt& l, RandomKey draw) const {
    const std::size_t source = l.updates / learning.every % l.shape.sources;
    l.gradients->read(l.read);
    std::vector<double> one(l.shape.sources, 0), targets;
    one[source] = 1;
    for (std::size_t j = 0; j < l.shape.targets; ++j)
      targets.push_back(static_cast<double>(l.read[j * l.shape.sources + source]));
    l.answers.update({one, targets, learning.transfer}, learning.slots, draw);
  }
};

Learner::Learner(const layers::Plan& plan, layers::Model start, const Learning& learning,
                 const Material& material)
    : impl_(std::make_unique<Impl>(plan, std::move(start), learning, material)) {}
Learner::~Learner() = default;

Learner::Epoch Learner::epoch(const images::Images& images) {
  Impl& i = *impl_;
  std::vector<std::uint32_t> order(images.count);
  std::iota(order.begin(), order.end(), 0u);
  order = train::order_of(std::move(order), i.learning.seed, i.epochs++);
  std::vector<float> pixels(i.plan.input().size());
  Epoch e;
  for (const std::uint32_t image : order) {
    images::lay_out(images, i.plan.input(), std::span(&image, 1), pixels);
    i.read();
    const auto result =
        i.pass.train(i.model.parameters, i.model.statistics, {pixels, std::span(&images.labels[image], 1)},
                     {i.learning.seed, i.step});
    if (result.bad_layer >= 0 || !std::isfinite(result.loss))
      throw layers::NotFinite(i.plan.layers[static_cast<std::size_t>(std::max(0, result.bad_layer))].name,
                              "a number that is not finite");
    e.loss += result.loss;
    e.accuracy += result.right;
    i.update(result.gradient);
    ++i.step;
  }
  e.loss /= std::max(1.0, static_cast<double>(images.count));
  e.accuracy /= std::max(1.0, static_cast<double>(images.count));
  for (const Learnt& l : i.learnt) e.pulses += l.answers.pulses() + (l.gradients ? l.gradients->pulses() : 0);
  return e;
}

Trains Learner::trains() const {
  Trains all;
  for (const Learnt& l : impl_->learnt)
    for (const Tile* tile : {&l.answers, static_cast<const Tile*>(l.gradients.get())}) {
      if (!tile) continue;
      const Trains& t = tile->trains();
      all.sent += t.sent, all.saturated += t.saturated, all.wanted += t.wanted, all.made += t.made;
    }
  return all;
}

double Learner::spent() const {
  double nJ = 0;
  for (const Learnt& l : impl_->learnt) nJ += l.answers.spent() + (l.gradients ? l.gradients->spent() : 0);
  return nJ;
}

layers::Model Learner::read() {
  impl_->read();
  return impl_->model;
}

}  // namespace spinet::mapping
