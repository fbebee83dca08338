// The contract of a synapse model (plugin): what becomes of a presynaptic event on its way to the targets.
// The unit of work is a slice: the synapses of one source, delay, target block, port and plugin, contiguous in memory.
#pragma once
#include <cstdint>
#include <type_traits>

#include "spinet/model.hpp"
#include "spinet/neuron.hpp"
#include "spinet/time.hpp"

namespace spinet {

/// A slice at the arrival of an event, as the engine hands it over (C layout).
struct Slice {
  Tick tick;           ///< arrival
  Tick delay;          ///< arrival - emission
  double payload;      ///< of the event; 1 for a spike
  std::uint32_t count;
  std::uint32_t reserved;
  const std::uint16_t* targets;  ///< indices in the target block
  void* state;                   ///< `State[count]`
  void* slice_state;             ///< `SliceState`, if the model has one
  const void* shared;            ///< `Shared`, one per projection parameter set
  std::uint64_t first_edge;      ///< random key of the first synapse; the others follow by their index
  RandomKey random;
  RunInfo run;
};

struct SynapseTable {
  Model model;
  std::uint32_t params_size, state_size, slice_state_size, shared_size;
  /// 1: on_pre writes float weights, 2: double.  0: there is no on_pre; the state is one float, the weight itself.
  std::uint32_t weight_kind;
  std::uint32_t graded;  ///< 1: on_pre has used the payload; 0: the engine multiplies the weights by it
  void (*prepare)(void* shared, const void* params, const RunInfo* run) noexcept;
  void (*init)(void* state, const void* shared) noexcept;  ///< after the variables have been drawn; may be null
  void (*on_pre)(const Slice* s, void* weights) noexcept;  ///< weights[count], float or double
  void (*on_control)(const Slice* s, const Control* c) noexcept;
  double (*read)(const void* state, const void* shared, Tick tick) noexcept;  ///< weight for logs; changes nothing
  /// What is wrong with these parameters together (each is in its range), or null.  May be null itself.
  const char* (*check)(const void* params) noexcept;
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
  std::uint32_t size() const { return s.count; }
};

/// The table of model M.  M must have `name`, `doc`, `Params`, `State`, `params()`, `variables()`, and
///   weight(State&, const Shared&, const Slice&) -> float or double     one synapse; the loop is made here
/// or on_pre(Synapses<M>, Weight* out) with `using Weight = float` (or double), or neither: then State is one float
/// named `weight`, handed to the neurons as it is.  It may have `Shared` with `prepare(Shared&, const Params&, const
/// RunInfo&)`, `SliceState`, `init`, `on_control(Synapses<M>, const Control&)`, `read(const State&, const Shared&, Tick)`.
template <class M>
const SynapseTable& synapse_table() {
  using S = typename M::State;
  using Sh = typename detail::SharedOf<M>::type;
  static_assert(std::is_trivially_copyable_v<S>, "the engine moves and saves states as bytes");
  static const auto params = M::params();
  static const auto variables = M::variables();
  static const SynapseTable table = [] {
    SynapseTable t{};
    t.model = {abi_version, sizeof(SynapseTable), Kind::synapse, 0, M::name, M::doc, params.view(), variables.view()};
    t.params_size = sizeof(typename M::Params);
    t.state_size = sizeof(S);
    if constexpr (requires { typename M::SliceState; }) t.slice_state_size = sizeof(typename M::SliceState);
    if constexpr (requires { typename M::Shared; }) {
      t.shared_size = sizeof(Sh);
      t.prepare = [](void* s, const void* p, const RunInfo* r) noexcept {
        M::prepare(*static_cast<Sh*>(s), *static_cast<const typename M::Params*>(p), *r);
      };
    }
    if constexpr (requires { M::graded; }) t.graded = M::graded;
    if constexpr (requires(S& s, const Sh& sh) { M::init(s, sh); })
      t.init = [](void* s, const void* sh) noexcept { M::init(*static_cast<S*>(s), *static_cast<const Sh*>(sh)); };
    if constexpr (requires(S& s, const Sh& sh, const Slice& sl) { M::weight(s, sh, sl); }) {
      using W = decltype(M::weight(std::declval<S&>(), std::declval<const Sh&>(), std::declval<const Slice&>()));
      static_assert(std::is_same_v<W, float> || std::is_same_v<W, double>);
      t.weight_kind = std::is_same_v<W, float> ? 1 : 2;
      t.on_pre = [](const Slice* s, void* weights) noexcept {
        for (std::uint32_t i = 0; i < s->count; ++i)
          static_cast<W*>(weights)[i] = M::weight(static_cast<S*>(s->state)[i], *static_cast<const Sh*>(s->shared), *s);
      };
    } else if constexpr (requires { typename M::Weight; }) {
      t.weight_kind = std::is_same_v<typename M::Weight, float> ? 1 : 2;
      t.on_pre = [](const Slice* s, void* weights) noexcept { M::on_pre(Synapses<M>{*s}, static_cast<typename M::Weight*>(weights)); };
    } else {
      static_assert(sizeof(S) == sizeof(float), "without on_pre the state is the weight, one float");
    }
    if constexpr (requires(Synapses<M> s, const Control& c) { M::on_control(s, c); })
      t.on_control = [](const Slice* s, const Control* c) noexcept { M::on_control(Synapses<M>{*s}, *c); };
    t.read = [](const void* s, const void* sh, Tick tick) noexcept -> double {
      if constexpr (requires(const S& a, const Sh& b) { M::read(a, b, tick); })
        return M::read(*static_cast<const S*>(s), *static_cast<const Sh*>(sh), tick);
      else
        return static_cast<const S*>(s)->weight;
    };
    if constexpr (requires(const typename M::Params& p) { M::check(p); })
      t.check = [](const void* p) noexcept -> const char* { return M::check(*static_cast<const typename M::Params*>(p)); };
    return t;
  }();
  return table;
}

}  // namespace spinet
