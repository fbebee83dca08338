// Gradient descent on a layered network.  All ranks hold the whole model and are given the same batches; a
// batch is cut into a fixed number of shards, each worked on by one rank, and all sums over shards are made
// in one tree: any number of ranks gives the same bits.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "comm/transport.hpp"
#include "layers/plan.hpp"

namespace spinet::layers {

/// Images, one after the other, each as Plan::image_size() says, and what they show.
struct Batch {
  std::span<const float> images;
  std::span<const std::uint32_t> labels;
  /// Of all images of all ranks, where that is known; then only those of this rank's share need be there,
  /// among room for all.
  std::optional<Channels> channels{};
};

/// Images `begin` to before `end` of a batch: those that a rank works on.
struct Share {
  std::size_t begin = 0, end = 0;
};
constexpr std::uint32_t usual_shards = 8;  ///< of a batch
Share share_of(std::size_t images, const Transport&, std::uint32_t shards = usual_shards);

enum class Optimiser : std::uint8_t { adam, sgd };

struct Descent {
  Optimiser optimiser = Optimiser::adam;
  double beta1 = 0.9, beta2 = 0.999,
         epsilon = 1e-8;    ///< Adam: D. P. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", 2015
  double momentum = 0;      ///< SGD
  double weight_decay = 0;  ///< added to the gradient as weight_decay times the weight
  std::uint32_t shards = usual_shards;
  std::uint32_t seed = 1;  ///< of dropout
};

/// A number that is none: the first layer, in the order of computing, in which one came up.
struct NotFinite : std::runtime_error {
  std::string layer;
  NotFinite(std::string l, const std::string& message) : std::runtime_error(message), layer(std::move(l)) {}
};

/// What training leaves as it is: weights, scales and shifts of connections that are fixed; biases and
/// read-outs of layers in which no other weights end.
std::vector<Part> fixed_parts(const Plan&);

struct Outcome {
  double loss = 0;          ///< mean cross entropy, natural logarithm
  std::uint32_t right = 0;  ///< images whose greatest output is their label's (the first of equals)
};

class Trainer {
 public:
  /// The plan and the transport must outlive it.
  Trainer(const Plan&, Model start, const Descent&, Transport&);
  ~Trainer();
  /// One step of descent on a batch; the outcome is of the model before it.  Throws NotFinite, on all ranks,
  /// and leaves the model as it was.
  Outcome step(const Batch&, double rate);
  const Model& model() const;
  /// Steps so far and the optimiser's moments: with `model()` all that a later run needs to go on.
  struct State {
    std::uint64_t steps = 0;
    std::vector<float> moments;  ///< of Adam first all m, then all v; of SGD with momentum the velocity
  };
  State state() const;
  /// Throws std::invalid_argument if the sizes are not the plan's.
  void restore(Model, State);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Outputs before the softmax, images x classes, with running statistics, without dropout, and through the
/// converters of layers.  The images are shared out over the ranks, every rank gets all outputs.
std::vector<float> outputs(const Plan&, const Model&, std::span<const float> images, Transport&,
                           std::optional<Channels> channels = {});

/// Of each layer, how far the sums that its neurons get lie from 0 with these images.  Not collective.
std::vector<double> greatest_sums(const Plan&, const Model&, std::span<const float> images, Transport&);

/// Running statistics of a model estimated anew, a batch of images after the other: means over all of them,
/// each as much worth as any other.
class Recalibration {
 public:
  static constexpr std::size_t batch = 64;  ///< images at a time, but for the last
  /// The plan, the model and the transport must outlive it.
  Recalibration(const Plan&, const Model&, Transport&);
  ~Recalibration();
  /// As in Batch, only the images of share_of(count) need be there where `channels` are given.  Collective.
  void add(std::span<const float> images, std::optional<Channels> channels = {});
  /// The model with these statistics; as it was, without images.
  Model model() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};
/// The same of images that are all there.
Model recalibrated(const Plan&, const Model&, std::span<const float> images, Transport&);

}  // namespace spinet::layers
