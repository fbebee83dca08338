// What neurons ask for and post.  Part of spinet/neuron.hpp.
#pragma once
#include <bit>
#include <cstdint>

#include "spinet/stimulus.hpp"
#include "spinet/time.hpp"

namespace spinet {

/// What a model asks for; drained by the engine after each call.
enum class Ask : std::uint32_t {
  wake,      ///< call `wake` at the tick, before its arrivals (end of a refractory period)
  test,      ///< call `test` at the tick, after its arrivals (possible threshold crossing)
  evaluate,  ///< call `evaluate` at the tick, after all tests (graded and stochastic neurons)
  emit,      ///< a spike or graded event at the present tick, at most one of a neuron and tick
  fail,      ///< the neuron cannot go on: the run ends, and says who, when and why
};
struct Request {
  Tick tick;
  double payload;  ///< of an `emit`; of a `fail` the address of its reason
  Ask ask;
  std::uint32_t neuron;
};
/// Whom a posting concerns, of the projections that the network says the environment `drives`, in that order.
struct PostedTo {
  enum class Kind : std::uint32_t { everyone, projection, row, column, pair } kind = Kind::everyone;
  std::uint32_t projection = 0;          ///< which of them
  std::uint32_t source = 0, target = 0;  ///< a row is one source, a column one target, a pair both
};
/// One of the model's `posts`, with finite values.  `tick` lies at least the network's shortest delay ahead.
struct Posting {
  Tick tick;
  Control control;
  PostedTo to = {};
};
/// How much a call may ask for: see `limit`.  Requests are for ticks that lie not before the present one and
/// for phases that have not passed; a neuron emits at the present tick, at most once, a finite payload.  The
/// run ends, naming model, neuron and tick, where it is otherwise.  One more place than `capacity` is there,
/// for what exceeds it.
struct Outbox {
  Request* data;
  std::uint32_t size, capacity;
  Posting* postings;
  std::uint32_t posting_count, posting_capacity;
  void post(Tick t, const Control& c, const PostedTo& to = {}) noexcept {
    postings[posting_count < posting_capacity ? posting_count : posting_capacity] = {t, c, to};
    ++posting_count;
  }
  void push(Request r) noexcept { data[size < capacity ? size : capacity] = r, ++size; }
  void wake_at(Tick t, std::uint32_t j) noexcept { push({t, 0, Ask::wake, j}); }
  void test_at(Tick t, std::uint32_t j) noexcept { push({t, 0, Ask::test, j}); }
  void evaluate_at(Tick t, std::uint32_t j) noexcept { push({t, 0, Ask::evaluate, j}); }
  void emit(Tick t, std::uint32_t j, double payload = 1.0) noexcept { push({t, payload, Ask::emit, j}); }
  /// `emit`, if `fires`: without a branch, which chance would make slow.
  void emit_if(bool fires, Tick t, std::uint32_t j) noexcept {
    data[size < capacity ? size : capacity] = {t, 1.0, Ask::emit, j};
    size += fires;
  }
  /// Neuron `j` cannot go on (its state cannot be integrated or is not finite, say): the run ends with its
  /// population, number, the time and `reason`, a literal for people.  Allowed in every call that asks, in
  /// `init` and `set` too; needs no room.
  void fail(Tick t, std::uint32_t j, const char* reason) noexcept {
    if (capacity == 0) return;
    if (size >= capacity) size = capacity - 1;
    data[size++] = {t, std::bit_cast<double>(reason), Ask::fail, j};
  }
};
inline const char* reason_of(const Request& failure) noexcept {
  return std::bit_cast<const char*>(failure.payload);
}

}  // namespace spinet
