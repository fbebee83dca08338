// A layered network as plain numbers: what of a checked network can be trained, and how its parts compute.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "network/layered.hpp"
#include "spinet/converter.hpp"
#include "spinet/encoding.hpp"

namespace spinet::layers {

/// What the neurons of a layer do with the sum x of what they get, bias included.
enum class Answer : std::uint8_t {
  linear,  ///< x
  relu,    ///< max(x, 0)
  em,      ///< a linear read-out of curves f_k(gain x): Layer::curves
  lif,     ///< spikes; trained over time steps by surrogate gradients: Layer::spiking
};

/// A leaky integrate-and-fire layer on a grid of time steps.  Potentials are above rest and in the unit of
/// what arrives: what an input of 1 alone makes of them in a step is 1.
struct Spiking {
  enum class Surrogate : std::uint8_t { fast_sigmoid, arctan };
  double membrane_decay = 0;  ///< exp(-step / tau_m)
  double synaptic_decay = 0;  ///< exp(-step / tau_s); 0: inputs act at once
  double threshold = 1;
  double reset = 0;         ///< where a spike leaves the potential
  bool soft_reset = false;  ///< what is above the threshold is left, too
  Surrogate surrogate = Surrogate::fast_sigmoid;
  /// How sharp the surrogate is, which stands for the derivative of a spike with respect to the potential u:
  /// h / threshold, where h, with v = slope (u / threshold - 1), is 1 / (1 + |v|)^2 (fast sigmoid) or
  /// 1 / (1 + v^2) (arctan).  A reset is not differentiated through.
  double slope = 25;
};

/// Where numbers of a layer or connection lie in Model::parameters or Model::statistics.
struct Part {
  std::size_t first = 0, count = 0;
};

struct Layer {
  std::string name;              ///< of the population
  std::uint32_t population = 0;  ///< in the network
  Shape shape;
  Answer answer = Answer::linear;
  bool maximum = false;  ///< the greatest of what it gets, not the sum: the target of a max pool
  /// One a channel where a convolution ends in it, else one a neuron; none: count 0.
  Part bias{};
  Curves curves{};
  Part read_out{};  ///< of `em`: a weight for each curve, then the bias of the read-out
  Spiking spiking{};
  /// What stands between the sums and the neurons where nothing is trained: that of a crossbar's columns.
  Converter converter{};
  bool whole = false;  ///< of `em`: numbers of pulses are rounded where nothing is trained
};

enum class Join : std::uint8_t {
  dense,        ///< weights [target][source]
  convolution,  ///< weights [channel out][channel in / groups][row][column]
  average_pool,
  sum_pool,
  max_pool,
  one_to_one,  ///< weight 1: flatten, skip connections
};

/// Batch normalisation of what the sources of a connection send, before it is weighted: per channel for
/// convolutions and pools, per neuron for dense ones.  y = scale (x - mean) / sqrt(variance + epsilon) +
/// shift
struct Normalisation {
  bool on = false;
  double momentum = 0.1;  ///< weight of the newest batch in the running statistics
  double epsilon = 1e-5;
  Part scale{}, shift{};    ///< in Model::parameters
  Part mean{}, variance{};  ///< in Model::statistics
};

struct Connection {
  std::string name;                      ///< of the projection
  std::uint32_t projection = 0;          ///< in the network
  std::uint32_t source = 0, target = 0;  ///< in Plan::layers, source before target
  Join join = Join::dense;
  Window window{};
  Part weights{};  ///< none of pools and one_to_one
  /// Training leaves its parameters as they are: fixed_parts().
  bool fixed = false;
  Normalisation normalisation{};
  double dropout =
      0;  ///< share of the sources' answers that a training step leaves out; the rest is scaled up
};

struct Plan {
  std::vector<Layer> layers;            ///< [0] is the input, the last one the output; sources before targets
  std::vector<Connection> connections;  ///< sorted by target, then source
  std::size_t parameters = 0, statistics = 0;
  encoding::Code code = encoding::Code::graded;  ///< how pixels come in
  std::uint32_t steps = 1;                       ///< time steps of an image that is not graded
  double step = 0;                               ///< their length [ms]
  /// What is left of the last layer's answer in each step when the outputs are read, which are its sum;
  /// empty: all of it.
  std::vector<double> left{};
  const Shape& input() const { return layers.front().shape; }
  /// Numbers of an image: pixels, or of recorded spikes how many of each neuron come in each step.
  std::size_t image_size() const {
    return input().size() * (code == encoding::Code::events ? steps : std::size_t{1});
  }
  std::uint32_t classes() const { return static_cast<std::uint32_t>(layers.back().shape.size()); }
};

/// Whether the channels of every image hold the same, as those of a grey image do.  Where `alike` is given
/// together with images, they have one channel each, which stands for all.
enum class Channels : std::uint8_t { differ, alike };

/// Numbers of an image that is given with or without its channels.
inline std::size_t numbers_of_image(const Plan& plan, std::optional<Channels> channels) {
  return channels == Channels::alike ? plan.input().area() : plan.image_size();
}

/// What training changes.
struct Model {
  std::vector<float> parameters;  ///< Plan::parameters
  std::vector<float> statistics;  ///< Plan::statistics; means 0 and variances 1 to begin with
  bool operator==(const Model&) const = default;
};

}  // namespace spinet::layers
