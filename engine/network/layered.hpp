// What a network says of layers: shapes, curves, and what training needs beside what a run does.  Plain data.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace spinet::layers {

/// Neurons of a layer: index = (channel * height + row) * width + column.  A flat layer is {n, 1, 1}.
struct Shape {
  std::uint32_t channels = 1, height = 1, width = 1;
  std::size_t size() const { return std::size_t{channels} * height * width; }
  std::size_t area() const { return std::size_t{height} * width; }
  bool operator==(const Shape&) const = default;
};

/// Of convolutions and pools: rows, then columns.
struct Window {
  std::uint32_t size[2] = {1, 1}, stride[2] = {1, 1}, padding[2] = {0, 0}, dilation[2] = {1, 1};
  std::uint32_t groups = 1;
};

/// A curve c + sum over time constants of a_i exp(-n / tau_i), of a device after n pulses.
struct Curve {
  double constant = 0;
  std::vector<double> amplitudes{};  ///< one for each of Curves::taus
  bool operator==(const Curve&) const = default;
};

/// The curves of a layer of electrical-magnetic neurons, and how the input becomes a number of pulses.
struct Curves {
  std::vector<double> taus{};  ///< [pulses], shared by all curves
  std::vector<Curve> curves{};
  double gain = 3;              ///< n = gain x
  double n_min = 0, n_max = 0;  ///< n is kept in [n_min, n_max] where n_max > n_min; else it is free
  bool operator==(const Curves&) const = default;
};

/// The section `training`.
struct Training {
  enum class Optimiser : std::uint8_t { adam, sgd };
  enum class Schedule : std::uint8_t {
    constant,
    step,    ///< times `factor` after every `every` epochs
    cosine,  ///< from `rate` down to `least` over all epochs
  };
  std::uint32_t epochs = 20, batch = 64;
  std::uint32_t patience = 0;  ///< epochs without a better validation accuracy after which it ends; 0: never
  double rate = 1e-3;
  Optimiser optimiser = Optimiser::adam;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;  ///< Adam
  double momentum = 0;                                ///< SGD
  double weight_decay = 0;
  double validation = 0;  ///< share of the training images that is left out to validate with
  Schedule schedule = Schedule::constant;
  std::uint32_t every = 1;
  double factor = 0.1, least = 0;
  /// The rate in epoch `epoch`, counted from 0, of `of` epochs in all.
  double rate_in(std::uint32_t epoch, std::uint32_t of) const;
};

/// Batch normalisation and dropout of what the sources of a projection send.
struct Preparation {
  bool normalise = false;
  double momentum = 0.1;  ///< weight of the newest batch in the running statistics
  double epsilon = 1e-5;  ///< added to the variance
  double dropout = 0;     ///< share of the sources' answers that a training step leaves out
  bool fixed = false;     ///< nothing of it is trained
};

}  // namespace spinet::layers
