// A run whose weights lie on programmed devices: they are read anew every so many images, and an event pays
// for the devices that it reads.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "core/simulation.hpp"
#include "layers/plan_of.hpp"
#include "mapping/device_file.hpp"
#include "mapping/device_model.hpp"

namespace spinet::tool {

/// Converters that a programmed model has behind its layers' sums become those of the network.  Returns what
/// is to be said where the network has others, or "".  Throws InvalidModel.
std::string put_converters(const std::string& file, const layers::Plan&, Network&);

class ImageDevices {
 public:
  /// Those of a model file; null where it holds none.  Throws InvalidModel.
  static std::unique_ptr<ImageDevices> of(const std::string& file, const layers::Layered&,
                                          const layers::Model&, const Catalogue&);
  /// The model that the network answers with until `show`: weights as the first read finds them, and biases,
  /// for the whole run, with what normalisation adds to them by the devices in the mean of their noise.
  void fold_into(Network&);
  /// Before an image is shown: where another read serves it, weights are what that finds.
  void show(std::size_t image, Simulation&);

  /// What an event of each neuron costs at the devices of a projection [nJ].
  struct Price {
    std::string projection;
    std::uint32_t population;  ///< of the sources
    std::vector<double> nJ;    ///< by neuron
  };
  /// Of those that count it.
  const std::vector<Price>& prices() const { return prices_; }

 private:
  ImageDevices(mapping::Programmed p, const layers::Layered& l, const layers::Model& m)
      : programmed_(std::move(p)),
        plan_(l.plan),
        model_(plan_, m),
        how_(programmed_.compensate ? mapping::Mapped::Reading::compensated
                                    : mapping::Mapped::Reading::plain) {}
  void find_prices();
  const mapping::Programmed programmed_;
  const layers::Plan plan_;
  mapping::DeviceModel model_;
  const mapping::Mapped::Reading how_;
  std::vector<Price> prices_;
  std::size_t read_ = 0;  ///< number of the last read
};

}  // namespace spinet::tool
