// lhb: a linear synapse with hard bounds: each pair of nearest spikes takes it by 1/n of its range, at most
// to its bound.  S. Brivio, D. R. B. Ly, E. Vianello, S. Spiga, "Non-linear memristive synaptic dynamics for
// efficient unsupervised learning in spiking neural networks" (2021); S. Fusi, L. F. Abbott, "Limits on the
// memory storage capacity of bounded synapses" (2007).  Of what a step made, each later one leaves in the end
// a part 2 sqrt(f (1 - f)) cos(pi / (n + 1)), f the share of potentiations: the second eigenvalue of a walk
// over n + 1 values.  The windows of the pairs are not in the papers.
#include "nearest_pairs.hpp"

namespace {
using namespace spinet;

struct LinearHardBound : pairs::Steps<LinearHardBound> {
  static constexpr const char* name = "lhb";
  static constexpr const char* doc =
      "Linear hard bounds: each pair of nearest spikes moves the weight by 1/n of its range, at most to its "
      "bound.";
  static double up(double w, double step) { return w + step < 1 ? w + step : 1; }
  static double down(double w, double step) { return w - step > 0 ? w - step : 0; }
};
}  // namespace

SPINET_MODEL(synapse_table<LinearHardBound>())
