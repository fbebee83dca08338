// What training leaves behind and what it goes on from, in memory and in the model's file.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "images/images.hpp"
#include "layers/trainer.hpp"
#include "log/model_file.hpp"
#include "train/examine.hpp"

namespace spinet::train {

/// One epoch.  Accuracies are parts of 1; losses mean cross entropies, natural logarithm.
struct Epoch {
  double rate = 0;
  double loss = 0, accuracy = 0;  ///< of the steps: each batch before it was trained on, batch statistics
  double validation_loss = 0, validation_accuracy = 0;  ///< NaN: nothing was left out to validate with
  double test_loss = 0, test_accuracy = 0;
  /// Of the test images, and of those to validate with, with statistics re-estimated on training images.
  double recalibrated_accuracy = 0, recalibrated_validation_accuracy = 0;
  double seconds = 0;  ///< wall time of the steps: all that depends on the machine
};

enum class Status : std::uint8_t { running, complete, ended_early, stopped, failed };
const char* name_of(Status status);

/// How far an epoch is that was left in the middle.
struct Partial {
  std::uint64_t batches = 0, images = 0, right = 0;
  double loss = 0;     ///< sum over images
  double seconds = 0;  ///< of its steps so far
};

/// What was asked for, as lines "name = value": training goes on only with the same ones.
using Recipe = std::vector<std::string>;

struct Record {
  Status status = Status::running;
  std::string message;  ///< why it failed
  std::uint64_t wanted = 0;
  std::vector<Epoch> epochs;
  std::uint64_t best_epoch = 0;  ///< counted from 1; 0: none yet
  layers::Model best, last;      ///< after the best epoch, and as far as it got
  layers::Trainer::State state;
  Partial partial;
  Examined test;  ///< of the best model
  std::uint32_t seed = 1;
  Recipe recipe;
  std::string chosen_by;            ///< "validation" or "test": the accuracy that the best epoch is chosen by
  std::string command_line;         ///< of the last process
  std::string data;                 ///< folder of the images
  layers::Shape image_shape;        ///< of the worst images
  std::vector<float> worst_pixels;  ///< of Examined::worst, one after the other, as the files have them
};

/// Puts it all into the model's file: group `training` with the epochs and the state, `last` with the last
/// model.  Throws std::runtime_error; what stood there is then as it was.
void write_record(const std::filesystem::path& path, const layers::Plan& plan, const ModelOrigin& origin,
                  const Record& record);

/// Throws InvalidModel: no file of `spinet train`, damaged, or of another network.
Record read_record(const std::filesystem::path& path, const layers::Plan& plan);
/// The same without the models, whatever the network.
Record read_history(const std::filesystem::path& path);

/// Whether a model's file has anything of how it was trained.
bool is_trained(const std::filesystem::path& path);

/// "" or the first line that differs: "batch is 64 there and 32 here".
std::string difference(const Recipe& there, const Recipe& here);

}  // namespace spinet::train
