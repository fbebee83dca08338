// Superposed input of `lif_exp` without order (spinet/neuron.hpp, `SlabEvents`), where N is 1 and the
// threshold above V_inf.  Let u be the time left in the slab and
//   F = Q exp(-u/tau_m) + I k(u),   k(u) = gain (exp(-u/tau) - exp(-u/tau_m)),
// the charge at the slab's end if nothing else arrives: no time changes it, events raise it, what inhibits
// lowers it.  Where Q crosses, Q = th and I >= th/tau_m, so F >= th (exp(-u/tau_m) + k(u)/tau_m); the
// bracket falls with u, and is `share` at the slab's length.  So there is no crossing in the slab while F <
// share th, whatever the order of the events in it.  In numbers of the frame F is end_a a + end_b b.
#pragma once
#include "lif_exp.hpp"

namespace spinet::lif {
namespace {

/// States are changed two at a time.
inline Four two(const Pair* x) { return four(reinterpret_cast<const double*>(x)); }
inline Four both(Pair x, Pair y) { return __builtin_shufflevector(x, y, 0, 1, 2, 3); }

template <int N>
inline void LifExp<N>::find_ends(Block n) {
  const Shared& sh = n.shared();
  const auto begin = sh.table.at(n.b.slab_begin - n.b.frame_begin),
             length = sh.table.at(n.b.slab_end - n.b.slab_begin);
  const double gain = sh.port[0].gain;
  Common& c = n.common();
  c.end_a = begin.f[down_m] * length.f[down_m];
  c.end_b = gain * (begin.f[down_e] * length.f[down_e]);
  c.share = (length.f[down_m] + gain * (length.f[down_e] - length.f[down_m]) * sh.rate_m) * (1 - 1e-9);
}

/// What F must reach.
template <int N>
inline double LifExp<N>::goal_at_end(const Common& c, double th) {
  return th > 0 ? c.share * th : minus_infinity;
}
template <int N>
inline Tick LifExp<N>::look_at_virtual(Block n, std::uint32_t j, Tick tick) {
  const State& s = n.state(j);
  const Common& common = n.common();
  Constants& c = n.constants(j);
  const double f = s.a * common.end_a + s.b[0] * common.end_b;
  if (f < goal_at_end(common, c.th)) return never;
  if (f != f) return n.out().fail(tick, j, not_a_number), never;
  // The block's lowest threshold has let it pass; what its own would not have let pass must not count.
  if (s.a < ceiling(n.shared(), c.th) * n.shared().table.at(tick - n.b.frame_begin).f[up_m]) return never;
  if (c.pending <= tick) return never;
  c.pending = tick;
  n.out().test_at(tick, j);
  return tick;
}

template <int N>
inline std::uint32_t LifExp<N>::begin_slab(Block n, std::span<std::uint32_t> js) {
  find_ends(n);
  Common& common = n.common();
  common.any_due = false;
  std::uint32_t kept = 0;
  for (const auto j : js) {
    Constants& c = n.constants(j);
    const bool is_due = at_threshold(n, j);
    if (is_due) common.any_due = true;
    if (is_due || !(c.th > 0)) js[kept++] = j;
    else c.pending = never;
  }
  return kept;
}

/// A soft reset may have left it at the threshold: the test that it has asked for stands, whatever F is.
template <int N>
inline bool LifExp<N>::at_threshold(Block n, std::uint32_t j) {
  const Constants& c = n.constants(j);
  return asks_again(c) && charge(n.state(j), moment(n, n.b.slab_begin)) >= c.th;
}

/// exp(t / tau_m), exp(t / tau) from the slab's begin.
template <int N>
inline Pair LifExp<N>::up_in_slab(const Shared& sh, std::uint32_t key) {
  const auto pair = [](const auto& entry) { return *reinterpret_cast<const Pair*>(entry.f); };
  return pair(sh.table.level[1][key >> 24]) * pair(sh.table.level[0][(key >> 16) & 255]);
}

/// What a unit of weight at the slab's begin adds to (a, b).
template <int N>
inline Pair LifExp<N>::unit_in_slab(Block n) {
  const auto e = n.shared().table.at(n.b.slab_begin - n.b.frame_begin);
  return Pair{-n.shared().port[0].gain, 1} * Pair{e.f[up_m], e.f[up_e]};
}

template <int N>
inline void LifExp<N>::take_slab(Block n, const SlabEvents in, MemberBits& might_cross) requires(N == 1) {
  alignas(64) Pair sums[256] = {};
  const Shared& sh = n.shared();
#pragma GCC unroll 4
  for (std::uint32_t i = 0; i < in.count; ++i) sums[in.keys[i] & 255] += up_in_slab(sh, in.keys[i]);
  const Pair unit = unit_in_slab(n);
  for (std::uint32_t r = 0; r < in.stretch_count; ++r) {
    const Pair* const sum = sums + in.stretches[r].member;
    if (const double* const w = in.weight_of ? in.weight_of + in.stretches[r].target : nullptr)
      add(
          n, in.stretches[r], [=](std::uint32_t i) { return sum[i] * (unit * w[i]); },
          [=](std::uint32_t i) { return two(sum + i) * both(unit * w[i], unit * w[i + 1]); }, might_cross);
    else
      add(
          n, in.stretches[r], [=, w = unit * in.weight](std::uint32_t i) { return sum[i] * w; },
          [=, w = both(unit * in.weight, unit * in.weight)](std::uint32_t i) { return two(sum + i) * w; },
          might_cross);
  }
}

/// `change(i)` is added to the i-th target's state, `change_two(i)` to those of that and the next.
template <int N>
template <class Change, class ChangeTwo>
inline void LifExp<N>::add(Block n, const SlabEvents::Stretch stretch, Change change, ChangeTwo change_two,
                           MemberBits& might_cross) {
  const Common& common = n.common();
  const Pair end = {common.end_a, common.end_b};
  const double least =
      common.any_due ? minus_infinity : goal_at_end(common, common.least_of(stretch.target, stretch.count));
  State* const state = static_cast<State*>(n.b.state) + stretch.target;
  const auto add_one = [&](std::uint32_t i) {
    const Pair x = vector(state[i]) + change(i), f = x * end;
    const Constants& c = n.constants(stretch.target + i);
    if (f[0] + f[1] < least || (f[0] + f[1] < goal_at_end(common, c.th) && !asks_again(c)))
      vector(state[i]) = x;
    else might_cross.set(stretch.member + i);
  };
  const Four ends = both(end, end);
  std::uint32_t i = 0;
  for (; i + 4 <= stretch.count; i += 4) {
    Four* const at = &four(&state[i].a);
    const Four x = at[0] + change_two(i), y = at[1] + change_two(i + 2);
    const Four f = x * ends, g = y * ends;
    const Four sums = __builtin_shufflevector(f, g, 0, 4, 2, 6) + __builtin_shufflevector(f, g, 1, 5, 3, 7);
    if (any(~(sums < least))) [[unlikely]] {
      for (std::uint32_t k = i; k < i + 4; ++k) add_one(k);
    } else {
      at[0] = x;
      at[1] = y;
    }
  }
  for (; i < stretch.count; ++i) add_one(i);
}

template <int N>
inline void LifExp<N>::take_out(Block n, std::uint32_t j, std::span<const std::uint32_t> keys,
                                double weight) {
  Pair sum = {0, 0};
  for (const std::uint32_t key : keys) sum += up_in_slab(n.shared(), key);
  const Pair out = sum * (unit_in_slab(n) * weight);
  State& s = n.state(j);
  s.a -= out[0];
  s.b[0] -= out[1];
}

}  // namespace
}  // namespace spinet::lif
