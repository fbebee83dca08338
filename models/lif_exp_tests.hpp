// When a neuron of `lif_exp` crosses its threshold between arrivals.
//
// Nearly all arrivals are shown by a bound to lead to no crossing (lif_exp_drive.hpp), and nothing is done.
// For the others the crossing is not computed but approached: a *look* works out a tick that it cannot
// precede, asks for a *test* at that tick, and the test either finds Q there or looks again from where it is.
// What a neuron knows of it is one number, `Constants::pending`: the tick of the earliest test that it has
// asked for.  The engine may still hold later ones, which do not count any more.
//
//   quiet: `pending` is never
//       a look finds that Q may cross before the frame's end, not before `at`    -> waiting(at), asks for it
//       it finds none, or none in this frame                                     -> quiet
//   waiting(at)
//       a look finds an earlier tick                                             -> waiting(earlier), asks
//       it finds a later one, or none (something inhibits, say)                  -> waiting(at): the test
//       will
//                                                                                   find out
//       a test that is not `at` comes: out of date                               -> waiting(at)
//       `at` comes, and Q is below its goal                                      -> quiet, and looks from
//       here `at` comes, and Q is there: it emits
//           without a refractory period: resets                                  -> quiet, looks from at + 1
//           on with one: a becomes -infinity, asks for `wake`                       -> refractory
//   refractory: Q is -infinity.  Arrivals add to it and change only currents, no bound is exceeded, looks
//   return at once
//       `wake` comes: resets                                                     -> quiet, and looks
//
// Who looks: what an arrival leaves to do whose bound does not exclude a crossing; a frame's begin, at
// everyone (so that nobody need ask for ticks beyond its end); resets and settings; a neuron that a slab has
// made exact. In a slab a virtual neuron is quiet, and asks at most for a test at the present tick, before
// which the engine makes it exact (lif_exp_slabs.hpp).
#pragma once
#include "lif_exp.hpp"

namespace spinet::lif {
namespace {

/// V is at the threshold or above, and Q shall say so, too, whatever its rounding.
template <int N>
inline void LifExp<N>::raise(Block n, std::uint32_t j, Tick tick) {
  State& s = n.state(j);
  const Constants& c = n.constants(j);
  const Moment m = moment(n, tick);
  const double least = goal(s, c, m), q = charge(s, m);
  if (q < least) s.a += 2 * (least - q) * m.up_m;
}

/// Asks for a test where the neuron may cross before the frame's end; called when its state has changed at
/// `tick`.  Returns the tick of the test asked for, or `never`.  `earliest`: that it may be for; after a
/// spike the next one.
template <int N>
inline Tick LifExp<N>::look(Block n, std::uint32_t j, Tick tick, const Moment& m, Tick earliest) {
  const State& s = n.state(j);
  if (s.a == minus_infinity) return never;
  const double least = goal(s, n.constants(j), m);
  return ask(n, j, tick, {charge(s, m), s.b[0] * m.i_b[0], b1(s) * m.i_b[1], least}, earliest);
}

/// The rare case of the kernels, kept out of their loops.
template <int N>
Tick LifExp<N>::look(Block n, std::uint32_t j, Tick tick) {
  if constexpr (N == 1)
    if (n.b.is_virtual(j)) return look_at_virtual(n, j, tick);
  return look(n, j, tick, moment(n, tick));
}

/// A time [ms] that the first crossing cannot precede, or infinity where there is none without arrivals; Q
/// < th. The later of two.  (1) Until the crossing Q <= th, so Q'' = Q/tau_m^2 - sum (1/tau_m + 1/tau_p)
/// I_p has an upper bound c: the root h of Q + Q' h + c h^2/2 = th.  (2) With S, kappa as for `Bound` and D
/// = Q/(tau_m tau kappa), S' <= -kappa (S + D) while Q rises, so Q(h) <= Q + (S + D) (1 - exp(-kappa
/// h))/kappa - D h <= Q + (S + D) h/(1 + kappa h/2) - D h: a quadratic equation again, without a root where
/// the peak stays below the threshold.
template <int N>
inline double LifExp<N>::soonest(const Shared& sh, double q, double i0, double i1, double th) {
  constexpr double none = std::numeric_limits<double>::infinity();
  const double rm = sh.rate_m, gap = th - q;
  const double rate =
      i1 > 0 ? (i0 > 0 ? std::min(sh.port[0].rate, sh.port[1].rate) : sh.port[1].rate) : sh.port[0].rate;
  const double rise = std::max(i0, 0.0) + std::max(i1, 0.0) - q * rm;
  if (rise <= 0) return none;
  const double kappa = rm + rate;
  // With V_inf at the threshold all this may be tiny, but its squares must not vanish, nor overflow where
  // currents are huge.  (A power of two changes no other bit.)
  const double size = rise + kappa * gap, scale = size < 0x1p-400 ? 0x1p500 : size > 0x1p400 ? 0x1p-600 : 1;
  const double b = (rise - 0.5 * kappa * gap) * scale, dk = q * rm * rate * scale;
  const double square = b * b, under = square - 2 * dk * (gap * scale);
  if (dk >= 0 && (b <= 0 || under < -1e-9 * square)) return none;
  const double below = b + std::sqrt(std::max(under, 0.0));
  if (!(below > 0)) return none;  // farther off than can be told
  const double second = 2 * (gap * scale) / below;
  if (!(std::min(i0, i1) < 0)) return second * (1 - 1e-9);  // never before the first
  const double slope = i0 + i1 - q * rm;
  const double curvature = std::max(th, 0.0) * rm * rm + std::max(-i0, 0.0) * (rm + sh.port[0].rate) +
                           std::max(-i1, 0.0) * (rm + sh.port[1].rate);
  return std::max(parabola(slope, curvature, gap), second) * (1 - 1e-9);
}

/// Asks for a test at a tick that the first crossing cannot precede, unless one no later is pending
/// already.  The test that finds Q still below asks again from there: as in Newton's method the waits
/// shrink quadratically, down to a tick, but arrivals on the way cost no root finding of their own.
template <int N>
inline Tick LifExp<N>::ask(Block n, std::uint32_t j, Tick tick, Charge now, Tick earliest) {
  const double th = n.constants(j).th, q = now.q;
  if (q != q) return n.out().fail(tick, j, not_a_number), never;
  Tick at = earliest;
  if (q < now.goal) {
    at = tick;
    const double h = q < th ? soonest(n.shared(), q, now.i0, now.i1, th) * n.b.run.ticks_per_ms : 0;
    const Tick left = n.b.frame_begin + n.b.frame_length - tick;
    if (!(h < static_cast<double>(left))) return never;  // the next frame begins with a look at everyone
    at += std::max<Tick>(1, static_cast<Tick>(h));
    if (at >= tick + left) return never;
  }
  Tick& pending = n.constants(j).pending;
  if (pending <= at) return never;
  pending = at;
  n.out().test_at(at, j);
  return at;
}

template <int N>
inline void LifExp<N>::reset(Block n, std::uint32_t j, Tick tick, Tick earliest) {
  State& s = n.state(j);
  const Constants& c = n.constants(j);
  const Moment m = moment(n, tick);
  const double q = c.capacitance * (lif::after_spike(c) - c.e_l) - c.q_inf;
  s.a = (q - (s.b[0] * m.q_b[0] + b1(s) * m.q_b[1])) * m.up_m;
  look(n, j, tick, m, earliest);
}

template <int N>
inline void LifExp<N>::test(Block n, Tick tick, std::span<const std::uint32_t> js) {
  for (const auto j : js) {
    State& s = n.state(j);
    Constants& c = n.constants(j);
    if (c.pending != tick) continue;  // out of date
    c.pending = never;
    const Moment m = moment(n, tick);
    const double q = charge(s, m);
    if (q < goal(s, c, m)) {  // not yet, or moved or cancelled by arrivals since
      look(n, j, tick, m);
      continue;
    }
    lif::keep(c, (q - c.th) / c.capacitance);
    n.out().emit(tick, j);
    if (c.t_ref > 0) {
      s.a = minus_infinity;
      n.out().wake_at(tick + c.t_ref, j);
    } else {
      reset(n, j, tick, tick + 1);
    }
  }
}

template <int N>
inline void LifExp<N>::wake(Block n, Tick tick, std::span<const std::uint32_t> js) {
  for (const auto j : js) reset(n, j, tick, tick);
}

}  // namespace
}  // namespace spinet::lif
