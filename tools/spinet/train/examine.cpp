#include "train/examine.hpp"

#include <algorithm>
#include <cmath>

#include "layers/trainer.hpp"

namespace spinet::train {
namespace {

constexpr std::size_t most_worst = 24;      ///< that are kept
constexpr std::size_t at_once = 512;        ///< images laid out at a time, to save memory
constexpr std::size_t to_calibrate = 8192;  ///< the mean of a channel is known to 1 % of its spread

bool worse(const Wrong& a, const Wrong& b) { return a.loss != b.loss ? a.loss > b.loss : a.image < b.image; }

void count(Examined& e, const Wrong& one, std::uint32_t classes) {
  ++e.images;
  e.loss += one.loss;
  ++e.confusion[std::size_t{one.label} * classes + one.answer];
  if (one.answer == one.label) return void(++e.right);
  e.worst.insert(std::upper_bound(e.worst.begin(), e.worst.end(), one, worse), one);
  if (e.worst.size() > most_worst) e.worst.pop_back();
}

}  // namespace

std::uint32_t answer_of(std::span<const float> outputs) {
  return static_cast<std::uint32_t>(std::max_element(outputs.begin(), outputs.end()) - outputs.begin());
}

double loss_of(std::span<const float> outputs, std::uint32_t label) {
  const double most = *std::max_element(outputs.begin(), outputs.end());
  double sum = 0;
  for (const float o : outputs) sum += std::exp(o - most);
  return most + std::log(sum) - outputs[label];
}

Examined examine(const layers::Plan& plan, const layers::Model& model, const images::Images& images,
                 std::span<const std::uint32_t> which, Transport& transport) {
  const auto classes = plan.classes();
  Examined e;
  e.confusion.resize(std::size_t{classes} * classes);
  std::vector<float> pixels;
  for (std::size_t first = 0; first < which.size(); first += at_once) {
    const auto some = which.subspan(first, std::min(at_once, which.size() - first));
    pixels.resize(some.size() * plan.input().size());
    images::lay_out(images, plan.input(), some, pixels);
    const auto outputs = layers::outputs(plan, model, pixels, transport);
    for (std::size_t i = 0; i < some.size(); ++i) {
      const std::span<const float> own(outputs.data() + i * classes, classes);
      const auto label = images.labels[some[i]];
      count(e, {some[i], label, answer_of(own), loss_of(own, label)}, classes);
    }
  }
  if (e.images) e.loss /= static_cast<double>(e.images);
  return e;
}

layers::Model recalibrated_on(const layers::Plan& plan, const layers::Model& model,
                              const images::Images& images, std::span<const std::uint32_t> which,
                              Transport& transport) {
  if (plan.statistics == 0) return model;
  std::vector<std::uint32_t> some(std::min(which.size(), to_calibrate));
  for (std::size_t i = 0; i < some.size(); ++i) some[i] = which[i * which.size() / some.size()];
  std::vector<float> pixels(some.size() * plan.input().size());
  images::lay_out(images, plan.input(), some, pixels);
  return layers::recalibrated(plan, model, pixels, transport);
}

}  // namespace spinet::train
