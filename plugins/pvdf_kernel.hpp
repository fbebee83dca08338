// Spike-timing-dependent plasticity of the PVDF memristor by overlap of waveforms.  Every presynaptic spike
// puts a voltage on one electrode, every postsynaptic one on the other: a rectangle, then a slope to 0 of the
// opposite sign.  The device sees the difference.  One spike alone stays below the thresholds, two that
// overlap pass them.  The amplitudes are those of the supplement (+1.0 and -0.67 V, +0.67 and -1.0 V); those
// printed in the main text would move the device with one spike alone.
#pragma once
#include "pvdf.hpp"
#include "spinet/reality.hpp"

namespace spinet::pvdf {

/// As networks give it: V, ms.  The last fields of `Params`.
struct Waveforms {
  double stdp, pre_pulse, pre_slope, post_pulse, post_slope, spike_width, spike_length;
};
template <class Params>
void add_waveforms(FieldTable<Params>& t) {
  constexpr Range volts = between(-100, 100), times{0, 1e6, low_open};
  t.add(&Params::stdp, "stdp", "1", 0, between(0, 1), integer,
        "1: spikes are voltages, which change the device where they overlap; 0: spikes read it")
      .add(&Params::pre_pulse, "pre_pulse", "V", 1, volts, 0, "rectangle of a presynaptic spike")
      .add(&Params::pre_slope, "pre_slope", "V", -0.67, volts, 0, "from which it then goes to 0 linearly")
      .add(&Params::post_pulse, "post_pulse", "V", 0.67, volts, 0,
           "rectangle of a postsynaptic spike, on the other electrode")
      .add(&Params::post_slope, "post_slope", "V", -1, volts, 0, "from which it then goes to 0 linearly")
      .add(&Params::spike_width, "spike_width", "ms", 10, times, 0, "of the rectangle (not in the text)")
      .add(&Params::spike_length, "spike_length", "ms", 50, times, 0, "of rectangle and slope");
}
inline const char* problem(const Constants& c, const Waveforms& w) {
  if (w.stdp == 0) return nullptr;
  if (!(w.spike_width < w.spike_length))
    return "spike_width must be below spike_length, of which it is a part";
  const auto still = [&](double V) { return V >= -c.V_neg && V <= c.V_pos; };
  if (!still(w.pre_pulse) || !still(w.pre_slope))
    return "a presynaptic spike alone must change nothing: pre_pulse and pre_slope must lie within -V_neg "
           "and "
           "V_pos";
  if (!still(-w.post_pulse) || !still(-w.post_slope))
    return "a postsynaptic spike alone must change nothing: -post_pulse and -post_slope must lie within "
           "-V_neg "
           "and V_pos";
  return nullptr;
}

/// Which spike of a pair is the earlier: the presynaptic one potentiates, the postsynaptic one depresses.
enum class First { pre, post };

/// The change of s by one pair of spikes, over the time between them and s: a table between whose points
/// lines are drawn (the largest error of s is about 1e-5 with the presets).  It is 0 to the bit where nothing
/// moves.
class Kernel {
 public:
  /// Spikes this far apart do nothing [ms].
  double reach() const { return length_; }

  void make(const Device& device, const Waveforms& w) {
    length_ = w.spike_length;
    const double ends[] = {0, w.spike_width, w.spike_length - w.spike_width, w.spike_length};
    for (int i = 0; i < 4; ++i) ends_[i] = ends[i];
    if (ends_[1] > ends_[2]) ends_[1] = ends[2], ends_[2] = ends[1];
    for (int post_first = 0; post_first < 2; ++post_first)
      for (int i = 0; i <= columns; ++i) {
        const double lag = time_of(i);
        double s[rows + 1];
        for (int k = 0; k <= rows; ++k) s[k] = static_cast<double>(k) / rows;
        pair(device, w, post_first ? -lag : lag, s);
        for (int k = 0; k <= rows; ++k)
          table_[post_first][i][k] = static_cast<float>(s[k] - static_cast<double>(k) / rows);
      }
  }
  /// The same without a table, of a device of its own.
  static double change(const Device& device, const Waveforms& w, double s, double lag, First first) {
    if (!(lag > 0 && lag < w.spike_length)) return 0;
    double after[1] = {s};
    pair(device, w, first == First::post ? -lag : lag, after);
    return after[0] - s;
  }
  /// What flows through a device under a waveform: the part of it that is antiparallel, the scale of its I-V,
  /// and whether its state stays as it is.
  struct Load {
    double antiparallel, iv_scale;
    bool held;
  };
  /// The energy of two spikes together, post - pre = `dt` ms, of a device that they find in state s [nJ].
  static double energy(const Device& device, const Waveforms& w, const Load& load, double s, double dt) {
    double sum = 0;
    between_jumps(w, dt, [&](double begin, double length) {
      const auto [from, to] = line(begin, length, dt, w);
      const double ms = length / steps;
      for (int n = 0; n < steps; ++n) {
        const Line part{from + (to - from) * n / steps, from + (to - from) * (n + 1) / steps};
        const double before = s;
        if (!load.held) s = device.pull(0.5 * (part.from + part.to)).after(s, 1e-3 * ms);
        sum += device.conductance(0.5 * (before + s), load.antiparallel) * ms * square(part, load.iv_scale);
      }
    });
    return sum;
  }
  /// The energy of a spike alone, over the conductance [nJ/uS].
  static double energy_alone(const Waveforms& w, double pulse, double slope, double iv_scale) {
    double sum = w.spike_width * square({pulse, pulse}, iv_scale);
    const double ms = (w.spike_length - w.spike_width) / steps;
    for (int n = 0; n < steps; ++n)
      sum += ms * square({slope * n / steps, slope * (n + 1) / steps}, iv_scale);
    return sum;
  }
  /// The change of s by a pair whose later spike comes `lag` ms after the earlier.
  double change(double s, double lag, First first) const {
    if (!(lag > 0 && lag < length_)) return 0;
    const int part = lag < ends_[1] ? 0 : lag < ends_[2] ? 1 : 2;
    const double x = (lag - ends_[part]) / (ends_[part + 1] - ends_[part]) * per_part;
    const double y = s * rows;
    const int i = limited(x, per_part), k = limited(y, rows);
    const float(*const at)[rows + 1] = &table_[static_cast<int>(first)][part * per_part + i];
    const auto along = [&](const float* v) {
      const double a = static_cast<double>(v[k]), b = static_cast<double>(v[k + 1]);
      return a + (b - a) * (y - k);
    };
    const double a = along(at[0]), b = along(at[1]);
    return a + (b - a) * (x - i);
  }

 private:
  static constexpr int per_part = 32, columns = 3 * per_part, rows = 128, steps = 32;
  double length_, ends_[4];
  float table_[2][columns + 1][rows + 1];

  static int limited(double x, int count) { return x >= count ? count - 1 : static_cast<int>(x); }
  double time_of(int i) const {
    const int part = i == columns ? 2 : i / per_part;
    return ends_[part] + (ends_[part + 1] - ends_[part]) * (i - part * per_part) / per_part;
  }

  struct Line {
    double from, to;
  };
  /// The mean over a line of V^2 as it drives the current, by Simpson's rule: exact of an Ohmic device.
  static double square(const Line& V, double iv_scale) {
    const auto at = [&](double x) { return x * x * device::iv_factor(x, iv_scale); };
    return (at(V.from) + 4 * at(0.5 * (V.from + V.to)) + at(V.to)) / 6;
  }
  /// One spike's voltage, `t` ms after it.
  static double wave(double t, double pulse, double slope, const Waveforms& w) {
    if (t < 0 || t >= w.spike_length) return 0;
    return t < w.spike_width ? pulse : slope * (w.spike_length - t) / (w.spike_length - w.spike_width);
  }
  static double voltage(double t, double dt, const Waveforms& w) {
    return wave(t, w.pre_pulse, w.pre_slope, w) - wave(t - dt, w.post_pulse, w.post_slope, w);
  }
  /// That voltage from `begin` on, where it is a line; found from two points inside: at its ends rounding
  /// could look beyond a jump.
  static Line line(double begin, double length, double dt, const Waveforms& w) {
    const double a = voltage(begin + length / 4, dt, w), b = voltage(begin + 3 * length / 4, dt, w);
    return {a - (b - a) / 2, b + (b - a) / 2};
  }
  /// f(begin, length) for each stretch in which both voltages are lines; post - pre = `dt` ms.
  template <class F>
  static void between_jumps(const Waveforms& w, double dt, F&& f) {
    double jumps[6] = {0, w.spike_width, w.spike_length, dt, dt + w.spike_width, dt + w.spike_length};
    for (int i = 1; i < 6; ++i)
      for (int k = i; k > 0 && jumps[k] < jumps[k - 1]; --k) {
        const double later = jumps[k - 1];
        jumps[k - 1] = jumps[k], jumps[k] = later;
      }
    for (int i = 0; i + 1 < 6; ++i) {
      const double begin = jumps[i], length = jumps[i + 1] - begin;
      if (length > 0) f(begin, length);
    }
  }
  /// What a pair makes of devices of such states.
  template <int count>
  static void pair(const Device& device, const Waveforms& w, double dt, double (&s)[count]) {
    between_jumps(w, dt, [&](double begin, double length) {
      const Line V = line(begin, length, dt, w);
      beyond(device, -1, V, length, s);
      beyond(device, 1, V, length, s);
    });
  }
  /// A voltage that follows a line for `ms`: what it does where it is beyond the threshold of one sign.
  template <int count>
  static void beyond(const Device& device, double sign, const Line& line, double ms, double (&s)[count]) {
    const auto [from, to] = line;
    constexpr double rounding = 1e-12;  // V; of the ends of a line
    const double threshold = sign < 0 ? device.c.V_neg : device.c.V_pos;
    const double a = sign * from - threshold, b = sign * to - threshold;
    if (!(a > rounding || b > rounding)) return;
    const double begin = a > 0 ? 0 : a / (a - b), end = b > 0 ? 1 : a / (a - b);
    const double step = (end - begin) / steps;
    if (!(step > 0)) return;
    for (int n = 0; n < steps; ++n) {
      const Pull pull = device.pull(from + (to - from) * (begin + step * (n + 0.5)));
      const double part = -math::expm1(-pull.rate * 1e-3 * ms * step);
      for (double& x : s)
        if (pull.moves(x)) x += (pull.target - x) * part;
    }
  }
};

}  // namespace spinet::pvdf
