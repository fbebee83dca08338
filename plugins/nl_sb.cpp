// nl_sb: a non-linear synapse with soft bounds: each pair of nearest spikes takes it a part 1/n of the way to
// its bound.  S. Brivio, D. R. B. Ly, E. Vianello, S. Spiga, "Non-linear memristive synaptic dynamics for
// efficient unsupervised learning in spiking neural networks" (2021); S. Fusi, L. F. Abbott, "Limits on the
// memory storage capacity of bounded synapses" (2007).  A later step leaves (1 - 1/n) of what an earlier one
// made, whatever the share of potentiations.  The windows of the pairs are not in the papers.
#include "nearest_pairs.hpp"

namespace {
using namespace spinet;

struct NonLinearSoftBound : pairs::Steps<NonLinearSoftBound> {
  static constexpr const char* name = "nl_sb";
  static constexpr const char* doc =
      "Non-linear soft bounds: each pair of nearest spikes takes the weight 1/n of the way to its bound.";
  static double up(double w, double step) { return w + (1 - w) * step; }
  static double down(double w, double step) { return w - w * step; }
};
}  // namespace

SPINET_MODEL(synapse_table<NonLinearSoftBound>())
