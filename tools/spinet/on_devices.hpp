// What `spinet program` and `spinet learn` share: devices that weights lie on, and images.
#pragma once
#include <string>

#include "commands.hpp"
#include "device/record.hpp"
#include "images/images.hpp"
#include "layers/plan_of.hpp"
#include "mapping/mapped.hpp"

namespace spinet::tool {

struct WritingOptions {
  std::string device, up, down, period = "20ms";
  DeviceChoice choice;
  double tolerance = 1;  ///< % of the range
  std::uint32_t most = 100;
};
/// Adds --device, --up, --down and how devices are written.
void add_writing_options(CLI::App& sub, WritingOptions& o);

/// Devices of this choice that do not differ.  Throws UserError.
Devices::Make devices_alike(const WritingOptions& o, const SynapseTable& t);
/// How they are written.  Throws UserError, also where pulses do not do what they are to do.
mapping::Scheme scheme_of_options(const WritingOptions& o, const SynapseTable& t);

/// The images of a part that go into the plan's input.  Throws UserError.
images::Images images_of(const std::string& folder, images::Part part, const layers::Plan& plan);

}  // namespace spinet::tool
