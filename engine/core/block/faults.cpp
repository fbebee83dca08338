#include "core/block/faults.hpp"

#include <cmath>
#include <set>
#include <utility>

#include "core/errors.hpp"
#include "core/failure.hpp"
#include "core/finite.hpp"
#include "network/lookup.hpp"

namespace spinet {
namespace {

std::string called(Ask phase) {
  switch (phase) {
    case Ask::wake:
      return "wake";
    case Ask::test:
      return "test";
    case Ask::evaluate:
      return "evaluate";
    default:
      return "emit";
  }
}

/// What is wrong with a value that is not finite, for people.
std::string fault_of(double read) {
  if (std::isfinite(read)) return shortest(read) + ", more than the 4-byte numbers of a log hold";
  return std::isnan(read) ? "not a number" : "infinite";
}

}  // namespace

std::string Faults::ms(Tick t) const {
  return shortest(static_cast<double>(t) / network_.ticks_per_ms()) + " ms";
}

void Faults::neuron(std::uint32_t j, Tick now, const std::string& reason) const {
  throw ModelFailure::of(network_, gids_[j], now, reason);
}

void Faults::model(Tick now, const std::string& reason) const {
  neuron(0, now, "(or another one of this call) the model " + reason);
}

void Faults::request(const Request& r, Tick now, Tick from) const {
  if (r.neuron >= gids_.size())
    model(now,
          "asks for neuron " + std::to_string(r.neuron) + " of a block of " + std::to_string(gids_.size()));
  if (r.ask == Ask::fail) neuron(r.neuron, r.tick, reason_of(r));  // it says itself that it cannot go on
  if (r.ask > Ask::fail) neuron(r.neuron, now, "asks for something unknown");
  if (r.ask != Ask::emit && r.tick < now)
    neuron(r.neuron, now, "asks for `" + called(r.ask) + "` in the past, at " + ms(r.tick));
  if (r.ask != Ask::emit)
    neuron(r.neuron, now, "asks for `" + called(r.ask) + "` in a tick in which that is over");
  if (now < from) neuron(r.neuron, now, "emits outside the run");
  if (r.tick != now) neuron(r.neuron, now, "emits at another tick, " + ms(r.tick));
  const std::string payload = "emits the payload " + shortest(r.payload);
  neuron(r.neuron, now, table_.graded ? payload : payload + ", and does not say that it is graded");
}

void Faults::postings(std::uint32_t n, Tick now) const {
  if (!table_.environment) neuron(0, now, "posts control events, and is no environment");
  neuron(0, now,
         "posts " + std::to_string(n) + " control events in one call, where " +
             std::to_string(limit::postings) + " are allowed");
}

void Faults::posting(const Posting& p, Tick now) const {
  if (p.control.stimulus >= table_.post_count)
    neuron(0, now,
           "posts stimulus " + std::to_string(p.control.stimulus) + ", counted from 0, but has only " +
               std::to_string(table_.post_count));
  if (p.to.kind != PostedTo::Kind::everyone) posting_to(p.to, now);
  if (!all_finite(p.control.value, std::size(p.control.value)))
    neuron(0, now, "posts a control event with a value that is not finite");
}

void Faults::posting_to(const PostedTo& to, Tick now) const {
  const Population& own = network_.populations[population_of(network_, gids_[0])];
  const auto wrong = [&](const std::string& what) { neuron(0, now, "addresses what it posts to " + what); };
  if (to.kind > PostedTo::Kind::pair) wrong("a place of unknown kind");
  if (to.projection >= own.drives.size())
    wrong("projection " + std::to_string(to.projection) + " of the " + std::to_string(own.drives.size()) +
          " that it drives");
  const Projection& p = network_.projections[own.drives[to.projection]];
  const bool row = to.kind == PostedTo::Kind::row, column = to.kind == PostedTo::Kind::column;
  const bool pair = to.kind == PostedTo::Kind::pair;
  if ((row || pair) && to.source >= p.source_count())
    wrong("source " + std::to_string(to.source) + " of the " + std::to_string(p.source_count()) + " of '" +
          p.name + "'");
  if ((column || pair) && to.target >= p.target_count())
    wrong("target " + std::to_string(to.target) + " of the " + std::to_string(p.target_count()) + " of '" +
          p.name + "'");
}

void Faults::mode(const FloatingPointMode& mode, Tick from, Tick to) const {
  const std::string what = FloatingPointMode::now().changed_since(mode);
  mode.restore();
  std::set<std::string> models{table_.model.name};
  for (const Store& store : synapses_->stores())
    if (!store.uniform) models.insert(store.table->model.name);
  throw ModeChanged("population '" + network_.populations[population_of(network_, gids_[0])].name +
                        "', from " + ms(from) + " to " + ms(to) + ": one of its models",
                    std::move(models), "", what);
}

void Faults::synapse(std::uint32_t s, std::uint32_t i, Tick now, const std::string& reason) const {
  const Store& store = synapses_->stores()[synapses_->slice(s).store];
  const Gid source = synapses_->source_of(s);
  const Population& from = network_.populations[population_of(network_, source)];
  neuron(store.targets[synapses_->slice(s).begin + i], now,
         "the synapse from neuron " + std::to_string(source - from.first) + " of '" + from.name +
             "' (projection '" + network_.projections[store.projections[0]].name + "', " +
             store.table->model.name + ") " + reason);
}

void Faults::weights(std::uint32_t s, std::span<const double> handed_out, Tick now) const {
  const Store& store = synapses_->stores()[synapses_->slice(s).store];
  for (std::uint32_t i = 0; i < handed_out.size(); ++i) {
    const double w = handed_out[i];
    if (!std::isfinite(w)) synapse(s, i, now, "transmits " + shortest(w));
    if (w * store.weight_sign < 0)
      synapse(s, i, now,
              "transmits " + shortest(w) + ", where port '" + table_.ports[store.port].name +
                  "' takes no weight " + (store.weight_sign > 0 ? "below 0" : "above 0") + " of it");
  }
  synapse(s, 0, now, "transmits what it may not");
}

void Faults::not_finite(double read, std::uint32_t j, std::uint32_t variable, Tick now) const {
  neuron(j, now,
         std::string("its variable ") + table_.model.variables.data[variable].name + " is " + fault_of(read));
}

void Faults::not_finite(double read, const SynapseVariable& of, Tick now) const {
  const SynapseTable& table = *synapses_->stores()[synapses_->slice(of.slice).store].table;
  const std::string name = table.model.variables.data[of.variable].name;
  synapse(of.slice, of.i, now, "has a variable " + name + " that is " + fault_of(read));
}

}  // namespace spinet
