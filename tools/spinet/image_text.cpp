// What a run of images says at its end.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "image_text.hpp"
#include "network/printable.hpp"
#include "text.hpp"

namespace spinet::tool {
namespace {

constexpr std::uint32_t most_classes = 20;  ///< of a matrix that a terminal has room for

std::string confusion_text(const ImageResults& r) {
  const auto m = r.confusion();
  const auto width = grouped(*std::max_element(m.begin(), m.end())).size() + 2;
  std::string text = "\nlabel | predicted\n      |";
  for (std::uint32_t c = 0; c < r.classes; ++c) text += fmt::format("{:>{}}", c, width);
  for (std::uint32_t l = 0; l < r.classes; ++l) {
    text += fmt::format("\n{:>5} |", l);
    for (std::uint32_t c = 0; c < r.classes; ++c) {
      const auto n = m[std::size_t{l} * r.classes + c];
      text += fmt::format("{:>{}}", n ? grouped(n) : ".", width);
    }
  }
  return text + "\n";
}

template <class Number>
double mean_of(const std::vector<Number>& all) {
  const auto sum = std::accumulate(all.begin(), all.end(), Number{0});
  return all.empty() ? 0 : static_cast<double>(sum) / static_cast<double>(all.size());
}

std::string layers_text(const ImageResults& r) {
  std::size_t width = 10;
  for (const auto& layer : r.layers) width = std::max(width, layer.population.size());
  auto text = fmt::format("\n{:<{}}  {:>14}  {:>14}\n", "an image", width, "spikes", "events");
  double all = 0;
  for (const auto& layer : r.layers) {
    all += mean_of(layer.events);
    text += fmt::format("{:<{}}  {:>14.1f}  {:>14.1f}\n", printable_line(layer.population), width,
                        mean_of(layer.spikes), mean_of(layer.events));
  }
  return text + fmt::format("{:<{}}  {:>14}  {:>14.1f}\n", "together", width, "", all);
}

std::string energy_text(double nJ) {
  if (nJ != 0 && std::abs(nJ) < 1) return fmt::format("{:.4g} pJ", nJ * 1e3);
  return std::abs(nJ) < 1000 ? fmt::format("{:.4g} nJ", nJ) : fmt::format("{:.4g} uJ", nJ * 1e-3);
}

/// By the devices' own figures.
std::string energies_text(const ImageResults& r) {
  if (r.energies.empty()) return fmt::format("energy: {}\n", printable_line(r.without_energy));
  std::string parts;
  double all = 0;
  for (const auto& e : r.energies) {
    parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", printable_line(e.projection),
                         energy_text(mean_of(e.nJ)));
    all += mean_of(e.nJ);
  }
  return fmt::format("energy of devices an image: {} ({})\n", energy_text(all), parts);
}

}  // namespace

std::string image_text(const ImageResults& r, double run_seconds) {
  if (r.labels.empty()) return "\nno image was shown to its end\n";
  std::string text = layers_text(r);
  if (r.classes <= most_classes) text += confusion_text(r);
  const auto count = r.labels.size();
  text += fmt::format("\naccuracy {:.2f} %: {} of {} {} images{}\n", 100.0 * r.accuracy(), grouped(r.right()),
                      grouped(count), printable_line(r.part),
                      r.weights.empty() ? ", with initial weights: nothing is learned yet" : "");
  text += energies_text(r);
  if (!(run_seconds > 0)) return text;
  return text + fmt::format("{} in {}, {} an image\n", plural(count, "image"), time_text(run_seconds),
                            time_text(run_seconds / static_cast<double>(count)));
}

}  // namespace spinet::tool
