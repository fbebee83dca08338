// Arrays of an HDF5 file.
#include <fmt/format.h>

#include "images/parts.hpp"
#include "log/open_log.hpp"

namespace spinet::images {
namespace {

Array dataset_array(const std::filesystem::path& file, const char* name, Wanted wanted) {
  h5::quiet();
  const auto open = logging::open_whole(file);
  const auto dataset = h5::open_dataset(open->file, name);
  h5::check_stored(dataset, name);
  Array a;
  for (const auto n : h5::shape_of(dataset)) a.shape.push_back(n);
  const auto count = product(file, a.shape);
  if (wanted == Wanted::labels) {
    a.whole = h5::read_all<std::int64_t>(open->file, name);
  } else if (h5::holds<std::uint8_t>(dataset)) {
    h5::read_values(dataset, name, std::span(a.bytes = std::vector<std::uint8_t>(count)));
  } else if (h5::holds<double>(dataset)) {
    a.numbers = as_floats(file, a.shape, h5::read_all<double>(open->file, name));
  } else if (h5::holds<float>(dataset)) {
    h5::read_values(dataset, name, std::span(a.numbers = std::vector<float>(count)));
  } else {
    throw h5::Error(fmt::format("dataset {} has another type than uint8, float32 and float64", name));
  }
  return a;
}

}  // namespace

Array read_dataset(const std::filesystem::path& file, const char* name, Wanted wanted) {
  try {
    return logging::readable(file, [&] { return dataset_array(file, name, wanted); });
  } catch (const LogError& e) {
    throw Error(e.what());
  }
}

}  // namespace spinet::images
