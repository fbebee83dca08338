// One pass of a batch through a layered network, forwards and backwards, on this rank's shards.  The scalar
// type is float for training; double for those who compare gradients with differences.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "layers/kernels/kernels.hpp"
#include "layers/plan.hpp"
#include "layers/tree.hpp"

namespace spinet::layers {

/// Up to 8 images of one shard.
struct Group {
  std::uint32_t shard = 0, count = 0;
  std::size_t first = 0;  ///< image of the batch
};

/// The groups of a batch that shards `begin` to before `end` of `shards` have.
std::vector<Group> groups_of(std::size_t images, std::uint32_t shards, std::uint32_t begin,
                             std::uint32_t end);

enum class Mode : std::uint8_t {
  train,    ///< normalised by the batch itself, with dropout
  observe,  ///< normalised by the batch itself
  apply,    ///< normalised by running statistics
};

Channels channels_of(const Plan&, std::span<const float> pixels);

template <class T>
struct Result {
  double loss = 0;  ///< sum over the batch
  std::uint32_t right = 0;
  int bad_layer = -1;           ///< the first one with a number that is none
  std::span<const T> gradient;  ///< of the mean loss; train alone
};

template <class T>
class Pass {
 public:
  struct Images {
    std::span<const float> pixels;
    std::span<const std::uint32_t> labels;  ///< none: no loss
    std::optional<Channels> channels{};     ///< not given: all channels are there, and looked at
  };
  Pass(const Plan&, const Kernels<T>&, Transport&, std::uint32_t shards);
  Pass(const Pass&) = delete;
  Pass& operator=(const Pass&) = delete;
  ~Pass();

  /// Loss and gradient.  Pixels of images that are other ranks' (Shares, groups_of) may be anything, if
  /// `channels` are given.  `draw`: (seed, step) of dropout.  Collective.
  Result<T> train(std::span<const T> parameters, std::span<const T> statistics, const Images&,
                  std::pair<std::uint32_t, std::uint64_t> draw);
  /// Of the last batch, in train and observe: as Plan has statistics; variances without bias where
  /// there are several numbers, else 0.
  std::span<const double> statistics() const;
  /// For how many numbers each of these stands.
  std::span<const double> counted() const;
  /// Forwards alone, normalised by the batch; for statistics().  Without labels.  Collective.
  void observe(std::span<const T> parameters, std::span<const T> statistics, const Images&);
  /// From now on `apply` notes how far the sums of each layer reach from 0: the greatest so far.
  std::span<const double> watch();
  /// Outputs of these images with running statistics, here alone.
  void apply(std::span<const T> parameters, std::span<const T> statistics, const Images&, T* to);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace spinet::layers
