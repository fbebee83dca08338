// Gradient descent on a layered network.  All ranks hold the whole model and are given the same batches; a
// batch is cut into a fixed number of shards, each worked on by one rank, and all sums over shards are made
// in one tree: any number of ranks gives the same bits.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "comm/transport.hpp"
#include "layers/plan.hpp"

namespace spinet::layers {

/// Images, one after the other, each as Plan::input() has it, and what they show.
struct Batch {
  std::span<const float> images;
  std::span<const std::uint32_t> labels;
};

enum class Optimiser : std::uint8_t { adam, sgd };

struct Descent {
  Optimiser optimiser = Optimiser::adam;
  double beta1 = 0.9, beta2 = 0.999,
         epsilon = 1e-8;    ///< Adam: D. P. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", 2015
  double momentum = 0;      ///< SGD
  double weight_decay = 0;  ///< added to the gradient as weight_decay times the weight
  std::uint32_t shards = 8;  ///< of a batch
  std::uint32_t seed = 1;    ///< of dropout
};

/// A number that is none: the first layer, in the order of computing, in which one came up.
struct NotFinite : std::runtime_error {
  std::string layer;
  NotFinite(std::string l, const std::string& message) : std::runtime_error(message), layer(std::move(l)) {}
};

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

/// Outputs before the softmax, images x classes, with running statistics and without dropout.  The images are
/// shared out over the ranks, every rank gets all outputs.
std::vector<float> outputs(const Plan&, const Model&, std::span<const float> images, Transport&);

/// The model with its running statistics estimated anew: means over these images, all weights alike.
Model recalibrated(const Plan&, const Model&, std::span<const float> images, Transport&);

}  // namespace spinet::layers
