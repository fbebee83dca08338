// What comes to neurons of `lif_exp` in order: slices of arrivals at one tick, and trains of one target each.
#pragma once
#include "lif_exp.hpp"
#include "unrolled.hpp"

namespace spinet::lif {
namespace {

/// The bound for a row r = (a, b0, b1, th) after an arrival that raises Q.  No crossing is possible if both
///   c Q + R max(I0, 0) + P max(I1, 0) < th   and, for Q < 0,   R max(I0, 0) + P max(I1, 0) < th.
/// `coef` = c (q_a, q_b0, q_b1, -1/c), `peak` = (0, R i_b0, P i_b1, 0).  No lane multiplies -infinity by 0.
template <int N>
inline bool LifExp<N>::excluded(Row r, Row coef, Row peak) {
  const Row positive = (r > 0.0 ? r : Row{}) * peak;
  const Row x = r * coef + positive;
  const Row y = positive - reinterpret_cast<Row>(reinterpret_cast<Lanes>(r) & Lanes{0, 0, 0, -1});
  const Row pairs = __builtin_shufflevector(x, y, 0, 4, 2, 6) + __builtin_shufflevector(x, y, 1, 5, 3, 7);
  const Pair sums = __builtin_shufflevector(pairs, pairs, 0, 1) + __builtin_shufflevector(pairs, pairs, 2, 3);
  return simd::both_signs(sums);  // both negative; -infinity, of refractory neurons, is
}

/// One current with tau < tau_m: where Q crosses th > 0 it rises, so I >= th/tau_m, and with c = 1 -
/// tau/tau_m
///   th <= c Q + tau I = c q_a a,
/// in which b does not occur.  So `a` alone is compared with a number of the block that grows as what an
/// arrival adds does.  A crossing that lies at or before this arrival has its test pending already.  With a
/// threshold below rest nothing is excluded.
template <int N>
inline double LifExp<N>::ceiling(const Shared& sh, double th) {
  return th > 0 ? th * (1 - 1e-9) * sh.inverse_keep : minus_infinity;
}

template <int N>
inline void LifExp<N>::receive(Block n, const Arrivals in) {
  const Tick offset = in.tick - n.b.frame_begin;
  const Shared& sh = n.shared();
  const Moment m = moment(sh, factors(sh, offset), offset);
  const int p = N == 1 ? 0 : static_cast<int>(in.port);
  State* const state = static_cast<State*>(n.b.state);
  Vector unit{-m.up_a[p], p == 0 ? m.up_b[0] : 0};
  if constexpr (N == 2) unit[2] = p == 1 ? m.up_b[1] : 0;
  if (!in.weights && !in.weights64 && in.weight * in.scale <= 0) {  // lowers Q: a crossing can only move back
    const Vector change = unit * (in.weight * in.scale);
    for (std::uint32_t i = 0; i < in.count; ++i) vector(state[in.targets[i]]) += change;
    return;
  }
  const Bound bound(n, offset);
  const double reach = bound.reach * m.i_b[0];
  const double limit = ceiling(sh, n.common().least) * m.up_m;
  each_unrolled(
      in, [&](std::uint16_t j, double w) __attribute__((always_inline)) {
        Vector& s = vector(state[j]);
        const Vector r = s + unit * w;
        s = r;
        bool fine;
        if constexpr (N == 1) fine = r[0] < limit;
        else
          fine = excluded(r, Row{bound.keep * m.q_a, bound.keep * m.q_b[0], bound.keep * m.q_b[1], -1},
                          Row{0, reach, bound.second * m.i_b[1], 0});
        if (!fine) [[unlikely]] {
          if (!(w <= 0)) look(n, j, in.tick);
        }
      });
}

/// After a look from within a train: may it go on?  Up to the tick asked for it may, while there is room
/// for more requests.
template <int N>
inline bool LifExp<N>::goes_on(Block n, Tick asked, Tick base, std::uint32_t& limit) {
  if (asked - base < 65536) limit = std::min(limit, static_cast<std::uint32_t>(asked - base) << 16);
  return n.out().size < spinet::limit::requests_per_train;
}

/// Arrivals at different ticks: as above, with the factors of each tick.
template <int N>
template <class WeightOf>
inline std::uint32_t LifExp<N>::train(Block n, const Train in, WeightOf weight_of) {
  const Shared& sh = n.shared();
  const Tick base_offset = in.base - n.b.frame_begin;
  const Factors base = factors(sh, base_offset);
  const Bound bound(n, base_offset);
  const int p = static_cast<int>(in.port);
  std::uint32_t limit = in.limit, i = 0;
  for (; in.keys[i] < limit; ++i) {
    const std::uint32_t offset = in.keys[i] >> 16;
    const auto j = static_cast<std::uint16_t>(in.keys[i]);
    const double w = weight_of(j);
    State& s = n.state(j);
    const Moment m = moment(sh, {base.of * sh.table.low16(offset), base.inh * sh.table_inh.low16(offset)},
                            base_offset + offset);
    s.a -= w * m.up_a[p];
    s.b[p] += w * m.up_b[p];
    const double q = charge(s, m), th = n.constants(j).th;
    const double climb =
        std::max(s.b[0] * m.i_b[0], 0.0) * bound.reach + std::max(s.b[1] * m.i_b[1], 0.0) * bound.second;
    if (!(std::max(q * bound.keep, 0.0) + climb < th)) [[unlikely]] {
      if (!(w <= 0) && !goes_on(n, look(n, j, in.base + offset), in.base, limit)) return i + 1;
    }
  }
  return i;
}

/// The same for one current, on pairs.  `raise_of(target)` is what an arrival at the train's base adds.
template <int N>
template <class RaiseOf>
inline std::uint32_t LifExp<N>::train_of_one(Block n, const Train in, Pair up_base, RaiseOf raise_of) {
  const Shared& sh = n.shared();
  const double height = ceiling(sh, n.common().least) * up_base[0];
  State* const state = static_cast<State*>(n.b.state);
  const std::uint32_t* key = in.keys;
  std::uint32_t limit = in.limit;
  for (; *key < limit; ++key) {
    const std::uint32_t offset = *key >> 16;
    const auto j = static_cast<std::uint16_t>(*key);
    const Pair* const high = reinterpret_cast<const Pair*>(&sh.table.level[1][offset >> 8]);
    const Pair* const low = reinterpret_cast<const Pair*>(&sh.table.level[0][offset & 255]);
    Vector& s = vector(state[j]);
    const Pair up = high[0] * low[0], raise = raise_of(j);
    const Pair r = s + raise * up;
    s = r;
    if (!(r[0] < height * up[0])) [[unlikely]] {
      if (!(raise[1] <= 0) && !goes_on(n, look(n, j, in.base + offset), in.base, limit))
        return static_cast<std::uint32_t>(key + 1 - in.keys);
    }
  }
  return static_cast<std::uint32_t>(key - in.keys);
}

/// The same bits whether a block's weights are alike or not.
template <int N>
inline Pair LifExp<N>::one(const Shared& sh, double weight, Pair up_base) {
  return Pair{-weight * sh.port[0].gain, weight} * up_base;
}

template <int N>
inline std::uint32_t LifExp<N>::receive_train(Block n, const Train& in) {
  if constexpr (N == 1) {
    const Shared& sh = n.shared();
    const auto at_base = sh.table.at(in.base - n.b.frame_begin);
    const Pair up = {at_base.f[up_m], at_base.f[up_e]};
    if (in.weight_of)
      return train_of_one(n, in, up,
                          [&sh, up, w = in.weight_of](std::uint16_t j) { return one(sh, w[j], up); });
    return train_of_one(n, in, up, [raise = one(sh, in.weight, up)](std::uint16_t) { return raise; });
  } else {
    return in.weight_of ? train(n, in, [w = in.weight_of](std::uint16_t j) { return w[j]; })
                        : train(n, in, [w = in.weight](std::uint16_t) { return w; });
  }
}

}  // namespace
}  // namespace spinet::lif
