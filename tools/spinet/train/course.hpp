// A course of training: epochs of shuffled batches, each followed by a look at images that it is not trained
// on.
#pragma once
#include <functional>
#include <memory>

#include "train/order.hpp"
#include "train/record.hpp"

namespace spinet::train {

/// What is trained, and on what.  All of it must outlive the course.
struct Task {
  const layers::Plan& plan;
  const layers::Training& training;
  std::uint32_t seed = 1;
  const images::Images &training_images, &test_images;
};

/// How far an epoch is.
struct Progress {
  std::uint64_t epoch = 0, epochs = 0;   ///< epoch counts from 1
  std::uint64_t batch = 0, batches = 0;  ///< done, in this epoch
  double loss = 0, accuracy = 0;         ///< of the epoch so far
};

struct Hooks {
  std::function<bool()> stop{};  ///< asked after each batch, on every rank; true on any ends them all
  std::function<void(const Progress&)> progress{};
  std::function<void(const Record&)> epoch{};  ///< after each epoch
  /// Keeps the record, so that training can go on from it: after each epoch, when stopped, when failed.
  std::function<void(const Record&)> keep{};
};

/// A record to begin with: nothing trained, the recipe of the task, the model as it is drawn.
Record beginning(const Task& task, const layers::Model& initial);

/// The lines that make two courses the same, whatever the number of their epochs.
Recipe recipe_of(const Task& task);
/// Its line of the network: alike for networks of the same parts, curves, clamps, decays and epsilons.
std::string network_line(const layers::Plan& plan);

/// The images that a batch of an epoch has.  A last batch of one image is left out: it has no variance.
std::uint64_t batches_of(std::size_t images, std::uint32_t batch);

/// Trains on from `record` until all epochs are done, patience is at its end, or it is stopped; the result is
/// the record then.  A number that is not finite ends it with Status::failed: the record is that of the epoch
/// before, and its message names the layer.  Collective; hooks are called on every rank.
/// Throws InvalidModel-like std::invalid_argument where the record's state is not the plan's.
Record run(const Task& task, Record record, Transport& transport, const Hooks& hooks);

}  // namespace spinet::train
