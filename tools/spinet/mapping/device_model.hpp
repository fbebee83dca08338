// A trained model some of whose weights lie on devices, and how good it is.
#pragma once
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "mapping/mapped.hpp"
#include "train/examine.hpp"

namespace spinet::mapping {

class DeviceModel {
 public:
  DeviceModel(const layers::Plan& plan, layers::Model trained) : plan_(plan), trained_(std::move(trained)) {}
  /// From now on the weights of this connection are those of devices.
  void map(std::size_t connection, Mapped on) { mapped_.emplace_back(connection, std::move(on)); }

  struct When {
    double seconds = 0;  ///< after writing; of all calls the times do not go back
    Mapped::Reading reading = Mapped::Reading::plain;
  };
  /// The model as one read of all devices shows it.
  layers::Model read(const When&);
  /// The same at the time of the last read, in the mean of the noise of reads.
  layers::Model in_mean(Mapped::Reading) const;
  /// Connections and what their weights lie on.
  std::vector<std::pair<std::size_t, Mapped>>& mapped() { return mapped_; }

  /// How the devices are read while images are shown.
  struct Reads {
    std::uint32_t images = 250;  ///< that one read serves
    double period = 1e-3;        ///< from read to read [s]
  };
  /// Answers to these images.  `statistics`: of batch normalisation, in place of the model's; or empty.
  train::Examined examine(const When&, const Reads&, const images::Images&,
                          std::span<const std::uint32_t> which, std::span<const float> statistics);

 private:
  const layers::Plan& plan_;
  layers::Model trained_;
  std::vector<std::pair<std::size_t, Mapped>> mapped_;
};

/// Gives every layer that weights end in a converter of so many bits whose range is the greatest sum of the
/// layer with these images, times `part`; but neurons that spike integrate what arrives, and nothing reads a
/// sum.  `model` is without noise.
void add_converters(layers::Plan&, const layers::Model&, std::span<const float> images,
                    std::pair<std::uint32_t, double> bits_and_part);

}  // namespace spinet::mapping
