#include "train/record.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace spinet::train {
namespace {

constexpr std::array names{"running", "complete", "ended early", "stopped", "failed"};
constexpr std::size_t status_room = 16;

/// A column of `epochs` and what it is.
struct Column {
  const char* name;
  double Epoch::*value;
  const char* unit;
};
constexpr std::array columns{
    Column{"rate", &Epoch::rate, ""},
    Column{"loss", &Epoch::loss, "nat"},
    Column{"accuracy", &Epoch::accuracy, "1"},
    Column{"validation_loss", &Epoch::validation_loss, "nat"},
    Column{"validation_accuracy", &Epoch::validation_accuracy, "1"},
    Column{"test_loss", &Epoch::test_loss, "nat"},
    Column{"test_accuracy", &Epoch::test_accuracy, "1"},
    Column{"recalibrated_accuracy", &Epoch::recalibrated_accuracy, "1"},
    Column{"recalibrated_validation_accuracy", &Epoch::recalibrated_validation_accuracy, "1"},
    Column{"seconds", &Epoch::seconds, "s"},
};

template <class T, class Of>
std::vector<T> column_of(const std::vector<Wrong>& all, Of of) {
  std::vector<T> values;
  for (const auto& w : all) values.push_back(static_cast<T>(of(w)));
  return values;
}

template <class T>
void write_values(hid_t at, const char* name, const std::vector<T>& values) {
  h5::write_dataset<T>(at, name, std::span<const T>(values));
}

void write_epochs(hid_t at, const std::vector<Epoch>& epochs) {
  const auto group = h5::create_group(at, "epochs");
  for (const auto& c : columns) {
    std::vector<double> values;
    for (const auto& e : epochs) values.push_back(e.*c.value);
    const auto d = h5::write_dataset<double>(group, c.name, std::span<const double>(values));
    h5::write_text_attribute(d, "units", c.unit);
  }
}

std::vector<Epoch> read_epochs(hid_t at) {
  const auto group = h5::open_group(at, "epochs");
  std::vector<Epoch> epochs;
  for (const auto& c : columns) {
    const auto values = h5::read_all<double>(group, c.name);
    if (&c == &columns[0]) epochs.resize(values.size());
    if (values.size() != epochs.size())
      throw h5::Error(
          fmt::format("training/epochs/{} has {} epochs, and rate {}", c.name, values.size(), epochs.size()));
    for (std::size_t i = 0; i < values.size(); ++i) epochs[i].*c.value = values[i];
  }
  return epochs;
}

void write_test(hid_t at, const Record& r, std::uint32_t classes) {
  const auto group = h5::create_group(at, "test");
  h5::write_attribute<std::uint64_t>(group, "images", r.test.images);
  h5::write_attribute<std::uint64_t>(group, "right", r.test.right);
  h5::write_attribute<double>(group, "loss", r.test.loss);
  if (r.test.confusion.empty()) return;
  const std::array<hsize_t, 2> square{classes, classes};
  h5::write_dataset(group, "confusion", H5T_NATIVE_UINT64, square, r.test.confusion.data());
  const auto worst = h5::create_group(group, "worst");
  const auto& w = r.test.worst;
  write_values(worst, "image", column_of<std::uint32_t>(w, [](const Wrong& x) { return x.image; }));
  write_values(worst, "label", column_of<std::uint32_t>(w, [](const Wrong& x) { return x.label; }));
  write_values(worst, "answer", column_of<std::uint32_t>(w, [](const Wrong& x) { return x.answer; }));
  write_values(worst, "loss", column_of<double>(w, [](const Wrong& x) { return x.loss; }));
  write_values(worst, "pixels", r.worst_pixels);
  h5::write_attribute(worst, "channels", r.image_shape.channels);
  h5::write_attribute(worst, "height", r.image_shape.height);
  h5::write_attribute(worst, "width", r.image_shape.width);
}

/// Of an image that is shown: more than a picture can show is no picture.
constexpr std::uint64_t most_pixels = 1 << 24, most_classes = 1 << 16;

void read_worst(hid_t group, Record& r, std::uint32_t classes) {
  const auto worst = h5::open_group(group, "worst");
  const auto image = h5::read_all<std::uint32_t>(worst, "image"),
             label = h5::read_all<std::uint32_t>(worst, "label"),
             answer = h5::read_all<std::uint32_t>(worst, "answer");
  const auto loss = h5::read_all<double>(worst, "loss");
  r.worst_pixels = h5::read_all<float>(worst, "pixels");
  auto& s = r.image_shape;
  s.channels = h5::read_attribute<std::uint32_t>(worst, "channels");
  s.height = h5::read_attribute<std::uint32_t>(worst, "height");
  s.width = h5::read_attribute<std::uint32_t>(worst, "width");
  const std::uint64_t row = std::uint64_t{s.height} * s.width;
  if (s.channels > most_pixels || row > most_pixels || s.size() > most_pixels ||
      label.size() != image.size() || answer.size() != image.size() || loss.size() != image.size() ||
      r.worst_pixels.size() != image.size() * s.size())
    throw h5::Error("training/test/worst has columns of different lengths");
  for (std::size_t i = 0; i < image.size(); ++i) {
    if (label[i] >= classes || answer[i] >= classes)
      throw h5::Error("training/test/worst has labels of no class");
    r.test.worst.push_back({image[i], label[i], answer[i], loss[i]});
  }
}

void read_test(hid_t at, Record& r) {
  const auto group = h5::open_group(at, "test");
  r.test.images = h5::read_attribute<std::uint64_t>(group, "images");
  r.test.right = h5::read_attribute<std::uint64_t>(group, "right");
  r.test.loss = h5::read_attribute<double>(group, "loss");
  if (!h5::exists(group, "confusion")) return;
  const h5::Id d = h5::open_dataset(group, "confusion");
  const auto shape = h5::shape_of(d);
  if (shape.size() != 2 || shape[0] != shape[1] || shape[0] > most_classes)
    throw h5::Error("training/test/confusion is not square");
  const auto classes = static_cast<std::uint32_t>(shape[0]);
  h5::check_number(h5::Id(h5::check(H5Dget_type(d), "confusion")), "training/test/confusion");
  h5::check_size(d, "training/test/confusion");
  r.test.confusion.resize(std::size_t{classes} * classes);
  h5::check(H5Dread(d, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, r.test.confusion.data()),
            "reading training/test/confusion");
  read_worst(group, r, classes);
}

void write_state(hid_t at, const Record& r) {
  const auto group = h5::create_group(at, "state");
  h5::write_attribute<std::uint64_t>(group, "steps", r.state.steps);
  write_values(group, "moments", r.state.moments);
  h5::write_attribute<std::uint64_t>(group, "batches", r.partial.batches);
  h5::write_attribute<std::uint64_t>(group, "images", r.partial.images);
  h5::write_attribute<std::uint64_t>(group, "right", r.partial.right);
  h5::write_attribute<double>(group, "loss", r.partial.loss);
  h5::write_attribute<double>(group, "seconds", r.partial.seconds);
}

void read_state(hid_t at, Record& r) {
  const auto group = h5::open_group(at, "state");
  r.state.steps = h5::read_attribute<std::uint64_t>(group, "steps");
  r.state.moments = h5::read_all<float>(group, "moments");
  for (const float m : r.state.moments)
    if (!std::isfinite(m)) throw h5::Error("training/state/moments has a number that is not finite");
  r.partial.batches = h5::read_attribute<std::uint64_t>(group, "batches");
  r.partial.images = h5::read_attribute<std::uint64_t>(group, "images");
  r.partial.right = h5::read_attribute<std::uint64_t>(group, "right");
  r.partial.loss = h5::read_attribute<double>(group, "loss");
  r.partial.seconds = h5::read_attribute<double>(group, "seconds");
}

Record read_group(hid_t file) {
  const auto group = h5::open_group(file, "training");
  Record r;
  const auto status = h5::read_text_attribute(group, "status");
  std::size_t k = 0;
  while (k < names.size() && status != names[k]) ++k;
  if (k == names.size()) throw h5::Error("training has a status of no kind");
  r.status = static_cast<Status>(k);
  r.message = h5::read_text_attribute(group, "message");
  r.wanted = h5::read_attribute<std::uint64_t>(group, "wanted");
  r.best_epoch = h5::read_attribute<std::uint64_t>(group, "best_epoch");
  r.seed = h5::read_attribute<std::uint32_t>(group, "seed");
  r.chosen_by = h5::read_text_attribute(group, "chosen_by");
  r.command_line = h5::read_text(group, "command_line");
  r.data = h5::read_text(group, "data");
  r.recipe = h5::read_texts(group, "recipe");
  r.epochs = read_epochs(group);
  if (r.best_epoch > r.epochs.size()) throw h5::Error("training has a best epoch beyond the last one");
  read_state(group, r);
  read_test(group, r);
  return r;
}

}  // namespace

const char* name_of(Status status) { return names[static_cast<std::size_t>(status)]; }

void write_record(const std::filesystem::path& path, const layers::Plan& plan, const ModelOrigin& origin,
                  const Record& r) {
  write_model(path, plan, origin, r.best, [&](hid_t file) {
    write_parts(h5::create_group(file, "last"), plan, r.last);
    const auto group = h5::create_group(file, "training");
    h5::write_text_attribute(group, "status", name_of(r.status), status_room);
    h5::write_text_attribute(group, "message", r.message);
    h5::write_attribute<std::uint64_t>(group, "wanted", r.wanted);
    h5::write_attribute<std::uint64_t>(group, "best_epoch", r.best_epoch);
    h5::write_attribute<std::uint32_t>(group, "seed", r.seed);
    h5::write_text_attribute(group, "chosen_by", r.chosen_by);
    h5::write_text(group, "command_line", r.command_line);
    h5::write_text(group, "data", r.data);
    h5::write_texts(group, "recipe", r.recipe);
    write_epochs(group, r.epochs);
    write_state(group, r);
    write_test(group, r, plan.classes());
  });
}

namespace {

/// Calls `read` with the file, which has been trained; what it throws becomes InvalidModel.
template <class Read>
Record reading_training(const std::filesystem::path& path, Read&& read) {
  const auto file = open_model(path);
  try {
    if (!h5::exists(file, "training"))
      throw InvalidModel(path, "holds a model, but nothing of how it was trained");
    return read(file);
  } catch (const h5::Error& e) {
    throw InvalidModel(path, std::string("is damaged: ") + e.what());
  }
}

}  // namespace

Record read_history(const std::filesystem::path& path) { return reading_training(path, read_group); }

bool is_trained(const std::filesystem::path& path) {
  const auto file = open_model(path);
  try {
    return h5::exists(file, "training");
  } catch (const h5::Error& e) {
    throw InvalidModel(path, std::string("is damaged: ") + e.what());
  }
}

Record read_record(const std::filesystem::path& path, const layers::Plan& plan) {
  auto best = read_model(path, plan);
  auto r = reading_training(path, [&](hid_t file) {
    auto there = read_group(file);
    const std::size_t classes = plan.classes();
    if (!there.test.confusion.empty() && there.test.confusion.size() != classes * classes)
      throw h5::Error(fmt::format("training/test/confusion is not [{}, {}]", classes, classes));
    there.last = read_parts(h5::open_group(file, "last"), plan);
    return there;
  });
  r.best = std::move(best);
  return r;
}

std::string difference(const Recipe& there, const Recipe& here) {
  const auto name = [](const std::string& line) { return line.substr(0, line.find(" = ")); };
  const auto value = [](const std::string& line) {
    const auto at = line.find(" = ");
    return at == std::string::npos ? std::string() : line.substr(at + 3);
  };
  for (std::size_t i = 0; i < std::max(there.size(), here.size()); ++i) {
    if (i >= there.size()) return fmt::format("{} is {} here and not there", name(here[i]), value(here[i]));
    if (i >= here.size()) return fmt::format("{} is {} there and not here", name(there[i]), value(there[i]));
    if (there[i] == here[i]) continue;
    return fmt::format("{} is {} there and {} here", name(here[i]), value(there[i]), value(here[i]));
  }
  return {};
}

}  // namespace spinet::train
