// mtj: stochastic binary magnetic tunnel junctions as a synapse, one or several side by side.
//
// The junction and its chance are in mtj.hpp, the probability that a pulse switches it in mtj_law.hpp.  A
// positive voltage makes junctions parallel, a negative one antiparallel; it acts at its begin, on each
// junction by chance: after N pulses of probability p, Binomial(m, 1 - (1 - p)^N) of m junctions have
// switched.
//
// Weight.  w_max (G - G_ref) / G_max, G of all junctions together, G_max of all of them parallel.
//
// Energy.  A pulse costs what flows before the flip and after it; that comes where the hazard up to then is
// what was left.
#include "mtj_model.hpp"

namespace {
using namespace spinet;
using Base = mtj::Model<struct Mtj>;

struct Mtj : Base {
  static constexpr const char* name = "mtj";
  static constexpr const char* doc =
      "Stochastic magnetic tunnel junctions: pulses switch each of them with a probability set by amplitude "
      "and width.";
  static constexpr Stimulus stimuli[] = {device::pulse, device::read};
  enum { a_pulse, a_read };
  struct Params : Base::Params {
    double junctions;
  };

  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::junctions, "junctions", "1", 1, between(1, most), integer,
          "that make a synapse, side by side; each has its own chance, spread and faults");
    add_params(t, "sd of ln of -ln(1 - P), from pulse to pulse");
    return t;
  }
  static std::uint32_t count(const Params& p) { return static_cast<std::uint32_t>(p.junctions); }
  static std::uint32_t devices(const Params& p) { return count(p); }

  static void on_pre(Synapses<Mtj> n, double* out) {
    for (std::uint32_t i = 0; i < n.size(); ++i) out[i] = met(n, i);
  }
  /// Of junctions that are alike.
  static mtj::Pulse common(Synapses<Mtj> n, const Control& c) {
    if (c.stimulus != a_pulse || n.differ()) return {};
    return pulse_of(n.shared(), all(n), c.value[0], c.value[1]);
  }
  static void on_control(Synapses<Mtj> n, const Control& c, const mtj::Pulse& alike) {
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      if (c.stimulus == a_read) n[i].reading = read_out(n, i);
      if (c.stimulus != a_pulse) continue;
      each(n, i, [&](std::uint32_t d, const Params& own) {
        mtj::Pulse p = n.differ() ? pulse_of(n.shared(), own, c.value[0], c.value[1]) : alike;
        p.factor = device::cycle_factor(n, i, d, 1), p.at = n.s.tick;
        apply(n, i, d, own, p);
      });
      show(n, i);
    }
  }
};
}  // namespace

SPINET_MODEL(synapse_table<Mtj>())
