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

/// A recorded spike.
struct Event {
  double ms;  ///< from the sample's begin
  std::uint32_t neuron;
  std::uint32_t line = 0;  ///< of the text it comes from, from 1; 0: it is no text
};

/// Pixels lie as in layers::Shape, images one after the other.  Exactly one of `bytes`, `numbers` and
/// `begins` is used.
struct Images {
  std::uint32_t count = 0;
  layers::Shape shape{};            ///< {k, 1, 1} where the file has k numbers an image and no rows
  std::vector<std::uint8_t> bytes;  ///< a pixel is byte / 255
  std::vector<float> numbers;       ///< a pixel is the number, finite
  /// Samples of recorded spikes have no pixels: those of sample i are events[begins[i]] to before
  /// events[begins[i + 1]], by time, then neuron.  `shape` counts the neurons that occur.
  std::vector<Event> events{};
  std::vector<std::size_t> begins{};
  std::vector<std::uint32_t> labels;  ///< of each image, below `classes`
  std::uint32_t classes = 0;
  std::vector<std::filesystem::path> files;  ///< that were read
  bool recorded() const { return !begins.empty(); }
};

/// The images of a part in a folder.  It has one of (T is `train`, or `t10k` or `test`)
///   T-images-idx3-ubyte[.gz], T-labels-idx1-ubyte[.gz]     the files of MNIST and its like, as they come
///   T-images.npy, T-labels.npy     uint8 or floats: [n, k], [n, rows, columns] or [n, channels, ...]
///   T.h5                           the same as datasets `images` and `labels`
///   T.csv                          lines `file,label`: recorded spikes, a file for each sample, of lines
///                                  `neuron,time` (in ms unless it says `time [s]`) or SONATA's (.h5)
/// `classes`: labels must be below; 0: one more than the greatest label.  Throws Error.
Images read(const std::filesystem::path& folder, Part, std::uint32_t classes);

/// What images go into.
struct Input {
  layers::Shape shape;
  encoding::Code code;
  std::uint32_t steps;
  double step;  ///< [ms]
  Input(const layers::Shape& s, encoding::Code c = encoding::Code::graded, std::uint32_t n = 1, double ms = 0)
      : shape(s), code(c), steps(n), step(ms) {}
  std::size_t size() const {
    return shape.size() * (code == encoding::Code::events ? steps : std::size_t{1});
  }
};
inline Input input_of(const layers::Plan& p) { return {p.input(), p.code, p.steps, p.step}; }

/// Why images do not go into an input of this shape, or nothing.  They do where the shapes are alike, where
/// the images have one channel (it is copied to all of the shape's), and where one of the two has no rows and
/// columns and both have as many numbers.
/// Recorded spikes do where the input wants them, and has their neurons and steps for all of their times.
/// Where pixels become spikes (rate, latency) all must lie between 0 and 1.
std::string misfit(const Images&, const Input&);

/// What is to be said of images that go into an input, or nothing: numbers that come in as they are and lie
/// outside 0 to 1.
std::string remark(const Images&, encoding::Code);

/// Images `which`, one after the other, as an input that they fit has them; of recorded spikes how many of
/// each neuron come in each step.
void lay_out(const Images&, const Input&, std::span<const std::uint32_t> which, std::span<float> to);

/// What is known of all images in an input of this shape, whatever their pixels: whether each of its channels
/// has the whole image.
layers::Channels channels_in(const Images&, const layers::Shape& input);
/// What is laid out of an image for training: its one channel, where all of the input's are alike.
Input laid_out(const Images&, const layers::Plan&);

/// A number that tells other images and labels from these, whatever the machine.
std::uint64_t fingerprint(const Images&);

}  // namespace spinet::images
