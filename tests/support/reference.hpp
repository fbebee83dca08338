// A slow simulator of lif_delta and lif_exp networks that is right by inspection: 113-bit numbers, one neuron
// at a time, closed forms between events, crossings by bisection with a proven bound.  The engine is compared
// with it to the tick.  It shares no numerical code with the engine.
//
// Covered: neurons with constant or listed parameters, spike_source inputs, static synapses with constant or
// listed weights and delays, one_to_one, all_to_all and listed connections, scheduled parameter changes.
// Anything else throws.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "connect/rule.hpp"
#include "core/recorder.hpp"
#include "network/checked.hpp"
#include "support/quad.hpp"

namespace spinet::reference {

/// What a simulation does with a neuron that comes within the allowance of its threshold: go on, or leave it
/// alone from there on, since whatever follows is excused.
enum class Ambiguous { go_on, leave };

/// A tick at which V passed the threshold within the allowance, so that either answer is accepted.
struct Ambiguity {
  Tick tick;
  Gid gid;
};

struct Result {
  std::vector<Spike> spikes;  ///< of neurons, not of sources; sorted by (tick, gid)
  std::vector<Ambiguity> ambiguous;
  std::uint64_t arrivals = 0;            ///< synaptic events that reached a neuron
  std::uint64_t cancelled = 0;           ///< crossings foreseen and then cancelled or moved by an arrival
  std::uint64_t subthreshold_peaks = 0;  ///< crossings of lif_exp found strictly between two arrivals
};

/// V passes "within 1e-12 relative" of the threshold: the only licence the engine has to differ.
inline constexpr double allowance = 1e-12;

/// One neuron.  Potentials in mV, currents in pA, capacitance in pF, times in ticks outside and ms inside.
class Neuron {
 public:
  struct Params {
    double tau_m, C_m, tau_syn[2], E_L, v_th, v_reset, t_ref, I_dc, reset;
  };

  Neuron(bool exponential, const Params& p, double V, double I_exc, double ticks_per_ms)
      : exponential_(exponential), p_(p), V_(V), I_{I_exc, 0}, ticks_per_ms_(ticks_per_ms) {
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
    return roughly(rough, exact, rough_level, level, rough.at(0), rough.at(end));
  }
  static std::optional<Tick> roughly(const Course<Rough>& rough, const Course<Real>& exact, Rough rough_level,
                                     Real level, const Point<Rough>& a, const Point<Rough>& b) {
    if (rough.stays_below(rough_level, a, b)) return {};
    if (b.tick - a.tick == 1) return exact.at(b.tick).V >= level ? std::optional(b.tick) : std::nullopt;
    // A crossing is narrowed down roughly; where V comes close and turns, the bound of a short exact interval
    // is sharper.
    if (b.tick - a.tick <= 256 && b.V < rough_level)
      return exactly(exact, level, exact.at(a.tick), exact.at(b.tick));
    const auto middle = rough.at(a.tick + (b.tick - a.tick) / 2);
    if (auto t = roughly(rough, exact, rough_level, level, a, middle)) return t;
    return roughly(rough, exact, rough_level, level, middle, b);
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

/// Runs a whole network.  Within a tick: controls, refractory ends, all arrivals, tests, emission.
class Simulator {
 public:
  explicit Simulator(const Network& net, Ambiguous policy = Ambiguous::go_on) : net_(net), policy_(policy) {
    for (const auto& p : net.populations) make(p);
    out_.resize(net.gid_count());
    for (const auto& p : net.projections) connect(p);
    for (const auto& p : net.populations)
      for (const auto& s : p.listed)
        if (s.tick < net.duration) emit(p.first + s.index, s.tick);
  }

  /// Runs to `until` (the network's duration if later) and returns everything so far.
  const Result& run(Tick until = never) {
    until = std::min(until, net_.duration);
    if (!started_) {
      started_ = true;
      std::vector<Gid> all;
      for (Gid g = 0; g < neurons_.size(); ++g)
        if (neurons_[g]) all.push_back(g);
      step(0, all);
    }
    while (true) {
      Tick t = never;
      if (!agenda_.empty()) t = std::min(t, agenda_.begin()->first);
      if (!crossings_.empty()) t = std::min(t, crossings_.begin()->first);
      if (control_ < net_.schedule.size()) t = std::min(t, net_.schedule[control_].tick);
      if (t >= until) break;
      step(t, {});
    }
    return result_;
  }

  /// V of a neuron at the beginning of tick t; only after run(t).
  Real V(Gid g, Tick t) const {
    Neuron n = *neurons_.at(g);
    n.advance(t);
    return n.V();
  }
  Real I_syn(Gid g, Tick t) const {
    Neuron n = *neurons_.at(g);
    n.advance(t);
    return n.I_syn();
  }

 private:
  struct Target {
    Gid gid;
    std::uint32_t port;
    Tick delay;
    Real weight;
  };
  struct Arrival {
    Gid gid;
    std::uint32_t port;
    Real weight;
  };

  static double value(const Distribution& d, std::uint32_t i) {
    if (d.kind == Distribution::Kind::constant) return d.a;
    if (d.kind == Distribution::Kind::listed) return d.values.at(i);
    throw std::logic_error("the reference simulator takes constants and lists only");
  }

  static Neuron::Params read_params(const Model& m, const std::vector<double>& values) {
    const auto get = [&](const char* name, double other) {
      for (std::uint32_t k = 0; k < m.params.count; ++k)
        if (std::strcmp(m.params.data[k].name, name) == 0) return values.at(k);
      return other;
    };
    const double nan = std::nan("");
    return {get("tau_m", nan), get("C_m", nan),  {get("tau_syn_exc", nan), get("tau_syn_inh", nan)},
            get("E_L", nan),   get("v_th", nan), get("v_reset", nan),
            get("t_ref", nan), get("I_dc", nan), get("reset", nan)};
  }

  void make(const Population& p) {
    neurons_.resize(p.first + p.size);
    values_.resize(p.first + p.size);
    candidate_.resize(p.first + p.size, never);
    if (!p.neuron()) return;
    const std::string name = p.model->name;
    if (name != "lif_delta" && name != "lif_exp") throw std::logic_error("no reference for model " + name);
    for (std::uint32_t i = 0; i < p.size; ++i) {
      auto& v = values_[p.first + i];
      for (const auto& d : p.params) v.push_back(value(d, i));
      double V = std::nan(""), I = 0;
      std::size_t next = 0;
      for (std::uint32_t k = 0; k < p.model->variables.count; ++k) {
        const auto& f = p.model->variables.data[k];
        if (!(f.flags & initial)) continue;
        const double x = value(p.initial.at(next++), i);
        if (!std::strcmp(f.name, "V")) V = x;
        else if (x != 0) throw std::logic_error("the reference simulator initialises V only");
      }
      neurons_[p.first + i].emplace(name == "lif_exp", read_params(*p.model, v), V, I, net_.ticks_per_ms());
    }
  }

  void connect(const Projection& p) {
    std::vector<Gid> sources, targets;
    for (const auto& r : p.sources)
      for (std::uint32_t i = 0; i < r.count; ++i) sources.push_back(r.first + i);
    for (const auto& r : p.targets)
      for (std::uint32_t i = 0; i < r.count; ++i) targets.push_back(r.first + i);
    // The engine's static synapse keeps a float.
    const auto weight = [&](double listed, std::uint32_t i) {
      return Real(static_cast<float>(p.listed_weights ? listed : value(p.state.at(0), i)));
    };
    const auto delay = [&](Tick listed) {
      if (p.listed_delays) return listed;
      const Tick r = net_.delay_resolution;
      return std::max<Tick>(1, static_cast<Tick>(std::llround(value(p.delay, 0) / static_cast<double>(r)))) *
             r;
    };
    const auto add = [&](std::uint32_t s, std::uint32_t t, double w, Tick d, std::uint32_t i) {
      if (!p.autapses && sources[s] == targets[t]) return;
      out_[sources[s]].push_back({targets[t], p.port, delay(d), weight(w, i)});
    };
    const std::string_view rule = p.rule->format.name;
    if (p.rule->lists()) {
      for (std::uint32_t i = 0; i < p.edges.size(); ++i)
        add(p.edges[i].source, p.edges[i].target, p.edges[i].weight, p.edges[i].delay, i);
    } else if (rule == "one_to_one") {
      for (std::uint32_t i = 0; i < targets.size(); ++i) add(i, i, 0, 0, i);
    } else if (rule == "all_to_all") {
      for (std::uint32_t t = 0; t < targets.size(); ++t)
        for (std::uint32_t s = 0; s < sources.size(); ++s) add(s, t, 0, 0, 0);
    } else {
      throw std::logic_error("the reference simulator takes explicit connections only");
    }
  }

  void emit(Gid g, Tick t) {
    for (const auto& e : out_[g]) agenda_[t + e.delay].push_back({e.gid, e.port, e.weight});
  }

  void control(const ScheduledControl& c, std::set<Gid>& touched) {
    if (!c.sets()) return;
    const auto apply = [&](Gid g) {
      if (!neurons_[g]) return;
      neurons_[g]->advance(c.tick);
      values_[g].at(c.field) = c.value[0];
      for (const auto& p : net_.populations)
        if (g >= p.first && g - p.first < p.size) neurons_[g]->set(read_params(*p.model, values_[g]));
      touched.insert(g);
    };
    if (!c.to.names_neurons()) throw std::logic_error("a parameter change needs neurons");
    for (const Place& place : c.to.places) {
      const auto& r = std::get<GidRange>(place);
      for (std::uint32_t i = 0; i < r.count; ++i) apply(r.first + i);
    }
  }

  void step(Tick t, const std::vector<Gid>& first) {
    std::set<Gid> touched(first.begin(), first.end());
    while (control_ < net_.schedule.size() && net_.schedule[control_].tick == t)
      control(net_.schedule[control_++], touched);

    if (auto now = agenda_.find(t); now != agenda_.end()) {
      for (const auto& a : now->second) {
        if (!neurons_[a.gid]) throw std::logic_error("an arrival at something that is no neuron");
        neurons_[a.gid]->advance(t);
        neurons_[a.gid]->receive(a.port, a.weight);
        touched.insert(a.gid);
        ++result_.arrivals;
      }
      agenda_.erase(now);
    }
    while (!crossings_.empty() && crossings_.begin()->first == t) {
      touched.insert(crossings_.begin()->second);
      crossings_.erase(crossings_.begin());
    }
    for (const Gid g : touched) {
      auto& n = *neurons_[g];
      const Tick foreseen = std::exchange(candidate_[g], never);
      if (left_.count(g)) continue;
      n.advance(t);
      bool within = false;
      if (!n.refractory(t)) {
        const Real th = n.params().v_th;
        within = fabsq(n.V() - th) <= n.slack();
        if (within) result_.ambiguous.push_back({t, g});
        if (within && policy_ == Ambiguous::leave) {
          if (foreseen != never && foreseen > t) crossings_.erase({foreseen, g});
          left_.insert(g);
          continue;
        }
        if (n.V() >= th) {
          n.spike();
          result_.spikes.push_back({t, g});
          if (foreseen == t) ++result_.subthreshold_peaks;
          emit(g, t);
        }
      }
      // Look for the band below the threshold too, so that a close miss is noticed; once inside it, for V
      // itself.
      const Real level = Real(n.params().v_th) - (within ? Real(0) : n.slack());
      if (foreseen != never && foreseen > t) crossings_.erase({foreseen, g});
      if (const auto next = n.first_at_or_above(level, net_.duration)) {
        candidate_[g] = *next;
        crossings_.insert({*next, g});
      }
      if (foreseen != never && foreseen > t && candidate_[g] != foreseen) ++result_.cancelled;
    }
  }

  const Network& net_;
  Ambiguous policy_;
  std::set<Gid> left_;
  std::vector<std::optional<Neuron>> neurons_;
  std::vector<std::vector<double>> values_;
  std::vector<std::vector<Target>> out_;
  std::map<Tick, std::vector<Arrival>> agenda_;
  std::set<std::pair<Tick, Gid>> crossings_;
  std::vector<Tick> candidate_;
  std::size_t control_ = 0;
  bool started_ = false;
  Result result_;
};

inline Result simulate(const Network& net, Ambiguous policy = Ambiguous::go_on) {
  return Simulator(net, policy).run();
}

}  // namespace spinet::reference
