// Packed glassy devices: some fronts with the levels that they left behind, in 40 or 48 bytes.  glassy.hpp
// has the physics.
#pragma once
#include "glassy.hpp"

namespace spinet::glassy {

/// A profile of occupancies with room to work in: level of the base, then of each front, the deepest first.
/// The `older` deepest fronts are those of another temperature: they keep the width that they have, and stay
/// where they were when it changed.  What has come since is what the front behind them has taken in.
template <int K>
struct Profile {
  double front[K + 3], level[K + 3];  ///< front[0] is not used: the base lies behind no front
  int n = 0;                          ///< number of fronts
  int older = 0;
  double ratio = 1;  ///< of their temperature to the present one

  /// Where front k is by now.
  double place(int k, const Law& law) const {
    return k > older || n == older ? front[k] : law.both_of(front[k], front[older + 1], ratio);
  }
  /// The part of all barriers that front k has passed.
  double share(int k, const Law& law) const {
    if (k > older) return law.share(front[k]);
    return law.share(front[k], n > older ? front[older + 1] : -math::infinity, ratio);
  }
  /// Has front k passed all barriers?
  bool passed_all(int k, double place, const Law& law) const {
    if (k > older || (n > older && front[older + 1] >= law.d.all_passed)) return place >= law.d.all_passed;
    return place >= front_one + passed * law.d.kT_fronts * (ratio > 1 ? ratio : 1);
  }
  /// An event on top of all.
  void add(const Event& e, const Law& law) {
    for (int k = older + 1; k <= n; ++k) front[k] = law.both(front[k], e.front);
    push(e);
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
      if (passed_all(k, here, law)) {
        level[0] = level[k];
        continue;
      }
      ++kept, kept_older += k <= older;
      front[kept] = front[k], level[kept] = level[k];
    }
    n = kept, older = kept_older;
  }
  /// Until there are K fronts at most, one interval between two fronts goes where that changes the profile
  /// least: it becomes one with the next deeper one, at their mean, or, where its level lies between those of
  /// its neighbours, is dealt out to them.  Both leave the mean of all as it is.  Cost: the largest
  /// change of the integral of p from any height up.  The uppermost interval is what has just been written,
  /// and stays.
  void merge(const Law& law) {
    double width[K + 3];
    double above = 1;
    for (int k = 0; k < n; ++k) {
      const double next = share(k + 1, law);
      width[k] = above - next;
      above = next;
    }
    for (; n > K; --n) {
      int best = 1;
      bool deal = false;
      double least = math::infinity;
      for (int k = 1; k < n; ++k) {
        if (older > 0 && k == older + 1) continue;  // what has come since must stay
        const double down = level[k] - level[k - 1], whole = width[k] + width[k - 1];
        const double joined = whole > 0 ? math::abs(down) * width[k] * width[k - 1] / whole : 0;
        if (joined < least) least = joined, best = k, deal = false;
        if (k + 1 == n || front[k] >= law.d.straight || (older > 0 && k == older)) continue;
        const double up = level[k + 1] - level[k];
        if (!(up * down > 0)) continue;
        const double dealt = math::abs(up * down / (up + down)) * width[k];
        if (dealt < least) least = dealt, best = k, deal = true;
      }
      if (deal) {
        const double to_next = (level[best] - level[best - 1]) / (level[best + 1] - level[best - 1]);
        front[best + 1] += to_next * (front[best] - front[best + 1]);
        width[best + 1] += to_next * width[best];
        width[best - 1] += (1 - to_next) * width[best];
      } else {
        const double whole = width[best] + width[best - 1];
        if (whole > 0) level[best - 1] += (level[best] - level[best - 1]) * (width[best] / whole);
        width[best - 1] = whole;
      }
      older -= best <= older;
      for (int k = best; k < n; ++k) front[k] = front[k + 1], level[k] = level[k + 1];
      for (int k = best; k + 1 < n; ++k) width[k] = width[k + 1];
    }
  }
};

/// Well mixed bits of x (the finaliser of D. Lea's and G. Steele's SplitMix, 2014).
inline std::uint64_t mixed(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

/// A device of at most K fronts, packed: 38 bytes for 6, 46 for 8.  g0 and g1 hold the conductance, over
/// `scale`, at the ends of the octave of time since `last` in which it was last asked for: between them it is
/// a straight line in ln t, which is off by less than 10^-3.  They follow from the rest and change nothing.
template <int K>
struct Stack {
  Tick last;  ///< end of the last pulse
  float g0;
  float g1;  ///< until `begin`, the mean occupancy that the network gives
  std::uint16_t front[K];
  std::uint16_t base;  ///< level of the base in 1 / (254 * 258)
  std::uint16_t at;    ///< which octave; 0: none, 1: the pulse is not over
  std::uint8_t level[K];
  std::uint8_t count : 4, older : 4;  ///< fronts; how many of them are of another temperature
  Electrodes electrodes;              ///< `room` has that temperature

  void begin() {
    flat(static_cast<double>(g1));
    last = 0;
    electrodes = {0, 0, 0};
  }
  /// All barriers with this occupancy.
  void flat(double p) {
    base = static_cast<std::uint16_t>(p * level_one * base_per_level + 0.5);
    count = older = 0;
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
    keep(p, last);
  }

  Profile<K> profile(const Law& law) const {
    Profile<K> p;
    p.n = count;
    p.older = older;
    if (older > 0) p.ratio = ratio(law);
    p.level[0] = base / base_per_level;
    for (int k = 0; k < count; ++k) p.front[k + 1] = front[k], p.level[k + 1] = level[k];
    return p;
  }
  /// Rounds up or down, as a hash of the time and of what was there says: no random numbers, which would need
  /// the event that they are drawn for.
  void keep(const Profile<K>& p, Tick now) {
    std::uint64_t bits = static_cast<std::uint64_t>(now) + (std::uint64_t{front[0]} << 48) +
                         (std::uint64_t{front[1]} << 32) + base;
    const auto rounded = [&bits](double x) {
      const auto down = static_cast<std::int32_t>(x);
      const double rest = x - down;
      if (rest == 0) return down;
      bits = mixed(bits);
      return down + (static_cast<double>(static_cast<std::int64_t>(bits >> 12)) * 0x1p-52 < rest);
    };
    count = static_cast<std::uint8_t>(p.n), older = static_cast<std::uint8_t>(p.older);
    base = static_cast<std::uint16_t>(rounded(p.level[0] * base_per_level));
    for (int k = 0; k < K; ++k) {
      front[k] = k < p.n ? static_cast<std::uint16_t>(rounded(p.front[k + 1])) : std::uint16_t{0};
      level[k] = k < p.n ? static_cast<std::uint8_t>(rounded(p.level[k + 1])) : std::uint8_t{0};
    }
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
    keep(p, now);
    last = now;
  }
  /// The temperature changes at `now` to kT of `next`, over E_max.  Small steps leave the widths of older
  /// fronts as they are; otherwise all have that of the present temperature, whatever came before.
  void change_temperature(double next, Tick now, const Law& law) {
    settle(now, law);
    const double step = math::log(next / law.d.kT);
    if (held() || step == 0 || (older > 0 && math::abs(step) < 0.1)) return;
    Profile<K> p = profile(law);
    double now_at[K + 1];
    for (int k = 1; k <= p.n; ++k) now_at[k] = law.front_of_share(p.share(k, law));
    for (int k = 1; k <= p.n; ++k) p.front[k] = now_at[k];
    p.older = 0;
    p.tidy(law);
    p.older = p.n;
    keep(p, now);
    electrodes.room = temperature_code(law.d.kT);
  }
  /// kT over E_max in 64 steps of a factor of 1.21, between the limits of `problem`.
  static constexpr double code_step = 0.19;
  static std::uint8_t temperature_code(double kT) {
    const double x = math::log(kT * 1e6) / code_step;
    return static_cast<std::uint8_t>(x > 63 ? 63 : x < 0 ? 0 : x + 0.5);
  }
  double ratio(const Law& law) const { return 1e-6 * math::exp(code_step * electrodes.room) / law.d.kT; }

  /// A pulse that begins at `now`, or as soon as the last one is over.
  [[gnu::noinline]] void pulse(const Event& e, Tick now, const Law& law) {
    if (!e.acts) return;
    Profile<K> p = profile(law);
    if (now > last) {  // both at once: C + C' + C''
      Event rest = law.d.rest(static_cast<double>(now - last));
      rest.front = law.both(rest.front, e.front);
      p.add(rest, law);
      last = now;
      p.push(e);
    } else {
      p.add(e, law);
    }
    p.tidy(law);
    if (p.n > K) p.merge(law);
    keep(p, last);
    constexpr Tick latest = standing - 1;
    last = last > latest - e.ticks ? latest : last + e.ticks;
  }
  double elapsed(Tick now) const { return now > last ? static_cast<double>(now - last) : 0; }
  double occupancy(Tick now, const Law& law) const {
    return mean_after(now > last ? law.d.rest(elapsed(now)).front : -math::infinity, law);
  }

  /// The parallel conductance over `scale`, of a mean occupancy.
  static double relative(double mean, const Device& d) { return math::exp(d.span * (mean - 1) + d.excess); }
  struct Ends {
    float g0, g1;
    std::uint16_t at;
  };
  static constexpr int mantissa = 52;
  /// Which octave of time it is; 1: the last pulse is not over.
  std::uint64_t octave_at(Tick now) const {
    return now > last ? std::bit_cast<std::uint64_t>(static_cast<double>(now - last)) >> mantissa : 1;
  }
  /// Are g0 and g1 those of the present?
  bool current(Tick now) const { return octave_at(now) == at; }
  [[gnu::noinline]] Ends ends(Tick now, const Law& law) const {
    const std::uint64_t octave = octave_at(now);
    if (octave == at) return {g0, g1, at};
    const auto number = static_cast<std::uint16_t>(octave);
    if (now <= last) {
      const auto g = static_cast<float>(relative(mean_after(-math::infinity, law), law.d));
      return {g, g, number};
    }
    const bool next = at > 1 && number == at + 1;
    const float begin = next ? g1 : static_cast<float>(conductance_at(number, law));
    return {begin, static_cast<float>(conductance_at(number + 1, law)), number};
  }
  double conductance_at(int octave, const Law& law) const {
    return relative(mean_after(law.d.front_of(octave), law), law.d);
  }
  /// Mean occupancy after no voltage has got so far.
  [[gnu::noinline]] double mean_after(double rest, const Law& law) const {
    double sum = base / base_per_level, before = sum;
    const double since = older < count ? law.both(front[older], rest) : rest;
    const double other = older > 0 ? ratio(law) : 1;
    for (int k = 0; k < count; ++k) {
      const double l = level[k];
      const double part = k < older ? law.share(front[k], since, other) : law.share(law.both(front[k], rest));
      sum += (l - before) * part;
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
  double shown_and_kept(Tick now, const Law& law) {
    const Ends e = ends(now, law);
    g0 = e.g0, g1 = e.g1, at = e.at;
    return between(e, now);
  }
};

}  // namespace spinet::glassy
