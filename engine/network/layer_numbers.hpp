// Of the layers of a checked network: what they begin with, what of it is trained, and when they answer.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "network/checked.hpp"
#include "spinet/encoding.hpp"

namespace spinet {

/// Index of a model's parameter; nothing: it has none of this name.
std::optional<std::uint32_t> parameter_of(const Model& m, std::string_view name);

/// The population that all neurons of these ranges are of; nothing: there are several, or a part of one.
std::optional<std::uint32_t> whole_population(const Network& n, const std::vector<GidRange>& ends);

/// The population of images: an environment with a shape.  Nothing: the network has no layers.
std::optional<std::uint32_t> images_of(const Network& n);

/// How and when the population of images shows them.
struct Showing {
  std::uint32_t population = 0;
  encoding::Code code = encoding::Code::graded;
  std::uint32_t steps = 1;    ///< 1 of graded images
  double step = 0;            ///< [ms]
  Tick onset = 0;             ///< of the first step, from the image's begin
  Tick period = 0, read = 0;  ///< from image to image; from the image's begin until its outputs are read
  double tau_out = 0;         ///< with which they leak until then [ms]; 0: they do not
  int surrogate = 0;  ///< of spikes in training: 0 fast sigmoid, 1 arctan; and its slope, 0: as preset
  double slope = 0;
  bool in_steps() const { return code != encoding::Code::graded; }
};
std::optional<Showing> showing_of(const Network& n);

/// May a population of this model be a layer that spikes?  It is one where images come in steps.
bool can_spike(const Model& m);

/// Does training change the weights of projection `p`?  Where images come in steps no layer has biases.
bool learns(const Network& n, std::uint32_t p);

/// What training changes.
struct Trained {
  std::size_t weights = 0, normalisation = 0;  ///< of a projection: scale and shift of each channel or neuron
  std::size_t biases = 0, read_out = 0;        ///< of a population
  std::size_t all() const { return weights + normalisation + biases + read_out; }
};
Trained trained_of_projection(const Network& n, std::uint32_t p);
Trained trained_of_population(const Network& n, std::uint32_t p);

/// Of all of the network.  Of a projection that is fixed nothing is trained, nor of a population in which
/// such weights end and no others.
struct Parameters {
  std::size_t trained = 0, fixed = 0;
};
Parameters parameters_of(const Network& n);

/// Draws weights that synapses share, and biases of layers, which depend on seed, projection or population,
/// and number alone.
void draw_layers(Network& n);
/// Are they as `draw_layers` has drawn them?  Not of a model that was put in their place.
bool as_drawn(const Network& n);

/// When populations answer to an image that begins at tick 0.
struct LayerTimes {
  struct Fault {
    std::uint32_t projection;
    std::string reason, help;
  };
  std::vector<std::optional<Tick>> answer;  ///< by population; of layers that the image reaches
  std::vector<std::uint32_t> order;         ///< these layers, sources before targets, the images first
  std::vector<Fault> faults;
};
LayerTimes layer_times(const Network& n, std::uint32_t images);

}  // namespace spinet
