// What the models of a block ask for: taken from the outbox after each call, checked, and kept until its
// phase has come.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "core/block/evaluations.hpp"
#include "core/block/faults.hpp"
#include "core/block/histories.hpp"
#include "core/emission.hpp"
#include "core/queue/calendar.hpp"

namespace spinet {

/// A control event of an environment on its way to all ranks.
struct Posted {
  Tick tick;
  Gid gid;               ///< first of the environment
  std::uint32_t number;  ///< among those of one tick and environment
  Control control;       ///< its stimulus is one of the environment's `posts`
  PostedTo to;
};

class Requests {
 public:
  /// All must outlive it.  What environments post goes to `posted`.
  Requests(NeuronBlock& block, const NeuronTable& table, std::span<const Gid> gids, const Faults& faults,
           std::vector<Posted>& posted);
  /// Spikes are also entered into `histories`, for plastic synapses.
  void enter_into(Histories& histories) { histories_ = &histories; }
  /// Makes room for `n` requests in one call.
  void room(std::size_t n);
  /// Requests that a call for `n` neurons may make.
  std::size_t most_for(std::size_t n) const {
    return limit::requests_per_neuron * (table_.environment ? block_.size : n);
  }
  /// Of windows, for the calendar's buckets; forgets what has been asked for.
  void window(Tick length);
  /// Emissions from tick `from` on go to `out`; earlier ones are refused, and all where `from` is `never`.
  void emit_to(Emissions* out, Tick from) { out_ = out, from_ = from; }

  /// Has a call asked for anything?
  bool any() const { return (outbox_.size | outbox_.posting_count) != 0; }
  /// Has it asked for more than a call for `n` neurons may?
  bool too_many_for(std::size_t n) const { return outbox_.size > most_for(n); }
  /// Takes what a call at tick `now` has asked for, `most` requests at most.  `first`: the first phase of the
  /// tick that has not begun.
  void take(Tick now, std::size_t most, Ask first = Ask::wake);

  /// The phases of tick `now` begin: what is asked for at it waits beside the calendar.
  void begin(Tick now) { present_ = now; }
  /// Tick of the first request that waits in the calendar; `never` if there is none.
  Tick next() { return table_.out_of_date ? next_in_date() : calendar_.next(); }
  /// The same, tests that are out of date included.
  Tick next_of_all() { return calendar_.next(); }
  /// May anything be to be done in a phase of tick `now`?
  bool waits(Ask phase, Tick now) {
    if (phase == Ask::test && !soon_.empty()) return true;
    if (phase == Ask::evaluate && !evaluations.empty()) return true;
    return calendar_.next() == now;
  }
  /// Takes out the neurons whose phase has come, each once, in ascending order.
  std::span<const std::uint32_t> due(Ask phase, Tick now);
  void ask(Tick tick, Ask phase, std::uint32_t neuron) { calendar_.push({tick, phase, neuron}); }
  /// All that waits, each once, by tick, phase and neuron; tests that are out of date left out.
  std::vector<Calendar::Entry> waiting() const;

  Evaluations evaluations;  ///< for the end of the present tick
  std::uint64_t tests = 0;  ///< that have been asked for

 private:
  Tick next_in_date();
  void take_postings(Tick now);
  NeuronBlock& block_;
  const NeuronTable& table_;
  std::span<const Gid> gids_;
  const Faults& faults_;
  std::vector<Posted>& posted_;
  Histories* histories_ = nullptr;
  Outbox outbox_{};
  std::vector<Posting> postings_;
  std::vector<Request> requests_;
  Emissions* out_ = nullptr;
  Tick from_ = 0, present_ = -1;
  Calendar calendar_{1};
  std::vector<std::uint32_t> due_;
  std::vector<std::uint32_t> soon_;  ///< tests asked for at the present tick
};

}  // namespace spinet
