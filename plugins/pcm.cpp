// pcm: a phase-change memory as a synapse, which drifts while it learns and is read.
//
// The figures are those of the statistical model of IBM's analog hardware acceleration kit (M. J. Rasch et
// al., "A flexible and fast PyTorch toolkit for simulating training and inference on analog crossbar arrays",
// 2021), fitted to a million devices (V. Joshi et al., "Accurate deep neural network inference using
// computational phase-change memory", 2020; S. R. Nandakumar et al., "Phase-change memory models for deep
// learning training and inference", 2019).  With g the wanted conductance over G_max = 25 uS, at least 0.001:
//   programming  G = G_max g + s z, s = 0.26348 + 1.965 g - 1.1731 g^2 uS, never below 0
//   drift        G(t) = G ((t + t0) / t0)^-nu at t after the last programming, t0 = 20 s: so long
//                after it G is what programming is measured to have left
//                nu = |m + s z|, m = -0.0155 ln g + 0.0244 within [0.049, 0.1], s = -0.0125 ln g - 0.0059
//                within [0.008, 0.045], anew with each programming
//   1/f noise    sd of a read over G(t): q sqrt(ln((t + t0 + 250 ns) / 500 ns)), q = 0.0088 / g^0.65 of the
//                programmed g, at most 0.2; each read draws anew
// t is exact at every event and read, in closed form, however long the pause.
//
// Learning is ours: pairs of spikes as in stdp (all with all, additive, at the conductance found) ask for a
// change, and the next presynaptic event programs the device once, to what it conducts then and the change.
// So each change pays with programming noise, and sets the clock of the drift back.  Pulses beyond V_th ask
// for a change of `step`, up for positive and down for negative ones.  A pulse costs what flows through the
// device that it meets, which goes on drifting while the pulse lasts.
#include "spinet/drawn.hpp"
#include "spinet/math.hpp"
#include "spinet/math_batch.hpp"
#include "spinet/random_batch.hpp"
#include "spinet/reality.hpp"
#include "spinet/synapse.hpp"

namespace {
using namespace spinet;

struct Pcm {
  static constexpr const char* name = "pcm";
  static constexpr const char* doc =
      "Phase-change memory: programmed with noise by spikes or pulses, read with 1/f noise, drifting in "
      "between.";
  static constexpr Stimulus stimuli[] = {device::pulse, device::read};
  enum { a_pulse, a_read };
  static constexpr bool draws = true;
  static constexpr bool wide = true;
  struct Params : device::Reality {
    double w_max, G_max, t0, nu, nu_sd, drift, programming_noise, noise_1f;
    double tau_plus, tau_minus, A_plus, A_minus, V_th, step;
  };
  using Parts = device::RealityParts;
  struct Shared {
    Params p;
    device::Knobs knobs;
    double seconds, plus, minus;  ///< per tick
  };
  struct State {
    float due;      ///< until `init` the weight that is given, then what pairs of spikes ask for, over G_max
    float g;        ///< what was wanted last, over G_max
    float G, nu;    ///< what came of it [uS]
    float noise;    ///< its size: relative sd of a read by 1/f noise, but for what it gains with time
    float reading;  ///< as last read [uS]; while `noise` is negative the age that was given: logs say it of
                    ///< the begin
    Tick at;        ///< the last programming
  };
  struct SliceState {
    Tick last, applied;  ///< as in stdp
    double trace;
  };

  static auto params() {
    FieldTable<Params> t;
    t.add(&Params::w_max, "w_max", "1", 100, above(0), port_unit,
          "weight of a conductance of G_max; where that differs, of its middle")
        .add(&Params::G_max, "G_max", "uS", 25, above(0), spread, "conductance of g = 1")
        .add(&Params::t0, "t0", "s", 20, above(0), spread, "time after programming at which it was measured")
        .derives(&Params::nu, "nu", "1", at_least(0), spread, "mean exponent of the drift; auto: by g")
        .derives(&Params::nu_sd, "nu_sd", "1", at_least(0), 0,
                 "its sd from programming to programming; auto: by g")
        .add(&Params::drift, "drift", "1", 1, at_least(0), spread, "factor of the exponent; 0: no drift")
        .add(&Params::programming_noise, "programming_noise", "1", 1, at_least(0), spread,
             "factor of the noise of programming")
        .add(&Params::noise_1f, "noise_1f", "1", 1, at_least(0), spread, "factor of the 1/f noise of reads")
        .add(&Params::tau_plus, "tau_plus", "ms", 20, above(0), 0,
             "time constant of potentiation, pre before post (not in the paper)")
        .add(&Params::tau_minus, "tau_minus", "ms", 20, above(0), 0,
             "time constant of depression, post before pre (not in the paper)")
        .add(&Params::A_plus, "A_plus", "1", 0, at_least(0), 0,
             "change by a pair, pre before post, over G_max; made at the next presynaptic spike (not in the "
             "paper)")
        .add(&Params::A_minus, "A_minus", "1", 0, at_least(0), 0,
             "change by a pair, post before pre, over G_max (not in the paper)")
        .add(&Params::V_th, "V_th", "V", 1, at_least(0), spread,
             "pulses up to it change nothing, either sign (not in the paper)")
        .add(&Params::step, "step", "1", 0.05, between(0, 1), spread,
             "change by a pulse, over G_max (not in the paper)");
    device::add_reality(t);
    return t;
  }
  static auto variables() {
    FieldTable<State> t;
    t.add(
         &State::due, "weight", "1", 0, at_least(0), initial | port_unit,
         "given: what is programmed at t = 0, or with `age` what it has come to; logged: at present, without "
         "noise of reads")
        .computed("G", "uS", 0, at_least(0), 0, "conductance at present, without noise of reads")
        .add(&State::g, "g", "1", 0, between(0, 1), initial, "conductance that was wanted last, over G_max")
        .add(&State::nu, "exponent", "1", 0, at_least(0), initial, "of the drift since then")
        .add(&State::reading, "age", "s", -1, any(), initial,
             "time since then; given from 0 on: the device goes on from there, below 0: it is programmed at "
             "t = 0")
        .computed("reading", "uS", 0, at_least(0), 0, "as last read by the schedule, with noise");
    device::add_reality_variables(t);
    return t;
  }
  static const char* check(const Params& p) { return device::problem(p); }
  static std::uint32_t parts(const Params& p) { return device::parts_of(p); }
  static Sign sign(const Params&) { return Sign::positive; }
  static std::uint32_t changes(const Params&, std::uint32_t variable) { return variable == 0; }
  static double post_tau(const Params& p) { return p.tau_minus; }
  static void prepare(Shared& s, const Params& p, const RunInfo& run) {
    s = {p, device::Knobs(p, run), 1e-3 / run.ticks_per_ms, 1 / (p.tau_plus * run.ticks_per_ms),
         1 / (p.tau_minus * run.ticks_per_ms)};
  }

  static constexpr double least_g = 1e-3, fitted_G_max = 25;
  static constexpr double oldest = 0x1p60;  ///< ticks
  static double within(double x, double low, double high) { return x < low ? low : x > high ? high : x; }
  /// sd of the conductance that programming leaves [uS].
  static double programming_sd(double g, const Params& p) {
    return p.programming_noise * (0.26348 + 1.965 * g - 1.1731 * g * g) * p.G_max / fitted_G_max;
  }
  static double exponent(double g, double z, const Params& p) {
    const double ln_g = math::log(g > least_g ? g : least_g);
    const double mean = is_auto(p.nu) ? within(-0.0155 * ln_g + 0.0244, 0.049, 0.1) : p.nu;
    const double sd = is_auto(p.nu_sd) ? within(-0.0125 * ln_g - 0.0059, 0.008, 0.045) : p.nu_sd;
    return p.drift * math::abs(mean + sd * z);
  }
  static Params params_of(Synapses<Pcm> n, std::uint32_t i) {
    return n.differ() ? n.params(i) : n.shared().p;
  }
  /// Weight of a conductance [1/uS]: where devices differ in G_max, that of the middle belongs to w_max.
  static double per_uS(Synapses<Pcm> n) { return n.shared().p.w_max / n.shared().p.G_max; }
  /// As `math::log_each`, which says what events find.
  static double ln(double x) {
    math::log_each(&x, 1);
    return x;
  }
  /// Conductance at the slice's tick [uS].
  static double conductance(Synapses<Pcm> n, std::uint32_t i) {
    const State& s = n[i];
    if (n.s.tick == s.at || s.nu == 0) return static_cast<double>(s.G);
    const double t0 = n.differ() ? n.params(i).t0 : n.shared().p.t0;
    const double age = static_cast<double>(n.s.tick - s.at) * n.shared().seconds;
    return static_cast<double>(s.G) * math::exp(-static_cast<double>(s.nu) * ln(1 + age / t0));
  }
  /// Its integral over the next `seconds` [uS s]: with T from t0 before the last programming to the slice's
  /// tick, that of G (1 + t / T)^-nu.
  static double charge(Synapses<Pcm> n, std::uint32_t i, double seconds) {
    const State& s = n[i];
    const double t0 = n.differ() ? n.params(i).t0 : n.shared().p.t0, left = 1 - static_cast<double>(s.nu);
    const double T = static_cast<double>(n.s.tick - s.at) * n.shared().seconds + t0;
    const double folds = math::log1p(seconds / T), x = left * folds;
    return conductance(n, i) * T * (x == 0 ? folds : math::expm1(x) / left);
  }
  static void program(Synapses<Pcm> n, std::uint32_t i, double g) {
    constexpr std::uint32_t of_programming = 0x10;
    const Params p = params_of(n, i);
    State& s = n[i];
    const Words w = n.s.draw(i, of_programming);
    const double wanted = within(g, 0, 1), sd = programming_sd(wanted, p);
    const double G = wanted * p.G_max + sd * device::normal(w[0], w[1]);
    s.g = static_cast<float>(wanted);
    s.G = static_cast<float>(G > 0 ? G : 0);
    s.nu = static_cast<float>(exponent(wanted, device::normal(w[2], w[3]), p));
    s.at = n.s.tick;
    set_noise(s, p);
  }
  static void set_noise(State& s, const Params& p) {
    const float size = noise_of(s, p);
    s.noise = was_read(s) ? size : -size;
  }
  static bool was_read(const State& s) { return s.noise > 0; }
  static double noise(const State& s) { return math::abs(static_cast<double>(s.noise)); }
  static float noise_of(const State& s, const Params& p) {
    const double root = math::pow(static_cast<double>(s.G) / p.G_max, 0.65);
    return static_cast<float>(within(0.0088 / (root > 1e-3 ? root : 1e-3), 0, 0.2));
  }
  /// A change of the wanted conductance, from what it is now.
  static void change(Synapses<Pcm> n, std::uint32_t i, double by) {
    const Params p = params_of(n, i);
    const double g = within(conductance(n, i) / p.G_max, 0, 1),
                 to = within(g + by * device::cycle_factor(n, i, 0, 0x12), 0, 1);
    if (to == g) return;
    const device::Limits limits = device::limits(n, i, 0, g);
    if (limits.low < limits.high || limits.low != g) program(n, i, limits(to));
  }
  static void init(Synapses<Pcm> n) {
    const Params p = params_of(n, 0);
    State& s = n[0];
    const auto age = static_cast<double>(s.reading);
    const double given = static_cast<double>(s.due) / p.w_max * (n.shared().p.G_max / p.G_max),
                 begins = device::begin(n, 0, given);
    s.due = 0;
    s.noise = -1;
    if (begins == given && age >= 0) go_on(n, given, age);
    else program(n, 0, begins);
  }
  /// A device that was programmed `age` s before the run and conducts G_max g now.
  static void go_on(Synapses<Pcm> n, double g, double age) {
    const Params p = params_of(n, 0);
    State& s = n[0];
    const double ticks = age / n.shared().seconds;
    s.at = n.s.tick - static_cast<Tick>(ticks < oldest ? ticks + 0.5 : oldest);
    const double G = p.G_max * g * math::exp(static_cast<double>(s.nu) * math::log1p(age / p.t0));
    s.G = static_cast<float>(G < 1e30 ? G : 1e30);  // a number, whatever is given
    set_noise(s, p);
  }

  static double decay(double rate, Tick ticks) { return math::exp(-rate * static_cast<double>(ticks)); }
  /// What the postsynaptic spikes in (applied, seen] ask for; returns the number of those up to seen.
  static std::uint32_t take_post(State& s, const PostHistory& h, const SliceState& pre, const Slice& of) {
    const Shared& p = *static_cast<const Shared*>(of.shared);
    const std::uint32_t n = h.upto(of.seen());
    std::uint32_t k = n;
    while (k && h[k - 1].tick > pre.applied) --k;
    for (; k < n && pre.trace != 0; ++k)
      s.due += static_cast<float>(p.p.A_plus * pre.trace * decay(p.plus, h[k].tick + of.delay - pre.last));
    return n;
  }
  /// The square of what 1/f noise has gained t s after programming, t0 included, is ln of this times t +
  /// t_read.
  static constexpr double t_read = 250e-9, per_two_reads = 1 / (2 * t_read);
  static double noise_after(double t) { return math::sqrt(ln((t + t_read) * per_two_reads)); }

  /// So many devices at most are looked at together: enough that each step below is a loop of its own.
  static constexpr std::uint32_t most = 4 * philox_group;
  /// Devices at an event: what was programmed, then what is left of it.
  struct Group {
    float G[most], nu[most], noise[most], z[most];
    double fall[most], sd[most];
    double age[most], t0[most];
    double passed[most], gained[most];  ///< ln((t + t0) / t0), and what 1/f noise has gained
    double factor[most];                ///< of 1/f noise
  };
  /// As in `Slice::draw`.
  template <bool several>
  static std::uint64_t entity(const Slice& s, std::uint32_t i, std::uint32_t use) {
    return std::uint64_t{s.gids[s.targets[i]]} << 32 | use << 8 | (several ? s.copies[i] : 0u);
  }
  /// Those of the events of a group of devices, filled up with the first where there are fewer: number k is
  /// that of device philox_place(k, 0).
  template <bool several>
  static void entities(const Slice& s, std::uint32_t first, std::uint32_t count, std::uint64_t* out) {
    const bool all = count >= philox_group;
#pragma GCC unroll 16
    for (std::uint32_t k = 0; k < philox_group && all; ++k)
      out[k] = entity<several>(s, first + static_cast<std::uint32_t>(philox_place(k, 0)), 1);
    for (std::uint32_t k = 0; k < philox_group && !all; ++k) {
      const auto at = static_cast<std::uint32_t>(philox_place(k, 0));
      out[k] = entity<several>(s, first + (at < count ? at : 0), 1);
    }
  }
  /// The normal numbers that `read_out` draws at an event.
  static void draw(Synapses<Pcm> n, std::uint32_t first, std::uint32_t count, Group& g) {
    alignas(64) std::uint32_t words[philox_group_words], some[most];
    PhiloxLanes lanes;
    for (std::uint32_t k = 0; k < philox_group; ++k) lanes.seed[k] = n.s.random.seed;
    for (std::uint32_t from = 0; from < count; from += philox_group) {
      if (n.s.copies) entities<true>(n.s, first + from, count - from, lanes.entity);
      else entities<false>(n.s, first + from, count - from, lanes.entity);
      philox_fill_each(lanes, n.s.random.stream, static_cast<std::uint64_t>(n.s.tick), words);
      std::memcpy(some + from, words, sizeof(std::uint32_t) * philox_group);
    }
    math::normal_each(some, g.z, (count + philox_group - 1) / philox_group * philox_group);
  }
  /// What reads see of parameters that devices may have drawn.
  struct Own {
    Drawn<Pcm> t0, factor;
    explicit Own(Synapses<Pcm> n) : t0(n, &Params::t0), factor(n, &Params::noise_1f) {}
  };
  /// Fills in `count` devices.  Were they all programmed at one time?  Then the first has the age of all.
  template <bool differ>
  static bool take(Synapses<Pcm> n, std::uint32_t first, std::uint32_t count, const Own& of, Group& g) {
    const std::size_t stride = n.s.extras ? n.s.extras->stride : sizeof(State);
    const std::byte* const states = static_cast<const std::byte*>(n.s.state) + first * stride;
    const auto state = [&](std::size_t k) -> const State& {
      return *reinterpret_cast<const State*>(states + k * stride);
    };
    const std::uint32_t rest = n.size() - first - count, ahead = rest < most ? rest : most;
    const Tick at = state(0).at;
    Tick others = 0;
    for (std::uint32_t k = 0; k < count; ++k) {
      const State& s = state(k);
      __builtin_prefetch(&state(k + ahead));  // of the next group, which comes while this is computed
      others |= s.at ^ at;
      g.G[k] = s.G, g.nu[k] = s.nu, g.noise[k] = s.noise;
    }
    const double seconds = n.shared().seconds;
    g.age[0] = static_cast<double>(n.s.tick - at) * seconds;
    for (std::uint32_t k = 0; k < count && others != 0; ++k)
      g.age[k] = static_cast<double>(n.s.tick - state(k).at) * seconds;
    for (std::uint32_t k = 0; k < count && differ && others == 0; ++k) g.age[k] = g.age[0];
    const std::uint32_t different = differ || others != 0 ? count : 1;
    of.t0.of_each(state(0), different, g.t0);
    of.factor.of_each(state(0), different, g.factor);
    return others == 0;
  }
  /// `alike`: the first device stands for all.
  template <bool alike>
  static void drift(Group& g, std::uint32_t count) {
    const std::uint32_t different = alike ? 1 : count;
    for (std::uint32_t k = 0; k < different; ++k) {
      g.passed[k] = 1 + g.age[k] / g.t0[k];
      g.gained[k] = (g.age[k] + g.t0[k] + t_read) * per_two_reads;
    }
    math::log_each(g.passed, different);
    math::log_each(g.gained, different);
    for (std::uint32_t k = 0; k < different; ++k) g.gained[k] = math::sqrt(g.gained[k]);
    const double passed = g.passed[0], gained = g.gained[0], factor = g.factor[0];
    for (std::uint32_t k = 0; k < count; ++k) {
      g.fall[k] = -static_cast<double>(g.nu[k]) * (alike ? passed : g.passed[k]);
      g.sd[k] = (alike ? factor : g.factor[k]) * math::abs(static_cast<double>(g.noise[k])) *
                (alike ? gained : g.gained[k]);
    }
    math::exp_each(g.fall, count);
  }
  /// What events find of up to `most` of them, where that costs nothing: as `read_out`, to the bit.
  template <bool differ>
  static void read_group(Synapses<Pcm> n, std::uint32_t first, std::uint32_t count, const Own& of,
                         double* out) {
    Group g;
    if (take<differ>(n, first, count, of, g)) drift<!differ>(g, count);
    else drift<false>(g, count);
    if (differ || n.shared().p.noise_1f > 0) draw(n, first, count, g);
    else std::memset(g.z, 0, sizeof g.z);
    const double weight = per_uS(n);
    for (std::uint32_t k = 0; k < count; ++k) {
      const double left = 1 + g.sd[k] * static_cast<double>(g.z[k]);
      out[k] = weight * (static_cast<double>(g.G[k]) * g.fall[k] * (left > 0 ? left : 0));
    }
  }
  static void read_all(Synapses<Pcm> n, double* out) {
    const Shared& p = n.shared();
    const std::uint32_t size = n.size();
    const Own of(n);
    for (std::uint32_t i = 0; i < size && p.knobs.plain; i += most) {
      const std::uint32_t count = size - i < most ? size - i : most;
      if (n.differ()) read_group<true>(n, i, count, of, out + i);
      else read_group<false>(n, i, count, of, out + i);
    }
    for (std::uint32_t i = 0; i < size && !p.knobs.plain; ++i) out[i] = per_uS(n) * read_out(n, i, 0);
  }
  /// The conductance that a read finds.
  static double read_out(Synapses<Pcm> n, std::uint32_t i, std::uint32_t use) {
    const State& s = n[i];
    double G = conductance(n, i);
    const double factor = n.differ() ? n.params(i).noise_1f : n.shared().p.noise_1f;
    if (factor > 0 && G > 0) {
      const double t0 = n.differ() ? n.params(i).t0 : n.shared().p.t0;
      const double t = static_cast<double>(n.s.tick - s.at) * n.shared().seconds + t0;
      const double sd = factor * noise(s) * noise_after(t);
      const std::uint32_t word = n.s.draw(i, use + 1)[0];
      float z;
      math::normal_each(&word, &z, 1);
      const double left = 1 + sd * static_cast<double>(z);
      G *= left > 0 ? left : 0;
    }
    return device::found(n, i, 0, G, use);
  }

  static void on_pre(Synapses<Pcm> n, double* out) {
    SliceState& pre = n.slice_state();
    const Shared& p = n.shared();
    const Tick t = n.s.emitted(), seen = n.s.seen();
    const bool learns = p.p.A_plus > 0 || p.p.A_minus > 0;
    read_all(n, out);
    for (std::uint32_t i = 0; i < n.size() && learns; ++i) {
      const PostHistory& h = n.post(i);
      std::uint32_t k = take_post(n[i], h, pre, n.s);
      if (k && h[k - 1].tick == seen) --k;  // at the same tick as this presynaptic spike
      double by = static_cast<double>(n[i].due);
      if (k) by -= p.p.A_minus * h[k - 1].trace * decay(p.minus, seen - h[k - 1].tick);
      n[i].due = 0;
      if (by != 0) change(n, i, by);
    }
    pre.trace = pre.trace == 0 ? 1 : 1 + pre.trace * decay(p.plus, t - pre.last);
    pre.last = t;
    pre.applied = seen;
  }
  static void catch_up(Synapses<Pcm> n) {
    for (std::uint32_t i = 0; i < n.size(); ++i) take_post(n[i], n.post(i), n.slice_state(), n.s);
    n.slice_state().applied = n.s.seen();
  }
  static void on_control(Synapses<Pcm> n, const Control& c) {
    for (std::uint32_t i = 0; i < n.size(); ++i) {
      if (c.stimulus == a_read) {
        const double found = read_out(n, i, 0x20);
        n[i].reading = static_cast<float>(found);
        n[i].noise = static_cast<float>(noise(n[i]));
        continue;
      }
      const Params p = params_of(n, i);
      const double V = c.value[0];
      if (device::counts(n)) device::pay_pulse(n, i, 0, V, charge(n, i, c.value[1]));
      if (math::abs(V) > p.V_th) change(n, i, V > 0 ? p.step : -p.step);
    }
  }
  static double read(Synapses<Pcm> n, std::uint32_t i, std::uint32_t variable) {
    const State& s = n[i];
    switch (variable) {  // as in variables()
      case 0:
        return per_uS(n) * conductance(n, i);
      case 1:
        return conductance(n, i);
      case 2:
        return static_cast<double>(s.g);
      case 3:
        return static_cast<double>(s.nu);
      case 4:
        return static_cast<double>(n.s.tick - s.at) * n.shared().seconds;
      default:
        return was_read(s) ? static_cast<double>(s.reading) : 0;
    }
  }
};
}  // namespace

SPINET_MODEL(synapse_table<Pcm>())
