// Many glassy devices at once: what an event meets at all synapses of a slice.  The same operations as in
// glassy_stack.hpp in the same order, so the same bits.
#pragma once
#include <bit>

#include "glassy_stack.hpp"
#include "spinet/simd.hpp"

namespace spinet::glassy {

typedef float FourFloats __attribute__((vector_size(16)));
typedef std::int32_t FourInts __attribute__((vector_size(16)));

inline Four all(double x) { return Four{x, x, x, x}; }

/// As `Table::operator()`.
template <std::uint32_t points>
inline Four look(const Table<points>& t, Four x) {
  const Four at = (x - t.low) * t.per_unit;
  const FourInts i = __builtin_convertvector(at, FourInts);
  const auto pair = [&](int lane) {
    double two;
    std::memcpy(&two, &t.y[i[lane]], sizeof two);
    return two;
  };
  typedef double Two __attribute__((vector_size(16)));
  const auto a = std::bit_cast<FourFloats>(Two{pair(0), pair(1)}),
             b = std::bit_cast<FourFloats>(Two{pair(2), pair(3)});
  const Four from = __builtin_convertvector(__builtin_shufflevector(a, b, 0, 2, 4, 6), Four),
             to = __builtin_convertvector(__builtin_shufflevector(a, b, 1, 3, 5, 7), Four);
  return from + (to - from) * (at - __builtin_convertvector(i, Four));
}

/// As `Law`.
struct FourLaws {
  const Law& law;

  Four both(Four e, Four other) const {
    constexpr double most = 20 - 1e-9;
    const Four x = (other - e) * law.d.per_kT;
    const Four low = x > all(-20) ? x : all(-20), inside = low < all(most) ? low : all(most);
    const Four sum = e + law.d.kT_fronts * look(law.t.sum, inside);
    return x <= all(-20) ? e : x >= all(20) ? other : sum;
  }
  Four share(Four e) const {
    Four part = e * (1 / front_one);
    const FourFlags far = e > all(law.d.straight);
    if (any(far))
      for (int l = 0; l < 4; ++l)
        if (far[l]) part[l] = law.share(e[l]);
    return part;
  }
};

/// The conductance of a device at the begin of an octave of time.
template <int K>
struct Job {
  const Stack<K>* device;
  float* to;
  int octave;
};

/// Where the conductances of a device lie that has its own: its `span` and `Device::excess`.
struct OwnRange {
  double span, excess;
};

/// `Stack::conductance_at` of four devices of one law but for their ranges; writes it to each job's place.
/// `ranges`: of each of them, or null.
template <int K>
inline void do_four(const Job<K>* const jobs, const Law& law, const OwnRange* ranges) {
  const FourLaws four{law};
  const auto each = [&](auto f) { return Four{f(jobs[0]), f(jobs[1]), f(jobs[2]), f(jobs[3])}; };
  const Four rest = each([&](const Job<K>& j) { return law.d.front_of(j.octave); });
  Four sum = each([](const Job<K>& j) { return static_cast<double>(j.device->base); }) / base_per_level;
  Four before = sum;
  int most = 0, count[4];
  for (int l = 0; l < 4; ++l) count[l] = jobs[l].device->count(), most = count[l] > most ? count[l] : most;
  for (int k = 0; k < most; ++k) {  // of fewer fronts the levels behind them are 0 in the state
    const auto in = [&](int l) { return k < count[l] ? 1.0 : 0.0; };
    const Four there{in(0), in(1), in(2), in(3)};
    const Four e = each([&](const Job<K>& j) { return static_cast<double>(j.device->front[k]); });
    const Four level = each([&](const Job<K>& j) { return static_cast<double>(j.device->level_of(k)); });
    const Four l = there > all(0.5) ? level : before;
    sum += (l - before) * four.share(four.both(e, rest));
    before = l;
  }
  const Four last = (level_one / 2 - before) * four.share(rest);
  sum = rest > all(0) ? sum + last : sum;
  const Four mean = sum * (1 / level_one);
  double g[4];
  Four x = law.d.span * (mean - 1) + law.d.excess;
  if (ranges) {
    const Four span{ranges[0].span, ranges[1].span, ranges[2].span, ranges[3].span},
        excess{ranges[0].excess, ranges[1].excess, ranges[2].excess, ranges[3].excess};
    x = span * (mean - 1) + excess;
  }
  std::memcpy(g, &x, sizeof g);
  math::exp_each(g, 4);
  for (int l = 0; l < 4; ++l) *jobs[l].to = static_cast<float>(g[l]);
}

/// Up to so many synapses are looked at together.
constexpr std::uint32_t chunk = 64;

/// Where devices lie.
template <int K>
struct Places {
  std::byte* first;
  std::size_t stride;
  Stack<K>& operator[](std::uint32_t i) const { return *reinterpret_cast<Stack<K>*>(first + i * stride); }
};

/// In what the devices of a slice differ.
enum class Differ {
  nowhere,
  in_range,   ///< in the range of their conductances, or in nothing that reads see
  in_fronts,  ///< in how fronts move: each has a law of its own
};

/// `Stack::shown_and_kept` of `count` devices, times `weight`.  `own.law(i, f)` calls f with the law of
/// device i, `own.range(i)` has its range; those that do not differ in fronts are looked at four at a time.
template <int K>
struct Shown {
  const Law& law;  ///< of all that do not differ
  Tick now;
  Differ differ = Differ::nowhere;
  double elapsed[chunk];
  float g0[chunk], g1[chunk];
  Job<K> jobs[2 * chunk + 3];
  double exponents[2 * chunk];
  OwnRange ranges[2 * chunk + 3];

  Shown(const Law& l, Tick tick) : law(l), now(tick) {}

  /// Devices that were asked for another octave before.
  template <class Own>
  void look_again(Places<K> device, const std::uint8_t* missing, std::uint32_t count, const Own& own) {
    std::uint32_t n = 0;
    const bool apart = differ == Differ::in_fronts;
    for (std::uint32_t m = 0; m < count; ++m) {
      const std::uint32_t i = missing[m];
      Stack<K>& s = device[i];
      const int octave = s.octave_of(elapsed[i]);
      if (octave < 1 || (s.older() > 0 && !apart)) {
        own.law(i, [&](const Law& of) {
          const auto e = s.ends(now, of);
          s.g0 = g0[i] = e.g0, s.g1 = g1[i] = e.g1, s.at = e.at;
        });
        continue;
      }
      const std::uint32_t first = n;
      if (s.at != 0 && octave == s.at + 1) s.g0 = g0[i] = s.g1;
      else jobs[n++] = {&s, &g0[i], octave};
      jobs[n++] = {&s, &g1[i], octave + 1};
      if (differ == Differ::in_range) ranges[first] = ranges[n - 1] = own.range(i);
      if (apart)
        own.law(i, [&](const Law& of) {
          for (std::uint32_t k = first; k < n; ++k) exponents[k] = s.exponent_at(jobs[k].octave, of);
        });
    }
    if (n == 0) return;
    if (apart) {
      math::exp_each(exponents, n);
      for (std::uint32_t k = 0; k < n; ++k) *jobs[k].to = static_cast<float>(exponents[k]);
    } else {
      const bool ranged = differ == Differ::in_range;
      for (std::uint32_t k = 0; k < 3; ++k) {
        jobs[n + k] = jobs[n - 1];
        if (ranged) ranges[n + k] = ranges[n - 1];
      }
      for (std::uint32_t k = 0; k < n; k += 4) do_four(&jobs[k], law, ranged ? &ranges[k] : nullptr);
    }
    for (std::uint32_t m = 0; m < count; ++m) {
      const std::uint32_t i = missing[m];
      Stack<K>& s = device[i];
      s.g0 = g0[i], s.g1 = g1[i];
      if (const int octave = s.octave_of(elapsed[i]); octave > 0) s.at = static_cast<std::uint8_t>(octave);
    }
  }
  template <class Own>
  void operator()(Places<K> device, std::uint32_t count, double weight, double* out, const Own& own) {
    std::uint8_t missing[chunk];
    std::uint32_t misses = 0, turned = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      const Stack<K>& s = device[i];
      const Tick t = now - s.last;
      elapsed[i] = static_cast<double>(t > 0 ? t : 0);
      g0[i] = s.g0, g1[i] = s.g1;
      missing[misses] = static_cast<std::uint8_t>(i);
      misses += s.octave_of(elapsed[i]) != s.at;  // below 1: a pulse lasts
      turned |= s.electrodes.antiparallel();
    }
    if (misses > 0) look_again(device, missing, misses, own);
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto part = std::bit_cast<std::uint64_t>(elapsed[i]) & ((std::uint64_t{1} << 52) - 1);
      const double x = std::bit_cast<double>(part | 0x3FF0000000000000u) - 1;
      const auto a = static_cast<double>(g0[i]), b = static_cast<double>(g1[i]);
      out[i] = a + (b - a) * (x + 0.3466 * x * (1 - x));
    }
    for (std::uint32_t i = 0; i < count && turned; ++i)
      if (device[i].electrodes.antiparallel())
        own.law(i, [&](const Law& of) { out[i] *= 1 + of.d.MG(out[i] * of.d.scale); });
    for (std::uint32_t i = 0; i < count; ++i) out[i] *= weight;
  }
};

}  // namespace spinet::glassy
