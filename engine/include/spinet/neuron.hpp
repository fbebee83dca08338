// The contract of a neuron model.  A model is one file: a struct with `Params`, `State` (both plain structs), field
// tables and a few noexcept static functions; `neuron_table<M>()` makes of it the table of batch functions that
// the engine calls, so that the loops inline into the model's own translation unit.
//
// Order within a tick, which a model may rely on: control events, `wake`, arrivals (`receive`, then `receive_train`),
// `test`, `evaluate`, emission.  All state is in memory that the engine owns; nothing here may allocate or throw.
#pragma once
#include <cassert>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include "spinet/model.hpp"
#include "spinet/time.hpp"

namespace spinet {

/// A named input of a neuron model; `unit` is that of the weights that target it.
struct Port {
  const char* name;
  const char* unit;
  const char* doc;
  std::int32_t sign;      ///< +1 / -1: default port of weights of that sign; 0: only by name (or the only port)
  std::uint32_t graded;   ///< 1 if payloads other than 1 make sense here
  std::uint32_t evaluates = 0;  ///< 1: at the end of a tick, `evaluate` is called for all neurons that something arrived at here
};

/// Arrivals of one tick and port, of (part of) a slice or of several: any targets, in the order in which they count.
/// `targets` index the block.
struct Arrivals {
  Tick tick;
  std::uint32_t count;
  std::uint32_t port;
  const std::uint16_t* targets;
  const float* weights;     ///< one per target, or null
  const double* weights64;  ///< one per target, or null
  double weight;            ///< of all, where both are null
  double scale;             ///< the event's payload, 1 for a spike; multiplies every weight

  /// Calls f(target, weight * scale) for each arrival in order.
  template <class F>
  void each(F&& f) const {
    if (weights) for (std::uint32_t i = 0; i < count; ++i) f(targets[i], static_cast<double>(weights[i]) * scale);
    else if (weights64) for (std::uint32_t i = 0; i < count; ++i) f(targets[i], weights64[i] * scale);
    else for (std::uint32_t i = 0; i < count; ++i) f(targets[i], weight * scale);
  }
};

/// Arrivals at many ticks, one target each, sorted by tick: the superposed input of a source population.
/// A key holds the tick's offset from `base` in its upper and the target in its lower 16 bits.
/// `base` may lie before the block's frame, by less than its length; the arrivals do not.  Offsets are below that length.
/// The arrivals are those before the first key >= `limit`; there always is one (all ones ends the list).
struct Train {
  Tick base;
  const std::uint32_t* keys;
  std::uint32_t limit;
  std::uint32_t port;
  double weight;             ///< of all, where `weight_of` is null
  const double* weight_of;   ///< indexed by target, or null
  double at(std::uint16_t target) const { return weight_of ? weight_of[target] : weight; }
};

/// What a model asks for; drained by the engine after each call.
enum class Ask : std::uint32_t {
  wake,      ///< call `wake` at the tick, before its arrivals (end of a refractory period)
  test,      ///< call `test` at the tick, after its arrivals (possible threshold crossing)
  evaluate,  ///< call `evaluate` at the tick, after all tests (graded and stochastic neurons)
  emit,      ///< a spike or graded event at the present tick
};
struct Request {
  Tick tick;
  double payload;
  Ask ask;
  std::uint32_t neuron;
};
/// A control event that an environment posts.  `tick` lies at least the network's shortest delay ahead.
struct Posting {
  Tick tick;
  Control control;
};
/// Room is guaranteed for two requests per arrival of a `receive`, four per neuron of any other call, and
/// four after `receive_train` has accepted an arrival; to an environment four per member in any call, and 16 postings.
struct Outbox {
  Request* data;
  std::uint32_t size, capacity;
  Posting* postings;
  std::uint32_t posting_count, posting_capacity;
  void post(Tick t, const Control& c) noexcept { assert(posting_count < posting_capacity); postings[posting_count++] = {t, c}; }
  void push(Request r) noexcept { assert(size < capacity); data[size++] = r; }
  void wake_at(Tick t, std::uint32_t j) noexcept { push({t, 0, Ask::wake, j}); }
  void test_at(Tick t, std::uint32_t j) noexcept { push({t, 0, Ask::test, j}); }
  void evaluate_at(Tick t, std::uint32_t j) noexcept { push({t, 0, Ask::evaluate, j}); }
  void emit(Tick t, std::uint32_t j, double payload = 1.0) noexcept { push({t, payload, Ask::emit, j}); }
  /// `emit`, if `fires`: without a branch, which chance would make slow.
  void emit_if(bool fires, Tick t, std::uint32_t j) noexcept {
    assert(size < capacity);
    data[size] = {t, 1.0, Ask::emit, j};
    size += fires;
  }
};

/// What is fixed for a whole run.
struct RunInfo {
  double ticks_per_ms;
};

/// A run of neurons of one kernel group on one rank, as the engine keeps it (C layout).  All memory is 64-byte aligned.
struct NeuronBlock {
  void* state;         ///< `State[size]`
  void* constants;     ///< `Constants[size]`, if the model has them
  const void* shared;  ///< `Shared`, one per kernel group
  void* common;        ///< `Common`, one per block, zero at first: what a kernel wants to know of its block's neurons
  const Gid* gids;     ///< global id of each neuron
  Outbox* out;
  std::uint32_t size;
  RandomKey random;
  Tick frame_begin;    ///< begin of the present frame; a multiple of frame_length
  Tick frame_length;   ///< 0: the model has no frames
  RunInfo run;
  const double* table;  ///< an environment's patterns: `table_rows` rows of `table_inputs` + `table_targets` numbers
  std::uint32_t table_rows, table_inputs, table_targets;
};

struct NeuronTable {
  Model model;
  const Port* ports;
  std::uint32_t port_count;
  std::uint32_t graded;  ///< 1: emissions carry a payload
  std::uint32_t params_size, state_size, constants_size, shared_size, common_size;
  /// 1: an environment.  Its population is one entity: all members on one rank in one block, in order; it may post control
  /// events, and takes `patterns` in a network.
  std::uint32_t environment;
  std::uint32_t metric_count;
  const char* const* metrics;  ///< what Control::value of the rewards it posts holds, at most four
  /// Fills `shared` from one neuron's parameters; only fields flagged `shared` may be used.
  void (*prepare)(void* shared, const void* params, const RunInfo* run, Tick frame_length) noexcept;
  /// Ticks of a frame for a neuron with these parameters, 0 for none.  The engine takes the least of the group.
  Tick (*frame)(const void* params, const RunInfo* run) noexcept;
  /// Puts neuron j into its state at t = 0; `initial` has one number per variable flagged `initial`, in table order.
  void (*init)(NeuronBlock* b, std::uint32_t j, const void* params, const double* initial) noexcept;
  /// Changes neuron j's parameters at `tick` (schedule); state is kept.
  void (*set)(NeuronBlock* b, Tick tick, std::uint32_t j, const void* params) noexcept;
  void (*receive)(NeuronBlock* b, const Arrivals* a) noexcept;
  /// Takes arrivals until `train->limit` or until one has asked for something; returns how many it took.
  std::uint32_t (*receive_train)(NeuronBlock* b, const Train* train) noexcept;
  void (*wake)(NeuronBlock* b, Tick tick, const std::uint32_t* js, std::uint32_t n) noexcept;
  void (*test)(NeuronBlock* b, Tick tick, const std::uint32_t* js, std::uint32_t n) noexcept;
  void (*evaluate)(NeuronBlock* b, Tick tick, const std::uint32_t* js, std::uint32_t n) noexcept;
  /// Moves the block on by `frames` frames without arrivals; b->frame_begin is already the new one.  Finds every
  /// crossing in the new frame.  Returns 1 if, without further arrivals, no neuron can ever cross: the block may sleep.
  std::uint32_t (*renormalise)(NeuronBlock* b, std::uint64_t frames) noexcept;
  void (*on_control)(NeuronBlock* b, Tick tick, const Control* c, const std::uint32_t* js, std::uint32_t n) noexcept;
  /// Value of a variable at the beginning of `tick`; changes nothing.
  double (*read)(const NeuronBlock* b, Tick tick, std::uint32_t j, std::uint32_t variable) noexcept;
  /// Null if the parameters fit together, else the reason, for people ("v_reset must be below v_th").  May be null.
  const char* (*check)(const void* params) noexcept;
  /// The same model with its `shared` parameters kept per neuron (an exp per event), for populations whose neurons
  /// differ in them.  May be null: then they must not differ.
  const NeuronTable* per_neuron;
  /// The table to be used for neurons with these `shared` parameters, of the same model: a simpler kernel, say.  May be
  /// null: this one.
  const NeuronTable* (*choose)(const void* params) noexcept;
  /// An environment's timing in ticks: from a presentation to the reading of the answer, from there to the reward.
  void (*timing)(const void* params, const RunInfo* run, Tick* deadline, Tick* latency) noexcept;
  /// 1: the test of neuron j asked for at `tick` would do nothing, since an earlier one was asked for after it; it is then
  /// dropped.  May be null: every test that was asked for comes.
  std::uint32_t (*out_of_date)(const NeuronBlock* b, Tick tick, std::uint32_t j) noexcept;
  /// The same as `read` for all neurons of the block: out[j].
  void (*read_all)(const NeuronBlock* b, Tick tick, std::uint32_t variable, double* out) noexcept;
};

// --- for authors -------------------------------------------------------------------------------------------------

struct Nothing {};
namespace detail {
template <class M> struct ConstantsOf { using type = Nothing; };
template <class M> requires requires { typename M::Constants; } struct ConstantsOf<M> { using type = typename M::Constants; };
template <class M> struct CommonOf { using type = Nothing; };
template <class M> requires requires { typename M::Common; } struct CommonOf<M> { using type = typename M::Common; };
template <class M> struct SharedOf { using type = Nothing; };
template <class M> requires requires { typename M::Shared; } struct SharedOf<M> { using type = typename M::Shared; };
}  // namespace detail

/// Typed view of a block for model M.
template <class M>
struct Neurons {
  using State = typename M::State;
  using Constants = typename detail::ConstantsOf<M>::type;
  using Shared = typename detail::SharedOf<M>::type;
  NeuronBlock& b;
  State& state(std::uint32_t j) const { return static_cast<State*>(b.state)[j]; }
  Constants& constants(std::uint32_t j) const { return static_cast<Constants*>(b.constants)[j]; }
  const Shared& shared() const { return *static_cast<const Shared*>(b.shared); }
  auto& common() const { return *static_cast<typename detail::CommonOf<M>::type*>(b.common); }
  std::uint32_t size() const { return b.size; }
  Outbox& out() const { return *b.out; }
};

namespace detail {
// The hot functions of a model with `wide = true` are compiled twice, for any x86-64 and for one with AVX2, with all
// they call inlined.  Without contraction (-ffp-contract=off) both give the same bits.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define SPINET_WIDE gnu::flatten, gnu::target("arch=x86-64-v3")
inline bool wide() noexcept { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"); }
#else
#define SPINET_WIDE gnu::flatten
inline bool wide() noexcept { return false; }
#endif
template <class M>
inline void receive_body(NeuronBlock* b, const Arrivals* a) noexcept {
  if constexpr (requires(Neurons<M> n) { M::receive(n, *a); })
    M::receive(Neurons<M>{*b}, *a);
  else
    a->each([&](std::uint16_t j, double w) { M::arrive(Neurons<M>{*b}, a->tick, a->port, j, w); });
}
template <class M>
inline std::uint32_t train_body(NeuronBlock* b, const Train* a) noexcept {
  if constexpr (requires(Neurons<M> n) { M::receive_train(n, *a); }) {
    return M::receive_train(Neurons<M>{*b}, *a);
  } else {
    std::uint32_t i = 0;
    for (; a->keys[i] < a->limit; ++i) {
      const auto j = static_cast<std::uint16_t>(a->keys[i]);
      const Tick tick = a->base + (a->keys[i] >> 16);
      if constexpr (requires(Neurons<M> n) { M::arrive(n, Tick{}, 0u, 0u, 0.0); }) {
        M::arrive(Neurons<M>{*b}, tick, a->port, j, a->at(j));
      } else {
        const Arrivals one{tick, 1, a->port, &j, nullptr, nullptr, a->at(j), 1.0};
        M::receive(Neurons<M>{*b}, one);
      }
      if (b->out->size) return i + 1;
    }
    return i;
  }
}
template <class M> void evaluate(NeuronBlock* b, Tick tick, const std::uint32_t* js, std::uint32_t n) noexcept {
  M::evaluate(Neurons<M>{*b}, tick, std::span(js, n));
}
template <class M> [[SPINET_WIDE]] void evaluate_wide(NeuronBlock* b, Tick tick, const std::uint32_t* js, std::uint32_t n) noexcept {
  M::evaluate(Neurons<M>{*b}, tick, std::span(js, n));
}
template <class M> void receive(NeuronBlock* b, const Arrivals* a) noexcept { receive_body<M>(b, a); }
template <class M> [[SPINET_WIDE]] void receive_wide(NeuronBlock* b, const Arrivals* a) noexcept { receive_body<M>(b, a); }
template <class M> std::uint32_t train(NeuronBlock* b, const Train* a) noexcept { return train_body<M>(b, a); }
template <class M> [[SPINET_WIDE]] std::uint32_t train_wide(NeuronBlock* b, const Train* a) noexcept { return train_body<M>(b, a); }
}  // namespace detail

/// The table of model M.  M must have `name`, `doc`, `Params`, `State`, `params()`, `variables()`, `ports` (array),
/// `init(Neurons<M>, j, const Params&, const double*)`, `read(Neurons<M>, tick, j, variable)` and one of
///   receive(Neurons<M>, const Arrivals&)                 a whole batch
///   arrive(Neurons<M>, tick, port, j, weight)            one arrival; the loop is made here
/// and may have `Constants`, `Shared`, `Common`, `graded`, `wide`, and the other functions of `NeuronTable` under the same names.
template <class M>
const NeuronTable& neuron_table() {
  using N = Neurons<M>;
  using P = typename M::Params;
  static_assert(std::is_trivially_copyable_v<typename M::State>, "the engine moves and saves states as bytes");
  static const auto params = M::params();
  static const auto variables = M::variables();
  static const NeuronTable table = [] {
    NeuronTable t{};
    t.model = {abi_version, sizeof(NeuronTable), Kind::neuron, 0, M::name, M::doc, params.view(), variables.view()};
    t.ports = std::data(M::ports);
    t.port_count = static_cast<std::uint32_t>(std::size(M::ports));
    if constexpr (requires { M::graded; }) t.graded = M::graded;
    if constexpr (requires { M::environment; }) t.environment = M::environment;
    if constexpr (requires { M::metrics; }) t.metrics = M::metrics, t.metric_count = static_cast<std::uint32_t>(std::size(M::metrics));
    if constexpr (requires(const P& p, const RunInfo& r, Tick& d) { M::timing(p, r, d, d); })
      t.timing = [](const void* p, const RunInfo* r, Tick* d, Tick* l) noexcept { M::timing(*static_cast<const P*>(p), *r, *d, *l); };
    t.params_size = sizeof(P);
    t.state_size = sizeof(typename M::State);
    if constexpr (requires { typename M::Constants; }) t.constants_size = sizeof(typename M::Constants);
    if constexpr (requires { typename M::Common; }) t.common_size = sizeof(typename M::Common);
    if constexpr (requires { typename M::Shared; }) {
      t.shared_size = sizeof(typename M::Shared);
      t.prepare = [](void* s, const void* p, const RunInfo* r, Tick frame_length) noexcept {
        M::prepare(*static_cast<typename M::Shared*>(s), *static_cast<const P*>(p), *r, frame_length);
      };
    }
    if constexpr (requires(const P& p, const RunInfo& r) { M::frame(p, r); })
      t.frame = [](const void* p, const RunInfo* r) noexcept -> Tick { return M::frame(*static_cast<const P*>(p), *r); };
    t.init = [](NeuronBlock* b, std::uint32_t j, const void* p, const double* initial) noexcept {
      M::init(N{*b}, j, *static_cast<const P*>(p), initial);
    };
    if constexpr (requires(N n, const P& p) { M::set(n, Tick{}, 0u, p); })
      t.set = [](NeuronBlock* b, Tick tick, std::uint32_t j, const void* p) noexcept {
        M::set(N{*b}, tick, j, *static_cast<const P*>(p));
      };
    t.receive = detail::receive<M>;
    t.receive_train = detail::train<M>;
    if constexpr (requires { M::wide; }) {
      if (detail::wide()) t.receive = detail::receive_wide<M>, t.receive_train = detail::train_wide<M>;
    }
    if constexpr (requires(N n, std::span<const std::uint32_t> js) { M::wake(n, Tick{}, js); })
      t.wake = [](NeuronBlock* b, Tick tick, const std::uint32_t* js, std::uint32_t n) noexcept {
        M::wake(N{*b}, tick, std::span(js, n));
      };
    if constexpr (requires(N n, std::span<const std::uint32_t> js) { M::test(n, Tick{}, js); })
      t.test = [](NeuronBlock* b, Tick tick, const std::uint32_t* js, std::uint32_t n) noexcept {
        M::test(N{*b}, tick, std::span(js, n));
      };
    if constexpr (requires(N n, std::span<const std::uint32_t> js) { M::evaluate(n, Tick{}, js); }) {
      t.evaluate = detail::evaluate<M>;
      if constexpr (requires { M::wide; }) {
        if (detail::wide()) t.evaluate = detail::evaluate_wide<M>;
      }
    }
    if constexpr (requires(N n) { M::renormalise(n, std::uint64_t{}); })
      t.renormalise = [](NeuronBlock* b, std::uint64_t frames) noexcept -> std::uint32_t { return M::renormalise(N{*b}, frames); };
    if constexpr (requires(N n, const Control& c, std::span<const std::uint32_t> js) { M::on_control(n, Tick{}, c, js); })
      t.on_control = [](NeuronBlock* b, Tick tick, const Control* c, const std::uint32_t* js, std::uint32_t n) noexcept {
        M::on_control(N{*b}, tick, *c, std::span(js, n));
      };
    t.read = [](const NeuronBlock* b, Tick tick, std::uint32_t j, std::uint32_t v) noexcept -> double {
      return M::read(N{const_cast<NeuronBlock&>(*b)}, tick, j, v);
    };
    t.read_all = [](const NeuronBlock* b, Tick tick, std::uint32_t v, double* out) noexcept {
      for (std::uint32_t j = 0; j < b->size; ++j) out[j] = M::read(N{const_cast<NeuronBlock&>(*b)}, tick, j, v);
    };
    if constexpr (requires(const P& p) { M::check(p); })
      t.check = [](const void* p) noexcept -> const char* { return M::check(*static_cast<const P*>(p)); };
    if constexpr (requires(const P& p) { M::choose(p); })
      t.choose = [](const void* p) noexcept -> const NeuronTable* { return M::choose(*static_cast<const P*>(p)); };
    if constexpr (requires(N n) { M::out_of_date(n, Tick{}, 0u); })
      t.out_of_date = [](const NeuronBlock* b, Tick tick, std::uint32_t j) noexcept -> std::uint32_t {
        return M::out_of_date(N{const_cast<NeuronBlock&>(*b)}, tick, j);
      };
    if constexpr (requires { typename M::PerNeuron; }) t.per_neuron = &neuron_table<typename M::PerNeuron>();
    return t;
  }();
  return table;
}

}  // namespace spinet
