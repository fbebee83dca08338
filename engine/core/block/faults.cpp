// What a block does where a model has broken the contract: find who it was, and end the run.  The looking itself is part of
// the calls (block.cpp); what is here runs once, or at the end of a run and before checkpoints.
#include <cmath>
#include <cstring>
#include <set>
#include <stdexcept>

#include "core/block/block.hpp"
#include "core/failure.hpp"
#include "core/finite.hpp"

namespace spinet {
namespace {

std::string called(Ask phase) {
  switch (phase) {
    case Ask::wake: return "wake";
    case Ask::test: return "test";
    case Ask::evaluate: return "evaluate";
    default: return "emit";
  }
}

/// What is wrong with a value that is not finite, for people.
const char* fault_of(double read) { return std::isnan(read) ? "not a number" : "infinite"; }

}  // namespace

void Block::fail(std::uint32_t j, Tick now, const std::string& reason) const {
  throw ModelFailure::of(network_, gids_[j], now, reason);
}

void Block::fail_model(Tick now, const std::string& reason) const { fail(0, now, "(or another one of this call) the model " + reason); }

void Block::refuse(const Request& r, Tick now) const {
  const auto at = [&](Tick t) { return shortest(static_cast<double>(t) / network_.ticks_per_ms()) + " ms"; };
  if (r.neuron >= c_.size) fail_model(now, "asks for neuron " + std::to_string(r.neuron) + " of a block of " + std::to_string(c_.size));
  if (r.ask == Ask::fail) fail(r.neuron, r.tick, reason_of(r));  // it says itself that it cannot go on
  if (r.ask > Ask::fail) fail(r.neuron, now, "asks for something unknown");
  if (r.ask != Ask::emit && r.tick < now) fail(r.neuron, now, "asks for `" + called(r.ask) + "` in the past, at " + at(r.tick));
  if (r.ask != Ask::emit) fail(r.neuron, now, "asks for `" + called(r.ask) + "` in a tick in which that is over");
  if (now < from_) fail(r.neuron, now, "emits outside the run");
  if (r.tick != now) fail(r.neuron, now, "emits at another tick, " + at(r.tick));
  if (!table_.graded) fail(r.neuron, now, "emits the payload " + shortest(r.payload) + ", and does not say that it is graded");
  fail(r.neuron, now, "emits the payload " + shortest(r.payload));
}

/// Control events of an environment.
void Block::take_postings(Tick now) {
  const std::uint32_t n = std::exchange(outbox_.posting_count, 0);
  if (n > outbox_.posting_capacity)
    fail(0, now, table_.environment ? "posts " + std::to_string(n) + " control events in one call, where " + std::to_string(limit::postings) + " are allowed"
                                    : "posts control events, and is no environment");
  for (std::uint32_t i = 0; i < n; ++i) {
    const Posting& p = outbox_.postings[i];
    const auto kind = p.control.kind;
    if (kind != Control::Kind::reward && kind != Control::Kind::batch_end && kind != Control::Kind::custom)
      fail(0, now, "posts a control event of kind " + std::to_string(static_cast<std::uint32_t>(kind)) + ", where rewards, ends of batches and custom ones are allowed");
    if (!all_finite(p.control.value, std::size(p.control.value))) fail(0, now, "posts a control event with a value that is not finite");
    std::uint32_t number = 0;
    for (const auto& other : posted) number += other.tick == p.tick;
    posted.push_back({p.tick, gids_[0], number, p.control});
  }
}

void Block::fail_mode(const FloatingPointMode& mode, Tick from, Tick to) const {
  const std::string what = FloatingPointMode::now().changed_since(mode);
  mode.restore();
  std::set<std::string> synapses;
  for (const Store& store : synapses_->stores())
    if (!store.uniform) synapses.insert(store.table->model.name);
  std::string models = table_.model.name;
  for (const auto& name : synapses) models += ", " + name;
  const auto ms = [&](Tick t) { return shortest(static_cast<double>(t) / network_.ticks_per_ms()) + " ms"; };
  throw std::runtime_error("population '" + std::string(population_name_) + "', from " + ms(from) + " to " + ms(to) + ": one of its models (" + models +
                           ") " + mode_reason(what));
}

void Block::fail_synapse(std::uint32_t s, std::uint32_t i, Tick now, const std::string& reason) const {
  const Store& store = synapses_->stores()[synapses_->slice(s).store];
  const Gid source = synapses_->source_of(s);
  const Population& from = network_.populations[population_of(network_, source)];
  fail(store.targets[synapses_->slice(s).begin + i], now,
       "the synapse from neuron " + std::to_string(source - from.first) + " of '" + from.name + "' (projection '" +
           network_.projections[store.projections[0]].name + "', " + store.table->model.name + ") " + reason);
}

/// One of the weights that the slice has handed out is not finite, or has a sign that its port does not take.
void Block::fail_weights(std::uint32_t s, const double* weights64, const float* weights32, Tick now) const {
  const Store& store = synapses_->stores()[synapses_->slice(s).store];
  for (std::uint32_t i = 0; i < synapses_->slice(s).count; ++i) {
    const double w = weights64 ? weights64[i] : static_cast<double>(weights32[i]);
    if (!std::isfinite(w)) fail_synapse(s, i, now, "transmits " + shortest(w));
    if (w * store.weight_sign < 0)
      fail_synapse(s, i, now, "transmits " + shortest(w) + ", where port '" + table_.ports[store.port].name + "' takes no weight " +
                                  (store.weight_sign > 0 ? "below 0" : "above 0") + " of it");
  }
  fail_synapse(s, 0, now, "transmits what it may not");
}

/// `read`, what a neuron's variable has been read as, if it is finite.
double Block::number(double read, std::uint32_t j, std::uint32_t variable, Tick now) const {
  if (!std::isfinite(read)) [[unlikely]]
    fail(j, now, std::string("its variable ") + table_.model.variables.data[variable].name + " is " + fault_of(read));
  return read;
}

double Block::number(double read, std::uint32_t s, std::uint32_t i, std::uint32_t variable, Tick now) const {
  if (!std::isfinite(read)) [[unlikely]] {
    const SynapseTable& table = *synapses_->stores()[synapses_->slice(s).store].table;
    const std::string name = table.model.variables.data[variable].name;
    fail_synapse(s, i, now, "has a variable " + name + " that is " + fault_of(read));
  }
  return read;
}

void Block::check_numbers(Tick at) const {
  // A sleeping block is still in the frame in which it fell asleep.
  const Tick now = c_.frame_length ? std::min(at - 1, c_.frame_begin + c_.frame_length - 1) : at - 1;
  for (std::uint32_t v = 0; v < table_.model.variables.count; ++v)
    for (std::uint32_t j = 0; j < c_.size; ++j) number(table_.read(&c_, now, j, v), j, v, now);
  for (std::uint32_t k = 0; k < synapses_->stores().size(); ++k) {
    const Store& store = synapses_->stores()[k];
    if (store.uniform) continue;
    for (std::uint32_t v = 0; v < store.table->model.variables.count; ++v) {
      const Field& f = store.table->model.variables.data[v];
      if (f.offset == no_place) continue;
      double sum = 0;  // of nothing but zeros, if all are finite
      for (std::uint64_t i = 0; i < store.targets.size(); ++i) sum += 0 * get(store.state_of(i), f);
      if (sum == 0) continue;
      for (std::uint32_t s = 0; s < synapses_->slice_count(); ++s)
        for (std::uint32_t i = 0; i < synapses_->slice(s).count && synapses_->slice(s).store == k; ++i)
          number(get(store.state_of(synapses_->slice(s).begin + i), f), s, i, v, now);
    }
  }
}

}  // namespace spinet
