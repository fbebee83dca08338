// One neuron of the slow simulator of lif_delta and lif_exp (reference.hpp): 113-bit numbers, closed forms
// between events, crossings by bisection with a proven bound.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <type_traits>

#include "spinet/time.hpp"
#include "support/quad.hpp"

namespace spinet::reference {

/// V passes "within 1e-12 relative" of the threshold: the only licence the engine has to differ.
inline constexpr double allowance = 1e-12;

/// One neuron.  Potentials in mV, currents in pA, capacitance in pF, times in ticks outside and ms inside.
class Neuron {
 public:
  struct Params {
    double tau_m, C_m, tau_syn[2], E_L, v_th, v_reset, t_ref, I_dc, reset;
  };

  /// What weights are: jumps of V, or currents that decay.
  enum class Synapses { delta, exponential };
  Neuron(Synapses synapses, const Params& p, double V, double I_exc, double ticks_per_ms)
      : exponential_(synapses == Synapses::exponential),
        p_(p),
        V_(V),
        I_{I_exc, 0},
        ticks_per_ms_(ticks_per_ms) {
    derive();
  }

  bool refractory(Tick t) const { return t < refractory_until_; }
  Real V() const { return V_; }
  Real I_syn() const { return I_[0] + I_[1]; }
  void set(const Params& p) {
    p_ = p;
    derive();
  }
  const Params& params() const { return p_; }

  /// Takes the state from `at` to t >= at, without arrivals, controls or crossings in between.
  void advance(Tick t) {
    if (refractory_until_ > at_) {
      const Tick end = std::min(t, refractory_until_);
      decay_currents(end);
      at_ = end;  // V stays at the reset
    }
    if (t == at_) return;
    const auto p = Course<Real>(*this).at(t - at_);
    V_ = p.V;
    for (int k = 0; k < 2; ++k) I_[k] = p.I[k];
    at_ = t;
  }

  /// All weights of one port that arrive at the present tick, summed.
  void receive(std::uint32_t port, Real weight) {
    if (exponential_) I_[port] += weight;
    else if (!refractory(at_)) V_ += weight;
  }

  void spike() {
    V_ = p_.reset == 0 ? Real(p_.v_reset) : V_ - (Real(p_.v_th) - Real(p_.v_reset));
    refractory_until_ = at_ + static_cast<Tick>(llroundq(Real(p_.t_ref) * Real(ticks_per_ms_)));
  }

  /// The least V - threshold that counts as "at the threshold within the allowance", as a positive number.
  Real slack() const { return allowance * std::max(std::fabs(p_.v_th), std::fabs(p_.v_th - p_.E_L)); }

  /// First tick in (at, horizon] with V >= level, if nothing arrives; nothing if there is none.
  std::optional<Tick> first_at_or_above(Real level, Tick horizon) const {
    Neuron n = *this;
    Tick from = at_;
    if (refractory_until_ > at_) {
      if (refractory_until_ > horizon) return {};
      n.advance(refractory_until_);
      from = refractory_until_;
      if (n.V_ >= level) return from;
    }
    if (from >= horizon) return {};
    if (n.never_reaches(level)) return {};
    const auto after = n.monotone() ? n.closed(level, horizon - from) : n.search(level, horizon - from);
    return after ? std::optional(from + *after) : std::nullopt;
  }

 private:
  /// What follows from the parameters alone; kept, because quad arithmetic is slow.
  template <class R>
  struct Derived {
    R ms_per_tick, C, rest, m, s[2];  ///< C in pF, rest in mV, rates in 1/ms
  };
  template <class R>
  Derived<R> derived() const {
    const R C = R(p_.C_m);
    return {1 / R(ticks_per_ms_),
            C,
            R(p_.E_L) + R(p_.tau_m) / C * R(p_.I_dc),
            1 / R(p_.tau_m),
            {1 / R(p_.tau_syn[0]), 1 / R(p_.tau_syn[1])}};
  }
  void derive() {
    exact_ = derived<Real>();
    rough_ = derived<Rough>();
    if (!exponential_) return;
    for (int k = 0; k < 2; ++k) {
      const Real m = exact_.m, s = exact_.s[k], x = m == s ? 1 / m : log1pq((s - m) / m) / (s - m);
      peak_[k] = response(m, s, expq(-m * x), expq(-s * x), x);  // the largest of all x
    }
  }
  /// Potential at time x after a unit current jump on a unit capacitance: the convolution of both
  /// exponentials, exp(-a x) (1 - exp(-d x)) / d with a the slower rate and d the difference of the rates.
  template <class R>
  static R response(R m, R s, R exp_m, R exp_s, R x) {
    const R d = m < s ? s - m : m - s;
    return (m < s ? exp_m : exp_s) * (d == 0 ? x : -expm1_of(-d * x) / d);
  }

  template <class R>
  struct Point {
    Tick tick;
    R V, I[2];
  };
  /// The way V goes from the present state on, if nothing arrives; in ticks from now.
  template <class R>
  struct Course {
    explicit Course(const Neuron& n)
        : exponential(n.exponential_),
          V(static_cast<R>(n.V_)),
          I{static_cast<R>(n.I_[0]), static_cast<R>(n.I_[1])} {
      if constexpr (std::is_same_v<R, Rough>) c = n.rough_;
      else c = n.exact_;
      gap = static_cast<R>(n.V_ - n.exact_.rest);
    }
    Point<R> at(Tick t) const {
      if (t == 0) return {0, V, {I[0], I[1]}};
      const R x = R(t) * c.ms_per_tick, exp_m = exp_of(-c.m * x);
      Point<R> p{t, c.rest + gap * exp_m, {0, 0}};
      if (!exponential) return p;
      for (int k = 0; k < 2; ++k) {
        if (I[k] == 0) continue;
        const R exp_s = exp_of(-c.s[k] * x);
        p.V += I[k] / c.C * response(c.m, c.s[k], exp_m, exp_s, x);
        p.I[k] = I[k] * exp_s;
      }
      return p;
    }
    /// On an interval of length h from a to b, V exceeds the larger of its ends by at most h^2/8 max(-V''),
    /// and -V'' = (V_rest - V)/tau_m^2 + sum I/C (1/tau_m + 1/tau_s), where no current grows and V falls
    /// below its value at a only towards V_rest or by negative currents.
    bool stays_below(R level, const Point<R>& a, const Point<R>& b) const {
      const R h = R(b.tick - a.tick) * c.ms_per_tick;
      R bend = 0, fall = 0;
      if (exponential)
        for (int k = 0; k < 2; ++k) {
          if (a.I[k] > 0) bend += a.I[k] / c.C * (c.m + c.s[k]);
          else fall -= a.I[k] / c.C;
        }
      const R below = c.rest - a.V;
      bend += ((below > 0 ? below : R(0)) + h * fall) * c.m * c.m;
      return std::max(a.V, b.V) + h * h / 8 * bend < level;
    }
    bool exponential;
    R V, gap, I[2];
    Derived<R> c;
  };

  void decay_currents(Tick t) {
    if (!exponential_) return;
    const Real x = Real(t - at_) * exact_.ms_per_tick;
    for (int k = 0; k < 2; ++k)
      if (I_[k] != 0) I_[k] *= expq(-exact_.s[k] * x);
  }

  /// True where V stays below `level` for ever: V lies between its value and its rest, plus the peaks of the
  /// positive currents.
  bool never_reaches(Real level) const {
    Real bound = std::max(V_, exact_.rest);
    if (exponential_)
      for (int k = 0; k < 2; ++k)
        if (I_[k] > 0) bound += I_[k] / exact_.C * peak_[k];
    return bound < level;
  }

  bool monotone() const { return !exponential_ || (I_[0] == 0 && I_[1] == 0); }
  /// As `search`, where V goes straight to its rest.
  std::optional<Tick> closed(Real level, Tick end) const {
    const Course<Real> course(*this);
    if (V_ >= level || exact_.rest <= level)
      return course.at(1).V >= level ? std::optional<Tick>(1) : std::nullopt;
    const Real t = log1pq((level - V_) / (exact_.rest - level)) / (exact_.m * exact_.ms_per_tick);
    if (t > Real(end) + 2) return {};
    Tick tick = std::max<Tick>(1, static_cast<Tick>(t) - 1);
    while (course.at(tick).V < level) ++tick;
    return tick <= end ? std::optional(tick) : std::nullopt;
  }

  /// First tick of (0, end], counted from the state, with V >= level.
  std::optional<Tick> search(Real level, Tick end) const {
    // Roughly first: what lies below by more than a thousand times its rounding is excluded, the rest looked
    // at again.
    Rough scale = std::fabs(Rough(p_.E_L)) + std::fabs(rough_.rest) + std::fabs(static_cast<Rough>(V_));
    if (exponential_)
      for (int k = 0; k < 2; ++k)
        scale += std::fabs(static_cast<Rough>(I_[k])) / p_.C_m * static_cast<Rough>(peak_[k]);
    const Course<Rough> rough(*this);
    const Course<Real> exact(*this);
    if (1e-17L * scale > static_cast<Rough>(slack()))
      return exactly(exact, level, exact.at(0), exact.at(end));  // too rough
    const Rough rough_level = static_cast<Rough>(level) - 1e-15L * scale;
    return roughly({rough, exact, rough_level, level}, rough.at(0), rough.at(end));
  }
  /// A level that is looked for, roughly first.
  struct Wanted {
    const Course<Rough>& rough;
    const Course<Real>& exact;
    Rough rough_level;
    Real level;
  };
  static std::optional<Tick> roughly(const Wanted& wanted, const Point<Rough>& a, const Point<Rough>& b) {
    const auto& [rough, exact, rough_level, level] = wanted;
    if (rough.stays_below(rough_level, a, b)) return {};
    if (b.tick - a.tick == 1) return exact.at(b.tick).V >= level ? std::optional(b.tick) : std::nullopt;
    // A crossing is narrowed down roughly; where V comes close and turns, the bound of a short exact interval
    // is sharper.
    if (b.tick - a.tick <= 256 && b.V < rough_level)
      return exactly(exact, level, exact.at(a.tick), exact.at(b.tick));
    const auto middle = rough.at(a.tick + (b.tick - a.tick) / 2);
    if (auto t = roughly(wanted, a, middle)) return t;
    return roughly(wanted, middle, b);
  }
  static std::optional<Tick> exactly(const Course<Real>& exact, Real level, const Point<Real>& a,
                                     const Point<Real>& b) {
    if (exact.stays_below(level, a, b)) return {};
    if (b.tick - a.tick == 1) return b.V >= level ? std::optional(b.tick) : std::nullopt;
    const auto middle = exact.at(a.tick + (b.tick - a.tick) / 2);
    if (auto t = exactly(exact, level, a, middle)) return t;
    return exactly(exact, level, middle, b);
  }

  bool exponential_;
  Params p_;
  Real V_;
  Real I_[2];
  double ticks_per_ms_;
  Derived<Real> exact_;
  Derived<Rough> rough_;
  Real peak_[2];  ///< of the response to a unit current
  Tick at_ = 0;
  Tick refractory_until_ = 0;
};

}  // namespace spinet::reference
