// em_activation: a graded neuron of layered networks that reads out devices after a number of pulses.
//
// The sum x of the inputs and the bias becomes n = gain x pulses.  Each device then has a state on a curve
// c + a exp(-n / tau_fast) + b exp(-n / tau_slow), and the neuron sends a weighted sum of all states; so that
// is such a curve, too: constant + fast exp(-n / tau_fast) + slow exp(-n / tau_slow).  Far below n = 0 the
// exponentials stop growing at exp(600), so that there is an answer to any input.
#include "layer.hpp"
#include "spinet/math.hpp"

namespace {
using namespace spinet;

struct EmParams : layer::Params {
  double constant, fast, slow, tau_fast, tau_slow, gain, n_min, n_max, whole;
};

struct EmActivation : layer::Adding<EmActivation, EmParams> {
  static constexpr const char* name = "em_activation";
  static constexpr const char* doc =
      "Graded neuron of a layer: its input is a number of pulses, its answer a weighted sum of devices' "
      "states "
      "after them.";
  struct Constants {
    layer::Constants common;
    double constant, fast, slow, per_fast, per_slow, gain, n_min, n_max;
    bool whole;
  };

  static auto params() {
    FieldTable<Params> t;
    layer::add_params(t);
    t.add(&Params::constant, "constant", "1", 0, any(), plain,
          "answer after many pulses; of the curves, if given")
        .add(&Params::fast, "fast", "1", 0, any(), plain, "what goes with tau_fast; of the curves, if given")
        .add(&Params::slow, "slow", "1", 0, any(), plain, "what goes with tau_slow; of the curves, if given")
        .add(&Params::tau_fast, "tau_fast", "1", 4, above(0), plain, "pulses; of the curves, if given")
        .add(&Params::tau_slow, "tau_slow", "1", 25, above(0), plain, "pulses; of the curves, if given")
        .add(&Params::gain, "gain", "1", 3, any(), plain, "pulses for an input of 1 (not in the paper)")
        .add(&Params::n_min, "n_min", "1", 0, any(), plain, "least number of pulses, where n_max is above it")
        .add(&Params::n_max, "n_max", "1", 0, any(), plain,
             "greatest number of pulses; not above n_min: any number")
        .choice(&Params::whole, "mode", "formula pulses", "formula: n is any number; pulses: n is rounded");
    return t;
  }
  static Constants constants_of(const Params& p, const RunInfo& run) {
    const double none = std::numeric_limits<double>::infinity();
    const bool kept = p.n_max > p.n_min;
    return {layer::constants(p, run), p.constant,     p.fast, p.slow,
            1 / p.tau_fast,           1 / p.tau_slow, p.gain, kept ? p.n_min : -none,
            kept ? p.n_max : none,    p.whole != 0};
  }
  static void answers(Neurons<EmActivation> n, std::span<const std::uint32_t> js, double* x) {
    constexpr double most = 600;
    double e[2 * layer::at_once];
    for (std::size_t i = 0; i < js.size(); ++i) {
      const Constants& c = n.constants(js[i]);
      double pulses = std::min(std::max(c.gain * x[i], c.n_min), c.n_max);
      if (c.whole) pulses = std::nearbyint(pulses);
      e[2 * i] = std::min(-pulses * c.per_fast, most), e[2 * i + 1] = std::min(-pulses * c.per_slow, most);
    }
    math::exp_each(e, 2 * js.size());
    for (std::size_t i = 0; i < js.size(); ++i) {
      const Constants& c = n.constants(js[i]);
      x[i] = c.constant + c.fast * e[2 * i] + c.slow * e[2 * i + 1];
    }
  }
};
}  // namespace

SPINET_MODEL(spinet::neuron_table<EmActivation>())
