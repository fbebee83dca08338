// What a run has made of the images that it was shown, /images in the log.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace spinet {

struct ImageResults {
  std::string environment;             ///< the population that showed them
  std::string part;                    ///< "test" or "train"
  std::string data, weights;           ///< folder of the images, model file; empty: the network's own weights
  std::vector<std::uint64_t> numbers;  ///< of the images in their set, in the order of showing
  std::vector<std::uint32_t> labels, predicted;
  std::uint32_t classes = 0;
  std::vector<float> outputs;  ///< [image][class]
  struct Layer {
    std::string population;
    std::vector<std::uint64_t> spikes;  ///< by image: what it sent
    std::vector<std::uint64_t> events;  ///< by image: arrivals of that at synapses
  };
  std::vector<Layer> layers;
  /// What the devices of a projection spent by their own figures: by image, in nJ.
  struct Energy {
    std::string projection;
    std::vector<double> nJ;
  };
  std::vector<Energy> energies;  ///< of the projections whose devices count it
  std::string without_energy;    ///< why there is none; empty: there is

  std::uint64_t right() const {
    std::uint64_t n = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) n += labels[i] == predicted[i];
    return n;
  }
  double accuracy() const {
    return labels.empty() ? 0 : static_cast<double>(right()) / static_cast<double>(labels.size());
  }
  static constexpr std::uint32_t most_confused = 1000;  ///< classes of a matrix that is made
  /// [label][predicted]; empty where there are more classes.
  std::vector<std::uint64_t> confusion() const {
    if (classes > most_confused) return {};
    std::vector<std::uint64_t> m(std::size_t{classes} * classes);
    for (std::size_t i = 0; i < labels.size(); ++i) ++m[std::size_t{labels[i]} * classes + predicted[i]];
    return m;
  }
};

}  // namespace spinet
