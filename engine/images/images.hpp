// Images and what they show, from files that are there already: IDX, NPY or HDF5.  Plain data.
#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "layers/plan.hpp"

namespace spinet::images {

/// Files that are missing, damaged, or not what is asked for.  The message names the file and the reason.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

enum class Part : std::uint8_t { train, test };

/// Pixels lie as in layers::Shape, images one after the other.  Exactly one of `bytes` and `numbers` is used.
struct Images {
  std::uint32_t count = 0;
  layers::Shape shape{};              ///< {k, 1, 1} where the file has k numbers an image and no rows
  std::vector<std::uint8_t> bytes;    ///< a pixel is byte / 255
  std::vector<float> numbers;         ///< a pixel is the number, finite
  std::vector<std::uint32_t> labels;  ///< of each image, below `classes`
  std::uint32_t classes = 0;
  std::vector<std::filesystem::path> files;  ///< that were read
};

/// The images of a part in a folder.  It has one of (T is `train`, or `t10k` or `test`)
///   T-images-idx3-ubyte[.gz], T-labels-idx1-ubyte[.gz]     the files of MNIST and its like, as they come
///   T-images.npy, T-labels.npy     uint8 or floats: [n, k], [n, rows, columns] or [n, channels, ...]
///   T.h5                           the same as datasets `images` and `labels`
/// `classes`: labels must be below; 0: one more than the greatest label.  Throws Error.
Images read(const std::filesystem::path& folder, Part, std::uint32_t classes);

/// Why images do not go into an input of this shape, or nothing.  They do where the shapes are alike, where
/// the images have one channel (it is copied to all of the shape's), and where one of the two has no rows and
/// columns and both have as many numbers.
std::string misfit(const Images&, const layers::Shape& input);

/// Images `which`, one after the other, as an input of this shape, which they fit, has them.
void lay_out(const Images&, const layers::Shape& input, std::span<const std::uint32_t> which,
             std::span<float> to);

/// What is known of all images in an input of this shape, whatever their pixels: whether each of its channels
/// has the whole image.
layers::Channels channels_in(const Images&, const layers::Shape& input);

/// A number that tells other images and labels from these, whatever the machine.
std::uint64_t fingerprint(const Images&);

}  // namespace spinet::images
