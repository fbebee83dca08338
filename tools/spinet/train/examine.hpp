// How good a model is on images that it is not trained on.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "comm/transport.hpp"
#include "images/images.hpp"
#include "layers/plan.hpp"

namespace spinet::train {

/// An image whose greatest output is not its label's.
struct Wrong {
  std::uint32_t image = 0, label = 0, answer = 0;
  double loss = 0;  ///< cross entropy, natural logarithm
};

struct Examined {
  std::uint64_t images = 0, right = 0;
  double loss = 0;                       ///< mean cross entropy
  std::vector<std::uint64_t> confusion;  ///< [label][answer]
  std::vector<Wrong> worst;              ///< by falling loss, then by number
  double accuracy() const { return images ? static_cast<double>(right) / static_cast<double>(images) : 0; }
};

/// Answers to these images, with the model's statistics as they are.  Collective; every rank gets the same.
Examined examine(const layers::Plan& plan, const layers::Model& model, const images::Images& images,
                 std::span<const std::uint32_t> which, Transport& transport);

/// Mean over `images` with statistics of batch normalisation estimated anew on some of these: all of them up
/// to 8,192, else as many evenly spaced ones.  Collective.
layers::Model recalibrated_on(const layers::Plan& plan, const layers::Model& model,
                              const images::Images& images, std::span<const std::uint32_t> which,
                              Transport& transport);

/// The label of the greatest output, the first of equals.
std::uint32_t answer_of(std::span<const float> outputs);
/// Cross entropy of the softmax of the outputs, natural logarithm.
double loss_of(std::span<const float> outputs, std::uint32_t label);

}  // namespace spinet::train
