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
#include "support/reference_neuron.hpp"

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
      const auto synapses = name == "lif_exp" ? Neuron::Synapses::exponential : Neuron::Synapses::delta;
      neurons_[p.first + i].emplace(synapses, read_params(*p.model, v), V, I, net_.ticks_per_ms());
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
