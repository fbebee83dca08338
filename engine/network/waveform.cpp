#include "network/waveform.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "spinet/math.hpp"

namespace spinet {
namespace {

constexpr double turn = 0x1p64;

/// A part of a turn, in 2^-64; whole turns do not count.
std::uint64_t phase_of(double turns) {
  const double part = turns - std::floor(turns);
  return part < 1 ? static_cast<std::uint64_t>(part * turn) : 0;
}

double sine(std::uint64_t phase) { return math::sin_cos(phase).sin; }

double chirp_at(const Chirp& c, Tick t) {
  // The phase is from t + (to - from) / (2 over) t^2; a turn is 2 pi.
  const auto x = static_cast<double>(t % c.over);
  const double turns = c.phase + x * (c.from + (c.to - c.from) * x / (2 * static_cast<double>(c.over)));
  return c.amplitude * sine(phase_of(turns));
}

/// Ticks within the period, and when that began.
Tick within(const Points& p, Tick t) { return p.period > 0 ? (t + p.ahead) % p.period : t + p.ahead; }

/// The last point at or before `t` of the period; the number of points if there is none.
std::size_t point_before(const Points& p, Tick t) {
  const auto after = std::upper_bound(p.at.begin(), p.at.end(), t);
  return after == p.at.begin() ? p.at.size() : static_cast<std::size_t>(after - p.at.begin()) - 1;
}

double slope_after(const Points& p, std::size_t k) {
  if (p.between == Points::Between::steps || k + 1 >= p.at.size()) return 0;
  return (p.values[k + 1] - p.values[k]) / static_cast<double>(p.at[k + 1] - p.at[k]);
}

struct Line {
  double value, slope;
};
Line line_at(const Points& p, Tick time) {
  const Tick t = within(p, time);
  const std::size_t k = point_before(p, t);
  if (k == p.at.size()) return {p.values.front(), 0};
  const double slope = slope_after(p, k);
  return {p.values[k] + slope * static_cast<double>(t - p.at[k]), slope};
}

Tick corner_after(const Points& p, Tick time) {
  const Tick t = within(p, time);
  const auto next = std::upper_bound(p.at.begin(), p.at.end(), t);
  if (next != p.at.end()) return time + (*next - t);
  return p.period > 0 ? time + (p.period - t) : never;
}

}  // namespace

Sine make_sine(double amplitude, double period, double phase) {
  Sine made{amplitude, phase_of(phase), {0, 0}, 1 / period};
  // 2^128 / period, digit by digit: the period is m / 2^k or m 2^k with whole m.
  int exponent = 0;
  auto m = static_cast<std::uint64_t>(std::ldexp(std::frexp(period, &exponent), 53));
  exponent -= 53;
  unsigned __int128 rest = 1, divisor = m;
  if (exponent < 0) rest <<= -exponent;  // at most 2^52: a period is 2 or more
  else divisor <<= exponent;
  for (int bit = 0; bit < 128; ++bit) {
    rest <<= 1;
    std::uint64_t& word = made.turns[bit / 64];
    word <<= 1;
    if (rest >= divisor) rest -= divisor, word |= 1;
  }
  return made;
}

double Waveform::at(Tick t) const {
  double x = offset;
  for (const auto& s : sines) x += s.amplitude * sine(s.at(t));
  for (const auto& c : chirps) x += chirp_at(c, t);
  for (const auto& p : points) x += line_at(p, t).value;
  return x;
}

std::pair<double, double> Waveform::bounds() const {
  double low = offset, high = offset;
  const auto wave = [&](double amplitude) { low -= std::abs(amplitude), high += std::abs(amplitude); };
  for (const auto& s : sines) wave(s.amplitude);
  for (const auto& c : chirps) wave(c.amplitude);
  for (const auto& p : points) {
    const auto [least, most] = std::minmax_element(p.values.begin(), p.values.end());
    low += *least, high += *most;
  }
  return {low, high};
}

Tick Waveform::next_corner(Tick t) const {
  Tick next = never;
  for (const auto& p : points) next = std::min(next, corner_after(p, t));
  return next;
}

Tick Waveform::next_change(Tick t) const {
  const Tick step = resolution > 0 ? (t / resolution + 1) * resolution : never;
  return std::min(step, next_corner(t));
}

Tick Waveform::next_segment(Tick t) const { return chirps.empty() ? next_corner(t) : next_change(t); }

Followed Waveform::followed(Tick begin, Tick t) const {
  Followed f{begin + t, offset, 0, 0, {}};
  for (Sine s : sines) {
    s.phase -= s.at(begin) - s.phase;
    f.sines[f.sine_count++] = s;
  }
  for (const auto& p : points) {
    const Line line = line_at(p, t);
    f.value += line.value;
    f.slope += line.slope;
  }
  if (chirps.empty()) return f;
  const Tick next = next_segment(t);
  for (const auto& c : chirps) {
    const double now = chirp_at(c, t), length = static_cast<double>(next - t);
    // At the end of the chirp it jumps: the line goes to where it was going.
    const Tick end = (next % c.over == 0 && next > t) ? next - 1 : next;
    f.value += now;
    f.slope += (chirp_at(c, end) - now) / (end == next ? length : std::max(length - 1, 1.0));
  }
  return f;
}

double shortest_part(const Waveform& w) {
  double shortest = std::numeric_limits<double>::infinity();
  for (const auto& s : w.sines) shortest = std::min(shortest, 1 / s.per_tick);
  for (const auto& c : w.chirps) shortest = std::min(shortest, 1 / std::max(c.from, c.to));
  for (const auto& p : w.points)
    for (std::size_t k = 1; k < p.at.size() && p.between == Points::Between::lines; ++k)
      if (p.at[k] > p.at[k - 1]) shortest = std::min(shortest, static_cast<double>(p.at[k] - p.at[k - 1]));
  return shortest;
}

}  // namespace spinet
