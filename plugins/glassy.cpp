// glassy: a glassy molecular spin valve as a synapse, LSMO/Gaq3/AlOx/Co, written by voltage pulses, relaxing
// in closed form between them.  The device, its measurements and its source are in glassy.hpp.
#include "glassy_model.hpp"

namespace {
using namespace spinet;

struct Glassy : glassy::Model<Glassy, 8> {
  static constexpr const char* name = "glassy";
  static constexpr const char* doc =
      "Glassy molecular spin valve: pulses act and fade with the logarithm of their number and of time.";
};
}  // namespace

SPINET_MODEL(synapse_table<Glassy>())
