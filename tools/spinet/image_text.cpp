// What a run of images says at its end.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "image_run.hpp"
#include "text.hpp"

namespace spinet::tool {
namespace {

constexpr std::uint32_t most_classes = 20;  ///< of a matrix that a terminal has room for

/// Rows: labels; columns: predicted.
std::vector<std::uint64_t> confusion_of(const ImageResults& r) {
  std::vector<std::uint64_t> m(std::size_t{r.classes} * r.classes);
  for (std::size_t i = 0; i < r.labels.size(); ++i)
    ++m[std::size_t{r.labels[i]} * r.classes + r.predicted[i]];
  return m;
}

std::string confusion_text(const ImageResults& r) {
  const auto m = confusion_of(r);
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

double mean_of(const std::vector<std::uint64_t>& all) {
  const auto sum = std::accumulate(all.begin(), all.end(), std::uint64_t{0});
  return all.empty() ? 0 : static_cast<double>(sum) / static_cast<double>(all.size());
}

std::string layers_text(const ImageResults& r) {
  std::size_t width = 10;
  for (const auto& layer : r.layers) width = std::max(width, layer.population.size());
  auto text = fmt::format("\n{:<{}}  {:>14}  {:>14}\n", "an image", width, "spikes", "events");
  double all = 0;
  for (const auto& layer : r.layers) {
    all += mean_of(layer.events);
    text += fmt::format("{:<{}}  {:>14.1f}  {:>14.1f}\n", layer.population, width, mean_of(layer.spikes),
                        mean_of(layer.events));
  }
  return text + fmt::format("{:<{}}  {:>14}  {:>14.1f}\n", "together", width, "", all);
}

}  // namespace

std::string image_summary(const ImageResults& r, const Totals& t) {
  if (r.labels.empty()) return "\nno image was shown to its end\n";
  std::string text = layers_text(r);
  if (r.classes <= most_classes) text += confusion_text(r);
  const auto count = r.labels.size();
  text += fmt::format("\naccuracy {:.2f} %: {} of {} {} images{}\n",
                      100.0 * static_cast<double>(r.right()) / static_cast<double>(count), grouped(r.right()),
                      grouped(count), r.part,
                      r.weights.empty() ? ", with initial weights: nothing is learned yet" : "");
  return text + fmt::format("{} in {}, {} an image\n", plural(count, "image"),
                            time_text(t.statistics.run_seconds),
                            time_text(t.statistics.run_seconds / static_cast<double>(count)));
}

}  // namespace spinet::tool
