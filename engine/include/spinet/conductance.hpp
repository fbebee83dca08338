// Neurons with one potential and exponential conductances,
//
//   dV/dt = f + sum f_k x_k - (r + sum r_k x_k) V,   dx_k/dt = -x_k / tau_k,
//
// linear in V: V after a time is an integral over what flows, each part with the factor exp(-R) that is left
// of it, where R, the integral of r + sum r_k x_k, has a closed form.  Eight nodes of Gauss and Legendre do
// what Taylor series of order 16 do not where conductances are large.  Crossings are searched for by those
// series (spinet/ode.hpp).
#pragma once
#include <algorithm>
#include <cstdint>

#include "spinet/ode.hpp"

namespace spinet {

/// Of the parameter that every such model has.
inline constexpr const char* conductances_tolerance_doc =
    "largest estimated error of V in one step, mostly far below: spikes are right to 1 ns at 1e-7, and less "
    "saves no time";

/// The `Constants` of such a neuron of P ports are derived from this; V in mV, times in ms.
template <int P>
struct Conducting : Timing {
  double f = 0, r = 0, fs[P] = {}, rs[P] = {}, v_th = 0, v_reset = 0;
  struct {
    double tolerance = 0;
  } p;                                             ///< mV: largest estimated error of V in one step
  double tau[P] = {}, decay[P] = {}, fastest = 0;  ///< fastest: the largest -decay
  Conducting(const RunInfo& run, double t_ref, double tolerance) : Timing(run, t_ref), p{tolerance} {}
  void set_tau(int port, double ms) {
    tau[port] = ms;
    decay[port] = -1 / ms;
    fastest = std::max(fastest, 1 / ms);
  }
};

/// `struct MyNeuron : Conductances<MyNeuron, P>`: as for `Ode`, of which `tau`, `slope`, `threshold`, `reset`
/// and `quiet` are here.  An arrival raises x by the weight's magnitude; the variables that the model lists
/// are V and all x, `initial`.
template <class M, int P>
struct Conductances : Ode<M, 1, P> {
  using State = typename Ode<M, 1, P>::State;
  using Constants = Conducting<P>;
  static constexpr bool inputs_given = true;

  static double tau(const Constants& c, int port) { return c.tau[port]; }
  static double threshold(const Constants& c) { return c.v_th; }
  static void reset(const Constants& c, State& s) { s.y[0] = c.v_reset; }
  static void take(const Constants&, State& s, std::uint32_t port, double weight) {
    s.x[port] += math::abs(weight);
  }
  template <class T>
  static void slope(const Constants& c, const T (&V)[1], const T (&x)[P], T (&dV)[1]) {
    T flow = x[0] * c.fs[0] + c.f, rate = x[0] * c.rs[0] + c.r;
    for (int k = 1; k < P; ++k) flow = flow + x[k] * c.fs[k], rate = rate + x[k] * c.rs[k];
    dV[0] = flow - rate * V[0];
  }
  /// V cannot pass where it would be driven back for all time; and from the last time that V was where it is
  /// now on, nothing drives it more than it would do at this V, nor pulls it back less than the conductances
  /// that are left at the end.
  static bool quiet(const Constants& c, const State& s, double ms) {
    double there = c.f - c.r * c.v_th, here = c.f - c.r * s.y[0], rate = c.r;
    for (int k = 0; k < P; ++k) {
      const double flows = s.x[k] * (c.fs[k] - c.rs[k] * s.y[0]);
      there += std::max(s.x[k] * (c.fs[k] - c.rs[k] * c.v_th), 0.0);
      const double least = std::max(1 + ms * c.decay[k], 0.0);
      here += flows > 0 ? flows : flows * least;
      rate += s.x[k] * c.rs[k] * least;
    }
    // (1 - exp(-u)) / u <= 1 / (1 + u / 2)
    return there < 0 || s.y[0] + std::max(here, 0.0) * ms / (1 + 0.5 * ms * rate) < c.v_th;
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
        R += c.rs[k] * c.tau[k] * s.x[k] * ode::decay((ms - time) * c.decay[k]) *
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
    for (int k = 0; k < P; ++k) s.x[k] = ode::left_of(s.x[k], ode::decay((ms - time) * c.decay[k]));
    ms = time;
  }

  [[gnu::noinline]] static bool go(const Constants& c, State& s, double ms) {
    bool silent = true;
    for (int k = 0; k < P; ++k) silent = silent && s.x[k] == 0;
    if (silent) {
      s.y[0] += (c.f / c.r - s.y[0]) * -math::expm1(-c.r * ms);
      return s.y[0] - s.y[0] == 0;
    }
    if (rate(c, s) * ms > 2 * forgotten) skip(c, s, ms);
    for (std::uint64_t steps = 0; ms > 0; ++steps) {
      if (steps > 1'000'000) return false;
      double h = ms, x[P];
      for (int k = 0; k < P; ++k) x[k] = s.x[k];
      for (double off;; h *= 0.5) {
        error(c, s.y[0], x, h, off);
        if (off <= c.p.tolerance) break;
        if (!(h > 1e-15)) return false;
      }
      after(c, s.y[0], x, h);
      for (int k = 0; k < P; ++k) s.x[k] = ode::left_of(x[k], 1);
      ms -= h;
    }
    return s.y[0] - s.y[0] == 0;
  }
  static bool hold(const Constants& c, State& s, double ms) {
    for (int k = 0; k < P; ++k) s.x[k] = ode::left_of(s.x[k], ode::decay(ms * c.decay[k]));
    return true;
  }
  static bool reach(const Constants& c, State& s, double ms) {
    const bool good = go(c, s, ms);
    s.y[0] = c.v_th;
    return good;
  }
  static unsigned go_each(const Constants& c, State* const (&s)[4], const double (&ms)[4]) {
    const Lanes h{ms[0], ms[1], ms[2], ms[3]}, V{s[0]->y[0], s[1]->y[0], s[2]->y[0], s[3]->y[0]};
    Lanes x[P], sum{};
    for (int k = 0; k < P; ++k) sum += x[k] = Lanes{s[0]->x[k], s[1]->x[k], s[2]->x[k], s[3]->x[k]};
    Lanes off;
    error(c, V, x, h, off);
    const LaneMask good = (off <= Lanes{} + c.p.tolerance) & (sum != 0);
    Lanes end = V;
    after(c, end, x, h);
    unsigned which = 0;
    for (int l = 0; l < 4; ++l) {
      if (good[l] == 0 || end[l] - end[l] != 0) continue;
      s[l]->y[0] = end[l];
      for (int k = 0; k < P; ++k) s[l]->x[k] = ode::left_of(x[k][l], 1);
      which |= 1u << l;
    }
    return which;
  }

 private:
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
    const V z = (rate + c.fastest) * h, z2 = z * z, z4 = z2 * z2;
    off = 1.7e-23 * (flow * h) * (z4 * z4) * (z4 * z4);
  }
  /// V after h, and x as of then: V + the integral of exp(-R(s, h)) times the slope at s if V stood still.
  template <class V>
  static void after(const Constants& c, V& potential, V (&x)[P], const V& h) {
    V sum{}, at[P][nodes + 1];
    for (int k = 0; k < P; ++k) {
      const V turns = h * c.decay[k];
      for (int i = 0; i < nodes; ++i) at[k][i] = x[k] * ode::decay(turns * node[i]);
      at[k][nodes] = x[k] * ode::decay(turns);
    }
    for (int i = 0; i < nodes; ++i) {
      V flow = c.f - c.r * potential, spent = h * (c.r * (1 - node[i]));
      for (int k = 0; k < P; ++k) {
        flow += at[k][i] * (c.fs[k] - c.rs[k] * potential);
        spent += (at[k][i] - at[k][nodes]) * (c.rs[k] * c.tau[k]);
      }
      sum += share[i] * (flow * ode::decay(-spent));
    }
    for (int k = 0; k < P; ++k) x[k] = at[k][nodes];
    potential += h * sum;
  }
};

}  // namespace spinet
