// lif_exp against closed forms: one event through both ports, constant current, refractoriness, cancelled
// crossings.
#include <catch2/catch.hpp>

#include <cmath>

#include "support/network_builder.hpp"
#include "support/run.hpp"

using namespace spinet;
using namespace spinet::test;

namespace {
constexpr std::uint32_t exc = 0, inh = 1;
const Values usual{{"tau_m", 20}, {"C_m", 250},   {"tau_syn_exc", 0.5}, {"tau_syn_inh", 2}, {"E_L", 0},
                   {"v_th", 20},  {"v_reset", 0}, {"t_ref", 2},         {"I_dc", 0},        {"V", 0}};
Values with(Values v, std::string key, Value x) {
  for (auto& [k, old] : v)
    if (k == key) {
      old = x;
      return v;
    }
  v.emplace_back(std::move(key), x);
  return v;
}
/// V in mV, t in ms after a jump of the current by w pA.
double response(double w, double C, double tau_m, double tau_s, double t) {
  if (t <= 0) return 0;
  if (tau_m == tau_s) return w / C * t * std::exp(-t / tau_m);
  const double d = 1 / tau_s - 1 / tau_m;
  return w / C * std::exp(-t / tau_m) * -std::expm1(-t * d) / d;
}
}  // namespace

TEST_CASE("lif_exp: the response to one event, for every relation of the time constants") {
  for (const double tau_s : {0.1, 0.5, 5.0, 19.999, 20 * (1 + 1e-9), 20.0, 20.001, 60.0})
    for (const auto port : {exc, inh}) {
      INFO("tau_s " << tau_s << ", port " << port);
      const double w = (port == exc ? 1 : -1) * 1000.0 / tau_s;
      NetworkBuilder b(ms(100));
      const auto cell = b.add("lif_exp", 1, with(usual, port == exc ? "tau_syn_exc" : "tau_syn_inh", tau_s));
      const auto in = b.source(1, {{ms(3), 0}});
      b.connect(in, cell, Rule::one_to_one, w, ms(1.5)).port = port;
      const auto rv = b.report(cell, "V", ms(0.25)), ri = b.report(cell, "I_syn", ms(0.25));
      auto got = run(b.network());
      const auto& V = got.recorder.report(rv);
      const auto& I = got.recorder.report(ri);
      REQUIRE(V.size() == 400);
      for (std::size_t i = 0; i < V.size(); ++i) {
        const double t = 0.25 * static_cast<double>(i) - 4.5;
        const double weight = static_cast<float>(w);
        CHECK(V[i] == Approx(response(weight, 250, 20, tau_s, t)).epsilon(1.2e-7).margin(1e-30));
        CHECK(I[i] == Approx(t > 0 ? weight * std::exp(-t / tau_s) : 0.0).epsilon(1.2e-7).margin(1e-30));
      }
    }
}

TEST_CASE("lif_exp: f-I curve to the tick") {
  std::vector<double> I;
  for (int k = 1; k <= 200; ++k) I.push_back(25.0 * k);  // rheobase is 20 mV * 250 pF / 20 ms = 250 pA
  NetworkBuilder b(ms(1000));
  const auto cells = b.add("lif_exp", static_cast<std::uint32_t>(I.size()), with(usual, "I_dc", I));
  b.record_spikes(cells);
  const auto got = run(b.network());
  for (std::size_t k = 0; k < I.size(); ++k) {
    INFO("I = " << I[k] << " pA");
    const auto ticks = got.recorder.ticks_of(static_cast<Gid>(k));
    const long double rest = 20.0L / 250.0L * I[k];
    if (I[k] <= 250) {
      CHECK(ticks.empty());
      continue;
    }
    const auto rise = static_cast<Tick>(std::ceil(20e6L * std::log(rest / (rest - 20))));
    const auto count = static_cast<std::size_t>((ms(1000) - 1 - rise) / (rise + ms(2)) + 1);
    REQUIRE(ticks.size() == count);
    for (std::size_t i = 0; i < count; ++i) CHECK(ticks[i] == rise + static_cast<Tick>(i) * (rise + ms(2)));
  }
}

TEST_CASE(
    "lif_exp: an event fires at the first tick at or above the threshold, a weight under the peak never") {
  const double ts = 0.5, tm = 20;
  const double at = std::log(tm / ts) / (1 / ts - 1 / tm);
  const double peak = response(1, 250, tm, ts, at);
  for (const double factor : {1.0001, 1.01, 1.5, 10.0, 0.9999}) {
    NetworkBuilder b(ms(50));
    const auto cell = b.add("lif_exp", 1, usual);
    const auto in = b.source(1, {{ms(3), 0}});
    b.connect(in, cell, Rule::one_to_one, 20 / peak * factor, ms(1.5)).port = exc;
    b.record_spikes(cell);
    const auto expected = reference::simulate(b.network());
    CHECK(run(b.network()).spikes() == expected.spikes);
    CHECK(expected.spikes.empty() == (factor < 1));
  }
}

TEST_CASE("lif_exp: currents go on through refractoriness, V does not") {
  NetworkBuilder b(ms(20));
  const auto in = b.source(1, {{ms(1), 0}});
  const auto cell = b.add("lif_exp", 1, with(with(usual, "tau_syn_exc", 5.0), "v_th", 1.0));
  b.connect(in, cell, Rule::one_to_one, 400.0, ms(1)).port = exc;
  b.record_spikes(cell);
  const auto rv = b.report(cell, "V", ms(0.1)), ri = b.report(cell, "I_syn", ms(0.1));
  auto got = run(b.network());
  const auto expected = reference::simulate(b.network());
  REQUIRE(expected.spikes.size() > 1);
  CHECK(got.spikes() == expected.spikes);
  reference::Simulator again(b.network());
  for (std::size_t i = 0; i < 200; ++i) {
    const Tick t = static_cast<Tick>(i) * 100'000;
    again.run(t);
    INFO("t = " << t);
    CHECK(got.recorder.report(rv)[i] ==
          Approx(static_cast<double>(again.V(b.first(cell), t))).epsilon(1.2e-7).margin(1e-12));
    CHECK(got.recorder.report(ri)[i] ==
          Approx(static_cast<double>(again.I_syn(b.first(cell), t))).epsilon(1.2e-7));
  }
}

TEST_CASE(
    "lif_exp: a foreseen crossing is cancelled, moved or left alone by an arrival before, at or after it") {
  // The current alone crosses at `crossing`; inhibition arrives around that tick.  An arrival at the very
  // tick changes the current, not V: it is too late.
  NetworkBuilder alone(ms(50));
  {
    const auto cell = alone.add("lif_exp", 1, usual);
    const auto in = alone.source(1, {{ms(3), 0}});
    alone.connect(in, cell, Rule::one_to_one, 16000.0, ms(1)).port = exc;
  }
  const auto first = reference::simulate(alone.network()).spikes;
  REQUIRE(first.size() == 1);
  const Tick crossing = first[0].tick;
  for (const Tick offset : {Tick{-200'000}, Tick{-1000}, Tick{-2}, Tick{-1}, Tick{0}, Tick{1}})
    for (const double w : {-1e3, -1e6}) {
      INFO("offset " << offset << ", weight " << w);
      NetworkBuilder b(ms(50));
      const auto cell = b.add("lif_exp", 1, usual);
      const auto in = b.source(2, {{ms(3), 0}, {crossing + offset - ms(0.1), 1}});
      b.connect(in, cell, {{0, 0, 16000, ms(1)}}, exc);
      b.connect(in, cell, {{1, 0, w, ms(0.1)}}, inh);
      b.record_spikes(cell);
      const auto expected = reference::simulate(b.network());
      CHECK(run(b.network()).spikes() == expected.spikes);
      if (offset >= 0) CHECK(expected.spikes == std::vector<Spike>{{crossing, 0}});
      if (offset == -200'000) CHECK(expected.spikes.empty() == (w < -1e5));
    }
}

TEST_CASE("lif_exp: equal and opposite currents of one tick leave no trace") {
  NetworkBuilder b(ms(100));
  const auto in = b.source(2, {{ms(3), 0}, {ms(3), 1}, {ms(40), 0}, {ms(40), 1}});
  const auto cell = b.add("lif_exp", 1, with(with(usual, "V", 19.5), "tau_m", 1e5));
  b.connect(in, cell, {{0, 0, 5000, ms(1)}, {1, 0, -5000, ms(1)}}, exc);  // both through one port
  b.record_spikes(cell);
  CHECK(run(b.network()).spikes().empty());
}

TEST_CASE("lif_exp: rest above threshold, interrupted by inhibition") {
  NetworkBuilder b(ms(2000));
  const auto in = b.source(1, {{ms(300), 0}, {ms(301), 0}, {ms(900), 0}});
  const auto cells = b.add("lif_exp", 4,
                           {{"tau_m", 20},
                            {"C_m", 200},
                            {"tau_syn_exc", 5},
                            {"tau_syn_inh", 10},
                            {"E_L", -49},
                            {"v_th", -50},
                            {"v_reset", -60},
                            {"t_ref", 5},
                            {"I_dc", std::vector<double>{0, 1, 50, 500}},
                            {"V", std::vector<double>{-60, -55, -51, -50.0001}}});
  b.connect(in, cells, Rule::all_to_all, -3000.0, ms(0.3)).port = inh;
  b.record_spikes(cells);
  const auto c = compare(run(b.network()).spikes(), reference::simulate(b.network()));
  INFO(c.text());
  CHECK(c.differences.empty());
  CHECK(c.spikes > 100);
}

TEST_CASE("lif_exp: scheduled current steps, at spikes and in refractory times too") {
  NetworkBuilder b(ms(500));
  const auto cells =
      b.add("lif_exp", 8, with(usual, "I_dc", std::vector<double>{0, 100, 249, 251, 300, 500, 1000, 5000}));
  for (int k = 1; k < 60; ++k) b.schedule(ms(8.1) * k + k * k, cells, "I_dc", (k * 7919) % 900 - 200);
  b.record_spikes(cells);
  const auto c = compare(run(b.network()).spikes(), reference::simulate(b.network()));
  INFO(c.text());
  CHECK(c.differences.empty());
  CHECK(c.spikes > 20);
}

TEST_CASE("lif_exp: two equal neurons in two kernel groups fire alike") {
  // The same neuron beside neighbours with other thresholds, and in a population with a tau per neuron.
  NetworkBuilder b(ms(500));
  std::vector<ListedSpike> s;
  for (int k = 0; k < 400; ++k) s.push_back({ms(1) + k * 1'234'567 % ms(495), 0});
  const auto in = b.source(1, s);
  const auto one = b.add("lif_exp", 1, usual);
  const auto many = b.add("lif_exp", 3, with(usual, "v_th", std::vector<double>{18, 20, 22}));
  const auto taus = b.add("lif_exp", 3, with(usual, "tau_m", std::vector<double>{15, 20, 25}));
  for (const auto p : {one, many, taus}) {
    b.connect(in, p, Rule::all_to_all, 4000.0, ms(1)).port = exc;
    b.record_spikes(p);
  }
  const auto got = run(b.network());
  const auto a = got.recorder.ticks_of(b.first(one));
  CHECK(a.size() > 10);
  CHECK(got.recorder.ticks_of(b.first(many) + 1) == a);
  CHECK(got.recorder.ticks_of(b.first(taus) + 1) == a);
  const auto c = compare(got.spikes(), reference::simulate(b.network()));
  INFO(c.text());
  CHECK(c.differences.empty());
}

TEST_CASE("lif_exp: an initial V at or above the threshold fires at tick 0") {
  NetworkBuilder b(ms(5));
  const auto cells = b.add("lif_exp", 3, with(usual, "V", std::vector<double>{20, 19.999, 35}));
  b.record_spikes(cells);
  CHECK(run(b.network()).spikes() == std::vector<Spike>{{0, 0}, {0, 2}});
}
