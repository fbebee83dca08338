// A trained model on disk: every part by the name of its layer or connection, so that other programs can read
// and make one.  FORMAT.md says what the file holds.
#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "layers/plan.hpp"
#include "log/error.hpp"
#include "log/h5.hpp"

namespace spinet {

/// A model that does not fit a network, or a file that is none.  Wrong input, not a run that failed.
struct InvalidModel : LogError {
  using LogError::LogError;
};

/// What a model was trained from.
struct ModelOrigin {
  std::string version, network_name, network_path;
  std::string network;                   ///< YAML as it was read
  std::vector<std::string> overrides{};  ///< "parameters.rate=1e-4"
};

/// What must be alike for a model to fit a network: a line for each layer, then for each connection, with
/// shapes, answers, joins and windows.  Values (gains, clamps, curves) may differ, their number may not.
/// "layer c1: 6 x 24 x 24, em of 2 curves, 6 biases"
std::vector<std::string> parts_of(const layers::Plan& plan);

/// Writes a model under another name and gives it its own when it is whole.  `more`, if any, adds groups of
/// its own to the file.  Throws std::runtime_error with file and reason; what stood there is then as it was.
void write_model(const std::filesystem::path& path, const layers::Plan& plan, const ModelOrigin& origin,
                 const layers::Model& model, const std::function<void(hid_t file)>& more = {});

/// Groups `layers` and `connections` of a model, below `at`.
void write_parts(hid_t at, const layers::Plan& plan, const layers::Model& model);
/// Reads them.  Throws h5::Error: a part is missing, of another shape (the message has both), or has a value
/// that is not finite or a variance below 0.
layers::Model read_parts(hid_t at, const layers::Plan& plan);

/// Opens a model file for reading.  Throws InvalidModel: it is missing, damaged or holds no model.
h5::Id open_model(const std::filesystem::path& path);
/// Whether it is an HDF5 file that holds a model; whatever is wrong otherwise is said by `open_model`.
bool is_model(const std::filesystem::path& path);

/// The model of a file.  Throws InvalidModel: as above, or the model is of another network than the plan's;
/// then it names the first layer or connection that differs, with both shapes.
layers::Model read_model(const std::filesystem::path& path, const layers::Plan& plan);
ModelOrigin read_model_origin(const std::filesystem::path& path);
/// Its `parts_of` lines, as the file has them.
std::vector<std::string> read_model_parts(const std::filesystem::path& path);

}  // namespace spinet
