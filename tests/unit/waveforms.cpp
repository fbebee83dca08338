// Waveforms: their values, what linear neurons make of them in closed form, thinned Poisson input, steps for
// all others.
#include <catch2/catch.hpp>

#include <cmath>
#include <random>

#include "network/loader.hpp"
#include "support/network_builder.hpp"
#include "support/on_ranks.hpp"
#include "support/run.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {

constexpr long double pi = 3.14159265358979323846264338327950288L;

Waveform sine(double amplitude, double period_ms, double phase, double offset) {
  Waveform w;
  w.offset = offset;
  w.sines = {make_sine(amplitude, period_ms * 1e6, phase)};
  w.resolution = ms(period_ms / 100);
  return w;
}

void drive(NetworkBuilder& b, std::uint32_t population, const char* param, Tick at, Waveform w) {
  ScheduledControl& c = b.schedule(at, population, param, w.at(0));
  c.course = std::move(w);
}

/// A leaky neuron under v + s t + sum of sines and exponential currents, by superposition from the last reset
/// on, in long double: no state is kept from one event to the next.
struct Reference {
  long double tau = 10, C = 250, E_L = -70, th = -55, reset = -70, t_ref = 2, tau_s = 3;
  long double offset = 0, slope = 0;  // pA, pA/ms
  struct Wave {
    long double amplitude, omega, phase;  // pA, 1/ms, radians at t = 0
  };
  std::vector<Wave> waves;
  std::vector<std::pair<long double, long double>> arrivals;  // ms, pA

  /// Particular solution.
  long double P(long double t) const {
    long double x = tau / C * (offset + slope * (t - tau));
    for (const Wave& w : waves) {
      const long double wt = w.omega * tau, phi = w.omega * t + w.phase;
      x += w.amplitude * tau / C / (1 + wt * wt) * (std::sin(phi) - wt * std::cos(phi));
    }
    return x;
  }
  /// V at t, if it was `from` at t0.
  long double V(long double t, long double t0, long double from) const {
    long double x = P(t) + (from - E_L - P(t0)) * std::exp(-(t - t0) / tau);
    for (const auto& [at, w] : arrivals) {
      if (at > t) continue;
      const long double begin = std::max(at, t0), i = w * std::exp(-(begin - at) / tau_s), h = t - begin;
      x += i / C * (std::exp(-h / tau_s) - std::exp(-h / tau)) / (1 / tau - 1 / tau_s);
    }
    return E_L + x;
  }
  /// Spikes in [0, end), to the nanosecond: looked for in steps of 50 us, then by bisection.
  std::vector<Tick> spikes(Tick end) const {
    std::vector<Tick> all;
    Tick t0 = 0;
    long double from = E_L;
    const auto above = [&](Tick t) {
      return V(static_cast<long double>(t) / 1e6L, static_cast<long double>(t0) / 1e6L, from) >= th;
    };
    constexpr Tick step = 50'000;
    for (Tick t = 0; t < end;) {
      if (!above(t)) {
        t += step;
        continue;
      }
      Tick low = t - step, high = t;
      while (high - low > 1) (above((low + high) / 2) ? high : low) = (low + high) / 2;
      if (high < t0) high = t0;
      if (high < end) all.push_back(high);
      t0 = high + static_cast<Tick>(t_ref * 1e6L);
      from = reset;
      t = t0;
    }
    return all;
  }
};

std::vector<Tick> ticks_of(const std::vector<Spike>& spikes) {
  std::vector<Tick> all;
  for (const auto& s : spikes) all.push_back(s.tick);
  return all;
}

}  // namespace

TEST_CASE("waveforms: sines keep their phase over any run") {
  std::mt19937_64 random(3);
  for (int k = 0; k < 2000; ++k) {
    const double period =
        std::ldexp(1 + std::uniform_real_distribution<>()(random), static_cast<int>(random() % 50) + 1);
    const double phase = std::uniform_real_distribution<>()(random);
    const auto t = static_cast<Tick>(random() >> (random() % 40 + 2));
    const Sine s = make_sine(1, period, phase);
    const long double turns = std::fmod(static_cast<long double>(t), static_cast<long double>(period)) /
                                  static_cast<long double>(period) +
                              static_cast<long double>(phase);
    long double difference = static_cast<long double>(s.at(t)) / 0x1p64L - turns;
    difference -= std::round(difference);
    REQUIRE(std::abs(difference) < 2e-16L);
    const auto [sin, cos] = math::sin_cos(s.at(t));
    const long double angle = 2 * pi * static_cast<long double>(s.at(t)) / 0x1p64L;
    REQUIRE(std::abs(static_cast<long double>(sin) - std::sin(angle)) < 3e-16L);
    REQUIRE(std::abs(static_cast<long double>(cos) - std::cos(angle)) < 3e-16L);
  }
}

TEST_CASE("waveforms: points, periods, and when they change") {
  Waveform w;
  w.points.push_back({Points::Between::lines, ms(10), ms(2), {0, ms(4), ms(4), ms(8)}, {0, 8, 20, 10}});
  CHECK(w.at(0) == 4);  // begins 2 ms ahead
  CHECK(w.at(ms(2)) == 20);
  CHECK(w.at(ms(4)) == 15);
  CHECK(w.at(ms(7)) == 10);
  CHECK(w.at(ms(8)) == 0);
  CHECK(w.next_corner(0) == ms(2));
  CHECK(w.next_corner(ms(2)) == ms(6));
  CHECK(w.next_corner(ms(6)) == ms(8));
  CHECK(w.bounds() == std::pair(0.0, 20.0));
  w.resolution = ms(0.7);
  w.until = ms(103.3);
  ScheduledControl c;
  c.tick = ms(3);
  c.course = w;
  std::vector<Tick> all;
  for (Tick t = c.tick; t != never; t = c.after(t)) all.push_back(t);
  CHECK(all.back() == w.until);
  CHECK(std::is_sorted(all.begin(), all.end()));
  CHECK(all.size() == 171);  // 0, 143 steps in 100.3 ms, 31 corners, the end; 5 of these are both
  for (Tick end = c.tick + 1; end < ms(120); end += 312'345)
    REQUIRE(c.last_before(end) == *(std::lower_bound(all.begin(), all.end(), end) - 1));
  // A pulse is over by itself: none at the end, whether it lies on the grid or not.
  static constexpr Field width[] = {stimulus_value("width", "s", "", above(0), required | lasting)};
  static constexpr Stimulus pulse = stimulus("pulse", "respond to pulses", "", width);
  c.kind = ScheduledControl::Kind::stimulus, c.stimulus = &pulse;
  const std::vector<Tick> before(all.begin(), all.end() - 1);
  all.clear();
  for (Tick t = c.tick; t != never; t = c.after(t)) all.push_back(t);
  CHECK(all == before);
  for (Tick end = c.tick + 1; end < ms(120); end += 312'345)
    REQUIRE(c.last_before(end) == *(std::lower_bound(all.begin(), all.end(), end) - 1));
}

TEST_CASE("waveforms: lif_exp and lif_delta answer sines and ramps in closed form, to the tick") {
  for (const bool delta : {false, true})
    for (const double frequency : {3.0, 17.0, 140.0}) {
      CAPTURE(delta, frequency);
      Reference r;
      r.offset = 330;
      r.slope = 0.02L;
      const double period = 1e3 / frequency;
      r.waves = {{150, 2 * pi / static_cast<long double>(period), 2 * pi * 0.3L}, {40, 2 * pi / 7.7L, 0}};
      NetworkBuilder b(ms(2000));
      const auto cell = delta ? b.add("lif_delta", 1, {{"tau_m", 10}})
                              : b.add("lif_exp", 1, {{"tau_m", 10}, {"tau_syn_exc", 3}});
      Waveform w = sine(150, period, 0.3, 330);
      w.sines[0] = make_sine(150, period * 1e6, 0.3);
      w.sines.push_back(make_sine(40, 7.7e6, 0));
      w.points.push_back({Points::Between::lines, 0, 0, {0, ms(4000)}, {0, 80}});
      drive(b, cell, "I_dc", 0, w);
      if (!delta) {
        std::vector<ListedSpike> in;
        for (int k = 0; k < 60; ++k) {
          const Tick at = ms(7) + k * ms(31) + k * k * 1237;
          in.push_back({at, 0});
          r.arrivals.push_back({static_cast<long double>(at + ms(1)) / 1e6L, 90});
        }
        b.connect(b.source(1, in), cell, Rule::all_to_all, 90, ms(1));
      }
      b.record_spikes(cell);
      const auto expected = r.spikes(ms(2000));
      CHECK(expected.size() > 10);
      CHECK(ticks_of(run(b.network()).spikes()) == expected);
    }
}

TEST_CASE("waveforms: a constant one gives the spikes of the same constant current") {
  for (const auto& [model, reset] :
       {std::pair{"lif_exp", 0}, {"lif_delta", 0}, {"lif_exp", 1}, {"lif_delta", 1}}) {
    std::vector<Spike> spikes[2];
    for (const bool waves : {false, true}) {
      NetworkBuilder b(ms(500), 5);
      const Values values{{"tau_m", uniform(5, 30)},
                          {"I_dc", waves ? 0 : 120},
                          {"V", uniform(-70, -56)},
                          {"v_reset", uniform(-70, -56)},
                          {"reset", reset}};
      const auto cells = b.add(model, 20, values);
      const auto noise = b.add("poisson", 20, {{"rate", 4000}}, Kind::source);
      b.connect(noise, cells, Rule::one_to_one, std::string_view(model) == "lif_exp" ? 60 : 0.5, ms(1));
      Waveform w;
      w.offset = 120;
      if (waves) drive(b, cells, "I_dc", 0, w);
      b.record_spikes(cells);
      spikes[waves] = run(b.network()).spikes();
    }
    CHECK(spikes[0].size() > 100);
    CHECK(first_difference(spikes[0], spikes[1]) == "");
  }
}

TEST_CASE("waveforms: a waveform ends with its last value, and a plain setting holds after it") {
  NetworkBuilder b(ms(300));
  const auto cell = b.add("lif_exp", 1, {{"v_th", 1000}});
  Waveform w = sine(100, 40, 0.25, 50);
  w.until = ms(110);  // at the middle, 50 pA
  drive(b, cell, "I_dc", ms(10), w);
  b.schedule(ms(200), cell, "I_dc", 0);
  b.report(cell, "V", ms(1));
  auto run_of_it = run(b.network());
  const auto& V = run_of_it.recorder.report(0);
  CHECK(V[10] == Approx(-70));
  CHECK(V[199] == Approx(-70 - 2).margin(5));
  CHECK(V[199] == Approx(-70 + 0.04 * w.at(ms(100))).margin(1e-3));
  CHECK(V[299] == Approx(-70).margin(1e-3));
}

TEST_CASE("waveforms: a Poisson rate is thinned exactly, the same on any ranks, superposed or not") {
  const auto network = [](bool recorded) {
    NetworkBuilder b(ms(2000), 11);
    const auto cells = b.add("lif_delta", 40, {{"E_L", 0}, {"v_reset", 0}, {"v_th", 5}});
    const auto noise = b.add("poisson", 40, {{"rate", 0}}, Kind::source);
    b.connect(noise, cells, Rule::one_to_one, 0.3, ms(1));
    drive(b, noise, "rate", ms(100), sine(600, 250, 0, 800));
    // A part of its own: steps.
    Waveform steps;
    steps.points.push_back({Points::Between::steps, ms(40), 0, {0, ms(20)}, {0, 1500}});
    b.network().schedule[0].to.places = {GidRange{b.first(noise), 30}};
    ScheduledControl& c = b.schedule(ms(0), noise, "rate", 0);
    c.course = steps;
    c.to.places = {GidRange{b.first(noise) + 30, 10}};
    b.record_spikes(cells);
    if (recorded) b.record_spikes(noise);
    return b.network();
  };
  const Network net = network(true);
  const auto spikes = on_ranks(net, 1).spikes();
  for (const int ranks : {2, 3}) CHECK(first_difference(on_ranks(net, ranks).spikes(), spikes) == "");
  // Superposed input, which nobody records, is the same.
  std::vector<Spike> of_cells;
  for (const auto& s : spikes)
    if (s.gid < 40) of_cells.push_back(s);
  CHECK(of_cells.size() > 100);
  CHECK(first_difference(on_ranks(network(false), 2).spikes(), of_cells) == "");

  constexpr int bins = 25;
  double sines[bins] = {}, before = 0, low = 0, high = 0;
  for (const auto& s : spikes) {
    if (s.gid < 40) continue;
    if (s.gid >= 70) (s.tick / ms(20) % 2 == 0 ? low : high) += 1;
    else if (s.tick < ms(100)) ++before;
    else if (s.tick < ms(1850)) ++sines[(s.tick - ms(100)) % ms(250) / ms(10)];
  }
  CHECK(before == 0);
  CHECK(low == 0);
  CHECK(high == Approx(10 * 1500 * 1.0).margin(4 * std::sqrt(15000)));
  double chi2 = 0;
  for (int k = 0; k < bins; ++k) {
    const double from = 2 * M_PI * k / bins, to = 2 * M_PI * (k + 1) / bins;
    const double expected = 30 * 7 * (0.01 * 800 + 600 * 0.25 / (2 * M_PI) * (std::cos(from) - std::cos(to)));
    chi2 += (sines[k] - expected) * (sines[k] - expected) / expected;
  }
  CHECK(chi2 > 8);  // 25 degrees of freedom: one in a thousand is outside
  CHECK(chi2 < 53);
}

TEST_CASE("waveforms: models that do not follow them take steps, one entry for all") {
  NetworkBuilder b(ms(100));
  const auto cell = b.add("lif_cond_exp", 1,
                          {{"g_L", 10}, {"C_m", 0.05}, {"v_th", 1000}});  // hardly any memory: V follows I
  Waveform w = sine(50, 20, 0, 0);
  w.resolution = ms(1);
  drive(b, cell, "I_dc", ms(2), w);
  CHECK(b.network().schedule.size() == 1);
  b.report(cell, "V", ms(0.5));
  auto done = run(b.network());
  const auto& V = done.recorder.report(0);
  const double rest = V[0];
  for (int k = 0; k < 90; ++k)
    CHECK(V[2 * k + 5] - rest ==
          Approx((V[9] - rest) / std::sin(2 * M_PI * 2 / 20.0) * std::sin(2 * M_PI * k / 20.0)).margin(1e-3));
}

TEST_CASE("waveforms: what a network says") {
  const auto net = load_text(
      "spinet: 1\nduration: 1 s\npopulations:\n  a: {model: lif_exp, size: 3}\n  s: {model: poisson, size: "
      "3}\nschedule:\n"
      "  - {at: 0 s, set: {a: {I_dc: {waveform: [100 pA, {sine: {amplitude: 50 pA, frequency: 10 Hz, phase: "
      "0.25}}]}}}}\n"
      "  - {at: 10 ms, set: {s: {rate: {waveform: {chirp: {amplitude: 10 Hz, from: 1 Hz, to: 50 Hz, over: "
      "500 ms, offset: 20 Hz}}, until: 510 ms}}}}\n",
      "w.yaml", builtin());
  REQUIRE(net.schedule.size() == 2);
  const Waveform* w = net.schedule[0].waveform();
  REQUIRE(w);
  CHECK(w->offset == 100);
  CHECK(w->sines == std::vector<Sine>{make_sine(50, 1e8, 0.25)});
  CHECK(w->resolution == ms(1));
  CHECK(net.schedule[0].value[0] == 150);
  w = net.schedule[1].waveform();
  REQUIRE(w);
  CHECK(w->until == ms(510));
  CHECK(w->resolution == ms(0.2));
  CHECK(w->bounds() == std::pair(10.0, 30.0));
}
