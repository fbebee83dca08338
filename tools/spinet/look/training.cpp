#include "look/training.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "look/confusion.hpp"
#include "look/json.hpp"
#include "look/output.hpp"
#include "look/page.hpp"
#include "look/palette.hpp"
#include "look/sheet.hpp"
#include "svg.hpp"
#include "train/record.hpp"

namespace spinet::look {
namespace {

using tool::KeyEntry;
using tool::Plot;
using tool::Stroke;
using train::Epoch;
using train::Record;

/// Weights of the first convolution: [filter][channel][row][column].
struct Filters {
  std::string name;
  std::vector<hsize_t> shape;
  hsize_t of = 0;  ///< filters that there are
  std::vector<float> values;
};

struct Trained {
  Record record;
  ModelOrigin origin;
  std::uint64_t parameters = 0, bytes = 0;
  std::optional<Filters> filters;
};

constexpr hsize_t most_filter_weights = 20'000;  ///< that a figure shows

std::optional<Filters> first_filters(hid_t file) {
  for (const auto& line : h5::read_texts(h5::open_group(file, "model"), "parts")) {
    constexpr std::string_view connection = "connection ";
    if (!line.starts_with(connection) || line.find(", convolution ") == std::string::npos) continue;
    Filters f;
    f.name = line.substr(connection.size(), line.find(':') - connection.size());
    const auto path = "connections/" + f.name + "/weights";
    const auto d = h5::open_dataset(file, path);
    f.shape = h5::shape_of(d);
    h5::check_number(h5::Id(h5::check(H5Dget_type(d), path)), path);
    h5::check_size(d, path);
    if (f.shape.size() != 4) return std::nullopt;
    const auto one = f.shape[1] * f.shape[2] * f.shape[3];
    f.of = f.shape[0];
    f.values.resize(f.of * one);
    h5::check(H5Dread(d, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, f.values.data()),
              "reading " + path);
    if (one == 0 || one > most_filter_weights) return std::nullopt;
    f.shape[0] = std::min(f.of, most_filter_weights / one);
    f.values.resize(f.shape[0] * one);
    return f;
  }
  return std::nullopt;
}

Trained read_trained(const std::filesystem::path& path) {
  Trained t;
  t.record = train::read_history(path);
  t.origin = read_model_origin(path);
  std::error_code ignored;
  t.bytes = std::filesystem::file_size(path, ignored);
  const auto file = open_model(path);
  try {
    t.parameters = h5::read_attribute<std::uint64_t>(h5::open_group(file, "model"), "parameters");
    t.filters = first_filters(file);
  } catch (const h5::Error& e) {
    throw InvalidModel(path, std::string("is damaged: ") + e.what());
  }
  return t;
}

constexpr Named accuracy_figure{"accuracy", "Accuracy of each epoch"},
    loss_figure{"loss", "Loss of each epoch"}, filters_figure{"filters", "Filters of the first convolution"},
    worst_figure{"worst_images", "The worst mistakes"};
constexpr const char* accuracy_caption =
    "Training: while it goes on, each batch before it was trained on. Recalibrated: statistics of batch "
    "normalisation re-estimated on training images. The dotted line is the best epoch.";
constexpr const char* loss_caption =
    "Mean cross entropy, natural logarithm; guessing among k classes gives ln k. The dotted line is the best "
    "epoch.";

struct Line {
  const char* key;
  double Epoch::*value;
  const char* text;
  const char* dashes;
};
constexpr std::array accuracies{
    Line{"accuracy", &Epoch::accuracy, "training", ""},
    Line{"validation_accuracy", &Epoch::validation_accuracy, "validation", ""},
    Line{"test_accuracy", &Epoch::test_accuracy, "test", ""},
    Line{"recalibrated_accuracy", &Epoch::recalibrated_accuracy, "test, recalibrated", "7 3"}};
constexpr std::array losses{Line{"loss", &Epoch::loss, "training", ""},
                            Line{"validation_loss", &Epoch::validation_loss, "validation", ""},
                            Line{"test_loss", &Epoch::test_loss, "test", ""}};

// --- the page
// ------------------------------------------------------------------------------------------------------

void named(Json& j, const Named& n, const char* caption = "") {
  j.key(n.name).object().entry("name", n.name).entry("title", n.title).entry("caption", caption).end();
}

void epochs(Json& j, const Record& r) {
  j.key("epochs").object();
  const auto column = [&](const char* key, double Epoch::*value) {
    std::vector<double> values;
    for (const auto& e : r.epochs) values.push_back(e.*value);
    j.key(key).values(values, 9);
  };
  column("rate", &Epoch::rate);
  for (const auto& l : losses) column(l.key, l.value);
  for (const auto& l : accuracies) column(l.key, l.value);
  column("seconds", &Epoch::seconds);
  j.end();
}

/// Pixels as bytes: 0 to 1, or where there is anything else, from the least to the greatest of an image.
std::vector<std::uint8_t> bytes_of(const Record& r) {
  std::vector<std::uint8_t> bytes;
  const auto one = r.image_shape.size();
  for (std::size_t begin = 0; begin + one <= r.worst_pixels.size() && one > 0; begin += one) {
    const auto first = r.worst_pixels.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto [low, high] = std::minmax_element(first, first + static_cast<std::ptrdiff_t>(one));
    const bool plain = *low >= 0 && *high <= 1;
    const double from = plain ? 0 : *low, span = plain ? 1 : std::max(1e-30, double{*high} - *low);
    for (std::size_t i = 0; i < one; ++i) {
      const double part = (r.worst_pixels[begin + i] - from) / span;
      bytes.push_back(
          static_cast<std::uint8_t>(std::lround(255 * std::clamp(std::isnan(part) ? 0 : part, 0.0, 1.0))));
    }
  }
  return bytes;
}

void worst(Json& j, const Record& r) {
  j.key("worst").object().key("images").array();
  for (const auto& w : r.test.worst)
    j.object()
        .entry("image", std::uint64_t{w.image})
        .entry("label", std::uint64_t{w.label})
        .entry("answer", std::uint64_t{w.answer})
        .key("loss")
        .value(w.loss, 6)
        .end();
  j.end().key("shape").object();
  j.entry("channels", std::uint64_t{r.image_shape.channels});
  j.entry("height", std::uint64_t{r.image_shape.height});
  j.entry("width", std::uint64_t{r.image_shape.width}).end();
  j.key("pixels").base64(bytes_of(r)).end();
}

void texts(Json& j, const char* key, const std::vector<std::string>& all) {
  j.key(key).array();
  for (const auto& text : all) j.value(text);
  j.end();
}

void training_object(Json& j, const Trained& t) {
  const Record& r = t.record;
  j.key("training").object();
  j.entry("status", train::name_of(r.status)).entry("message", r.message);
  j.entry("wanted", r.wanted).entry("best", r.best_epoch).entry("parameters", t.parameters);
  j.entry("chosen_by", r.chosen_by).entry("command_line", r.command_line).entry("data", r.data);
  texts(j, "overrides", t.origin.overrides);
  texts(j, "recipe", r.recipe);
  epochs(j, r);
  j.key("test").object().entry("images", r.test.images).entry("right", r.test.right).end();
  const auto classes =
      static_cast<std::uint64_t>(std::sqrt(static_cast<double>(r.test.confusion.size())) + 0.5);
  j.entry("classes", classes).key("confusion").values(r.test.confusion);
  worst(j, r);
  if (t.filters) {
    j.key("filters").object().entry("name", t.filters->name);
    j.entry("of", std::uint64_t{t.filters->of});
    j.key("shape").values(std::vector<std::uint64_t>(t.filters->shape.begin(), t.filters->shape.end()));
    j.key("values").values(t.filters->values, 6).end();
  }
  j.key("figures").object();
  named(j, accuracy_figure, accuracy_caption);
  named(j, loss_figure, loss_caption);
  named(j, confusion_figure);
  named(j, filters_figure);
  j.key("worst").object().entry("name", worst_figure.name).entry("title", worst_figure.title).end();
  j.end().end();
}

std::string training_json(const std::filesystem::path& path, const Trained& t) {
  Json j;
  j.object().key("run").object();
  j.entry("network", t.origin.network_name).entry("path", t.origin.network_path);
  j.entry("version", t.origin.version).entry("file", path.filename().string()).entry("bytes", t.bytes);
  j.end();
  for (const char* none : {"populations", "traces", "weights", "changes", "metrics", "warnings"})
    j.key(none).array().end();
  j.entry("yaml", t.origin.network.substr(0, 200'000)).entry("yaml_cut", t.origin.network.size() > 200'000);
  // Figures over time are over epochs here.
  j.key("end_ms").value(static_cast<double>(t.record.epochs.size()) + 0.5, 9).key("ms_per_tick").value(0.05);
  training_object(j, t);
  j.end();
  return j.text();
}

// --- pictures
// ------------------------------------------------------------------------------------------------------

template <class Lines>
std::optional<Picture> curves(const Trained& t, const Named& about, const char* label, double scale,
                              const Lines& lines) {
  const auto& epochs = t.record.epochs;
  double low = HUGE_VAL, high = -HUGE_VAL;
  std::vector<KeyEntry> key;
  for (std::size_t k = 0; k < lines.size(); ++k) {
    bool any = false;
    for (const auto& e : epochs) {
      const double y = e.*lines[k].value * scale;
      if (!std::isfinite(y)) continue;
      any = true;
      low = std::min(low, y), high = std::max(high, y);
    }
    if (any)
      key.push_back({.text = lines[k].text, .colour = line_colour(k).light, .dashes = lines[k].dashes});
  }
  if (key.empty()) return std::nullopt;
  const double room = std::max((high - low) * 0.05, 1e-3);
  Plot plot(fmt::format("{}: {}", t.origin.network_name, about.title),
            {.from = 0, .to = static_cast<double>(epochs.size()) + 0.5, .label = "epoch", .least = 1},
            {std::max(0.0, low - room), high + room, label}, key);
  for (std::size_t k = 0; k < lines.size(); ++k) {
    std::string d;
    bool pen = false;
    for (std::size_t i = 0; i < epochs.size(); ++i) {
      const double y = epochs[i].*lines[k].value * scale;
      if (std::isfinite(y))
        d += fmt::format("{}{:.1f} {:.1f}{}", pen ? "L" : "M", plot.x(static_cast<double>(i) + 1), plot.y(y),
                         pen ? "" : "h0.01");
      pen = std::isfinite(y);
    }
    if (!d.empty())
      plot.path(
          d,
          {.colour = line_colour(k).light, .width = 1.6, .dashes = lines[k].dashes, .name = lines[k].text});
  }
  return Picture{fmt::format("{}.svg", about.name), picture_mark + plot.svg()};
}

std::optional<Picture> filters(const Trained& t) {
  if (!t.filters) return std::nullopt;
  const auto& f = *t.filters;
  float most = 0;
  for (const float v : f.values) most = std::max(most, std::abs(v));
  const auto rows = f.shape[2], columns = f.shape[3], pictures = f.shape[0] * f.shape[1];
  const double cell = 64.0 / static_cast<double>(columns), tall = cell * static_cast<double>(rows) + 30;
  constexpr std::size_t across = 9;
  Sheet sheet(fmt::format("{}: {}", t.origin.network_name, filters_figure.title), 20 + across * 76);
  for (std::size_t p = 0; p < pictures; ++p) {
    const double x = 10 + 76 * static_cast<double>(p % across),
                 y = 36 + tall * static_cast<double>(p / across);
    for (std::size_t i = 0; i < rows * columns; ++i) {
      const float v = f.values[p * rows * columns + i];
      const double part = most > 0 && std::isfinite(v) ? std::pow(std::abs(v) / most, 0.8) : 0;
      sheet.rect(x + cell * static_cast<double>(i % columns), y + cell * static_cast<double>(i / columns),
                 cell, cell, mixed(line_colour(v > 0 ? 1 : 0).light, part));
    }
    sheet.text(
        x, y + tall - 18,
        f.shape[1] > 1 ? fmt::format("{}, from {}", p / f.shape[1], p % f.shape[1]) : fmt::format("{}", p));
  }
  return Picture{fmt::format("{}.svg", filters_figure.name), picture_mark + sheet.svg()};
}

/// One image of the worst, as rows of rectangles of one grey.
void image(Sheet& sheet, const std::uint8_t* pixels, const layers::Shape& shape, double x, double y) {
  const double cell = 84.0 / shape.width;
  for (std::uint32_t row = 0; row < shape.height; ++row)
    for (std::uint32_t from = 0, to = 0; from < shape.width; from = to) {
      const auto at = [&](std::uint32_t column) {
        return pixels[std::size_t{row} * shape.width + column] / 8;
      };
      while (to < shape.width && at(to) == at(from)) ++to;
      const int grey = at(from) * 17;
      sheet.rect(x + cell * from, y + cell * row, cell * (to - from), cell,
                 fmt::format("#{0:02x}{0:02x}{0:02x}", grey));
    }
}

std::optional<Picture> worst_images(const Trained& t) {
  const Record& r = t.record;
  const auto& shape = r.image_shape;
  if (r.test.worst.empty() || shape.area() < 2 || shape.area() > 10'000) return std::nullopt;
  const auto bytes = bytes_of(r);
  const double tall = 84.0 * shape.height / shape.width + 44;
  constexpr std::size_t across = 8, most = 16;
  Sheet sheet(fmt::format("{}: {}", t.origin.network_name, worst_figure.title), 20 + across * 96);
  for (std::size_t k = 0; k < std::min(most, r.test.worst.size()); ++k) {
    const double x = 10 + 96 * static_cast<double>(k % across),
                 y = 36 + tall * static_cast<double>(k / across);
    image(sheet, bytes.data() + k * shape.size(), shape, x, y);
    const auto& w = r.test.worst[k];
    sheet.text(x, y + tall - 30, fmt::format("{}, not {}", w.label, w.answer));
    sheet.text(x, y + tall - 16, fmt::format("no. {}", w.image));
  }
  return Picture{fmt::format("{}.svg", worst_figure.name), picture_mark + sheet.svg()};
}

}  // namespace

std::string training_page(const std::filesystem::path& model) {
  const auto t = read_trained(model);
  return page_around(training_json(model, t), t.origin.network_name);
}

std::string training_data(const std::filesystem::path& model) {
  return training_json(model, read_trained(model));
}

std::vector<Picture> training_pictures(const std::filesystem::path& model) {
  const auto t = read_trained(model);
  std::vector<Picture> all;
  const auto add = [&](std::optional<Picture> p) {
    if (p) all.push_back(std::move(*p));
  };
  add(curves(t, accuracy_figure, "accuracy (%)", 100, accuracies));
  add(curves(t, loss_figure, "cross entropy", 1, losses));
  add(confusion_picture(t.origin.network_name, t.record.test.confusion));
  add(filters(t));
  add(worst_images(t));
  return all;
}

}  // namespace spinet::look
