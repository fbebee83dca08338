// Neurons with one potential and exponential conductances,
//
//   dV/dt = f + sum f_k x_k - (r + sum r_k x_k) V,   dx_k/dt = -x_k / tau_k,
//
// linear in V: V after a time is an integral over what flows, each part with the factor exp(-R) that is left
// of it, where R, the integral of r + sum r_k x_k, has a closed form.  Where conductances hardly decay, five
// or seven nodes of Gauss and Lobatto do, of four neurons at once (`near`); else eight of Gauss and Legendre
// (`after`), which do what Taylor series of order 16 do not where conductances are large.  Crossings are
// searched for by those series (spinet/taylor.hpp).
#pragma once
#include <algorithm>
#include <cstdint>

#include "spinet/ode.hpp"

namespace spinet {

/// Of the parameter that every such model has.
inline constexpr const char* conductances_tolerance_doc =
    "largest estimated error of V in one step, mostly far below: spikes are right to 1 ns at 1e-6; 1e-3 "
    "saves "
    "a fifth of the time";

/// The `Constants` of such a neuron of P ports are derived from this; V in mV, times in ms.
template <int P>
struct Conducting : Timing {
  double f = 0, r = 0, fs[P] = {}, rs[P] = {}, v_th = 0, v_reset = 0;
  struct {
    double tolerance = 0;
  } p;  ///< mV: largest estimated error of V in one step
  double tau[P] = {}, decay[P] = {};
  std::uint64_t fine = 0;  ///< 1: steps of more nodes cost less than more of them
  Conducting(const RunInfo& run, double t_ref, double tolerance)
      : Timing(run, t_ref), p{tolerance}, fine(tolerance < 1e-6) {}
  void set_tau(int port, double ms) {
    tau[port] = ms;
    decay[port] = -1 / ms;
  }
};

/// `struct MyNeuron : Conductances<MyNeuron, P>`: as for `Ode`, of which `tau`, `slope`, `threshold`, `reset`
/// and `below` are here.  An arrival raises x by the weight's magnitude; the variables that the model lists
/// are V and all x, `initial`.
template <class M, int P>
struct Conductances : Ode<M, 1, P> {
  using State = typename Ode<M, 1, P>::State;
  using Constants = Conducting<P>;
  static constexpr bool inputs_given = true;

  static double tau(const Constants& c, int port) { return c.tau[port]; }
  static double threshold(const Constants& c) { return c.v_th; }
  static void reset(const Constants& c, State& s) { s.y[0] = c.v_reset; }
  static double arriving(double weight) { return math::abs(weight); }
  template <class T>
  static void slope(const Constants& c, const T (&V)[1], const T (&x)[P], T (&dV)[1]) {
    T flow = x[0] * c.fs[0] + c.f, rate = x[0] * c.rs[0] + c.r;
    for (int k = 1; k < P; ++k) flow = flow + x[k] * c.fs[k], rate = rate + x[k] * c.rs[k];
    dV[0] = flow - rate * V[0];
  }
  /// V cannot pass where it would be driven back for all time; and from the last time that V was where it is
  /// now on, nothing drives it more than it would do at this V, nor pulls it back less than the conductances
  /// that are left at the end.
  template <class V>
  [[gnu::always_inline]] static auto below(const Constants& c, const V (&y)[1], const V (&x)[P], V ms) {
    const V potential = y[0];
    V there = V{} + (c.f - c.r * c.v_th), here = c.f - c.r * potential, rate = V{} + c.r;
    for (int k = 0; k < P; ++k) {
      const V flows = x[k] * (c.fs[k] - c.rs[k] * potential);
      const V least = ode::positive(1 + ms * c.decay[k]);
      there += x[k] * std::max(c.fs[k] - c.rs[k] * c.v_th, 0.0);
      here += flows > 0 ? flows : flows * least;
      rate += x[k] * c.rs[k] * least;
    }
    // (1 - exp(-u)) / u <= 1 / (1 + u / 2)
    const V rise = ode::positive(here) * ms / (1 + 0.5 * ms * rate);
    return (potential < c.v_th) & ((there < 0) | (potential + rise < c.v_th));
  }

  /// With R beyond this nothing is left of what V was: e^-100 of it.
  static constexpr double forgotten = 100;
  static double rate(const Constants& c, const State& s) {
    double sum = c.r;
    for (int k = 0; k < P; ++k) sum += s.x[k] * c.rs[k];
    return sum;
  }
  /// Where conductances are large, V at the end is what the last moments have made of it: goes on to where R
  /// of what is left of `ms` is between one and two times `forgotten`, and leaves V as it is.
  [[gnu::noinline]] static void skip(const Constants& c, State& s, double& ms) {
    const auto spent = [&](double time) {  // R of so much time before the end
      double R = c.r * time;
      for (int k = 0; k < P; ++k)
        R += c.rs[k] * c.tau[k] * s.x[k] * ode::exp((ms - time) * c.decay[k]) *
             -math::expm1(time * c.decay[k]);
      return R;
    };
    if (!(spent(ms) > 2 * forgotten)) return;
    double low = 0, high = ms, time = ms;
    while (low < high) {
      time = low > 0 ? 0.5 * (low + high) : 0.001 * high;
      const double R = spent(time);
      if (R < forgotten) low = time;
      else if (R > 2 * forgotten) high = time;
      else break;
      if (time < 1e-300) break;
    }
    for (int k = 0; k < P; ++k) s.x[k] = ode::left_of(s.x[k], ode::exp((ms - time) * c.decay[k]));
    ms = time;
  }

  [[gnu::noinline]] static bool go(const Constants& c, State& s, double ms) {
    if (rate(c, s) * ms > 2 * forgotten) skip(c, s, ms);
    for (std::uint64_t steps = 0; ms > 0; ++steps) {
      if (steps > 1'000'000) return false;
      double h = ms, off;
      if (fastest(c, s.x) == 0) {
        relax(c, s, ms);
        break;
      }
      if (pieces(c, s.y[0], s.x, h)) {
        for (double end = 0; end < ms; end += h) step(c, s.y[0], s.x, h);
        h = ms;
      } else {
        for (h = ms; error(c, s.y[0], s.x, h, off), !(off <= c.p.tolerance); h *= 0.5)
          if (!(h > 1e-15)) return false;
        after(c, s.y[0], s.x, h);
      }
      for (double& x : s.x) x = ode::left_of(x, 1.0);
      ms -= h;
    }
    return s.y[0] - s.y[0] == 0;
  }
  /// Without conductances, or next to none.
  static void relax(const Constants& c, State& s, double ms) {
    const double u = c.r * ms;
    s.y[0] += (c.f - c.r * s.y[0]) * (u > 1e-300 ? -math::expm1(-u) / c.r : ms);
  }
  static bool hold(const Constants& c, State& s, double ms) {
    for (int k = 0; k < P; ++k) s.x[k] = ode::left_of(s.x[k], ode::exp(ms * c.decay[k]));
    return true;
  }
  static bool reach(const Constants& c, State& s, double ms) {
    const bool good = go(c, s, ms);
    s.y[0] = c.v_th;
    return good;
  }
  [[gnu::always_inline]] static LaneMask go_lanes(const Constants& c, Lanes (&y)[1], Lanes (&x)[P],
                                                  const Lanes& ms) {
    Lanes part = ms;
    const LaneMask good = pieces(c, y[0], x, part) & (fastest(c, x) > 0);
    part = good != 0 ? part : Lanes{};
    Lanes end{};
    do {
      step(c, y[0], x, end < ms ? part : Lanes{});
      end += part;
    } while (ode::any((end < ms) & good));
    for (int k = 0; k < P; ++k) x[k] = ode::left_of(x[k], Lanes{} + 1);
    return good & (y[0] * 0 == 0);  // finite
  }

 private:
  template <class V>
  [[gnu::always_inline]] static void step(const Constants& c, V& potential, V (&x)[P], const V& h) {
    if (c.fine) near<2>(c, potential, x, h);
    else near<1>(c, potential, x, h);
  }
  /// Of the conductances that there are, the rate at which the fastest decays; 0 if there is none.
  template <class V>
  [[gnu::always_inline]] static V fastest(const Constants& c, const V (&x)[P]) {
    V most{};
    for (int k = 0; k < P; ++k) most = ode::max(most, x[k] == 0 ? V{} : V{} - c.decay[k]);
    return most;
  }
  /// Halves h until a step `near` of it keeps the tolerance; tells whether four steps or fewer do.
  template <class V>
  [[gnu::always_inline]] static auto pieces(const Constants& c, const V& potential, const V (&x)[P], V& h) {
    const V own = c.f - c.r * potential;
    V flow = own < 0 ? -own : own, rate = V{} + c.r;
    for (int k = 0; k < P; ++k) {
      const V part = x[k] * (c.fs[k] - c.rs[k] * potential);
      flow += part < 0 ? -part : part;
      rate += x[k] * c.rs[k];
    }
    const V fast = fastest(c, x);
    rate += fast;
    const auto too_long = [&] {
      const V z = rate * h, z2 = z * z, z4 = z2 * z2, z8 = z4 * z4,
              off = c.fine ? 2.2e-16 * (flow * h) * (z8 * z4) : 7e-10 * (flow * h) * z8;
      return !((off <= c.p.tolerance) & (z <= 3.2) & (h * fast <= 0.5));
    };
    auto more = too_long();
    for (int i = 0; i < 2 && ode::any(more); ++i) {
      h = more ? 0.5 * h : h;
      more = too_long();
    }
    return !more;
  }
  /// As `after`, where conductances hardly decay: the formula of Gauss and Lobatto, whose first and last
  /// nodes cost little, with `pairs` of others about the one in the middle.
  template <int pairs, class V>
  [[gnu::always_inline]] static void near(const Constants& c, V& potential, V (&x)[P], const V& h) {
    constexpr bool fine = pairs == 2;
    constexpr double at[] = {fine ? 0.468848793470714214 : 0.654653670707977144, 0.830223896278566930},
                     share[] = {fine ? 0.431745381209862623 : 49.0 / 90, 0.276826047361565948},
                     share_middle = fine ? 256.0 / 525 : 32.0 / 45, share_end = fine ? 1.0 / 21 : 1.0 / 10;
    const V half = 0.5 * h, own = c.f - c.r * potential, leaks = half * c.r;
    V e[P], e2[P], drive[P], pull[P];  // drive and pull: in the middle of the step, times e
    V first = own, middle = own, last = own, before = leaks, after = leaks;
    for (int k = 0; k < P; ++k) {
      e[k] = x[k] == 0 ? V{} : half * c.decay[k];
      e2[k] = e[k] * e[k];
      const V odd = odd_part<fine>(e2[k], 1), even = e[k] * even_part<fine>(e2[k], 1),
              factor = 1 + e[k] * (odd + even);
      const V flow = c.fs[k] - c.rs[k] * potential, at_middle = x[k] * factor;
      first += x[k] * flow;
      x[k] = at_middle * factor;
      last += x[k] * flow;
      drive[k] = at_middle * flow;
      middle += drive[k];
      drive[k] *= e[k];
      pull[k] = at_middle * (half * c.rs[k]);
      const V by_even = pull[k] * even, by_odd = pull[k] * odd;
      after += by_odd + by_even;
      before += by_odd - by_even;
    }
    V sum = share_middle * (middle * gone<fine>(after)) +
            share_end * (first * gone<fine>(after + before) + last * gone<fine>(V{}));
    for (int i = 0; i < pairs; ++i) {
      V flow_odd{}, flow_even = middle, rest_odd = leaks * at[i], rest_even = after;
      for (int k = 0; k < P; ++k) {
        const V odd = odd_part<fine>(e2[k], at[i]), even = e[k] * even_part<fine>(e2[k], at[i]);
        flow_odd += drive[k] * odd;
        flow_even += drive[k] * even;
        rest_odd += pull[k] * odd;
        rest_even -= pull[k] * even;
      }
      sum += share[i] * ((flow_even + flow_odd) * gone<fine>(rest_even - rest_odd) +
                         (flow_even - flow_odd) * gone<fine>(rest_even + rest_odd));
    }
    potential += (half * 0.201896517994655408) * sum;  // e^-1.6
  }
  /// The integral of exp(e t) from 0 to t is `odd_part` + e `even_part`, of e^2.  Up to e^2 t^2 = 1/16 they
  /// are right to 1e-14, or, not `fine`, to 1e-10.
  template <bool fine, class V>
  [[gnu::always_inline]] static V odd_part(const V& e2, double t) {
    const double t2 = t * t, t3 = t * t2, t5 = t3 * t2, t7 = t5 * t2;
    const V last = fine ? t7 / 5040 + e2 * (t7 * t2 / 362880) : V{} + t7 / 5040;
    return t + e2 * (t3 / 6 + e2 * (t5 / 120 + e2 * last));
  }
  template <bool fine, class V>
  [[gnu::always_inline]] static V even_part(const V& e2, double t) {
    const double t2 = t * t, t4 = t2 * t2, t6 = t4 * t2, t8 = t4 * t4;
    const V last = fine ? t8 / 40320 + e2 * (t8 * t2 / 3628800) : V{} + t8 / 40320;
    return t2 / 2 + e2 * (t4 / 24 + e2 * (t6 / 720 + e2 * last));
  }
  /// e^(1.6 - R) for R from 0 to 3.2, relative error 1e-14, or 1e-9 if not `fine`.
  template <bool fine, class V>
  [[gnu::always_inline]] static V gone(const V& R) {
    const V u = 0.2 - 0.125 * R, u2 = u * u, u4 = u2 * u2;
    const V low = (1 + u) + u2 * (1.0 / 2 + u * (1.0 / 6));
    V high = (1.0 / 24 + u * (1.0 / 120)) + u2 * (1.0 / 720 + u * (1.0 / 5040));
    if (fine) high += u4 * ((1.0 / 40320 + u * (1.0 / 362880)) + u2 * (1.0 / 3628800));
    const V e = low + u4 * high, e2 = e * e, e4 = e2 * e2;
    return e4 * e4;
  }
  static constexpr int nodes = 8;
  static constexpr double node[nodes] = {0.0198550717512318842, 0.10166676129318663,  0.237233795041835507,
                                         0.408282678752175098,  0.591717321247824902, 0.762766204958164493,
                                         0.89833323870681337,   0.980144928248768116};
  static constexpr double share[nodes] = {0.0506142681451881296, 0.111190517226687235, 0.156853322938943644,
                                          0.181341891689180991,  0.181341891689180991, 0.156853322938943644,
                                          0.111190517226687235,  0.0506142681451881296};

  /// Of the potential after a step of h: what the formula leaves, (8!)^4 / (17 (16!)^3) h^17 times a 16th
  /// derivative.
  template <class V>
  static void error(const Constants& c, const V& potential, const V (&x)[P], const V& h, V& off) {
    const V own = c.f - c.r * potential;
    V flow = own < 0 ? -own : own, rate = V{} + c.r;
    for (int k = 0; k < P; ++k) {
      const V part = x[k] * (c.fs[k] - c.rs[k] * potential);
      flow += part < 0 ? -part : part;
      rate += x[k] * c.rs[k];
    }
    const V z = (rate + fastest(c, x)) * h, z2 = z * z, z4 = z2 * z2;
    off = 1.7e-23 * (flow * h) * (z4 * z4) * (z4 * z4);
  }
  /// V after h, and x as of then: V + the integral of exp(-R(s, h)) times the slope at s if V stood still.
  template <class V>
  static void after(const Constants& c, V& potential, V (&x)[P], const V& h) {
    V sum{}, at[P][nodes + 1];
    for (int k = 0; k < P; ++k) {
      const V turns = h * c.decay[k];
      for (int i = 0; i < nodes; ++i) at[k][i] = x[k] * ode::exp(turns * node[i]);
      at[k][nodes] = x[k] * ode::exp(turns);
    }
    for (int i = 0; i < nodes; ++i) {
      V flow = c.f - c.r * potential, spent = h * (c.r * (1 - node[i]));
      for (int k = 0; k < P; ++k) {
        flow += at[k][i] * (c.fs[k] - c.rs[k] * potential);
        spent += (at[k][i] - at[k][nodes]) * (c.rs[k] * c.tau[k]);
      }
      sum += share[i] * (flow * ode::exp(-spent));
    }
    for (int k = 0; k < P; ++k) x[k] = at[k][nodes];
    potential += h * sum;
  }
};

}  // namespace spinet
