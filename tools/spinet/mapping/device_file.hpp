// What `spinet program` and `spinet learn` leave in a model file beside the model: groups `devices` and
// `learning`, as engine/log/FORMAT.md describes them.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "log/h5.hpp"
#include "mapping/mapped.hpp"
#include "network/catalogue.hpp"
#include "spinet/converter.hpp"

namespace spinet::mapping {

/// How programmed weights came out, and how they are read.
struct Programmed {
  struct Projection {
    std::string name, model;
    double reached = 0, pulses = 0, error = 0, error_at_end = 0;  ///< as Written has it
    Range range;
  };
  struct Reader {
    std::string layer;
    Converter converter;
  };
  std::vector<Projection> projections;
  std::vector<Reader> converters;                      ///< of layers whose sums are read by one
  std::vector<double> seconds, error, accuracy, loss;  ///< after writing; root of the mean square of all
  std::uint64_t images = 0;
  double accuracy_before = 0, spent = 0;  ///< of the trained model; by writing [nJ], 0: not counted
  std::uint32_t images_per_read = 250;
  double read_period = 1e-3;  ///< [s]
  bool compensate = false;    ///< are readings scaled by what they have lost together?
};

/// Writes the group `devices` but for the devices themselves.
void write_programmed(hid_t file, const Programmed&);
/// Adds the devices of a projection: `state` below it.
void write_devices(hid_t file, const std::string& projection, const Kept&, const SynapseTable&,
                   const Catalogue&);
/// Nothing: the file has none.  Throws InvalidModel: they are damaged.
std::optional<Programmed> read_programmed(const std::filesystem::path&);
/// The devices of a projection with so many weights.  Throws InvalidModel: damaged, of a model that is not
/// there, with numbers that the model does not allow, or kept as states by another build of it.
Mapped read_devices(const std::filesystem::path&, const Programmed::Projection&, std::size_t weights,
                    const Catalogue&);

/// What came of learning on devices: before the first epoch, and after each.
struct Learnt {
  std::string rule, device;
  std::vector<double> test_accuracy, loss, pulses, spent;  ///< pulses and energy [nJ] so far
  std::vector<double> saturated;                           ///< share of an epoch's trains of pulses
};
void write_learnt(hid_t file, const Learnt&);
std::optional<Learnt> read_learnt(const std::filesystem::path&);

}  // namespace spinet::mapping
