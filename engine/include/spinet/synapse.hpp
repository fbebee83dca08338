// The contract of a synapse model (plugin): what becomes of a presynaptic event on its way to the targets.
// The unit of work is a slice: the synapses of one source, delay, target block, port and projection, contiguous in memory.
//
// Time in a synapse.  Delays are dendritic: an event emitted at t meets the synapse at t and the neuron at t + delay, a
// postsynaptic spike emitted at s meets it at s + delay.  The engine calls at the arrival, so what a slice shows at `tick`
// is the synapse at tick - delay: presynaptic events emitted up to there, postsynaptic spikes up to `seen()`.
// Control events, sweeps and reads at a tick see the same state: the one an event arriving at that tick would meet.
#pragma once
#include <cassert>
#include <cstdint>
#include <type_traits>

#include "spinet/model.hpp"
#include "spinet/neuron.hpp"
#include "spinet/random.hpp"
#include "spinet/time.hpp"

namespace spinet {

/// A postsynaptic spike as synapses with `post_tau` see it.
struct alignas(32) PostSpike {
  Tick tick;       ///< emission
  double lowered;  ///< exp(-(tick - base) / pre_tau), with the slice's `base`; 1 where the model has no pre_tau
  double raised;   ///< trace exp(+(tick - base) / post_tau); 1 where post_tau is 0
  double trace;    ///< sum of exp(-(tick - s) / post_tau) over this spike and all s before it; 1 where post_tau is 0
};
/// The tick of a spike that never was.
inline constexpr Tick long_ago = INT64_MIN / 4;

/// The spikes of one target neuron, oldest first.  Those that every synapse has seen are forgotten but for the last.  Before
/// the first lie `spare` that never were (tick `long_ago`, all else 0), so that kernels need not look how many there are.
struct PostHistory {
  static constexpr std::uint32_t spare = 8;
  const PostSpike* end;    ///< behind the last
  std::uint32_t count;
  std::uint32_t capacity;  ///< the engine's
  const PostSpike& operator[](std::uint32_t k) const noexcept { return (end - count)[k]; }
  /// Number of spikes emitted at or before `tick`.
  std::uint32_t upto(Tick tick) const noexcept {
    std::uint32_t n = count;
    while (n && (*this)[n - 1].tick > tick) --n;
    return n;
  }
};

/// A slice at the arrival of an event, as the engine hands it over (C layout).
struct alignas(64) Slice {
  // What most models need at every event, on one cache line.
  Tick tick;           ///< arrival
  double payload;      ///< of the event; 1 for a spike
  std::uint32_t count;
  Gid source;
  const std::uint16_t* targets;  ///< indices in the target block
  void* state;                   ///< `State[count]`
  void* slice_state;             ///< `SliceState`, if the model has one; zero at first
  const void* shared;            ///< `Shared`, one per projection parameter set
  const double* const* values;   ///< of each of the `reads`: by target, the variable at this tick; or null (see `target`)

  Tick delay;                    ///< arrival - emission
  const PostHistory* history;    ///< by target, if the model has `post_tau`
  const Gid* gids;               ///< by target: global ids, as random numbers count them
  const std::uint8_t* copies;    ///< which of several synapses of one source, delay and target this is, if the model draws
  RandomKey random;              ///< of this source, delay and projection, if the model draws
  const NeuronTable* neuron;     ///< model of the targets
  const NeuronBlock* block;      ///< the targets
  const std::uint32_t* reads;    ///< index in the targets' variables of each of the model's `reads`
  RunInfo run;
  Tick base;  ///< from which `raised` and `lowered` count: within 256 time constants (at most a second) before `tick`

  Tick emitted() const noexcept { return tick - delay; }
  /// Postsynaptic spikes emitted up to here have met the synapse.
  Tick seen() const noexcept { return tick - 2 * delay; }
  /// Four random words of synapse `i` at this tick, the same on any number of ranks; `use` tells several draws apart.
  Words draw(std::uint32_t i, std::uint32_t use = 0) const noexcept {
    return spinet::draw(random, std::uint64_t{gids[targets[i]]} << 32 | use << 8 | (copies ? copies[i] : 0u), static_cast<std::uint64_t>(tick));
  }
  /// The `k`-th of the variables named in `reads`, of the target of synapse `i`, at this tick.
  double target(std::uint32_t i, std::uint32_t k = 0) const noexcept {
    return values ? values[k][targets[i]] : neuron->read(block, tick, targets[i], reads[k]);
  }
};

struct SynapseTable {
  Model model;
  std::uint32_t params_size, state_size, slice_state_size, shared_size;
  /// 1: on_pre writes float weights, 2: double.  0: there is no on_pre; the state is one float, the weight itself.
  std::uint32_t weight_kind;
  std::uint32_t graded;  ///< 1: on_pre has used the payload; 0: the engine multiplies the weights by it
  std::uint32_t draws;   ///< 1: the model draws random numbers (`Slice::draw`)
  std::uint32_t read_count;
  const char* const* reads;  ///< variables of the target neuron that the model reads; checked when a network is loaded
  void (*prepare)(void* shared, const void* params, const RunInfo* run) noexcept;
  void (*init)(void* state, const void* shared) noexcept;  ///< after the variables have been drawn; may be null
  /// Events at `n` slices of one store, one at each: weights[count], float or double, of the first, then of the second, ...
  void (*on_pre)(const Slice* const* s, std::uint32_t n, void* weights) noexcept;
  /// At a control event addressed to all, to this projection, or to single synapses of it (then it is a part of a slice,
  /// with the slice_state of the whole); before the tick's arrivals.  For `n` slices, which need not be of one store.
  void (*on_control)(const Slice* const* s, std::uint32_t n, const Control* c) noexcept;
  /// Takes in all postsynaptic spikes up to `seen()`, so that they can be forgotten.  Called at any tick or none: what
  /// follows must be the same to the bit.  Null: the model reads no history.
  void (*catch_up)(const Slice* s) noexcept;
  /// Time constant of `PostSpike::trace` [ms], 0 for a trace that is always 1.  Null: the model reads no history.
  double (*post_tau)(const void* params) noexcept;
  /// Variable `variable` of synapse `i` at the slice's tick, everything it has seen applied; changes nothing.
  double (*read)(const Slice* s, std::uint32_t i, std::uint32_t variable) noexcept;
  /// What is wrong with these parameters together (each is in its range), or null.  May be null itself.
  const char* (*check)(const void* params) noexcept;
  /// Time constant of `PostSpike::lowered` [ms], of what presynaptic spikes leave.  May be null.
  double (*pre_tau)(const void* params) noexcept;
  /// 1: of `reads`, only `on_control` makes use.  0: `on_pre` may, and sees what earlier arrivals of the tick have made of them.
  std::uint32_t reads_at_control;

  void on_pre_of(const Slice& s, void* weights) const noexcept {
    const Slice* const one = &s;
    on_pre(&one, 1, weights);
  }
  void on_control_of(const Slice& s, const Control& c) const noexcept {
    const Slice* const one = &s;
    on_control(&one, 1, &c);
  }
};

/// Typed view of a slice for model M.
template <class M>
struct Synapses {
  const Slice& s;
  typename M::State& operator[](std::uint32_t i) const { return static_cast<typename M::State*>(s.state)[i]; }
  const typename detail::SharedOf<M>::type& shared() const {
    return *static_cast<const typename detail::SharedOf<M>::type*>(s.shared);
  }
  auto& slice_state() const { return *static_cast<typename M::SliceState*>(s.slice_state); }
  const PostHistory& post(std::uint32_t i) const { return s.history[s.targets[i]]; }
  std::uint32_t size() const { return s.count; }
};

namespace detail {
template <class M>
inline void on_pre_body(const Slice* const* s, std::uint32_t n, void* weights) noexcept {
  auto* w = static_cast<typename M::Weight*>(weights);
  for (std::uint32_t k = 0; k < n; w += s[k++]->count) M::on_pre(Synapses<M>{*s[k]}, w);
}
template <class M>
inline void on_control_body(const Slice* const* s, std::uint32_t n, const Control* c) noexcept {
  for (std::uint32_t k = 0; k < n; ++k) M::on_control(Synapses<M>{*s[k]}, *c);
}
template <class M> void on_pre(const Slice* const* s, std::uint32_t n, void* weights) noexcept { on_pre_body<M>(s, n, weights); }
template <class M> void on_control(const Slice* const* s, std::uint32_t n, const Control* c) noexcept { on_control_body<M>(s, n, c); }
// The same for a CPU with AVX2, if the model has `wide = true` (see spinet/neuron.hpp).
template <class M> [[SPINET_WIDE]] void on_pre_wide(const Slice* const* s, std::uint32_t n, void* weights) noexcept { on_pre_body<M>(s, n, weights); }
template <class M> [[SPINET_WIDE]] void on_control_wide(const Slice* const* s, std::uint32_t n, const Control* c) noexcept { on_control_body<M>(s, n, c); }
}  // namespace detail

/// The table of model M.  M must have `name`, `doc`, `Params`, `State`, `params()`, `variables()`, and
///   weight(State&, const Shared&, const Slice&) -> float or double     one synapse; the loop is made here
/// or on_pre(Synapses<M>, Weight* out) with `using Weight = float` (or double), or neither: then State is one float
/// named `weight`, handed to the neurons as it is.  It may have `Shared` with `prepare(Shared&, const Params&, const
/// RunInfo&)`, `SliceState`, `init`, `on_control(Synapses<M>, const Control&)` with `controls` (kinds that it answers),
/// `draws`, `wide`, `reads` (array of names), `reads_at_control`, `post_tau(const Params&)` with `catch_up(Synapses<M>)`, `pre_tau(const Params&)`,
/// `read(const State&, const Shared&, Tick)` for the first variable or `read(Synapses<M>, i, variable)` for all; others are read as they
/// are stored.
template <class M>
const SynapseTable& synapse_table() {
  using S = typename M::State;
  using Sh = typename detail::SharedOf<M>::type;
  using P = typename M::Params;
  static_assert(std::is_trivially_copyable_v<S>, "the engine moves and saves states as bytes");
  static const auto params = M::params();
  static const auto variables = M::variables();
  static const SynapseTable table = [] {
    SynapseTable t{};
    t.model = {abi_version, sizeof(SynapseTable), Kind::synapse, 0, M::name, M::doc, params.view(), variables.view()};
    t.params_size = sizeof(P);
    t.state_size = sizeof(S);
    if constexpr (requires { typename M::SliceState; }) {
      static_assert(std::is_trivially_copyable_v<typename M::SliceState>, "the engine moves and saves states as bytes");
      t.slice_state_size = sizeof(typename M::SliceState);
    }
    if constexpr (requires { typename M::Shared; }) {
      t.shared_size = sizeof(Sh);
      t.prepare = [](void* s, const void* p, const RunInfo* r) noexcept { M::prepare(*static_cast<Sh*>(s), *static_cast<const P*>(p), *r); };
    }
    if constexpr (requires { M::graded; }) t.graded = M::graded;
    if constexpr (requires { M::controls; }) t.model.controls = M::controls;
    if constexpr (requires { M::draws; }) t.draws = M::draws;
    if constexpr (requires { M::reads_at_control; }) t.reads_at_control = M::reads_at_control;
    if constexpr (requires { M::reads; }) t.reads = M::reads, t.read_count = static_cast<std::uint32_t>(std::size(M::reads));
    if constexpr (requires(S& s, const Sh& sh) { M::init(s, sh); })
      t.init = [](void* s, const void* sh) noexcept { M::init(*static_cast<S*>(s), *static_cast<const Sh*>(sh)); };
    if constexpr (requires(S& s, const Sh& sh, const Slice& sl) { M::weight(s, sh, sl); }) {
      using W = decltype(M::weight(std::declval<S&>(), std::declval<const Sh&>(), std::declval<const Slice&>()));
      static_assert(std::is_same_v<W, float> || std::is_same_v<W, double>);
      t.weight_kind = std::is_same_v<W, float> ? 1 : 2;
      t.on_pre = [](const Slice* const* s, std::uint32_t n, void* weights) noexcept {
        auto* w = static_cast<W*>(weights);
        for (std::uint32_t k = 0; k < n; ++k)
          for (std::uint32_t i = 0; i < s[k]->count; ++i) *w++ = M::weight(static_cast<S*>(s[k]->state)[i], *static_cast<const Sh*>(s[k]->shared), *s[k]);
      };
    } else if constexpr (requires { typename M::Weight; }) {
      t.weight_kind = std::is_same_v<typename M::Weight, float> ? 1 : 2;
      t.on_pre = detail::on_pre<M>;
      if constexpr (requires { M::wide; }) {
        if (detail::wide()) t.on_pre = detail::on_pre_wide<M>;
      }
    } else {
      static_assert(sizeof(S) == sizeof(float), "without on_pre the state is the weight, one float");
    }
    if constexpr (requires(Synapses<M> s, const Control& c) { M::on_control(s, c); }) {
      t.on_control = detail::on_control<M>;
      if constexpr (requires { M::wide; }) {
        if (detail::wide()) t.on_control = detail::on_control_wide<M>;
      }
    }
    if constexpr (requires(const P& p) { M::post_tau(p); }) {
      t.post_tau = [](const void* p) noexcept -> double { return M::post_tau(*static_cast<const P*>(p)); };
      t.catch_up = [](const Slice* s) noexcept { M::catch_up(Synapses<M>{*s}); };
    }
    if constexpr (requires(const P& p) { M::pre_tau(p); })
      t.pre_tau = [](const void* p) noexcept -> double { return M::pre_tau(*static_cast<const P*>(p)); };
    t.read = [](const Slice* s, std::uint32_t i, std::uint32_t v) noexcept -> double {
      const S& state = static_cast<const S*>(s->state)[i];
      if constexpr (requires(Synapses<M> n) { M::read(n, i, v); }) {
        return M::read(Synapses<M>{*s}, i, v);
      } else {
        if constexpr (requires(const S& a, const Sh& b) { M::read(a, b, Tick{}); })
          if (v == 0) return M::read(state, *static_cast<const Sh*>(s->shared), s->tick);
        return get(&state, variables.view().data[v]);
      }
    };
    if constexpr (requires(const P& p) { M::check(p); })
      t.check = [](const void* p) noexcept -> const char* { return M::check(*static_cast<const P*>(p)); };
    return t;
  }();
  return table;
}

}  // namespace spinet
