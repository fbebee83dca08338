// The battery for synapse models.
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "conformance.hpp"
#include "core/finite.hpp"
#include "network/checked.hpp"
#include "synapse_program.hpp"

namespace spinet {
namespace {

/// "" or where two histories of weights part.
std::string difference(const std::vector<double>& a, const std::vector<double>& b) {
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i)
    if (!same_bits(a[i], b[i]))
      return "event " + std::to_string(i / synapse_count) + ", synapse " + std::to_string(i % synapse_count) +
             ": weight " + std::to_string(a[i]) + " became " + std::to_string(b[i]);
  return a.size() == b.size() ? "" : "a different number of weights";
}

/// What the checks ask of one model.  Each function looks with one set of parameters and returns "" or what
/// is wrong.
class SynapseChecks {
 public:
  using Weights = std::vector<double>;
  SynapseChecks(const SynapseTable& table, const SynapseTable& restarted, std::uint32_t seed)
      : t_(table), restarted_(restarted), seed_(seed), events_(synapse_history(table, seed)) {}

  std::string numbers(const ParameterSet& set) {
    const Weights w = whole(set);
    for (std::size_t i = 0; i < w.size(); ++i)
      if (!std::isfinite(w[i]))
        return "event " + std::to_string(i / synapse_count) + ", synapse " +
               std::to_string(i % synapse_count) + ": transmits " + std::to_string(w[i]);
    return "";
  }

  std::string fences(const ParameterSet& set) {
    SynapseBench bench = all(set);
    Weights w;
    for (const auto& e : events_) e.happen(bench, w);
    return bench.intact() ? "" : "bytes beside its states, weights or Shared have changed";
  }

  std::string repeats(const ParameterSet& set) { return difference(whole(set), whole(set)); }

  std::string mode(const ParameterSet& set) {
    SynapseBench bench = all(set);
    Weights w;
    for (const auto& e : events_) {
      for (std::uint32_t v = 0; v < t_.model.variables.count; ++v) bench.read(0, e.tick, v);
      if (t_.catch_up) bench.catch_up(e.tick);
      e.happen(bench, w);
    }
    return bench.mode_trouble();
  }

  /// What is transmitted has the sign that the model says it has, at any time.
  std::string signs(const ParameterSet& set) {
    SynapseBench bench = all(set);
    std::vector<double> given;
    for (std::uint32_t i = 0; i < synapse_count; ++i) given.push_back(bench.given(i));
    for (std::size_t n = 0; n < events_.size(); ++n) {
      Weights w;
      events_[n].happen(bench, w);
      const Sign sign = sign_of(t_, bench.parameters());
      if (sign == Sign::either) continue;
      for (std::uint32_t i = 0; i < synapse_count; ++i)
        if (w[i] * (sign == Sign::given ? given[i] : static_cast<double>(sign)) < 0)
          return "event " + std::to_string(n) + ", synapse " + std::to_string(i) + ": transmits " +
                 shortest(w[i]) + ", " +
                 (sign == Sign::given
                      ? "of a weight that began as " + shortest(given[i])
                      : std::string("which the range of its weight, or `sign`, says is never ") +
                            (sign == Sign::positive ? "below 0" : "above 0"));
    }
    return "";
  }

  /// The engine multiplies by the payload; the model does not.
  std::string payloads(const ParameterSet& set) {
    SynapseBench bench = all(set);
    Weights w;
    for (const auto& e : events_) {
      SynapseBench one = bench, other = bench;
      Weights of_one, of_other;
      SynapseEvent{e.tick, 1, e.controls, e.set}.happen(one, of_one);
      SynapseEvent{e.tick, 0.37, e.controls, e.set}.happen(other, of_other);
      if (const auto d = difference(of_one, of_other); !d.empty())
        return d.substr(d.find("synapse")) +
               " with the payload 0.37; the engine multiplies weights by the payload, a model must not do it "
               "as well";
      e.happen(bench, w);
    }
    return "";
  }

  /// What logs hold of a weight is what an event would have met, before or after the change that it makes
  /// itself.
  std::string shows(const ParameterSet& set) {
    SynapseBench bench = all(set);
    if (bench.table().draws) return "";  // what is read may be noisy
    Weights w;
    for (const auto& e : events_) {
      SynapseBench read = bench;
      e.prepare(read);
      Weights shown, met;
      constexpr double least = std::numeric_limits<float>::min();  // weights may be transmitted as floats
      const auto other = [&](double x, std::uint32_t i) {
        return std::abs(x - met[i]) > 1e-5 * std::max(std::abs(x), std::abs(met[i])) + least;
      };
      for (std::uint32_t i = 0; i < synapse_count; ++i) shown.push_back(read.read(i, e.tick, 0));
      read.deliver(e.tick, 1, met);
      for (std::uint32_t i = 0; i < synapse_count; ++i)
        if (other(shown[i], i) && other(read.read(i, e.tick, 0), i))
          return "at tick " + std::to_string(e.tick) + " synapse " + std::to_string(i) + " transmits " +
                 shortest(met[i]) + ", and its " + t_.model.variables.data[0].name + " is read as " +
                 shortest(shown[i]);
      e.happen(bench, w);
    }
    return "";
  }

  /// Three slices where there was one: blocks differ between ranks and machines, edges keep their keys.
  std::string splits(const ParameterSet& set) {
    auto apart = parts(set), together = parts(set);
    Weights one_by_one, at_once;
    for (const auto& e : events_)
      for (auto& part : apart) e.happen(part, one_by_one);
    if (const auto d = difference(whole(set), one_by_one); !d.empty() || !t_.on_pre) return d;
    for (const auto& e : events_) {
      for (auto& part : together) e.prepare(part);
      SynapseBench::deliver_together(together, e.tick, e.payload, at_once);
    }
    const auto d = difference(one_by_one, at_once);
    return d.empty() ? "" : "several slices in one call: " + d;
  }

  std::string restarts(const ParameterSet& set) {
    SynapseBench bench = all(set);
    Weights w;
    for (std::size_t i = 0; i < events_.size() / 2; ++i) events_[i].happen(bench, w);
    SynapseBench resumed(bench, restarted_);
    for (std::size_t i = events_.size() / 2; i < events_.size(); ++i) events_[i].happen(resumed, w);
    return difference(whole(set), w);
  }

  std::string reads(const ParameterSet& set) {
    SynapseBench bench = all(set);
    Weights w;
    Tick last = 0;
    for (const auto& e : events_) {
      const SynapseBench before = bench;
      for (std::uint32_t i = 0; i < synapse_count; ++i)
        for (const Tick tick : {last, (last + e.tick) / 2, e.tick})
          for (std::uint32_t v = 0; v < t_.model.variables.count; ++v) {
            const double once = bench.read(i, tick, v);
            if (!std::isfinite(once))
              return std::string(t_.model.variables.data[v].name) + " is read as " + std::to_string(once);
            if (!same_bits(once, bench.read(i, tick, v))) return "two reads at one tick differ";
          }
      if (!bench.same_states(before) || !bench.same_shared(before)) return "read has written to the state";
      e.happen(bench, w);
      last = e.tick;
    }
    return difference(whole(set), w);
  }

  std::string catches_up(const ParameterSet& set) {
    SynapseBench bench = all(set);
    Weights w;
    Tick last = 0;
    for (const auto& e : events_) {
      for (const Tick tick : {(last + e.tick) / 2, e.tick})
        if (tick > last) bench.catch_up(tick);
      e.happen(bench, w);
      last = e.tick;
    }
    return difference(whole(set), w);
  }

  /// Of each target's past the engine keeps the last spike that was seen, with its trace.
  std::string forgets(const ParameterSet& set) {
    SynapseBench bench = all(set);
    Weights w;
    Tick last = 0;
    for (const auto& e : events_) {
      for (const Tick tick : {(last + e.tick) / 2, e.tick})
        if (tick > last) bench.forget(tick);
      e.happen(bench, w);
      last = e.tick;
    }
    const auto d = difference(whole(set), w);
    return d.empty() ? "" : d + " when spikes that it has seen are gone but for the last";
  }

  /// Targets' variables may come as arrays or through `read`.
  std::string values(const ParameterSet& set) {
    SynapseBench bench = all(set);
    bench.show_values();
    Weights w;
    for (const auto& e : events_) e.happen(bench, w);
    return difference(whole(set), w);
  }

  /// Random numbers come from the key that the engine gives, and that it gives only to models that say so.
  std::string draws(const ParameterSet& set) {
    const Weights as_it_was = whole(set);
    const bool with_gids = difference(as_it_was, whole(set, {.first_target = 4000, .source = 19})).empty();
    if (!all(set).table().draws)
      return with_gids ? ""
                       : "what it transmits depends on who the neurons are, and it does not say that it "
                         "draws random numbers (`draws = true`): they have no key, and ignore the seed";
    if (with_gids) return "";  // none, or none that show
    for (std::uint32_t k = 0; k < other_seeds; ++k)
      if (!difference(as_it_was, whole(set, {.seed = 43 + k})).empty()) return "";
    return "its random numbers ignore the seed: they come not from `Slice::draw`";
  }

 private:
  SynapseBench all(const ParameterSet& set, const Identity& who = {}) const {
    return synapses_of(t_, set, seed_, who);
  }
  std::vector<SynapseBench> parts(const ParameterSet& set) const {
    std::vector<SynapseBench> all;
    for (const auto& which : {std::pair{0u, 1u}, {1u, 19u}, {20u, synapse_count - 20}})
      all.push_back(synapses_of(t_, set, seed_, {}, which));
    return all;
  }
  /// The weights of all events at one slice.
  Weights whole(const ParameterSet& set, const Identity& who = {}) const {
    SynapseBench bench = all(set, who);
    Weights w;
    for (const auto& e : events_) e.happen(bench, w);
    return w;
  }
  const SynapseTable &t_, &restarted_;
  std::uint32_t seed_;
  std::vector<SynapseEvent> events_;
};

}  // namespace

void check_synapse(const SynapseTable& table, const SynapseTable& restarted, const Battery& battery) {
  SynapseChecks checks(table, restarted, battery.seed);
  const auto sets = parameter_sets(table.model.params, table.params_size, table.check, battery.seed);
  using Look = std::string (SynapseChecks::*)(const ParameterSet&);
  const auto with_all = [&](const char* holds, Look look) {
    battery.check_each(
        holds, sets, [](const ParameterSet& set) -> const ParameterSet& { return set; },
        [&](const ParameterSet& set) -> std::string {
          try {
            return (checks.*look)(set);
          } catch (const std::runtime_error& e) {  // the engine would not build such a network
            return e.what();
          }
        });
  };
  with_all("writes only its own memory", &SynapseChecks::fences);
  with_all("leaves the floating-point mode of the processor as it is", &SynapseChecks::mode);
  with_all("weights are finite", &SynapseChecks::numbers);
  with_all("what it transmits has the sign that it says", &SynapseChecks::signs);
  with_all("the payload of an event is counted once", &SynapseChecks::payloads);
  with_all("the same history gives the same weights", &SynapseChecks::repeats);
  with_all("one batch equals split batches", &SynapseChecks::splits);
  with_all("states saved and restored as bytes go on as if nothing had happened", &SynapseChecks::restarts);
  with_all("`read` changes nothing, and returns numbers", &SynapseChecks::reads);
  if (!table.draws && (table.model.variables.data[0].flags & port_unit))
    with_all("the weight that is read is the one that is transmitted", &SynapseChecks::shows);
  with_all("random numbers follow the seed", &SynapseChecks::draws);
  if (table.catch_up) with_all("`catch_up` changes nothing that follows", &SynapseChecks::catches_up);
  if (table.post_tau)
    with_all("of spikes that it has seen it needs each target's last alone", &SynapseChecks::forgets);
  if (table.read_count)
    with_all("what it reads of its targets may come in either way", &SynapseChecks::values);
}

}  // namespace spinet
