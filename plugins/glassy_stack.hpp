// Packed glassy devices: some fronts with the levels that they left behind, in 40 or 48 bytes.  glassy.hpp
// has the physics.
#pragma once
#include <array>
#include <bit>
#include <type_traits>

#include "glassy.hpp"

namespace spinet::glassy {

/// A profile of occupancies with room to work in: level of the base, then of each front, the deepest first.
/// The `older` deepest fronts are those of other temperatures: they keep the widths that they have, and stay
/// where they were when it changed last.  What has come since is what the front behind them has taken in.
template <int K>
struct Profile {
  double front[K + 3], level[K + 3];  ///< front[0] is not used: the base lies behind no front
  double width[K + 3];                ///< of older ones, over the present width
  int n = 0;                          ///< number of fronts
  int older = 0;

  /// Where front k is by now.
  double place(int k, const Law& law) const {
    return k > older || n == older ? front[k] : law.both_of(front[k], front[older + 1], width[k]);
  }
  /// The part of all barriers that front k has passed.
  double share(int k, const Law& law) const {
    if (k > older) return law.share(front[k]);
    return share_with(k, n > older ? front[older + 1] : -math::infinity, law);
  }
  double share_with(int k, double since, const Law& law) const {
    return law.share(front[k], since, width[k]);
  }
  /// Mean occupancy after no voltage has got so far.
  double mean_after(double rest, const Law& law) const {
    double sum = level[0], before = sum;
    const double since = older < n ? law.both(front[older + 1], rest) : rest;
    for (int k = 1; k <= n; ++k) {
      sum += (level[k] - before) *
             (k <= older ? share_with(k, since, law) : law.share(law.both(front[k], rest)));
      before = level[k];
    }
    if (rest > 0) sum += (level_one / 2 - before) * law.share(rest);
    return sum * (1 / level_one);
  }
  /// The temperature changes: all fronts are older ones, each as wide as it is together with what has come
  /// since, and widths are those over the old temperature's.
  void make_older(const Law& law) {
    double at[K + 3];
    for (int k = 1; k <= n; ++k) {
      at[k] = place(k, law);
      width[k] = k > older ? 1 : n > older ? law.width_of(front[k], front[older + 1], width[k]) : width[k];
    }
    for (int k = 1; k <= n; ++k) front[k] = at[k];
    older = n;
    tidy(law);
  }
  /// Has front k passed all barriers?
  bool passed_all(int k, double place, const Law& law) const {
    if (k > older || (n > older && front[older + 1] >= law.d.all_passed)) return place >= law.d.all_passed;
    return place >= front_one + passed * law.d.kT_fronts * (width[k] > 1 ? width[k] : 1);
  }
  /// An event on top of all.
  void add(const Event& e, const Law& law) {
    for (int k = older + 1; k <= n; ++k) front[k] = law.both(front[k], e.front);
    push(e);
  }
  /// No voltage, where `rest` acts, and then a pulse: both at once, C + C' + C''.
  void add_pulse(Event rest, const Event& e, const Law& law) {
    if (!rest.acts) return add(e, law);
    rest.front = law.both(rest.front, e.front);
    add(rest, law);
    push(e);
  }
  /// Mean occupancy then; no fronts are made one.
  double mean_in(const Event& rest, const Event& e, const Law& law) const {
    Profile p = *this;
    p.add_pulse(rest, e, law);
    return p.mean_after(-math::infinity, law);
  }
  void push(const Event& e) {
    const bool first = older > 0 && n == older;  // after another temperature
    if ((level[n] == e.level && !first) || !(e.front >= 0.5)) return;
    front[++n] = e.front;
    level[n] = e.level;
  }
  /// Fronts that are where the next one is have no room for their level; those that have passed all barriers
  /// leave a new base.
  void tidy(const Law& law) {
    int kept = 0, kept_older = 0;
    double at = n > 0 ? place(1, law) : 0;
    for (int k = 1; k <= n; ++k) {
      const double next = k < n ? place(k + 1, law) : 0, here = at;
      at = next;
      if (k < n && here - next < 0.5) continue;
      if (passed_all(k, here, law)) {  // and so have all deeper ones
        level[0] = level[k];
        kept = kept_older = 0;
        continue;
      }
      ++kept, kept_older += k <= older;
      front[kept] = front[k], level[kept] = level[k], width[kept] = width[k];
    }
    n = kept, older = kept_older;
  }
  /// Until there are K fronts at most, one interval between two fronts goes where that changes the profile
  /// least: it becomes one with the next deeper one, at their mean, or, where its level lies between those of
  /// its neighbours, is dealt out to them.  Both leave the mean of all as it is.  Cost: the largest
  /// change of the integral of p from any height up.  The uppermost interval is what has just been written,
  /// and stays.
  void merge(const Law& law) {
    double part[K + 3];  // of all barriers, between a front and the one before it
    double above = 1;
    for (int k = 0; k < n; ++k) {
      const double of_next = share(k + 1, law), next = of_next < above ? of_next : above;
      part[k] = above - next;
      above = next;
    }
    for (; n > K; --n) {
      const auto [best, deal] = cheapest(part, law);
      if (deal) {
        const double to_next = (level[best] - level[best - 1]) / (level[best + 1] - level[best - 1]);
        front[best + 1] += to_next * (front[best] - front[best + 1]);
        if (best < older) width[best + 1] += to_next * (width[best] - width[best + 1]);
        part[best + 1] += to_next * part[best];
        part[best - 1] += (1 - to_next) * part[best];
      } else {
        const double whole = part[best] + part[best - 1];
        if (whole > 0) level[best - 1] += (level[best] - level[best - 1]) * (part[best] / whole);
        part[best - 1] = whole;
      }
      older -= best <= older;
      for (int k = best; k < n; ++k)
        front[k] = front[k + 1], level[k] = level[k + 1], width[k] = width[k + 1];
      for (int k = best; k + 1 < n; ++k) part[k] = part[k + 1];
    }
  }

 private:
  /// Which interval goes, and whether it is dealt out.
  struct Choice {
    int best;
    bool deal;
  };
  Choice cheapest(const double* part, const Law& law) const {
    Choice c{1, false};
    double least = math::infinity;
    for (int k = 1; k < n; ++k) {
      if (older > 0 && k == older + 1) continue;  // what has come since must stay
      const double down = level[k] - level[k - 1], whole = part[k] + part[k - 1];
      const double joined = whole > 0 ? math::abs(down) * part[k] * part[k - 1] / whole : 0;
      if (joined < least) least = joined, c = {k, false};
      if (k + 1 == n || front[k] >= law.d.straight || (older > 0 && k == older)) continue;
      const double up = level[k + 1] - level[k];
      if (!(up * down > 0)) continue;
      const double dealt = math::abs(up * down / (up + down)) * part[k];
      if (dealt < least) least = dealt, c = {k, true};
    }
    return c;
  }
};

/// Well mixed bits of x (the finaliser of D. Lea's and G. Steele's SplitMix, 2014).
inline std::uint64_t mixed(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

/// How many numbers fit `places` times into some bits.
constexpr std::uint32_t numbers_each(int places, int bits) {
  const auto fit = [&](std::uint64_t n) {
    std::uint64_t all = 1;
    for (int k = 0; k < places; ++k) all *= n;
    return all <= std::uint64_t{1} << bits;
  };
  std::uint32_t n = 2;
  while (n < 4096 && fit(n + 1)) ++n;
  return n;
}

/// A device of at most K fronts, packed: 40 bytes for 6, 48 for 8.  g0 and g1 hold the conductance, over
/// `scale`, at the ends of the octave of time since `last` in which it was last asked for: between them it is
/// a straight line in ln t, which is off by less than 10^-3.  They follow from the rest and change nothing.
template <int K>
struct Stack {
  static_assert(K == 6 || K == 8, "others would leave gaps");
  using Bits = std::conditional_t<(K > 6), std::uint32_t, std::uint16_t>;
  Tick last;  ///< end of the last pulse
  float g0;
  float g1;  ///< until `begin`, the mean occupancy that the network gives
  std::uint16_t front[K];
  std::uint16_t base;  ///< level of the base in 1 / (508 * 129)
  std::uint8_t level[K];
  std::uint8_t at;  ///< which octave, the first begins at a tick; 0: none, `lasting`: the pulse is not over
  Electrodes electrodes;  ///< `spare`: how many fronts are older, then the upper bits of widths
  Bits bits;              ///< number of fronts, lowest bits of levels, lower bits of widths

  static constexpr int count_bits = K > 6 ? 4 : 3, lower_bits = 8 * sizeof(Bits) - count_bits - K,
                       width_bits = lower_bits + Electrodes::spare_bits - count_bits;
  static constexpr unsigned count_mask = (1u << count_bits) - 1;
  static constexpr std::uint8_t lasting = 255;

  int count() const { return static_cast<int>(bits & count_mask); }
  int older() const { return static_cast<int>(electrodes.spare & count_mask); }
  /// Of front k, in 1 / level_one.
  int level_of(int k) const { return 2 * level[k] + static_cast<int>(bits >> (count_bits + k) & 1u); }
  /// The temperatures of older fronts, one after the other as digits.
  std::uint32_t widths() const {
    return static_cast<std::uint32_t>(bits) >> (count_bits + K) |
           static_cast<std::uint32_t>(electrodes.spare >> count_bits) << lower_bits;
  }
  static std::uint32_t temperatures_of(int older) {
    static constexpr auto table = [] {
      std::array<std::uint32_t, K + 1> all{};
      for (int k = 1; k <= K; ++k) all[static_cast<std::size_t>(k)] = numbers_each(k, width_bits);
      return all;
    }();
    return table[static_cast<std::size_t>(older)];
  }
  void put(int fronts, int older_ones, std::uint32_t lowest, std::uint32_t of_widths) {
    bits = static_cast<Bits>(static_cast<std::uint32_t>(fronts) | lowest << count_bits |
                             of_widths << (count_bits + K));
    electrodes.spare = static_cast<std::uint8_t>(
        (static_cast<std::uint32_t>(older_ones) | of_widths >> lower_bits << count_bits) & 63u);
  }

  void begin() {
    electrodes = {0, 0, 0};
    flat(static_cast<double>(g1));
    last = 0;
  }
  /// All barriers with this occupancy.
  void flat(double p) {
    base = static_cast<std::uint16_t>(p * level_one * base_per_level + 0.5);
    put(0, 0, 0, 0);
    at = 0;
  }
  /// So for ever.
  void hold(double p) {
    flat(p);
    last = standing;
  }
  bool held() const { return last == standing; }
  /// Takes all occupancies nearer to 1/2, so that the mean `from` becomes `to`.
  [[gnu::noinline]] void narrow(double from, double to, const Law& law) {
    Profile<K> p = profile(law);
    const double part = (to - 0.5) / (from - 0.5);
    for (int k = 0; k <= p.n; ++k) p.level[k] = level_one / 2 + (p.level[k] - level_one / 2) * part;
    keep(p, last, law);
  }

  Profile<K> profile(const Law& law) const {
    Profile<K> p;
    p.n = count();
    p.older = older();
    p.level[0] = base / base_per_level;
    for (int k = 0; k < p.n; ++k) p.front[k + 1] = front[k], p.level[k + 1] = level_of(k);
    std::uint32_t digits = widths();
    const std::uint32_t codes = temperatures_of(p.older);
    for (int k = 1; k <= p.older; ++k, digits /= codes)
      p.width[k] = law.seen.of(digits % codes, codes) / law.d.temperature;
    return p;
  }
  /// Rounds up or down, as a hash of the time and of what was there says: no random numbers, which would need
  /// the event that they are drawn for.
  void keep(const Profile<K>& p, Tick now, const Law& law) {
    std::uint64_t bits = static_cast<std::uint64_t>(now) + (std::uint64_t{front[0]} << 48) +
                         (std::uint64_t{front[1]} << 32) + base;
    const auto rounded = [&bits](double x) {
      const auto down = static_cast<std::int32_t>(x);
      const double rest = x - down;
      if (rest == 0) return down;
      bits = mixed(bits);
      return down + (static_cast<double>(static_cast<std::int64_t>(bits >> 12)) * 0x1p-52 < rest);
    };
    std::uint32_t lowest = 0, digits = 0;
    base = static_cast<std::uint16_t>(rounded(p.level[0] * base_per_level));
    for (int k = 0; k < K; ++k) {
      front[k] = k < p.n ? static_cast<std::uint16_t>(rounded(p.front[k + 1])) : std::uint16_t{0};
      const auto l = static_cast<std::uint32_t>(k < p.n ? rounded(p.level[k + 1]) : 0);
      level[k] = static_cast<std::uint8_t>(l / 2);
      lowest |= (l & 1u) << k;
    }
    const std::uint32_t codes = temperatures_of(p.older);
    for (int k = p.older; k > 0; --k)
      digits = digits * codes + law.seen.code(p.width[k] * law.d.temperature, codes);
    put(p.n, p.older, lowest, digits);
    at = 0;
  }

  /// Makes up for the time of no voltage up to `now`.
  [[gnu::noinline]] void settle(Tick now, const Law& law) {
    at = 0;
    if (now <= last) return;
    Profile<K> p = profile(law);
    p.add(law.d.rest(static_cast<double>(now - last)), law);
    p.tidy(law);
    if (p.n > K) p.merge(law);
    keep(p, now, law);
    last = now;
  }
  /// The temperature changes at `now`; with the new one `seen` are all.
  void change_temperature(Tick now, const Law& law, const Temperatures& seen) {
    settle(now, law);
    if (held()) return;
    Profile<K> p = profile(law);
    p.make_older(law);
    keep(p, now, {law.d, law.t, seen});
  }

  /// What acts between the last pulse and one that begins at `now`.
  Event rest_until(Tick now, const Law& law) const {
    return now > last ? law.d.rest(static_cast<double>(now - last)) : Event{0, 0, 0, false};
  }
  /// A pulse that begins at `now`, or as soon as the last one is over.
  [[gnu::noinline]] void pulse(const Event& e, Tick now, const Law& law) {
    if (!e.acts) return;
    Profile<K> p = profile(law);
    p.add_pulse(rest_until(now, law), e, law);
    last = now > last ? now : last;
    p.tidy(law);
    if (p.n > K) p.merge(law);
    keep(p, last, law);
    constexpr Tick latest = standing - 1;
    last = last > latest - e.ticks ? latest : last + e.ticks;
  }
  double elapsed(Tick now) const { return now > last ? static_cast<double>(now - last) : 0; }
  double occupancy(Tick now, const Law& law) const {
    return mean_after(now > last ? law.d.rest(elapsed(now)).front : -math::infinity, law);
  }

  /// The parallel conductance over `scale`, of a mean occupancy.
  static double relative(double mean, const Device& d) { return math::exp(exponent(mean, d)); }
  static double exponent(double mean, const Device& d) { return d.span * (mean - 1) + d.excess; }
  struct Ends {
    float g0, g1;
    std::uint8_t at;
  };
  static constexpr int mantissa = 52;
  /// Which octave of time some ticks are in; below 1: none.
  static int octave_of(double ticks) {
    return static_cast<int>(std::bit_cast<std::uint64_t>(ticks) >> mantissa) - 1022;
  }
  int octave_at(Tick now) const {
    return now > last ? octave_of(static_cast<double>(now - last)) : int{lasting};
  }
  [[gnu::noinline]] Ends ends(Tick now, const Law& law) const {
    const int octave = octave_at(now);
    if (octave == at) return {g0, g1, at};
    const auto number = static_cast<std::uint8_t>(octave);
    if (octave == lasting) {
      const auto g = static_cast<float>(relative(mean_after(-math::infinity, law), law.d));
      return {g, g, number};
    }
    const bool next = at != 0 && octave == at + 1;
    const float begin = next ? g1 : static_cast<float>(conductance_at(octave, law));
    return {begin, static_cast<float>(conductance_at(octave + 1, law)), number};
  }
  double conductance_at(int octave, const Law& law) const { return math::exp(exponent_at(octave, law)); }
  double exponent_at(int octave, const Law& law) const {
    return exponent(mean_after(law.d.front_of(octave), law), law.d);
  }
  /// Mean occupancy after no voltage has got so far.
  [[gnu::noinline]] double mean_after(double rest, const Law& law) const {
    if (older() > 0) return profile(law).mean_after(rest, law);
    double sum = base / base_per_level, before = sum;
    const int n = count();
    for (int k = 0; k < n; ++k) {
      const double l = level_of(k);
      sum += (l - before) * law.share(law.both(front[k], rest));
      before = l;
    }
    if (rest > 0) sum += (level_one / 2 - before) * law.share(rest);
    return sum * (1 / level_one);
  }
  double between(const Ends& e, Tick now) const {
    const auto part = std::bit_cast<std::uint64_t>(elapsed(now)) & ((std::uint64_t{1} << mantissa) - 1);
    const double x = static_cast<double>(static_cast<std::int64_t>(part)) * 0x1p-52;
    const double a = static_cast<double>(e.g0), b = static_cast<double>(e.g1);
    return a + (b - a) * (x + 0.3466 * x * (1 - x));  // log2(1 + x), to 0.008
  }
  /// By interpolation in the octave: what events meet and logs show.
  double shown(Tick now, const Law& law) const { return between(ends(now, law), now); }
};

}  // namespace spinet::glassy
