// One LSMO/PVDF/Co junction: what voltage and field do to it.  What is marked [m] is measured in
// "Magnetic-field controlled organic spintronic memristor for neural network computation"; the rest is a
// model, not in the paper, and each of its constants is a parameter.
//
// State.  s in [0, 1] is how much fluorine sits at the Co electrode, in CoO.  The resistance with the
// electrodes parallel is R_L ratio^(1 - s); ratio = 111 is the measured range of 1.1e4 % [m].
//
// Voltage.  Within [-V_neg, V_pos] nothing moves [m].  Beyond, s goes towards what the voltage can reach, at
// a rate that grows with it, and never back:
//     V < -V_neg, s < reach:      ds/dt = k (reach - s)         less resistance, potentiation [m]
//     V > V_pos,  s > 1 - reach:  ds/dt = k (1 - reach - s)     more resistance, depression [m]
//     reach = (1 - exp(-(|V| - V_th) / V_soft)) / (1 - exp(-(V_full - V_th) / V_soft)), at most 1
//     k = k0 exp((|V| - V_0) / V_k)
// each polarity with its own constants.  So a weak voltage ends in an intermediate state, however long it is
// on.
//
// Magnetism.  TMR = (R_AP - R_P) / R_AP depends on s and changes its sign at s_cross [m]:
//     TMR_high ((s - s_cross) / (1 - s_cross))^2 above, TMR_low (s_cross - s) / s_cross below.
// The part m of the junction that is antiparallel conducts G_P (1 - TMR), the rest G_P.
#pragma once
#include "spinet/field.hpp"
#include "spinet/math.hpp"
#include "spinet/preset.hpp"

namespace spinet::pvdf {

/// One polarity of the voltage, as networks give it: V, 1/s.
struct Side {
  double threshold, full, soft, k, k_scale;
};
/// The voltages at which `Side::k` is the rate.
inline constexpr double k_at_negative = 1.15, k_at_positive = 1.2;

/// Constants of a device, as networks give them: uS, V, 1/s, Oe.  The first fields of `Params`.
struct Constants {
  double G_max, ratio;
  double V_neg, V_neg_full, V_neg_soft, k_neg, V_neg_k;
  double V_pos, V_pos_full, V_pos_soft, k_pos, V_pos_k;
  double TMR_high, TMR_low, s_cross;
  double field_soft, width_soft, field_hard, width_hard;
  double g;

  Side negative() const { return {V_neg, V_neg_full, V_neg_soft, k_neg, V_neg_k}; }
  Side positive() const { return {V_pos, V_pos_full, V_pos_soft, k_pos, V_pos_k}; }
};

/// What was measured at 10 K: the device of the source above.
inline constexpr const char* source =
    "T. Chen, Y. Nie, Y. Hao, S. Shen, J. Pan, X. Li, Y. Lu, \"Magnetic-field controlled organic spintronic "
    "memristor for neural network computation\"";
inline constexpr Setting lsmo_pvdf_co[] = {{"ratio", 111},     {"V_neg", 0.67},        {"V_neg_full", 2.4},
                                           {"V_pos", 1},       {"V_pos_full", 2},      {"TMR_high", -0.439},
                                           {"field_soft", 90}, {"read_voltage", 0.01}, {"field_energy", 0.1}};

/// Adds the fields of `Constants` to the table of a `Params` that derives from it.
template <class Params>
void add_constants(FieldTable<Params>& t) {
  constexpr Range tmr{-100, 1,
                      high_open};  // at 1 nothing would flow, beyond it a current against the voltage
  constexpr Range wide = between(1e-12, 1e12), factor{1, 1e12, low_open};
  t.add(&Params::G_max, "G_max", "uS", 10, wide, spread, "conductance at s = 1, parallel (not in the paper)")
      .add(&Params::ratio, "ratio", "1", 111, factor, spread, "greatest resistance over the least, parallel")
      .add(&Params::V_neg, "V_neg", "V", 0.67, at_least(0), spread,
           "negative voltages up to this size change nothing")
      .add(&Params::V_neg_full, "V_neg_full", "V", 2.4, above(0), spread,
           "size of the negative voltage that reaches s = 1")
      .add(&Params::V_neg_soft, "V_neg_soft", "V", 0.6, above(0), spread,
           "scale of what negative voltages reach (not in the paper)")
      .add(&Params::k_neg, "k_neg", "1/s", 4, above(0), spread, "rate at -1.15 V (not in the paper)")
      .add(&Params::V_neg_k, "V_neg_k", "V", 0.35, above(0), spread,
           "negative voltage that multiplies the rate by e (not in the paper)")
      .add(&Params::V_pos, "V_pos", "V", 1, at_least(0), spread, "positive voltages up to it change nothing")
      .add(&Params::V_pos_full, "V_pos_full", "V", 2, above(0), spread, "voltage that reaches s = 0")
      .add(&Params::V_pos_soft, "V_pos_soft", "V", 0.2, above(0), spread,
           "scale of what positive voltages reach (not in the paper)")
      .add(&Params::k_pos, "k_pos", "1/s", 1.2, above(0), spread, "rate at +1.2 V (not in the paper)")
      .add(&Params::V_pos_k, "V_pos_k", "V", 0.5, above(0), spread,
           "positive voltage that multiplies the rate by e (not in the paper)")
      .add(&Params::TMR_high, "TMR_high", "1", -0.439, tmr, spread,
           "(R_AP - R_P) / R_AP at s = 1, after a full negative pulse")
      .add(&Params::TMR_low, "TMR_low", "1", 0.15, tmr, spread, "the same at s = 0 (not in the paper)")
      .add(&Params::s_cross, "s_cross", "1", 0.6168, between(0, 1), spread,
           "s at which it is 0; the paper says: about that of -1.2 V, 1 s (not in the paper)")
      .add(&Params::field_soft, "field_soft", "Oe", 90, at_least(0), spread,
           "field at which half of the soft electrode (LSMO) has turned")
      .add(&Params::width_soft, "width_soft", "Oe", 20, above(0), spread,
           "spread of its fields: the part is (1 + tanh((H - field) / width)) / 2 (not in the paper)")
      .add(&Params::field_hard, "field_hard", "Oe", 250, at_least(0), spread,
           "as field_soft, of the hard electrode, Co (not in the paper)")
      .add(&Params::width_hard, "width_hard", "Oe", 60, above(0), spread,
           "as width_soft, of the hard electrode (not in the paper)")
      .add(&Params::g, "g", "1", 1, above(0), spread, "factor of the conductance");
}

/// What is wrong with constants that are each in their range, or null.
inline const char* problem(const Constants& p) {
  if (!(p.V_neg < p.V_neg_full)) return "V_neg must be below V_neg_full: nothing moves up to V_neg";
  if (!(p.V_pos < p.V_pos_full)) return "V_pos must be below V_pos_full: nothing moves up to V_pos";
  if (p.field_hard < p.field_soft) return "field_hard must not be below field_soft";
  return nullptr;
}

/// What a voltage does to s: ds/dt = rate (target - s) on one side of the target, nothing on the other.
struct Pull {
  double target, rate;  ///< rate [1/s]; 0: nothing moves
  bool down;            ///< s falls to the target
  double after(double s, double seconds) const {
    if (!moves(s)) return s;
    return target + (s - target) * math::exp(-rate * seconds);
  }
  bool moves(double s) const { return rate > 0 && (down ? s > target : s < target); }
};

struct Device {
  Constants c;
  double log_ratio;

  Device() = default;
  explicit Device(const Constants& p) : c(p), log_ratio(math::log(p.ratio)) {}

  Pull pull(double V) const {
    if (V < -c.V_neg) return {reach(c.negative(), -V), rate(c.negative(), -V - k_at_negative), false};
    if (V > c.V_pos) return {1 - reach(c.positive(), V), rate(c.positive(), V - k_at_positive), true};
    return {0, 0, false};
  }
  double TMR(double s) const {
    const double over = s - c.s_cross;
    if (over > 0) return c.TMR_high * (over / (1 - c.s_cross)) * (over / (1 - c.s_cross));
    return over < 0 ? c.TMR_low * (-over / c.s_cross) : 0;
  }
  /// With the part `m` of the junction antiparallel [uS].
  double conductance(double s, double m) const {
    const double parallel = s >= 1 ? c.G_max : c.G_max * math::exp((s - 1) * log_ratio);
    return m > 0 ? parallel * (1 - m * TMR(s)) : parallel;
  }
  /// The integral of the conductance over a voltage that acts for a time from s on [uS s].
  double charge(double s, double m, const Pull& p, double seconds) const {
    if (!p.moves(s)) return conductance(s, m) * seconds;
    constexpr double settled = 40;  // time constants, after which e^-40 of the way is left
    const double whole = p.rate * seconds, end = whole < settled ? whole : settled;
    const int panels = 1 + static_cast<int>(4 * end);
    const double sum = integral(
        end, panels, [&](double x) { return conductance(p.target + (s - p.target) * math::exp(-x), m); });
    return sum / p.rate + (whole > settled ? conductance(p.target, m) * (seconds - settled / p.rate) : 0);
  }

 private:
  static double reach(const Side& side, double size) {
    const double q = math::expm1((side.threshold - size) / side.soft) /
                     math::expm1((side.threshold - side.full) / side.soft);
    return q < 1 ? q : 1;
  }
  static double rate(const Side& side, double over) { return side.k * math::exp(over / side.k_scale); }

  /// From 0 to `end` by four points of Gauss and Legendre in each of `panels`.
  template <class F>
  static double integral(double end, int panels, F&& f) {
    constexpr double at[] = {0.33998104358485626480, 0.86113631159405257522};
    constexpr double weight[] = {0.65214515486254614263, 0.34785484513745385737};
    const double half = end / (2 * panels);
    double sum = 0;
    for (int n = 0; n < panels; ++n) {
      const double middle = half * (2 * n + 1);
      for (int i = 0; i < 2; ++i) sum += weight[i] * (f(middle - half * at[i]) + f(middle + half * at[i]));
    }
    return half * sum;
  }
};

/// The electrodes: which part of each has turned along the field.  A part of field_c turns along +H where H
/// >= field_c and back where H <= -field_c, so the parts follow a field with play: they move only where the
/// field drives them, stay in a field that is taken away, and do not depend on the steps in which it comes.
/// After -2 kG both are 0; on the way up from there the part that is antiparallel is
///     1/4 (1 + tanh((H - field_soft) / width_soft)) (1 - tanh((H - field_hard) / width_hard)),
/// and on the way down from +2 kG the mirror image.
struct Electrodes {
  float soft, hard;
  /// Of the junction: where the electrode that is ahead has turned and the other has not.
  double antiparallel() const {
    const double a = static_cast<double>(soft), b = static_cast<double>(hard);
    const double soft_ahead = a * (1 - b), hard_ahead = b * (1 - a);
    return soft_ahead > hard_ahead ? soft_ahead : hard_ahead;
  }
  void follow(double oersted, const Constants& c) {
    soft = played(soft, oersted, c.field_soft, c.width_soft);
    hard = played(hard, oersted, c.field_hard, c.width_hard);
  }
  void set_parallel() { soft = hard = turned_hard(); }
  void set_antiparallel() {
    hard = turned_hard();
    soft = 1 - hard;
  }

 private:
  float turned_hard() const { return hard < 0.5f ? 0 : 1; }
  static float played(float now, double H, double field, double width) {
    const auto least = static_cast<float>((1 + math::tanh((H - field) / width)) / 2);
    const auto most = static_cast<float>((1 + math::tanh((H + field) / width)) / 2);
    return now < least ? least : now > most ? most : now;
  }
};

}  // namespace spinet::pvdf
