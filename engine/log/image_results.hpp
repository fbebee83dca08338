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
  std::uint64_t right() const {
    std::uint64_t n = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) n += labels[i] == predicted[i];
    return n;
  }
};

}  // namespace spinet
