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

/// The model with statistics of batch normalisation estimated anew on these images.  It takes as long as the
/// forward half of training on them: a third of an epoch's steps.  Collective.
layers::Model recalibrated_on(const layers::Plan& plan, const layers::Model& model,
                              const images::Images& images, std::span<const std::uint32_t> which,
                              Transport& transport);

/// A batch for layers::Trainer and layers::Recalibration, whose channels images::channels_in tells: room for
/// all of it, and the images of this rank.
void lay_out_share(const images::Images& images, const layers::Plan& plan,
                   std::span<const std::uint32_t> batch, const Transport& transport,
                   std::vector<float>& pixels);

/// The label of the greatest output, the first of equals.
std::uint32_t answer_of(std::span<const float> outputs);
/// Cross entropy of the softmax of the outputs, natural logarithm.
double loss_of(std::span<const float> outputs, std::uint32_t label);

}  // namespace spinet::train
