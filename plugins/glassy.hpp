// One glassy molecular spin valve, LSMO/Gaq3/AlOx/Co, as the plugins of this folder share it.  Source of what
// is marked [m], measured: A. Shumilin et al., "Glassy synaptic time dynamics in molecular
// La0.7Sr0.3MnO3/Gaq3/AlOx/Co spintronic crossbar devices" (2024); the rest is a model, not in the paper, and
// each of its constants is a parameter.
//
// State.  Impurities sit behind barriers whose heights E are spread evenly from 0 to E_max, about 1 eV [m].
// Those behind barriers of one height are in the conducting place with the probability p(E), and
//     ln G = ln G_min + span mean(p)
// in the parallel magnetic state.
//
// Time.  A voltage V tilts the barriers by
//     Delta = lift_up ((V - V_up) / 1 V)^power_up where V > V_up,
//     Delta = -lift_down ((-V - V_down) / 1 V)^power_down where V < -V_down, else exactly 0 [m: thresholds],
// and p(E) relaxes to p_inf = (1 + tanh(Delta / kT)) / 2 at 2 nu_0 cosh(Delta / kT) exp(-E / kT).  After the
// time t it has done so up to a front: 1 - exp(-C exp(-E / kT)) of the way with C = 2 nu_0 t cosh(Delta /
// kT), which is 1 below e = kT (gamma + ln C) and 0 above.  Hence the logarithms of time and of the number of
// pulses [m].  A voltage that tilts nothing is no voltage, and a pulse acts as a whole at its begin, after
// the time of no voltage since the last one has been made up for: nothing costs anything but pulses.
//
// The profile p(E) is kept as a stack of fronts, the deepest first, with the level that each left behind:
//     p = l_0 + sum over k of (l_k - l_(k-1)) (1 - exp(-C_k exp(-E / kT))).
// An event adds its C to all of them and itself on top.  That is exact.  Where there is no room for one more,
// the two neighbours are made one whose difference is least.  Fronts are kept as energies, in 2^-16 of 1.5
// E_max, levels in 1/508: 25 bits each.  They are rounded up or down as a hash of the time and of the
// device's past says, so that many small steps sum up right: the nearest number would stay for ever.
//
// Temperature.  A front has the width kT of the temperature at which it was made.  When that changes, those
// that are there keep their place and width; what comes then, C at the new temperature, is one factor for all
// of them, and the product of two fronts of different widths has a closed form but for quadratures.  At the
// next change each of these products becomes a front again, of its mean and of a width between the two: 1 -
// the product is the distribution of the larger of two numbers, and the squares of the widths count as often
// as either is the larger.  So no step adds to the errors of those before.  Widths are kept as temperatures,
// in equal steps of the logarithm between the lowest and the highest that the slice has seen, which are
// exact.
//
// Magnetism.  Potentiated devices show magnetoconductance, depressed ones none [m]; as spin_valve, with its
// law and numbers: (G_AP - G_P) / G_P = MG_max ((G - G_th) / (G_max - G_th))^MG_exponent above G_th.
#pragma once
#include "spin_valve.hpp"

namespace spinet::glassy {

constexpr double boltzmann = 8.617333262e-5;  // eV/K
constexpr double euler_gamma = 0.57721566490153286061;

/// Constants of a device as networks give them; the first fields of a model's `Params`.
struct Constants {
  double G_min, span, E_max, nu_0, temperature;
  double V_up, V_down, lift_up, lift_down, power_up, power_down;
  double G_th, MG_max, MG_exponent, field_soft, field_hard, w_max;
};

/// What was measured: the two samples of the source above.
inline constexpr const char* source =
    "A. Shumilin et al., \"Glassy synaptic time dynamics in molecular La0.7Sr0.3MnO3/Gaq3/AlOx/Co spintronic "
    "crossbar devices\" (2024)";
inline constexpr Setting lsmo_gaq3_co[] = {
    {"temperature", 76}, {"E_max", 1}, {"V_up", 1.75}, {"V_down", 1}, {"read_voltage", 0.1}};
inline constexpr Setting lsmo_gaq3_co_3x1[] = {
    {"temperature", 100}, {"E_max", 1}, {"V_up", 1.75}, {"V_down", 1}, {"read_voltage", 0.1}};
inline constexpr Preset presets_of_all[] = {preset("lsmo_gaq3_co", source, lsmo_gaq3_co),
                                            preset("lsmo_gaq3_co_3x1", source, lsmo_gaq3_co_3x1)};

/// Adds the fields of `Constants` to the table of a `Params` that derives from it.
template <class Params>
void add_constants(FieldTable<Params>& t) {
  t.add(&Params::G_min, "G_min", "uS", 1.35e-4, {0, 1e9, low_open}, spread,
        "conductance of a device with all impurities out of place (not in the paper)")
      .add(&Params::span, "span", "1", 13.4, {0, 80, low_open}, spread,
           "ln(G_max / G_min) (not in the paper)")
      .add(&Params::E_max, "E_max", "eV", 1, above(0), spread, "highest barrier")
      .add(&Params::nu_0, "nu_0", "1/s", 1e12, above(0), spread, "attempt frequency (not in the paper)")
      .add(&Params::temperature, "temperature", "K", 76, at_least(0.01), scheduled, "of the device")
      .add(&Params::V_up, "V_up", "V", 1.75, at_least(0), spread, "positive voltages up to it change nothing")
      .add(&Params::V_down, "V_down", "V", 1, at_least(0), spread,
           "negative voltages up to it change nothing")
      .add(&Params::lift_up, "lift_up", "eV", 0.2424, at_least(0), spread,
           "tilt of the barriers 1 V above V_up (not in the paper)")
      .add(&Params::lift_down, "lift_down", "eV", 0.02019, at_least(0), spread,
           "tilt of the barriers 1 V beyond V_down (not in the paper)")
      .add(&Params::power_up, "power_up", "1", 1.3, above(0), spread,
           "how the tilt grows with V - V_up (not in the paper)")
      .add(&Params::power_down, "power_down", "1", 3.3, above(0), spread,
           "how the tilt grows with -V - V_down (not in the paper)")
      .add(&Params::G_th, "G_th", "uS", 1.13, at_least(0), spread,
           "conductance above which there is magnetoconductance (not in the paper)")
      .add(&Params::MG_max, "MG_max", "1", 0.25, at_least(0), spread,
           "magnetoconductance at G_max: (G_AP - G_P) / G_P (not in the paper)")
      .add(&Params::MG_exponent, "MG_exponent", "1", 0.75, above(0), spread,
           "of G - G_th in the magnetoconductance (not in the paper)")
      .add(&Params::field_soft, "field_soft", "Oe", 90, above(0), spread,
           "field that turns the soft electrode (not in the paper)")
      .add(&Params::field_hard, "field_hard", "Oe", 250, above(0), spread,
           "field that turns the hard electrode, too (not in the paper)")
      .add(&Params::w_max, "w_max", "1", 100, any(), port_unit,
           "weight of G_max, parallel, over that of no conductance");
}

/// Fronts are kept up to this many E_max: those beyond E_max by some kT have passed all barriers.
constexpr double reach = 1.5;
/// So many kT beyond E_max a front has passed all barriers, to one in 10^16.
constexpr double passed = 4 + euler_gamma;

/// What is wrong with constants that are each in their range, or null.
inline const char* problem(const Constants& p) {
  if (!(boltzmann * p.temperature * passed < (reach - 1) * p.E_max))
    return "E_max must be above 10 kT: lower barriers hold no state";
  if (!(boltzmann * p.temperature * 1e6 >= p.E_max))
    return "E_max must be at most 10^6 kT: in colder devices nothing moves";
  if (!(p.G_min * math::exp(p.span) > p.G_th))
    return "G_th must be below G_max = G_min exp(span): no device would show magnetoconductance";
  if (p.field_hard < p.field_soft) return "field_hard must not be below field_soft";
  return nullptr;
}

/// y(x) between x = low and high by straight lines between points.
template <std::uint32_t points>
struct Table {
  double low, per_unit;
  float y[points + 1];

  template <class F>
  void make(double from, double to, F f) {
    low = from, per_unit = points / (to - from);
    for (std::uint32_t i = 0; i <= points; ++i) y[i] = static_cast<float>(f(from + i / per_unit));
  }
  /// x in [low, high).
  double operator()(double x) const {
    const double at = (x - low) * per_unit;
    const auto i = static_cast<std::uint32_t>(static_cast<std::int32_t>(at));
    const auto a = static_cast<double>(y[i]), b = static_cast<double>(y[i + 1]);
    return a + (b - a) * (at - static_cast<double>(static_cast<std::int32_t>(i)));
  }
};

/// Numbers in which fronts and levels are kept.
constexpr double front_one = 65535 / reach, level_one = 508, base_per_level = 129;

/// What an event does: to which level, and how deep its front would be alone [1 / front_one of E_max].
struct Event {
  double front, level;
  Tick ticks;  ///< how long it lasts
  bool acts;
};

/// Functions that are the same for all devices.
struct Tables {
  Table<1280> sum;     ///< ln(1 + e^x)
  Table<512> beneath;  ///< Ein(e^x)
  void make() {
    sum.make(-20, 20,
             [](double x) { return x > 0 ? x + math::log1p(math::exp(-x)) : math::log1p(math::exp(x)); });
    beneath.make(-12, 4, [](double x) { return valve::ein(math::exp(x)); });
  }
};

struct Device : Constants {
  double kT;                    ///< over E_max
  double kT_fronts;             ///< the same in the numbers of fronts
  double per_kT;                ///< 1 over that
  double straight, all_passed;  ///< up to here a front has passed its share; from there all barriers
  double octave;                ///< kT ln 2
  double ln_tick;               ///< gamma + ln(2 nu_0 t) for a tick
  double one_tick;              ///< kT times that, in these numbers
  double ticks_per_s;
  double scale;   ///< conductances are kept over this one: the projection's G_max [uS]
  double excess;  ///< ln(G_max / scale)

  Device() = default;
  /// The projection's.
  Device(const Constants& c, double ticks_a_second) : Constants(c) {
    ticks_per_s = ticks_a_second;
    ln_tick = ln_rate(1 / ticks_per_s, 0);
    scale = G_min * math::exp(span);
    excess = 0;
    place_fronts();
  }
  /// One with constants of its own.  Logarithms of those that all have in common are not taken again.
  Device(const Constants& c, const Device& of_all) : Constants(c) {
    ticks_per_s = of_all.ticks_per_s;
    ln_tick = nu_0 == of_all.nu_0 ? of_all.ln_tick : ln_rate(1 / ticks_per_s, 0);
    scale = of_all.scale;
    excess = of_all.excess_of(span, G_min);
    place_fronts();
  }
  /// `excess` of a device with a range of its own, of the projection's.
  double excess_of(double own_span, double own_G_min) const {
    return own_span - span + (own_G_min == G_min ? 0 : math::log(own_G_min / G_min));
  }
  void place_fronts() {
    kT = boltzmann * temperature / E_max;
    kT_fronts = kT * front_one;
    per_kT = 1 / kT_fronts;
    octave = 0.69314718055994530942 * kT_fronts;
    straight = front_one + (euler_gamma - 12) * kT_fronts;
    all_passed = front_one + passed * kT_fronts;
    one_tick = at_most_reach(kT_fronts * ln_tick);
  }
  double G_max() const { return excess == 0 ? scale : scale * math::exp(excess); }

  /// Tilt of the barriers [eV].
  double tilt(double V) const {
    if (V > V_up && lift_up > 0) return lift_up * math::pow(V - V_up, power_up);
    if (V < -V_down && lift_down > 0) return -lift_down * math::pow(-V - V_down, power_down);
    return 0;
  }
  static double at_most_reach(double e) { return e < 65535 ? e : 65535; }
  /// gamma + ln(2 nu_0 t cosh(x)).
  double ln_rate(double seconds, double x) const {
    // ln cosh x = x + ln((1 + e^(-2x)) / 2); logarithms apart, because products may leave the range.
    return euler_gamma + math::log(2 * nu_0) + math::log(seconds) + math::log1p(math::exp(-2 * x)) -
           0.69314718055994530942 + x;
  }
  /// kT times that with x = tilt / kT [1 / front_one of E_max], at most 65535.
  double front(double seconds, double tilt_of) const {
    return at_most_reach(kT_fronts * ln_time(tilt_of, seconds));
  }
  /// gamma + ln C of so much tilt [eV] for some seconds.
  double ln_time(double tilt_of, double seconds) const {
    return ln_rate(seconds, math::abs(tilt_of) / (boltzmann * temperature));
  }
  /// So much tilt [eV] for some seconds.
  Event event(double tilt_of, double seconds) const {
    const double ticks = seconds * ticks_per_s;
    const double level = level_one * 0.5 * (1 + math::tanh(tilt_of / (boltzmann * temperature)));
    return {front(seconds, tilt_of), static_cast<double>(math::floor_int(level + 0.5)),
            ticks < 0x1p60 ? static_cast<Tick>(ticks + 0.5) : Tick{1} << 60, tilt_of != 0};
  }
  /// The time of no voltage, in ticks >= 1.
  Event rest(double ticks) const {
    const double e = one_tick + kT_fronts * math::log(ticks);
    return {at_most_reach(e), level_one / 2, 0, true};
  }
  /// The time of no voltage at the begin of an octave, the first of which begins at a tick.
  double front_of(int number) const { return one_tick + octave * (number - 1); }

  double conductance(double p) const { return G_min * math::exp(span * p); }
  /// Magnetoconductance of a device of parallel conductance G.
  double MG(double G) const {
    const double x = (G - G_th) / (G_max() - G_th);
    return x > 0 ? MG_max * math::pow(x, MG_exponent) : 0;
  }
};

/// The lowest and the highest temperature [K] that the devices of a slice have had so far, where it has
/// changed.
struct Temperatures {
  float low, high;

  Temperatures with(double T) const {
    const auto t = static_cast<float>(T);
    if (high == 0) return {t, t};
    return {t < low ? t : low, t > high ? t : high};
  }
  /// Number `code` of `codes` from the lowest to the highest, and the nearest to T.
  double of(std::uint32_t code, std::uint32_t codes) const {
    if (code == 0) return static_cast<double>(low);
    if (code + 1 >= codes) return static_cast<double>(high);
    return static_cast<double>(low) * math::exp(code * span() / (codes - 1));
  }
  std::uint32_t code(double T, std::uint32_t codes) const {
    const double x = high > low ? math::log(T / static_cast<double>(low)) / span() : 0;
    return x <= 0 ? 0 : x >= 1 ? codes - 1 : static_cast<std::uint32_t>(x * (codes - 1) + 0.5);
  }

 private:
  double span() const { return math::log(static_cast<double>(high) / static_cast<double>(low)); }
};

/// What happens in a device.
struct Law {
  const Device& d;
  const Tables& t;
  Temperatures seen;

  /// The front of C + C', of those of C and C'.
  double both(double e, double other) const {
    const double x = (other - e) * d.per_kT;
    return x <= -20 ? e : x >= 20 ? other : e + d.kT_fronts * t.sum(x);
  }
  /// A front at `e` that has the width of another temperature, `ratio` times the present one, and what has
  /// come since: the mean of f over where the narrower one is, a step that is smeared out as a Gumbel number
  /// is (nodes and weights of its Gauss quadrature), in widths of the wider one and from its place on.
  template <class F>
  static double smeared(double v, double narrower, F&& f) {
    constexpr double node[] = {-1.4160318300820374, 0.27128846203857038, 3.0142360387289704,
                               7.8239645236478771};
    constexpr double weight[] = {0.32239218571043348, 0.58073605368465241, 0.095421314087475119,
                                 0.0014504465174389915};
    double sum = 0;
    for (int k = 0; k < 4; ++k) sum += weight[k] * f(v + narrower * node[k]);
    return sum;
  }
  struct Pair {
    double wide, kT, v,
        narrower;  ///< place and width of the wider; the narrower one from there, and its width
    bool older_is_wide;
  };
  Pair pair_of(double e, double since, double ratio) const {
    const bool wider = ratio > 1;
    const double kT = d.kT_fronts * (wider ? ratio : 1), wide = wider ? e : since;
    return {wide, kT, ((wider ? since : e) - wide) / kT, wider ? 1 / ratio : ratio, wider};
  }
  /// Where both are together.  A step at v meets a front of width 1 at 0: that follows from Ein.
  double both_of(double e, double since, double ratio) const {
    const Pair p = pair_of(e, since, ratio);
    if (math::abs(p.v) >= 30) return since > e ? since : e;
    return p.wide + p.kT * smeared(p.v, p.narrower, [&](double v) { return beyond(v); });
  }
  /// How wide they are together, over the present width.
  double width_of(double e, double since, double ratio) const {
    const Pair p = pair_of(e, since, ratio);
    if (math::abs(p.v) >= 30) return since > e ? 1 : ratio;
    const double narrow_first =
        smeared(p.v, p.narrower, [](double v) { return math::exp(-math::exp(-v - euler_gamma)); });
    const double older_first = p.older_is_wide ? 1 - narrow_first : narrow_first;
    return math::sqrt(1 + older_first * (ratio * ratio - 1));
  }
  double beyond(double v) const {
    const double x = -v - euler_gamma;
    return x >= 4 ? 0 : x <= -12 ? v : v + t.beneath(x);
  }
  /// The part of all barriers that a front has passed.
  double share(double e) const { return e * (1 / front_one) - beyond_all(e, 1); }
  /// The same of a front that has the width of another temperature, `ratio` times the present one, and of
  /// what has come since.
  double share(double e, double since, double ratio) const {
    const double own = beyond_all(e, ratio), other = beyond_all(since, 1);
    const double together =
        both_of(e, since, ratio) * (1 / front_one) - (own + other - beyond_twice(e, since, ratio));
    const double a = e * (1 / front_one) - own, b = since * (1 / front_one) - other;
    const double least = a > b ? a : b, part = together > least ? together : least;
    return part < 1 ? part : 1;
  }
  /// What both of them reach beyond E_max: the integral, over the heights above, of the part that either
  /// passes.
  double beyond_twice(double e, double since, double ratio) const {
    const double x = (e - front_one) * d.per_kT / ratio - euler_gamma,
                 y = (since - front_one) * d.per_kT - euler_gamma;
    if (!(x > -12 && y > -12)) return 0;
    const double own = ratio * (x + 12), other = y + 12;
    const auto either = [&](double u) {
      return math::expm1(-math::exp(x - u / ratio)) * math::expm1(-math::exp(y - u));
    };
    return d.kT * valve::integral(0, own < other ? own : other, 3, either);
  }
  /// What a front reaches beyond E_max that has the width of `ratio` times the present temperature.
  double beyond_all(double e, double ratio) const {
    if (ratio == 1 && e <= d.straight) return 0;
    const double x = (e - front_one) * d.per_kT / ratio - euler_gamma;
    return x >= 4 ? e * (1 / front_one) - 1 : x <= -12 ? 0 : d.kT * ratio * t.beneath(x);
  }
};

/// The electrodes: 1 for each that lies along the positive axis.
struct Electrodes {
  static constexpr int spare_bits = 6;
  std::uint8_t soft : 1, hard : 1, spare : spare_bits;  ///< `spare`: of the device that has them

  bool antiparallel() const { return soft != hard; }
  void turn(const Control& c, const Device& d) {
    constexpr double per_tesla = 1e4;  // Oe; a quotient, as the loader makes of "90 Oe"
    const double B = c.value[0], size = math::abs(B);
    const bool along = B > 0;
    const auto state = static_cast<device::Magnetic>(static_cast<int>(c.value[1]));
    if (state != device::unchanged) soft = state == device::antiparallel ? !hard : hard;
    else if (size >= d.field_soft / per_tesla) soft = along;
    if (state == device::unchanged && size >= d.field_hard / per_tesla) hard = along;
  }
};

/// Of pulses: barriers that are tilted more give way at once, so that what is left differs by more or less
/// than the tilt, the more the longer the pulse is ago.
inline constexpr const char* cycle_noise_doc =
    "sd of ln of the tilt that a pulse makes, from pulse to pulse (not in the paper)";
/// The `last` of a device whose time stands still: it is stuck or worn, and neither moves nor relaxes.
constexpr Tick standing = Tick{1} << 62;

/// Conductance in the antiparallel state, of the parallel one.
inline double antiparallel(double G, const Device& d) { return G * (1 + d.MG(G)); }

}  // namespace spinet::glassy
