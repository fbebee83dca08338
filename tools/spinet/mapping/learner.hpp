// Gradient descent on a layered network whose dense weights lie on devices and change by pulses alone: image
// by image, forwards and backwards with the weights as one read finds them.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "images/images.hpp"
#include "layers/plan.hpp"
#include "mapping/mapped.hpp"
#include "mapping/tile.hpp"

namespace spinet::mapping {

enum class Rule : std::uint8_t {
  exact,   ///< weights are numbers: what the others are measured by
  pulses,  ///< Tile::update with each image's gradient
  /// T. Gokmen, W. Haensch, "Algorithm for training neural networks on resistive device arrays" (2020): the
  /// gradients go onto a tile of their own, about the points where up and down undo each other, of which one
  /// source's weights at a time are read and sent on, by pulses, to the tile that answers.
  tiki_taka,
};

struct Learning {
  Rule rule = Rule::pulses;
  std::uint32_t epochs = 10, seed = 1, slots = 31;
  double rate = 0.05;
  double reach = 1;                ///< weight at the top of the range
  std::uint32_t every = 1;         ///< of tiki_taka: updates from transfer to transfer
  double transfer = 0.1;           ///< of tiki_taka: rate of these
  std::uint32_t balancing = 2000;  ///< of tiki_taka: pulses that find the points of balance
};

/// Devices that weights are learnt by: what all tiles have in common.
struct Material {
  const SynapseTable* table = nullptr;  ///< null: rule exact
  Scheme scheme;
  /// `count` devices from number `first` on, with what they differ in.
  std::function<Devices::Make(std::uint32_t first, std::uint32_t count)> make;
};

/// Why this network's weights cannot be learnt on devices, or nothing.
std::string not_learnable(const layers::Plan&);

class Learner {
 public:
  /// All must outlive it.
  Learner(const layers::Plan&, layers::Model start, const Learning&, const Material&);
  ~Learner();
  struct Epoch {
    double loss = 0, accuracy = 0;  ///< on the way, before each image's update
    std::uint64_t pulses = 0;       ///< by updates so far
  };
  Epoch epoch(const images::Images&);
  /// The model as one read of all devices finds it.
  layers::Model read();
  /// Of all tiles.
  Trains trains() const;
  /// What all devices have spent so far [nJ]; 0 where they do not count it.
  double spent() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace spinet::mapping
