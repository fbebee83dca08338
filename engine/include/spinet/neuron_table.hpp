// What the engine calls of a neuron model, and the block that it hands over.  Part of spinet/neuron.hpp.
#pragma once
#include <cstdint>

#include "spinet/arrivals.hpp"
#include "spinet/followed.hpp"
#include "spinet/model.hpp"
#include "spinet/random.hpp"
#include "spinet/requests.hpp"
#include "spinet/time.hpp"

namespace spinet {

/// What is fixed for a whole run.
struct RunInfo {
  double ticks_per_ms;
};

/// How many sources (rows) and targets (columns) a projection has.
struct DrivenSize {
  std::uint32_t sources, targets;
};

/// A stretch of neurons of one kernel group on one rank, as the engine keeps it (C layout).  All memory is
/// 64-byte aligned.
struct NeuronBlock {
  void* state;         ///< `State[size]`
  void* constants;     ///< `Constants[size]`, if the model has them
  const void* shared;  ///< `Shared`, one per kernel group
  /// `Common`, one per block, zero at first: what a kernel wants to know of its block's neurons.
  void* common;
  /// Global id of each neuron, as its random numbers count it (several replicas may lie in one block).
  const Gid* gids;
  Outbox* out;
  std::uint32_t size;
  const RandomKey* random;  ///< key of each neuron's random numbers; their seeds may differ
  Tick frame_begin;         ///< begin of the present frame; a multiple of frame_length
  Tick frame_length;        ///< 0: the model has no frames
  RunInfo run;
  /// An environment's patterns: `table_rows` rows of `table_inputs` + `table_targets` numbers.
  const double* table;
  std::uint32_t table_rows, table_inputs, table_targets;
  /// By neuron: 0 where it is virtual (see `SlabEvents`); null where all are exact.
  const std::uint8_t* exact;
  Tick slab_begin, slab_end;  ///< the present slab, or the last one
  bool is_virtual(std::uint32_t j) const noexcept { return exact && !exact[j]; }
  const DrivenSize* driven;  ///< of an environment: the projections that it may address in what it posts
  std::uint32_t driven_count;

  /// Four random words of neuron `j`, the same on any number of ranks; `counter`: the tick, say.
  Words draw(std::uint32_t j, std::uint64_t counter) const noexcept {
    return spinet::draw(random[j], gids[j], counter);
  }
};

struct NeuronTable {
  Model model;
  const Port* ports;
  std::uint32_t port_count;
  std::uint32_t graded;  ///< 1: emissions carry a payload
  std::uint32_t params_size, state_size, constants_size, shared_size, common_size;
  /// 1: an environment.  Its population is one entity: all members on one rank in one block, in order; it may
  /// post control events.
  std::uint32_t environment;
  std::uint32_t metric_count;
  const char* const* metrics;  ///< what Control::value of the `scored` stimuli that it posts holds
  /// Fills `shared` from one neuron's parameters; only fields flagged `shared` may be used.
  void (*prepare)(void* shared, const void* params, const RunInfo* run, Tick frame_length) noexcept;
  /// Ticks of a frame for a neuron with these parameters, 0 for none.  The engine takes the least of the
  /// group.
  Tick (*frame)(const void* params, const RunInfo* run) noexcept;
  /// Puts neuron j into its state at t = 0; `initial` has one number per variable flagged `initial`, in table
  /// order.
  void (*init)(NeuronBlock* b, std::uint32_t j, const void* params, const double* initial) noexcept;
  /// Changes neuron j's parameters at `tick` (schedule); state is kept.
  void (*set)(NeuronBlock* b, Tick tick, std::uint32_t j, const void* params) noexcept;
  void (*receive)(NeuronBlock* b, const Arrivals* a) noexcept;
  /// Takes arrivals until `train->limit` or until one has asked for something; returns how many it took.
  std::uint32_t (*receive_train)(NeuronBlock* b, const Train* train) noexcept;
  void (*wake)(NeuronBlock* b, Tick tick, const std::uint32_t* js, std::uint32_t n) noexcept;
  void (*test)(NeuronBlock* b, Tick tick, const std::uint32_t* js, std::uint32_t n) noexcept;
  void (*evaluate)(NeuronBlock* b, Tick tick, const std::uint32_t* js, std::uint32_t n) noexcept;
  /// Moves the block on by `frames` frames without arrivals; b->frame_begin is already the new one.  Finds
  /// every crossing in the new frame.  Returns 1 if, without further arrivals, no neuron can ever cross: the
  /// block may sleep.
  std::uint32_t (*renormalise)(NeuronBlock* b, std::uint64_t frames) noexcept;
  void (*on_control)(NeuronBlock* b, Tick tick, const Control* c, const std::uint32_t* js,
                     std::uint32_t n) noexcept;
  /// Value of a variable at the beginning of `tick`; changes nothing.
  double (*read)(const NeuronBlock* b, Tick tick, std::uint32_t j, std::uint32_t variable) noexcept;
  /// Null if the parameters fit together, else the reason, for people ("v_reset must be below v_th").  May be
  /// null.
  const char* (*check)(const void* params) noexcept;
  /// The same model with its `shared` parameters kept per neuron (an exp per event), for populations whose
  /// neurons differ in them.  May be null: then they must not differ.
  const NeuronTable* per_neuron;
  /// The table to be used for neurons with these `shared` parameters, of the same model: a simpler kernel,
  /// say.  May be null: this one.
  const NeuronTable* (*choose)(const void* params) noexcept;
  /// An environment's timing in ticks: from a presentation to the reading of the answer, from there to the
  /// reward.
  void (*timing)(const void* params, const RunInfo* run, Tick* deadline, Tick* latency) noexcept;
  /// 1: the test of neuron j asked for at `tick` would do nothing, since an earlier one was asked for after
  /// it; it is then dropped.  May be null: every test that was asked for comes.
  std::uint32_t (*out_of_date)(const NeuronBlock* b, Tick tick, std::uint32_t j) noexcept;
  /// The same as `read` for all neurons of the block: out[j].
  void (*read_all)(const NeuronBlock* b, Tick tick, std::uint32_t variable, double* out) noexcept;
  /// Input without order, see `SlabEvents`; all four or none.  A slab begins: of the `n` neurons `js`, exact
  /// so far, those that cannot be virtual are moved to the front and their number is returned.  The tests
  /// that the others have asked for do not count any more.
  std::uint32_t (*begin_slab)(NeuronBlock* b, std::uint32_t* js, std::uint32_t n) noexcept;
  /// Adds events to the states of their targets, but for those that might then cross before the slab's end,
  /// or that cannot be virtual: they keep their state, and their bits are set.  To the same bits in whatever
  /// stretches they come.
  void (*take_slab)(NeuronBlock* b, const SlabEvents* drawn, MemberBits* might_cross) noexcept;
  /// Takes events of neuron j, `n` keys as in `SlabEvents`, out of its state again.
  void (*take_out)(NeuronBlock* b, std::uint32_t j, const std::uint32_t* keys, std::uint32_t n,
                   double weight) noexcept;
  /// Neuron j has become exact at `tick`, a slab's begin or end: asks for the test it needs.
  void (*look)(NeuronBlock* b, std::uint32_t j, Tick tick) noexcept;
  const Stimulus* posts;  ///< what an environment may post
  std::uint32_t post_count;
  /// Index of the parameter that `follow` gives a course in time.
  std::uint32_t followed;
  /// The same model for populations of which the schedule drives the parameter `followed` with a waveform: it
  /// knows what the waveform does to a neuron in closed form.  Null: such parameters are `set` in steps.
  const NeuronTable* following;
  /// Neuron j's parameter goes as `f` says from `tick` on, until this is called again or `set` is.
  void (*follow)(NeuronBlock* b, Tick tick, std::uint32_t j, const Followed* f) noexcept;
  std::uint32_t patterns;  ///< 1: an environment that a network must give `patterns`; others take none
};

}  // namespace spinet
