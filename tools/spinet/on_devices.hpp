// What `spinet program` and `spinet learn` share: devices that weights lie on, and images.
#pragma once
#include <optional>
#include <string>

#include "commands.hpp"
#include "device/record.hpp"
#include "images/images.hpp"
#include "layers/plan_of.hpp"
#include "mapping/mapped.hpp"

namespace spinet::tool {

/// What is not given is what the network says of its devices, or a preset.
struct WritingOptions {
  std::string device, up, down, period;
  DeviceChoice choice;
  std::optional<double> tolerance;  ///< % of the range
  std::optional<std::uint32_t> most, seed;
};
/// Adds --device, --up, --down and how devices are written.
void add_writing_options(CLI::App& sub, WritingOptions& o);

/// The devices of a projection: what the network says (null: nothing), and in its place what options say; of
/// another device (--device) pulses and parameters are those of the options alone.  Throws UserError.
DeviceMapping chosen_devices(const WritingOptions& o, const Catalogue& catalogue, const DeviceMapping* said);
/// Some of them, from number `first` on, with what they differ in.  Throws UserError.
Devices::Make some_devices(const DeviceMapping& m, std::uint32_t seed, std::uint32_t first,
                           std::uint32_t count);
/// How they are written.  Throws UserError where pulses do not do what they are to do.
mapping::Scheme scheme_of(const DeviceMapping& m, std::uint32_t seed);

/// "12.5 uJ, 3.1 nJ a pulse"
std::string spent_text(double nJ, std::int64_t pulses);

/// The images of a part that go into the plan's input.  Throws UserError.
images::Images images_of(const std::string& folder, images::Part part, const layers::Plan& plan);

}  // namespace spinet::tool
