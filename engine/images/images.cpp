#include "images/images.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>

#include "images/parts.hpp"

namespace spinet::images {
namespace {

namespace fs = std::filesystem;

/// The two halves of a part, from one kind of files.
struct Pair {
  fs::path images, labels;  ///< alike for HDF5
};

std::vector<std::string> names_of(Part part) {
  return part == Part::train ? std::vector<std::string>{"train"} : std::vector<std::string>{"t10k", "test"};
}

/// All pairs of files that a folder has of a part.  Where one of the two is missing it is named when it is
/// read.
std::vector<Pair> pairs_in(const fs::path& folder, Part part) {
  std::vector<Pair> found;
  std::error_code ignored;
  const auto there = [&](const fs::path& p) { return fs::exists(p, ignored); };
  for (const auto& name : names_of(part)) {
    for (const char* const dash : {"-", "."}) {
      const auto images = folder / (name + "-images" + dash + "idx3-ubyte"),
                 labels = folder / (name + "-labels" + dash + "idx1-ubyte");
      const fs::path images_gz = images.string() + ".gz", labels_gz = labels.string() + ".gz";
      if (!there(images) && !there(images_gz) && !there(labels) && !there(labels_gz)) continue;
      // Unpacked files beside the packed ones they came from are the same.
      found.push_back({there(images) || !there(images_gz) ? images : images_gz,
                       there(labels) || !there(labels_gz) ? labels : labels_gz});
    }
    const Pair npy{folder / (name + "-images.npy"), folder / (name + "-labels.npy")};
    if (there(npy.images) || there(npy.labels)) found.push_back(npy);
    if (const auto h5 = folder / (name + ".h5"); there(h5)) found.push_back({h5, h5});
    if (const auto csv = folder / (name + ".csv"); there(csv)) found.push_back({csv, csv});
  }
  return found;
}

Pair the_pair(const fs::path& folder, Part part) {
  std::error_code ignored;
  if (!fs::exists(folder, ignored)) fail(folder, "there is no such folder");
  if (!fs::is_directory(folder, ignored))
    fail(folder, "is no folder; images are read from a folder with files of known names");
  const auto found = pairs_in(folder, part);
  const char* const kind = part == Part::train ? "training" : "test";
  const auto names = names_of(part);
  if (found.empty())
    fail(folder,
         fmt::format("has no {0} images: neither {1}-images-idx3-ubyte[.gz] nor {2}-images.npy nor {2}.h5, "
                     "and no recorded spikes: no {2}.csv",
                     kind, names.front(), names.back()));
  if (found.size() > 1)
    fail(folder, fmt::format("has {} images twice, {} and {}; one of them must go", kind,
                             found[0].images.filename().string(), found[1].images.filename().string()));
  return found[0];
}

/// [n, k], [n, rows, columns] or [n, channels, rows, columns].
layers::Shape shape_of_images(const fs::path& file, std::span<const std::uint64_t> s) {
  if (s.size() < 2 || s.size() > 4)
    fail(file, fmt::format("has images in {} dimensions; [n, k], [n, rows, columns] and [n, channels, rows, "
                           "columns] are read",
                           s.size()));
  std::uint64_t pixels = 1;
  for (const auto n : s.subspan(1)) pixels *= n;  // of a product that was looked at
  if (pixels > (1u << 28)) fail(file, fmt::format("has images of {} pixels", pixels));
  const auto at = [&](std::size_t i) { return static_cast<std::uint32_t>(s[i]); };
  if (s.size() == 2) return {at(1), 1, 1};
  return s.size() == 3 ? layers::Shape{1, at(1), at(2)} : layers::Shape{at(1), at(2), at(3)};
}

void take_pixels(const fs::path& file, Array&& a, Images& to) {
  to.shape = shape_of_images(file, a.shape);
  if (a.shape[0] > std::numeric_limits<std::uint32_t>::max())
    fail(file, fmt::format("has {} images, which is more than can be counted", a.shape[0]));
  to.count = static_cast<std::uint32_t>(a.shape[0]);
  to.bytes = std::move(a.bytes);
  to.numbers = std::move(a.numbers);
  for (std::size_t i = 0; i < to.numbers.size(); ++i)
    if (!std::isfinite(to.numbers[i]))
      fail(file, fmt::format("pixel {} of image {} is {}: no number", i % to.shape.size(),
                             i / to.shape.size(), to.numbers[i]));
}

void take_labels(const fs::path& file, const Array& a, std::uint32_t classes, Images& to) {
  if (a.shape.size() != 1)
    fail(file, fmt::format("has labels in {} dimensions; one number for each image is read", a.shape.size()));
  if (a.shape[0] != to.count)
    fail(file, fmt::format("has {} labels, and {} has {} images", a.shape[0], to.files[0].filename().string(),
                           to.count));
  const std::int64_t most = classes ? classes : 65'536;
  to.classes = classes;
  to.labels.reserve(to.count);
  for (std::size_t i = 0; i < a.whole.size(); ++i) {
    const auto label = a.whole[i];
    if (label < 0 || label >= most)
      fail(file,
           fmt::format("image {} has the label {}; there are {} classes, counted from 0", i, label, most));
    to.labels.push_back(static_cast<std::uint32_t>(label));
    if (!classes) to.classes = std::max(to.classes, static_cast<std::uint32_t>(label) + 1);
  }
}

bool flat(const layers::Shape& s) { return s.height == 1 && s.width == 1; }

std::string text_of_shape(const layers::Shape& s) {
  if (flat(s)) return fmt::format("{} numbers", s.channels);
  return fmt::format("{} x {} x {}", s.channels, s.height, s.width);
}

/// How often an image stands in an input, which it fits: once, or in every channel.
std::uint32_t copies(const Images& from, const layers::Shape& input) {
  return static_cast<std::uint32_t>(input.size() / from.shape.size());
}

/// "gestures/3.csv, line 17"
std::string place_of(const Images& images, std::uint32_t sample, const Event& e) {
  if (sample + std::size_t{1} >= images.files.size()) return fmt::format("sample {}", sample);
  const auto& file = images.files[sample + std::size_t{1}];  // the first is the table
  return file.lexically_relative(images.files[0].parent_path()).string() +
         (e.line ? fmt::format(", line {}", e.line) : "");
}

std::string misfit_of_spikes(const Images& images, const Input& input) {
  const double end = input.steps * input.step;
  for (std::uint32_t i = 0; i < images.count; ++i)
    for (std::size_t k = images.begins[i]; k < images.begins[i + 1]; ++k) {
      const Event& e = images.events[k];
      if (e.neuron >= input.shape.size())
        return fmt::format("{}: a recorded spike is of neuron {}, the input has {} neurons",
                           place_of(images, i, e), e.neuron, input.shape.size());
      if (!(e.ms < end))
        return fmt::format("{}: a spike is at {} ms, and {} steps of {} ms end at {} ms",
                           place_of(images, i, e), e.ms, input.steps, input.step, end);
    }
  return {};
}

/// Rates and latencies are of pixels from 0 to 1.
std::string misfit_of_pixels(const Images& images, encoding::Code code) {
  if (code != encoding::Code::rate && code != encoding::Code::latency) return {};
  for (std::size_t i = 0; i < images.numbers.size(); ++i)
    if (!(images.numbers[i] >= 0 && images.numbers[i] <= 1))
      return fmt::format(
          "pixel {} of image {} is {:g}, and encoding: {} takes pixels from 0 to 1; scale the images, or "
          "encoding: current takes any",
          i % images.shape.size(), i / images.shape.size(), static_cast<double>(images.numbers[i]),
          code == encoding::Code::rate ? "rate" : "latency");
  return {};
}

void lay_out_spikes(const Images& from, const Input& input, std::uint32_t sample, float* to) {
  std::fill_n(to, input.size(), 0.0f);
  const bool in_steps = input.code == encoding::Code::events;
  for (std::size_t e = from.begins[sample]; e < from.begins[sample + 1]; ++e) {
    const auto step = in_steps ? static_cast<std::size_t>(from.events[e].ms / input.step) : 0;
    to[std::min<std::size_t>(step, input.steps - 1) * input.shape.size() + from.events[e].neuron] += 1;
  }
}

}  // namespace

Images read(const fs::path& folder, Part part, std::uint32_t classes) {
  const auto pair = the_pair(folder, part);
  Images all;
  all.files = {pair.images};
  if (pair.labels != pair.images) all.files.push_back(pair.labels);
  if (pair.images.extension() == ".csv") {
    try {
      read_events(pair.images, classes, all);
    } catch (const std::bad_alloc&) {
      fail(pair.images, "lists more spikes than memory can hold");
    }
    return all;
  }
  const auto half = [&](const fs::path& file, const char* dataset, Wanted wanted) {
    try {
      if (file.extension() == ".npy") return read_npy(file, wanted);
      if (file.extension() == ".h5") return read_dataset(file, dataset, wanted);
      return read_idx(file, wanted);
    } catch (const std::bad_alloc&) {
      fail(file, "claims more data than memory can hold");
    }
  };
  take_pixels(pair.images, half(pair.images, "images", Wanted::pixels), all);
  take_labels(pair.labels, half(pair.labels, "labels", Wanted::labels), classes, all);
  return all;
}

std::string remark(const Images& images, encoding::Code code) {
  if (images.numbers.empty() || code != encoding::Code::graded) return {};
  const auto [least, greatest] = std::minmax_element(images.numbers.begin(), images.numbers.end());
  if (*least >= 0 && *greatest <= 1) return {};
  return fmt::format("{}: pixels lie from {:g} to {:g} and are taken as they are, where 0 to 1 is usual; {}",
                     images.files[0].string(), static_cast<double>(*least), static_cast<double>(*greatest),
                     *least >= 0 ? fmt::format("divide them by {:g}", static_cast<double>(*greatest))
                                 : std::string("shift and scale them"));
}

std::string misfit(const Images& images, const Input& to) {
  const layers::Shape &s = images.shape, &input = to.shape;
  if (images.recorded() != (to.code == encoding::Code::events))
    return images.recorded() ? "these are recorded spikes, and the input encodes pixels; encoding: events"
                             : "these are pixels, and the input wants recorded spikes; encoding: rate, "
                               "latency or current";
  if (images.recorded()) return misfit_of_spikes(images, to);
  if (auto fault = misfit_of_pixels(images, to.code); !fault.empty()) return fault;
  if (s == input || (s.channels == 1 && s.height == input.height && s.width == input.width)) return {};
  if (s.size() == input.size() && (flat(s) || flat(input))) return {};
  return fmt::format("images are {} (channels, rows, columns), the input is {}", text_of_shape(s),
                     text_of_shape(input));
}

void lay_out(const Images& from, const Input& input, std::span<const std::uint32_t> which,
             std::span<float> to) {
  float* next = to.data();
  if (from.recorded()) {
    for (const auto i : which) lay_out_spikes(from, input, i, next), next += input.size();
    return;
  }
  const std::size_t size = from.shape.size(), times = copies(from, input.shape);
  for (const auto i : which) {
    float* const first = next;
    if (!from.numbers.empty()) {
      std::copy_n(from.numbers.data() + i * size, size, first);
    } else {
      const std::uint8_t* const bytes = from.bytes.data() + i * size;
      for (std::size_t p = 0; p < size; ++p) first[p] = static_cast<float>(bytes[p]) / 255.0f;
    }
    next += size;
    for (std::size_t c = 1; c < times; ++c, next += size) std::copy_n(first, size, next);
  }
}

layers::Channels channels_in(const Images& from, const layers::Shape& input) {
  return !from.recorded() && from.shape.size() == input.area() ? layers::Channels::alike
                                                               : layers::Channels::differ;
}

Input laid_out(const Images& images, const layers::Plan& plan) {
  const layers::Shape& s = plan.input();
  if (channels_in(images, s) == layers::Channels::alike) return layers::Shape{1, s.height, s.width};
  return input_of(plan);
}

std::uint64_t fingerprint(const Images& images) {
  // FNV-1a over words.
  std::uint64_t hash = 0xcbf29ce484222325u;
  const auto add = [&](std::span<const std::byte> bytes) {
    for (std::size_t i = 0; i < bytes.size(); i += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes.data() + i, std::min<std::size_t>(8, bytes.size() - i));
      hash = (hash ^ word) * 0x100000001b3u;
      hash ^= hash >> 29;  // words have upper bits, which multiplication alone never brings down
    }
  };
  const std::uint32_t sizes[] = {images.count, images.shape.channels, images.shape.height,
                                 images.shape.width};
  add(std::as_bytes(std::span(sizes)));
  add(std::as_bytes(std::span(images.bytes)));
  add(std::as_bytes(std::span(images.numbers)));
  add(std::as_bytes(std::span(images.labels)));
  for (const Event& e : images.events) {
    const double numbers[] = {e.ms, static_cast<double>(e.neuron)};
    add(std::as_bytes(std::span(numbers)));
  }
  for (const std::uint64_t begin : images.begins) add(std::as_bytes(std::span(&begin, 1)));
  return hash;
}

}  // namespace spinet::images
