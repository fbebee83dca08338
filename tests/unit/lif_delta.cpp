// lif_delta against closed forms: one event, constant current, refractoriness and delays to the tick, ties.
#include <catch2/catch.hpp>

#include <cmath>

#include "support/network_builder.hpp"
#include "support/run.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {
const Values brunel{{"tau_m", 20},  {"C_m", 1},   {"E_L", 0},  {"v_th", 20},
                    {"v_reset", 0}, {"t_ref", 2}, {"I_dc", 0}, {"V", 0}};
Values with(Values v, std::string key, Value x) {
  for (auto& [k, old] : v)
    if (k == key) {
      old = x;
      return v;
    }
  v.emplace_back(std::move(key), x);
  return v;
}
std::vector<Tick> fire(NetworkBuilder& b, Gid gid) { return run(b.network()).recorder.ticks_of(gid); }
}  // namespace

TEST_CASE("lif_delta: one event jumps V by its weight and decays with tau_m") {
  NetworkBuilder b(ms(60));
  const auto cell = b.add("lif_delta", 1, brunel);
  const auto in = b.source(1, {{ms(3), 0}});
  b.connect(in, cell, Rule::one_to_one, 7.5, ms(1.5));
  const auto r = b.report(cell, "V", 1, ms(4.5) - 2);  // every tick around the arrival ...
  b.network().reports[r].to = ms(4.5) + 4;
  const auto late = b.report(cell, "V", ms(1), ms(5));  // ... and every millisecond after it
  auto got = run(b.network());
  REQUIRE(got.recorder.report(r).size() == 6);
  // A report shows V at the beginning of its tick: the arrival at 4.5 ms is seen one tick later.
  for (int i = 0; i < 6; ++i) {
    const double expected = i <= 2 ? 0 : 7.5 * std::exp(-(i - 2) * 1e-6 / 20);
    CHECK(got.recorder.report(r)[static_cast<std::size_t>(i)] == static_cast<float>(expected));
  }
  REQUIRE(got.recorder.report(late).size() == 55);  // 5, 6, ..., 59 ms
  for (std::size_t i = 0; i < 55; ++i)
    CHECK(got.recorder.report(late)[i] ==
          Approx(7.5 * std::exp(-(0.5 + static_cast<double>(i)) / 20)).epsilon(1e-7));
}

TEST_CASE("lif_delta: f-I curve to the tick") {
  // One neuron per current.  The k-th spike comes k periods after the first: V restarts at the reset on a
  // tick.
  std::vector<double> I;
  for (int k = 1; k <= 200; ++k) I.push_back(0.1 * k);  // rheobase is 20 mV * 1 pF / 20 ms = 1 pA
  NetworkBuilder b(ms(1000));
  const auto cells = b.add("lif_delta", static_cast<std::uint32_t>(I.size()), with(brunel, "I_dc", I));
  b.record_spikes(cells);
  const auto got = run(b.network());
  for (std::size_t k = 0; k < I.size(); ++k) {
    INFO("I = " << I[k] << " pA");
    const auto ticks = got.recorder.ticks_of(static_cast<Gid>(k));
    const long double rest = 20.0L * I[k];
    if (rest <= 20) {
      CHECK(ticks.empty());
      continue;
    }
    const auto rise = static_cast<Tick>(std::ceil(20e6L * std::log(rest / (rest - 20))));
    const auto count = static_cast<std::size_t>((ms(1000) - 1 - rise) / (rise + ms(2)) + 1);
    REQUIRE(ticks.size() == count);
    for (std::size_t i = 0; i < count; ++i) CHECK(ticks[i] == rise + static_cast<Tick>(i) * (rise + ms(2)));
  }
}

TEST_CASE("lif_delta: a refractory neuron loses its input to the tick") {
  // A strong jump at 5 ms, a second one so many ticks later; refractory for 2 ms = 2,000,000 ticks.
  for (const Tick offset : {Tick{1}, ms(1), ms(2) - 1, ms(2), ms(2) + 1, ms(3)}) {
    INFO("second arrival " << offset << " ticks after the spike");
    NetworkBuilder b(ms(20));
    const auto cell = b.add("lif_delta", 1, brunel);
    const auto in = b.source(1, {{ms(4), 0}, {ms(4) + offset, 0}});
    b.connect(in, cell, Rule::one_to_one, 25.0, ms(1));
    b.record_spikes(cell);
    const auto ticks = fire(b, 0);
    REQUIRE(!ticks.empty());
    CHECK(ticks[0] == ms(5));
    CHECK(ticks.size() == (offset >= ms(2) ? 2 : 1));
    if (ticks.size() == 2) CHECK(ticks[1] == ms(5) + offset);
  }
}

TEST_CASE("lif_delta: lost input leaves no trace") {
  NetworkBuilder b(ms(20));
  const auto cell = b.add("lif_delta", 2, brunel);
  // Neuron 0 gets 15 mV within its refractory time; neuron 1 does not.  Afterwards 19 mV must fire neither.
  const auto in = b.source(2, {{ms(1), 0}, {ms(1), 1}, {ms(2.5), 0}, {ms(3.5), 0}, {ms(3.5), 1}});
  b.connect(in, cell, {{0, 0, 19.9, ms(1)}, {0, 0, 19.9, ms(1)}, {1, 1, 19.9, ms(1)}, {1, 1, 19.9, ms(1)}});
  b.record_spikes(cell);
  const auto got = run(b.network());
  CHECK(got.spikes() == std::vector<Spike>{{ms(2), 0}, {ms(2), 1}, {ms(4.5), 0}, {ms(4.5), 1}});
}

TEST_CASE("lif_delta: per-neuron refractory times, a tick and none among them") {
  const std::vector<double> ref{0, 1e-6, 0.1, 1.234567, 5};
  NetworkBuilder b(ms(40));
  const auto cells = b.add("lif_delta", 5, with(brunel, "t_ref", ref));
  std::vector<ListedSpike> spikes;
  for (std::uint32_t i = 0; i < 5; ++i) {
    const Tick n = std::llround(ref[i] * 1e6);
    spikes.push_back({ms(9), i});
    if (n > 1) spikes.push_back({ms(9) + n - 1, i});
    spikes.push_back({ms(9) + std::max<Tick>(n, 1), i});
  }
  const auto in = b.source(5, spikes);
  b.connect(in, cells, Rule::one_to_one, 30.0, ms(1));
  b.record_spikes(cells);
  const auto got = run(b.network());
  for (std::uint32_t i = 0; i < 5; ++i) {
    INFO("t_ref " << ref[i] << " ms");
    const Tick n = std::max<Tick>(std::llround(ref[i] * 1e6), 1);
    CHECK(got.recorder.ticks_of(i) == std::vector<Tick>{ms(10), ms(10) + n});
  }
}

TEST_CASE("lif_delta: delays add up along a chain without a rest") {
  NetworkBuilder b(ms(400));
  constexpr std::uint32_t n = 50;
  const auto in = b.source(1, {{12'345, 0}});
  const auto cells = b.add("lif_delta", n, brunel);
  b.connect(in, cells, {{0, 0, 30, 300'000}});
  std::vector<ListedEdge> chain;
  Tick at = 12'345 + 300'000;
  std::vector<Spike> expected{{at, b.first(cells)}};
  for (std::uint32_t i = 0; i + 1 < n; ++i) {
    const Tick delay = 100'000 * (1 + (i * 7) % 90);
    chain.push_back({i, i + 1, 30, delay});
    at += delay;
    expected.push_back({at, b.first(cells) + i + 1});
  }
  b.connect(cells, cells, chain);
  b.record_spikes(cells);
  CHECK(run(b.network()).spikes() == expected);
}

TEST_CASE("lif_delta: +5 mV and -5 mV in one tick do not fire, whatever the gids, delays and projections") {
  // The neuron sits 3 mV under its threshold.  Each case: which source is excitatory, where it stands in the
  // gids, whether both use one projection, one delay.
  for (const bool plus_first : {true, false})
    for (const bool neuron_first : {true, false})
      for (const bool one_projection : {true, false})
        for (const Tick extra : {Tick{0}, Tick{100'000}, Tick{2'000'000}}) {
          INFO("plus first " << plus_first << ", neuron first " << neuron_first << ", one projection "
                             << one_projection << ", delays differ by " << extra);
          NetworkBuilder b(ms(30));
          const auto v = with(with(brunel, "V", 17.0), "tau_m", 1e6);
          std::uint32_t cell = 0;
          if (neuron_first) cell = b.add("lif_delta", 1, v);
          const std::uint32_t plus = plus_first ? 0 : 1;
          const auto in = b.source(2, {{ms(10) - extra, plus}, {ms(10), 1 - plus}});
          if (!neuron_first) cell = b.add("lif_delta", 1, v);
          const ListedEdge up{plus, 0, 5, ms(1) + extra}, down{1 - plus, 0, -5, ms(1)};
          if (one_projection) b.connect(in, cell, {up, down});
          else if (plus_first) b.connect(in, cell, {up}), b.connect(in, cell, {down});
          else b.connect(in, cell, {down}), b.connect(in, cell, {up});
          b.record_spikes(cell);
          CHECK(run(b.network()).spikes().empty());
          // The same with -1 in place of -5 fires, once, at the tick.
          for (auto& p : b.network().projections)
            for (auto& e : p.edges)
              if (e.weight < 0) e.weight = -1;
          CHECK(run(b.network()).spikes() == std::vector<Spike>{{ms(11), b.first(cell)}});
        }
}

TEST_CASE("lif_delta: many small arrivals of one tick fire together, one alone does not") {
  NetworkBuilder b(ms(30));
  const auto in = b.source(100, [] {
    std::vector<ListedSpike> s;
    for (std::uint32_t i = 0; i < 100; ++i) s.push_back({ms(5), i});
    return s;
  }());
  const auto cells = b.add("lif_delta", 2, brunel);
  std::vector<ListedEdge> edges;
  for (std::uint32_t i = 0; i < 100; ++i) edges.push_back({i, 0, 0.25, ms(1)});  // 25 mV in all
  for (std::uint32_t i = 0; i < 79; ++i) edges.push_back({i, 1, 0.25, ms(1)});   // 19.75 mV in all
  b.connect(in, cells, edges);
  b.record_spikes(cells);
  CHECK(run(b.network()).spikes() == std::vector<Spike>{{ms(6), b.first(cells)}});
}

TEST_CASE(
    "lif_delta: of many targets of one spike, alike in weight, those fire that reach their own threshold") {
  // 47: not a multiple of the targets that are taken at once.
  constexpr std::uint32_t count = 47;
  NetworkBuilder b(ms(10));
  const auto in = b.source(1, {{ms(2), 0}, {ms(3), 0}, {ms(4), 0}});
  std::vector<double> thresholds;
  for (std::uint32_t j = 0; j < count; ++j) thresholds.push_back(10.1 + 0.5 * ((j * 19) % count));
  const auto cells = b.add("lif_delta", count, with(brunel, "v_th", thresholds));
  b.connect(in, cells, Rule::all_to_all, 12.0, ms(1));
  b.record_spikes(cells);
  std::vector<Spike> expected;
  std::vector<double> V(count, 0);
  std::vector<Tick> ready(count, 0);
  for (const Tick t : {ms(3), ms(4), ms(5)})
    for (std::uint32_t j = 0; j < count; ++j) {
      V[j] = t < ready[j] ? 0 : V[j] * std::exp(-1.0 / 20) + 12;
      if (V[j] < thresholds[j]) continue;
      expected.push_back({t, b.first(cells) + j});
      V[j] = 0, ready[j] = t + ms(2);
    }
  CHECK(expected.size() > count / 2);
  CHECK(run(b.network()).spikes() == expected);
}

TEST_CASE("lif_delta: a multapse delivers twice, an autapse is lost to refractoriness or not") {
  NetworkBuilder b(ms(30));
  const auto in = b.source(1, {{ms(1), 0}});
  const auto cells = b.add("lif_delta", 3, brunel);
  b.connect(in, cells, {{0, 0, 12, ms(1)}, {0, 0, 12, ms(1)}, {0, 1, 25, ms(1)}, {0, 2, 25, ms(1)}});
  b.connect(cells, cells, {{1, 1, 25, ms(1.9)}, {2, 2, 25, ms(2)}});
  b.record_spikes(cells);
  std::vector<Spike> expected{{ms(2), 1}, {ms(2), 2}, {ms(2), 3}};
  for (Tick t = ms(4); t < ms(30); t += ms(2)) expected.push_back({t, 3});
  CHECK(run(b.network()).spikes() == expected);
}

TEST_CASE("lif_delta: a crossing foreseen by drift is cancelled by inhibition at its very tick") {
  // Rest at 30 mV from 0: the crossing of 20 mV lies at 20 ms ln 3.
  const auto crossing = static_cast<Tick>(std::ceil(20e6L * std::log(3.0L)));
  for (const Tick offset : {Tick{-1}, Tick{0}, Tick{1}}) {
    INFO("inhibition " << offset << " ticks after the crossing");
    NetworkBuilder b(ms(25));
    const auto cell = b.add("lif_delta", 1, with(brunel, "I_dc", 1.5));
    const auto in = b.source(1, {{crossing + offset - ms(1), 0}});
    b.connect(in, cell, Rule::one_to_one, -10.0, ms(1));
    b.record_spikes(cell);
    if (offset == 1) CHECK(fire(b, 0) == std::vector<Tick>{crossing});
    else CHECK(fire(b, 0).empty());
  }
}

TEST_CASE("lif_delta: V that starts at or above the threshold fires at tick 0") {
  NetworkBuilder b(ms(5));
  const auto cells = b.add("lif_delta", 3, with(brunel, "V", std::vector<double>{20, 19.999, 35}));
  b.record_spikes(cells);
  CHECK(run(b.network()).spikes() == std::vector<Spike>{{0, 0}, {0, 2}});
}

TEST_CASE("lif_delta: scheduled current steps act from their tick on") {
  // 0 pA, then 1.5 pA (rest 30 mV) from 10 ms on, then 0.5 pA (rest 10 mV) from 100 ms on.
  NetworkBuilder b(ms(200));
  const auto cell = b.add("lif_delta", 3, brunel);
  b.record_spikes(cell);
  b.schedule(ms(10), cell, "I_dc", 1.5);
  b.schedule(ms(100), cell, "I_dc", 0.5);
  const auto rise = static_cast<Tick>(std::ceil(20e6L * std::log(3.0L)));
  std::vector<Spike> expected;
  for (Tick t = ms(10) + rise; t < ms(100); t += rise + ms(2))
    for (Gid g = 0; g < 3; ++g) expected.push_back({t, g});
  CHECK(run(b.network()).spikes() == expected);
}

TEST_CASE(
    "lif_delta: two steps at one tick act in the order of the file; a step at a crossing's tick is too "
    "late") {
  const auto rise = static_cast<Tick>(std::ceil(20e6L * std::log(3.0L)));
  for (const Tick offset : {Tick{-1}, Tick{0}}) {
    NetworkBuilder b(ms(24));
    const auto cell = b.add("lif_delta", 1, with(brunel, "I_dc", 1.5));
    b.schedule(rise + offset, cell, "I_dc", 7);
    b.schedule(rise + offset, cell, "I_dc", 0);
    b.record_spikes(cell);
    // V is continuous: at the crossing's own tick it is above the threshold whatever the current is from now
    // on.
    if (offset == 0) CHECK(fire(b, 0) == std::vector<Tick>{rise});
    else CHECK(fire(b, 0).empty());
  }
}

TEST_CASE("lif_delta: a step during refractoriness changes the way up, not V") {
  NetworkBuilder b(ms(100));
  const auto in = b.source(1, {{ms(9), 0}});
  const auto cell = b.add("lif_delta", 1, brunel);
  b.connect(in, cell, Rule::one_to_one, 30.0, ms(1));
  b.schedule(ms(11), cell, "I_dc", 1.5);
  b.record_spikes(cell);
  const auto rise = static_cast<Tick>(std::ceil(20e6L * std::log(3.0L)));
  std::vector<Tick> expected;
  for (Tick t = ms(10); t < ms(100); t += rise + ms(2)) expected.push_back(t);
  CHECK(fire(b, b.first(cell)) == expected);
}

TEST_CASE("lif_delta: traces show the reset while refractory") {
  NetworkBuilder b(ms(10));
  const auto in = b.source(1, {{ms(1), 0}});
  const auto cell = b.add("lif_delta", 1, with(with(brunel, "v_reset", -3.0), "E_L", 1.0));
  b.connect(in, cell, Rule::one_to_one, 30.0, ms(1));
  const auto r = b.report(cell, "V", ms(0.5), 0);
  auto got = run(b.network());
  const auto& V = got.recorder.report(r);
  REQUIRE(V.size() == 20);
  for (std::size_t i = 0; i < V.size(); ++i) {
    const double t = 0.5 * static_cast<double>(i);
    const double expected = t <= 2 ? 1 - std::exp(-t / 20) : t <= 4 ? -3 : 1 - 4 * std::exp(-(t - 4) / 20);
    INFO("t = " << t);
    CHECK(V[i] == Approx(expected).epsilon(2e-7).margin(1e-7));
  }
}

TEST_CASE("lif_delta: another time resolution gives the same physics") {
  NetworkBuilder b(ms(100) * 1000);
  b.network().seconds_per_tick = 1e-12;
  b.network().delay_resolution = 100'000'000;
  const auto cell = b.add("lif_delta", 1, with(brunel, "I_dc", 1.5));
  b.record_spikes(cell);
  const auto rise = static_cast<Tick>(std::ceil(20e9L * std::log(3.0L)));
  std::vector<Tick> expected;
  for (Tick t = rise; t < ms(100) * 1000; t += rise + ms(2) * 1000) expected.push_back(t);
  CHECK(fire(b, 0) == expected);
}
