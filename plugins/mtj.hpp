// Binary magnetic tunnel junctions, as the plugins of this folder share them.  What is known: J. Grollier, D.
// Querlioz, M. D. Stiles, "Spintronic nanodevices for bioinspired computing" (2016): the probability of
// switching is set from 0 to 1 by the amplitude and the width of a pulse, the conductance by the direction of
// two magnets.  The numbers are a choice, and parameters.
//
// Chance.  A junction flips when what is left of its hazard, a number of an exponential distribution of mean
// 1, is used up: a pulse that could switch it takes -ln(1 - P), a wait the rate of idle switching times its
// length.  The next such number is that of the junction's key, which it draws once, and of the flips so far:
// one draw a flip, and none by looking.
#pragma once
#include "mtj_law.hpp"
#include "spinet/reality.hpp"
#include "spinet/synapse.hpp"

namespace spinet::mtj {

/// As networks give them: kOhm, V, ns.  The first fields of a model's `Params`.
struct Constants {
  double R_P, R_AP, g, V_c, Delta, tau_D, tau_0;
  /// Of a junction: at level 0 antiparallel, at 1 parallel [uS].
  double conductance(double level) const { return g * 1e3 * (1 / R_AP + (1 / R_P - 1 / R_AP) * level); }
  /// Flips by itself, either way [1/ms].
  double idle() const { return 1e6 / tau_0 * math::exp(-Delta); }
};
template <class Params>
void add_constants(FieldTable<Params>& t) {
  t.add(&Params::R_P, "R_P", "kOhm", 6, above(0), spread,
        "resistance of a parallel junction (our choice; of Grollier et al. 2016 is R_AP / R_P of 2 to 3)")
      .add(&Params::R_AP, "R_AP", "kOhm", 15, above(0), spread,
           "resistance of an antiparallel one (our choice, as R_P)")
      .add(&Params::g, "g", "1", 1, above(0), spread, "factor of the conductance")
      .add(&Params::V_c, "V_c", "V", 0.15, above(0), spread,
           "critical voltage, either way (our choice; that P goes from 0 to 1 is of Grollier et al. 2016)")
      .add(&Params::Delta, "Delta", "1", 60, between(20, 200), spread,
           "barrier over kT (our choice; not in Grollier et al. 2016)")
      .add(&Params::tau_D, "tau_D", "ns", 2, above(0), spread,
           "time constant of the dynamics (our choice; full writes of about 100 fJ are of Grollier et al. "
           "2016)")
      .add(&Params::tau_0, "tau_0", "ns", 1, above(0), spread,
           "without pulses a junction flips at exp(-Delta) / tau_0 (our choice)");
}
inline const char* problem(const Constants& p) { return p.R_P < p.R_AP ? nullptr : "R_AP must be above R_P"; }

/// A part that each junction has.
struct Junction {
  double left;   ///< of its hazard at `since`; infinite: nothing flips it
  Tick since;    ///< its begin, or the last pulse
  double level;  ///< 0 antiparallel, 1 parallel; between them where it is stuck or worn
  std::uint32_t flips, number;
  bool parallel() const { return level >= 0.5; }
};
/// Draws what it takes until the next flip.
inline void draw_next(Junction& j, RandomKey key) {
  const Words w = draw(key, j.number, j.flips);
  j.left = -math::log(uniform01(w[0], w[1]));
}
/// What it is at `tick` if it flips by itself at `rate` [1/tick].  Of a wait of more than 1,024 flips in the
/// mean only the rest counts: before it either state is as likely.
inline Junction later(Junction j, Tick tick, double rate, RandomKey key) {
  constexpr double frame = 1024;
  double wait = static_cast<double>(tick - j.since) * rate;
  if (j.left == math::infinity) return j;
  j.since = tick;
  if (wait >= frame) {
    const auto frames = static_cast<std::uint64_t>(wait / frame);
    wait -= static_cast<double>(frames) * frame;
    j.flips += static_cast<std::uint32_t>(frames * 1024);
    if (draw(key, j.number, j.flips)[2] % 2 != 0) j.level = 1 - j.level, ++j.flips;
    draw_next(j, key);
  }
  for (; wait >= j.left; draw_next(j, key)) {
    wait -= j.left;
    j.level = 1 - j.level, ++j.flips;
  }
  j.left -= wait;
  return j;
}
/// The tick before which it does not flip by itself.
inline Tick holds_until(const Junction& j, double rate) {
  constexpr double longest = 0x1p62;
  const double wait = j.left / rate;
  return wait < longest - static_cast<double>(j.since) ? j.since + static_cast<Tick>(wait) : INT64_MAX;
}

}  // namespace spinet::mtj
