// glassy_6: the device of glassy.cpp with six fronts, in 40 bytes.
#include "glassy_model.hpp"

namespace {
using namespace spinet;

struct Glassy6 : glassy::Model<Glassy6, 6> {
  static constexpr const char* name = "glassy_6";
  static constexpr const char* doc = "As glassy, in 40 bytes: six fronts; for many devices.";
};
}  // namespace

SPINET_MODEL(synapse_table<Glassy6>())
